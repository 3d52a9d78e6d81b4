"""Means that stay honest although the model errs: prediction-powered inference by article.

Mentions of one article share their author and the model's errors, so the article is the sampling
unit throughout. Let L be the g coded articles and U the h others; for an article, m counts its
mentions, Y sums the human labels and F the model's scores over them. The estimator is

    θ = ȳ_L + λ (f̄_U - f̄_L),   ȳ_L = ΣY/Σm,  f̄ = ΣF/Σm

which is unbiased for every λ when L is a random draw; λ in [0, 1] minimises its variance.
Angelopoulos, Duchi and Zrnic (2023), "PPI++"; clusters, t and jackknife as in survey sampling.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from classifier.inference.totals import (
    Array,
    InferenceOptions,
    Population,
    Totals,
    article_totals,
    satterthwaite,
    with_interval,
)
from classifier.records import Estimate

MINIMUM_CODED = 8
"""Below this many coded articles a corrected mean is withheld."""
JACKKNIFE_UP_TO = 40
"""Up to this many coded articles the variance is a delete-one-article jackknife."""


def corrected_mean(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    probability: npt.ArrayLike | None = None,
    options: InferenceOptions | None = None,
) -> Estimate:
    """The mean human label, estimated from all scores and the labels of some articles.

    Args:
        predicted: The model's score per mention, such as the expected stance (-1 to 1).
        coded: The human label per mention on the same scale; nan where not coded. In an article
            with labels, mentions without one are set aside.
        article: The article of each mention.
        probability: Chance with which the mention's article was drawn to be coded, 0 < p <= 1;
            leave out where all articles of the source had the same.
        options: Estimand, population and confidence.

    Returns:
        An estimate whose status says why it is withheld: no coded article, fewer than
        `MINIMUM_CODED`, or labels that do not vary.
    """
    options = options or InferenceOptions()
    totals = article_totals(predicted, coded, article, probability, options.estimand)
    n_coded, n_articles = len(totals.coded_size), len(totals.coded_size) + len(totals.other_size)
    blank = Estimate(
        value=None,
        status=withheld(totals) or "undefined: no mention",
        n_items=int(np.size(predicted)),
        n_articles=n_articles,
        n_coded_articles=n_coded,
        method=_method(options, unequal=probability is not None, few=n_coded <= JACKKNIFE_UP_TO),
        confidence=options.confidence,
    )
    if n_articles == 0 or withheld(totals):
        return blank
    fit = _weighted if probability is not None else mean_and_weight
    theta, weight = fit(totals, options)
    variance, freedom = _variance(totals, weight, options, unequal=probability is not None)
    return with_interval(
        replace(blank, value=theta, status="ok", model_weight=weight), variance, freedom
    )


def mean_and_weight(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and λ for articles drawn with equal chances."""
    label_mean = totals.coded_label.sum() / totals.coded_size.sum()
    label, score, other = residuals(totals, label_mean)
    weight = _tuned_weight(label, score, other, options.population)
    scores, sizes = totals.other_score, totals.other_size
    if options.population == "corpus":
        scores = np.concatenate([totals.coded_score, scores])
        sizes = np.concatenate([totals.coded_size, sizes])
    if not len(sizes):
        return float(label_mean), 0.0
    shift = scores.sum() / sizes.sum() - totals.coded_score.sum() / totals.coded_size.sum()
    return float(label_mean + weight * shift), weight


def residuals(totals: Totals, label_mean: float) -> tuple[Array, Array, Array]:
    """Linearised contributions of each article to ȳ_L, f̄_L and f̄_U."""
    mean_size = totals.coded_size.mean()
    score_mean = totals.coded_score.sum() / totals.coded_size.sum()
    label = (totals.coded_label - label_mean * totals.coded_size) / mean_size
    score = (totals.coded_score - score_mean * totals.coded_size) / mean_size
    if not len(totals.other_size):
        return label, score, np.zeros(0)
    other_mean = totals.other_score.sum() / totals.other_size.sum()
    other = (totals.other_score - other_mean * totals.other_size) / totals.other_size.mean()
    return label, score, other


def withheld(totals: Totals) -> str:
    """Why no corrected mean can be given; empty where one can."""
    n = len(totals.coded_size)
    if n == 0:
        return "not corrected: no coded article"
    if n < MINIMUM_CODED:
        return f"too few: {n} coded articles, {MINIMUM_CODED} needed"
    means = totals.coded_label / totals.coded_size
    if np.ptp(means) == 0:
        return "undefined: no variation among the coded labels"
    return ""


def _weighted(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and λ for unequal chances π: λ·mean F over all + Σ_L (Y - λF)/π / Σ_L m/π.

    The difference estimator of survey sampling in Hájek's ratio form, which weathers small π
    better than Horvitz-Thompson; see also Egami et al. (2023), design-based supervised learning.
    """
    weight = _tuned_weight(*_inflated_residuals(totals), population=options.population)
    score = np.concatenate([totals.coded_score, totals.other_score])
    size = np.concatenate([totals.coded_size, totals.other_size])
    return float(weight * score.sum() / size.sum() + _rectifier(totals, weight)), weight


def _tuned_weight(label: Array, score: Array, other: Array, population: Population) -> float:
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


def _variance(
    totals: Totals, weight: float, options: InferenceOptions, *, unequal: bool
) -> tuple[float, float]:
    """Variance of θ and its degrees of freedom."""
    n_coded, n_other = len(totals.coded_size), len(totals.other_size)
    if unequal:
        return _unequal_variance(totals, weight, options), n_coded - 1
    label, score, other = residuals(totals, totals.coded_label.sum() / totals.coded_size.sum())
    if n_coded <= JACKKNIFE_UP_TO:
        coded_part = _jackknife_variance(totals, options)
    else:
        coded_part = float(np.var(label - weight * score, ddof=1)) / n_coded
    if options.population == "corpus":
        return coded_part * (1 - n_coded / (n_coded + n_other)), n_coded - 1
    if n_other < 2 or weight == 0:
        return coded_part, n_coded - 1
    other_part = weight**2 * float(np.var(other, ddof=1)) / n_other
    parts = [coded_part, other_part]
    return sum(parts), satterthwaite(parts, [n_coded - 1, n_other - 1])


def _jackknife_variance(totals: Totals, options: InferenceOptions) -> float:
    """(g-1)/g · Σ (θ_(i) - θ_(·))², leaving one coded article out, λ tuned anew each time."""
    n = len(totals.coded_size)
    left_out = [_uncoded(totals, i, options.population) for i in range(n)]
    theta = np.array([mean_and_weight(rest, options)[0] for rest in left_out])
    return float((n - 1) / n * ((theta - theta.mean()) ** 2).sum())


def _uncoded(totals: Totals, i: int, population: Population) -> Totals:
    """The totals without the labels of coded article i, which stays part of a fixed corpus."""
    other_size, other_score = totals.other_size, totals.other_score
    if population == "corpus":
        other_size = np.append(other_size, totals.coded_size[i])
        other_score = np.append(other_score, totals.coded_score[i])
    return Totals(
        coded_size=np.delete(totals.coded_size, i),
        coded_label=np.delete(totals.coded_label, i),
        coded_score=np.delete(totals.coded_score, i),
        probability=np.delete(totals.probability, i),
        other_size=other_size,
        other_score=other_score,
    )


def _rectifier(totals: Totals, weight: float) -> float:
    """Σ_L (Y - λF)/π / Σ_L m/π."""
    errors = (totals.coded_label - weight * totals.coded_score) / totals.probability
    return float(errors.sum() / (totals.coded_size / totals.probability).sum())


def _inflated_residuals(totals: Totals) -> tuple[Array, Array, Array]:
    """The residuals of coded articles, each weighted by 1/π with mean weight 1."""
    inverse = 1 / totals.probability
    label_mean = (totals.coded_label * inverse).sum() / (totals.coded_size * inverse).sum()
    label, score, other = residuals(totals, label_mean)
    return label * inverse / inverse.mean(), score * inverse / inverse.mean(), other


def _unequal_variance(totals: Totals, weight: float, options: InferenceOptions) -> float:
    """Linearised variance of the Hájek form; over designs only where the corpus is the aim."""
    size = np.concatenate([totals.coded_size, totals.other_size])
    score = np.concatenate([totals.coded_score, totals.other_score])
    errors = totals.coded_label - weight * totals.coded_score
    errors = (errors - _rectifier(totals, weight) * totals.coded_size) / totals.probability
    n_coded = len(totals.coded_size)
    small_sample = n_coded / (n_coded - 1)
    if options.population == "corpus":
        terms = (1 - totals.probability) * errors**2
        return float(small_sample * terms.sum() / size.sum() ** 2)
    influence = weight * (score - score.sum() / size.sum() * size)
    influence[:n_coded] += errors
    return float(small_sample * (influence**2).sum() / size.sum() ** 2)


def _method(options: InferenceOptions, *, unequal: bool, few: bool) -> str:
    variance = "Hájek" if unequal else "jackknife" if few else "linearised"
    return (
        f"prediction-powered, clustered by article, {variance} t; "
        f"{options.estimand}-weighted; {options.population}"
    )
