"""A report as data: sections of paragraphs and tables, rendered as Markdown or as one HTML page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from classifier.files import write_text


@dataclass(frozen=True)
class TableBlock:
    """A table with its caption; cells are shown as given, None as a dash."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[TableBlock, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    summary: str
    sections: tuple[Section, ...] = field(default_factory=tuple)


def table_block(caption: str, frame: pd.DataFrame) -> TableBlock:
    """A frame as a table, in the order of its columns and rows."""
    rows = tuple(tuple(row) for row in frame.itertuples(index=False, name=None))
    return TableBlock(caption, tuple(str(column) for column in frame.columns), rows)


def to_markdown(document: Document) -> str:
    """The report as GitHub-flavoured Markdown; pipes and line breaks in cells are escaped."""
    parts = [f"# {document.title}", document.summary]
    for section in document.sections:
        parts += [f"## {section.title}", *section.paragraphs]
        parts += [_markdown_table(table) for table in section.tables]
    return "\n\n".join(part for part in parts if part) + "\n"


def to_html(document: Document) -> str:
    """The report as one self-contained page; every text is escaped."""
    environment = Environment(
        loader=PackageLoader("classifier.report"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["cell"] = cell
    return environment.get_template("summary.html").render(document=document)


def write_document(document: Document, path: Path) -> Path:
    """Write the report as HTML or, where the name ends in `.md`, as Markdown."""
    text = to_markdown(document) if path.suffix == ".md" else to_html(document)
    write_text(path, [text])
    return path


def cell(value: object) -> str:
    """A cell as people read it: three decimals, a dash for what is not there."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def _markdown_table(table: TableBlock) -> str:
    lines: list[Sequence[str]] = [table.columns, ["---"] * len(table.columns)]
    lines += [[cell(value) for value in row] for row in table.rows]
    body = "\n".join("| " + " | ".join(map(_escape, line)) + " |" for line in lines)
    return f"{table.caption}\n\n{body}" if table.caption else body


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
