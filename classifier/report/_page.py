"""A report as one self-contained HTML page: nothing is loaded, nothing in a text can run."""

import base64
import hashlib
import json
import re
from functools import cache
from importlib import resources
from pathlib import Path

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from classifier.files import write_text
from classifier.notebook_html import brief, visible
from classifier.records import Estimate
from classifier.report._document import Document, cell, figure_words, slug, to_markdown
from classifier.report._glossary import GLOSSARY

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
