"""A report as data: sections of paragraphs, tables and charts; rendered as Markdown or HTML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from classifier.records import Estimate


@dataclass(frozen=True)
class TableBlock:
    """A table with its caption; cells are shown as given, None as a dash."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    is_folded: bool = False
    """Whether the page shows it only when asked."""
    links: tuple[str, ...] = ()
    """Per row the evidence behind it, as `evidence_link` writes it; empty where there is none."""
    strong: str = ""
    """The column with the figures to publish."""


class LegendEntry(NamedTuple):
    """A mark and what it stands for."""

    name: str
    colour: str
    sign: str
    """The mark's shape as a character."""


@dataclass(frozen=True)
class ChartBlock:
    """A chart with its caption, and in words what it shows for those who cannot see it."""

    caption: str
    description: str
    spec: Mapping[str, Any]
    """Vega-Lite."""
    legend: tuple[LegendEntry, ...] = ()
    """What its marks mean; the page says it once for charts that share it."""


@dataclass(frozen=True)
class Section:
    """A heading with what stands under it."""

    title: str
    paragraphs: tuple[str, ...] = ()
    tables: tuple[TableBlock, ...] = ()
    charts: tuple[tuple[ChartBlock, ...], ...] = ()
    """Rows of charts that belong side by side."""
    bibtex: str = ""
    """Works that it rests on."""
    more: tuple[tuple[ChartBlock, ...], ...] = ()
    """Further charts, which the page shows only when asked."""
    points: tuple[tuple[str, str], ...] = ()
    """What to take away, each with the question that it answers."""
    fold: str = ""
    """Under what words the page folds the paragraphs; empty where it shows them."""

    def legends(self, charts: Sequence[tuple[ChartBlock, ...]]) -> list[tuple[LegendEntry, ...]]:
        """Per row of charts the legend that stands above it; empty where it stood already."""
        said: list[tuple[LegendEntry, ...]] = []
        for row in charts:
            entries = tuple(dict.fromkeys(entry for chart in row for entry in chart.legend))
            said.append(() if len(entries) < 2 or entries in said else entries)
        return said

    @property
    def anchor(self) -> str:
        """The section's name in a link.

        >>> Section("What was read").anchor
        'what-was-read'
        """
        return slug(self.title)


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    summary: str
    sections: tuple[Section, ...] = field(default_factory=tuple)
    about: Mapping[str, str] = field(default_factory=dict)
    """Title and value of what else a reader must know."""
    evidence: Mapping[str, Any] | None = None
    """What the evidence browser of the page shows; Markdown has none."""
    evidence_after: int = 0
    """The number of the section that the evidence browser follows, from 0."""


def slug(title: str) -> str:
    """A title as it stands in a link.

    >>> slug("What was read")
    'what-was-read'
    """
    return "-".join("".join(c if c.isalnum() else " " for c in title).lower().split())


def to_markdown(document: Document) -> str:
    """The report as GitHub-flavoured Markdown; pipes and line breaks in cells are escaped."""
    parts = [f"# {document.title}", document.summary]
    if document.about:
        parts.append("\n".join(f"- {key}: {value}" for key, value in document.about.items()))
    for section in document.sections:
        parts += [f"## {section.title}", *section.paragraphs]
        parts += [f"**{question}.** {answer}" for question, answer in section.points]
        parts += [_markdown_table(table) for table in section.tables]
        parts += [f"```bibtex\n{section.bibtex}```"] if section.bibtex else []
    return "\n\n".join(part for part in parts if part) + "\n"


def cell(value: object) -> str:
    """A cell as people read it: three decimals, a dash for what is not there."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, float):
        return f"{value:z.3f}"
    return str(value)


def figure_words(value: Estimate) -> tuple[str, str]:
    """An estimate as value and interval; where it has none, the reason instead.

    >>> figure_words(Estimate(0.5, "ok", 0.25, 0.75))
    ('0.500', '0.250 to 0.750')
    >>> figure_words(Estimate(None, "too few: 3 articles"))
    ('', 'too few: 3 articles')
    """
    if value.value is None:
        return "", value.status
    if value.low is None or value.high is None:
        reason = "" if value.interval_status == "ok" else f"no interval: {value.interval_status}"
        return f"{value.value:z.3f}", reason
    return f"{value.value:z.3f}", f"{value.low:z.3f} to {value.high:z.3f}"


def _markdown_table(table: TableBlock) -> str:
    lines: list[Sequence[str]] = [table.columns, ["---"] * len(table.columns)]
    lines += [[cell(value) for value in row] for row in table.rows]
    body = "\n".join("| " + " | ".join(map(_escape, line)) + " |" for line in lines)
    return f"{table.caption}\n\n{body}" if table.caption else body


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
