"""A report as data, and as a page: Markdown, or HTML that loads nothing and runs no text."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from classifier.files import write_text
from classifier.notebook_html import brief, visible
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


def capital(words: str) -> str:
    """The words with a capital at their head, as a sentence begins."""
    return f"{words[:1].upper()}{words[1:]}"


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


_LICENCES = "/*! Vega, Vega-Lite, Vega-Embed. Copyright University of Washington. BSD-3-Clause. */"


def to_html(document: Document) -> str:
    """The report as one page; every text is escaped, and a policy forbids whatever is not ours."""
    scripts = [_asset("evidence.js"), _asset("page.js")]
    if any(section.charts for section in document.sections):
        scripts.insert(0, _vega())
    return (
        _environment()
        .get_template("page.html")
        .render(
            document=document,
            style=Markup(_asset("style.css")),
            words=GLOSSARY,
            term=lambda name: f"word-{slug(name)}" if str(name) in GLOSSARY else "",
            scripts=[Markup(script) for script in scripts],
            policy=_policy(scripts),
        )
    )


def write_document(document: Document, path: Path) -> Path:
    """Write the report as HTML or, where the name ends in `.md`, as Markdown."""
    text = to_markdown(document) if path.suffix == ".md" else to_html(document)
    write_text(path, [visible(text) if path.suffix == ".md" else text])
    return path


def embedded_json(data: object) -> Markup:
    r"""JSON for a script element that no text in it can close.

    >>> str(embedded_json("</script>"))
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    # Lone surrogates cannot be written as UTF-8; JSON can name them.
    text = re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)
    return Markup(text)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("classifier.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cell": _html_cell, "json": embedded_json, "visible": visible}
    return environment


def _html_cell(value: object) -> Markup:
    """An estimate with its exact value at hand, anything else as text that stays where it is."""
    if isinstance(value, Estimate):
        shown, rest = figure_words(value)
        exact = "" if value.value is None else repr(value.value)
        kind = "withheld" if value.low is None else "interval"
        return Markup('<data value="{}">{}</data> <span class="{}">{}</span>').format(
            exact, shown, kind, rest
        )
    return Markup("<bdi>{}</bdi>").format(visible(brief(cell(value))))


def _policy(scripts: list[str]) -> str:
    """Only our own scripts run, by their hash; Vega compiles its expressions, hence unsafe-eval."""
    hashes = " ".join(f"'sha256-{_sha256(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes} 'unsafe-eval'; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return resources.files("classifier.report").joinpath("static", name).read_text("utf-8")


@cache
def _vega() -> str:
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return f"{_LICENCES}\n{bundle}"


GLOSSARY = {
    "advantage probability": "chance that the model does at least as well as a random annotator, "
    "judged by the other annotators' labels",
    "alpha": "Krippendorff's alpha: 1 is perfect agreement, 0 what chance would bring",
    "corrected": "the model's figure for all articles, mended by the labels of the coded ones",
    "ece equal mass": "calibration error: the mean gap between a probability and the share that "
    "came true, in bins of equally many forecasts",
    "epsilon": "how much further from the other annotators the model may be, for its low cost",
    "labels only": "the annotators' labels of the coded articles, without the model",
    "macro f1": "the mean of the F1 of all labels, each counted the same",
    "majority class": "a predictor that always gives the most frequent label",
    "model only": "the model's figure, with its errors in it",
    "verdict": "what a reader may do with the figure of the row",
    "voice": "whose words a mention stands in: the author's, quoted or attributed ones",
    "winning rate": "share of annotators whom the model replaces in the alternative annotator "
    "test; passed from .5",
    "winning rate clustered": "the same, with articles as clusters: the one to trust",
}
"""Words that head a column or stand in a sentence, and what they mean."""
