"""Predictors compared on the same mentions, and what is said about which to use."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import default_codebook
from classifier.errors import DataError
from classifier.evaluation import Comparison, EvaluationOptions, compare, evaluate
from classifier.records import Article, Span

N_ARTICLES, PER = 40, 4
NAMES = ("unfavourable", "neutral", "favourable")
TEXT = "Turkey. " * PER
UNITS = [f"a{i}:{8 * j}-{8 * j + 6}:TR" for i in range(N_ARTICLES) for j in range(PER)]
TRUTH = [NAMES[(i * 7 + i // 5) % 3] for i in range(len(UNITS))]


def noised(share: float, seed: int) -> list[str]:
    """The truth with a share of labels replaced by the next one on the scale."""
    rng = np.random.default_rng(seed)
    wrong = set(rng.choice(len(UNITS), round(share * len(UNITS)), replace=False).tolist())
    turned = {"unfavourable": "neutral", "neutral": "favourable", "favourable": "neutral"}
    return [turned[label] if i in wrong else label for i, label in enumerate(TRUTH)]


def coded_by(**labels: Sequence[str]) -> AnnotationSet:
    codebook = default_codebook()
    articles = tuple(Article(f"a{i}", TEXT, "De Vliet", "en") for i in range(N_ARTICLES))
    annotations = [
        Annotation(
            f"a{i // PER}",
            Span(8 * (i % PER), 8 * (i % PER) + 6),
            "TR",
            "Turkey",
            name,
            {"stance": label},
        )
        for name, given in labels.items()
        for i, label in enumerate(given)
    ]
    return AnnotationSet(articles, annotation_table(annotations, codebook), codebook)


def labels(given: Sequence[str], **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    return pd.DataFrame({"unit": UNITS, "stance": list(given), **columns})


@pytest.fixture(scope="module")
def coded() -> AnnotationSet:
    return coded_by(anna=noised(0.05, 1), bram=noised(0.05, 2))


@pytest.fixture(scope="module")
def made(coded: AnnotationSet) -> Comparison:
    predictors = {
        "poor": labels(noised(0.5, 3), cost=0.002),
        "good": labels(noised(0.04, 4), cost=0.001),
        "fair": labels(noised(0.2, 5), cost=0.003),
    }
    return compare(coded, predictors)


def test_the_order_is_by_alpha_with_the_annotators(made: Comparison) -> None:
    assert made.order["stance"] == ("good", "fair", "poor")
    assert made.best["stance"] == ("good",)
    assert made.paragraph.startswith("For stance use good: its alpha with the annotators is .")


def test_alpha_is_the_mean_over_annotators(made: Comparison) -> None:
    with_each = [row["alpha"].value for row in made.annotators if row.keys["predictor"] == "good"]
    assert len(with_each) == 2
    shown = made.predictors.row(predictor="good")["alpha"].value
    assert shown == pytest.approx(np.mean([value for value in with_each if value is not None]))


def test_a_difference_is_that_of_the_two_figures(made: Comparison) -> None:
    row = made.pairs.row(measure="alpha", first="good", second="fair")
    two = [made.predictors.row(predictor=name)["alpha"].value for name in ("good", "fair")]
    assert row["difference"].value == pytest.approx((two[0] or 0) - (two[1] or 0))


def test_an_interval_leaves_out_zero_exactly_where_holm_rejects(coded: AnnotationSet) -> None:
    near = {f"m{seed}": labels(noised(0.1 + 0.06 * seed, seed)) for seed in range(5)}
    pairs = compare(coded, near).pairs.rows
    assert {row.counts["is_apart"] for row in pairs} == {0, 1}
    for row in pairs:
        low, high = row["difference"].low, row["difference"].high
        assert low is not None
        assert high is not None
        assert bool(row.counts["is_apart"]) == (low > 0 or high < 0)


def test_predictors_that_cannot_be_told_apart_are_both_named(coded: AnnotationSet) -> None:
    near = {
        "one": labels(noised(0.10, 8), cost=0.004),
        "two": labels(noised(0.10, 9), cost=0.001),
    }
    made = compare(coded, near)
    assert set(made.best["stance"]) == {"one", "two"}
    assert "cannot tell" in made.paragraph
    assert (
        "Of these two takes least: cost 1 a thousand mentions, against up to 4." in made.paragraph
    )


def test_a_winning_rate_beside_a_lower_alpha_is_explained() -> None:
    coded = coded_by(anna=noised(0.05, 1), bram=noised(0.05, 2))
    pair = {"noisy": labels(noised(0.15, 3)), "worse": labels(noised(0.6, 4))}
    made = compare(coded, pair)
    row = made.predictors.row(predictor="noisy")
    assert row["winning_rate"].value == 1.0
    high = row["alpha_difference"].high
    assert high is not None
    assert high < 0
    for said in ("is no contradiction", "epsilon = .15", "With two annotators", "15 points"):
        assert said in made.paragraph


def test_the_paragraph_stays_under_130_words_where_there_is_most_to_say() -> None:
    coded = coded_by(anna=noised(0.05, 1), bram=noised(0.05, 2))
    sure = {f"p_stance_{n}": [0.8 if n == t else 0.1 for t in TRUTH] for n in NAMES}
    made = compare(
        coded,
        {
            f"language model no. {i}": labels(noised(0.12 + 0.005 * i, i), cost=i, **sure)
            for i in range(1, 7)
        },
    )
    assert len(made.paragraph.split()) < 130
    assert "is no contradiction" in made.paragraph
    assert "With two annotators" in made.paragraph


def test_no_winning_rate_where_the_majority_class_passes_too() -> None:
    rare = ["neutral" if i % 16 else "favourable" for i in range(len(UNITS))]
    other = ["neutral" if i % 17 else "favourable" for i in range(len(UNITS))]
    coded = coded_by(anna=rare, bram=other)
    made = compare(coded, {"one": labels(rare[::-1]), "two": labels(other[::-1])})
    figure = made.predictors.row(predictor="one")["winning_rate"]
    assert figure.status == "not shown: the majority class passes too"
    assert "the majority class, which reads nothing, passes too" in made.paragraph


def test_a_copy_of_an_annotator_is_said_to_be_one_and_comes_last() -> None:
    anna, bram = noised(0.15, 1), noised(0.15, 2)
    coded = coded_by(anna=anna, bram=bram)
    made = compare(coded, {"copy": labels(anna), "own": labels(noised(0.3, 3))})
    assert made.order["stance"] == ("own", "copy")
    assert "copy gives the label of anna at 100% of the mentions" in made.paragraph
    assert made.paragraph.startswith("For stance use own")


def test_where_every_predictor_is_a_copy_none_is_recommended() -> None:
    anna, bram = noised(0.15, 1), noised(0.15, 2)
    coded = coded_by(anna=anna, bram=bram)
    made = compare(coded, {"one": labels(anna), "two": labels(bram)})
    assert made.paragraph.startswith("For stance no predictor can be recommended: each repeats")


def test_all_are_compared_on_the_mentions_that_all_answer(coded: AnnotationSet) -> None:
    few = labels(noised(0.2, 5)).head(100)
    made = compare(coded, {"few": few, "all": labels(noised(0.2, 6))})
    for row in made.predictors:
        assert row.counts["n_items"] == 100
    assert made.predictors.row(predictor="few").counts["n_not_answered"] == 60
    assert "coded mentions without an answer: few 60" in made.paragraph


def test_cost_is_told_a_thousand_mentions(made: Comparison) -> None:
    assert made.predictors.row(predictor="good").numbers == {
        "cost_per_thousand": pytest.approx(1.0)
    }


def test_chances_are_judged_where_there_are_any(coded: AnnotationSet) -> None:
    sure = {f"p_stance_{n}": [0.8 if n == t else 0.1 for t in TRUTH] for n in NAMES}
    made = compare(coded, {"a": labels(TRUTH, **sure), "b": labels(noised(0.2, 6))})
    assert made.predictors.row(predictor="a")["ece_equal_mass"].value == pytest.approx(
        0.2, abs=0.01
    )
    assert "Chances given are off by (ECE, lower is better): a .2" in made.paragraph


def test_one_annotator_gives_no_ceiling_and_says_so() -> None:
    coded = coded_by(anna=noised(0.05, 1))
    made = compare(coded, {"a": labels(noised(0.1, 3)), "b": labels(noised(0.4, 4))})
    assert made.order["stance"] == ("a", "b")
    assert "One annotator coded: how far people agree is unknown" in made.paragraph


def test_two_predictors_are_required(coded: AnnotationSet) -> None:
    with pytest.raises(DataError, match="two or more predictors were required"):
        compare(coded, {"one": labels(TRUTH)})
    with pytest.raises(DataError, match="mentions that all predictors answer were required"):
        compare(coded, {"a": labels(TRUTH).head(10), "b": labels(TRUTH).tail(10)})


def test_variables_that_nobody_answers_are_an_error(coded: AnnotationSet) -> None:
    options = EvaluationOptions(variables=("roles",))
    with pytest.raises(DataError, match="answered by two predictors; such are: stance"):
        compare(coded, {"a": labels(TRUTH), "b": labels(TRUTH)}, options=options)


def test_it_prints_as_a_table_for_a_paper(made: Comparison) -> None:
    lines = made.to_markdown().splitlines()
    assert lines[2].startswith("| variable | predictor | mentions | macro f1 | alpha |")
    assert "cost per thousand" in lines[2]
    assert made.to_dict()["best"] == {"stance": ["good"]}


def test_a_copy_of_an_annotator_is_said_to_be_one_by_evaluate_too() -> None:
    anna, bram = noised(0.15, 1), noised(0.15, 2)
    made = evaluate(coded_by(anna=anna, bram=bram), labels(anna))
    assert made.warnings[0].startswith("model gives the label of anna at 100% of the mentions")
    assert not evaluate(coded_by(anna=anna, bram=bram), labels(noised(0.15, 3))).warnings


def test_a_row_with_one_chance_missing_is_no_answer_and_counted() -> None:
    coded = coded_by(anna=noised(0.05, 1), bram=noised(0.05, 2))
    frame = labels(noised(0.1, 3))
    names = coded.codebook.variable("stance").names
    for name in names:
        frame[f"p_stance_{name}"] = (frame["stance"] == name).astype(float)
    frame.loc[0, f"p_stance_{names[0]}"] = float("nan")
    made = evaluate(coded, frame, options=EvaluationOptions(breakdowns=((),)))
    counts = made.table("accuracy").row(predictor="model").counts
    assert (counts["n_answered"], counts["n_some_chances_missing"]) == (159, 1)
