"""Intervals from resampling whole articles, for any figure that is a function of article totals.

Mentions of one article share its author, its event and its errors, so an interval that resamples
mentions is too narrow. Here each article is one row of sums, and a resample is a weighting of rows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from classifier.errors import DataError
from classifier.records import Estimate, counted

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Statistic = Callable[[FloatArray], FloatArray]
"""From totals, `(..., k)`, to figures, `(...)`; nan if the figure is undefined."""

IntervalMethod = Literal["jackknife", "bootstrap", "linearised", "none"]
_METHODS: tuple[str, ...] = get_args(IntervalMethod)
_UNDEFINED_SHARE = 0.05
_STEP = 1e-3
"""Share of an article by which the totals are moved to see how a figure changes."""


@dataclass(frozen=True)
class IntervalOptions:
    """How intervals are made."""

    method: IntervalMethod = "jackknife"
    """Delete-one-article jackknife with a t quantile, percentile bootstrap over articles, or the
    linearised variance with a t quantile (with one unit per article the usual analytic one)."""
    n_draws: int = 2000
    """Bootstrap draws."""
    confidence: float = 0.95
    seed: int = 0
    min_articles: int = 5
    """With fewer articles there is no interval, and the estimate says so."""

    def __post_init__(self) -> None:
        """Refuse what cannot give an interval."""
        if self.method not in _METHODS:
            known = ", ".join(_METHODS)
            raise DataError(f"an interval's method is one of {known}; got {self.method!r}")
        if not 0 < self.confidence < 1:
            raise DataError(f"a confidence lies between 0 and 1, got {self.confidence}")
        if self.n_draws < 1 or self.min_articles < 2 or self.seed < 0:
            raise DataError(
                "an interval needs at least 1 draw, 2 articles and a seed from 0 up, "
                f"got n_draws={self.n_draws}, min_articles={self.min_articles}, seed={self.seed}"
            )


class Interval(NamedTuple):
    """Ends of an interval, or None and the reason."""

    low: float | None
    high: float | None
    status: str = "ok"
    error: float | None = None
    """Standard error; None if the method has none."""


def seeded(seed: int) -> np.random.Generator:
    """A generator of random numbers; raises `DataError` for a seed below 0."""
    if seed < 0:
        raise DataError(f"a seed from 0 up was required, got {seed}")
    return np.random.default_rng(seed)


def article_totals(values: FloatArray, articles: IntArray, n_articles: int) -> FloatArray:
    """Sum rows by article: `(rows, k)` and each row's article number to `(n_articles, k)`.

    >>> article_totals(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0]), 2)
    array([[5.],
           [2.]])
    """
    totals = np.zeros((n_articles, values.shape[1]))
    np.add.at(totals, articles, values)
    return totals


def bootstrap_weights(n_articles: int, n_draws: int, rng: np.random.Generator) -> FloatArray:
    """How often each article is drawn, `(n_draws, n_articles)`; every row sums to n_articles."""
    drawn = rng.integers(0, n_articles, size=(n_draws, n_articles))
    cells = drawn + n_articles * np.arange(n_draws)[:, None]
    counts = np.bincount(cells.ravel(), minlength=n_draws * n_articles)
    return counts.reshape(n_draws, n_articles).astype(np.float64)


def leave_one_out(totals: FloatArray) -> FloatArray:
    """Corpus totals without each article in turn, `(n_articles, k)`.

    >>> leave_one_out(np.array([[1.0], [2.0], [4.0]])).ravel()
    array([6., 5., 3.])
    """
    without: FloatArray = totals.sum(axis=0) - totals
    return without


def jackknife_error(values: FloatArray) -> FloatArray:
    """Standard error from leave-one-out values along the first axis.

    sqrt((g - 1) / g * sum((v - mean v)^2)).
    """
    g = values.shape[0]
    error: FloatArray = np.sqrt((g - 1) / g * ((values - values.mean(axis=0)) ** 2).sum(axis=0))
    return error


def t_quantile(confidence: float, df: float) -> float:
    """Two-sided quantile of Student's t; the normal one for infinite df.

    >>> round(t_quantile(0.95, 9), 4)
    2.2622
    """
    upper = (1 + confidence) / 2
    # Read only here: it takes a second, and scoring does without it.
    from scipy.special import ndtri, stdtrit

    return float(ndtri(upper) if math.isinf(df) else stdtrit(df, upper))


def interval(
    totals: FloatArray,
    statistic: Statistic,
    options: IntervalOptions,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """Interval of `statistic(totals.sum(axis=0))` under resampling of articles.

    Args:
        totals: one row of sums per article.
        statistic: the figure as a function of summed rows.
        options: method, draws, confidence, seed.
        bounds: range of the figure; the ends are cut to it.
    """
    n_articles = totals.shape[0]
    if options.method == "none":
        return Interval(None, None, "not asked for")
    if n_articles < options.min_articles:
        return Interval(None, None, f"too few: {counted(n_articles, 'article')}")
    makers = {"jackknife": _jackknife, "linearised": _linearised, "bootstrap": _bootstrap}
    made = makers[options.method](totals, statistic, options)
    if made.low is None or made.high is None:
        return made
    low, high = np.clip([made.low, made.high], *bounds)
    return made._replace(low=float(low), high=float(high))


def estimated(
    undefined: Estimate,
    totals: FloatArray,
    statistic: Statistic,
    options: IntervalOptions,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """`statistic(totals.sum(axis=0))` with its interval; `undefined` if that is nan.

    The counts and the method are those of `undefined`.
    """
    value = float(statistic(totals.sum(axis=0)))
    if math.isnan(value):
        return undefined
    made = interval(totals, statistic, options, bounds=bounds)
    return replace(
        undefined,
        value=value,
        status="ok",
        low=made.low,
        high=made.high,
        interval_status=made.status,
        standard_error=made.error,
        confidence=options.confidence,
        seed=options.seed if options.method == "bootstrap" else None,
    )


def _jackknife(totals: FloatArray, statistic: Statistic, options: IntervalOptions) -> Interval:
    values = statistic(leave_one_out(totals))
    n_undefined = int(np.isnan(values).sum())
    if n_undefined:
        return Interval(None, None, f"undefined without {n_undefined} of {len(values)} articles")
    if _is_constant(values):
        return Interval(None, None, "undefined: no variation between articles")
    value = float(statistic(totals.sum(axis=0)))
    return _t_interval(value, float(jackknife_error(values)), len(values) - 1, options)


def _linearised(totals: FloatArray, statistic: Statistic, options: IntervalOptions) -> Interval:
    """Variance g / (g - 1) * sum of squared derivatives along each article's totals."""
    everything, g = totals.sum(axis=0), len(totals)
    ahead, behind = (statistic(everything + sign * _STEP * totals) for sign in (1, -1))
    slopes = (ahead - behind) / (2 * _STEP)
    value = float(statistic(everything))
    error = math.sqrt(g / (g - 1) * float((slopes**2).sum()))
    if math.isnan(error):
        return Interval(None, None, "undefined: no variation")
    if error <= 1e-9 * max(1.0, abs(value)):
        return Interval(None, None, "undefined: no variation between articles")
    return _t_interval(value, error, g - 1, options)


def _t_interval(value: float, error: float, df: float, options: IntervalOptions) -> Interval:
    half = t_quantile(options.confidence, df) * error
    return Interval(value - half, value + half, error=error)


def _bootstrap(totals: FloatArray, statistic: Statistic, options: IntervalOptions) -> Interval:
    values = statistic(_weights(totals.shape[0], options.n_draws, options.seed) @ totals)
    defined = values[~np.isnan(values)]
    n_undefined = len(values) - len(defined)
    if n_undefined > _UNDEFINED_SHARE * len(values):
        return Interval(None, None, f"undefined in {n_undefined} of {len(values)} draws")
    if _is_constant(defined):
        return Interval(None, None, "undefined: no variation between articles")
    tail = (1 - options.confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(float(low), float(high))


@lru_cache(maxsize=2)
def _weights(n_articles: int, n_draws: int, seed: int) -> FloatArray:
    # The figures of one table share their draws, which also makes their differences paired.
    return bootstrap_weights(n_articles, n_draws, np.random.default_rng(seed))


def _is_constant(values: FloatArray) -> bool:
    # Sums that differ in order differ in their last bits; that is no variation.
    return bool(np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())))
