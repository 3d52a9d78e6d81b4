"""The articles in a file, row by row, as they came."""

import codecs
import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from classifier.articles._html import PageReader
from classifier.articles._sources import Source
from classifier.errors import DataError
from classifier.files import sheet_rows
from classifier.records import Problem


@dataclass(frozen=True)
class Row:
    """An article as it came."""

    where: str
    record: Mapping[str, Any]


RowReader = Callable[[Source, list[Problem]], Iterator[Row]]


def text_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """The file as one article; a byte order mark is no part of it."""
    try:
        text = file.path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(_unreadable(file, error))
        return
    yield Row(file.shown, {"text": text})


def jsonl_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per line; a broken line is a problem of its own."""
    try:
        with file.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{file.shown}:{number}"
                if not line.strip():
                    continue
                if number == 1 and line.startswith(_UTF_16):
                    line.decode("utf-8")
                try:
                    values = _json_object(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                except UnicodeDecodeError as error:
                    detail = f"{file.name} must be UTF-8, this line is not: {error}"
                    problems.append(Problem(where, "broken JSON line", detail, _REMEDY))
                except (ValueError, RecursionError) as error:
                    problems.append(Problem(where, "broken JSON line", str(error)))
                else:
                    yield Row(where, {"line": number} | values)
    except (OSError, UnicodeDecodeError) as error:
        problems.append(_unreadable(file, error))


def _json_object(line: str) -> dict[str, Any]:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise DataError(f"an object was required, got {values!r:.80}")
    return values


def csv_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per row; what follows a row that cannot be read is left out."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with file.path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            header = list(reader.fieldnames or [])
            other = _other_delimiter(header)
            if other:
                detail = f"{file.name}: commas between the cells are required, it has {other}"
                remedy = "save it as CSV with commas, or as .xlsx"
                problems.append(Problem(file.shown, "not parted by commas", detail, remedy))
                return
            for number, values in enumerate(reader, 1):
                named = {key: value for key, value in values.items() if key is not None}
                yield Row(f"{file.shown}:{reader.line_num}", {"line": number} | named)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(_unreadable(file, error))


def _other_delimiter(header: list[str]) -> str:
    """What parts the cells of a header that no comma parts; "" if nothing else does."""
    if len(header) != 1:
        return ""
    return next(
        (name for mark, name in ((";", "semicolons"), ("\t", "tabs")) if mark in header[0]), ""
    )


def parquet_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per row, a few rows at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        number = 0
        with parquet.ParquetFile(file.path) as table:
            for batch in table.iter_batches(batch_size=64):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file.shown}:{number}", {"line": number} | values)
    except (OSError, pa.ArrowException) as error:
        with file.path.open("rb") as content:
            is_parquet = content.read(4) == b"PAR1"
        remedy = "" if is_parquet else "give it the ending that it has, such as .csv"
        problems.append(replace(_unreadable(file, error), remedy=remedy))


def excel_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per row of the first sheet."""
    try:
        for number, values in sheet_rows(file.path, file.name):
            yield Row(f"{file.shown}:{number}", {"line": number - 1} | values)
    except (OSError, DataError) as error:
        problems.append(Problem(file.shown, "unreadable file", str(error)))


def page_rows(pages: PageReader, file: Source, problems: list[Problem]) -> Iterator[Row]:
    """The article on a web page."""
    try:
        yield Row(file.shown, pages.read(file.path))
    except (OSError, DataError) as error:
        problems.append(Problem(file.shown, "unreadable page", f"{file.name}: {error}"))


_REMEDY = "save it as UTF-8"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _unreadable(file: Source, error: Exception) -> Problem:
    if isinstance(error, UnicodeDecodeError):
        with file.path.open("rb") as content:
            is_wide = content.read(2) in _UTF_16
        looks = "it is UTF-16" if is_wide else f"it is not at byte {error.start}"
        detail = f"{file.name} must be UTF-8, {looks}"
        return Problem(file.shown, "not UTF-8", detail, _REMEDY)
    return Problem(file.shown, "unreadable file", f"{file.name}: {error}")


ROW_READERS: dict[str, RowReader] = {
    ".txt": text_rows,
    ".md": text_rows,
    ".jsonl": jsonl_rows,
    ".csv": csv_rows,
    ".parquet": parquet_rows,
    ".xlsx": excel_rows,
}
