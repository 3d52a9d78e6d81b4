"""Reports whose speaker comes last, in the middle, or with an "as"."""

from collections.abc import Iterator

from classifier.voice.clauses import (
    QUOTE,
    SPEAKER_WORDS,
    Found,
    Sentence,
    clause_start,
    content_end,
    left_of,
    sentence_end,
)
from classifier.voice.cues import Cues

SHORT = 4


def like_clause(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "As X says, …" and "…, as X says": the clause around it is what X says."""
    left = left_of(sentence, i)
    if left >= i or sentence.words[left] not in cues.like:
        return
    end = sentence_end(sentence, i)
    comma = sentence.find(",", i, end)
    stop = comma if comma >= 0 else end
    start = clause_start(sentence, left, frozenset())
    contents = [(start, left - 1)] if left - start > 1 else []
    if comma >= 0 and sentence.n_words(start, left) <= SHORT:
        contents.append((stop, content_end(sentence, stop + 1, cues.contrast)))
    if contents:
        yield Found(tuple(contents), (i, i + 1), (left + 1, stop), 0.8)


def postposed(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
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
    follows = words[i + 1] if i + 1 < len(words) else "."
    if follows in cues.object_start or follows in cues.about or words[i] in cues.addressed:
        return
    if any(
        word in cues.negation or (cues.bare and word in cues.finite) for word in words[i + 1 : stop]
    ):
        return
    yield from _around(sentence, i, k, stop, (i + 1, stop), cues)


def subject_postposed(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "…, X says". English only: elsewhere the verb comes first there."""
    words = sentence.words
    left = left_of(sentence, i)
    if left == i:
        left = _before_apposition(sentence, i, cues)
    k = left - 1
    follows = words[i + 1] if i + 1 < len(words) else "."
    ends = follows in ",.;" or follows in cues.skip_after or follows in cues.time
    if (
        not cues.bare
        or not (1 <= i - left <= SPEAKER_WORDS)
        or k < 1
        or words[k] not in {",", QUOTE}
    ):
        return
    if words[left] in cues.no_speaker:
        return
    if not cues.finite.isdisjoint(words[left:i]):
        return
    if words[i] in cues.noun_like and not _is_name(sentence, i - 1, cues):
        return
    if not (ends or (words[i] in cues.addressed and sentence.is_word(i + 1))):
        return
    end = sentence_end(sentence, i)
    comma = sentence.find(",", i, end)
    yield from _around(sentence, i, k, comma if comma >= 0 else end, (left, i), cues)


def parenthesis(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Russia, she felt, was bluffing": between commas any English verb of speech will do."""
    words = sentence.words
    left = left_of(sentence, i)
    end = sentence_end(sentence, i)
    close = sentence.find(frozenset(",;"), i, min(end, i + SHORT))
    is_short = 1 <= i - left <= SHORT and 1 < left < len(words) and close >= 0
    if not cues.bare or not is_short or words[left - 1] != "," or words[close] != ",":
        return
    if not (
        words[left] in cues.pronoun or words[left] in cues.determiner or sentence.is_capital(left)
    ):
        return
    start = clause_start(sentence, left - 1, frozenset())
    if words[start] in cues.subordinate or words[i - 1] in cues.passive_before:
        return
    contents = ((start, left - 1), (close + 1, content_end(sentence, close + 1, cues.contrast)))
    yield Found(contents, (i, i + 1), (left, i), 0.7)


def _is_name(sentence: Sentence, i: int, cues: Cues) -> bool:
    return sentence.is_capital(i) or sentence.words[i] in cues.pronoun


def _before_apposition(sentence: Sentence, i: int, cues: Cues) -> int:
    """Where the speaker starts in "…, the deputy, Iryna Salo, told …"; `i` where none does."""
    start = left_of(sentence, i - 1)
    first = left_of(sentence, start - 1) if start > 1 else 0
    words = sentence.words
    is_person = first and (words[first] in cues.determiner or sentence.is_capital(first))
    return first if is_person and start < i - 1 and first < start - 1 else i


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
    if goes_on and n_before and (n_before <= SHORT or following in cues.join):
        contents.append((stop + 1, content_end(sentence, stop + 1, cues.contrast)))
    if contents:
        yield Found(tuple(contents), (i, i + 1), speaker, 0.8)
