import re
from pathlib import Path

import pytest

from classifier.report._document import (
    Document,
    Section,
    TableBlock,
    cell,
    to_html,
    to_markdown,
    write_document,
)

TABLE = TableBlock("", ("source", "mean"), (("A|B", 0.5), ("<script>alert(1)</script>", None)))
DOCUMENT = Document("Title", "In short.", (Section("One", ("Text.",), tables=(TABLE,)),))


def test_markdown_escapes_pipes_and_shows_missing_as_a_dash() -> None:
    assert "| A\\|B | 0.500 |" in to_markdown(DOCUMENT)
    assert "| <script>alert(1)</script> | – |" in to_markdown(DOCUMENT)


def test_markdown_has_one_heading_per_section() -> None:
    assert to_markdown(DOCUMENT).startswith("# Title\n\nIn short.\n\n## One\n\nText.\n\n| source |")


def test_html_escapes_every_text() -> None:
    page = to_html(DOCUMENT)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_html_loads_nothing_from_elsewhere() -> None:
    page = to_html(DOCUMENT)
    assert "default-src &#39;none&#39;" in page
    assert not re.search(r"\ssrc=|url\(|@import|<link|href=\"[^#]", page)


@pytest.mark.parametrize(("name", "start"), [("r.md", "# Title"), ("r.html", "<!doctype html>")])
def test_the_file_name_chooses_the_format(tmp_path: Path, name: str, start: str) -> None:
    path = write_document(DOCUMENT, tmp_path / "deep" / name)
    assert path.read_text(encoding="utf-8").startswith(start)


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (float("nan"), "–"), (0.12345, "0.123"), (7, "7")]
)
def test_cell(value: object, shown: str) -> None:
    assert cell(value) == shown
