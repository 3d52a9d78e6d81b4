"""Who is meant where a speaker is a pronoun, or where a quotation goes on without a name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from classifier.mentions.voice._clauses import QUOTE, Sentence, fold
from classifier.mentions.voice._cues import Cues
from classifier.mentions.voice._quotations import Report
from classifier.records import Span

PRONOUNS = frozenset(
    (
        *("he", "she", "they", "him", "her", "them", "his", "their"),
        *("hij", "zij", "ze", "hem", "haar", "hen", "hun", "zijn"),
        *("он", "она", "они", "его", "её", "ее", "их", "ним", "ней"),
        *("він", "вона", "вони", "його", "її", "їх"),
        *("o", "ona", "onun", "onlar", "onlara"),
    )
)
_PARTICLES = frozenset(
    ("van", "von", "de", "der", "den", "ter", "bin", "al", "el", "la", "ван", "фон", "де")
)
_WOULD = frozenset(("zou", "zouden"))
_TITLE_WORDS = 6
_SUBJECT_REACH = 12


def needs_name(report: Report, text: str, start: int) -> bool:
    """Whether a report names nobody, and the words before it may.

    Args:
        report: One of the reports of a sentence.
        text: The text it stands in.
        start: Where its sentence starts.
    """
    if report.is_scare:
        return False
    if report.speaker is not None:
        return fold(report.speaker.of(text)) in PRONOUNS
    if report.kind == "quotation":
        return report.content.start <= start + 2
    return report.cue is not None and fold(report.cue.of(text)) in _WOULD


def with_names(reports: Sequence[Report]) -> Iterator[Report]:
    """A quotation that goes on behind its speaker's name, as in “…,” said X, “…”, has that name."""
    last: Report | None = None
    for report in reports:
        is_next = last is not None and report.content.start >= last.content.end
        if is_next and last and report.kind == "quotation" and report.speaker is None:
            named = replace(report, speaker=last.speaker, cue=report.cue or last.cue)
            yield report if report.is_scare else named
            continue
        if report.kind == "quotation" and report.speaker and not report.is_scare:
            last = report
        yield report


def named_speaker(reports: Sequence[Report], text: str, before: int) -> Span | None:
    """The last speaker whom a report of a sentence names, before a place in the text."""
    for report in reversed(reports):
        speaker = report.speaker
        if speaker and speaker.end <= before and fold(speaker.of(text)) not in PRONOUNS:
            return speaker
    return None


def named_subject(sentence: Sentence, before: int, cues: Cues) -> Span | None:
    """The person whom a sentence is about: the first name of two words, with the title before it.

    Args:
        sentence: The sentence to look at.
        before: Place in the text behind which no name counts.
        cues: The cues of its language.
    """
    words, i = sentence.words, 0
    while i < len(words):
        stop = _name_end(sentence, i, cues)
        if stop == i or sum(sentence.is_capital(k) for k in range(i, stop)) == 1:
            i = max(i + 1, stop)
            continue
        if sentence.places[stop - 1][1] > before:
            return None
        start = _title_start(sentence, i, cues)
        is_subject = start == 0 or (start > 0 and words[start - 1] in cues.verbs)
        if is_subject and start < _SUBJECT_REACH:
            return sentence.span(start, stop)
        i = stop
    return None


def _name_end(sentence: Sentence, i: int, cues: Cues) -> int:
    """Behind the capitalised words at `i`, with the small words of a name between them."""
    stop = i
    while sentence.is_word(stop):
        is_name = sentence.is_capital(stop) and sentence.words[stop] not in cues.determiner
        is_between = (
            stop > i
            and sentence.words[stop] in _PARTICLES
            and sentence.is_word(stop + 1)
            and sentence.is_capital(stop + 1)
        )
        if not (is_name or is_between):
            break
        stop += 1
    return stop


def _title_start(sentence: Sentence, i: int, cues: Cues) -> int:
    """Where the title before a name starts; the place of the name where it has none."""
    stops = cues.verbs | cues.finite | cues.time | cues.subordinate | cues.pronoun
    start = i
    while start and i - start < _TITLE_WORDS and sentence.is_word(start - 1):
        word = sentence.words[start - 1]
        if word == QUOTE or word in stops or word.isdigit():
            break
        start -= 1
    return start
