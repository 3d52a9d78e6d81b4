import math

import numpy as np
import pytest
from scipy import stats

from classifier.errors import DataError
from classifier.intervals import (
    FloatArray,
    IntervalOptions,
    article_totals,
    interval,
    jackknife_error,
    t_quantile,
)
from classifier.intervals._resampling import Interval, bootstrap_weights, leave_one_out


def mean(totals: FloatArray) -> FloatArray:
    """Mean per mention: column 0 the sum, column 1 the count."""
    ratio: FloatArray = totals[..., 0] / totals[..., 1]
    return ratio


def only_when_large(totals: FloatArray) -> FloatArray:
    return np.where(totals[..., 1] > 4, totals[..., 0], np.nan)


EQUAL_SIZES = np.array([[1.0, 1], [2, 1], [4, 1], [5, 1], [8, 1]])


def test_article_totals_keep_an_article_without_rows() -> None:
    totals = article_totals(np.ones((2, 1)), np.array([0, 2]), 3)
    assert totals.ravel().tolist() == [1, 0, 1]


def test_bootstrap_weights_draw_as_many_articles_as_there_are() -> None:
    weights = bootstrap_weights(7, 50, np.random.default_rng(1))
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_bootstrap_weights_repeat_with_the_seed() -> None:
    first, second = (bootstrap_weights(9, 5, np.random.default_rng(3)) for _ in range(2))
    assert (first == second).all()


def test_jackknife_error_of_a_mean_is_the_usual_standard_error() -> None:
    values = mean(leave_one_out(EQUAL_SIZES))
    expected = EQUAL_SIZES[:, 0].std(ddof=1) / math.sqrt(5)
    assert jackknife_error(values) == pytest.approx(expected)


def test_jackknife_interval_of_a_mean_is_the_usual_t_interval() -> None:
    made = interval(EQUAL_SIZES, mean, IntervalOptions(method="jackknife"))
    # mean 4, sd sqrt(7.5) = 2.738613, t(.975, 4) = 2.776445: 4 -+ 2.776445 * 2.738613 / sqrt 5
    assert made.low == pytest.approx(0.599563, abs=1e-6)
    assert made.high == pytest.approx(7.400437, abs=1e-6)


def test_bootstrap_interval_lies_inside_the_data() -> None:
    made = interval(EQUAL_SIZES, mean, IntervalOptions(method="bootstrap", seed=1))
    assert made.low is not None
    assert made.high is not None
    assert 1 <= made.low < 4 < made.high <= 8


def test_bootstrap_interval_repeats_with_the_seed() -> None:
    options = IntervalOptions(method="bootstrap", seed=5, n_draws=100)
    assert interval(EQUAL_SIZES, mean, options) == interval(EQUAL_SIZES, mean, options)


def test_the_linearised_interval_of_a_mean_of_equal_articles_is_the_usual_one() -> None:
    # 1, 2, 4, 5, 8: mean 4, variance 30 / 4, standard error sqrt(7.5 / 5), t with 4 degrees.
    made = interval(EQUAL_SIZES, mean, IntervalOptions(method="linearised"))
    assert made.error == pytest.approx(1.5**0.5)
    assert made.high == pytest.approx(4 + t_quantile(0.95, 4) * 1.5**0.5)


def test_interval_is_cut_to_the_range_of_the_figure() -> None:
    made = interval(EQUAL_SIZES, mean, IntervalOptions(), bounds=(1.0, 5.0))
    assert made[:3] == (1.0, 5.0, "ok")


@pytest.mark.parametrize(
    ("totals", "options", "status"),
    [
        pytest.param(EQUAL_SIZES[:3], IntervalOptions(), "too few: 3 articles", id="few"),
        pytest.param(EQUAL_SIZES, IntervalOptions(method="none"), "not asked for", id="none"),
        pytest.param(
            np.ones((6, 2)),
            IntervalOptions(),
            "undefined: no variation between articles",
            id="flat",
        ),
        pytest.param(
            np.ones((6, 2)),
            IntervalOptions(method="bootstrap", n_draws=20),
            "undefined: no variation between articles",
            id="flat draws",
        ),
    ],
)
def test_interval_says_why_there_is_none(
    totals: FloatArray, options: IntervalOptions, status: str
) -> None:
    assert interval(totals, mean, options) == Interval(None, None, status)


def test_jackknife_says_where_it_is_undefined() -> None:
    made = interval(EQUAL_SIZES, only_when_large, IntervalOptions())
    assert made.status == "undefined without 5 of 5 articles"


def test_bootstrap_says_in_how_many_draws_it_is_undefined() -> None:
    def undefined_without_the_first(totals: FloatArray) -> FloatArray:
        return np.where(totals[..., 0] >= 1000, totals[..., 1], np.nan)

    totals = np.column_stack([[1000.0, 0, 0, 0, 0, 0], np.ones(6)])
    options = IntervalOptions(method="bootstrap", n_draws=300)
    # the first article is missing from a draw with chance (5/6)^6 = .335
    status = interval(totals, undefined_without_the_first, options).status
    assert status.startswith("undefined in ")
    assert 70 < int(status.split()[2]) < 130
    assert status.endswith(" of 300 draws")


@pytest.mark.parametrize("df", [1, 3.7, 29, 400])
def test_t_quantile_is_that_of_scipy(df: float) -> None:
    assert t_quantile(0.9, df) == pytest.approx(stats.t.ppf(0.95, df), rel=1e-9)


def test_t_quantile_with_infinite_df_is_normal() -> None:
    assert t_quantile(0.95, math.inf) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_options_refuse_an_impossible_confidence(confidence: float) -> None:
    with pytest.raises(DataError, match=f"between 0 and 1, got {confidence}"):
        IntervalOptions(confidence=confidence)


def test_options_refuse_too_few_draws_or_articles() -> None:
    with pytest.raises(DataError, match="got n_draws=0, min_articles=5"):
        IntervalOptions(n_draws=0)
    with pytest.raises(DataError, match="got n_draws=2000, min_articles=1"):
        IntervalOptions(min_articles=1)


def test_a_seed_below_0_is_refused() -> None:
    with pytest.raises(DataError, match=r"a seed from 0 up, got .*, seed=-1"):
        IntervalOptions(method="bootstrap", seed=-1)
