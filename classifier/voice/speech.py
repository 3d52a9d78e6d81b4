"""Reported speech without quotation marks in Dutch, English, Russian and Ukrainian news."""

from collections.abc import Iterator, Sequence

from classifier.voice.bare import bare_clause
from classifier.voice.clauses import (
    QUOTE,
    Found,
    Sentence,
    clause_start,
    content_end,
    sentence_end,
)
from classifier.voice.cues import Cues

_ENDS = frozenset(";:.!?…)")
_THAT_REACH = 14
_COLON_REACH = 10
_SPEAKER_WORDS = 12
_SHORT = 4


def find_speech(sentence: Sentence, places: Sequence[int], cues: Cues) -> Iterator[Found]:
    """What the verbs and nouns of saying and thinking that may stand at `places` report."""
    for i in places:
        word = sentence.words[i]
        if word in cues.verbs and word not in cues.never:
            yield from _by_verb(sentence, i, cues)
        elif word in cues.nouns and i + 1 < len(sentence) and sentence.words[i + 1] in cues.that:
            if sentence.words[i + 1] not in cues.weak_that:
                yield _after(sentence, i, i + 2, cues, 0.6)
        elif word in cues.final:
            yield from _postposed(sentence, i, cues)
        elif word in cues.naming:
            yield from _naming(sentence, i, cues)


def _by_verb(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """The first of the ways of reporting that fits the verb at `i`."""
    word, before = sentence.words[i], sentence.words[i - 1] if i else ""
    if before in cues.first_person:
        return
    that = _that(sentence, i, cues)
    if that is not None:
        yield _after(sentence, i, that + 1, cues, 0.9)
        return
    colon = _colon(sentence, i)
    if colon is not None:
        yield _after(sentence, i, colon + 1, cues, 0.8)
        return
    if word in cues.that_only:
        return
    if before in cues.negation or before.endswith("n't"):
        return
    for way in (_like, _postposed, _subject_postposed, _without_that, _about, _infinitive):
        found = tuple(way(sentence, i, cues))
        if found:
            yield from found
            return


def _that(sentence: Sentence, i: int, cues: Cues) -> int | None:
    """Place of the "that" which belongs to the verb at `i`."""
    words = sentence.words
    for j in range(i + 1, min(len(words), i + _THAT_REACH)):
        word = words[j]
        if word in cues.that and sentence.words[j - 1] not in cues.join:
            if word not in cues.weak_that:
                return j
            if words[i] in cues.weak_that_after and j <= i + 6:
                return j
            particle = _enclitic(sentence, i, j, cues)
            if particle is not None:
                return particle
        if word in _ENDS or word == QUOTE or word in cues.verbs:
            return None
    return None


def _enclitic(sentence: Sentence, i: int, j: int, cues: Cues) -> int | None:
    """Slavic "whether" is the second word of its clause, which starts at the comma."""
    if sentence.words[j] == "ли":
        comma = sentence.find(",", i + 1, j)
        return comma if comma >= 0 else None
    return None


def _colon(sentence: Sentence, i: int) -> int | None:
    for j in range(i + 1, min(len(sentence), i + _COLON_REACH)):
        if sentence.words[j] == ":":
            return j
        if sentence.words[j] in _ENDS or sentence.words[j] == QUOTE:
            return None
    return None


def _after(sentence: Sentence, i: int, start: int, cues: Cues, confidence: float) -> Found:
    """A report that follows its cue, up to the end of the clause."""
    end = content_end(sentence, start, cues.contrast)
    left = _left(sentence, i, cues)
    first = sentence.words[0] if len(sentence) else ""
    is_aside = first in cues.subordinate or any(w in cues.relative for w in sentence.words[left:i])
    if is_aside:
        comma = sentence.find(",", start, end)
        end = comma if comma >= 0 else end
    return Found(((start, end),), (i, start), _speaker(sentence, i, start, cues), confidence)


def _left(sentence: Sentence, i: int, cues: Cues) -> int:
    """Where the clause of the verb at `i` starts."""
    words = sentence.words
    for j in range(i - 1, max(-1, i - 2 * _SPEAKER_WORDS), -1):
        if words[j] in ",;:—–(-" or words[j] == QUOTE or words[j] in _ENDS:
            return j + 1
    return max(0, i - 2 * _SPEAKER_WORDS)


def _speaker(sentence: Sentence, i: int, end: int, cues: Cues) -> tuple[int, int] | None:
    """The words before the verb; those behind it, where an adverbial comes before."""
    left, words = _left(sentence, i, cues), sentence.words
    while left < i and (words[left] in cues.join or words[left] in cues.contrast):
        left += 1
    leads = left < i and (words[left] in cues.preposition or words[left] in cues.time)
    if left < i and not (leads and cues.determiner and end > i + 1):
        return max(left, i - _SPEAKER_WORDS), i
    start = i + 1
    while start < end and words[start] in cues.time:
        start += 1
    stop = start
    while stop < end and stop < start + _SPEAKER_WORDS and sentence.is_word(stop):
        if words[stop] in cues.that or words[stop] in cues.time:
            break
        stop += 1
    return (start, stop) if stop > start else None


def _like(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "As X says, …" and "…, as X says": the clause around it is what X says."""
    left = _left(sentence, i, cues)
    if left >= i or sentence.words[left] not in cues.like:
        return
    end = sentence_end(sentence, i)
    comma = sentence.find(",", i, end)
    stop = comma if comma >= 0 else end
    contents = [(stop, content_end(sentence, stop + 1, cues.contrast))] if comma >= 0 else []
    start = clause_start(sentence, left, frozenset())
    if left - start > 1:
        contents.append((start, left - 1))
    if contents:
        yield Found(tuple(contents), (i, i + 1), (left + 1, stop), 0.8)


def _postposed(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "…, says X"; goes on after the speaker where little stood before."""
    words = sentence.words
    k = i - 1
    while k >= 0 and (words[k] in cues.like or words[k] in "—–-"):
        k -= 1
    if k < 1 or words[k] not in {",", QUOTE, "?", "!", "…"}:
        return
    end = sentence_end(sentence, i)
    comma = sentence.find(",", i, end)
    stop = comma if comma >= 0 else end
    if any(word in cues.negation or word in cues.finite for word in words[i + 1 : stop]):
        return
    yield from _around(sentence, i, k, stop, (i + 1, stop), cues)


def _subject_postposed(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "…, X says". English only: elsewhere the verb comes first there."""
    words = sentence.words
    left = _left(sentence, i, cues)
    k = left - 1
    follows = words[i + 1] if i + 1 < len(words) else "."
    ends = follows in ",.;" or follows in cues.skip_after or follows in cues.time
    if not cues.bare or not (1 <= i - left <= 7) or k < 1 or words[k] not in {",", QUOTE}:
        return
    if words[left] in cues.join | cues.relative | cues.subordinate | cues.contrast:
        return
    if not (ends or (words[i] in cues.addressed and sentence.is_word(i + 1))):
        return
    end = sentence_end(sentence, i)
    comma = sentence.find(",", i, end)
    yield from _around(sentence, i, k, comma if comma >= 0 else end, (left, i), cues)


def _around(
    sentence: Sentence, i: int, k: int, stop: int, speaker: tuple[int, int], cues: Cues
) -> Iterator[Found]:
    """What stands before the comma at `k`, and after `stop` where the clause goes on there."""
    words = sentence.words
    start = clause_start(sentence, k, frozenset())
    if words[start] in cues.subordinate:
        return
    contents = []
    n_before = sentence.n_words(start, k)
    if n_before:
        contents.append((start, k))
    following = words[stop + 1] if stop + 1 < len(words) else "."
    goes_on = stop + 2 < len(words) and words[stop] == "," and following not in cues.relative
    if goes_on and n_before and (n_before <= _SHORT or following in cues.join):
        contents.append((stop + 1, content_end(sentence, stop + 1, cues.contrast)))
    if contents:
        yield Found(tuple(contents), (i, i + 1), speaker, 0.8)


def _without_that(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "X said Y had left": no word introduces the content."""
    start = bare_clause(sentence, i, cues)
    if start is not None:
        yield _after(sentence, i, start, cues, 0.7)


def _about(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Announced (the fact) of": in Slavic news a noun may hold the whole report."""
    if sentence.words[i] not in cues.about_after:
        return
    about = sentence.find(cues.about, i + 1, min(len(sentence), i + 4))
    if about >= 0 and sentence.find(frozenset(",;"), i, about) < 0:
        yield _after(sentence, i, about + 1, cues, 0.5)


def _infinitive(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Claims to have …", "zegt … te hebben …": the speaker is the subject of the report."""
    if sentence.words[i] not in cues.infinitive_after:
        return
    end = content_end(sentence, i + 1, cues.contrast)
    comma = sentence.find(",", i, end)
    mark = sentence.find(cues.infinitive_mark, i + 1, comma if comma >= 0 else end)
    if mark >= 0 and (not cues.bare or mark == i + 1):
        yield _after(sentence, i, i + 1, cues, 0.6)


def _naming(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Calls X a liar": an evaluation that somebody made, without a clause of its own."""
    words = sentence.words
    before = words[i - 1] if i else ""
    follows = words[i + 1] if i + 1 < len(words) else "."
    if before in cues.first_person | cues.like | cues.negation or follows in cues.negation:
        return
    if not sentence.is_word(i + 1) or not i:
        return
    needs = cues.naming_needs
    if needs and sentence.find(needs | {QUOTE}, i + 2, min(len(words), i + 7)) < 0:
        return
    yield _after(sentence, i, i + 1, cues, 0.5)
