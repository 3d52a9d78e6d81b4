"""Where a clause starts that an English verb of saying reports without "that"."""

from classifier.mentions.voice._clauses import Sentence, content_end
from classifier.mentions.voice._cues import Cues


def bare_clause(sentence: Sentence, i: int, cues: Cues) -> int | None:
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
    end = content_end(sentence, start, cues.contrast)
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
        sentence.is_capital(i + 1) or words[i + 1] in cues.determiner | cues.pronoun
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
