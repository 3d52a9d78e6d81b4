"""Quotations that report words, and the record of a report."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, overload

from classifier.mentions.voice._cues import Cues
from classifier.mentions.voice._quotes import Quote, dialogue_line
from classifier.mentions.voice._sentence import (
    QUOTE,
    Sentence,
    is_past,
    name_end,
    speaker_span,
    subject_of,
)
from classifier.records import Span

ReportKind = Literal["quotation", "report"]


@dataclass(frozen=True, slots=True)
class Report:
    """Words that are not the author's: a quotation, or the content of reported speech.

    The codebook's label is `codebook.variable("voice").counterpart("rules", kind)`; what stands in
    no report is "rest". Speaker and cue are outside the content: they are the author's words.
    """

    content: Span
    kind: ReportKind
    confidence: float = 1.0
    """From 0 to 1: how far the rule that found it is to be trusted; no probability."""
    speaker: Span | None = None
    cue: Span | None = None
    rule: str = "quotation marks"
    """Which form was seen: "verb with that", "headline colon"; for people to read."""
    is_scare: bool = False
    """Marked by quotation marks, but as a distance and not as a quotation: the author's words."""


class Reports(Sequence[Report]):
    """Reports in order of their start, with the innermost one at a place in logarithmic time."""

    def __init__(self, reports: Iterable[Report]) -> None:
        """Order the reports, and find for each the one around it."""
        self._reports = tuple(sorted(reports, key=lambda r: (r.content.start, -r.content.end)))
        self._starts = [report.content.start for report in self._reports]
        self._around: list[int] = []
        open_: list[int] = []
        for i, report in enumerate(self._reports):
            while open_ and self._reports[open_[-1]].content.end <= report.content.start:
                open_.pop()
            self._around.append(open_[-1] if open_ else -1)
            open_.append(i)

    @overload
    def __getitem__(self, index: int) -> Report: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Report, ...]: ...

    def __getitem__(self, index: int | slice) -> Report | tuple[Report, ...]:
        """The report at that place in the order."""
        return self._reports[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._reports)

    def at(self, span: Span) -> Report | None:
        """The innermost report whose content holds the whole span; scare quotes are none."""
        i = bisect_right(self._starts, span.start) - 1
        while i >= 0:
            report = self._reports[i]
            if report.content.contains(span) and not report.is_scare:
                return report
            i = self._around[i]
        return None


class Indexed(Protocol):
    """Reports that can be asked for a place without a walk through all of them."""

    def at(self, span: Span) -> Report | None:
        """The innermost report whose content holds the whole span."""
        ...


def voice_at(reports: Sequence[Report] | Indexed, span: Span) -> Report | None:
    """The innermost report whose content holds the span, None where the author speaks.

    Quick where `reports` is what `find_reports` returned; any other sequence is indexed first.
    """
    indexed: Indexed = reports if hasattr(reports, "at") else Reports(reports)
    return indexed.at(span)


_SCARE_WORDS = 3
_SO_CALLED_WORDS = 8
_NEAR = 6
_ASIDE = 15
_FEW = 2
_SPEAKER_WORDS = 12
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# The author's words inside Slavic quotation marks: «…, — said X, — …».
_INSERTION = re.compile(
    r"[,!?…»]\s*[—–-]\s+([^—–«»\n]{2,160}?)(?:[,.]\s*[—–-]\s+|[.!?…]?\s*\Z|\. )"
)
# After the dash of a dialogue a verb of speech may follow without a comma.
_SPOKEN_INSERTION = re.compile(
    r"(?:[,!?…»]\s*|\s)[—–-]\s+([^—–«»\n]{2,160}?)(?:[,.]\s*[—–-]\s+|[.!?…]?\s*\Z|\. )"
)


def quotation(sentence: Sentence, place: int, quote: Quote, cues: Cues) -> Iterator[Report]:
    """The quote as reports: one, or one on each side of the author's words inside it."""
    cue, speaker = _evidence(sentence, place, cues)
    content = quote.content
    if _count_words(sentence.text, content, 1) == 0:
        return
    if _is_scare(sentence, place, content, cue is not None, cues):
        yield Report(content, "quotation", 0.5, is_scare=True)
        return
    confidence = 0.95 if cue and quote.is_closed else 0.7 if quote.is_closed else 0.5
    insertions = list(_insertions(sentence.text, content, cues))
    if not insertions:
        yield Report(content, "quotation", confidence, speaker, cue)
    yield from _between(sentence.text, content, insertions)


def dialogue(text: str, paragraph: Span, cues: Cues) -> list[Report]:
    """The spoken parts of a line that opens with a dash; none without a verb of speech."""
    line = dialogue_line(text, paragraph)
    if line is None:
        return []
    insertions = list(_insertions(text, line.content, cues, _SPOKEN_INSERTION))
    return list(_between(text, line.content, insertions, is_spoken=True))


def _count_words(text: str, span: Span, at_most: int) -> int:
    count = 0
    for _ in _WORD.finditer(text, span.start, span.end):
        count += 1
        if count == at_most:
            break
    return count


def _is_scare(sentence: Sentence, place: int, content: Span, has_cue: bool, cues: Cues) -> bool:
    n_words = _count_words(sentence.text, content, _SO_CALLED_WORDS + 1)
    if place == 0 and n_words >= _SCARE_WORDS and sentence.words[1:2] == [":"]:
        return False
    before = set(sentence.words[max(0, place - 2) : place])
    if n_words <= _SO_CALLED_WORDS and before & cues.so_called:
        return True
    if n_words > _SCARE_WORDS or has_cue:
        return False
    last = sentence.text[content.end - 1]
    is_alone = sentence.n_words(0, len(sentence)) == 0 and sentence.words.count(QUOTE) == 1
    return last not in "!?" and not (is_alone and n_words > 1 and last in ".…")


def _evidence(sentence: Sentence, place: int, cues: Cues) -> tuple[Span | None, Span | None]:
    """The cue and the speaker of a quote: behind it, or before it."""
    speech = cues.speech
    words = sentence.words
    after = place + 1
    while after < len(words) and words[after] in ",—–-…":
        after += 1
    limit = min(len(words), after + _NEAR)
    stop = after
    while stop < limit and sentence.is_word(stop) and words[stop] not in speech:
        stop += 1
    if "—" in words[place + 1 : after] or "–" in words[place + 1 : after]:
        verb = next(
            (i for i in range(after, min(limit, after + _FEW)) if is_past(sentence, i, cues)), -1
        )
        if verb >= 0 and not (stop < limit and words[stop] in speech):
            end = _speaker_end(sentence, verb + 1, cues)
            return sentence.span(verb, verb + 1), speaker_span(sentence, verb + 1, end, cues)
    if stop < limit and words[stop] in speech and (stop == after or cues.bare or cues.quote_after):
        if cues.participle:
            cue = sentence.span(stop, stop + 1)
            if words[stop] not in cues.participle:
                return cue, _turkish_speaker(sentence, place, stop, cues)
            return cue, sentence.span(stop + 1, name_end(sentence, stop + 1))
        speaker = (
            (after, stop) if stop > after else (stop + 1, _speaker_end(sentence, stop + 1, cues))
        )
        return sentence.span(stop, stop + 1), speaker_span(sentence, *speaker, cues)
    by_role = _evidence_behind_role(sentence, after, stop, cues)
    return by_role or _evidence_before(sentence, place, cues)


def _evidence_behind_role(
    sentence: Sentence, start: int, comma: int, cues: Cues
) -> tuple[Span | None, Span | None] | None:
    """Cue and speaker in "“…,” Ada Salo, head of the team, said"; None where it is not so."""
    words = sentence.words
    is_name = comma > start and words[comma : comma + 1] == [","] and sentence.is_capital(start)
    if not (cues.bare and is_name):
        return None
    close = sentence.find(",", comma + 1, comma + _ASIDE)
    verb = sentence.find(cues.speech, comma + 1, comma + _ASIDE)
    if verb <= comma + 1 or close not in (-1, verb - 1):
        return None
    return sentence.span(verb, verb + 1), speaker_span(sentence, start, comma, cues)


def _turkish_speaker(sentence: Sentence, place: int, cue: int, cues: Cues) -> Span | None:
    """As in "Minister X, “…” dedi": the words before the quote; else those behind the cue."""
    words, start = sentence.words, 0
    for i in range(place - 1, -1, -1):
        if words[i] == QUOTE or words[i] in ".;!?…":
            start = i + 1
            break
    comma = sentence.find(",", start, place)
    stop = comma if comma >= 0 else place
    is_name = start < stop <= start + _SPEAKER_WORDS and sentence.is_capital(start)
    if is_name:
        return speaker_span(sentence, start, stop, cues)
    is_after = sentence.is_word(cue + 1) and sentence.is_capital(cue + 1)
    return sentence.span(cue + 1, name_end(sentence, cue + 1)) if is_after else None


def _speaker_end(sentence: Sentence, start: int, cues: Cues) -> int:
    stop = start
    while sentence.is_word(stop) and stop < start + _SPEAKER_WORDS:
        if sentence.words[stop] in cues.that or sentence.words[stop] in cues.join:
            break
        stop += 1
    return stop


def _evidence_before(sentence: Sentence, place: int, cues: Cues) -> tuple[Span | None, Span | None]:
    words, place = sentence.words, _introduced_at(sentence, place, cues)
    if place == 0:
        return None, None
    start = max(0, place - 1 - _SPEAKER_WORDS)
    for i in range(place - 2, start - 1, -1):
        if words[i] == QUOTE or words[i] in ".;":
            start = i + 1
            break
        if words[i] in cues.verbs:
            return sentence.span(i, i + 1), _before_cue(sentence, start, i, place - 1, cues)
    if words[place - 1] == ":":
        name = speaker_span(sentence, start, place - 1, cues)
        return Span(*sentence.places[place - 1]), name
    if cues.participle:
        return None, _turkish_speaker(sentence, place, place, cues)
    return None, None


def _before_cue(sentence: Sentence, start: int, i: int, end: int, cues: Cues) -> Span | None:
    """The speaker of a verb before a quote: before the verb, or where nothing is, behind it."""
    words = sentence.words
    if cues.bare and words[i].endswith("ing") and words[i - 1 : i] == [","]:
        subject = subject_of(sentence, i - 1, cues)
        return speaker_span(sentence, *subject, cues) if subject else None
    for j in range(i - 1, start - 1, -1):
        if words[j] == QUOTE or words[j] in ".;":
            start = j + 1
            break
    if cues.participle:
        return _turkish_speaker(sentence, i, i, cues)
    before = sentence.n_words(start, i)
    # As in "In een verklaring, zei Ada Salo: “…”": a Dutch subject may follow its verb.
    is_inverted = cues.determiner and not cues.bare and words[i - 1 : i] == [","]
    if is_inverted and i + 1 < end and sentence.is_capital(i + 1):
        before = 0
    return speaker_span(sentence, *((start, i) if before else (i + 1, end)), cues)


def _introduced_at(sentence: Sentence, place: int, cues: Cues) -> int:
    """Behind the mark or the word that introduces the quote at `place`; 0 where none does."""
    words = sentence.words
    if place and words[place - 1] in cues.that:
        place -= 1
    if cues.bare and place > 1 and words[place - 1] in cues.verbs:
        return place + 1
    return place if place and words[place - 1] in {":", ","} else 0


class _Insertion(NamedTuple):
    """The author's words inside a quotation, with the verb and the speaker in them."""

    span: Span
    cue: Span
    speaker: Span | None


def _insertions(
    text: str, content: Span, cues: Cues, pattern: re.Pattern[str] = _INSERTION
) -> Iterator[_Insertion]:
    for match in pattern.finditer(text, content.start, content.end):
        inserted = Sentence(text, Span(*match.span(1)), ())
        for i, word in enumerate(inserted.words):
            if word in cues.verbs or (i < _FEW and is_past(inserted, i, cues)):
                cue = Span(*inserted.places[i])
                behind = speaker_span(inserted, i + 1, len(inserted), cues)
                speaker = behind or speaker_span(inserted, 0, i, cues)
                yield _Insertion(Span(match.start(), match.end()), cue, speaker)
                break


def _between(
    text: str, content: Span, insertions: list[_Insertion], *, is_spoken: bool = False
) -> Iterator[Report]:
    """The parts around the author's words; behind a full stop a dialogue goes on with a dash."""
    if not insertions:
        return
    starts = [content.start, *(insertion.span.end for insertion in insertions)]
    ends = [*(insertion.span.start for insertion in insertions), content.end]
    last = len(insertions) - 1
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        _, cue, speaker = insertions[min(i, last)]
        if is_spoken and i and not text[content.start : start].rstrip().endswith(("—", "–", "-")):
            continue
        if text[start:end].strip():
            yield Report(Span(start, end), "quotation", 0.9, speaker, cue, "words between dashes")
