"""Which of the five languages a text is in. Offline, by `py3langid`, in two stages.

Asked only about our five languages, the identifier is certain that German is Dutch and that
Azerbaijani is Turkish. So a document is held against all languages first, and only stretches of an
accepted document are decided among the five.
"""

import re
from functools import cache

from py3langid.langid import LanguageIdentifier

from classifier.records import LANGUAGES, UNDETERMINED

MIN_LETTERS = 25
"""Stretches with fewer letters take over the language around them."""
_FEWEST_LETTERS = 8
_LONG_LETTERS = 200
# Of 2,000 sentences of 40 characters in our languages about 5 % fell below this share of the
# winner's probability, and of 13 sentences in neighbouring languages none reached it.
_NEAR_WINNER = 0.2
# An inherited language is given up only for a clear winner: names are foreign in any language.
_SURE = 0.8
_SAMPLE = 2_000
_NOT_PROSE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+|pic\.twitter\.com\S*")
_WORDS = re.compile(r"[^\W\d_]+")


def document_language(text: str) -> str:
    """One of `LANGUAGES`, or `UNDETERMINED` for a sixth language and for too few letters.

    >>> document_language("Moskou brak volgens de minister elke belofte aan Kiev.")
    'nl'
    >>> document_language("17u44")
    'und'
    """
    sample = _sample(text)
    n_letters = _count_letters(sample)
    if n_letters < _FEWEST_LETTERS:
        return UNDETERMINED
    ranked = _identifier(closed=False).rank(sample)
    winner, top = ranked[0]
    if winner in LANGUAGES or n_letters >= _LONG_LETTERS:
        return winner if winner in LANGUAGES else UNDETERMINED
    best, probability = next(pair for pair in ranked if pair[0] in LANGUAGES)
    return best if probability >= _NEAR_WINNER * top else UNDETERMINED


def stretch_language(text: str, inherit: str) -> str:
    """The language of a paragraph or a quotation inside a text whose language is `inherit`.

    Short stretches, and every stretch of an undetermined document, inherit.

    >>> stretch_language("The ambassador said that nothing had been decided yet.", "nl")
    'en'
    >>> stretch_language("Kiev", "nl")
    'nl'
    """
    if inherit not in LANGUAGES:
        return inherit
    sample = _NOT_PROSE.sub(" ", text[:_SAMPLE])
    if _count_letters(sample) < MIN_LETTERS:
        return inherit
    winner, probability = _identifier(closed=True).classify(sample)
    return str(winner) if probability >= _SURE else inherit


def _sample(text: str) -> str:
    """The beginning and the middle without addresses and handles; the end is often boilerplate."""
    middle = len(text) // 2
    stretches = [text] if len(text) <= 2 * _SAMPLE else [text[:_SAMPLE], text[middle:][:_SAMPLE]]
    return _NOT_PROSE.sub(" ", "\n".join(stretches))


def _count_letters(text: str) -> int:
    return sum(map(len, _WORDS.findall(text)))


@cache
def _identifier(*, closed: bool) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file("data/model.npz.xz", norm_probs=True)
    if closed:
        identifier.set_languages(LANGUAGES)
    return identifier
