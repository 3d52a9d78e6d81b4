"""Results show themselves: plain words at a prompt, safe HTML in a notebook, a frame of figures."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pytest

from classifier.agreement import (
    AgreementReport,
    AlternativeTest,
    Breakdown,
    Part,
    measure_agreement,
)
from classifier.annotations import AnnotationSet, Fixed, fix_annotations, write_annotations
from classifier.annotations.formats import Imported
from classifier.articles import Reading
from classifier.codebook import default_codebook
from classifier.errors import DataError
from classifier.evaluation import Evaluation, Row, Table
from classifier.mentions import MentionsReport, explain_mentions
from classifier.notebook_html import frame_text
from classifier.pipeline import Demo, Reported
from classifier.predictions import Explanation, Predictions
from classifier.profiles import Extended, Plan, Profile, Ranked, Ranking
from classifier.records import Article, Estimate, Problem
from classifier.report import Evidence, chart
from classifier.sampling import Drawn, Sample
from classifier.sampling._draw import draw_sample
from classifier.score import Scored
from classifier.training import Run, split_articles


class Shows(Protocol):
    """What every result can do."""

    def to_frame(self) -> pd.DataFrame: ...

    def _repr_html_(self) -> str: ...


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


UNDEFINED = Estimate(None, "undefined: no variation")


def row(source: str, more: int | None = None, status: str = "ok") -> dict[str, Any]:
    figures = {"articles": 40, "coded": 10, "needed": None if more is None else 10 + more}
    return {"source": source, "variable": "stance", **figures, "more": more, "status": status}


PLAN = Plan(0.1, ("source",), (row("A", 5), row("B", status="too few: 3 coded articles")))


def test_a_plan_says_why_nothing_could_be_planned() -> None:
    assert "too few: 3 coded articles" in repr(PLAN)
    assert "too few: 3 coded articles" in PLAN._repr_html_()
    assert repr(PLAN).startswith("Coded articles for an interval of ± 0.1\n")


def test_a_plan_has_whole_numbers_or_none() -> None:
    frame = PLAN.to_frame()
    assert frame["needed"].isna().tolist() == [False, True]
    assert frame["more"].dropna().tolist() == [5]
    assert list(Plan(0.1, ("source",), ()).to_frame().columns) == list(frame.columns)


def spots(figure: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """What a chart draws, panel by panel; a single panel leaves its data to the whole."""
    whole = figure.to_dict()
    panels = (panel.get("data") or whole["data"] for panel in whole["vconcat"])
    return [spot for data in panels for spot in data["values"]]


def drawn(figure: Any) -> list[tuple[str, str, float]]:  # noqa: ANN401
    """Row, series and value of every dot."""
    return [(spot["row"], spot["series"], spot["value"]) for spot in spots(figure)]


def test_a_plan_draws_what_is_known() -> None:
    dots = [("A", "needed in all", 15.0), ("A", "coded so far", 10.0), ("B", "coded so far", 10.0)]
    assert sorted(drawn(chart(PLAN))) == sorted(dots)


def test_a_split_says_how_large_its_parts_are(toy_set: AnnotationSet) -> None:
    split = split_articles(toy_set.articles)
    sizes = ", ".join(f"{part} {len(ids)}" for part, ids in split.parts.items())
    assert repr(split) == f"Split: {sizes}; 0 problems"


def test_evidence_says_how_much_it_is(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> None:
    evidence = Evidence(toy_scores, toy_set.articles)
    assert repr(evidence) == "Evidence: 120 mentions in 40 articles, 0 explained"


def test_an_empty_plan_has_no_chart() -> None:
    with pytest.raises(DataError, match="a chart needs figures"):
        chart(Plan(0.1, ("source",), ()))


def test_a_ranking_names_those_it_cannot_rank() -> None:
    entries = (Ranked("A", Estimate(0.5, "ok", 0.4, 0.6), 1, 1),)
    ranking = Ranking("source", {"target": "TR"}, "all", "stance", None, entries, {"B": "too few"})
    frame = ranking.to_frame()
    assert frame["source"].tolist() == ["A", "B"]
    assert frame["rank"].isna().tolist() == [False, True]
    assert repr(ranking).startswith("Ranked by stance, mean; target TR, voice all\n")
    assert "too few" in ranking._repr_html_()


def test_a_table_says_why_a_figure_is_missing() -> None:
    table = Table("accuracy", (Row({"variable": "stance"}, {"macro_f1": UNDEFINED}),))
    assert "undefined: no variation" in repr(table)
    assert "undefined: no variation" in table._repr_html_()
    assert table.to_frame()["macro_f1"].tolist() == [None]


def test_a_breakdown_says_why_a_figure_is_missing() -> None:
    parts = Breakdown((Part({"target": "TR"}, UNDEFINED),))
    assert "undefined: no variation" in repr(parts)
    assert "undefined: no variation" in parts._repr_html_()


def test_agreement_without_annotators_says_why(toy_set: AnnotationSet) -> None:
    report = measure_agreement(toy_set)
    assert "one annotator" in repr(report)
    assert "one annotator" in report._repr_html_()


def test_an_annotation_set_draws_its_mentions_per_source(toy_set: AnnotationSet) -> None:
    dots = drawn(chart(toy_set, "sources"))
    assert sum(value for _, _, value in dots) == 120
    assert {target for _, target, _ in dots} == {"TR", "RU", "UA"}


def test_an_annotation_set_draws_every_label_of_the_codebook(toy_set: AnnotationSet) -> None:
    dots = drawn(chart(toy_set))
    stance = toy_set.codebook.variable("stance")
    given = toy_set.table["stance"].value_counts()
    for label in stance.names:
        assert sum(v for name, _, v in dots if name == label) == given.get(label, 0)


def test_what_is_no_mention_is_not_drawn(toy_set: AnnotationSet) -> None:
    none = replace(toy_set, table=toy_set.table.assign(not_target=True))
    with pytest.raises(DataError, match="a chart needs figures"):
        chart(none)


def test_epochs_are_drawn_in_their_order() -> None:
    epochs = pd.DataFrame({"epoch": [1.0, 2.0], "quality": [0.4, 0.5]})
    assert [spot["quality"] for spot in spots(chart(epochs, "epochs"))] == [0.4, 0.5]


HOSTILE_RESULTS: dict[str, Shows] = {
    "plan": Plan(0.1, ("source",), (row(HOSTILE, 5), row("B", status=HOSTILE))),
    "ranking": Ranking(
        "source", {"target": HOSTILE}, "all", "stance", HOSTILE, (), {HOSTILE: HOSTILE}
    ),
    "table": Table(HOSTILE, (Row({"source": HOSTILE}, {"f1": Estimate(None, HOSTILE)}),)),
    "breakdown": Breakdown((Part({"source": HOSTILE}, Estimate(None, HOSTILE)),)),
    "scored": Scored(Path("p"), 1, 1, {HOSTILE: 1}, (Problem("a", HOSTILE, HOSTILE),)),
}


@pytest.mark.parametrize("name", HOSTILE_RESULTS)
def test_hostile_text_stays_text(name: str) -> None:
    html = HOSTILE_RESULTS[name]._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "\u202e" not in html


RESULTS = [
    *(AlternativeTest, Breakdown, AgreementReport, Evaluation, Table),
    *(Profile, Plan, Ranking, Sample, Drawn, Extended),
    *(Reading, AnnotationSet, Imported, Fixed, MentionsReport),
    *(Run, Predictions, Scored, Explanation, Demo, Reported),
]


@pytest.mark.parametrize("kind", RESULTS)
def test_every_result_shows_itself(kind: type) -> None:
    assert callable(kind.to_frame)  # type: ignore[attr-defined]
    assert callable(kind._repr_html_)  # type: ignore[attr-defined]
    # What @dataclass writes wraps a function against endless recursion.
    assert not hasattr(kind.__repr__, "__wrapped__")
