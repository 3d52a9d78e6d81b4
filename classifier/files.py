"""Files that are either whole or as they were: written beside their place, then moved into it."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` only on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, parts: Iterable[str]) -> None:
    """Write UTF-8, line ends as they are, atomically."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)


def write_json_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line, atomically."""
    write_text(path, (json_line(record) + "\n" for record in records))


def json_line(record: object) -> str:
    r"""One line of JSON, readable, with a lone surrogate escaped since UTF-8 cannot hold it.

    >>> json_line({"a": "Kyjiv \ud83d"})
    '{"a": "Kyjiv \\ud83d"}'
    """
    line = json.dumps(record, ensure_ascii=False, allow_nan=False)
    if any("\ud800" <= character <= "\udfff" for character in line):
        return json.dumps(record, allow_nan=False)
    return line


def toml_text(table: Mapping[str, Any], prefix: str = "") -> str:
    r"""A table of strings, numbers, lists and tables as TOML; a None is left out.

    >>> print(toml_text({"name": "a", "tone": {"labels": [{"name": "warm", "number": 1.0}]}}))
    name = "a"
    <BLANKLINE>
    [tone]
    <BLANKLINE>
    [[tone.labels]]
    name = "warm"
    number = 1.0
    <BLANKLINE>
    """
    plain = {key: value for key, value in table.items() if not _is_nested(value)}
    lines = [f"{_toml_key(k)} = {_toml_value(v)}\n" for k, v in plain.items() if v is not None]
    for key, value in table.items():
        name = f"{prefix}{_toml_key(key)}"
        if isinstance(value, Mapping):
            lines.append(f"\n[{name}]\n{toml_text(value, f'{name}.')}")
        elif _is_nested(value):
            lines += [f"\n[[{name}]]\n{toml_text(entry, f'{name}.')}" for entry in value]
    return "".join(lines)


def _is_nested(value: object) -> bool:
    is_tables = isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or is_tables


def _toml_key(key: str) -> str:
    return key if key.isascii() and key.replace("-", "_").isidentifier() else _toml_value(key)


def _toml_value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    # JSON and TOML write strings, numbers and truth values alike, but for this one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
