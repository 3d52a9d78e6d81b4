"""A sentence as words and marks, and where the clauses and the names in it start and end."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from classifier.mentions.voice._cues import Cues, Phrase, read_shared
from classifier.mentions.voice._quotes import Quote
from classifier.records import Span
from classifier.text import APOSTROPHES

QUOTE = '"'
_WORD_OR_MARK = r"\w+(?:[-'‑]\w+)*|[,;.!?…—–()]|:(?![/\w])|(?<=\s)-(?=\s)"
_TOKEN = re.compile(_WORD_OR_MARK)
# As in "т.е.": two full stops at least, which few sentences have.
_TOKEN_WITH_INITIALS = re.compile(rf"(?<!\w)(?:[^\W\d_]\.){{2,}}|{_WORD_OR_MARK}")
_FEWEST_STOPS = 2
# As in "Ada Salo (CHP) said": a party, a place or an age behind a name, which the clause runs past.
_DOT = re.compile(r"(?<![\w.])([^\W\d_]{1,5})\.(?= ([^\W\d_]))")
# As in "Lt. Gen. Ada B. Salo": no sentence ends there, or the text would have been cut.
_BRACKET = re.compile(r"(?<=[\w.]) \((?=[^\W_])[^()\n]{1,38}\)(?=[,:]? \w)")
_STOPS = frozenset(".!?…")
_MARKS = frozenset(',;:.!?…—–()-"')
# No report reaches further than this many words: a longer "sentence" is a list or a broken page.
LONGEST = 150
SPEAKER_WORDS = 12
_TITLE_WORDS = 5
SHORT = 4
_SUBJECT_WORDS = 6
_SHORT_QUOTE = 40
# As in "çıkan", "gelen": a Turkish participle, and what belongs to it, stands before its noun.
_PARTICIPLE = ("an", "en")
# As in "açıklamada", "raporunda": where a Turkish speaker's words stand.
OCCASION = re.compile(
    r"(?:açiklama|duyuru|bildiri|rapor|paylaşim|mesaj|konuşma|metin|metn|haber|bülten|demeç|demec)"
    r"\w*[dt][ae]\Z"
)
_MADE = frozenset(("yapilan", "yayimlanan", "paylaşilan", "yazili"))
_CASE = re.compile(r"['’][a-zçğıöşü]{1,8}\Z")
_OBLIQUE = ("ому", "ьому", "ему", "ой", "ій", "ей", "ом", "ем", "их", "ых")
# Ends of Slavic adjectives: what follows one in lower case is its noun, and part of the name.
_ADJECTIVE = ("ой", "ого", "ої", "ьої", "ей", "ых", "их", "ская", "ское", "ська", "ське")
# As in "її партнер": also pronouns that stand alone.
_POSSESSIVE = frozenset(("его", "ее", "её", "их", "його", "її", "їх"))
# Nouns with the ending of a verb: "міністерство закордонних справ".
_SLAVIC_NOUNS = frozenset(("справ", "прав", "слов", "застав", "держав", "канал", "начал"))
_NOUNS_IN_LY = frozenset(("family", "assembly", "ally", "daily", "weekly", "monthly", "rally"))
_ABBREVIATED = re.compile(r" (?:Jr|Sr|Corp|Inc|Ltd|Co)\Z")
_TURKISH_NOUNS = frozenset(
    ("uzman", "kaptan", "bakan", "başkan", "kurban", "insan", "zaman", "çoban", "danişman", "neden")
)


class Sentence:
    """Tokens of one sentence in order: lower-case words, marks, and `QUOTE` for a whole quote.

    Where they stand is worked out when it is first asked for: most sentences report nothing.
    """

    def __init__(self, text: str, span: Span, quotes: Sequence[Quote]) -> None:
        """Read the tokens of a stretch of `text`; `quotes` are those that stand in it, in order."""
        self.text = text
        self.words: list[str] = []
        self._gaps: list[tuple[str, int]] = []
        self._quotes = quotes
        at = span.start
        for quote in quotes:
            self._read(at, quote.start)
            self.words.append(QUOTE)
            at = quote.end
        self._read(at, span.end)

    def _read(self, start: int, end: int) -> None:
        folded = fold(_plain_names(self.text[start:end]))
        self._gaps.append((folded, start))
        self.words += _token(folded).findall(folded)

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """Start and end of each token in the text."""
        places: list[tuple[int, int]] = []
        for i, (folded, start) in enumerate(self._gaps):
            places += [
                (start + m.start(), start + m.end()) for m in _token(folded).finditer(folded)
            ]
            if i < len(self._quotes):
                places.append((self._quotes[i].start, self._quotes[i].end))
        return places

    def __len__(self) -> int:
        """How many tokens it has."""
        return len(self.words)

    def is_capital(self, i: int) -> bool:
        """Whether the token starts with a capital in the text."""
        return self.text[self.places[i][0]].isupper()

    def is_word(self, i: int) -> bool:
        """Whether there is a token there, and it is neither a mark nor a quote."""
        return 0 <= i < len(self.words) and self.words[i] not in _MARKS

    def find(self, wanted: frozenset[str] | str, start: int, end: int) -> int:
        """Place of the first token out of `wanted` in a range, -1 where there is none."""
        words = self.words
        for i in range(max(start, 0), min(end, len(words))):
            if words[i] in wanted:
                return i
        return -1

    def n_words(self, start: int, end: int) -> int:
        """How many words, marks and quotes not counted, a range has."""
        return sum(word not in _MARKS for word in self.words[start:end])

    def span(self, start: int, end: int) -> Span | None:
        """The text under a range of tokens without the marks at its ends; None where no word is."""
        words = self.words
        while start < end and words[start] in _MARKS and words[start] != QUOTE:
            start += 1
        while end > start and words[end - 1] in _MARKS and words[end - 1] != QUOTE:
            end -= 1
        return Span(self.places[start][0], self.places[end - 1][1]) if start < end else None


def _plain_names(text: str) -> str:
    """The text with blanks over dots and brackets in names; no character moves."""
    if "." in text[:-1]:
        text = _DOT.sub(lambda m: f"{m[1]} " if m[2].isupper() else m[0], text)
    if "(" in text:
        text = _BRACKET.sub(lambda m: m[0] if m[0][2].islower() else " " * len(m[0]), text)
    return text


def _token(folded: str) -> re.Pattern[str]:
    return _TOKEN if folded.count(".") < _FEWEST_STOPS else _TOKEN_WITH_INITIALS


class Found(NamedTuple):
    """A report in token ranges: where its content stands, and who says so by which words."""

    contents: tuple[tuple[int, int], ...]
    cue: tuple[int, int]
    speaker: tuple[int, int] | None
    confidence: float
    rule: str = "phrase"
    """Name of the form that was seen, for people to read."""


def fold(text: str) -> str:
    """The text in lower case with one kind of apostrophe and of i; no character moves.

    Capitals tell the Turkish ı from i only where they are set with care.
    """
    folded = text.replace("İ", "i").lower()
    if folded.isascii():
        return folded.replace("`", "'")
    for mark in APOSTROPHES:
        folded = folded.replace(mark, "'")
    return folded.replace("ı", "i")


def phrase_around(
    sentence: Sentence, i: int, phrases: Mapping[str, Sequence[Phrase]]
) -> tuple[int, int, str] | None:
    """The longest phrase that has the token as its telling word: its range and its kind."""
    for phrase in phrases.get(sentence.words[i], ()):
        start = i - phrase.offset
        end = start + len(phrase.words)
        if start >= 0 and tuple(sentence.words[start:end]) == phrase.words:
            return start, end, phrase.kind
    return None


def sentence_end(sentence: Sentence, start: int) -> int:
    """The next semicolon or the full stop at the end, or the end."""
    words = sentence.words
    for i in range(start, min(len(words), start + LONGEST)):
        if words[i] == ";" or (words[i] in _STOPS and i + 1 == len(words)):
            return i
    return min(len(words), start + LONGEST)


def content_end(
    sentence: Sentence,
    start: int,
    cues: Cues,
    openers: frozenset[str] = frozenset(),
    *,
    is_view: bool = False,
) -> int:
    """Where a report that starts there ends: at "; ", at ", but", at the end of the sentence.

    It goes on behind a Slavic "but" that is followed by a verb: the clause has no subject of its
    own. What is so by somebody's view goes on behind a semicolon in a language without articles.
    """
    words, openers, depth = sentence.words, openers or cues.contrast, 0
    end = min(len(words), start + LONGEST)
    for i in range(start, end):
        if words[i] in _STOPS and i + 1 == len(words):
            return i
        if words[i] == ";" and (cues.determiner or not is_view):
            return i
        is_but = words[i] == "," and i + 1 < end and words[i + 1] in openers
        if is_but and not (is_past(sentence, i + 2, cues) or words[i + 2 : i + 3] == ["не"]):
            return i
        depth += (words[i] == "(") - (words[i] == ")")
        if depth < 0:
            return i
    return end


def clause_start(sentence: Sentence, before: int, openers: frozenset[str]) -> int:
    """Where the clause around a token starts: after ";" or ":", after a comma and an opener."""
    words = sentence.words
    for i in range(before - 1, max(-1, before - LONGEST), -1):
        if words[i] in ";:(":
            return i + 1
        if words[i] == "," and i + 1 < before and words[i + 1] in openers:
            return i + 1
    return max(0, before - LONGEST)


def left_of(sentence: Sentence, i: int) -> int:
    """Where the clause of the verb at `i` starts."""
    words = sentence.words
    for j in range(i - 1, max(-1, i - 2 * SPEAKER_WORDS), -1):
        if words[j] in ",;:—–(-" or words[j] == QUOTE or words[j] in _STOPS:
            return j + 1
    return max(0, i - 2 * SPEAKER_WORDS)


def name_end(sentence: Sentence, start: int) -> int:
    """Behind the name at `start` and the title before it; behind two words without a name."""
    stop = start
    while sentence.is_word(stop) and not sentence.is_capital(stop) and stop < start + _TITLE_WORDS:
        stop += 1
    first = stop
    while sentence.is_word(stop) and sentence.is_capital(stop) and stop < first + 8:
        stop += 1
    # In Turkish a lone name with a case behind it belongs to what follows: "kadın Ankara'da …".
    is_name = stop > first and (first == start or stop > first + 1)
    return stop if is_name else min(start + 2, len(sentence))


def speaker_span(sentence: Sentence, start: int, end: int, cues: Cues) -> Span | None:
    """The name in a range of tokens, without adverbs, verbs and addressees around it."""
    is_subject = end < len(sentence) and sentence.words[end] in cues.verbs
    if cues.participle:
        made = (k for k in range(start, end) if _is_occasion(sentence, k))
        end = next(made, end)
        if end == start:
            return None
    pronoun = sentence.find(read_shared().subjects, start, end)
    if pronoun >= 0 and not any(map(sentence.is_capital, range(start + 1, pronoun))):
        return sentence.span(pronoun, pronoun + 1)
    start = _name_start(sentence, start, end, cues)
    if start < end and _stands_alone(sentence, start, end, cues):
        return sentence.span(start, start + 1)
    stop = _person_stop(sentence, start, _name_stop(sentence, start, end, cues, is_subject), cues)
    if stop == start + 1 and sentence.words[start] in cues.clause_openers | cues.like | cues.time:
        is_name = sentence.is_capital(start) and sentence.words[start] not in cues.like
        stop = stop if is_name else start
    if cues.determiner and stop > start and sentence.words[start] in cues.determiner:
        stop = _apposition_stop(sentence, start, stop, cues)
    while cues.bare and stop > start + 1 and _is_adverb(sentence, stop - 1):
        stop -= 1
    return _with_dot(_without_case(sentence.span(start, stop), sentence.text, cues), sentence.text)


def _is_adverb(sentence: Sentence, i: int) -> bool:
    """Whether an English word is an adverb, as in "the mayor repeatedly said"."""
    word = sentence.words[i]
    return word.endswith("ly") and not sentence.is_capital(i) and word not in _NOUNS_IN_LY


def _with_dot(span: Span | None, text: str) -> Span | None:
    """The name with the dot that belongs to its last word: "Tom Hale Jr."."""
    if span and text.startswith(".", span.end) and _ABBREVIATED.search(text, span.start, span.end):
        return Span(span.start, span.end + 1)
    return span


def antecedent(sentence: Sentence, speaker: tuple[int, int], cues: Cues) -> tuple[int, int]:
    """Whom a relative pronoun stands for: what is before its comma; any other speaker as it is."""
    start, end = speaker
    pronoun = sentence.find(cues.pure_relative, start, min(start + 2, end))
    own = pronoun + 1
    # As in "waar het personeel zei": the clause has a subject of its own.
    if 0 < own < end and (sentence.words[own] in cues.subject_starts or sentence.is_capital(own)):
        return own, end
    comma = next(
        (k for k in range(pronoun - 1, max(0, pronoun - SHORT), -1) if sentence.words[k] == ","), 0
    )
    left = left_of(sentence, comma) if pronoun >= 0 and comma else comma
    return _beside_verb(sentence, left, comma, cues) if left < comma else speaker


def _beside_verb(sentence: Sentence, start: int, end: int, cues: Cues) -> tuple[int, int]:
    """The name in a Slavic clause before a relative pronoun: behind its verb, or before it.

    As in "против голосовала лишь Анна Сало, которая" and "бюро обнародовало отчёт, из которого".
    """
    verb = next((k for k in range(start + 1, end - 1) if is_past(sentence, k, cues)), -1)
    if verb < 0:
        return start, end
    is_behind = any(map(sentence.is_capital, range(verb + 1, end)))
    return (verb + 1, end) if is_behind else (start, verb)


def _is_occasion(sentence: Sentence, i: int) -> bool:
    word = sentence.words[i]
    return word in _MADE or OCCASION.match(word) is not None


def _stands_alone(sentence: Sentence, i: int, end: int, cues: Cues) -> bool:
    """Whether the word is a pronoun, and no possessive before a noun."""
    word = sentence.words[i]
    if word not in cues.pronoun or word not in read_shared().pronouns:
        return False
    if word in _POSSESSIVE and i + 1 < end and sentence.is_word(i + 1):
        return False
    follows = sentence.words[i + 1] if sentence.is_word(i + 1) else ","
    return word not in cues.determiner or follows == "," or follows in cues.pronoun_stops


def _apposition_stop(sentence: Sentence, start: int, stop: int, cues: Cues) -> int:
    """Behind the name in "the deputy governor, Iryna Salo,"; `stop` where none follows."""
    if sentence.words[stop : stop + 1] != [","] or sentence.is_capital(stop - 1):
        return stop
    last = stop + 1
    while sentence.is_word(last) and sentence.is_capital(last) and last < stop + SHORT + 1:
        last += 1
    follows = sentence.words[last] if last < len(sentence) else "."
    is_name = last > stop + 1 and (follows in _MARKS or follows in cues.verbs)
    return last if is_name else stop


def _without_case(span: Span | None, text: str, cues: Cues) -> Span | None:
    """A Turkish name without the ending behind its apostrophe."""
    case = _CASE.search(text, span.start, span.end) if span and cues.participle else None
    return Span(span.start, case.start()) if span and case else span


def _person_stop(sentence: Sentence, start: int, stop: int, cues: Cues) -> int:
    """Behind the name of a person: what follows it in lower case is no part of it.

    English and Dutch titles may follow a name, so there only a preposition ends it.
    """
    for i in range(start + 2, stop):
        is_name = sentence.is_capital(i - 2) or sentence.words[i - 2] in read_shared().particles
        if not (sentence.is_word(i) and sentence.is_capital(i - 1) and is_name):
            continue
        # The noun of a Slavic adjective or of a Turkish genitive is part of the name.
        is_open = cues.facts and sentence.words[i - 1].endswith(_ADJECTIVE)
        if is_open or (cues.participle and "'" in sentence.words[i - 1]):
            continue
        word = sentence.words[i]
        if sentence.is_capital(i) or word in read_shared().inside:
            continue
        if any(sentence.is_capital(k) for k in range(i, stop) if sentence.is_word(k)):
            is_end = not cues.participle and word in cues.name_stops
        elif cues.preposition and not cues.participle:
            is_end = word in cues.name_stops
        else:
            is_end = not cues.participle or stop - i > 1
        is_end = is_end and not _is_place(sentence, i, stop, cues)
        if is_end:
            return i
    return stop


def _name_start(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    words = sentence.words
    if cues.participle:
        for i in range(end - 1, start, -1):
            if words[i] in cues.participle:
                return i + 1 if i + 1 < end else start
        start = _behind_participle(sentence, start, end)
    return _behind_adverbs(sentence, start, end, cues)


def _behind_adverbs(sentence: Sentence, start: int, end: int, cues: Cues) -> int:
    """Behind numbers, times, places and small words that stand before a name."""
    words = sentence.words
    while start < end - 1:
        word = words[start]
        is_date = words[start + 1] in cues.time
        if word.isdigit() and (is_date or _is_no_count(sentence, start + 1)):
            start += 1
            continue
        if cues.facts and start and words[start - 1] in cues.verbs and word in cues.place_in:
            start = _behind_phrase(sentence, start + 1, end)
            break
        is_time = word in cues.speaker_stop and words[start + 1] in cues.time
        is_place = word in cues.speaker_stop and start + 2 < end and sentence.is_capital(start + 2)
        if is_time or is_place:
            start += 1
        elif sentence.is_word(start) and word not in cues.before_speaker:
            break
        start += 1
    return start


def _is_no_count(sentence: Sentence, i: int) -> bool:
    """Whether what follows a number is nothing that is counted: a clock or a name."""
    if not sentence.is_word(i):
        return True
    return sentence.words[i].isdigit() or sentence.is_capital(i)


def _behind_phrase(sentence: Sentence, start: int, end: int) -> int:
    """Behind the noun of a Slavic preposition, and the adjectives before it."""
    while start < end - 1 and sentence.words[start].endswith(_OBLIQUE):
        start += 1
    return min(start + 1, end)


def _behind_participle(sentence: Sentence, start: int, end: int) -> int:
    """Behind the last participle before the name, as in "toplantıdan çıkan Bakan Salo"."""
    for i in range(end - 2, start, -1):
        word = sentence.words[i]
        is_participle = word.endswith(_PARTICIPLE) and word not in _TURKISH_NOUNS
        if is_participle and len(word) >= SHORT and not sentence.is_capital(i):
            return i + 1
    return start


def _is_place(sentence: Sentence, i: int, end: int, cues: Cues) -> bool:
    """As in "the ministry in Kyiv": a place that belongs to the name, and no time or occasion."""
    words = sentence.words
    if words[i] not in cues.place_in:
        return False
    stop = i + 1
    while stop < end and stop < i + SHORT + 1 and sentence.is_word(stop):
        if stop > i + 1 and words[stop] in cues.after_speaker:
            break
        stop += 1
    phrase = words[i + 1 : stop]
    if any(w in cues.time or w in cues.occasion or w.isdigit() for w in phrase):
        return False
    return bool(phrase) and sentence.is_capital(stop - 1)


def _name_stop(sentence: Sentence, start: int, end: int, cues: Cues, is_subject: bool) -> int:
    words, stop = sentence.words, min(start + 1, end)
    while stop < end and stop < start + SPEAKER_WORDS:
        before = words[stop - 1]
        is_open = before in cues.determiner or before in cues.preposition
        is_open = is_open or (is_subject and _is_place(sentence, stop, end, cues))
        is_open = is_open or (is_subject and before in cues.place_in)
        relative = cues.relative if cues.preposition else cues.pure_relative
        if words[stop] in relative and not sentence.is_capital(stop):
            break
        if not (sentence.is_word(stop) or is_short_quote(sentence, stop)) or (
            words[stop] in cues.after_speaker and not is_open
        ):
            break
        stop += 1
    while stop > start + 1 and (
        words[stop - 1] in cues.join or words[stop - 1] in cues.preposition
    ):
        stop -= 1
    is_bare = stop == start + 1 and words[start] in cues.bare_determiner
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


def is_past(sentence: Sentence, i: int, cues: Cues) -> bool:
    """Whether the word looks like a Slavic verb: beside a quotation any verb is one of speech."""
    word = sentence.words[i] if sentence.is_word(i) else ""
    if not cues.facts or len(word) <= SHORT or sentence.is_capital(i) or word in _SLAVIC_NOUNS:
        return False
    return word.endswith(cues.endings)


def _is_verb(sentence: Sentence, i: int, cues: Cues) -> bool:
    word = sentence.words[i]
    if word in cues.finite or word in cues.verbs:
        return True
    if sentence.is_capital(i) or len(word) <= SHORT:
        return False
    return word.endswith("ed") if cues.bare else word.endswith(cues.endings or "\0")
