"""Lexicons: which forms name a target, and which look as if they did. Data, read from TOML.

A lexicon file holds tables `[language.TARGET.kind]` of `entry = "notation"`, and per language
`settings`, `paradigms`, `inflection` and `exclude`. The shipped ones are one file per language;
a codebook's target may bring a file of its own in the same form, or aliases.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from classifier.codebook import Target
from classifier.errors import CodebookError
from classifier.mentions.notation import Endings, expand, fold_form
from classifier.records import LANGUAGES, MentionKind

_KINDS = get_args(MentionKind)
_RESERVED = {"settings", "paradigms", "inflection", "exclude"}
_ENTRY_KEYS = {"forms", "lower", "given", "from", "to", "city", "next"}
_EXCLUSION_KEYS = {"forms", "near", "stop", "capital"}


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
    """Given names that belong to the mention where they precede it."""
    held_from: str | None = None
    """First day in office, ISO 8601; None where the entry is no leader."""
    held_to: str | None = None
    is_city: bool = False
    following: tuple[str, ...] = ()
    """Word beginnings, one of which must follow; () where anything may."""

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

    @property
    def is_conditional(self) -> bool:
        """Whether more than the form decides."""
        return bool(self.near or self.stop or self.capital)


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

    @cached_property
    def roles(self) -> frozenset[str]:
        """Words that make a name before them a field of study: "Rusland-deskundige"."""
        return self._union("roles")

    @cached_property
    def former(self) -> frozenset[str]:
        """Titles that say that the leader after them has left office."""
        return self._union("former")

    def _union(self, setting: str) -> frozenset[str]:
        return frozenset(f for one in self.languages.values() for f in one.setting(setting))


def build_lexicon(targets: Iterable[Target]) -> Lexicon:
    """Entries for these targets; raises `CodebookError` where a lexicon is missing or malformed."""
    shipped = _shipped()
    entries: list[Entry] = []
    own = hashlib.sha256()
    for target in targets:
        tables, section = _tables(target, own)
        found = list(_entries(tables, section, target.name, shipped))
        if target.lexicon and not found:
            raise CodebookError(
                f"target {target.name!r} needs a lexicon, none is {target.lexicon!r}"
            )
        entries += found
        entries += _alias_entries(target, shipped)
        own.update(repr(sorted(target.aliases.items())).encode() if target.aliases else b"")
    is_plain = own.digest() == hashlib.sha256().digest()
    version = LEXICON_VERSION if is_plain else f"{LEXICON_VERSION}+{own.hexdigest()[:8]}"
    return Lexicon(version, shipped, tuple(entries))


def _tables(target: Target, own: "hashlib._Hash") -> tuple[Mapping[str, Any], str]:
    if target.lexicon is None or not target.lexicon.endswith(".toml"):
        return _shipped_tables(), target.lexicon or ""
    path = Path(target.lexicon)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CodebookError(
            f"{path}: target {target.name!r} needs a lexicon there: {error}"
        ) from None
    own.update(content)
    return _parse(content, str(path)), path.stem


def _entries(
    tables: Mapping[str, Any], section: str, target: str, languages: Mapping[str, Language]
) -> Iterator[Entry]:
    for language, table in tables.items():
        if language not in languages:
            raise CodebookError(f"a lexicon knows {', '.join(languages)}; got {language!r}")
        for kind, rows in table.get(section, {}).items():
            if kind not in _KINDS:
                raise CodebookError(
                    f"{language}.{section} has the kinds {', '.join(_KINDS)}; got {kind!r}"
                )
            for name, row in rows.items():
                yield _entry(row, languages[language], target, name, kind)


def _entry(row: object, language: Language, target: str, name: str, kind: MentionKind) -> Entry:
    where = f"{language.name}/{target}/{name}"
    options = _options(row, _ENTRY_KEYS, where)
    return Entry(
        language=language.name,
        target=target,
        name=name,
        kind=kind,
        forms=_forms(options["forms"], language, where),
        lower=options.get("lower"),
        given=frozenset(_forms(options["given"], language, where) if "given" in options else ()),
        held_from=options.get("from"),
        held_to=options.get("to"),
        is_city=bool(options.get("city", False)),
        following=_forms(options["next"], language, where) if "next" in options else (),
    )


def _alias_entries(target: Target, languages: Mapping[str, Language]) -> Iterator[Entry]:
    for code, aliases in target.aliases.items():
        if code not in languages:
            known = ", ".join(languages)
            raise CodebookError(f"target {target.name!r} may have aliases in {known}; got {code!r}")
        for alias in aliases:
            forms = expand(f"{alias}~", {}, languages[code].inflection)
            yield Entry(code, target.name, fold_form(alias), "name", forms)


def _forms(notation: str, language: Language, where: str) -> tuple[str, ...]:
    try:
        return expand(notation, language.paradigms, language.inflection)
    except CodebookError as error:
        raise CodebookError(f"lexicon entry {where}: {error}") from None


def _options(row: object, keys: set[str], where: str) -> Mapping[str, Any]:
    row = {"forms": row} if isinstance(row, str) else row
    if not isinstance(row, dict) or not isinstance(row.get("forms"), str) or set(row) - keys:
        raise CodebookError(
            f"lexicon entry {where} needs forms, and may have {sorted(keys)}; got {row!r}"
        )
    return row


@cache
def _shipped_tables() -> Mapping[str, Any]:
    tables: dict[str, Any] = {}
    for file in _shipped_files():
        tables |= _parse(file.read_bytes(), str(file))
    return tables


@cache
def _shipped() -> Mapping[str, Language]:
    return {name: _language(name, _shipped_tables().get(name, {})) for name in LANGUAGES}


def _language(name: str, table: Mapping[str, Any]) -> Language:
    endings = {
        part: {
            key: tuple("" if ending == "-" else ending for ending in value.split())
            for key, value in table.get(part, {}).items()
        }
        for part in ("paradigms", "inflection")
    }
    bare = Language(name, {}, endings["paradigms"], endings["inflection"])
    settings = {
        key: _forms(value, bare, f"{name}/settings/{key}")
        for key, value in table.get("settings", {}).items()
    }
    exclusions = tuple(
        _exclusion(row, bare, rule)
        for rule, rows in table.get("exclude", {}).items()
        for row in rows
    )
    return Language(name, settings, bare.paradigms, bare.inflection, exclusions)


def _exclusion(row: object, language: Language, rule: str) -> Exclusion:
    where = f"{language.name}/exclude/{rule}"
    options = _options(row, _EXCLUSION_KEYS, where)
    near = _forms(options["near"], language, where) if "near" in options else ()
    forms = _forms(options["forms"], language, where)
    return Exclusion(
        language.name, rule, forms, near, bool(options.get("stop")), bool(options.get("capital"))
    )


def _shipped_files() -> list[Path]:
    return sorted(Path(str(resources.files("classifier") / "lexicons")).glob("*.toml"))


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"{where}: a lexicon must be UTF-8 TOML: {error}") from None


def _version() -> str:
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in _shipped_files()))
    return f"1.0-{digest.hexdigest()[:8]}"


LEXICON_VERSION = _version()
"""Changes with every change of a shipped lexicon."""
