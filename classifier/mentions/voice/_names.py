"""Where the name of a speaker starts and ends, and who is the subject of a clause."""

from classifier.mentions.voice._clauses import QUOTE, SPEAKER_WORDS, Sentence
from classifier.mentions.voice._cues import Cues
from classifier.records import Span

_SHORT = 4
_SUBJECT_WORDS = 6
_SHORT_QUOTE = 40
# Small words that stand inside a name or between a title and what it is a title of.
_INSIDE = frozenset(
    (
        *("of", "for", "de", "la", "al", "el", "bin", "von", "van", "der", "den", "ter", "te"),
        *("and", "en", "ve", "и", "і", "й", "та", "ван", "фон", "де"),
    )
)
# As in "çıkan", "gelen": a Turkish participle, and what belongs to it, stands before its noun.
_PARTICIPLE = ("an", "en")
_TURKISH_NOUNS = frozenset(
    ("uzman", "kaptan", "bakan", "başkan", "kurban", "insan", "zaman", "çoban", "danişman", "neden")
)


def speaker_span(sentence: Sentence, start: int, end: int, cues: Cues) -> Span | None:
    """The name in a range of tokens, without adverbs, verbs and addressees around it."""
    start = _name_start(sentence, start, end, cues)
    stop = _person_stop(sentence, start, _name_stop(sentence, start, end, cues), cues)
    return sentence.span(start, stop)


def _person_stop(sentence: Sentence, start: int, stop: int, cues: Cues) -> int:
    """Behind the name of a person: what follows it in lower case is no part of it.

    English and Dutch titles may follow a name, so there only a preposition ends it.
    """
    for i in range(start + 2, stop):
        if not (sentence.is_word(i) and sentence.is_capital(i - 1) and sentence.is_capital(i - 2)):
            continue
        word = sentence.words[i]
        if sentence.is_capital(i) or word in _INSIDE:
            continue
        if any(sentence.is_capital(k) for k in range(i, stop) if sentence.is_word(k)):
            is_end = not cues.participle and word in cues.preposition | cues.speaker_stop
        elif cues.preposition and not cues.participle:
            is_end = word in cues.preposition | cues.speaker_stop
        else:
            is_end = not cues.participle or stop - i > 1
        if is_end:
            return i
    return stop


def _name_start(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    words = sentence.words
    for i in range(end - 1, start, -1):
        if words[i] in cues.participle:
            return i + 1 if i + 1 < end else start
    if cues.participle:
        start = _behind_participle(sentence, start, end)
    while start < end - 1:
        word = words[start]
        if word.isdigit() and (
            words[start + 1].isdigit()
            or not sentence.is_word(start + 1)
            or sentence.is_capital(start + 1)
        ):
            start += 1
            continue
        is_time = word in cues.speaker_stop and words[start + 1] in cues.time
        is_place = word in cues.speaker_stop and start + 2 < end and sentence.is_capital(start + 2)
        if is_time or is_place:
            start += 1
        elif sentence.is_word(start) and word not in cues.before_speaker:
            break
        start += 1
    return start


def _behind_participle(sentence: Sentence, start: int, end: int) -> int:
    """Behind the last participle before the name, as in "toplantıdan çıkan Bakan Salo"."""
    for i in range(end - 2, start, -1):
        word = sentence.words[i]
        is_participle = word.endswith(_PARTICIPLE) and word not in _TURKISH_NOUNS
        if is_participle and len(word) > _SHORT - 1 and not sentence.is_capital(i):
            return i + 1
    return start


def _name_stop(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    words, stop = sentence.words, min(start + 1, end)
    while stop < end and stop < start + SPEAKER_WORDS:
        before = words[stop - 1]
        is_open = before in cues.determiner or before in cues.preposition
        if not (sentence.is_word(stop) or is_short_quote(sentence, stop)) or (
            words[stop] in cues.after_speaker and not is_open
        ):
            break
        stop += 1
    while stop > start + 1 and (
        words[stop - 1] in cues.join or words[stop - 1] in cues.preposition
    ):
        stop -= 1
    is_bare = stop == start + 1 and words[start] in cues.determiner
    return start if is_bare else stop


def is_short_quote(sentence: Sentence, i: int) -> bool:
    """Whether marks there hold no more than a name, as in the channel «Salo»."""
    if not 0 <= i < len(sentence) or sentence.words[i] != QUOTE:
        return False
    start, end = sentence.places[i]
    return end - start <= _SHORT_QUOTE and sentence.text[start + 1].isupper()


def subject_of(sentence: Sentence, end: int, cues: Cues) -> tuple[int, int] | None:
    """The subject of the clause that ends at `end`: what stands before its verb."""
    words = sentence.words
    for i in range(min(end, SPEAKER_WORDS if cues.bare else _SUBJECT_WORDS)):
        if i and _is_verb(sentence, i, cues):
            return 0, i
        if not sentence.is_word(i) or words[i] == QUOTE:
            break
    return None


def _is_verb(sentence: Sentence, i: int, cues: Cues) -> bool:
    word = sentence.words[i]
    if word in cues.finite or word in cues.verbs:
        return True
    if sentence.is_capital(i) or len(word) <= _SHORT:
        return False
    return word.endswith("ed") if cues.bare else word.endswith(tuple(cues.verb_endings) or "\0")
