"""Reported speech without quotation marks in Turkish: the report comes before its verb."""

import re
from collections.abc import Iterator, Sequence

from classifier.mentions.voice._cues import Cues
from classifier.mentions.voice._sentence import (
    OCCASION,
    QUOTE,
    Found,
    Sentence,
    clause_start,
    content_end,
    name_end,
    sentence_end,
)

# "-dığını", "-acağını", "-dığına", "-dığından", "-dığı": a clause made into a noun.
_CLAUSE_NOUN = re.compile(
    r".{2,}(?:[dt][ıiuü]ğ|[ae]ca?e?ğ)[ıiuü](?:m[ıi]z|n[ıi]z)?(?:n[ıiuüea]|nd[ae]n?|n[ıi]n)?\Z"
    r"|.{2,}(?:[dt][ıiuü]k|[ae]ca?e?k)l[ae]r[ıi](?:n[ıiea]|nd[ae]n?)?\Z"
)
_GENITIVE = re.compile(r".+'n?[ıiuü]n\Z|(?!için|bugün|yar[ıi]n).{3,}[ıiuü]n\Z")
_SURE_GENITIVE = re.compile(r".+(?:'n?|n|l[ae]r)[ıiuü]n\Z")
_LOCATIVE = re.compile(r".{3,}'?[dt][ae]\Z")
_ADVERBS = frozenset(
    ("dün", "bugün", "sabah", "akşam", "pazartesi", "sali", "çarşamba", "perşembe", "cuma")
)
_OCCASIONS = frozenset(("yaptiği", "verdiği", "katildiği", "düzenlediği", "yazili", "basin"))
_SUBJECT_WORDS = 18
_VERB_REACH = 4
_FEW = 2


def find_turkish(sentence: Sentence, places: Sequence[int], cues: Cues) -> Iterator[Found]:
    """What the cues that may stand at `places` report in a Turkish sentence."""
    for i in places:
        word = sentence.words[i]
        if word in cues.source:
            yield from _source(sentence, i, cues)
        elif word in cues.verbs or word in cues.passive or word in cues.participle:
            # Of "iddia edildi" the second word says that nobody is named.
            if not cues.passive.isdisjoint(sentence.words[i + 1 : i + 2]):
                continue
            yield from _by_verb(sentence, i, cues)
        elif word in cues.hearsay:
            end = content_end(sentence, i, cues)
            yield Found(((i + 1, end),), (i, i + 1), None, 0.4, "hearsay")


def _source(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "X'e göre …": what follows; between commas, the clause on both sides."""
    if i == 0 or sentence.words[i - 1] in cues.not_source:
        return
    left = clause_start(sentence, i, cues.contrast)
    comma = _last(sentence, ",", left, i)
    end = content_end(sentence, i + 1, cues, is_view=True)
    contents = [(i + 1, end)] if sentence.n_words(i + 1, end) else []
    is_aside = comma is not None and i + 1 < len(sentence) and sentence.words[i + 1] == ","
    start = left
    if comma is not None and is_aside:
        contents.insert(0, (left, comma))
        start = comma + 1
    if contents:
        yield Found(tuple(contents), (i, i + 1), (start, i), 0.9, "phrase that names a source")


def _last(sentence: Sentence, word: str, start: int, end: int) -> int | None:
    for i in range(end - 1, start - 1, -1):
        if sentence.words[i] == word:
            return i
    return None


def _by_verb(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    words = sentence.words
    left = clause_start(sentence, i, cues.contrast)
    # "… gittiğini, ancak döndüğünü söyledi": what is before "but" is a part of the report.
    while left > 1 and _CLAUSE_NOUN.match(words[left - 2]):
        left = clause_start(sentence, left - 2, cues.contrast)
    for j in range(i - 1, max(left - 1, i - 1 - _VERB_REACH), -1):
        if words[j] == QUOTE or words[j] in ",:":
            break
        if words[j] == "diye" or _CLAUSE_NOUN.match(words[j]):
            yield _before(sentence, i, j + (words[j] != "diye"), left, cues)
            return
    yield from _loose(sentence, i, left, cues)


def _before(sentence: Sentence, i: int, end: int, left: int, cues: Cues) -> Found:
    """The content that ends before token `end`; its subject, where there is one, comes first."""
    start = _content_start(sentence, left, end, sentence.words[i] in cues.passive)
    names = (k for k in range(left + 1, start) if sentence.is_word(k) and sentence.is_capital(k))
    is_name = start - left <= _FEW or sentence.words[start - 1] == "," or next(names, 0)
    speaker: tuple[int, int] | None = (left, start) if start > left and is_name else None
    if sentence.words[i] in cues.participle:
        start, speaker = left, (i + 1, name_end(sentence, i + 1))
    return Found(((start, end),), (i, i + 1), speaker, 0.8, "clause before its verb")


def _content_start(sentence: Sentence, left: int, end: int, is_passive: bool) -> int:
    """After the comma behind the subject; without one, at the first word in the genitive."""
    if is_passive:
        return _behind_occasion(sentence, left, end)
    comma = sentence.find(",", left, min(end, left + _SUBJECT_WORDS + 1))
    if comma > left and not any(map(_CLAUSE_NOUN.match, sentence.words[left:comma])):
        return _behind_adverbials(sentence, comma + 1, end)
    genitives = [j for j in range(left, end) if _GENITIVE.match(sentence.words[j])]
    if genitives and genitives[0] == left and not _SURE_GENITIVE.match(sentence.words[left]):
        genitives.pop(0)
    if len(genitives) > 1 and genitives[0] == left:
        return genitives[1]
    return genitives[0] if genitives else min(left + 1, end - 1)


def _behind_occasion(sentence: Sentence, left: int, end: int) -> int:
    """Behind "X'in yazılı açıklamasında,", which says in whose text it stands; else `left`."""
    comma = sentence.find(",", left, end)
    is_occasion = comma > left and OCCASION.match(sentence.words[comma - 1])
    return comma + 1 if is_occasion else left


def _behind_adverbials(sentence: Sentence, start: int, end: int) -> int:
    """Behind "dün Ankara'da", "toplantıda yaptığı konuşmada"; `start` where none stands there."""
    i = start
    while i < end - 1:
        word = sentence.words[i]
        if not (word in _ADVERBS or _LOCATIVE.match(word) or word in _OCCASIONS):
            break
        i += 1
    return i if i < end - 1 else start


def _loose(sentence: Sentence, i: int, left: int, cues: Cues) -> Iterator[Found]:
    """As in "…, dedi X" and "X dedi: …"."""
    words = sentence.words
    if words[i] not in cues.quote_after and words[i] not in cues.verbs:
        return
    if i > left + 1 and words[i - 1] == "," and words[i] in cues.quote_after:
        yield Found(
            ((left, i - 1),),
            (i, i + 1),
            (i + 1, sentence_end(sentence, i)),
            0.7,
            "verb behind what it reports",
        )
    elif i + 1 < len(words) and words[i + 1] == ":":
        end = content_end(sentence, i + 2, cues)
        has_name = any(sentence.is_capital(k) for k in range(left, i) if sentence.is_word(k))
        speaker = (left, i) if has_name else None
        yield Found(((i + 2, end),), (i, i + 1), speaker, 0.8, "verb with colon")
