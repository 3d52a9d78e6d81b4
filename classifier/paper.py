"""Tables of results as a paper prints them: LaTeX, Markdown, Excel and Word."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from classifier.errors import DataError
from classifier.files import replacing, write_text
from classifier.records import Estimate

if TYPE_CHECKING:
    import pandas as pd

Cell: TypeAlias = Estimate | str | float | None
"""A figure, a word, a number, or nothing."""
_DASH = "–"
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
}
_MARKDOWN = str.maketrans({"|": r"\|", "\n": " ", "\r": " ", "<": "&lt;"})
_MOST_IN_SHEET = 1_000_000


def number(value: float, digits: int = 2) -> str:
    """A number as a paper prints it: without the 0 before its point, with a true minus.

    >>> number(-0.12), number(0.004), number(1), number(-0.001), number(2.5)
    ('−.12', '.00', '1.00', '.00', '2.50')
    """
    text = f"{value:.{digits}f}"
    sign = "−" if text.startswith("-") and float(text) != 0 else ""
    bare = text.removeprefix("-")
    return sign + (bare[1:] if bare.startswith("0.") else bare)


def cell(value: Cell, digits: int = 2) -> str:
    """What stands in a cell; a figure with its interval, or the reason why there is none.

    >>> cell(Estimate(-0.118, "ok", low=-0.163, high=-0.0721)), cell(None), cell(12)
    ('−.12 [−.16, −.07]', '–', '12')
    """
    if value is None:
        return _DASH
    if isinstance(value, Estimate):
        return _figure(value, digits)
    if isinstance(value, float):
        return _DASH if value != value else number(value, digits)
    return str(value)


def _figure(figure: Estimate, digits: int) -> str:
    if figure.value is None:
        return f"{_DASH} ({figure.status})"
    value = number(figure.value, digits)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} [{number(figure.low, digits)}, {number(figure.high, digits)}]"


@dataclass(frozen=True)
class PaperTable:
    """Rows of cells under their columns."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    """What stands below the table."""

    def cells(self) -> list[list[str]]:
        """Every cell as it is printed."""
        return [[cell(value) for value in row] for row in self.rows]

    def to_frame(self) -> "pd.DataFrame":
        """Every cell as it is printed, as a data frame."""
        # The terminal reads this module first; pandas takes it a second.
        import pandas as pd

        return pd.DataFrame(self.cells(), columns=list(self.columns))

    def to_latex(self) -> str:
        """A `table` for LaTeX; needs the package `booktabs`."""
        lines = [" & ".join(map(_latex, row)) + r" \\" for row in self.cells()]
        numeric = self._numeric()
        places = "".join("r" if is_number else "l" for is_number in numeric)
        notes = [rf"\par\smallskip\footnotesize {_latex(note)}" for note in self.notes]
        parts = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(self.caption)}}}",
            rf"\begin{{tabular}}{{{places}}}",
            r"\toprule",
            " & ".join(map(_latex, self.columns)) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            *notes,
            r"\end{table}",
        ]
        return "\n".join(parts) + "\n"

    def to_markdown(self) -> str:
        """A table for Markdown, with its caption above and its notes below."""
        rule = ["---:" if is_number else "---" for is_number in self._numeric()]
        table = [list(self.columns), *self.cells()]
        lines = [f"| {' | '.join(one.translate(_MARKDOWN) for one in row)} |" for row in table]
        lines.insert(1, f"| {' | '.join(rule)} |")
        below = ["", *(note.translate(_MARKDOWN) for note in self.notes)] if self.notes else []
        return "\n".join([self.caption.translate(_MARKDOWN), "", *lines, *below]) + "\n"

    def to_excel(self, path: Path | str) -> None:
        """Write a sheet: the printed cells, and beside each figure its numbers in full.

        Raises `DataError` without the package openpyxl.
        """
        try:
            from openpyxl import Workbook
            from openpyxl.cell import WriteOnlyCell
            from openpyxl.styles import Font
        except ImportError:
            raise _lacking("Excel", "openpyxl", "excel") from None
        if len(self.rows) > _MOST_IN_SHEET:
            raise DataError(f"a sheet holds {_MOST_IN_SHEET:,} rows, got {len(self.rows):,}")
        book = Workbook(write_only=True)
        sheet = book.create_sheet("table")
        names, rows = self._in_full()
        heads = [WriteOnlyCell(sheet, value=name) for name in names]
        for head in heads:
            head.font = Font(bold=True)
        sheet.append(heads)
        for row in rows:
            cells = [WriteOnlyCell(sheet, value=value) for value in row]
            for one in cells:
                if isinstance(one.value, str):
                    one.data_type = "s"  # text that begins with = is no formula
            sheet.append(cells)
        for line in (self.caption, *self.notes):
            sheet.append([line])
        with replacing(Path(path)) as draft:
            book.save(draft)

    def to_word(self, path: Path | str) -> None:
        """Write a document with the table; raises `DataError` without the package python-docx."""
        try:
            from docx import Document
        except ImportError:
            raise _lacking("Word", "python-docx", "word") from None
        document = Document()
        document.add_paragraph(self.caption)
        table = document.add_table(rows=0, cols=len(self.columns))
        table.style = "Table Grid"
        for row in [list(self.columns), *self.cells()]:
            for place, text in zip(table.add_row().cells, row, strict=True):
                place.text = _printable(text)
        for note in self.notes:
            document.add_paragraph(note)
        with replacing(Path(path)) as draft:
            document.save(str(draft))

    def write(self, path: Path | str) -> None:
        """Write .tex, .md, .xlsx or .docx, atomically; raises `DataError` for any other name."""
        path = Path(path)
        writers: Mapping[str, Callable[[], None]] = {
            ".tex": lambda: write_text(path, [self.to_latex()]),
            ".md": lambda: write_text(path, [self.to_markdown()]),
            ".xlsx": lambda: self.to_excel(path),
            ".docx": lambda: self.to_word(path),
        }
        writer = writers.get(path.suffix.lower())
        if writer is None:
            raise DataError(
                f"{path}: a table's name must end in {', '.join(writers)}; "
                f"got {path.suffix or 'none'!r}"
            )
        writer()

    def _numeric(self) -> list[bool]:
        return [
            any(not isinstance(row[i], str) and row[i] is not None for row in self.rows)
            for i in range(len(self.columns))
        ]

    def _in_full(self) -> tuple[list[str], list[list[str | float | None]]]:
        """Columns and rows with three more columns for each figure."""
        figures = [
            any(isinstance(row[i], Estimate) for row in self.rows) for i in range(len(self.columns))
        ]
        names: list[str] = []
        for name, is_figure in zip(self.columns, figures, strict=True):
            names += [name, *([f"{name}: {end}" for end in _ENDS] if is_figure else [])]
        rows = []
        for row in self.rows:
            full: list[str | float | None] = []
            for value, is_figure in zip(row, figures, strict=True):
                full.append(_sheet_value(value))
                if is_figure:
                    full += _ends(value)
            rows.append(full)
        return names, rows


_ENDS = ("value", "low", "high")


def _ends(value: Cell) -> list[float | None]:
    if isinstance(value, Estimate):
        return [value.value, value.low, value.high]
    return [None] * len(_ENDS)


def _sheet_value(value: Cell) -> str | float | None:
    if isinstance(value, Estimate):
        return cell(value)
    if isinstance(value, float) and value != value:
        return None
    return _printable(value) if isinstance(value, str) else value


def _printable(text: str) -> str:
    """Text without the control characters that no office file can hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff"))


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text.replace("\n", " "))


def _lacking(what: str, package: str, extra: str) -> DataError:
    return DataError(
        f"writing {what} needs the package {package}, which is not installed; install it "
        f'(pip install "stance-framing-classifier[{extra}]"), or write .tex or .md'
    )


class InPapers:
    """A result that can be printed as a table of a paper."""

    @abstractmethod
    def paper_table(self) -> PaperTable:
        """The result's main table."""

    def to_latex(self) -> str:
        """The main table for LaTeX (package `booktabs`)."""
        return self.paper_table().to_latex()

    def to_markdown(self) -> str:
        """The main table for Markdown."""
        return self.paper_table().to_markdown()

    def to_excel(self, path: Path | str) -> None:
        """Write the main table as a sheet; raises `DataError` without the package openpyxl."""
        self.paper_table().to_excel(path)


def table_of_records(
    caption: str, records: Sequence[Mapping[str, Any]], notes: Sequence[str] = ()
) -> PaperTable:
    """A table from one mapping of cells per row; columns in the order of their first appearance."""
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    rows = tuple(tuple(record.get(name) for name in columns) for record in records)
    return PaperTable(caption, tuple(c.replace("_", " ") for c in columns), rows, tuple(notes))
