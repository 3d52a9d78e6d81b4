"""Prediction-powered means clustered by article, and how many coded articles they take."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.errors import DataError
from classifier.intervals._means import (
    effective_number,
    weighted_fit,
    weighted_terms,
    weighted_variance,
)
from classifier.intervals._resampling import t_quantile
from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Names,
    Population,
    Sampling,
    Totals,
    article_totals,
    bounded_share,
    cluster_sums,
    clustered_variance,
    exact,
    is_bare,
    satterthwaite,
    share_interval,
    with_interval,
)
from classifier.records import Estimate, counted

MINIMUM_CODED = 8
"""Below this many coded articles a corrected mean is withheld."""
NO_VARIATION = "undefined: no variation among the coded labels"
_ROUNDING = 1e-9


def corrected_mean(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> Estimate:
    """The mean human label, estimated from all scores and the labels of some articles.

    Args:
        predicted: The model's score per mention, such as the expected stance (-1 to 1).
        coded: The human label per mention on the same scale; nan if not coded. In an article
            coded in part, the coded mentions stand for the others.
        article: The article of each mention: what was drawn to be coded.
        sampling: Unequal chances, clusters of articles, false mentions.
        options: Estimand, population and confidence.

    Returns:
        An estimate whose status says why it is withheld: no coded article, fewer than
        `MINIMUM_CODED`, or labels that do not vary.
    """
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    totals = article_totals(predicted, coded, article, sampling, options.estimand)
    is_unequal = sampling.probability is not None
    n_coded, n_other = len(totals.coded_size), len(totals.other_size)
    reason = withheld(totals)
    blank = Estimate(
        value=None,
        status=reason or "ok to estimate",
        n_items=int(np.size(predicted)),
        n_articles=n_coded + n_other,
        n_coded_articles=n_coded,
        method=(
            "prediction-powered, clustered by article, "
            f"{'Hájek, stratified jackknife' if is_unequal else 'jackknife'} t; "
            f"{options.estimand}-weighted; {options.population}"
        ),
        confidence=options.confidence,
        notes=_notes(totals),
    )
    if options.is_share and reason == NO_VARIATION:
        # None or all of the coded mentions have it: a bound instead of nothing.
        share = float(totals.coded_label.sum() / totals.coded_label_size.sum())
        return bounded_share(blank, share, effective_number(totals)) if is_bare(share) else blank
    if reason:
        return blank
    theta, weight = (weighted_fit if is_unequal else mean_and_weight)(totals, options)
    estimate = replace(blank, value=theta, status="ok", model_weight=weight)
    is_certain = not is_unequal or bool((totals.probability == 1).all())
    if is_certain and options.population == "corpus" and _sampled_share(totals) == 1:
        return exact(replace(estimate, notes=(*estimate.notes, "every article is coded")))
    if options.is_share and not 0 < theta < 1:
        # The model's correction leaves the scale; the labels alone cannot.
        return _labels_alone(estimate, totals, options)
    variance = weighted_variance if is_unequal else _variance
    estimate = with_interval(estimate, *variance(totals, weight, options))
    return share_interval(estimate) if options.is_share else estimate


def corrected_terms(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> dict[object, float]:
    """Each cluster's term in the linearised corrected mean; empty if that is withheld.

    The products of two groups' terms, summed over the clusters they share, are the covariance of
    their means: two sources that print the same wire copy are not independent.
    """
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    totals = article_totals(predicted, coded, article, sampling, options.estimand)
    if withheld(totals):
        return {}
    if sampling.probability is not None:
        return weighted_terms(totals, weighted_fit(totals, options)[1], options)
    _, weight = mean_and_weight(totals, options)
    label, score, other = residuals(totals)
    error = (label - weight * score) / len(label)
    if options.population == "corpus":
        return cluster_sums(error * np.sqrt(1 - _sampled_share(totals)), totals.coded_cluster)
    terms = cluster_sums(error, totals.coded_cluster)
    if not len(other):
        return terms
    for name, term in cluster_sums(weight * other / len(other), totals.other_cluster).items():
        terms[name] = terms.get(name, 0.0) + term
    return terms


def mean_and_weight(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and λ for articles drawn with equal chances."""
    label_mean = totals.coded_label.sum() / totals.coded_label_size.sum()
    weight = tuned_weight(*residuals(totals), population=options.population)
    scores, sizes = totals.other_score, totals.other_size
    if options.population == "corpus":
        scores = np.concatenate([totals.coded_full_score, scores])
        sizes = np.concatenate([totals.coded_size, sizes])
    if not len(sizes):
        return float(label_mean), 0.0
    shift = scores.sum() / sizes.sum() - totals.coded_score.sum() / totals.coded_size.sum()
    return float(label_mean + weight * shift), weight


def residuals(totals: Totals) -> tuple[Array, Array, Array]:
    """Linearised contributions of each article to ȳ_L, f̄_L and f̄_U."""
    label = _ratio_residuals(totals.coded_label, totals.coded_label_size)
    score = _ratio_residuals(totals.coded_score, totals.coded_size)
    return label, score, _ratio_residuals(totals.other_score, totals.other_size)


def withheld(totals: Totals) -> str:
    """Why no corrected mean can be given; empty if one can."""
    n = len(totals.coded_size)
    if n == 0:
        return "not corrected: no coded article"
    n_clusters = len(np.unique(totals.coded_cluster))
    if n_clusters < MINIMUM_CODED:
        found = counted(n, "coded article")
        if n_clusters < n:
            found = f"{n_clusters} {'story' if n_clusters == 1 else 'stories'} in {found}"
        return f"too few: {found}, {MINIMUM_CODED} needed"
    weighing = effective_number(totals)
    if weighing < MINIMUM_CODED - _ROUNDING:
        return (
            f"too few: {counted(n, 'coded article')} of unequal chances weigh like "
            f"{weighing:.1f} of equal ones, {MINIMUM_CODED} needed"
        )
    return _undefined(totals)


def _undefined(totals: Totals) -> str:
    """Why the coded labels have no mean with an interval; empty if they have."""
    has_label = totals.coded_label_size > 0
    if not has_label.any():
        return "undefined: all coded mentions are false"
    if len(np.unique(totals.coded_cluster[has_label])) < 2:
        return "undefined: all true mentions that are coded are of one story"
    if np.ptp(totals.coded_label[has_label] / totals.coded_label_size[has_label]) == 0:
        return NO_VARIATION
    return ""


def tuned_weight(label: Array, score: Array, other: Array, population: Population) -> float:
    """λ = cov(y, f) / (var f_L + var f_U · g/h), clipped to [0, 1]."""
    n_coded, n_other = len(label), len(other)
    if n_coded < 2 or (n_other < 2 and population == "source"):
        return 0.0
    spread = np.var(score, ddof=1)
    if population == "source":
        spread += np.var(other, ddof=1) * n_coded / n_other
    if spread <= 0:
        return 0.0
    return float(np.clip(np.cov(label, score)[0, 1] / spread, 0.0, 1.0))


def _ratio_residuals(total: Array, size: Array) -> Array:
    if not len(size):
        return np.zeros(0)
    return np.asarray((total - total.sum() / size.sum() * size) / size.mean(), dtype=np.float64)


def _variance(totals: Totals, weight: float, options: InferenceOptions) -> tuple[float, float]:
    """Variance of θ and its degrees of freedom."""
    label, score, other = residuals(totals)
    error = label - weight * score
    coded_part, freedom = _jackknife_variance(totals, options)
    if options.population == "corpus":
        return coded_part * (1 - _sampled_share(totals)), freedom
    other_part, other_freedom = clustered_variance(weight * other, totals.other_cluster)
    if other_part == 0:
        return coded_part, freedom
    parts = [coded_part, other_part]
    shared = 2 * _shared(
        (error / len(error), totals.coded_cluster),
        (weight * other / len(other), totals.other_cluster),
    )
    return max(sum(parts) + shared, 0.0), satterthwaite(parts, [freedom, other_freedom])


def _shared(first: tuple[Array, Names], second: tuple[Array, Names]) -> float:
    """Covariance that comes from clusters with coded and with other articles."""
    one, two = cluster_sums(*first), cluster_sums(*second)
    return sum(one[name] * two[name] for name in one.keys() & two.keys())


def _sampled_share(totals: Totals) -> float:
    """Share of a fixed corpus that was coded: of its articles, times how much of each."""
    n_coded, n_other = len(totals.coded_size), len(totals.other_size)
    return float(n_coded / (n_coded + n_other) * totals.coded_share.mean())


def _jackknife_variance(totals: Totals, options: InferenceOptions) -> tuple[float, int]:
    """(c-1)/c · Σ (θ_(i) - θ_(·))², leaving one cluster's labels out, λ tuned anew each time.

    And its degrees of freedom, c - 1. Every θ_(i) follows from sums of products, less those of one
    cluster, so that all of them take one pass.
    """
    columns = np.column_stack(
        [totals.coded_label, totals.coded_label_size, totals.coded_score, totals.coded_size]
    )
    products = [columns[:, i] * columns[:, j] for i, j in _PAIRS]
    rows = np.column_stack([columns, *products, np.ones(len(columns))])
    _, index = np.unique(totals.coded_cluster, return_inverse=True)
    n = int(index.max()) + 1
    own = np.zeros((n, rows.shape[1]))
    np.add.at(own, index, rows)
    theta = _thetas(rows.sum(axis=0) - own, totals, options)
    return float((n - 1) / n * ((theta - theta.mean()) ** 2).sum()), n - 1


_PAIRS = ((0, 2), (0, 3), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3))
"""Of label, label size, score and size: the products that the covariances take."""


def _thetas(sums: Array, totals: Totals, options: InferenceOptions) -> Array:
    """θ for each row of sums over coded articles, λ tuned in each as `tuned_weight` does."""
    label, label_size, score, size, ls, lm, ks, km, ss, sm, mm, n = sums.T
    label_mean, score_mean = label / label_size, score / size
    # Residuals of ratios sum to zero, so that a product of sums is n - 1 times their covariance.
    shared = (ls - score_mean * lm - label_mean * ks + label_mean * score_mean * km) * n**2
    spread = (ss - 2 * score_mean * sm + score_mean**2 * mm) * n**2 / size**2
    scores, sizes = totals.other_score, totals.other_size
    if options.population == "corpus":
        scores = np.concatenate([totals.coded_full_score, scores])
        sizes = np.concatenate([totals.coded_size, sizes])
    elif len(sizes) > 1:
        other = np.var(_ratio_residuals(scores, sizes), ddof=1)
        spread = spread + other * n * (n - 1) / len(sizes)
    if not len(sizes) or (options.population == "source" and len(sizes) < 2):
        return np.asarray(label_mean)
    both = shared / (label_size * size)
    weight = np.divide(both, spread, out=np.zeros_like(both), where=(spread > 0) & (n > 1))
    shift = scores.sum() / sizes.sum() - score_mean
    return np.asarray(label_mean + np.clip(weight, 0.0, 1.0) * shift)


def _labels_alone(estimate: Estimate, totals: Totals, options: InferenceOptions) -> Estimate:
    """The share among the labels, λ = 0, with the variance of that."""
    inverse = 1 / totals.probability
    share = (totals.coded_label * inverse).sum() / (totals.coded_label_size * inverse).sum()
    note = "the corrected share left 0 to 1: labels only"
    alone = replace(estimate, value=float(share), model_weight=0.0, notes=(*estimate.notes, note))
    residual = inverse * (totals.coded_label - share * totals.coded_label_size)
    scale = (totals.coded_label_size * inverse).sum() / len(inverse)
    variance, _ = clustered_variance(residual / scale, totals.coded_cluster)
    if options.population == "corpus" and (totals.probability == 1).all():
        variance *= 1 - _sampled_share(totals)
    return share_interval(with_interval(alone, variance, effective_number(totals) - 1))


def _notes(totals: Totals) -> tuple[str, ...]:
    """What a reader should know of how much was coded."""
    n = len(totals.coded_size)
    n_partly, n_stories = int((totals.coded_share < 1).sum()), len(np.unique(totals.coded_cluster))
    notes = []
    if n_partly:
        notes.append(f"{n_partly} of {n} coded articles are coded in part")
    if n_stories < n:
        notes.append(f"{n} coded articles are {n_stories} stories")
    weighing = effective_number(totals)
    if 0 < weighing < n_stories - 0.5:
        notes.append(f"{n} coded articles weigh like {weighing:.1f} drawn with equal chances")
    return tuple(notes)


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
    Raises `DataError` if those are too few to tell, or the half-width is not positive.
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
        if t_quantile(options.confidence, freedom) * np.sqrt(variance(n_coded)) <= half_width:
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
    """Per article, what it adds to the variance of a mean: s² if each is its own cluster."""
    return clustered_variance(residuals, clusters)[0] * len(residuals)
