"""Means that stay honest although the model errs: prediction-powered inference by article.

Mentions of one article share their author and the model's errors, so the article is the sampling
unit throughout. Let L be the g coded articles and U the h others; for an article, m counts its
mentions, Y sums the human labels and F the model's scores over them. The estimator is

    θ = ȳ_L + λ (f̄_U - f̄_L),   ȳ_L = ΣY/Σm,  f̄ = ΣF/Σm

which is unbiased for every λ when L is a random draw; λ in [0, 1] minimises its variance. Where
coders found false mentions, ȳ_L is over the true ones and both f̄ over all that were found, so that
the scores are still compared like with like.
Angelopoulos, Duchi and Zrnic (2023), "PPI++"; clusters, t and jackknife as in survey sampling.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.inference.totals import (
    Array,
    InferenceOptions,
    Names,
    Population,
    Sampling,
    Totals,
    article_totals,
    cluster_sums,
    clustered_variance,
    exact,
    satterthwaite,
    with_interval,
)
from classifier.inference.unequal import weighted_fit, weighted_terms, weighted_variance
from classifier.records import Estimate, counted

MINIMUM_CODED = 8
"""Below this many coded articles a corrected mean is withheld."""
JACKKNIFE_UP_TO = 40
"""Up to this many coded articles the variance is a delete-one-article jackknife."""


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
        coded: The human label per mention on the same scale; nan where not coded. In an article
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
    few = n_coded <= JACKKNIFE_UP_TO
    blank = Estimate(
        value=None,
        status=reason or "ok to estimate",
        n_items=int(np.size(predicted)),
        n_articles=n_coded + n_other,
        n_coded_articles=n_coded,
        method=_method(options, unequal=is_unequal, few=few),
        confidence=options.confidence,
        notes=_notes(totals),
    )
    if reason:
        return blank
    theta, weight = (weighted_fit if is_unequal else mean_and_weight)(totals, options)
    estimate = replace(blank, value=theta, status="ok", model_weight=weight)
    is_certain = not is_unequal or bool((totals.probability == 1).all())
    if is_certain and options.population == "corpus" and _sampled_share(totals) == 1:
        return exact(replace(estimate, notes=(*estimate.notes, "every article is coded")))
    variance = weighted_variance if is_unequal else _variance
    return with_interval(estimate, *variance(totals, weight, options))


def corrected_terms(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> dict[object, float]:
    """Each cluster's term in the linearised corrected mean; empty where that is withheld.

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
    """Why no corrected mean can be given; empty where one can."""
    n = len(totals.coded_size)
    if n == 0:
        return "not corrected: no coded article"
    n_clusters = len(np.unique(totals.coded_cluster))
    if n_clusters < MINIMUM_CODED:
        found = counted(n, "coded article")
        if n_clusters < n:
            found = f"{n_clusters} {'story' if n_clusters == 1 else 'stories'} in {found}"
        return f"too few: {found}, {MINIMUM_CODED} needed"
    has_label = totals.coded_label_size > 0
    if not has_label.any():
        return "undefined: all coded mentions are false"
    if len(np.unique(totals.coded_cluster[has_label])) < 2:
        return "undefined: all true mentions that are coded are of one story"
    if np.ptp(totals.coded_label[has_label] / totals.coded_label_size[has_label]) == 0:
        return "undefined: no variation among the coded labels"
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
    coded_part, freedom = clustered_variance(error, totals.coded_cluster)
    if len(totals.coded_size) <= JACKKNIFE_UP_TO:
        coded_part = _jackknife_variance(totals, options)
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


def _jackknife_variance(totals: Totals, options: InferenceOptions) -> float:
    """(c-1)/c · Σ (θ_(i) - θ_(·))², leaving one cluster's labels out, λ tuned anew each time."""
    names = np.unique(totals.coded_cluster)
    n = len(names)
    left_out = [
        _uncoded(totals, totals.coded_cluster == name, options.population) for name in names
    ]
    theta = np.array([mean_and_weight(rest, options)[0] for rest in left_out])
    return float((n - 1) / n * ((theta - theta.mean()) ** 2).sum())


def _uncoded(totals: Totals, out: npt.NDArray[np.bool_], population: Population) -> Totals:
    """The totals without the labels of some articles, which stay part of a fixed corpus."""
    kept = {
        name: column[~out]
        for name, column in totals._asdict().items()
        if not name.startswith("other_")
    }
    rest = totals._replace(**kept)
    if population == "source":
        return rest
    return rest._replace(
        other_size=np.append(totals.other_size, totals.coded_size[out]),
        other_score=np.append(totals.other_score, totals.coded_full_score[out]),
        other_cluster=np.append(totals.other_cluster, totals.coded_cluster[out]),
    )


def _notes(totals: Totals) -> tuple[str, ...]:
    """What a reader should know of how much was coded."""
    n = len(totals.coded_size)
    n_partly, n_stories = int((totals.coded_share < 1).sum()), len(np.unique(totals.coded_cluster))
    notes = []
    if n_partly:
        notes.append(f"{n_partly} of {n} coded articles are coded in part")
    if n_stories < n:
        notes.append(f"{n} coded articles are {n_stories} stories")
    return tuple(notes)


def _method(options: InferenceOptions, *, unequal: bool, few: bool) -> str:
    variance = "Hájek" if unequal else "jackknife" if few else "linearised"
    return (
        f"prediction-powered, clustered by article, {variance} t; "
        f"{options.estimand}-weighted; {options.population}"
    )
