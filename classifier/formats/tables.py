"""CSV as people have it: comma, semicolon or tab, and safe to open in a spreadsheet."""

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from classifier.errors import DataError

_RISKY = re.compile(r"'*(?:[=+\-@\t\r\n].*)?", re.S)
_MARKED = re.compile(r"'+(?:[=+\-@\t\r\n].*)?", re.S)
_DELIMITERS = ",;\t"


def safe_cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula; `plain_cell` gives it back.

    >>> safe_cell("=1+1"), safe_cell("TR"), safe_cell(None), safe_cell(-3)
    ("'=1+1", 'TR', '', '-3')
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if _RISKY.fullmatch(value) else value


def plain_cell(cell: str) -> str | None:
    """What `safe_cell` was given, as text; an empty cell is None.

    >>> plain_cell("'=1+1"), plain_cell("'t Hart"), plain_cell("")
    ('=1+1', "'t Hart", None)
    """
    if not cell:
        return None
    return cell[1:] if _MARKED.fullmatch(cell) else cell


def table_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as CSV with a comma between its cells."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return sheet.getvalue()


def read_table(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and cells of every row; raises `DataError` where the table is broken."""
    # csv caps a cell at 128 KiB unless told otherwise, and only for all readers at once
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if len(set(header)) < len(header):
            raise DataError(f"{name}: the columns must differ, got {header}")
        for row in reader:
            if not any(row):
                continue
            where = f"{name}:{reader.line_num}"
            if len(row) != len(header):
                raise DataError(f"{where}: {len(header)} cells were required, got {len(row)}")
            yield where, {c: plain_cell(v) for c, v in zip(header, row, strict=True)}
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num}: broken CSV: {error}") from None


def _delimiter(text: str) -> str:
    """The mark that parts the header: spreadsheets in Dutch or Turkish write semicolons."""
    header = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)
