"""Means that stay honest although the model errs: prediction-powered inference by article.

Mentions of one article share their author and the model's errors, so the article is the sampling
unit throughout. Let L be the g coded articles and U the h others; for an article, m counts its
mentions, Y sums the human labels and F the model's scores over them. The estimator is

    θ = ȳ_L + λ (f̄_U - f̄_L),   ȳ_L = ΣY/Σm,  f̄ = ΣF/Σm

which is unbiased for every λ when L is a random draw; λ in [0, 1] minimises its variance.
Angelopoulos, Duchi and Zrnic (2023), "PPI++"; clusters, t and jackknife as in survey sampling.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from classifier.errors import DataError
from classifier.records import Estimate

Array = npt.NDArray[np.float64]
Estimand = Literal["mention", "article"]
Population = Literal["source", "corpus"]

MINIMUM_CODED = 8
"""Below this many coded articles a corrected mean is withheld."""
JACKKNIFE_UP_TO = 40
"""Up to this many coded articles the variance is a delete-one-article jackknife."""


@dataclass(frozen=True)
class InferenceOptions:
    """What is estimated and how sure the interval shall be."""

    estimand: Estimand = "mention"
    """ "mention": every mention counts alike; "article": every article counts alike."""
    population: Population = "source"
    """ "source": what the source writes in general; "corpus": these very articles."""
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse a confidence outside (0, 1)."""
        if not 0 < self.confidence < 1:
            raise DataError(f"confidence must lie between 0 and 1, got {self.confidence}")


class Totals(NamedTuple):
    """Sums per article, coded articles apart from the others; one entry per article."""

    coded_size: Array
    coded_label: Array
    coded_score: Array
    probability: Array
    other_size: Array
    other_score: Array


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
        status=_withheld(totals) or "undefined: no mention",
        n_items=int(np.size(predicted)),
        n_articles=n_articles,
        n_coded_articles=n_coded,
        method=_method(options, unequal=probability is not None, few=n_coded <= JACKKNIFE_UP_TO),
        confidence=options.confidence,
    )
    if n_articles == 0 or _withheld(totals):
        return blank
    fit = _weighted if probability is not None else _plain
    theta, weight = fit(totals, options)
    variance, freedom = _variance(totals, theta, weight, options, unequal=probability is not None)
    return with_interval(
        replace(blank, value=theta, status="ok", model_weight=weight), variance, freedom
    )


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
    return with_interval(result, sum(variances), _satterthwaite(variances, freedoms))


def simultaneous(estimates: list[Estimate]) -> list[Estimate]:
    """Intervals that hold all at once, for a ranking of independent estimates (Šidák 1967).

    Each of the k estimates with a value gets the confidence c^(1/k), so that all k intervals cover
    together with probability c.
    """
    k = sum(estimate.standard_error is not None for estimate in estimates)
    return [_widened(estimate, k) for estimate in estimates]


def articles_needed(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    half_width: float,
    *,
    options: InferenceOptions | None = None,
) -> int | None:
    """Coded articles that would bring the interval to a half-width; None if all would not do.

    Takes the spread of the labels and of the model's errors from the articles coded so far.
    Raises `DataError` where those are too few to tell, or the half-width is not positive.
    """
    options = options or InferenceOptions()
    if half_width <= 0:
        raise DataError(f"a half-width must be positive, got {half_width}")
    totals = article_totals(predicted, coded, article, None, options.estimand)
    reason = _withheld(totals)
    if reason:
        raise DataError(f"planning needs coded articles to learn from; {reason}")
    theta, _ = _plain(totals, options)
    label, score, other = _residuals(totals, theta)
    total = len(totals.coded_size) + len(totals.other_size)
    for n_coded in range(MINIMUM_CODED, total + 1):
        variance = _planned_variance((label, score, other), n_coded, total, options)
        quantile = stats.t.ppf((1 + options.confidence) / 2, n_coded - 1)
        if quantile * np.sqrt(variance) <= half_width:
            return n_coded
    return None


def article_totals(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    probability: npt.ArrayLike | None,
    estimand: Estimand,
) -> Totals:
    """Sums per article; for the article-weighted estimand every article has size 1.

    Raises `DataError` for columns of different length, a missing score and a probability that is
    not in (0, 1].
    """
    scores = np.asarray(predicted, dtype=np.float64)
    labels = np.asarray(coded, dtype=np.float64)
    names = np.asarray(article)
    chances = np.ones(len(scores)) if probability is None else np.asarray(probability, np.float64)
    _check_columns(scores, labels, names, chances)
    if not len(scores):
        return Totals(*(np.zeros(0) for _ in Totals._fields))
    _, index = np.unique(names, return_inverse=True)
    has_label = ~np.isnan(labels)
    is_coded = np.bincount(index, weights=has_label) > 0
    use = has_label | ~is_coded[index]
    size = np.bincount(index, weights=use)
    label = np.bincount(index, weights=np.where(has_label, labels, 0.0))
    score = np.bincount(index, weights=np.where(use, scores, 0.0))
    chance = np.bincount(index, weights=np.where(use, chances, 0.0)) / size
    if estimand == "article":
        label, score, size = label / size, score / size, np.ones_like(size)
    return Totals(
        size[is_coded],
        label[is_coded],
        score[is_coded],
        chance[is_coded],
        size[~is_coded],
        score[~is_coded],
    )


def with_interval(estimate: Estimate, variance: float, freedom: float) -> Estimate:
    """The estimate with its t interval; without one where the variance is not positive."""
    if estimate.value is None or not variance > 0 or not freedom > 0:
        return replace(estimate, interval_status="undefined: no variation between articles")
    error = float(np.sqrt(variance))
    half = float(stats.t.ppf((1 + estimate.confidence) / 2, freedom)) * error
    return replace(
        estimate,
        low=estimate.value - half,
        high=estimate.value + half,
        standard_error=error,
        degrees_of_freedom=float(freedom),
        interval_status="ok",
    )


def _plain(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and λ for articles drawn with equal chances."""
    label_mean = totals.coded_label.sum() / totals.coded_size.sum()
    label, score, other = _residuals(totals, label_mean)
    weight = _tuned_weight(label, score, other, options.population)
    scores, sizes = totals.other_score, totals.other_size
    if options.population == "corpus":
        scores = np.concatenate([totals.coded_score, scores])
        sizes = np.concatenate([totals.coded_size, sizes])
    if not len(sizes):
        return float(label_mean), 0.0
    shift = scores.sum() / sizes.sum() - totals.coded_score.sum() / totals.coded_size.sum()
    return float(label_mean + weight * shift), weight


def _weighted(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and λ for unequal chances π: mean of F + (Y - F)/π in coded articles and F elsewhere.

    Horvitz-Thompson difference estimator; Egami et al. (2023) call it design-based supervised
    learning.
    """
    weight = _tuned_weight(*_pseudo_residual_parts(totals), population=options.population)
    size = np.concatenate([totals.coded_size, totals.other_size])
    return float(_pseudo_outcomes(totals, weight).sum() / size.sum()), weight


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


def _residuals(totals: Totals, label_mean: float) -> tuple[Array, Array, Array]:
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


def _variance(
    totals: Totals, theta: float, weight: float, options: InferenceOptions, *, unequal: bool
) -> tuple[float, float]:
    """Variance of θ and its degrees of freedom."""
    n_coded, n_other = len(totals.coded_size), len(totals.other_size)
    if unequal:
        return _pseudo_variance(totals, theta, weight, options), n_coded - 1
    label, score, other = _residuals(totals, totals.coded_label.sum() / totals.coded_size.sum())
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
    return sum(parts), _satterthwaite(parts, [n_coded - 1, n_other - 1])


def _jackknife_variance(totals: Totals, options: InferenceOptions) -> float:
    """(g-1)/g · Σ (θ_(i) - θ_(·))², leaving one coded article out, λ tuned anew each time."""
    n = len(totals.coded_size)
    keep = ~np.eye(n, dtype=bool)
    left_out = np.array([_plain(_without(totals, rows), options)[0] for rows in keep])
    return float((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())


def _without(totals: Totals, keep: npt.NDArray[np.bool_]) -> Totals:
    return totals._replace(
        coded_size=totals.coded_size[keep],
        coded_label=totals.coded_label[keep],
        coded_score=totals.coded_score[keep],
        probability=totals.probability[keep],
    )


def _pseudo_outcomes(totals: Totals, weight: float) -> Array:
    """λF + (Y - λF)/π in coded articles, λF in the others."""
    rectified = totals.coded_label - weight * totals.coded_score
    coded = weight * totals.coded_score + rectified / totals.probability
    return np.concatenate([coded, weight * totals.other_score])


def _pseudo_residual_parts(totals: Totals) -> tuple[Array, Array, Array]:
    """The label and score residuals of coded articles, each weighted by 1/π."""
    weights = 1 / totals.probability
    mean_size = (totals.coded_size * weights).sum() / weights.sum()
    label_mean = (totals.coded_label * weights).sum() / (totals.coded_size * weights).sum()
    label, score, other = _residuals(totals, label_mean)
    scale = weights / weights.mean() * totals.coded_size.mean() / mean_size
    return label * scale, score * scale, other


def _pseudo_variance(
    totals: Totals, theta: float, weight: float, options: InferenceOptions
) -> float:
    """Variance of the Horvitz-Thompson mean; over designs only where the corpus is the aim."""
    size = np.concatenate([totals.coded_size, totals.other_size])
    if options.population == "corpus":
        label_mean = totals.coded_label / totals.coded_size
        rectified = totals.coded_label - weight * totals.coded_score
        centred = rectified - totals.coded_size * np.average(
            label_mean - weight * totals.coded_score / totals.coded_size,
            weights=totals.coded_size / totals.probability,
        )
        terms = (1 - totals.probability) * (centred / totals.probability) ** 2
        return float(terms.sum() / size.sum() ** 2)
    residual = (_pseudo_outcomes(totals, weight) - theta * size) / size.mean()
    return float(np.var(residual, ddof=1)) / len(size)


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


def _planned_variance(
    residuals: tuple[Array, Array, Array], n_coded: int, total: int, options: InferenceOptions
) -> float:
    label, score, other = residuals
    n_other = total - n_coded
    scores = other if len(other) > 1 else score
    spread = float(np.var(scores, ddof=1))
    both = np.cov(label, score)
    needed = spread * (1 + n_coded / n_other) if n_other else np.inf
    weight = float(np.clip(both[0, 1] / needed, 0, 1)) if needed > 0 else 0.0
    coded_part = float(np.var(label - weight * score, ddof=1)) / n_coded
    if options.population == "corpus":
        return coded_part * (1 - n_coded / total)
    return coded_part + (weight**2 * spread / n_other if n_other else 0.0)


def _satterthwaite(variances: list[float], freedoms: list[float]) -> float:
    """(Σv)² / Σ(v²/df)."""
    bottom = sum(v**2 / df for v, df in zip(variances, freedoms, strict=True))
    return sum(variances) ** 2 / bottom if bottom > 0 else 0.0


def _withheld(totals: Totals) -> str:
    n = len(totals.coded_size)
    if n == 0:
        return "not corrected: no coded article"
    if n < MINIMUM_CODED:
        return f"too few: {n} coded articles, {MINIMUM_CODED} needed"
    means = totals.coded_label / totals.coded_size
    if np.ptp(means) == 0:
        return "undefined: no variation among the coded labels"
    return ""


def _widened(estimate: Estimate, k: int) -> Estimate:
    error, freedom = estimate.standard_error, estimate.degrees_of_freedom
    if error is None or freedom is None:
        return estimate
    wide = replace(estimate, confidence=estimate.confidence ** (1 / k))
    result = with_interval(wide, error**2, freedom)
    return replace(
        result, confidence=estimate.confidence, method=f"{estimate.method}; simultaneous"
    )


def _check_columns(
    scores: Array, labels: Array, names: npt.NDArray[np.generic], chances: Array
) -> None:
    lengths = {len(scores), len(labels), len(names), len(chances)}
    if len(lengths) > 1:
        raise DataError(f"scores, labels and articles must be equally long, got {sorted(lengths)}")
    missing = int(np.isnan(scores).sum())
    if missing:
        raise DataError(f"every mention needs a score, {missing} of {len(scores)} have none")
    if np.any(~(chances > 0) | (chances > 1)):
        raise DataError("a sampling probability must lie in (0, 1]")


def _method(options: InferenceOptions, *, unequal: bool, few: bool) -> str:
    variance = "Horvitz-Thompson" if unequal else "jackknife" if few else "linearised"
    return (
        f"prediction-powered, clustered by article, {variance} t; "
        f"{options.estimand}-weighted; {options.population}"
    )
