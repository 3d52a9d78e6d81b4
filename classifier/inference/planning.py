"""How many more articles have to be coded for an interval of a wished width."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import stats

from classifier.errors import DataError
from classifier.inference.corrected import MINIMUM_CODED, residuals, withheld
from classifier.inference.totals import (
    Array,
    InferenceOptions,
    Names,
    Sampling,
    Totals,
    article_totals,
    clustered_variance,
)


def articles_needed(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    half_width: float,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> int | None:
    """Coded articles that would bring the interval to a half-width; None if all would not do.

    Takes the spread of the labels and of the model's errors, and how far articles share a cluster,
    from the articles coded so far, and equal chances for those that are to come.
    Raises `DataError` where those are too few to tell, or the half-width is not positive.
    """
    options = options or InferenceOptions()
    if not half_width > 0:
        raise DataError(f"a half-width must be positive, got {half_width}")
    totals = article_totals(predicted, coded, article, sampling or Sampling(), options.estimand)
    reason = withheld(totals)
    if reason:
        raise DataError(f"planning needs coded articles to learn from; {reason}")
    total = len(totals.coded_size) + len(totals.other_size)
    clusters_per_article = len(np.unique(totals.coded_cluster)) / len(totals.coded_cluster)
    variance = _planned_variance(totals, total, options)
    for n_coded in range(MINIMUM_CODED, total + 1):
        freedom = max(n_coded * clusters_per_article - 1, 1)
        quantile = stats.t.ppf((1 + options.confidence) / 2, freedom)
        if quantile * np.sqrt(variance(n_coded)) <= half_width:
            return n_coded
    return None


def _planned_variance(
    totals: Totals, total: int, options: InferenceOptions
) -> Callable[[int], float]:
    """The variance of the estimate by the number of articles coded out of `total`."""
    label, score, other = residuals(totals)
    scores, clusters = score, totals.coded_cluster
    if len(other) > 1:
        scores, clusters = other, totals.other_cluster
    spread, spread_of_means = float(np.var(scores, ddof=1)), _spread(scores, clusters)
    both = np.cov(label, score)

    def variance(n_coded: int) -> float:
        n_other = total - n_coded
        if options.population == "corpus":
            needed = both[1, 1]
        else:
            needed = spread * (1 + n_coded / n_other) if n_other else np.inf
        weight = float(np.clip(both[0, 1] / needed, 0, 1)) if needed > 0 else 0.0
        coded_part = _spread(label - weight * score, totals.coded_cluster) / n_coded
        if options.population == "corpus":
            return coded_part * (1 - n_coded / total)
        return coded_part + (weight**2 * spread_of_means / n_other if n_other else 0.0)

    return variance


def _spread(residuals: Array, clusters: Names) -> float:
    """Per article, what it adds to the variance of a mean: s² where each is its own cluster."""
    return clustered_variance(residuals, clusters)[0] * len(residuals)
