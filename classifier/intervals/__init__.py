"""Means and their intervals: resampling, corrected means, tests of randomness.

The default interval is that of `IntervalOptions`, in `_resampling`.
"""

from classifier.intervals._combined import MINIMUM_POOLED, OneSource, combined_scores, pooled_means
from classifier.intervals._corrected import (
    MINIMUM_CODED,
    articles_needed,
    corrected_mean,
    corrected_terms,
)
from classifier.intervals._means import difference, labelled_mean, naive_mean, simultaneous
from classifier.intervals._regression import Fit, corrected_regression
from classifier.intervals._resampling import (
    FloatArray,
    IntArray,
    IntervalOptions,
    Statistic,
    article_totals,
    estimated,
    interval,
    jackknife_error,
    seeded,
    t_quantile,
)
from classifier.intervals._totals import (
    Estimand,
    InferenceOptions,
    Population,
    RandomnessTest,
    Redraws,
    Sampling,
    looks_random,
    marks,
    numbers,
)

__all__ = [
    "MINIMUM_CODED",
    "MINIMUM_POOLED",
    "Estimand",
    "Fit",
    "FloatArray",
    "InferenceOptions",
    "IntArray",
    "IntervalOptions",
    "OneSource",
    "Population",
    "RandomnessTest",
    "Redraws",
    "Sampling",
    "Statistic",
    "article_totals",
    "articles_needed",
    "combined_scores",
    "corrected_mean",
    "corrected_regression",
    "corrected_terms",
    "difference",
    "estimated",
    "interval",
    "jackknife_error",
    "labelled_mean",
    "looks_random",
    "marks",
    "naive_mean",
    "numbers",
    "pooled_means",
    "seeded",
    "simultaneous",
    "t_quantile",
]
