"""Which of the five languages a text is in. Offline, by `py3langid`, in two stages.

Asked only about our five languages, the identifier is certain that German is Dutch and that
Azerbaijani is Turkish. So a document is held against all languages first, and only stretches of an
accepted document are decided among the five.
"""

import re
from copy import copy
from functools import cache, lru_cache

from py3langid.langid import LanguageIdentifier

from classifier.records import LANGUAGES, UNDETERMINED

MIN_LETTERS = 25
"""Stretches with fewer letters take over the language around them."""
_FEWEST_LETTERS = 8
_LONG_LETTERS = 200
_FOREIGN_LETTERS = 100
# Of 2,000 sentences of 40 characters in our languages about 5 % fell below this share of the
# winner's probability, and of 13 sentences in neighbouring languages none reached it.
_NEAR_WINNER = 0.2
# An inherited language is given up only for a clear winner: names are foreign in any language.
_SURE = 0.8
_SAMPLE = 2_000
_STRETCH_SAMPLE = 200
_FIRST_WORDS = 24
_FEWEST_KNOWN = 3
# Small change that no two of the languages share.
_SMALL_WORDS = {
    language: frozenset(words.split())
    for language, words in (
        (
            "nl",
            "de het een en van dat niet ook voor aan zijn heeft met naar om te die er wordt "
            "werd door maar nog over hij zij ze bij uit tot dan wat deze dit geen hebben",
        ),
        (
            "en",
            "the and of to that it for on with as have has his by from at not an this will "
            "be are which their but they said were its he she who been would could after",
        ),
        (
            "tr",
            "ve bir bu da için ile olarak çok daha gibi kadar sonra ama olan ise değil "
            "iki göre ki her yeni dedi oldu var ancak artık bile bütün onun",
        ),
        (
            "ru",
            "и что как это из его от был к во но также или уже ещё еще чтобы со при она они "
            "было только если когда который после их он были этого",
        ),
        (
            "uk",
            "і й та що з до як це його від є був або щоб ще вже із зі також він вона вони "
            "було всі тільки якщо коли який після їх були цього про під",
        ),
    )
}
# Words of Bulgarian and of Afrikaans that Russian and Dutch lack, and letters that only ours have.
_NEIGHBOURS: dict[str, tuple[frozenset[str], str]] = {
    "ru": (
        frozenset(
            [
                *("русия", "украйна", "че", "са", "ще", "беше", "бяха", "няма", "съм", "сме"),
                *("които", "която", "което", "тази", "този"),
            ]
        ),
        "ыэё",
    ),
    "nl": (
        frozenset(["nie", "sê", "vir", "hulle", "gister", "hawe", "skepe", "hierdie", "gesê"]),
        "ĳ",
    ),
}
# Headlines of three names are short of small change.
_UNSURE, _SURE_NAMED = 0.3, 0.7
_COUNTRY_NAMES = {
    "nl": frozenset(["rusland", "oekraïne", "turkije", "russische", "oekraïense", "turkse"]),
    "en": frozenset(["russia", "turkey", "russian", "ukrainian", "turkish", "moscow"]),
    "tr": frozenset(["rusya", "ukrayna", "türkiye", "rus", "türk"]),
    "ru": frozenset(["россия", "украина", "турция", "россии", "украины", "турции"]),
    "uk": frozenset(["росія", "україна", "туреччина", "росії", "україни", "туреччини"]),
}
_NOT_PROSE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[@#]\w+|pic\.twitter\.com\S*")
_NOT_PROSE_SIGNS = ("://", "www.", "@", "#", "pic.")
"""One of them stands in whatever `_NOT_PROSE` finds; most texts have none."""
_WORDS = re.compile(r"[^\W\d_]+")


def document_language(text: str) -> str:
    """One of `LANGUAGES`, or `UNDETERMINED` for a sixth language and for too few letters.

    >>> document_language("Moskou brak volgens de minister elke belofte aan Kiev.")
    'nl'
    >>> document_language("17u44")
    'und'
    """
    # The identifier learnt from sentences: it takes words in capitals for names.
    sample = _sample(text.lower() if text.isupper() else text)
    n_letters = sum(map(len, _WORDS.findall(sample)))
    if n_letters < _FEWEST_LETTERS:
        return UNDETERMINED
    ranked = _identifier(closed=False).rank(sample)
    winner, top = ranked[0]
    if n_letters < _LONG_LETTERS and _is_neighbour(winner, sample):
        return UNDETERMINED
    if winner in LANGUAGES or n_letters >= _LONG_LETTERS:
        return winner if winner in LANGUAGES else UNDETERMINED
    named = _named(sample) if top < _UNSURE else None
    if named:
        return named
    best, probability = next(pair for pair in ranked if pair[0] in LANGUAGES)
    if _is_neighbour(best, sample):
        return UNDETERMINED
    return best if probability >= _NEAR_WINNER * top else UNDETERMINED


def _named(sample: str) -> str | None:
    """The language of a headline no language is likely for, told by its names of countries."""
    words = set(_WORDS.findall(sample.lower()))
    winner, probability = _identifier(closed=True).classify(sample)
    is_sure = probability >= _SURE_NAMED and bool(words & _COUNTRY_NAMES[str(winner)])
    return str(winner) if is_sure else None


def _is_neighbour(language: str, sample: str) -> bool:
    """Whether a short text has a word of Bulgarian or Afrikaans and no mark of our language."""
    words = set(_WORDS.findall(sample.lower()))
    foreign, own = _NEIGHBOURS.get(language, (frozenset(), ""))
    return bool(words & foreign) and not any(letter in sample.lower() for letter in own)


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
    sample = _prose(text[:_STRETCH_SAMPLE])
    words = _WORDS.findall(sample)
    if sum(map(len, words)) < MIN_LETTERS or _reads_like(inherit, words):
        return inherit
    winner, probability = _identifier(closed=True).classify(sample)
    return str(winner) if probability >= _SURE else inherit


@lru_cache(maxsize=64)
def is_foreign(text: str, around: str) -> bool:
    """Whether a stretch of a text in the language `around` is in a sixth language.

    Shorter stretches are never said to be. The mentions of a paragraph ask the same one after
    another, so the last answers are kept.

    >>> is_foreign("Die Regierung wies am Montag alle Vorwürfe zurück und sprach von einer "
    ...            "Kampagne, die sich gegen das ganze Land richte und der niemand glauben solle.",
    ...            "nl")
    True
    """
    words = _WORDS.findall(text)
    if sum(map(len, words)) < _FOREIGN_LETTERS or _reads_like(around, words):
        return False
    return document_language(text) == UNDETERMINED


def _reads_like(language: str, words: list[str]) -> bool:
    """Whether a sixth of the words are the small change of a language: a quick way to say yes."""
    first = words[:_FIRST_WORDS]
    n_known = sum(word in _SMALL_WORDS[language] for word in first)
    return n_known >= _FEWEST_KNOWN and 6 * n_known >= len(first)


def _sample(text: str) -> str:
    """The beginning and the middle without addresses and handles; the end is often boilerplate."""
    middle = len(text) // 2
    stretches = [text] if len(text) <= 2 * _SAMPLE else [text[:_SAMPLE], text[middle:][:_SAMPLE]]
    return _prose("\n".join(stretches))


def _prose(text: str) -> str:
    """The text with a space for every address, handle and hashtag."""
    has_sign = any(sign in text for sign in _NOT_PROSE_SIGNS)
    return _NOT_PROSE.sub(" ", text) if has_sign else text


@cache
def _identifier(*, closed: bool) -> LanguageIdentifier:
    if not closed:
        return LanguageIdentifier.from_model_file("data/model.npz.xz", norm_probs=True)
    # Reading the model takes half a second; a copy shares its tables.
    identifier = copy(_identifier(closed=False))
    identifier.set_languages(LANGUAGES)
    return identifier
