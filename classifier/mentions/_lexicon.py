"""Lexicons of names: their notation, their entries, and how they are read from TOML."""

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any, get_args

from classifier.codebook import Target
from classifier.errors import CodebookError, in_words
from classifier.records import LANGUAGES, OPTIONAL_KINDS, MentionKind
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


@dataclass(frozen=True, slots=True)
class Entry:
    """Forms that name a target, and what else must hold where one stands."""

    language: str
    target: str
    name: str
    kind: MentionKind
    forms: tuple[str, ...]
    lower: str | None = None
    """Rule by which the form is no mention without a capital; None where it is one all the same."""
    given: frozenset[str] = frozenset()
    """Given names and initials that belong to the mention where they precede it."""
    held_from: str | None = None
    """First day in office, ISO 8601; None where the entry is no leader."""
    held_to: str | None = None
    is_city: bool = False
    following: tuple[str, ...] = ()
    """Word beginnings, one of which must follow; () where anything may."""
    is_half: bool = False
    """Whether it is a mention only as the first half of a compound: "Russo-Turkish"."""
    is_surname: bool = False
    """Whether people are called so: then a capitalised word before it is their given name."""
    is_solid: bool = False
    """Whether it heads solid words, although its kind does not in this language."""
    is_capitals: bool = False
    """Whether it is a mention only in capitals, beside words that are not."""

    @property
    def path(self) -> str:
        """Where a reader finds it: "language/target/entry"."""
        return f"{self.language}/{self.target}/{self.name}"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Forms that contain a name of a target and do not name it."""

    language: str
    rule: str
    forms: tuple[str, ...]
    near: tuple[str, ...] = ()
    """Word beginnings, one of which must stand close by for the rule to hold; () for always."""
    stop: bool = False
    """Only where no further word follows that it could describe."""
    capital: bool = False
    """Only with a capital that neither a sentence start nor capitals throughout explain."""
    upper: bool = False
    """Only with a capital, explained or not."""
    title: bool = False
    """Only with a capital on every word of three letters or more."""
    initial: bool = False
    """Only at the start of a sentence."""

    @property
    def is_conditional(self) -> bool:
        """Whether more than the form decides."""
        conditions = (self.near, self.stop, self.capital, self.upper, self.title, self.initial)
        return any(conditions)


@dataclass(frozen=True)
class Language:
    """What all targets share in one language."""

    name: str
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paradigms: Endings = field(default_factory=dict)
    inflection: Endings = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()

    def setting(self, name: str) -> tuple[str, ...]:
        """The folded forms of a setting; () where the language does without."""
        return self.settings.get(name, ())


@dataclass(frozen=True)
class Lexicon:
    """Everything a matcher needs, for the targets of one codebook."""

    version: str
    languages: Mapping[str, Language]
    entries: tuple[Entry, ...]
    exclusions: tuple[Exclusion, ...]

    def has(self, setting: str, entry: Entry) -> bool:
        """Whether a language lists an entry's kind under a setting."""
        return entry.kind in self.languages[entry.language].setting(setting)

    @cached_property
    def roles(self) -> frozenset[str]:
        """Words that make a name before them a field of study: "Rusland-deskundige"."""
        return self._union("roles")

    @cached_property
    def former(self) -> frozenset[str]:
        """Titles that say that the leader after them has left office."""
        return self._union("former")

    @cached_property
    def between(self) -> frozenset[str]:
        """What may stand between the names of two languages: "in Turkish and Russian"."""
        return self._union("between")

    @cached_property
    def no_noun(self) -> re.Pattern[str]:
        """What follows a word that describes no noun: a clause end, a function word, a list."""
        word = r" [^\W\d_]{1,40}"
        between, closed = (_any_of(self._union(name)) for name in ("between", "closed"))
        listed = rf",(?!{word}(?:,{word}){{0,5}},? {between}{word} [^\W\d_])"
        end = rf" *(?:$|[^\w («“„\"',-]|{listed})"
        return re.compile(rf"{end}|(?:,? {between}{word}){{1,2}}{end}| {closed}(?!\w)")

    def _union(self, setting: str) -> frozenset[str]:
        return frozenset(f for one in self.languages.values() for f in one.setting(setting))


def _any_of(forms: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(form) for form in sorted(forms, key=len, reverse=True))})"


_KINDS: tuple[str, ...] = get_args(MentionKind)
_ENTRY_KEYS = {"forms", "lower", "given", "from", "to", "city", "next"}
_ENTRY_KEYS |= {"half", "surname", "solid", "capitals"}
_EXCLUSION_KEYS = {"forms", "near", "stop", "capital", "upper", "title", "initial"}
_Tables = Mapping[str, Mapping[str, Any]]


def build_lexicon(targets: Iterable[Target], kinds: Iterable[MentionKind] = ()) -> Lexicon:
    """Entries for these targets; raises `CodebookError` where a lexicon is missing or malformed.

    Of the optional kinds only `kinds` are in it. The historical one is always there: whether it
    counts can differ from article to article.
    """
    left_out = set(OPTIONAL_KINDS) - {"historical", *kinds}
    languages = _languages()
    entries: list[Entry] = []
    exclusions = [e for language in languages.values() for e in language.exclusions]
    own = b""
    for target in targets:
        if target.lexicon:
            tables, section, content = _tables(target)
            found = list(_entries(tables, section, target.name))
            if not found:
                raise CodebookError(
                    f"target {target.name!r} needs entries; lexicon {target.lexicon!r} has none"
                )
            entries += (entry for entry in found if entry.kind not in left_out)
            if content:
                exclusions += _exclusions(tables)
                own += content
        entries += _alias_entries(target)
        own += repr(sorted(target.aliases.items())).encode() if target.aliases else b""
    version = f"{LEXICON_VERSION}+{_digest(own)}" if own else LEXICON_VERSION
    return Lexicon(version, languages, tuple(entries), tuple(exclusions))


def _tables(target: Target) -> tuple[_Tables, str, bytes]:
    """The tables that hold a target's lexicon, its section there, and the file if it is its own."""
    name = target.lexicon or ""
    if not name.endswith(".toml"):
        return _shipped(), name, b""
    path = Path(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CodebookError(
            f"{path}: target {target.name!r} needs a lexicon there: {in_words(error)}"
        ) from None
    return _parse(content, str(path)), path.stem, content


def _entries(tables: _Tables, section: str, target: str) -> Iterator[Entry]:
    for code, table in tables.items():
        language = _language(code)
        for kind, rows in table.get(section, {}).items():
            if kind not in _KINDS:
                known = ", ".join(_KINDS)
                raise CodebookError(f"{code}.{section} has the kinds {known}; got {kind!r}")
            for name, row in rows.items():
                yield _entry(row, language, target, name, kind)


def _entry(row: object, language: Language, target: str, name: str, kind: MentionKind) -> Entry:
    where = f"{language.name}/{target}/{name}"
    options = _options(row, _ENTRY_KEYS, where)
    return Entry(
        language=language.name,
        target=target,
        name=name,
        kind=kind,
        forms=_forms(options, "forms", language, where),
        lower=options.get("lower"),
        given=frozenset(_forms(options, "given", language, where)),
        held_from=options.get("from"),
        held_to=options.get("to"),
        is_city=bool(options.get("city", False)),
        following=_forms(options, "next", language, where),
        is_half=bool(options.get("half", False)),
        is_surname=bool(options.get("surname", False)),
        is_solid=bool(options.get("solid", False)),
        is_capitals=bool(options.get("capitals", False)),
    )


def _alias_entries(target: Target) -> Iterator[Entry]:
    """Entries for aliases; one that is written with a capital matches with a capital only."""
    for code, aliases in target.aliases.items():
        language = _language(code)
        for alias in aliases:
            is_proper = alias[0].isupper()
            yield Entry(
                language=code,
                target=target.name,
                name=fold_form(alias),
                kind="name" if is_proper else "demonym",
                forms=_forms({"forms": f"{alias}~"}, "forms", language, f"{target.name}/{alias}"),
                lower="lower case" if is_proper else None,
            )


def _exclusions(tables: _Tables) -> Iterator[Exclusion]:
    for code, table in tables.items():
        language = _language(code)
        for rule, rows in table.get("exclude", {}).items():
            for row in rows:
                yield _exclusion(row, language, rule)


def _exclusion(row: object, language: Language, rule: str) -> Exclusion:
    where = f"{language.name}/exclude/{rule}"
    options = _options(row, _EXCLUSION_KEYS, where)
    return Exclusion(
        language=language.name,
        rule=rule,
        forms=_forms(options, "forms", language, where),
        near=_forms(options, "near", language, where),
        stop=bool(options.get("stop", False)),
        capital=bool(options.get("capital", False)),
        upper=bool(options.get("upper", False)),
        title=bool(options.get("title", False)),
        initial=bool(options.get("initial", False)),
    )


def _options(row: object, keys: set[str], where: str) -> Mapping[str, Any]:
    options = {"forms": row} if isinstance(row, str) else row
    if isinstance(options, dict) and isinstance(options.get("forms"), str):
        unknown = sorted(set(options) - keys)
        if not unknown:
            return options
    raise CodebookError(
        f"lexicon entry {where} needs forms and takes {', '.join(sorted(keys))}; got {row!r}"
    )


def _forms(options: Mapping[str, Any], key: str, language: Language, where: str) -> tuple[str, ...]:
    if key not in options:
        return ()
    try:
        return expand(options[key], language.paradigms, language.inflection)
    except CodebookError as error:
        raise CodebookError(f"lexicon entry {where}: {in_words(error)}") from None


def _language(code: str) -> Language:
    languages = _languages()
    if code not in languages:
        raise CodebookError(f"a lexicon may be in {', '.join(languages)}; got {code!r}")
    return languages[code]


@cache
def _languages() -> Mapping[str, Language]:
    return {code: _read_language(code, _shipped().get(code, {})) for code in LANGUAGES}


def _read_language(code: str, table: Mapping[str, Any]) -> Language:
    bare = Language(
        name=code,
        paradigms=_endings(table.get("paradigms", {})),
        inflection=_endings(table.get("inflection", {})),
    )
    settings = table.get("settings", {})
    return Language(
        name=code,
        settings={key: _forms(settings, key, bare, f"{code}/settings/{key}") for key in settings},
        paradigms=bare.paradigms,
        inflection=bare.inflection,
        exclusions=tuple(
            _exclusion(row, bare, rule)
            for rule, rows in table.get("exclude", {}).items()
            for row in rows
        ),
    )


def _endings(table: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {
        key: tuple("" if ending == "-" else ending for ending in value.split())
        for key, value in table.items()
    }


@cache
def _shipped() -> _Tables:
    tables: dict[str, Any] = {}
    for file in _shipped_files():
        tables |= _parse(file.read_bytes(), str(file))
    return tables


def _shipped_files() -> list[Path]:
    return sorted(Path(str(resources.files("classifier.mentions") / "lexicons")).glob("*.toml"))


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"{where}: a lexicon must be UTF-8 TOML: {in_words(error)}") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


LEXICON_VERSION = "1.0-" + _digest(b"".join(file.read_bytes() for file in _shipped_files()))
"""Changes with every change of a shipped lexicon; a codebook's own names add to it."""
