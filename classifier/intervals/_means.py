"""Means clustered by article: uncorrected ones, and corrected ones under unequal chances.

The latter are Hájek estimates with a stratified jackknife. Differences and tests of finished
estimates are here too.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Sampling,
    Totals,
    article_totals,
    bounded_share,
    cluster_sums,
    clustered_variance,
    exact,
    is_bare,
    numbers,
    satterthwaite,
    share_interval,
    with_interval,
)
from classifier.records import Estimate

JACKKNIFE_UP_TO = 400
"""Up to this many clusters the variance is a jackknife that tunes λ anew; above, linearised."""


def weighted_fit(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and the λ that makes its estimated variance least."""
    theta, weight = _fits(totals, 1 / totals.probability[None], options)
    return float(theta[0]), float(weight[0])


def _fits(totals: Totals, inverse: Array, options: InferenceOptions) -> tuple[Array, Array]:
    """θ and λ for each row of weights of the coded articles; a weight of 0 leaves one uncoded.

    Of a fixed corpus an uncoded article stays a part, of a source in general it does not.
    """
    label_size, size = inverse @ totals.coded_label_size, inverse @ totals.coded_size
    label_mean, score_mean = (
        inverse @ totals.coded_label / label_size,
        (inverse @ totals.coded_score / size),
    )
    label = inverse * (totals.coded_label - np.outer(label_mean, totals.coded_label_size))
    score = inverse * (totals.coded_score - np.outer(score_mean, totals.coded_size))
    label, score = label / label_size[:, None], score / size[:, None]
    others, sizes = totals.other_score, totals.other_size
    is_in = inverse > 0
    if options.population == "corpus":
        chance = np.divide(1, inverse, out=np.zeros_like(inverse), where=is_in)
        kept = 1 - chance * totals.coded_share
        overall, there, change = np.full(len(inverse), overall_score(totals)), 0.0, score
    else:
        kept = np.ones_like(inverse)
        total_size = is_in @ totals.coded_size + sizes.sum()
        overall = (is_in @ totals.coded_full_score + others.sum()) / total_size
        here = totals.coded_full_score - np.outer(overall, totals.coded_size)
        change = score - is_in * here / total_size[:, None]
        there = ((others - np.outer(overall, sizes)) ** 2).sum(axis=1) / total_size**2
    spread = (kept * change**2).sum(axis=1) + there
    shared = (kept * label * change).sum(axis=1)
    weight = np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 0)
    weight = np.clip(weight, 0, 1)
    return label_mean + weight * (overall - score_mean), weight


def weighted_variance(
    totals: Totals, weight: float, options: InferenceOptions
) -> tuple[float, float]:
    """Stratified jackknife variance and its degrees of freedom.

    Σ_h (c_h - 1)/c_h · Σ_i (θ_(hi) - θ_(h·))², Wolter (2007, section 4.5): without cluster i, the
    others of its stratum stand for it too. Clusters of equal chance are a stratum; one that is
    alone in its stratum joins the next. The degrees of freedom are Kish's effective number less 1,
    those of an equivalent sample (Potthoff, Woodbury and Manton 1992, "Equivalent sample size and
    equivalent degrees of freedom refinements for inference using survey weights").

    Where a source in general is the aim, its articles are a draw too, and so are the shares W_h of
    its strata. That is double sampling for stratification, and adds Σ_h W_h (ȳ_h - ȳ)² / N for N
    articles (Cochran 1977, section 12.2). With y = e + λf this is Σ_h (E_h + λF_h)² / N_h for the
    sums E and F of the terms; the part of λ²F² that is the uncoded articles' is in their own.
    """
    names, index = np.unique(totals.coded_cluster, return_inverse=True)
    stratum = _strata(totals, index, len(names))
    counts = np.bincount(stratum)[stratum]
    if len(names) <= JACKKNIFE_UP_TO:
        is_same = stratum[:, None] == stratum[index]
        factor = np.where(is_same, (counts / (counts - 1))[:, None], 1.0)
        factor[np.arange(len(names))[:, None] == index] = 0
        theta, _ = _fits(totals, factor / totals.probability, options)
    else:
        # Σ (c/(c-1))² · (t_i - mean t)², times (c - 1)/c below, is the linearised variance.
        terms = np.bincount(index, weights=_coded_terms(totals, weight, options))
        theta = terms * counts / (counts - 1)
    is_corpus = options.population == "corpus"
    kept = 1 - totals.probability * totals.coded_share if is_corpus else np.ones(len(index))
    variance = 0.0
    for h in np.unique(stratum):
        mine = theta[stratum == h]
        share = float(kept[stratum[index] == h].mean())
        variance += share * (len(mine) - 1) / len(mine) * float(((mine - mine.mean()) ** 2).sum())
    freedom = effective_number(totals) - 1
    if is_corpus:
        return variance, freedom
    shares, others = _draw_of_articles(totals, weight, stratum[index])
    # The articles without labels are many, so that their part is surer than the rest.
    parts, freedoms = [variance + shares], [freedom]
    if len(others) > 1:
        parts.append(float((others**2).sum()))
        freedoms.append(len(others) - 1)
    return sum(parts), satterthwaite(parts, freedoms)


def effective_number(totals: Totals) -> float:
    """Kish's effective number of clusters, (Σw)² / Σw², w the mean 1 / chance of each.

    The number of draws with equal chances that would weigh as evenly (Kish 1965, section 11.7).
    """
    if not len(totals.probability):
        return 0.0
    _, index = np.unique(totals.coded_cluster, return_inverse=True)
    weight = np.bincount(index, weights=1 / totals.probability) / np.bincount(index)
    return float(weight.sum() ** 2 / (weight**2).sum())


def _strata(totals: Totals, index: npt.NDArray[np.intp], n: int) -> npt.NDArray[np.intp]:
    """Each cluster's stratum, at least two clusters in each; one for all if clusters span some."""
    levels, level = np.unique(np.round(totals.probability, 12), return_inverse=True)
    stratum = np.zeros(n, dtype=np.intp)
    stratum[index] = level
    # Chances that hardly repeat are no strata.
    if (stratum[index] != level).any() or len(levels) * 2 > n:
        return np.zeros(n, dtype=np.intp)
    for h in range(len(levels) - 1):
        if (stratum == h).sum() < 2:
            stratum[stratum == h] = h + 1
    if (stratum == len(levels) - 1).sum() < 2 and n > 1:
        others = stratum[stratum < len(levels) - 1]
        stratum[stratum == len(levels) - 1] = others.max()
    return np.asarray(np.unique(stratum, return_inverse=True)[1], dtype=np.intp)


def _draw_of_articles(
    totals: Totals, weight: float, stratum: npt.NDArray[np.intp]
) -> tuple[float, Array]:
    """What the strata's own shares of the articles, being drawn, add to the variance.

    And each cluster's term in the mean score of the articles without labels.
    """
    label, score = hajek_terms(totals)
    error = np.bincount(stratum, weights=label - weight * score)
    shift = np.bincount(stratum, weights=weight * score)
    size = np.bincount(stratum, weights=1 / totals.probability)
    shares = error**2 + 2 * error * shift + shift**2 * np.bincount(stratum) / size
    _, there = _overall_terms(totals)
    others = np.array(list(cluster_sums(weight * there, totals.other_cluster).values()))
    return float((shares / size).sum()), others


def weighted_terms(totals: Totals, weight: float, options: InferenceOptions) -> dict[object, float]:
    """Each cluster's term in the linearised θ; over draws only if the corpus is the aim."""
    terms = _coded_terms(totals, weight, options)
    if options.population == "corpus":
        kept = 1 - totals.probability * totals.coded_share
        return cluster_sums(np.sqrt(kept) * terms, totals.coded_cluster)
    _, there = _overall_terms(totals)
    clusters = np.concatenate([totals.coded_cluster, totals.other_cluster])
    return cluster_sums(np.concatenate([terms, weight * there]), clusters)


def _coded_terms(totals: Totals, weight: float, options: InferenceOptions) -> Array:
    """Each coded article's term in the linearised θ."""
    label, score = hajek_terms(totals)
    here = 0.0 if options.population == "corpus" else _overall_terms(totals)[0]
    return np.asarray(label - weight * (score - here))


def overall_score(totals: Totals) -> float:
    """The mean score over all articles."""
    scores = totals.coded_full_score.sum() + totals.other_score.sum()
    return float(scores / (totals.coded_size.sum() + totals.other_size.sum()))


def _overall_terms(totals: Totals) -> tuple[Array, Array]:
    """Each coded and each other article's term in the mean score over all articles."""
    mean, size = overall_score(totals), totals.coded_size.sum() + totals.other_size.sum()
    return (
        (totals.coded_full_score - mean * totals.coded_size) / size,
        (totals.other_score - mean * totals.other_size) / size,
    )


def hajek_terms(totals: Totals) -> tuple[Array, Array]:
    """Each coded article's linearised term in the two weighted means."""
    inverse = 1 / totals.probability
    pairs = (
        (totals.coded_label, totals.coded_label_size),
        (totals.coded_score, totals.coded_size),
    )
    label, score = (
        inverse
        * (total - (total * inverse).sum() / (size * inverse).sum() * size)
        / (size * inverse).sum()
        for total, size in pairs
    )
    return label, score


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
        covariance: Of the two; 0 if they share no article and no story.
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
    """Variance and degrees of freedom, which do not matter if the figure is exact."""
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
