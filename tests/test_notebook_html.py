"""Results in a notebook: safe to read, whatever is in them."""

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.notebook_html import Mark, frame_html, marked_html, safe, shade, visible
from classifier.records import Estimate, Span


def test_a_frame_shows_what_is_missing_as_a_dash() -> None:
    frame = pd.DataFrame({"a": [0.12345, None], "b": [None, ["y", "x"]], "c": ["t", "u"]})
    html = frame_html(frame)
    assert html.count("–") == 2
    assert "0.123" in html
    assert "x, y" in html


def test_a_long_frame_says_how_much_of_it_is_shown() -> None:
    html = frame_html(pd.DataFrame({"a": range(50)}), "Numbers;", most_rows=3)
    assert html.startswith("<p>Numbers; the first 3 of 50 rows:</p>")
    assert html.count("<tr") == 4


def test_hostile_cells_stay_text() -> None:
    frame = pd.DataFrame({"<b>": ["<script>alert(1)</script>", "\u202egnp", "w" * 1_000_000]})
    html = frame_html(frame, "<script>")
    assert "<script" not in html
    assert "<b>" not in html
    assert "\u202e" not in html
    assert len(html) < 5_000


def test_an_estimate_shows_itself() -> None:
    shown = Estimate(None, "undefined: <no> variation", method="by article")._repr_html_()
    assert shown == "<p>undefined: &lt;no&gt; variation <small>by article</small></p>"


def test_nested_marks_keep_the_text_whole() -> None:
    text = "In Kyiv-style talks"
    marks = [Mark(Span(3, 13), "color:x", "outer"), Mark(Span(3, 7), "color:y", note="UA")]
    html = marked_html(text, marks)
    assert '<span style="color:x;color:y" title="outer">Kyiv</span> <small>(UA)</small>' in html
    assert '<span style="color:x" title="outer">-style</span>' in html


SPANS = st.tuples(st.integers(0, 30), st.integers(1, 10)).map(lambda s: Span(s[0], s[0] + s[1]))


@settings(deadline=None)
@given(st.text("ab<&\"'\u202e ", min_size=1, max_size=30), st.lists(SPANS, max_size=5))
def test_marking_changes_no_letter(text: str, spans: list[Span]) -> None:
    marks = [Mark(span, "color:red") for span in spans if span.end <= len(text)]
    bare = pd.Series([marked_html(text, marks)]).str.replace("<[^>]*>", "", regex=True)[0]
    assert bare == "".join(safe(letter) for letter in text)


def test_direction_shows_without_colour() -> None:
    assert "border-top:2px solid" in shade(0.2, 0.4)
    assert "border-bottom:2px dotted" in shade(-0.4, 0.4)


def test_the_strongest_word_is_the_darkest() -> None:
    assert "0.50)" in shade(0.4, 0.4)
    assert "0.29)" in shade(0.2, 0.4)  # .08 + .42 / 2


def test_what_hides_is_named() -> None:
    assert visible("a\u2066b\x00") == "a[U+2066]b[U+0000]"
