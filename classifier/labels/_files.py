"""Rows of labels, whatever holds them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile

import pandas as pd
import pyarrow.parquet as pq

from classifier.errors import DataError

Source: TypeAlias = Any
"""A path, a DataFrame, a `datasets.Dataset`, or a list of records."""


@dataclass(frozen=True)
class Rows:
    """Rows of labels with the line of each, to be named in messages."""

    frame: pd.DataFrame
    lines: tuple[int, ...]
    where: str

    def at(self, place: int) -> str:
        """Where a row stands: "labels.csv:17"."""
        return f"{self.where}:{self.lines[place]}"


def is_label_file(path: Path) -> bool:
    """Whether a path names a file of labels, not a folder."""
    return path.is_file() or path.suffix.lower() in _READERS


def read_rows(source: Source) -> Rows:
    """Read rows from a file or from what is in memory.

    Args:
        source: A path in .csv, .tsv, .json, .jsonl, .ndjson, .parquet or .xlsx; or a DataFrame, a
            `datasets.Dataset`, or a list of records.

    Raises:
        DataError: there is no such file, or it cannot be read as what its name says.
    """
    if isinstance(source, str | Path):
        return _from_file(Path(source))
    if hasattr(source, "to_pandas"):
        source = source.to_pandas()
    if isinstance(source, list | tuple):
        source = pd.DataFrame(list(source))
    if not isinstance(source, pd.DataFrame):
        raise DataError(
            "labels must be a file, a DataFrame, a datasets.Dataset or a list of records; got "
            f"{type(source).__name__}"
        )
    return Rows(source.reset_index(drop=True), tuple(range(1, len(source) + 1)), "row")


def _from_file(path: Path) -> Rows:
    if not path.is_file():
        raise DataError(
            f"{path}: predictions were required there, nothing was found; classifier score writes "
            "them, and labels of your own may be .csv, .tsv, .json, .jsonl, .parquet or .xlsx"
        )
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise DataError(f"{path}: a name in {known} was required, got {path.suffix or 'none'!r}")
    try:
        frame, lines = reader(path)
    except ImportError:
        raise DataError(
            f"{path}: reading Excel needs the package openpyxl, which is not installed; install "
            'it (pip install "stance-framing-classifier[excel]"), or save the sheet as .csv'
        ) from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        kind = path.suffix.lower().removeprefix(".")
        raise DataError(f"{path}: must be labels or predictions in {kind}: {error}") from None
    return Rows(frame.reset_index(drop=True), lines, str(path))


_Read: TypeAlias = tuple[pd.DataFrame, tuple[int, ...]]


def _separated(separators: str) -> Callable[[Path], _Read]:
    def read(path: Path) -> _Read:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
        separator = max(separators, key=head.count)
        frame = pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        return frame, _from(2, len(frame))

    return read


def _json(path: Path) -> _Read:
    text = path.read_text(encoding="utf-8-sig")
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        return _json_lines(path)  # one object a line under another name
    if isinstance(data, Mapping):
        data = _records(data)
    return _frame(data), _from(1, len(data))


def _records(data: Mapping[str, Any]) -> list[Any]:
    """The rows of an object: under a single key, or one under each unit."""
    if len(data) == 1 and isinstance(only := next(iter(data.values())), list):
        return only
    return [
        {"unit": key, **(row if isinstance(row, Mapping) else {"label": row})}
        for key, row in data.items()
    ]


def _json_lines(path: Path) -> _Read:
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    rows = []
    for number, line in numbered:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is not a JSON object: {error}") from None
    return _frame(rows), tuple(number for number, _ in numbered)


def _frame(rows: Any) -> pd.DataFrame:  # noqa: ANN401
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("an array of objects, or an object with one under each unit, was required")
    names = dict.fromkeys(name for row in rows for name in row)
    return pd.DataFrame(
        {
            name: _column([row.get(name) for row in rows])  # None stays None in a column of text
            for name in names
        },
        index=range(len(rows)),
    )


def _column(values: list[Any]) -> pd.Series:
    is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return pd.Series(values, dtype=None if is_number else "object")


def _parquet(path: Path) -> _Read:
    table = pq.read_table(path)
    frame = table.to_pandas()
    text = {
        name: pd.Series(table[name].to_pylist(), dtype="object")
        for name in frame.columns
        if frame[name].dtype.kind not in "iufb"
    }
    return frame.assign(**text), _from(1, len(frame))


def _excel(path: Path) -> _Read:
    frame = pd.read_excel(path, dtype=object, engine="openpyxl")
    return frame.where(frame.notna(), None), _from(2, len(frame))


def _from(first: int, n: int) -> tuple[int, ...]:
    return tuple(range(first, first + n))


_READERS: Mapping[str, Callable[[Path], _Read]] = {
    ".csv": _separated(",;\t"),
    ".tsv": _separated("\t"),
    ".tab": _separated("\t"),
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
    ".xlsx": _excel,
}
