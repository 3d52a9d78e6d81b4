"""Reports by phrases that take no clause: "according to X", "…, says X", hearsay, "X: …"."""

import re
from collections.abc import Iterator, Sequence

from classifier.mentions.voice._cues import Cues, phrases, read_shared
from classifier.mentions.voice._sentence import (
    QUOTE,
    SHORT,
    SPEAKER_WORDS,
    Found,
    Sentence,
    clause_start,
    content_end,
    is_short_quote,
    left_of,
    phrase_around,
    sentence_end,
)

_LONGEST_SPEAKER = 25
_HEADLINE_SPEAKER = 5
_FEWEST_WORDS = 3
_HEADLINE_TAIL = 3
_MANNER_REACH = 18
_ADVERBS = frozenset(
    ["niet", "juist", "met", "het", "dat", "wat", "een", "ondanks", "tegen", "eerst"]
)
_SHORTEST_ABSTRACT = 6
_SHORT_TOPIC = 4
_LONG_ENDING = 4
_LOOK_THROUGH = 20_000


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
        holder = _holder(sentence, start, end, stop)
        yield Found(contents, (start, end), holder, 0.9, "phrase that names a source")


def _holder(sentence: Sentence, start: int, end: int, stop: int) -> tuple[int, int] | None:
    """Whose view it is: the name behind the phrase, or the "his" in it."""
    place = sentence.find(read_shared().possessives, start, end)
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
    right = content_end(sentence, stop, cues, is_view=True)
    if right + 1 < len(sentence) and _goes_on(sentence, right + 1, cues):
        right = content_end(sentence, right + 2, cues)
    if sentence.n_words(stop, right) or sentence.find(QUOTE, stop, right) >= 0:
        yield stop, right


def _goes_on(sentence: Sentence, i: int, cues: Cues) -> bool:
    """As in Dutch "…, maar vaart X door": a verb behind "but" goes on with the report."""
    words = sentence.words
    if cues.bare or not cues.determiner or words[i] not in cues.contrast or i + 2 >= len(words):
        return False
    verb, subject = words[i + 1], i + 2
    is_verb = verb in cues.finite or (
        verb.endswith(("t", "de", "den", "en")) and verb not in _ADVERBS
    )
    is_subject = words[subject] in cues.subject_starts or sentence.is_capital(subject)
    return is_verb and not sentence.is_capital(i + 1) and is_subject


def _speaker_end(sentence: Sentence, start: int, cues: Cues) -> int:
    """Where the name of the source ends: at a comma, in Dutch before the verb."""
    end = min(sentence_end(sentence, start), start + _LONGEST_SPEAKER)
    comma = start - 1
    while comma < start or is_short_quote(sentence, comma):
        comma = sentence.find(frozenset({",", QUOTE, "—", "–", ":"}), comma + 1, end)
        if comma < 0:
            break
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
    verb = sentence.find(cues.finite, start + 1, end)
    end = verb if verb > 0 else end
    is_pronoun = start + 1 < end and sentence.words[start] in cues.pronoun
    if is_pronoun and sentence.words[start + 1] in cues.pronoun_ends:
        return start + 1
    for i in range(start, end):
        word = sentence.words[i]
        is_behind_name = has_noun and sentence.is_capital(i - 1)
        if is_behind_name and (word.isdigit() or word in cues.determiner):
            return i
        if word in cues.determiner or word in cues.preposition:
            has_noun = False
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
    left = clause_start(sentence, start, cues.before_hearsay)
    if start and sentence.words[start - 1] in cues.join:
        left = start
    right = content_end(sentence, end, cues, cues.behind_hearsay)
    return Found(((left, start), (end, right)), (start, end), None, confidence, "hearsay")


def _would(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """Dutch "zou … hebben": hearsay, unless a condition or another modal verb explains it."""
    end = content_end(sentence, i, cues)
    start = clause_start(sentence, i, cues.clause_openers)
    is_conditional = sentence.find(cues.conditional, start, end) >= 0
    if i and not is_conditional and sentence.find(cues.would_modals, i + 1, end) < 0:
        yield _hearsay(sentence, i, i + 1, cues, 0.6)


def colon_manner(sentence: Sentence, cues: Cues) -> Found | None:
    """As in "X puts it bluntly: …": how somebody says what follows the colon."""
    words, colon = sentence.words, sentence.find(":", 2, _MANNER_REACH)
    if colon < 0:
        return None
    end = sentence_end(sentence, colon)
    if sentence.n_words(colon, end) < _FEWEST_WORDS:
        return None
    for i in range(1, colon):
        rest = " ".join(words[i:colon])
        if rest.startswith(cues.manners):
            left = left_of(sentence, i)
            if left and words[left - 1] == "," and sentence.n_words(0, left) > 1:
                comma = sentence.find(",", 0, left)
                left, i = 0, comma
            speaker = (left, i) if left < i else None
            return Found(((colon + 1, end),), (i, colon + 1), speaker, 0.5, "manner and colon")
    return None


def headline_speaker(sentence: Sentence, cues: Cues, *, is_headline: bool) -> Found | None:
    """As in "X: …", where X is a name or a word for a speaker; a label may stand before it."""
    words, first = sentence.words, 0
    while is_headline and first < SHORT and not words[first][:1].isalpha():
        first += 1
    colon = sentence.find(":", first + 1, first + _HEADLINE_SPEAKER + 1)
    labels = cues.labels
    if is_headline and colon == 1 and words[0] in labels:
        first, colon = colon + 1, sentence.find(":", colon + 1, colon + 2 + _HEADLINE_SPEAKER)
    if colon <= first or not all(sentence.is_word(i) for i in range(first, colon)):
        return None
    if is_headline and colon - first > 1 and words[first] in labels:
        first += 1
    if words[first] in cues.label or not cues.verbs.isdisjoint(words[first:colon]):
        return None
    if words[colon - 1] in read_shared().statements and "'" in words[first] and is_headline:
        is_speaker, name = True, (first, colon - 1)
    else:
        is_speaker, name = _is_speaker(sentence, first, colon, cues, is_headline), (first, colon)
    end = sentence_end(sentence, colon)
    is_short = sentence.n_words(colon, end) < _FEWEST_WORDS
    if not is_speaker or is_short or words[colon + 1] == QUOTE:
        return None
    return Found(((colon + 1, end),), (colon, colon + 1), name, 0.5, "name before a colon")


def _is_speaker(sentence: Sentence, first: int, colon: int, cues: Cues, is_headline: bool) -> bool:
    """Whether what stands before a colon names somebody, and not a place or a matter.

    A name has capitals, is no known place or matter, and stands nowhere in the text in lower case.
    """
    words = sentence.words
    if words[colon - 1] in cues.speakers or words[first] in cues.speakers:
        return True
    # The first word of a sentence is a capital one anyway; in a headline a name is what it is.
    is_long = colon - first > 1 or is_headline
    if not is_long or not all(sentence.is_capital(i) for i in range(first, colon)):
        return False
    names = words[first:colon]
    if not read_shared().places.isdisjoint(names) or not cues.topic_after.isdisjoint(
        words[colon + 1 : colon + 2]
    ):
        return False
    return not any(_is_matter(word, sentence.text, cues) for word in names)


def _is_form(word: str, topic: str) -> bool:
    """Whether a word ends with that of a matter, or starts with it and has an ending behind it."""
    n_more = len(word) - len(topic)
    if word.startswith(topic) and n_more <= (_LONG_ENDING if len(topic) > _SHORT_TOPIC else 2):
        return len(topic) >= _SHORT_TOPIC
    return len(topic) >= _SHORT_TOPIC and word.endswith(topic)


def _is_matter(word: str, text: str, cues: Cues) -> bool:
    """Whether a word before a colon says what a headline is about."""
    topics = cues.topics
    if word in cues.determiner or word in topics or word.isdigit():
        return True
    if any(_is_form(word, topic) for topic in topics):
        return True
    if word.endswith(tuple(read_shared().abstract)) and len(word) > _SHORTEST_ABSTRACT:
        return True
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text[:_LOOK_THROUGH]) is not None


def headline_tail(sentence: Sentence, cues: Cues) -> Found | None:
    """As in the headlines "…, – X" and "… — X": the name of the speaker ends the line."""
    words, end = sentence.words, len(sentence)
    for dash in range(end - 2, max(_FEWEST_WORDS - 1, end - 2 - _HEADLINE_TAIL), -1):
        if words[dash] in "—–-":
            first = dash + 1 + (words[dash + 1] in cues.speakers and dash + 2 < end)
            is_name = all(sentence.is_word(i) and sentence.is_capital(i) for i in range(first, end))
            is_plain = (
                words[dash + 1] not in read_shared().places and words[dash + 1] not in cues.label
            )
            if is_name and is_plain and not _is_matter(words[first], sentence.text, cues):
                return Found(
                    ((0, dash),), (dash, dash + 1), (dash + 1, end), 0.5, "name behind a dash"
                )
            return None
    return None


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
        contents.append((stop, content_end(sentence, stop + 1, cues)))
    if contents:
        yield Found(tuple(contents), (i, i + 1), (left + 1, stop), 0.8)


def postposed(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "…, says X"; goes on after the speaker where little stood before."""
    words = sentence.words
    k = i - 1
    while k >= 0 and (words[k] in cues.like or words[k] in "—–-"):
        k -= 1
    if k < i - 1 and words[k + 1] in "—–-" and sentence.n_words(0, k + 1) >= SHORT:
        k += 1
    if k < 1 or words[k] not in {",", QUOTE, "?", "!", "…", "—", "–", "-"}:
        return
    end = sentence_end(sentence, i)
    comma = sentence.find(",", i, end)
    stop = comma if comma >= 0 else end
    follows = words[i + 1] if i + 1 < len(words) else "."
    if cues.bare and words[i].endswith("ing") and follows == QUOTE:
        return
    if follows in cues.object_start or follows in cues.about or words[i] in cues.addressed:
        return
    is_last = follows in ",.;" or follows in cues.speaker_stop
    if cues.bare and is_last and k == i - 1 and _before_apposition(sentence, i, cues) < i:
        return
    if any(
        word in cues.negation or (cues.bare and word in cues.finite) for word in words[i + 1 : stop]
    ):
        return
    particle = particle_after(sentence, i, cues)
    yield from _around(sentence, i, k, stop, (i + 1, particle if particle > i else stop), cues)


def subject_postposed(sentence: Sentence, i: int, cues: Cues) -> Iterator[Found]:
    """As in "…, X says". English only: elsewhere the verb comes first there."""
    words = sentence.words
    left = left_of(sentence, i)
    if left == i:
        left = _before_apposition(sentence, i, cues)
    k = left - 1
    follows = words[i + 1] if i + 1 < len(words) else "."
    ends = follows in ",.;" or follows in cues.skip_after | cues.time | cues.speaker_stop
    if (
        not cues.bare
        or not (1 <= i - left <= SPEAKER_WORDS)
        or k < 1
        or words[k] not in {",", QUOTE, "—", "–", "-"}
    ):
        return
    if words[left] in cues.no_speaker:
        return
    if not cues.finite.isdisjoint(words[left:i]):
        return
    is_name = sentence.is_capital(i - 1) or words[i - 1] in cues.pronoun
    if words[i] in cues.noun_like and not is_name:
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
    contents = ((start, left - 1), (close + 1, content_end(sentence, close + 1, cues)))
    yield Found(contents, (i, i + 1), (left, i), 0.7)


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
    start += words[start] in cues.that and words[start] not in cues.weak_that
    n_before = sentence.n_words(start, k)
    if n_before:
        contents.append((start, k))
    following = words[stop + 1] if stop + 1 < len(words) else "."
    goes_on = stop + 2 < len(words) and words[stop] == "," and following not in cues.relative
    if goes_on and n_before and (n_before <= SHORT or following in cues.join):
        contents.append((stop + 1, content_end(sentence, stop + 1, cues)))
    if contents:
        yield Found(tuple(contents), (i, i + 1), speaker, 0.8)


def particle_after(sentence: Sentence, i: int, cues: Cues) -> int:
    """Place of the particle in "laat X weten", -1 where the verb has none."""
    if sentence.words[i] not in cues.with_particle_after:
        return -1
    return sentence.find(cues.particle_after, i + 1, min(sentence_end(sentence, i), i + 12))
