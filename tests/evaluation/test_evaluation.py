"""Predictors against one reader's gold: every figure by hand."""

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest

from classifier.annotations import Annotation, AnnotationSet, adjudicate, annotation_table
from classifier.codebook import Codebook, Label, Target, Variable
from classifier.errors import DataError
from classifier.evaluation import MAJORITY, EvaluationOptions, evaluate
from classifier.intervals import IntervalOptions
from classifier.records import ALL, Article, Span

STANCE = Variable(
    "stance",
    "ordinal",
    "",
    (Label("against", "", -1.0), Label("neither", "", 0.0), Label("for", "", 1.0)),
)
ROLES = Variable("roles", "set", "", (Label("victim", ""), Label("partner", "")))
CODEBOOK = Codebook(
    "test", "1", (Target("TR", "Turkey", "TR"), Target("UA", "Ukraine", "UA")), (STANCE, ROLES)
)
SENTENCE = "Ankara hailed the grain deal and Kyiv thanked it. "
OVERALL = {"target": ALL, "language": ALL, "source": ALL, "voice": ALL}
FAST = EvaluationOptions(interval=IntervalOptions(n_draws=200))
POINTS = EvaluationOptions(interval=IntervalOptions(method="none"), breakdowns=((),))

# Confusion of gold (rows) and predictions (columns), against, neither, for:
# 4 1 0 / 1 2 1 / 0 1 2. F1 = 8/10, 4/8, 4/6.
KNOWN = (
    [("against", "against")] * 4
    + [("against", "neither"), ("neither", "against")]
    + [("neither", "neither")] * 2
    + [("neither", "for"), ("for", "neither")]
    + [("for", "for")] * 2
)


def simple(labels: Sequence[tuple[str, str]]) -> tuple[AnnotationSet, pd.DataFrame]:
    """One reader's stance and the predicted one, spread over six articles."""
    articles = tuple(
        Article(f"article {i}", SENTENCE * 20, source=f"source {i % 2}", language="en")
        for i in range(min(6, len(labels)))
    )
    annotations = [
        Annotation(f"article {i % 6}", _span(i // 6), "TR", "Ankara", "reader", {"stance": gold})
        for i, (gold, _) in enumerate(labels)
    ]
    predictions = pd.DataFrame(
        {"unit": [a.unit for a in annotations], "stance": [label for _, label in labels]}
    )
    return AnnotationSet(articles, annotation_table(annotations, CODEBOOK), CODEBOOK), predictions


def _span(place: int) -> Span:
    return Span(place * len(SENTENCE), place * len(SENTENCE) + 6)


def test_accuracy_and_f1_of_a_known_confusion() -> None:
    made = evaluate(*simple(KNOWN), options=POINTS)
    row = made.table("accuracy").row(predictor="model")
    assert row["accuracy"].value == pytest.approx(8 / 12)
    assert row["macro_f1"].value == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)
    labels = {
        r.keys["label"]: r["f1"].value
        for r in made.table("labels")
        if r.keys["predictor"] == "model"
    }
    assert labels == {"against": 0.8, "neither": 0.5, "for": pytest.approx(2 / 3)}


def test_confusion_of_a_known_confusion() -> None:
    made = evaluate(*simple(KNOWN), options=POINTS)
    cell = made.table("confusion").row(predictor="model", label="against", predicted="neither")
    assert cell.counts["n"] == 1
    assert cell["share"].value == pytest.approx(1 / 5)


def test_majority_class_stands_in_the_same_table() -> None:
    made = evaluate(*simple(KNOWN), options=POINTS)
    row = made.table("accuracy").row(predictor=MAJORITY)
    assert row["accuracy"].value == pytest.approx(5 / 12)
    # F1 of the majority label is 2 * 5 / (2 * 5 + 7), of the others 0.
    assert row["macro_f1"].value == pytest.approx(10 / 17 / 3)
    assert row["macro_f1_difference"].value == pytest.approx(10 / 17 / 3 - (0.8 + 0.5 + 2 / 3) / 3)


def test_a_label_that_gold_lacks_costs_precision_but_not_the_denominator() -> None:
    labels = [("against", "against"), ("for", "neither"), ("for", "for"), ("against", "against")]
    row = evaluate(*simple(labels), options=POINTS).table("accuracy").row(predictor="model")
    # F1: against 1, for 2/3; neither is not in gold, so two labels count, not three.
    assert row["macro_f1"].value == pytest.approx((1 + 2 / 3) / 2)


def test_one_label_in_gold_has_no_macro_f1() -> None:
    made = evaluate(*simple([("for", "for"), ("for", "neither")]), options=POINTS)
    row = made.table("accuracy").row(predictor="model")
    assert row["macro_f1"].status == "undefined: no variation"
    assert row["accuracy"].value == 0.5


def test_baselines_are_judged_on_the_same_mentions() -> None:
    annotation_set, predictions = simple(KNOWN)
    part = predictions.iloc[:8]
    made = evaluate(annotation_set, predictions, baselines={"other tool": part}, options=POINTS)
    for row in made.table("accuracy"):
        assert row.counts["n_judged"] == 8
        assert row.counts["n_gold"] == 12
    other = made.table("accuracy").row(predictor="other tool")
    assert (other.counts["n_answered"], other.counts["n_missed"]) == (8, 4)
    assert other["macro_f1_difference"].value == 0


def test_unscored_mentions_are_counted_by_reason() -> None:
    annotation_set, predictions = simple(KNOWN)
    predictions["status"] = ["too long"] * 2 + ["ok"] * 10
    counts = evaluate(annotation_set, predictions, options=POINTS).table("accuracy").rows[0].counts
    assert counts["n_too_long"] == 2
    assert counts["n_judged"] == 10


def test_one_label_for_nearly_all_is_flagged() -> None:
    labels = [("for", "for")] * 9 + [("against", "for")]
    row = evaluate(*simple(labels), options=POINTS).table("agreement").row(predictor="model")
    assert row["dominant_share"].value == 0.9
    assert row.counts["is_dominated"] == 1
    # Of 20 labels 19 say the same: D_o = 2 / 20, D_e = 2 * 19 / (20 * 19), so alpha is 0.
    assert row["ac_predictor"].value is not None
    assert row["ac_predictor"].value > 0.8
    assert row["alpha_predictor"].value == 0


def test_one_annotator_leaves_agreement_with_the_predictor_only() -> None:
    made = evaluate(*simple(KNOWN), options=FAST)
    row = made.table("agreement").row(predictor="model", **OVERALL)
    assert row["alpha_predictor"].status == "ok"
    assert row["alpha_annotators"].status == "not estimable: one annotator"
    assert row["alpha_difference"].status == "not estimable: one annotator"
    assert row["macro_f1_annotators"].status == "not estimable: one annotator"
    assert row["winning_rate"].status == "not estimable: one annotator"


def test_groups_that_nobody_named_are_left_out() -> None:
    made = evaluate(*simple(KNOWN), options=FAST)
    assert {r.keys["voice"] for r in made.table("agreement")} == {ALL, "unknown"}
    alone = [r for r in made.table("agreement") if r.keys["voice"] != ALL]
    assert all(r.keys["target"] != ALL for r in alone)


def test_expected_calibration_error_by_hand() -> None:
    # Confidence .9 on four mentions of which two are right, .6 on two that are both right:
    # gaps .9 - .5 = .4 and .6 - 1 = -.4, so the error is (4 * .4 + 2 * .4) / 6 = .4.
    labels = [("for", "for")] * 2 + [("against", "for")] * 2 + [("for", "for"), ("for", "for")]
    annotation_set, predictions = simple(labels)
    predictions["p_stance_for"] = [0.9] * 4 + [0.6] * 2
    predictions["p_stance_neither"] = [0.1] * 4 + [0.4] * 2
    predictions["p_stance_against"] = 0.0
    made = evaluate(annotation_set, predictions, options=POINTS)
    row = made.table("calibration").row(predictor="model", target=ALL, language=ALL)
    assert row["ece_equal_width"].value == pytest.approx(0.4)
    assert row["confidence"].value == pytest.approx(0.8)
    assert row["is_true"].value == pytest.approx(4 / 6)
    # Brier: right at .9: .02, wrong at .9: .81 + .01 + 1, right at .6: .16 + .16
    assert row["brier"].value == pytest.approx((2 * 0.02 + 2 * 1.82 + 2 * 0.32) / 6)
    # The two wrong ones had probability 0 for gold, cut at 1e-12.
    loss = -(2 * math.log(0.9) + 2 * math.log(1e-12) + 2 * math.log(0.6)) / 6
    assert row["log_loss"].value == pytest.approx(loss)


def test_predictors_without_probabilities_are_not_calibrated() -> None:
    made = evaluate(*simple(KNOWN), options=POINTS)
    assert len(made.table("calibration")) == len(made.table("selective")) == 0


def test_selective_prediction_keeps_the_most_confident() -> None:
    labels = [("for", "for")] * 3 + [("against", "for")] * 3
    annotation_set, predictions = simple(labels)
    predictions["p_stance_for"] = [0.9, 0.8, 0.7, 0.6, 0.55, 0.5]
    predictions["p_stance_neither"] = 1 - predictions["p_stance_for"]
    predictions["p_stance_against"] = 0.0
    options = replace(POINTS, coverages=(1.0, 0.5))
    table = evaluate(annotation_set, predictions, options=options).table("selective")
    assert table.row(coverage="1")["accuracy"].value == 0.5
    half = table.row(coverage="0.5")
    assert half["accuracy"].value == 1
    assert half.numbers["threshold"] == 0.7


def test_bias_of_a_predictor_that_leans() -> None:
    # Two of twelve labelled one step too high, one two steps too low: (2 - 2) / 12; alone 2 / 12.
    labels = [("neither", "for")] * 2 + [("neither", "neither")] * 10
    table = evaluate(*simple(labels), options=POINTS).table("bias")
    assert table.row(label=ALL)["bias"].value == pytest.approx(2 / 12)
    assert table.row(label="for")["bias"].value == pytest.approx(2 / 12)
    assert table.row(label="neither")["bias"].value == pytest.approx(-2 / 12)


def test_bias_uses_expected_values_where_there_are_probabilities() -> None:
    annotation_set, predictions = simple([("for", "for")] * 6 + [("neither", "neither")] * 6)
    for name, p in zip(STANCE.names, (0.1, 0.2, 0.7), strict=True):
        predictions[f"p_stance_{name}"] = p
    table = evaluate(annotation_set, predictions, options=POINTS).table("bias")
    # Expected number .6, gold mean .5.
    assert table.row(label=ALL)["bias"].value == pytest.approx(0.1)


def test_spans_flagged_as_no_target_are_left_out_and_counted() -> None:
    annotation_set, predictions = simple(KNOWN)
    table = annotation_set.table.copy()
    table["not_target"] = [True, True] + [False] * 10
    flagged = replace(annotation_set, table=table)
    made = evaluate(flagged, predictions, options=POINTS)
    assert made.counts["n_not_target"] == 2
    assert made.table("accuracy").rows[0].counts["n_mentions"] == 10


def test_disagreements_come_with_what_a_reader_needs() -> None:
    labels = [("for", "against"), ("for", "neither"), ("for", "for"), ("against", "for")]
    made = evaluate(*simple(labels), options=POINTS)
    assert [d.distance for d in made.disagreements] == [1, 1, 0.5]
    first = made.disagreements[0]
    assert (first.gold, first.predicted) == ("for", "against")
    assert first.annotators == {"reader": "for"}
    assert first.surface == "Ankara"
    assert first.after.startswith(" hailed the grain deal")
    assert not first.is_ambiguous


def test_gold_may_be_given() -> None:
    annotation_set, predictions = simple(KNOWN)
    gold = pd.DataFrame(
        {
            "unit": predictions["unit"],
            "article_id": [unit.split(":")[0] for unit in predictions["unit"]],
            "target": "TR",
            "stance": predictions["stance"],
        }
    )
    made = evaluate(annotation_set, predictions, gold=gold, options=POINTS)
    assert made.table("accuracy").row(predictor="model")["accuracy"].value == 1


def test_a_blank_flag_in_gold_is_no_flag() -> None:
    annotation_set, predictions = simple(KNOWN)
    gold = adjudicate(annotation_set).assign(not_target=[1.0] + [math.nan] * 11)
    made = evaluate(annotation_set, predictions, gold=gold, options=POINTS)
    assert made.table("accuracy").rows[0].counts["n_mentions"] == 11
    assert made.counts["n_not_target"] == 1


def test_a_flag_in_gold_that_is_text_is_refused() -> None:
    annotation_set, predictions = simple(KNOWN)
    gold = adjudicate(annotation_set).assign(not_target="False")
    with pytest.raises(DataError, match="not_target must be True or False for every mention"):
        evaluate(annotation_set, predictions, gold=gold, options=POINTS)


def test_unknown_labels_stop_or_are_set_aside() -> None:
    annotation_set, predictions = simple(KNOWN)
    predictions.loc[0, "stance"] = "Against"
    with pytest.raises(DataError, match=r"model: variable 'stance' allows .* got 'Against'"):
        evaluate(annotation_set, predictions, options=POINTS)
    made = evaluate(annotation_set, predictions, options=replace(POINTS, unknown="set aside"))
    assert made.table("accuracy").rows[0].counts["n_unknown_label"] == 1


def test_a_unit_predicted_twice_is_refused() -> None:
    annotation_set, predictions = simple(KNOWN)
    with pytest.raises(DataError, match="1 row too many, such as"):
        evaluate(annotation_set, pd.concat([predictions, predictions.iloc[:1]]), options=POINTS)


def test_a_predictor_that_answers_nothing_is_refused() -> None:
    annotation_set, predictions = simple(KNOWN)
    with pytest.raises(DataError, match=r"model: answers for 'stance' .* got none \(12 missed\)"):
        evaluate(annotation_set, predictions.assign(unit="elsewhere"), options=POINTS)


@pytest.mark.parametrize(
    ("columns", "variables"), [(["unit"], ()), (["unit", "stance"], ("roles",))]
)
def test_something_must_be_both_coded_and_predicted(
    columns: list[str], variables: tuple[str, ...]
) -> None:
    annotation_set, predictions = simple(KNOWN)
    options = replace(POINTS, variables=variables)
    with pytest.raises(DataError, match="both coded and predicted; coded: stance"):
        evaluate(annotation_set, predictions[columns], options=options)


def test_baselines_need_names_of_their_own() -> None:
    annotation_set, predictions = simple(KNOWN)
    with pytest.raises(DataError, match="names of their own, got model"):
        evaluate(annotation_set, predictions, baselines={"model": predictions})


def test_groups_have_names() -> None:
    annotation_set, predictions = simple(KNOWN)
    options = replace(POINTS, breakdowns=(("weather",),))
    with pytest.raises(DataError, match="got weather"):
        evaluate(annotation_set, predictions, options=options)


def with_probabilities(predictions: pd.DataFrame, rows: Sequence[Sequence[float]]) -> pd.DataFrame:
    columns = {f"p_stance_{name}": [row[i] for row in rows] for i, name in enumerate(STANCE.names)}
    return predictions.assign(**columns)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param(
            (70.0, 20.0, 10.0),
            r"12 rows do not, such as article 0:0-6:TR \(70, 20, 10\)",
            id="per cent",
        ),
        pytest.param((0.7, 0.4, -0.1), "12 rows do not", id="below 0"),
        pytest.param((0.7, 0.2, 0.9), "and sum to 1; 12 rows do not", id="sum of 1.8"),
        pytest.param((0.7, 0.3, math.inf), "12 rows do not", id="infinite"),
    ],
)
def test_probabilities_that_are_none_are_refused(row: Sequence[float], message: str) -> None:
    annotation_set, predictions = simple(KNOWN)
    with pytest.raises(DataError, match=message):
        evaluate(annotation_set, with_probabilities(predictions, [row] * 12), options=POINTS)


def test_probabilities_may_be_rounded_and_missing() -> None:
    annotation_set, predictions = simple(KNOWN)
    rows = [(0.33, 0.33, 0.33)] * 11 + [(math.nan, 0.5, 0.5)]
    made = evaluate(annotation_set, with_probabilities(predictions, rows), options=POINTS)
    row = made.table("calibration").row(predictor="model", target=ALL, language=ALL)
    assert row.counts["n_forecasts"] == 11


def test_no_macro_f1_of_the_surest_where_their_gold_is_one_label() -> None:
    # The surest of twelve mentions, gold "against", answered rightly: anybody who says "against"
    # everywhere would have an F1 of 1 there.
    annotation_set, predictions = simple(KNOWN)
    rows = [(0.9, 0.05, 0.05)] + [(0.4, 0.3, 0.3)] * 11
    options = replace(POINTS, coverages=(1.0, 0.1))
    made = evaluate(annotation_set, with_probabilities(predictions, rows), options=options)
    surest = made.table("selective").row(predictor="model", coverage="0.1")
    assert surest["accuracy"].value == 1.0
    assert surest["macro_f1"].status == "undefined: no variation"
    everything = made.table("selective").row(predictor="model", coverage="1")
    assert everything["macro_f1"].value == pytest.approx((0.8 + 0.5 + 2 / 3) / 3)


@pytest.mark.parametrize(
    "change", [{"n_bins": 0}, {"half_width": 0.0}, {"max_groups": 0}, {"coverages": (0.0, 1.0)}]
)
def test_options_that_leave_nothing_to_see_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"were required, got|lie in \(0, 1\], got"):
        EvaluationOptions(**change)  # type: ignore[arg-type]


def test_gold_that_comes_twice_is_refused() -> None:
    annotation_set, predictions = simple(KNOWN)
    gold = adjudicate(annotation_set)
    twice = pd.concat([gold, gold.head(3).assign(stance="for")])
    with pytest.raises(DataError, match="gold: one row per unit was required, 3 rows too many"):
        evaluate(annotation_set, predictions, gold=twice, options=POINTS)
