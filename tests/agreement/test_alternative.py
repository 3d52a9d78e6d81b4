"""The alternative annotator test: published figures, a plain re-computation, and its words."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from classifier import agreement
from classifier.agreement import TestOptions, rejected
from classifier.codebook import Label, Variable
from classifier.errors import DataError

# Set mtbench of Calderon, Reichart and Dror 2025: how many items have which labels of the three
# annotators and of gpt-4o, a and b for the preferred answer, t for a tie, a dot where not coded.
MTBENCH = """
aa.a 10  .bbb 10  b.bb 9  bb.b 8  a.aa 8  t.ta 7  .aaa 7  tb.b 4  .btb 4  .tta 4  tt.b 4  b.ba 4
.aab 3   .tbb 3   t.aa 3  ta.a 2  .ttt 2  t.bb 2  .bta 2  .ata 2  .taa 2  ba.a 2  b.ta 2  .ttb 2
tabb 1   at.a 1   aaaa 1  bbab 1  b.tb 1  .tab 1  .aat 1  .tba 1  tatb 1  .att 1  tt.a 1  babb 1
tbba 1   .atb 1
"""
PREFERENCE = Variable("preference", "nominal", "", tuple(Label(name, "") for name in "abt"))
GRADE = Variable(
    "grade", "ordinal", "", tuple(Label(name, "", float(i)) for i, name in enumerate("abt"))
)


def mtbench() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Labels of the annotators and of the predictor; every item an article of its own."""
    words = MTBENCH.split()
    items = [word for word, n in zip(words[::2], words[1::2], strict=True) for _ in range(int(n))]
    rows = [
        (f"u{i}", f"u{i}", f"annotator {place}", label)
        for i, labels in enumerate(items)
        for place, label in enumerate(labels[:-1])
        if label != "."
    ]
    said = [(f"u{i}", labels[-1]) for i, labels in enumerate(items)]
    columns = ["unit", "article", "annotator", "label"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(said, columns=["unit", "label"])


def test_published_figures() -> None:
    # The 120 items that two or three annotators coded; winning rate 0, advantage .77.
    test = agreement.alternative_annotator_test(*mtbench(), PREFERENCE, epsilon=0.2)
    assert test.winning_rate.value == 0
    assert not test.passes
    assert [one.p for one in test.annotators] == pytest.approx([0.0192, 0.0260, 0.3145], abs=5e-5)
    assert test.advantage_probability.value == pytest.approx(0.7728, abs=5e-5)


def published_set(name: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Labels of a set of the paper, as its authors publish them in two JSON files."""
    root = os.environ.get("CLASSIFIER_DATA")
    folder = Path(root or "") / "alttest" / name
    if not root or not folder.is_dir():
        pytest.skip(
            "the labels have no stated licence, so they do not ship; put the authors' folder "
            f"data/{name} (github.com/nitaytech/AltTest) into $CLASSIFIER_DATA/alttest"
        )
    humans, predicted = (
        json.loads((folder / file).read_text(encoding="utf-8"))
        for file in ("human_annotations.json", "llm_annotations.json")
    )
    rows = [
        (unit, unit, annotator, str(label))
        for annotator, labels in humans.items()
        for unit, label in labels.items()
        if label is not None
    ]
    said = {unit: str(label) for unit, label in predicted["gpt-4o"].items() if label is not None}
    return pd.DataFrame(rows, columns=["unit", "article", "annotator", "label"]), said


@pytest.mark.parametrize(
    ("name", "epsilon", "winning_rate", "advantage"),
    [
        pytest.param("framing", 0.15, 1.0, 0.9179, id="framing"),
        pytest.param("mtbench", 0.2, 0.0, 0.7728, id="mtbench"),
    ],
)
def test_published_sets(name: str, epsilon: float, winning_rate: float, advantage: float) -> None:
    table, said = published_set(name)
    names = sorted({*table["label"], *said.values()})
    variable = Variable("label", "nominal", "", tuple(Label(one, "") for one in names))
    predictions = pd.DataFrame(said.items(), columns=["unit", "label"])
    test = agreement.alternative_annotator_test(table, predictions, variable, epsilon=epsilon)
    assert test.winning_rate.value == winning_rate
    assert test.advantage_probability.value == pytest.approx(advantage, abs=5e-5)


def random_panel(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(list("abt"), 60)
    shown = [f"u{i}" for i in range(60)]
    rows = [
        (unit, f"article {i // 4}", f"annotator {a}", _noisy(truth[i], rng))
        for a in range(3)
        for i, unit in enumerate(shown)
        if rng.random() < 0.8
    ]
    table = pd.DataFrame(rows, columns=["unit", "article", "annotator", "label"])
    labels = [_noisy(label, rng) for label in truth]
    return table, pd.DataFrame({"unit": shown, "label": labels})


def _noisy(label: str, rng: np.random.Generator) -> str:
    return str(label) if rng.random() < 0.7 else str(rng.choice(list("abt")))


def plainly(table: pd.DataFrame, predictions: pd.DataFrame, annotator: str) -> list[float]:
    """Annotator's indicator minus predictor's, item by item, as the paper words it."""
    said = dict(zip(predictions["unit"], predictions["label"], strict=True))
    apart = []
    for unit, rows in table.groupby("unit"):
        own = rows[rows["annotator"] == annotator]["label"].tolist()
        others = rows[rows["annotator"] != annotator]["label"].tolist()
        if not own or not others:
            continue
        mine = sum(own[0] == other for other in others)
        its = sum(said[str(unit)] == other for other in others)
        apart.append(float(mine >= its) - float(its >= mine))
    return apart


@pytest.mark.parametrize("seed", range(20))
def test_p_value_is_that_of_a_plain_t_test(seed: int) -> None:
    table, predictions = random_panel(seed)
    options = TestOptions(epsilon=0.1, scoring="accuracy")
    test = agreement.alternative_annotator_test(table, predictions, PREFERENCE, options=options)
    for one in test.annotators:
        apart = plainly(table, predictions, one.annotator)
        expected = stats.ttest_1samp(apart, 0.1, alternative="less").pvalue
        assert one.n_items == len(apart)
        assert one.p == pytest.approx(expected)


def test_one_item_per_article_makes_both_p_values_equal() -> None:
    table, predictions = random_panel(1)
    alone = table.assign(article=table["unit"])
    test = agreement.alternative_annotator_test(alone, predictions, PREFERENCE)
    for one in test.annotators:
        assert one.p_clustered == pytest.approx(one.p)


def test_repeating_articles_item_by_item_changes_only_the_unclustered_p_value() -> None:
    # Four copies of every item in its own article say nothing new.
    table, predictions = random_panel(2)
    copies = range(4)
    alone = table.assign(article=table["unit"])
    repeated = pd.concat([alone.assign(unit=alone["unit"] + f"/{k}") for k in copies])
    more = pd.concat([predictions.assign(unit=predictions["unit"] + f"/{k}") for k in copies])
    one = agreement.alternative_annotator_test(alone, predictions, PREFERENCE).annotators[0]
    four = agreement.alternative_annotator_test(repeated, more, PREFERENCE).annotators[0]
    assert four.p_clustered == pytest.approx(one.p_clustered)
    assert four.p != pytest.approx(one.p, abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_step_up_is_that_of_scipy(seed: int) -> None:
    p = np.random.default_rng(seed).beta(0.3, 3, 12)
    adjusted = stats.false_discovery_control(p, method="by")
    assert rejected(p.tolist(), 0.05) == (adjusted <= 0.05).tolist()


def test_step_up_of_nothing() -> None:
    assert rejected([], 0.05) == []


def test_order_counts_in_the_scoring_of_ordinal_labels() -> None:
    # The annotator says a, the other t; b lies nearer to t than a does.
    rows = [(f"u{i}", f"v{i}", name, label) for i in range(40) for name, label in ("xa", "yt")]
    table = pd.DataFrame(rows, columns=["unit", "article", "annotator", "label"])
    predictions = pd.DataFrame({"unit": [f"u{i}" for i in range(40)], "grade": "b"})
    near = agreement.alternative_annotator_test(table, predictions, GRADE)
    assert near.scoring == "rmse"
    assert near.annotators[0].predictor_share == 1
    assert near.annotators[0].annotator_share == 0
    plain = agreement.alternative_annotator_test(
        table, predictions, GRADE, options=TestOptions(scoring="accuracy")
    )
    assert plain.annotators[0].annotator_share == 1


def test_too_few_items_skip_an_annotator_in_words() -> None:
    table, predictions = random_panel(3)
    few = table[(table["annotator"] != "annotator 2") | table["unit"].str.startswith("u1")]
    test = agreement.alternative_annotator_test(few, predictions, PREFERENCE)
    skipped = test.annotators[2]
    assert skipped.status == f"too few: {skipped.n_items} items"
    assert skipped.p is None
    assert test.winning_rate.status == "ok"


@pytest.mark.parametrize(
    ("kept", "status"),
    [
        pytest.param(["annotator 0"], "not estimable: one annotator", id="one annotator"),
        pytest.param([], "not estimable: no labels", id="nobody"),
    ],
)
def test_no_test_without_two_annotators(kept: list[str], status: str) -> None:
    table, predictions = random_panel(4)
    panel = table[table["annotator"].isin(kept)]
    test = agreement.alternative_annotator_test(panel, predictions, PREFERENCE)
    assert test.winning_rate.status == status
    assert test.advantage_probability.status == status
    assert not test.passes


def test_missing_predictions_do_not_count_as_a_label() -> None:
    table, predictions = random_panel(5)
    without = predictions.astype({"label": object})
    without.loc[:9, "label"] = None
    test = agreement.alternative_annotator_test(table, without, PREFERENCE)
    shorter = agreement.alternative_annotator_test(table, predictions.iloc[10:], PREFERENCE)
    assert test == shorter


def test_a_perfect_predictor_beats_everyone() -> None:
    table, _ = random_panel(6)
    agreed = table.assign(label="a")
    other = agreed.assign(annotator="annotator 9")
    predictions = agreed.drop_duplicates("unit")[["unit", "label"]]
    both = pd.concat([agreed[agreed["annotator"] == "annotator 0"], other.drop_duplicates("unit")])
    test = agreement.alternative_annotator_test(both, predictions, PREFERENCE)
    assert test.winning_rate.value == 1
    assert test.passes_clustered


def test_scoring_must_suit_the_variable() -> None:
    table, predictions = random_panel(7)
    with pytest.raises(DataError, match="scoring 'rmse' does not suit a nominal variable"):
        agreement.alternative_annotator_test(
            table, predictions, PREFERENCE, options=TestOptions(scoring="rmse")
        )


def test_predictions_need_their_columns() -> None:
    table, predictions = random_panel(7)
    with pytest.raises(DataError, match="predictions need the columns unit and 'preference'"):
        agreement.alternative_annotator_test(
            table, predictions.rename(columns={"label": "answer"}), PREFERENCE
        )


def test_result_is_ready_for_json() -> None:
    table, predictions = random_panel(8)
    test = agreement.alternative_annotator_test(table, predictions, PREFERENCE)
    record: dict[str, Any] = json.loads(json.dumps(test.to_dict(), allow_nan=False))
    assert len(record["annotators"]) == len(test.to_frame()) == 3
    assert record["winning_rate"]["status"] == "ok"


def thirty(articles: int) -> pd.DataFrame:
    """Thirty units in so many articles, which x and y both call a."""
    rows = [(f"u{i}", f"a{i % articles}", name, "a") for i in range(30) for name in "xy"]
    return pd.DataFrame(rows, columns=["unit", "article", "annotator", "label"])


def said(label: str = "a", prefix: str = "u") -> pd.DataFrame:
    return pd.DataFrame({"unit": [f"{prefix}{i}" for i in range(30)], "label": label})


def test_a_predictor_that_answers_none_of_the_units_is_refused() -> None:
    # Without this the first annotator would be tested as if it were the predictor.
    with pytest.raises(DataError, match="got 30 answers, none of them to one of 30 units"):
        agreement.alternative_annotator_test(thirty(10), said(prefix="v"), PREFERENCE)


def test_units_may_be_numbers_on_one_side() -> None:
    table = thirty(10).assign(unit=[i for i in range(30) for _ in "xy"])
    texts, numbers = said().assign(unit=[str(i) for i in range(30)]), said().assign(unit=range(30))
    first, second = (
        agreement.alternative_annotator_test(table, one, PREFERENCE) for one in (texts, numbers)
    )
    assert first == second
    assert [test.annotator for test in first.annotators] == ["x", "y"]


def test_an_annotator_without_a_name_is_not_the_predictor() -> None:
    table = thirty(10).replace({"annotator": {"x": ""}})
    made = agreement.alternative_annotator_test(table, said("b"), PREFERENCE)
    assert [(t.annotator, t.predictor_share) for t in made.annotators] == [("", 0.0), ("y", 0.0)]


def test_two_answers_to_one_unit_are_refused() -> None:
    twice = pd.concat([said("a"), said("b")])
    with pytest.raises(DataError, match="one row per unit; 60 rows are of 30 units"):
        agreement.alternative_annotator_test(thirty(10), twice, PREFERENCE)


def test_one_article_gives_no_clustered_winning_rate() -> None:
    made = agreement.alternative_annotator_test(thirty(1), said(), PREFERENCE)
    assert made.winning_rate.value == 1.0
    assert made.winning_rate_clustered.value is None
    assert made.winning_rate_clustered.status == "too few: 1 article"
    alone = agreement.alternative_annotator_test(thirty(10), said(), PREFERENCE, cluster=None)
    assert alone.winning_rate_clustered.status == "not asked for"


@pytest.mark.parametrize(
    "thresholds",
    [{"epsilon": float("nan")}, {"epsilon": 15}, {"min_items": 1}, {"min_annotators": 1}],
)
def test_thresholds_under_which_there_is_no_test_are_refused(thresholds: dict[str, float]) -> None:
    with pytest.raises(DataError, match=r"epsilon lies|at least 2 items"):
        TestOptions(**thresholds)  # type: ignore[arg-type]
