"""Checks on tables that were read from TOML; each raises `CodebookError` naming where it is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from classifier.errors import CodebookError


def only_keys(entry: Mapping[str, Any], allowed: set[str], where: str) -> None:
    """Refuse keys that mean nothing there."""
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise CodebookError(f"{where} allows the keys {', '.join(sorted(allowed))}; got {unknown}")


def table_of(
    entry: Mapping[str, Any], key: str, where: str, *, required: bool = True
) -> Mapping[str, Any]:
    """A sub-table; empty where it may be left out and is."""
    value = entry.get(key, None if required else {})
    if not isinstance(value, Mapping):
        raise CodebookError(f"{where} needs a table {key!r}, got {value!r}")
    return value


def text_of(entry: Mapping[str, Any], key: str, where: str) -> str:
    """A string that says something."""
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip():
        raise CodebookError(f"{where} needs a non-empty {key!r}, got {value!r}")
    return value


def strings_of(values: object, where: str) -> tuple[str, ...]:
    """A list of strings that say something, each once."""
    if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
        raise CodebookError(f"{where} must be a list of non-empty strings, got {values!r}")
    no_repeats(values, where)
    return tuple(values)


def no_repeats(names: Iterable[str], where: str) -> None:
    """Refuse names that come more than once."""
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise CodebookError(f"{where} must differ, got {repeated} more than once")
