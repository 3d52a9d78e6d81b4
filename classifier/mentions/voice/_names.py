"""Where the name of a speaker starts and ends, and who is the subject of a clause."""

from classifier.mentions.voice._clauses import QUOTE, SPEAKER_WORDS, Sentence
from classifier.mentions.voice._cues import Cues
from classifier.records import Span

_SHORT = 4
_SUBJECT_WORDS = 6


def speaker_span(sentence: Sentence, start: int, end: int, cues: Cues) -> Span | None:
    """The name in a range of tokens, without adverbs, verbs and addressees around it."""
    start = _name_start(sentence, start, end, cues)
    return sentence.span(start, _name_stop(sentence, start, end, cues))


def _name_start(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    words = sentence.words
    for i in range(end - 1, start, -1):
        if words[i] in cues.participle:
            return i + 1 if i + 1 < end else start
    while start < end - 1:
        word = words[start]
        is_time = word in cues.speaker_stop and words[start + 1] in cues.time
        is_place = word in cues.speaker_stop and start + 2 < end and sentence.is_capital(start + 2)
        if is_time or is_place:
            start += 1
        elif sentence.is_word(start) and word not in cues.before_speaker:
            break
        start += 1
    return start


def _name_stop(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    words, stop = sentence.words, min(start + 1, end)
    while stop < end and stop < start + SPEAKER_WORDS:
        before = words[stop - 1]
        is_open = before in cues.determiner or before in cues.preposition
        if not sentence.is_word(stop) or (words[stop] in cues.after_speaker and not is_open):
            break
        stop += 1
    while stop > start + 1 and (
        words[stop - 1] in cues.join or words[stop - 1] in cues.preposition
    ):
        stop -= 1
    is_bare = stop == start + 1 and words[start] in cues.determiner
    return start if is_bare else stop


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
