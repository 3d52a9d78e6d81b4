"""Predictors against annotators and gold, on a made-up panel whose figures are known."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import jsonschema
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from classifier import agreement, evaluation
from classifier.agreement import AgreementOptions
from classifier.annotations import (
    Annotation,
    AnnotationSet,
    annotation_table,
    long_table,
    unit_name,
)
from classifier.codebook import Codebook, Label, Target, Variable
from classifier.errors import DataError
from classifier.evaluation import ALL, MAJORITY, Evaluation, EvaluationOptions, evaluate
from classifier.records import Article, Span
from classifier.resampling import IntervalOptions

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

Codes = Mapping[str, str | None]


class Mention(NamedTuple):
    article: str
    place: int
    stances: Codes
    """What each annotator said, by annotator."""
    roles: Mapping[str, frozenset[str]]
    target: str = "TR"

    @property
    def span(self) -> Span:
        start = self.place * len(SENTENCE)
        return Span(start, start + 6)

    @property
    def unit(self) -> str:
        return unit_name(self.article, self.span.start, self.span.end, self.target)


def panel(mentions: Sequence[Mention]) -> AnnotationSet:
    articles = [
        Article(name, SENTENCE * 20, source=f"source {i % 2}", language="en")
        for i, name in enumerate(dict.fromkeys(m.article for m in mentions))
    ]
    annotations = [
        Annotation(
            m.article,
            m.span,
            m.target,
            "Ankara",
            name,
            {"stance": m.stances.get(name), "roles": m.roles.get(name)},
        )
        for m in mentions
        for name in dict.fromkeys([*m.stances, *m.roles])
    ]
    return AnnotationSet(tuple(articles), annotation_table(annotations, CODEBOOK), CODEBOOK)


def random_panel(seed: int = 0, n_articles: int = 12) -> tuple[AnnotationSet, pd.DataFrame]:
    """Three annotators who err, and a predictor with probabilities that errs as they do."""
    rng = np.random.default_rng(seed)
    mentions, rows = [], []
    for article in range(n_articles):
        for place in range(int(rng.integers(2, 8))):
            truth = int(rng.integers(3))
            roles = frozenset(name for name in ROLES.names if rng.random() < 0.4)
            mention = Mention(
                f"article {article}",
                place,
                {f"annotator {a}": _noisy(truth, rng) for a in range(3) if rng.random() < 0.85},
                {f"annotator {a}": roles if rng.random() < 0.7 else frozenset() for a in range(3)},
                "TR" if rng.random() < 0.5 else "UA",
            )
            mentions.append(mention)
            rows.append(_prediction(mention, _noisy(truth, rng), roles, rng))
    return panel(mentions), pd.DataFrame(rows)


def _noisy(truth: int, rng: np.random.Generator) -> str:
    return STANCE.names[truth if rng.random() < 0.75 else int(rng.integers(3))]


def _prediction(
    mention: Mention, stance: str, roles: frozenset[str], rng: np.random.Generator
) -> dict[str, object]:
    probabilities = rng.dirichlet(np.where(np.array(STANCE.names) == stance, 6.0, 1.0))
    return {
        "unit": mention.unit,
        "article_id": mention.article,
        "start": mention.span.start,
        "end": mention.span.end,
        "target": mention.target,
        "voice": "author" if mention.place % 2 else "quoted",
        "stance": STANCE.names[int(probabilities.argmax())],
        "roles": sorted(roles),
        "status": "ok",
        **{f"p_stance_{n}": p for n, p in zip(STANCE.names, probabilities, strict=True)},
        **{f"p_roles_{n}": 0.9 if n in roles else 0.2 for n in ROLES.names},
    }


def simple(
    labels: Sequence[tuple[str, str]], articles: int = 6
) -> tuple[AnnotationSet, pd.DataFrame]:
    """One annotator's stance and the predicted one, spread over articles."""
    mentions = [
        Mention(f"article {i % articles}", i // articles, {"reader": gold}, {})
        for i, (gold, _) in enumerate(labels)
    ]
    predicted = [label for _, label in labels]
    units = [m.unit for m in mentions]
    return panel(mentions), pd.DataFrame({"unit": units, "stance": predicted})


@pytest.fixture(scope="module")
def random_set() -> tuple[AnnotationSet, pd.DataFrame]:
    return random_panel()


@pytest.fixture(scope="module")
def judged(random_set: tuple[AnnotationSet, pd.DataFrame]) -> Evaluation:
    annotation_set, predictions = random_set
    return evaluate(annotation_set, predictions, options=FAST)


# Confusion of gold (rows) and predictions (columns), against, neither, for:
# 4 1 0 / 1 2 1 / 0 1 2. F1 = 8/10, 4/8, 4/6.
KNOWN = (
    [("against", "against")] * 4
    + [("against", "neither"), ("neither", "against")]
    + [("neither", "neither")] * 2
    + [("neither", "for"), ("for", "neither")]
    + [("for", "for")] * 2
)


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


def test_figures_are_those_of_scikit_learn(
    random_set: tuple[AnnotationSet, pd.DataFrame], judged: Evaluation
) -> None:
    annotation_set, predictions = random_set
    gold, said, p = _settled(annotation_set, predictions)
    row = judged.table("accuracy").row(variable="stance", predictor="model")
    assert row["accuracy"].value == pytest.approx(metrics.accuracy_score(gold, said))
    names = list(STANCE.names)
    assert row["macro_f1"].value == pytest.approx(
        metrics.f1_score(gold, said, labels=names, average="macro")
    )
    calibration = judged.table("calibration").row(
        variable="stance", predictor="model", target=ALL, language=ALL
    )
    one_hot = np.array([[g == n for n in names] for g in gold], dtype=float)
    assert calibration["log_loss"].value == pytest.approx(metrics.log_loss(one_hot, p))
    assert calibration["brier"].value == pytest.approx(
        metrics.brier_score_loss(one_hot, p, scale_by_half=False)
    )


def _settled(
    annotation_set: AnnotationSet, predictions: pd.DataFrame
) -> tuple[list[str], list[str], "np.typing.NDArray[np.float64]"]:
    votes = (
        long_table(annotation_set, "stance")
        .groupby("unit")["label"]
        .agg(lambda labels: labels.mode().tolist())
    )
    majority = {unit: modes[0] for unit, modes in votes.items() if len(modes) == 1}
    rows = predictions[predictions["unit"].isin(majority)]
    p = rows[[f"p_stance_{name}" for name in STANCE.names]].to_numpy()
    return [majority[unit] for unit in rows["unit"]], rows["stance"].tolist(), p


def test_agreement_beside_annotators_is_the_mean_of_leave_one_out_alphas(
    random_set: tuple[AnnotationSet, pd.DataFrame], judged: Evaluation
) -> None:
    # The slow way: for every left-out annotator and every other, alpha on the items of all three.
    annotation_set, predictions = random_set
    table = long_table(annotation_set, "stance")
    grid = table.set_index(["unit", "annotator"])["label"].unstack()  # noqa: PD010 (one cell each)
    grid["model"] = predictions.set_index("unit")["stance"]
    expected: dict[str, list[float]] = {"model": [], "annotator": []}
    names = sorted(annotation_set.annotators)
    for left_out in names:
        for other in [name for name in names if name != left_out]:
            shared = grid[[left_out, other, "model"]].dropna()
            for kind, column in (("model", "model"), ("annotator", left_out)):
                value = _alpha(shared[[column, other]])
                expected[kind].append(value)
    row = judged.table("agreement").row(variable="stance", predictor="model", **OVERALL)
    means = {kind: float(np.mean(values)) for kind, values in expected.items()}
    assert row["alpha_predictor"].value == pytest.approx(means["model"])
    assert row["alpha_annotators"].value == pytest.approx(means["annotator"])
    assert row["alpha_difference"].value == pytest.approx(means["model"] - means["annotator"])


def _alpha(grid: pd.DataFrame) -> float:
    long = grid.melt(ignore_index=False, var_name="annotator", value_name="label").reset_index()
    long["article"] = long["unit"]
    options = AgreementOptions(interval=IntervalOptions(method="none"))
    value = agreement.alpha(long, STANCE, options=options).value
    assert value is not None
    return value


def test_a_predictor_that_repeats_an_annotator_is_exchangeable() -> None:
    annotation_set, _ = random_panel(3)
    table = long_table(annotation_set, "stance")
    first = table[table["annotator"] == "annotator 0"]
    copied = pd.DataFrame({"unit": first["unit"], "stance": first["label"]})
    made = evaluate(annotation_set, copied, options=replace(POINTS, variables=("stance",)))
    row = made.table("annotators").row(annotator="annotator 0")
    assert row["macro_f1_difference"].value == 0
    assert row.numbers["predictor_share"] == row.numbers["annotator_share"] == 1


def test_one_annotator_leaves_agreement_with_the_predictor_only() -> None:
    made = evaluate(*simple(KNOWN), options=FAST)
    row = made.table("agreement").row(predictor="model", **OVERALL)
    assert row["alpha_predictor"].status == "ok"
    assert row["alpha_annotators"].status == "not estimable: one annotator"
    assert row["alpha_difference"].status == "not estimable: one annotator"
    assert row["winning_rate"].status == "not estimable: one annotator"


def test_annotators_without_common_mentions_do_not_overlap() -> None:
    mentions = [
        Mention(f"article {i}", 0, {f"annotator {i % 2}": label}, {})
        for i, label in enumerate(["for", "against"] * 4)
    ]
    predictions = pd.DataFrame({"unit": [m.unit for m in mentions], "stance": "for"})
    made = evaluate(panel(mentions), predictions, options=FAST)
    row = made.table("agreement").row(predictor="model", **OVERALL)
    assert row["alpha_annotators"].status == "no overlap"
    assert row["alpha_all"].status == "no overlap"


def test_every_group_is_there_beside_the_whole(judged: Evaluation) -> None:
    rows = [r.keys for r in judged.table("agreement") if r.keys["predictor"] == "model"]
    stance = [r for r in rows if r["variable"] == "stance"]
    assert {r["target"] for r in stance} == {ALL, "TR", "UA"}
    assert {r["source"] for r in stance} == {ALL, "source 0", "source 1"}
    assert {r["voice"] for r in stance} == {ALL, "author", "quoted"}


def test_groups_that_nobody_named_are_left_out() -> None:
    made = evaluate(*simple(KNOWN), options=FAST)
    assert {r.keys["voice"] for r in made.table("agreement")} == {ALL, "unknown"}
    alone = [r for r in made.table("agreement") if r.keys["voice"] != ALL]
    assert all(r.keys["target"] != ALL for r in alone)


def test_groups_with_few_articles_have_values_without_intervals(judged: Evaluation) -> None:
    for row in judged.table("agreement"):
        figure = row["alpha_all"]
        if figure.value is not None and figure.n_articles < 5:
            assert figure.interval_status == f"too few: {figure.n_articles} articles"


def test_frames_have_masi_alpha_and_a_row_per_label(judged: Evaluation) -> None:
    whole = judged.table("agreement").row(variable="roles", predictor="model", **OVERALL)
    assert "masi" in whole["alpha_all"].method
    labels = [
        r.keys["label"] for r in judged.table("label_agreement") if r.keys["variable"] == "roles"
    ]
    assert labels == list(ROLES.names)
    shares = judged.table("labels").row(variable="roles", predictor="model", label="victim")
    assert shares["share_gold"].value is not None
    empty = [r for r in judged.table("confusion") if r.keys["label"] == "no label"]
    assert empty


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


def test_reliability_bins_hold_all_forecasts(judged: Evaluation) -> None:
    rows = [
        r
        for r in judged.table("reliability")
        if r.keys["variable"] == "stance" and r.keys["bins"] == "equal mass"
    ]
    n = judged.table("accuracy").row(variable="stance", predictor="model").counts["n_gold"]
    assert sum(r.counts["n"] for r in rows) == n
    assert max(r.counts["n"] for r in rows) - min(r.counts["n"] for r in rows) <= 1


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


def test_mentions_found_missed_and_invented() -> None:
    annotation_set, predictions = random_panel(1)
    found = predictions.iloc[2:]
    invented = predictions.iloc[:1].assign(start=900, end=906, unit="elsewhere")
    made = evaluate(annotation_set, pd.concat([found, invented]), options=POINTS)
    row = made.table("mentions").row(target=ALL)
    n = len(predictions)
    assert row["strict_recall"].value == pytest.approx((n - 2) / n)
    assert row["strict_precision"].value == pytest.approx((n - 2) / (n - 1))


def test_spans_flagged_as_no_target_are_left_out_and_counted() -> None:
    annotation_set, predictions = simple(KNOWN)
    table = annotation_set.table.copy()
    table["not_target"] = [True, True] + [False] * 10
    flagged = replace(annotation_set, table=table)
    made = evaluate(flagged, predictions, options=POINTS)
    assert made.counts["n_not_target"] == 2
    assert made.table("accuracy").rows[0].counts["n_mentions"] == 10


def test_learning_curve_projects_the_articles_for_a_wished_half_width(judged: Evaluation) -> None:
    row = judged.table("learning_curve").row(variable="stance", measure="alpha", articles="12")
    half = row.numbers["half_width"]
    assert row.numbers["needed"] == math.ceil(12 * (half / 0.1) ** 2)
    smaller = judged.table("learning_curve").row(variable="stance", measure="alpha", articles="10")
    assert smaller.numbers["half_width"] > half


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


def test_disagreements_that_annotators_share_come_last(judged: Evaluation) -> None:
    stance = [d.is_ambiguous for d in judged.disagreements if d.variable == "stance"]
    assert stance == sorted(stance)
    assert True in stance


def test_ties_are_counted_and_not_judged() -> None:
    mentions = [
        Mention("article", 0, {"x": "for", "y": "against"}, {}),
        Mention("article", 1, {"x": "for", "y": "for"}, {}),
    ]
    predictions = pd.DataFrame({"unit": [m.unit for m in mentions], "stance": ["for", "for"]})
    counts = evaluate(panel(mentions), predictions, options=POINTS).table("accuracy").rows[0].counts
    assert (counts["n_gold_tie"], counts["n_gold"]) == (1, 1)


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


def test_stories_are_resampled_whole_on_request() -> None:
    annotation_set, predictions = random_panel(2)
    wired = tuple(replace(a, story_id="wire") for a in annotation_set.articles)
    one_story = replace(annotation_set, articles=wired)
    options = replace(FAST, cluster="story", breakdowns=((),))
    made = evaluate(one_story, predictions, options=options)
    row = made.table("accuracy").row(variable="stance", predictor="model")
    assert row["accuracy"].interval_status == "too few: 1 articles"
    whole = made.table("agreement").row(variable="stance", predictor="model", **OVERALL)
    assert whole["alpha_all"].interval_status == "too few: 1 articles"


def test_unknown_labels_stop_or_are_set_aside() -> None:
    annotation_set, predictions = simple(KNOWN)
    predictions.loc[0, "stance"] = "Against"
    with pytest.raises(DataError, match=r"model: variable 'stance' allows .* got 'Against'"):
        evaluate(annotation_set, predictions, options=POINTS)
    made = evaluate(annotation_set, predictions, options=replace(POINTS, unknown="set aside"))
    assert made.table("accuracy").rows[0].counts["n_unknown_label"] == 1


def test_a_unit_predicted_twice_is_refused() -> None:
    annotation_set, predictions = simple(KNOWN)
    with pytest.raises(DataError, match="1 units come again"):
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


def test_a_bare_name_for_a_set_is_refused() -> None:
    annotation_set, predictions = random_panel(0)
    with pytest.raises(DataError, match="a list was required, got 'victim'"):
        evaluate(annotation_set, predictions.assign(roles="victim"), options=POINTS)


def test_groups_have_names() -> None:
    annotation_set, predictions = simple(KNOWN)
    options = replace(POINTS, breakdowns=(("weather",),))
    with pytest.raises(DataError, match="got weather"):
        evaluate(annotation_set, predictions, options=options)


def test_evaluation_validates_against_its_schema(judged: Evaluation) -> None:
    record = json.loads(json.dumps(judged.to_dict(), allow_nan=False))
    jsonschema.Draft202012Validator.check_schema(evaluation.schema())
    jsonschema.validate(record, evaluation.schema())


def test_schema_refuses_a_value_that_is_not_ok(judged: Evaluation) -> None:
    record = json.loads(json.dumps(judged.to_dict()))
    record["tables"]["accuracy"][0]["estimates"]["accuracy"]["value"] = None
    with pytest.raises(jsonschema.ValidationError, match="None is not of type 'number'"):
        jsonschema.validate(record, evaluation.schema())


def test_tables_are_found_by_name_and_rows_by_keys(judged: Evaluation) -> None:
    assert "macro_f1_low" in judged.to_frame("accuracy").columns
    with pytest.raises(DataError, match="has the tables accuracy, labels"):
        judged.table("weather")
    with pytest.raises(DataError, match=r"'accuracy' has 0 rows with"):
        judged.table("accuracy").row(predictor="nobody")
    with pytest.raises(DataError, match=r"this row has the figures .* got 'charm'"):
        judged.table("accuracy").rows[0]["charm"]


def test_the_order_of_predictions_does_not_matter(
    random_set: tuple[AnnotationSet, pd.DataFrame], judged: Evaluation
) -> None:
    annotation_set, predictions = random_set
    shuffled = predictions.sample(frac=1, random_state=1)
    again = evaluate(annotation_set, shuffled, options=FAST)
    assert again.to_dict() == judged.to_dict()
