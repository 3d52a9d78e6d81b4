"""Figures on plain arrays and span tables, by hand and against other implementations."""

import numpy as np
import pandas as pd
import pytest
from nervaluate.evaluator import Evaluator
from sklearn.metrics import f1_score

from classifier.agreement import f1_by_label, hits, macro_f1
from classifier.errors import DataError
from classifier.evaluation import span_scores
from classifier.evaluation._tables import Sample, figure, mean_defined, micro_f1, share
from classifier.intervals import IntervalOptions

NO_INTERVAL = IntervalOptions(method="none")
COLUMNS = ["article", "start", "end", "label"]


def spans(*rows: tuple[str, int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def values(gold: pd.DataFrame, found: pd.DataFrame, *articles: str) -> dict[str, float | None]:
    made = span_scores(gold, found, articles or ("a",), NO_INTERVAL)
    return {name: estimate.value for name, estimate in made.items()}


def test_spans_by_hand() -> None:
    gold = spans(("a", 0, 10, "TR"), ("a", 20, 30, "UA"), ("a", 40, 50, "RU"))
    found = spans(("a", 0, 10, "TR"), ("a", 20, 30, "RU"), ("a", 45, 50, "RU"), ("a", 60, 70, "TR"))
    made = values(gold, found)
    # Strict: one of three gold and four found. Boundary: two. Characters: 10 + 5 shared of 30
    # in gold and 35 found.
    assert made["strict_precision"] == pytest.approx(1 / 4)
    assert made["strict_recall"] == pytest.approx(1 / 3)
    assert made["strict_f1"] == pytest.approx(2 / 7)
    assert made["boundary_f1"] == pytest.approx(4 / 7)
    assert made["character_f1"] == pytest.approx(30 / 65)


def test_touching_spans_share_nothing() -> None:
    # nervaluate takes ends as inclusive and would call this a partial match.
    made = values(spans(("a", 0, 10, "TR")), spans(("a", 10, 20, "TR")))
    assert made["character_f1"] == 0


def test_labels_that_gold_lacks_count_as_errors() -> None:
    # nervaluate leaves out found labels that it was not told of.
    made = values(spans(("a", 0, 5, "TR")), spans(("a", 0, 5, "TR"), ("a", 7, 9, "XX")))
    assert made["strict_precision"] == 0.5


@pytest.mark.parametrize(
    ("gold", "found", "status"),
    [
        (spans(), spans(), "undefined: no spans on either side"),
        (spans(("a", 0, 1, "TR")), spans(), "ok"),
    ],
)
def test_no_spans(gold: pd.DataFrame, found: pd.DataFrame, status: str) -> None:
    made = span_scores(gold, found, ["a"], NO_INTERVAL)
    assert made["strict_f1"].status == status
    assert made["strict_precision"].status == "undefined: nothing found"


def test_spans_outside_the_searched_articles_are_refused() -> None:
    with pytest.raises(DataError, match="not searched, such as 'b'"):
        span_scores(spans(("b", 0, 1, "TR")), spans(), ["a"], NO_INTERVAL)


def test_span_columns_are_required() -> None:
    with pytest.raises(DataError, match="got no label"):
        span_scores(spans().drop(columns="label"), spans(), ["a"], NO_INTERVAL)


def random_spans(rng: np.random.Generator, articles: list[str]) -> list[tuple[str, int, int, str]]:
    rows = []
    for article in articles:
        place = 0
        for _ in range(int(rng.integers(0, 6))):
            start = place + int(rng.integers(0, 3)) * 5
            place = start + 5
            rows.append((article, start, place, str(rng.choice(["TR", "UA", "RU"]))))
    return rows


def test_span_f1_is_that_of_nervaluate() -> None:
    articles = ["a", "b", "c"]
    n_compared = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        gold, found = random_spans(rng, articles), random_spans(rng, articles)
        ours = values(spans(*gold), spans(*found), *articles)
        if not gold or not found:
            continue
        # Ends are inclusive there.
        sides = [
            [
                [{"label": lab, "start": s, "end": e - 1} for a, s, e, lab in side if a == article]
                for article in articles
            ]
            for side in (gold, found)
        ]
        theirs = Evaluator(sides[0], sides[1], tags=["TR", "UA", "RU"], loader="dict").evaluate()
        assert ours["strict_f1"] == pytest.approx(theirs["overall"]["strict"].f1)
        assert ours["boundary_f1"] == pytest.approx(theirs["overall"]["exact"].f1)
        n_compared += 1
    assert n_compared > 150


@pytest.mark.parametrize("seed", range(20))
def test_f1_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    gold = (rng.random((30, 4)) < 0.4).astype(float)
    predicted = np.where(rng.random((30, 4)) < 0.2, 1 - gold, gold)
    totals = hits(gold, predicted).sum(axis=0)
    assert f1_by_label(totals) == pytest.approx(f1_score(gold, predicted, average=None))
    assert macro_f1(totals) == pytest.approx(f1_score(gold, predicted, average="macro"))
    assert micro_f1(totals) == pytest.approx(f1_score(gold, predicted, average="micro"))


def test_macro_f1_leaves_out_labels_that_gold_lacks() -> None:
    # Labels: one right of one; in gold and missed; only predicted; nowhere.
    totals = np.array([1.0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0])
    assert macro_f1(totals) == pytest.approx(0.5)


def test_figures_work_on_many_totals_at_once() -> None:
    totals = np.array([[3.0, 4], [0, 0], [1, 2]])
    assert share(totals).tolist()[::2] == [0.75, 0.5]
    assert np.isnan(share(totals)[1])
    assert mean_defined(np.array([[1.0, np.nan], [2, 4]])).tolist() == [1, 3]


def test_figure_without_items_or_value_says_why() -> None:
    empty = Sample(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), NO_INTERVAL)
    assert figure(empty, share, "share").status == "not estimable: no items"
    nothing = Sample(np.zeros((3, 2)), np.arange(3), NO_INTERVAL)
    made = figure(nothing, share, "share", undefined="undefined: nothing counted")
    assert (made.value, made.status, made.n_items) == (None, "undefined: nothing counted", 3)


def test_figure_resamples_articles_not_items() -> None:
    # Twenty articles of ten equal items each: the interval is that of twenty items.
    right = np.repeat(np.arange(20) % 2, 10).astype(float)
    rows = np.column_stack([right, np.ones(200)])
    made = IntervalOptions(method="jackknife")
    clustered = figure(Sample(rows, np.repeat(np.arange(20), 10), made), share, "share")
    alone = figure(Sample(rows[::10], np.arange(20), made), share, "share")
    assert clustered.low == pytest.approx(alone.low)
    assert clustered.n_items == 200
    assert clustered.n_articles == 20


@pytest.mark.parametrize(
    "row", [("a", 0.5, 6, "TR"), ("a", float("nan"), 6, "TR"), ("a", 6, 0, "TR"), ("a", 0, 6, None)]
)
def test_spans_that_are_none_are_refused(row: tuple[str, float, int, str | None]) -> None:
    columns = ["article", "start", "end", "label"]
    right, wrong = (pd.DataFrame([one], columns=columns) for one in (("a", 0, 6, "TR"), row))
    with pytest.raises(DataError, match="needs a label and whole numbers"):
        span_scores(right, wrong, ["a"], NO_INTERVAL)
