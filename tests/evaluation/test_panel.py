"""Predictors beside three annotators who err: against slow recomputation, and in words."""

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
from classifier.evaluation import Evaluation, EvaluationOptions, evaluate
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


@pytest.fixture(scope="module")
def random_set() -> tuple[AnnotationSet, pd.DataFrame]:
    return random_panel()


@pytest.fixture(scope="module")
def judged(random_set: tuple[AnnotationSet, pd.DataFrame]) -> Evaluation:
    annotation_set, predictions = random_set
    return evaluate(annotation_set, predictions, options=FAST)


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


def _alpha(grid: pd.DataFrame) -> float:
    long = grid.melt(ignore_index=False, var_name="annotator", value_name="label").reset_index()
    long["article"] = long["unit"]
    options = AgreementOptions(interval=IntervalOptions(method="none"))
    value = agreement.alpha(long, STANCE, options=options).value
    assert value is not None
    return value


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


def test_a_predictor_that_repeats_an_annotator_is_exchangeable() -> None:
    annotation_set, _ = random_panel(3)
    table = long_table(annotation_set, "stance")
    first = table[table["annotator"] == "annotator 0"]
    copied = pd.DataFrame({"unit": first["unit"], "stance": first["label"]})
    made = evaluate(annotation_set, copied, options=replace(POINTS, variables=("stance",)))
    row = made.table("annotators").row(annotator="annotator 0")
    assert row["macro_f1_difference"].value == 0
    assert row.numbers["predictor_share"] == row.numbers["annotator_share"] == 1


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


def test_where_any_entity_may_be_a_target_there_is_no_row_for_each() -> None:
    annotation_set, predictions = random_panel(4)
    anyone = replace(annotation_set, codebook=replace(CODEBOOK, targets=()))
    made = evaluate(anyone, predictions, options=FAST)
    for name in ("agreement", "calibration", "bias", "mentions"):
        assert {row.keys["target"] for row in made.table(name)} == {ALL}


def test_the_largest_groups_are_kept_and_the_others_counted() -> None:
    annotation_set, predictions = random_panel(5)
    options = replace(FAST, breakdowns=((), ("source",), ("voice",)), max_groups=1)
    made = evaluate(annotation_set, predictions, options=options)
    assert made.counts["n_groups_left_out"] == 2
    kept = {r.keys["voice"] for r in made.table("agreement")} - {ALL}
    # Mentions alternate between the voices, beginning with quoted.
    assert kept == {"quoted"}


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


def test_reliability_bins_hold_all_forecasts(judged: Evaluation) -> None:
    rows = [
        r
        for r in judged.table("reliability")
        if r.keys["variable"] == "stance" and r.keys["bins"] == "equal mass"
    ]
    n = judged.table("accuracy").row(variable="stance", predictor="model").counts["n_gold"]
    assert sum(r.counts["n"] for r in rows) == n
    assert max(r.counts["n"] for r in rows) - min(r.counts["n"] for r in rows) <= 1


def test_mentions_found_missed_and_invented() -> None:
    annotation_set, predictions = random_panel(1)
    found = predictions.iloc[2:]
    invented = predictions.iloc[:1].assign(start=900, end=906, unit="elsewhere")
    made = evaluate(annotation_set, pd.concat([found, invented]), options=POINTS)
    row = made.table("mentions").row(target=ALL)
    n = len(predictions)
    assert row["strict_recall"].value == pytest.approx((n - 2) / n)
    assert row["strict_precision"].value == pytest.approx((n - 2) / (n - 1))


def test_learning_curve_projects_the_articles_for_a_wished_half_width(judged: Evaluation) -> None:
    row = judged.table("learning_curve").row(variable="stance", measure="alpha", articles="12")
    half = row.numbers["half_width"]
    assert row.numbers["needed"] == math.ceil(12 * (half / 0.1) ** 2)
    smaller = judged.table("learning_curve").row(variable="stance", measure="alpha", articles="10")
    assert smaller.numbers["half_width"] > half


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


def test_stories_are_resampled_whole_on_request() -> None:
    annotation_set, predictions = random_panel(2)
    wired = tuple(replace(a, story_id="wire") for a in annotation_set.articles)
    one_story = replace(annotation_set, articles=wired)
    options = replace(FAST, cluster="story", breakdowns=((),))
    made = evaluate(one_story, predictions, options=options)
    row = made.table("accuracy").row(variable="stance", predictor="model")
    assert row["accuracy"].interval_status == "too few: 1 article"
    whole = made.table("agreement").row(variable="stance", predictor="model", **OVERALL)
    assert whole["alpha_all"].interval_status == "too few: 1 article"


def test_a_bare_name_for_a_set_is_refused() -> None:
    annotation_set, predictions = random_panel(0)
    with pytest.raises(DataError, match="a list was required, got 'victim'"):
        evaluate(annotation_set, predictions.assign(roles="victim"), options=POINTS)


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


def test_no_macro_f1_against_others_who_all_say_one_label() -> None:
    # Whoever says "for" throughout would score 1.
    names = ("x", "y", "z")
    mentions = [
        Mention(f"a{i}", 0, dict.fromkeys(names, "for"), dict.fromkeys(names, frozenset()))
        for i in range(6)
    ]
    predictions = pd.DataFrame({"unit": [m.unit for m in mentions], "stance": "for"})
    made = evaluate(panel(mentions), predictions, options=POINTS)
    row = made.table("agreement").row(**OVERALL, predictor="model")
    assert row["macro_f1_predictor"].status == "undefined: no variation"
    assert row["macro_f1_annotators"].status == "undefined: no variation"


def test_units_without_any_role_count_beside_annotators() -> None:
    # Three of six have a role, and everybody says so: the other three are no less compared.
    said = [frozenset({"victim"}), frozenset[str]()] * 3
    mentions = [Mention(f"a{i}", 0, {}, {"x": s, "y": s}) for i, s in enumerate(said)]
    predictions = pd.DataFrame({"unit": [m.unit for m in mentions], "roles": map(sorted, said)})
    made = evaluate(panel(mentions), predictions, options=POINTS)
    figure = made.table("agreement").row(**OVERALL, predictor="model")["macro_f1_predictor"]
    assert (figure.value, figure.n_items, figure.n_articles) == (1.0, 6, 6)


def test_a_predictor_that_meets_no_annotator_has_no_row_beside_them() -> None:
    # Gold, adjudicated elsewhere, has a mention of a1 that neither x nor y coded; the model answers
    # that one only, so nothing can be said of it beside x and y.
    said = {"x": "for", "y": "against"}
    mentions = [Mention("a0", 0, said, {}), Mention("a1", 0, said, {})]
    annotation_set = panel(mentions)
    more = Mention("a1", 1, {}, {})
    gold = pd.DataFrame(
        {
            "unit": [m.unit for m in (*mentions, more)],
            "article_id": ["a0", "a1", "a1"],
            "target": "TR",
            "stance": ["for", "against", "for"],
        }
    )
    predictions = pd.DataFrame({"unit": [more.unit], "stance": ["for"]})
    made = evaluate(annotation_set, predictions, gold=gold, options=POINTS)
    assert not [r for r in made.table("agreement") if r.keys["predictor"] == "model"]
    assert not list(made.table("annotators"))
