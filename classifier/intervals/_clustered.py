"""Means clustered by article that need no correction, and what is made of finished estimates."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Sampling,
    article_totals,
    bounded_share,
    clustered_variance,
    exact,
    is_bare,
    numbers,
    satterthwaite,
    share_interval,
    with_interval,
)
from classifier.intervals._weighted import effective_number
from classifier.records import Estimate


def labelled_mean(
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> Estimate:
    """The mean human label from the coded articles alone, clustered by article."""
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    labels = numbers(coded, "labels")
    totals = article_totals(np.zeros(len(labels)), labels, article, sampling, options.estimand)
    is_false = np.zeros(len(labels)) if sampling.is_false is None else sampling.is_false
    method = "labels only, clustered by article"
    if sampling.probability is not None:
        method += ", Hájek"
    estimate = _clustered(
        totals.coded_label_size / totals.probability,
        totals.coded_label / totals.probability,
        totals.coded_cluster,
        options,
    )
    if sampling.probability is not None:
        estimate = _few_weigh(estimate, effective_number(totals))
    if options.is_share:
        estimate = _as_share(estimate, effective_number(totals))
    n_labels = int((~np.isnan(labels) & ~np.asarray(is_false, dtype=bool)).sum())
    return replace(
        estimate,
        n_items=n_labels,
        n_coded_articles=estimate.n_articles,
        method=f"{method}; {options.estimand}-weighted",
    )


def naive_mean(
    predicted: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> Estimate:
    """The mean of the model's scores, clustered by article and not corrected for model error.

    Its interval says how sure the mean *score* is, which is not how sure the mean stance is.
    """
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    clusters = article if sampling.cluster is None else sampling.cluster
    scores = numbers(predicted, "scores")
    unlabelled = np.full(len(scores), np.nan)
    totals = article_totals(
        scores, unlabelled, article, Sampling(cluster=clusters), options.estimand
    )
    return replace(
        _clustered(totals.other_size, totals.other_score, totals.other_cluster, options),
        n_items=len(scores),
        method=f"model only, not corrected for model error; {options.estimand}-weighted",
    )


def difference(first: Estimate, second: Estimate, *, covariance: float = 0.0) -> Estimate:
    """First minus second; Welch-Satterthwaite t.

    Args:
        first: An estimate.
        second: Another.
        covariance: Of the two; 0 where they share no article and no story.
    """
    both = (first, second)
    kind = "independent" if covariance == 0 else "overlapping"
    blank = Estimate(
        None,
        "not estimable: one side has no value",
        n_items=first.n_items + second.n_items,
        n_articles=first.n_articles + second.n_articles,
        n_coded_articles=first.n_coded_articles + second.n_coded_articles,
        method=f"difference of {kind} means ({first.method})",
        confidence=first.confidence,
    )
    if first.value is None or second.value is None:
        return blank
    result = replace(blank, value=first.value - second.value, status="ok")
    if first.standard_error == second.standard_error == 0:
        return exact(result)
    spreads = [spread for spread in map(_spread, both) if spread is not None]
    if len(spreads) < 2:
        return replace(result, interval_status="not estimable: one side has no standard error")
    variances, freedoms = ([*column] for column in zip(*spreads, strict=True))
    variance = sum(variances) - 2 * covariance
    return with_interval(result, variance, satterthwaite(variances, freedoms))


def simultaneous(estimates: list[Estimate]) -> list[Estimate]:
    """Intervals that hold all at once, for a ranking of independent estimates (Šidák 1967).

    Each of the k estimates that are not exact gets the confidence c^(1/k), so that all k
    intervals cover together with probability c.
    """
    k = sum(bool(estimate.standard_error) for estimate in estimates)
    return [_widened(estimate, k) for estimate in estimates]


def _few_weigh(estimate: Estimate, weighing: float) -> Estimate:
    """The estimate with the degrees of freedom of as many draws with equal chances."""
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    if error is None or freedom is None:
        return estimate
    return with_interval(estimate, error**2, min(freedom, weighing - 1))


def _as_share(estimate: Estimate, weighing: float) -> Estimate:
    if estimate.value is not None and is_bare(estimate.value) and weighing > 1:
        return bounded_share(estimate, estimate.value, weighing)
    return share_interval(estimate)


def _spread(estimate: Estimate) -> tuple[float, float] | None:
    """Variance and degrees of freedom, which do not matter where the figure is exact."""
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    if error == 0:
        return 0.0, 1.0
    return None if error is None or freedom is None else (error**2, freedom)


def _clustered(
    size: Array, total: Array, clusters: npt.NDArray[np.generic], options: InferenceOptions
) -> Estimate:
    """Ratio mean Σtotal/Σsize with its linearised variance over c clusters and c - 1 degrees."""
    n = len(size)
    blank = Estimate(None, "undefined: no mention", n_articles=n, confidence=options.confidence)
    if not size.sum() > 0:
        return blank
    mean = float(total.sum() / size.sum())
    n_clusters = len(np.unique(clusters))
    notes = () if n_clusters == n else (f"{n} articles are {n_clusters} stories",)
    result = replace(blank, value=mean, status="ok", notes=notes)
    if n_clusters < 2:
        what = "article" if n == 1 else "story"
        return replace(result, interval_status=f"too few: 1 {what}")
    residual = (total - mean * size) / size.mean()
    return with_interval(result, *clustered_variance(residual, clusters))


def _widened(estimate: Estimate, k: int) -> Estimate:
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    if error is None or freedom is None:
        return estimate
    wide = replace(estimate, confidence=estimate.confidence ** (1 / k))
    result = with_interval(wide, error**2, freedom)
    return replace(
        result, confidence=estimate.confidence, method=f"{estimate.method}; simultaneous"
    )
