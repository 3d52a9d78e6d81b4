from pathlib import Path

from classifier.codebook import default_codebook
from classifier.mentions import explain_mentions, write_page
from classifier.records import Article

_TEXT = (
    "Haven dicht\n\n“Rusland <wacht> & zwijgt nog altijd”, zei loods Okafor.\n\n"
    "De reder zei dat Turkije wacht. Oekraïne vaart."
)


def test_a_page_shows_whose_words_they_are(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [Article("<a>", _TEXT, language="nl")], default_codebook())
    html = page.read_text("utf-8")
    assert "&lt;wacht&gt; &amp; zwijgt" in html
    assert "<wacht>" not in html
    assert "&lt;a&gt;" in html
    assert html.count("2px dashed") == 2 + 1  # the legend, "Turkije" and "wacht"
    assert '<meta name="viewport"' in html
    assert "@media print" in html


def test_a_headline_stands_there_once(tmp_path: Path) -> None:
    text = "Ankara wacht\n\nDe haven van Odesa is dicht, en de reder wacht op bericht."
    article = Article("a-1", text, language="nl", title="Ankara wacht")
    write_page(tmp_path / "page.html", [article], default_codebook())
    html = (tmp_path / "page.html").read_text("utf-8")
    assert html.count("wacht</p>") == 1
    assert "<h2>" not in html
    assert 'role="heading"' in html
    assert "<small>a-1 · " in html


def test_a_long_article_without_mentions_is_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [Article("a", "De loods wacht.", language="nl")], default_codebook())
    assert "0 mentions" in page.read_text("utf-8")


def test_each_voice_is_explained() -> None:
    report = explain_mentions(Article("a", _TEXT, language="nl"), default_codebook())
    assert [(why.rule, why.cue, why.speaker) for why in report.voices] == [
        ("quotation marks", "zei", "loods Okafor"),
        ("verb with that", "zei dat", "De reder"),
        ("no form of speech around it", None, None),
    ]
    assert all(0 < why.confidence <= 1 for why in report.voices)
