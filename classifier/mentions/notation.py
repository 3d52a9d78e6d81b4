r"""The notation in which lexicons write inflected forms, and its expansion into plain forms.

`(a|b)` one of these, `[a]` with or without, `<name>` every ending of a paradigm, `|` other forms,
`~` after a word: its endings by the language's own rules, `\` before a sign: the sign itself.
Everything else stands for itself.
A notation names a finite set, so that matching can never run wild.
"""

import unicodedata
from collections.abc import Mapping
from itertools import product

from classifier.errors import CodebookError
from classifier.text import fold

Endings = Mapping[str, tuple[str, ...]]
_CLOSING = {"(": ")", "[": "]"}
_MOST_FORMS = 20_000


def expand(notation: str, paradigms: Endings, inflection: Endings) -> tuple[str, ...]:
    """Every form that a notation stands for, folded; raises `CodebookError` if it is malformed.

    >>> expand("Russisch[e|en]", {}, {})
    ('russische', 'russischen', 'russisch')
    >>> expand("Анкар<a>", {"a": ("а", "ы")}, {})
    ('анкара', 'анкары')
    """
    forms, rest = _alternatives(notation, paradigms)
    if rest:
        raise CodebookError(f"{notation!r} closes a bracket that it did not open, at {rest!r}")
    inflected = (form for raw in forms for form in _inflect(raw, inflection))
    return tuple(dict.fromkeys(fold_form(form) for form in inflected if form))


def fold_form(form: str) -> str:
    """A form as it looks in a match view; dotted and dotless i are one letter here."""
    return fold(unicodedata.normalize("NFC", form), None).replace("ı", "i")


def _alternatives(rest: str, paradigms: Endings) -> tuple[list[str], str]:
    forms: list[str] = []
    while True:
        sequence, rest = _sequence(rest, paradigms)
        forms += sequence
        if not rest.startswith("|"):
            return forms, rest
        rest = rest[1:]


def _sequence(rest: str, paradigms: Endings) -> tuple[list[str], str]:
    forms = [""]
    while rest and rest[0] not in "|)]":
        options, rest = _item(rest, paradigms)
        forms = [form + option for form, option in product(forms, options)]
        if len(forms) > _MOST_FORMS:
            raise CodebookError(f"a notation may stand for {_MOST_FORMS} forms at most; split it")
    return forms, rest


def _item(rest: str, paradigms: Endings) -> tuple[list[str], str]:
    first = rest[0]
    if first in _CLOSING:
        options, after = _alternatives(rest[1:], paradigms)
        if not after.startswith(_CLOSING[first]):
            raise CodebookError(f"{rest!r} opens {first!r} and does not close it")
        return ([*options, ""] if first == "[" and "" not in options else options), after[1:]
    if first == "<":
        name, closed, after = rest[1:].partition(">")
        if not closed or name not in paradigms:
            known = ", ".join(sorted(paradigms))
            raise CodebookError(f"{rest!r} names no paradigm; this language has {known}")
        return list(paradigms[name]), after
    if first == "\\" and len(rest) > 1:
        return [rest[1]], rest[2:]
    return [first], rest[1:]


def _inflect(form: str, inflection: Endings) -> list[str]:
    if not form.endswith("~"):
        return [form]
    word = form[:-1]
    ending = max((e for e in inflection if word.lower().endswith(e)), key=len, default=None)
    if ending is None:
        return [word]
    stem = word[: len(word) - len(ending)]
    return [word, *(stem + other for other in inflection[ending])]
