"""Rows of articles from files of each format, as they came, before their fields are checked."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.articles.html import PageReader
from classifier.errors import DataError
from classifier.records import Problem


@dataclass(frozen=True)
class Row:
    """An article as it came."""

    where: str
    record: Mapping[str, Any]


RowReader = Callable[[Path, list[Problem]], Iterator[Row]]


def text_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """The file as one article; a byte order mark is no part of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(_unreadable(file, error))
        return
    yield Row(str(file), {"text": text})


def jsonl_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """One article per line; a broken line is a problem of its own."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{file}:{number}"
                if not line.strip():
                    continue
                try:
                    values = _json_object(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                except (ValueError, RecursionError) as error:
                    problems.append(Problem(where, "broken JSON line", str(error)))
                else:
                    yield Row(where, {"line": number} | values)
    except OSError as error:
        problems.append(_unreadable(file, error))


def _json_object(line: str) -> dict[str, Any]:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise DataError(f"an object was required, got {values!r:.80}")
    return values


def csv_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """One article per row; what follows a row that cannot be read is left out."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            for number, values in enumerate(reader, 1):
                named = {key: value for key, value in values.items() if key is not None}
                yield Row(f"{file}:{reader.line_num}", {"line": number} | named)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(_unreadable(file, error))


def parquet_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """One article per row, a few rows at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        number = 0
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=64):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file}:{number}", {"line": number} | values)
    except (OSError, pa.ArrowException) as error:
        problems.append(_unreadable(file, error))


def _unreadable(file: Path, error: Exception) -> Problem:
    if isinstance(error, UnicodeDecodeError):
        detail = f"{file.name} must be UTF-8, it is not at byte {error.start}"
        return Problem(str(file), "not UTF-8", detail, "save it as UTF-8")
    return Problem(str(file), "unreadable file", f"{file.name}: {error}")


def page_rows(pages: PageReader, file: Path, problems: list[Problem]) -> Iterator[Row]:
    """The article on a web page."""
    try:
        yield Row(str(file), pages.read(file))
    except (OSError, DataError) as error:
        problems.append(Problem(str(file), "unreadable page", f"{file.name}: {error}"))


ROW_READERS: dict[str, RowReader] = {
    ".txt": text_rows,
    ".md": text_rows,
    ".jsonl": jsonl_rows,
    ".csv": csv_rows,
    ".parquet": parquet_rows,
}
PAGES = (".html", ".htm")
