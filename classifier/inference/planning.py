"""How many more articles have to be coded for an interval of a wished width."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from classifier.errors import DataError
from classifier.inference.corrected import MINIMUM_CODED, residuals, withheld
from classifier.inference.totals import (
    Array,
    InferenceOptions,
    Sampling,
    article_totals,
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

    Takes the spread of the labels and of the model's errors from the articles coded so far, and
    equal chances for those that are to come.
    Raises `DataError` where those are too few to tell, or the half-width is not positive.
    """
    options = options or InferenceOptions()
    if half_width <= 0:
        raise DataError(f"a half-width must be positive, got {half_width}")
    totals = article_totals(predicted, coded, article, sampling or Sampling(), options.estimand)
    reason = withheld(totals)
    if reason:
        raise DataError(f"planning needs coded articles to learn from; {reason}")
    label, score, other = residuals(totals)
    total = len(totals.coded_size) + len(totals.other_size)
    for n_coded in range(MINIMUM_CODED, total + 1):
        variance = _planned_variance((label, score, other), n_coded, total, options)
        quantile = stats.t.ppf((1 + options.confidence) / 2, n_coded - 1)
        if quantile * np.sqrt(variance) <= half_width:
            return n_coded
    return None


def _planned_variance(
    residuals: tuple[Array, Array, Array], n_coded: int, total: int, options: InferenceOptions
) -> float:
    label, score, other = residuals
    n_other = total - n_coded
    scores = other if len(other) > 1 else score
    spread = float(np.var(scores, ddof=1))
    both = np.cov(label, score)
    if options.population == "corpus":
        needed = both[1, 1]
    else:
        needed = spread * (1 + n_coded / n_other) if n_other else np.inf
    weight = float(np.clip(both[0, 1] / needed, 0, 1)) if needed > 0 else 0.0
    coded_part = float(np.var(label - weight * score, ddof=1)) / n_coded
    if options.population == "corpus":
        return coded_part * (1 - n_coded / total)
    return coded_part + (weight**2 * spread / n_other if n_other else 0.0)
