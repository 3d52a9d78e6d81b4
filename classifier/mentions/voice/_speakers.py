"""Reports by phrases that take no clause: "according to X", hearsay, "X: …"."""

from collections.abc import Iterator, Sequence

from classifier.mentions.voice._clauses import (
    QUOTE,
    Found,
    Sentence,
    clause_start,
    content_end,
    phrase_around,
    sentence_end,
)
from classifier.mentions.voice._cues import Cues, phrases

_LONGEST_SPEAKER = 25
_HEADLINE_SPEAKER = 5
_FEWEST_WORDS = 3
_HEADLINE_TAIL = 3
# Before a colon these say what a headline is about, and not who speaks.
_PLACES = frozenset(
    [
        "oekraïne",
        "rusland",
        "turkije",
        "oorlog",
        "europa",
        "ukraine",
        "russia",
        "turkey",
        "türkiye",
        "war",
        "europe",
        "украина",
        "россия",
        "турция",
        "война",
        "европа",
        "україна",
        "росія",
        "туреччина",
        "війна",
        "європа",
        "ukrayna",
        "rusya",
        "savaş",
        "avrupa",
        "gaza",
        "газа",
    ]
)
_POSSESSIVES = frozenset(
    ("his", "her", "their", "zijn", "haar", "hun", "его", "её", "ее", "их", "його", "її", "їх")
)


def find_sources(
    sentence: Sentence, places: Sequence[int], language: str, cues: Cues
) -> Iterator[Found]:
    """What phrases such as "according to X" report, and what is hearsay.

    Args:
        sentence: The sentence to look at.
        places: Tokens at which a cue may start.
        language: Whose phrases to look for.
        cues: The cues of that language.
    """
    known, covered = phrases(language), 0
    for i in places:
        phrase = phrase_around(sentence, i, known)
        if phrase is not None:
            for found in _by_phrase(sentence, phrase, cues):
                covered = max(end for _, end in found.contents)
                yield found
        elif sentence.words[i] in cues.would and i >= covered:
            yield from _would(sentence, i, cues)


def _by_phrase(sentence: Sentence, phrase: tuple[int, int, str], cues: Cues) -> Iterator[Found]:
    start, end, kind = phrase
    if kind == "hearsay":
        yield _hearsay(sentence, start, end, cues, 0.8)
        return
    stop = end if kind == "view" else _speaker_end(sentence, end, cues)
    if " ".join(sentence.words[start:end]) in cues.source_final_only and (
        start == 0 or stop < sentence_end(sentence, start)
    ):
        return
    contents = tuple(_both_sides(sentence, start, stop, cues))
    if contents:
        yield Found(contents, (start, end), _holder(sentence, start, end, stop), 0.9)


def _holder(sentence: Sentence, start: int, end: int, stop: int) -> tuple[int, int] | None:
    """Whose view it is: the name behind the phrase, or the "his" in it."""
    place = sentence.find(_POSSESSIVES, start, end)
    if place >= 0:
        return place, place + 1
    return (end, stop) if stop > end else None


def _both_sides(sentence: Sentence, start: int, stop: int, cues: Cues) -> Iterator[tuple[int, int]]:
    """The clause around "according to X": what stands before it and what comes after."""
    openers = cues.clause_openers
    left = clause_start(sentence, start, openers)
    if start and sentence.words[start - 1] in cues.relative:
        left = start - 1
    if sentence.n_words(left, start) > (sentence.words[left] in openers):
        yield left, start
    right = content_end(sentence, stop, cues.contrast)
    if sentence.n_words(stop, right):
        yield stop, right


def _speaker_end(sentence: Sentence, start: int, cues: Cues) -> int:
    """Where the name of the source ends: at a comma, in Dutch before the verb."""
    end = min(sentence_end(sentence, start), start + _LONGEST_SPEAKER)
    comma = sentence.find(frozenset({",", QUOTE, "—", "–", ":"}), start, end)
    if not cues.determiner or cues.bare:
        return comma if comma >= 0 else end
    stop = _noun_phrase_end(sentence, start, comma if comma >= 0 else end, cues)
    if stop == comma and sentence.find(cues.relative, comma + 1, comma + 2) > 0:
        close = sentence.find(",", comma + 1, end)
        return close if close >= 0 else stop
    return stop


def _noun_phrase_end(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    """Behind the noun phrase at `start`: the verb is second in a Dutch sentence.

    A word in lower case after the noun is that verb, unless it leads on to another noun.
    """
    has_noun = False
    for i in range(start, end):
        word = sentence.words[i]
        if i > start and word in cues.finite:
            return i
        if word in cues.determiner or word in cues.preposition:
            has_noun = False
        elif word.isdigit() and has_noun and sentence.is_capital(i - 1):
            return i
        elif sentence.is_capital(i) or word.isdigit():
            has_noun = has_noun or not word.endswith(("se", "ische"))
        elif word in cues.pronoun:
            return i + 1
        elif has_noun:
            return i
        else:
            has_noun = not _is_adjective(sentence, i, end)
    return end


def _is_adjective(sentence: Sentence, i: int, end: int) -> bool:
    """Whether a Dutch word ending in -e has a noun behind it: "hoge functionaris"."""
    word = sentence.words[i]
    if not word.endswith(("e", "eigen")) or i + 1 >= end or not sentence.is_word(i + 1):
        return False
    following = sentence.words[i + 1]
    return sentence.is_capital(i + 1) or not following.endswith(("t", "de", "te"))


def _hearsay(sentence: Sentence, start: int, end: int, cues: Cues, confidence: float) -> Found:
    """The clause around a cue of hearsay, which nobody is named for."""
    left = clause_start(sentence, start, cues.clause_openers | cues.that)
    if start and sentence.words[start - 1] in cues.join:
        left = start
    right = content_end(sentence, end, cues.contrast | cues.join)
    return Found(((left, start), (end, right)), (start, end), None, confidence)


def _would(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """Dutch "zou … hebben": hearsay, unless a condition or another modal verb explains it."""
    end = content_end(sentence, i, cues.contrast)
    start = clause_start(sentence, i, cues.clause_openers)
    is_conditional = sentence.find(cues.conditional, start, end) >= 0
    if i and not is_conditional and sentence.find(cues.would_modals, i + 1, end) < 0:
        yield _hearsay(sentence, i, i + 1, cues, 0.6)


def headline_speaker(sentence: Sentence, cues: Cues, *, is_headline: bool) -> Found | None:
    """As in "X: …", where X is a name or a word for a speaker; a label may stand before it."""
    words = sentence.words
    colon = sentence.find(":", 1, _HEADLINE_SPEAKER + 1)
    if colon < 0 or not all(sentence.is_word(i) for i in range(colon)):
        return None
    first = 1 if is_headline and colon > 1 and words[0] in cues.label else 0
    if words[first] in cues.label or not cues.verbs.isdisjoint(words[:colon]):
        return None
    is_known = words[colon - 1] in cues.speakers or words[first] in cues.speakers
    # The first word of a sentence is a capital one anyway; in a headline a name is what it is.
    is_long = colon - first > 1 or (is_headline and words[first] not in _PLACES)
    is_name = is_long and not is_known and all(sentence.is_capital(i) for i in range(first, colon))
    if not (is_known or is_name):
        return None
    end = sentence_end(sentence, colon)
    if sentence.n_words(colon, end) < _FEWEST_WORDS or words[colon + 1] == QUOTE:
        return None
    return Found(((colon + 1, end),), (colon, colon + 1), (first, colon), 0.5)


def headline_tail(sentence: Sentence, cues: Cues) -> Found | None:
    """As in the headlines "…, – X" and "… — X": the name of the speaker ends the line."""
    words, end = sentence.words, len(sentence)
    for dash in range(end - 2, max(_FEWEST_WORDS, end - 2 - _HEADLINE_TAIL), -1):
        if words[dash] in "—–-":
            names = range(dash + 1, end)
            is_name = all(sentence.is_word(i) and sentence.is_capital(i) for i in names)
            is_plain = words[dash + 1] not in _PLACES and words[dash + 1] not in cues.label
            if is_name and is_plain:
                return Found(((0, dash),), (dash, dash + 1), (dash + 1, end), 0.5)
            return None
    return None
