import numpy as np
import pandas as pd
import pytest

from classifier.errors import DataError
from classifier.intervals import (
    InferenceOptions,
    Sampling,
    corrected_mean,
    corrected_regression,
    labelled_mean,
)

NAMES = [f"a{i:02d}" for i in range(20)]


def ones(n: int = 20) -> pd.DataFrame:
    """A design with nothing but an intercept."""
    return pd.DataFrame({"intercept": np.ones(n)})


def test_an_intercept_alone_is_the_labels_mean_moved_by_lambda_times_the_scores() -> None:
    # Coded: labels 0 and 1 five times each, scores half the label: λ = 1 after its clip at 1.
    label = np.array([0.0, 1.0] * 5 + [np.nan] * 10)
    score = np.array([0.0, 0.5] * 5 + [0.5] * 10)
    fit = corrected_regression(ones(), score, label, NAMES)
    assert fit.model_weight == 1
    # Mean score over all (2.5 + 5) / 20 = .375, of the coded .25: .5 + .375 - .25.
    assert fit.coefficients[0].value == pytest.approx(0.625)


def test_a_useless_score_leaves_the_labels_mean() -> None:
    label = np.array([0.0, 1.0] * 5 + [np.nan] * 10)
    fit = corrected_regression(ones(), np.zeros(20), label, NAMES)
    estimate = fit.coefficients[0]
    assert fit.model_weight == 0
    assert estimate.value == pytest.approx(0.5)
    # Pseudo-outcomes .5 ± 1 on the coded: 10 · 1 / 20² = .025, times 10/9 · 20/19.
    assert estimate.standard_error == pytest.approx(np.sqrt(0.025 * 10 / 9 * 20 / 19))
    assert estimate.degrees_of_freedom == pytest.approx(9)
    alone = labelled_mean(label, NAMES)
    assert alone.standard_error == pytest.approx(np.sqrt(0.25 / 9))
    assert estimate.standard_error == pytest.approx(alone.standard_error * np.sqrt(20 / 19))


def test_a_group_differs_by_the_difference_of_its_means() -> None:
    group = np.repeat([0.0, 1.0], 20)
    coded = np.tile(np.repeat([True, False], 10), 2)
    label = np.where(group == 1, np.tile([1.0, 0.0, 0.0, 0.0], 10), np.tile([1.0, 0.0], 20))
    design = pd.DataFrame({"intercept": np.ones(40), "source B": group})
    names = [f"a{i:02d}" for i in range(40)]
    fit = corrected_regression(design, np.zeros(40), np.where(coded, label, np.nan), names)
    # Coded means: 5 of 10, and 3 of 10 (1 0 0 0 1 0 0 0 1 0).
    assert [c.value for c in fit.coefficients] == pytest.approx([0.5, -0.2])
    # 20 coded articles weigh evenly in the difference, 10 in the first group's mean.
    freedoms = [c.degrees_of_freedom for c in fit.coefficients]
    assert freedoms == pytest.approx([10 * 18 / 20, 18])


def test_unequal_chances_weigh_by_their_inverse() -> None:
    label = np.array([1.0] * 8 + [0.0] * 8 + [np.nan] * 16)
    chance = np.array([0.5] * 8 + [1.0] * 8 + [0.5] * 16)
    names = [f"a{i:02d}" for i in range(32)]
    fit = corrected_regression(
        ones(32),
        np.zeros(32),
        label,
        names,
        sampling=Sampling(probability=chance),
    )
    # δ is the weighted mean 16 / 24, and nothing is left to correct.
    assert fit.coefficients[0].value == pytest.approx(2 / 3)


def test_a_false_mention_does_not_count() -> None:
    label = np.array([1.0, 0.0] * 5 + [0.0] * 10)
    false = np.arange(20) >= 10
    fit = corrected_regression(
        ones(), np.zeros(20), label, NAMES, sampling=Sampling(is_false=false)
    )
    assert fit.coefficients[0].value == pytest.approx(0.5)


def test_articles_count_alike_if_asked() -> None:
    # Article 0 has three mentions of 1, nine others one mention of 0: 3 of 12, or 1 of 10.
    article = [0, 0, 0, *range(1, 10)]
    label = np.array([1.0] * 3 + [0.0] * 9)
    means = {}
    for estimand in ("mention", "article"):
        options = InferenceOptions(estimand=estimand)
        fit = corrected_regression(ones(12), np.zeros(12), label, article, options=options)
        means[estimand] = (fit.coefficients[0].value, fit.coefficients[0].status)
    assert means["mention"][0] is None  # one article weighs like three
    value, status = means["article"]
    assert value == pytest.approx(0.1)
    assert status == "ok"


def test_the_intercept_is_close_to_the_corrected_mean() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice([-1.0, 0.0, 1.0], 300)
    score = np.clip(label + rng.normal(0.3, 0.5, 300), -1, 1)
    coded = np.where(np.arange(300) < 60, label, np.nan)
    names = [f"a{i:03d}" for i in range(300)]
    estimate = corrected_regression(ones(300), score, coded, names).coefficients[0]
    mean = corrected_mean(score, coded, names)
    assert mean.value is not None
    assert mean.standard_error is not None
    assert estimate.value == pytest.approx(mean.value, abs=0.02)
    assert estimate.standard_error == pytest.approx(mean.standard_error, rel=0.1)


def test_a_group_without_coded_articles_is_refused_by_name() -> None:
    group = np.repeat([0.0, 1.0], 10)
    label = np.where(group == 0, np.tile([0.0, 1.0], 10), np.nan)
    design = pd.DataFrame({"intercept": np.ones(20), "source B": group})
    with pytest.raises(DataError, match=r"coded mentions cannot tell .* others: source B; code"):
        corrected_regression(design, np.zeros(20), label, NAMES)


def test_a_coefficient_of_few_coded_articles_is_withheld() -> None:
    group = np.repeat([0.0, 1.0], [16, 4])
    design = pd.DataFrame({"intercept": np.ones(20), "source B": group})
    fit = corrected_regression(design, np.zeros(20), np.tile([0.0, 1.0], 10), NAMES)
    # 1/16 sixteen times and 1/4 four times: (1/16 + 1/4)² / (1/16³ + 1/4³) = 6.2.
    assert fit.coefficients[0].status == "ok"
    assert fit.coefficients[1].status.startswith("too few: rests on 20 coded articles that weigh")
    assert "like 6.2 here, 8 needed" in fit.coefficients[1].status


def test_no_coded_article_is_refused() -> None:
    with pytest.raises(DataError, match="needs labels of some of the mentions, got none"):
        corrected_regression(ones(), np.zeros(20), np.full(20, np.nan), NAMES)


def test_a_regression_about_these_articles_only_is_refused() -> None:
    options = InferenceOptions(population="corpus")
    with pytest.raises(DataError, match="population 'source' is required"):
        corrected_regression(ones(), np.zeros(20), np.zeros(20), NAMES, options=options)
