"""Reading lexicons from TOML: the shipped ones, a target's own file, and a codebook's aliases.

A file holds tables `[language.TARGET.kind]` of `entry = "notation"`, and `[language.exclude]`; the
shipped files, one per language, hold the language's `settings`, `paradigms` and `inflection` too.
In a target's own file, TARGET is the file's name without ".toml".
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from classifier.codebook import Target
from classifier.errors import CodebookError
from classifier.mentions.lexicon import Entry, Exclusion, Language, Lexicon
from classifier.mentions.notation import expand, fold_form
from classifier.records import LANGUAGES, MentionKind

_KINDS: tuple[str, ...] = get_args(MentionKind)
_ENTRY_KEYS = {"forms", "lower", "given", "from", "to", "city", "next", "half", "surname", "solid"}
_EXCLUSION_KEYS = {"forms", "near", "stop", "capital", "upper", "title", "initial"}
_Tables = Mapping[str, Mapping[str, Any]]


def build_lexicon(targets: Iterable[Target]) -> Lexicon:
    """Entries for these targets; raises `CodebookError` where a lexicon is missing or malformed."""
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
            entries += found
            if content:
                exclusions += _exclusions(tables)
                own += content
        entries += _alias_entries(target)
        own += repr(sorted(target.aliases.items())).encode() if target.aliases else b""
    return Lexicon(_version(own), languages, tuple(entries), tuple(exclusions))


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
            f"{path}: target {target.name!r} needs a lexicon there: {error}"
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
        raise CodebookError(f"lexicon entry {where}: {error}") from None


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
    return sorted(Path(str(resources.files("classifier") / "lexicons")).glob("*.toml"))


def _parse(content: bytes, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"{where}: a lexicon must be UTF-8 TOML: {error}") from None


def _version(own: bytes) -> str:
    return f"{LEXICON_VERSION}+{_digest(own)}" if own else LEXICON_VERSION


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


LEXICON_VERSION = "1.0-" + _digest(b"".join(file.read_bytes() for file in _shipped_files()))
"""Changes with every change of a shipped lexicon; a codebook's own names add to it."""
