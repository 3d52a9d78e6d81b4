"""Reported speech and thought without quotation marks."""

from collections.abc import Callable, Iterator, Sequence

from classifier.mentions.voice._asides import (
    like_clause,
    parenthesis,
    particle_after,
    postposed,
    subject_postposed,
)
from classifier.mentions.voice._cues import Cues
from classifier.mentions.voice._sentence import (
    QUOTE,
    SHORT,
    SPEAKER_WORDS,
    Found,
    Sentence,
    content_end,
    is_past,
    is_short_quote,
    left_of,
    subject_of,
)

_ABOUT_REACH = 7
_ENDS = frozenset(";:.!?…)")
_Way = Callable[[Sentence, int, Cues], Iterator[Found]]
_RULES = {
    "parenthesis": "verb between commas",
    "like_clause": "as X says",
    "postposed": "verb behind what it reports",
    "subject_postposed": "verb behind what it reports",
    "_without_that": "verb without that",
    "_about": "verb with about",
    "_naming": "verb of naming",
    "_infinitive": "verb with infinitive",
}
_THAT_REACH = 14
_ASIDE = 30
_COLON_REACH = 10
# Ends of participles and gerunds: their subject is that of the clause before them.
_PARTICIPLE = ("ing", "в", "вши", "ючи", "я")


def find_speech(sentence: Sentence, places: Sequence[int], cues: Cues) -> Iterator[Found]:
    """What the verbs and nouns of saying and thinking that may stand at `places` report."""
    for i in places:
        word = sentence.words[i]
        if word in cues.out_of:
            yield from _out_of(sentence, i, cues)
        if word in cues.verbs:
            yield from _by_verb(sentence, i, cues)
        elif word in cues.nouns:
            yield from _by_noun(sentence, i, cues)
        elif word in cues.that and cues.facts and i > 1:
            yield from _slavic_that(sentence, i, cues)
        elif word in cues.final or word in cues.naming:
            way = postposed if word in cues.final else _naming
            yield from (
                found._replace(rule=_RULES[way.__name__]) for found in way(sentence, i, cues)
            )


def _by_noun(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "the fear that …"; Dutch may have its particle between them."""
    that = i + 1 + (sentence.words[i + 1 : i + 2] == ["uit"])
    if that < len(sentence) and sentence.words[that] in cues.strong_that:
        report = _after(sentence, i, that + 1, cues, 0.6)
        yield report._replace(rule="noun with that")


def _out_of(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Uit X blijkt dat …" and "Из X следует, что …": what somebody's text says."""
    words, left = sentence.words, left_of(sentence, i)
    that = sentence.find(cues.strong_that, i + 1, i + _THAT_REACH)
    if that < 0:
        return
    if words[left] in cues.out_of_words:
        speaker = (left + 1, i)
    elif words[i + 1] in cues.out_of_words:
        speaker = (i + 2, that)
    else:
        return
    report = _after(sentence, i, that + 1, cues, 0.7)
    yield report._replace(speaker=speaker, rule="text that says so")


def _by_verb(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """The first of the ways of reporting that fits the verb at `i`."""
    word, before = sentence.words[i], sentence.words[i - 1] if i else ""
    if before == cues.infinitive_mark_word and i > 1 and sentence.words[i - 2] in cues.verbs:
        that = _that(sentence, i, cues)
        if that:
            yield _after(sentence, i - 2, that + 1, cues, 0.8)._replace(rule="verb with that")
        return
    if _is_no_report(sentence, i, cues):
        return
    particle = particle_after(sentence, i, cues)
    only_that = particle < 0 and (word in cues.that_only or before in cues.passive_before)
    that = None if word in cues.final_only else _that(sentence, i, cues)
    colon = None if that or (only_that and not cues.facts) else _colon(sentence, i)
    if that or colon:
        report = _after(sentence, i, (that or colon or 0) + 1, cues, 0.9 if that else 0.8)
        yield report._replace(rule="verb with that" if that else "verb with colon")
        return
    if cues.bare and _follows_quotation(sentence, i):
        return
    for way in (parenthesis, _infinitive) if only_that else _ways(before, cues):
        found = tuple(way(sentence, i, cues))
        if found:
            yield from (one._replace(rule=_RULES[way.__name__]) for one in found)
            return


def _follows_quotation(sentence: Sentence, i: int) -> bool:
    """As in "“…,” says X": what the verb reports stands between the marks."""
    if not i or sentence.words[i - 1] != QUOTE:
        return False
    start, end = sentence.places[i - 1]
    inside = sentence.text[start + 1 : end].rstrip("\"'”’“‘»› ")
    return inside.endswith((",", ".", "!", "?", "…", "—"))


def _ways(before: str, cues: Cues) -> tuple[_Way, ...]:
    """The ways of reporting without "that", in the order in which they are tried."""
    if before in cues.negation or before.endswith("n't"):
        return ()
    asides = (parenthesis, like_clause, postposed, subject_postposed)
    return (*asides, _without_that, _about, _infinitive)


def _slavic_that(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "V, что …" after any verb that is none of `facts`: most verbs there report."""
    words = sentence.words
    verb = words[i - 2]
    if (
        words[i - 1] != ","
        or words[i] in cues.weak_that
        or verb in cues.verbs
        or verb in cues.facts
    ):
        return
    if verb.endswith(cues.endings) and len(verb) > SHORT and words[i - 3 : i - 2] != ["не"]:
        report = _after(sentence, i - 2, i + 1, cues, 0.4)
        yield report._replace(rule="any verb with that")


def _is_no_report(sentence: Sentence, i: int, cues: Cues) -> bool:
    """Whether the word before the verb shows that nobody's words are reported."""
    word, before = sentence.words[i], sentence.words[i - 1] if i else ""
    if word in cues.particle:
        return before not in cues.with_particle
    if before in cues.noun_before and word in cues.noun_like and word not in cues.nouns:
        return True
    is_own = before in cues.negation and i > 1 and sentence.words[i - 2] in ("we", "wij", "ik")
    return is_own or before in cues.first_person or (word in cues.evidence and before in cues.thing)


def _that(sentence: Sentence, i: int, cues: Cues) -> int | None:
    """Place of the "that" which belongs to the verb at `i`."""
    words = sentence.words
    for j in range(i + 1, min(len(words), i + _THAT_REACH)):
        word = words[j]
        if word in cues.that and _introduces(sentence, j, cues):
            if word not in cues.weak_that:
                return j if _has_particle(sentence, i, j, cues) else None
            if words[i] in cues.weak_that_after and j <= i + 6:
                return j
            particle = _enclitic(sentence, i, j, cues)
            if particle is not None:
                return particle
        is_verb = word in cues.verbs and word not in cues.particles
        if word in _ENDS or word == QUOTE or is_verb or word in cues.strong_contrast:
            return None
    return None


def _has_particle(sentence: Sentence, i: int, that: int, cues: Cues) -> bool:
    """Whether a Dutch "laat" or "maakt" before "that" has the word that makes it a report."""
    word = sentence.words[i]
    if word not in cues.with_particle_after:
        return True
    return sentence.find(cues.that_particles, i + 1, that) >= 0


def _introduces(sentence: Sentence, j: int, cues: Cues) -> bool:
    """Whether a "that" introduces a clause, and does not point at a noun."""
    before = sentence.words[j - 1]
    if before in cues.join or (cues.bare and before in cues.preposition):
        return False
    if j + 1 < len(sentence) and sentence.words[j + 1] in cues.pointing:
        return False
    end = content_end(sentence, j + 1, cues)
    if sentence.find(QUOTE, j + 1, min(end, j + SHORT)) >= 0:
        return True
    comma = sentence.find(",", j + 1, end)
    n_words = sentence.n_words(j + 1, comma if comma > 0 else end)
    return n_words > 1 or (n_words == 1 and end > j + 3 and sentence.is_capital(j + 1))


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
    """A report that follows its cue, up to the end of the clause; and on where "; that" follows."""
    end = content_end(sentence, start, cues)
    if sentence.words[start : start + 2] == [QUOTE, ","]:
        end = start + 1
    left = left_of(sentence, i)
    words = sentence.words
    is_fronted = words[0] in cues.subordinate and sentence.find(",", 0, i) < 0
    if is_fronted or not cues.relative.isdisjoint(words[left:i]):
        comma = sentence.find(",", start, end)
        end = comma if comma >= 0 else end
    contents = [(start, end)]
    if words[start - 1] in cues.that:
        contents += _continued(sentence, end, words[start - 1], cues)
    return Found(tuple(contents), (i, start), _speaker(sentence, i, start, cues), confidence)


def _continued(sentence: Sentence, end: int, that: str, cues: Cues) -> Iterator[tuple[int, int]]:
    """As in "…; that …" and "…, but that …": the same report goes on."""
    words = sentence.words
    while end + 2 < len(words) and words[end] in ",;":
        start = end + 1
        while start < end + 3 and (
            words[start] in cues.clause_openers or words[start] in cues.time
        ):
            if words[start] == that:
                break
            start += 1
        if start >= len(words) or words[start] != that:
            return
        end = content_end(sentence, start + 1, cues)
        yield start + 1, end


def _speaker(sentence: Sentence, i: int, end: int, cues: Cues) -> tuple[int, int] | None:
    """The words before the verb; those behind it, where an adverbial comes before."""
    left, words = left_of(sentence, i), sentence.words
    if left == i and i > 1 and words[i - 1] == ",":
        subject = _before_comma(sentence, i, cues)
        if subject is not None or words[i].endswith(_PARTICIPLE):
            return subject
    if left > 1 and is_short_quote(sentence, left - 1) and sentence.is_word(left - 2):
        left = left_of(sentence, left - 1)
    while left < i and (words[left] in cues.join or words[left] in cues.contrast):
        left += 1
    if (first := _first_verb(sentence, left, i, cues)) < i:
        return left, first
    # English has no inversion behind an adverbial.
    leads = _leads(sentence, left, i, cues) and not (cues.bare and sentence.n_words(left, i) > 2)
    is_before = not cues.behind_subject.isdisjoint(words[i + 1 : i + 2])
    if left < i and (is_before or not (leads and cues.determiner and end > i + 1)):
        left = max(left, i - SPEAKER_WORDS)
        finite = sentence.find(cues.finite, left + 1, i)
        if leads and finite == left + 1:
            return finite + 1, i
        return left, finite if finite > left else i
    return _behind_verb(sentence, i + 1, end, cues)


def _before_comma(sentence: Sentence, i: int, cues: Cues) -> tuple[int, int] | None:
    """The subject of a verb behind a comma: "X left, saying …", "X, who …, says"."""
    if sentence.words[i].endswith(_PARTICIPLE):
        clause = left_of(sentence, i - 1)
        if clause and sentence.words[clause] in cues.verbs and clause + 1 < i - 1:
            return clause + 1, i - 1
        return subject_of(sentence, i - 1, cues)
    apposition = _before_aside(sentence, i, cues)
    return subject_of(sentence, i - 1, cues) if apposition is None and cues.bare else apposition


def _leads(sentence: Sentence, left: int, i: int, cues: Cues) -> bool:
    """Whether an adverbial stands before the verb: "in May", "een dag later"."""
    words = sentence.words
    is_first = left < i and (words[left] in cues.preposition or words[left] in cues.time)
    return is_first or (words[i - 1] in cues.time and i - left <= SHORT and not cues.bare)


def _first_verb(sentence: Sentence, left: int, i: int, cues: Cues) -> int:
    """Where the first of two Slavic verbs stands in "X compared …, and found that"; else `i`."""
    if not cues.facts or sentence.find(cues.join, left, i) <= left:
        return i
    first = next((k for k in range(left + 1, i) if is_past(sentence, k, cues)), i)
    return first if sentence.find(cues.join, first, i) > first else i


def _before_aside(sentence: Sentence, i: int, cues: Cues) -> tuple[int, int] | None:
    """The subject in "X, who …, says": before the comma that opens the aside.

    A name in the aside belongs to it: "the deputy, Iryna Salo, says".
    """
    first = max((k + 1 for k in range(i - 1) if sentence.words[k] == ";"), default=0)
    open_ = sentence.find(",", max(first, i - _ASIDE), i - 1)
    while 0 <= open_ < i - 1:
        start = left_of(sentence, open_)
        follows = open_ + 1
        if start < open_ and sentence.words[start] not in cues.no_subject:
            is_name = all(
                sentence.is_word(k) and sentence.is_capital(k) for k in range(follows, i - 1)
            )
            return start, i - 1 if is_name else open_
        open_ = sentence.find(",", follows, i - 1)
    return None


def _behind_verb(sentence: Sentence, start: int, end: int, cues: Cues) -> tuple[int, int] | None:
    """The speaker between the verb and "that"."""
    words = sentence.words
    while start < end and words[start] in cues.time:
        start += 1
    stop = start
    while stop < end and stop < start + SPEAKER_WORDS and sentence.is_word(stop):
        if words[stop] in cues.that or words[stop] in cues.time:
            break
        if stop > start and words[stop] in cues.determiner and sentence.is_capital(stop - 1):
            break
        stop += 1
    return (start, stop) if stop > start else None


def _without_that(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "X said Y had left": no word introduces the content."""
    start = _bare_clause(sentence, i, cues)
    if start is not None:
        yield _after(sentence, i, start, cues, 0.7)


def _about(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Announced (the fact) of": in Slavic news a noun may hold the whole report."""
    if sentence.words[i] not in cues.about_after:
        return
    about = sentence.find(cues.about, i + 1, min(len(sentence), i + _ABOUT_REACH))
    if about >= 0 and sentence.find(frozenset(",;"), i, about) < 0:
        about += sentence.words[about + 1 : about + 2] == ["aan"]
        yield _after(sentence, i, about + 1, cues, 0.5)


def _infinitive(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "Claims to have …", "zegt … te hebben …": the speaker is the subject of the report."""
    if sentence.words[i] not in cues.infinitive_after:
        return
    end = content_end(sentence, i + 1, cues)
    comma = sentence.find(",", i, end)
    particle = particle_after(sentence, i, cues)
    if sentence.words[i] in cues.with_particle_after and particle < 0:
        return
    start = max(i, particle) + 1
    mark = sentence.find(cues.infinitive_mark, start, comma if comma >= 0 else end)
    if mark >= 0 and (not cues.bare or mark == i + 1):
        yield _after(sentence, i, start, cues, 0.6)


def _naming(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "calls X a liar": an evaluation that somebody made, without a clause of its own."""
    words = sentence.words
    before = words[i - 1] if i else ""
    follows = words[i + 1] if i + 1 < len(words) else "."
    is_pointer = (
        follows in cues.that
        and sentence.words[i + 2 : i + 3]
        and (sentence.words[i + 2] in cues.pointing)
    )
    if (
        is_pointer
        or before in cues.first_person
        or before in cues.like
        or before in cues.negation
        or follows in cues.negation
    ):
        return
    if (
        cues.finite
        and not cues.bare
        and not (sentence.is_word(i + 1) and follows not in cues.pronoun)
    ):
        yield from _named_before(sentence, i, cues)
        return
    if not sentence.is_word(i + 1) or not i or follows in cues.object_start:
        return
    is_sure = words[i] not in cues.naming_unsure
    if is_sure or sentence.find(cues.naming_ends, i + 2, min(len(words), i + 7)) >= 0:
        yield _after(sentence, i, i + 1, cues, 0.5)


def _named_before(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in Dutch "X noemt hij een leugenaar" and "… die X een leugenaar noemen"."""
    words = sentence.words
    left = left_of(sentence, i)
    after = i + 1
    if after < len(words) and words[after] in cues.pronoun:
        after += 1
    elif left < i and words[left] in cues.relative:
        left += 1
    else:
        return
    contents = [(left, i), (after, content_end(sentence, after, cues))]
    found = tuple((a, b) for a, b in contents if b > a and sentence.n_words(a, b))
    if found:
        yield Found(found, (i, i + 1), (i + 1, after) if after > i + 1 else None, 0.5)


def _bare_clause(sentence: Sentence, i: int, cues: Cues) -> int | None:
    """Where the clause starts that the verb at `i` reports without "that", if there is one."""
    words = sentence.words
    if words[i] not in cues.bare or i == 0:
        return None
    before = words[i - 1]
    is_subject = sentence.is_capital(i - 1) or before in cues.pronoun
    if words[i] in cues.noun_like and not is_subject and not _singular(sentence, i, cues):
        return None
    start = _skip_addressee(sentence, i + 1, cues) if words[i] in cues.addressed else i + 1
    start = _skip_adverbials(sentence, start, cues)
    end = content_end(sentence, start, cues)
    if not sentence.is_word(start) or words[start] in cues.no_clause:
        return None
    if words[i] not in cues.addressed and not words[i].startswith("sa"):
        comma = sentence.find(",", start, end)
        end = comma if comma >= 0 else end
    is_clause = sentence.n_words(start, end) >= 2 and _has_finite(sentence, start, end, cues)
    return start if is_clause else None


def _singular(sentence: Sentence, i: int, cues: Cues) -> bool:
    """As in "the pilot claims Russia …": a verb behind one person, with a subject of its own."""
    words = sentence.words
    is_one = i > 1 and words[i - 2] in ("the", "a", "an") and not words[i - 1].endswith("s")
    has_subject = sentence.is_word(i + 1) and (
        sentence.is_capital(i + 1) or words[i + 1] in cues.subject_starts
    )
    return is_one and words[i].endswith("s") and has_subject


def _skip_addressee(sentence: Sentence, start: int, cues: Cues) -> int:
    """Behind "told reporters", "told the state agency", "told Radio Selwick"."""
    words = sentence.words
    if start < len(words) and words[start] in cues.determiner:
        return _skip_nouns(sentence, start + 1, cues)
    start += 1
    while sentence.is_word(start) and sentence.is_word(start + 1) and sentence.is_capital(start):
        if not (sentence.is_capital(start - 1) and sentence.is_capital(start + 1)):
            break
        start += 1
    return start


def _skip_nouns(sentence: Sentence, start: int, cues: Cues) -> int:
    """Behind at most three words in lower case that cannot begin a clause."""
    limit = start + 3
    while start < limit and sentence.is_word(start) and not sentence.is_capital(start):
        if sentence.words[start] in cues.noun_stops:
            break
        start += 1
    return start


def _skip_adverbials(sentence: Sentence, start: int, cues: Cues) -> int:
    """Behind "on Friday", "in a statement", "yesterday"."""
    words = sentence.words
    while start < len(words):
        if words[start] in cues.time:
            start += 1
        elif words[start] in cues.skip_after:
            start += 1
            if start < len(words) and words[start] in cues.determiner:
                start = _skip_nouns(sentence, start + 1, cues)
            else:
                start += 1
        else:
            break
    return start


def _has_finite(sentence: Sentence, start: int, end: int, cues: Cues) -> bool:
    """Whether a range looks like a clause and not like an object."""
    for i in range(start + 1, end):
        word = sentence.words[i]
        if word in cues.finite or word in cues.verbs or word.endswith("n't"):
            return True
        if not sentence.is_capital(i) and len(word) > 3 and word.endswith(("ed", "s")):
            return True
    return False
