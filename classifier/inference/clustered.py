"""Means clustered by article that need no correction, and what is made of finished estimates."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.inference.totals import (
    Array,
    InferenceOptions,
    article_totals,
    satterthwaite,
    with_interval,
)
from classifier.records import Estimate


def labelled_mean(
    coded: npt.ArrayLike, article: npt.ArrayLike, *, options: InferenceOptions | None = None
) -> Estimate:
    """The mean human label from the coded articles alone, clustered by article."""
    options = options or InferenceOptions()
    labels = np.asarray(coded, dtype=np.float64)
    known = ~np.isnan(labels)
    totals = article_totals(
        np.zeros(known.sum()), labels[known], np.asarray(article)[known], None, options.estimand
    )
    return _clustered(
        totals.coded_size, totals.coded_label, options, "labels only, clustered by article"
    )


def naive_mean(
    predicted: npt.ArrayLike, article: npt.ArrayLike, *, options: InferenceOptions | None = None
) -> Estimate:
    """The mean of the model's scores, clustered by article and not corrected for model error.

    Its interval says how sure the mean *score* is, which is not how sure the mean stance is.
    """
    options = options or InferenceOptions()
    scores = np.asarray(predicted, dtype=np.float64)
    totals = article_totals(scores, scores, article, None, options.estimand)
    result = _clustered(
        totals.coded_size, totals.coded_score, options, "model only, not corrected for model error"
    )
    return replace(result, n_coded_articles=0)


def difference(first: Estimate, second: Estimate) -> Estimate:
    """First minus second, for estimates from different articles; Welch-Satterthwaite t."""
    both = (first, second)
    blank = Estimate(
        None,
        "not estimable: one side has no value",
        n_items=first.n_items + second.n_items,
        n_articles=first.n_articles + second.n_articles,
        n_coded_articles=first.n_coded_articles + second.n_coded_articles,
        method=f"difference of independent means ({first.method})",
        confidence=first.confidence,
    )
    if first.value is None or second.value is None:
        return blank
    result = replace(blank, value=first.value - second.value, status="ok")
    variances = [e.standard_error**2 for e in both if e.standard_error is not None]
    freedoms = [e.degrees_of_freedom for e in both if e.degrees_of_freedom is not None]
    if len(variances) < 2 or len(freedoms) < 2:
        return replace(result, interval_status="not estimable: one side has no standard error")
    return with_interval(result, sum(variances), satterthwaite(variances, freedoms))


def simultaneous(estimates: list[Estimate]) -> list[Estimate]:
    """Intervals that hold all at once, for a ranking of independent estimates (Šidák 1967).

    Each of the k estimates with a value gets the confidence c^(1/k), so that all k intervals cover
    together with probability c.
    """
    k = sum(estimate.standard_error is not None for estimate in estimates)
    return [_widened(estimate, k) for estimate in estimates]


def _clustered(size: Array, total: Array, options: InferenceOptions, method: str) -> Estimate:
    """Ratio mean Σtotal/Σsize with its linearised variance over articles and g - 1 degrees."""
    n = len(size)
    blank = Estimate(
        None,
        "undefined: no mention",
        n_items=int(size.sum()),
        n_articles=n,
        n_coded_articles=n,
        method=f"{method}; {options.estimand}-weighted",
        confidence=options.confidence,
    )
    if n == 0:
        return blank
    mean = float(total.sum() / size.sum())
    result = replace(blank, value=mean, status="ok")
    if n < 2:
        return replace(result, interval_status="too few: 1 article")
    residual = (total - mean * size) / size.mean()
    return with_interval(result, float(np.var(residual, ddof=1)) / n, n - 1)


def _widened(estimate: Estimate, k: int) -> Estimate:
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    if error is None or freedom is None:
        return estimate
    wide = replace(estimate, confidence=estimate.confidence ** (1 / k))
    result = with_interval(wide, error**2, freedom)
    return replace(
        result, confidence=estimate.confidence, method=f"{estimate.method}; simultaneous"
    )
