"""Results show themselves: plain words at a prompt, safe HTML in a notebook, a frame of figures."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet, fix_annotations, write_annotations
from classifier.articles import Reading, read_articles
from classifier.codebook import default_codebook
from classifier.mentions import explain_mentions
from classifier.records import Article, Estimate, Problem
from classifier.sampling import draw_sample
from classifier.score.streaming import Scored
from classifier.showing import frame_text

HOSTILE = "<script>alert('\u202e')</script>{{7*7}}"


def test_a_reading_counts_articles_and_reasons() -> None:
    problems = (Problem("b.txt", "no text", "it is empty"),) * 2
    reading = Reading((Article("a", "Kyiv holds."),), problems)
    assert repr(reading) == "Reading: 1 article, 2 problems (no text: 2)"


def test_a_reading_becomes_a_frame_with_the_texts() -> None:
    frame = Reading((Article("a", "Kyiv holds.", source="S"),)).to_frame()
    assert frame[["article_id", "source", "text"]].to_numpy().tolist() == [
        ["a", "S", "Kyiv holds."]
    ]
    assert frame["date"].tolist() == [None]
    assert list(Reading(()).to_frame().columns) == list(frame.columns)


def test_a_reading_shows_no_text_and_no_markup_of_its_articles() -> None:
    reading = Reading((Article("a", "Kyiv holds.", title=HOSTILE),))
    html = reading._repr_html_()
    assert "Kyiv" not in html
    assert "<script" not in html
    assert "\u202e" not in html
    assert "{{7*7}}" in html


def test_an_article_says_which_it_is_and_not_what_it_says() -> None:
    article = Article("a", "Kyiv holds.", source="The Reef Gazette", date="2022-03", language="en")
    assert repr(article) == "Article('a', 'The Reef Gazette', '2022-03', 'en'; 11 characters)"


def test_an_estimate_is_one_line_at_a_prompt() -> None:
    figure = Estimate(0.5, "ok", 0.25, 0.75, n_items=8, n_articles=3)
    assert repr(figure) == "Estimate(0.500 [0.250, 0.750]; 8 items, 3 articles)"
    undefined = Estimate(None, "undefined: no variation")
    assert repr(undefined) == "Estimate(undefined: no variation; 0 items, 0 articles)"


def test_a_codebook_names_its_questions_and_targets() -> None:
    words = repr(default_codebook())
    assert "stance (ordinal), roles (set), voice (nominal)" in words
    assert words.endswith("targets: TR, RU, UA")


def test_what_was_found_and_what_was_not_stand_in_one_frame() -> None:
    text = "The turkey was dry, but Turkey keeps its word."
    report = explain_mentions(Article("a", text, language="en"), default_codebook())
    frame = report.to_frame()
    assert frame["surface"].tolist() == ["turkey", "Turkey"]
    assert frame["rule"].tolist() == ["the bird", None]
    assert repr(report) == "Article 'a': 1 mention, 1 excluded, 0 to look at"
    assert "the bird" in report._repr_html_()


def test_scored_counts_by_status() -> None:
    statuses = {"ok": 3, "unsupported language": 1}
    scored = Scored(Path("p.parquet"), 5, 2, statuses, ())
    assert repr(scored) == "Scored: 4 mentions in 2 of 5 articles, 0 problems; in p.parquet"
    assert scored.to_frame()["mentions"].tolist() == [3, 1]
    assert "unsupported language" in scored._repr_html_()


def test_a_fix_lists_what_it_did(toy_set: AnnotationSet, tmp_path: Path) -> None:
    write_annotations(toy_set, tmp_path / "set")
    lines = (tmp_path / "set" / "annotations.jsonl").read_text(encoding="utf-8").splitlines()
    doubled = [*lines, lines[0]]
    (tmp_path / "set" / "annotations.jsonl").write_text("\n".join(doubled), encoding="utf-8")
    fixed = fix_annotations(tmp_path / "set", tmp_path / "out")
    assert fixed.to_frame()[["what", "reason"]].to_numpy().tolist() == [
        ["mended", "identical row dropped"]
    ]
    assert repr(fixed).endswith("mended 1 problem (identical row dropped: 1); left out 0 problems")
    assert "identical row dropped" in fixed._repr_html_()


def test_a_sample_says_how_it_was_drawn() -> None:
    articles = [Article(f"a{n}", "x", source="S") for n in range(4)]
    sample = draw_sample(articles, 2, by=("source",), seed=3)
    assert repr(sample) == "Sample: 2 of 4 articles, design random, seed 3"
    assert sample.to_frame()["sampling_probability"].tolist() == [0.5, 0.5]
    assert "0.500" in sample._repr_html_()


def test_a_frame_at_a_prompt_obeys_nobody() -> None:
    text = frame_text(pd.DataFrame({"source": ["\x1b[31mred", None]}), HOSTILE)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[U+001B][31mred" in text
    assert text.rstrip().endswith("–")


def test_a_frame_without_rows_is_its_caption() -> None:
    assert frame_text(pd.DataFrame(), "nothing found") == "nothing found"
