"""Corrected means that draw on more: on other sources, or on several predictors at once.

A source with few coded articles is pooled in part with the other sources. Several predictors become
one score: the linear combination that predicts the labels best.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.errors import DataError
from classifier.intervals._means import effective_number, hajek_terms, overall_score
from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Sampling,
    Totals,
    article_totals,
    named,
    numbers,
    with_interval,
)
from classifier.records import Estimate, counted

MINIMUM_POOLED = 3
"""Below this many coded articles a source is neither pooled nor given a pooled mean."""
MINIMUM_SOURCES = 5
"""Below this many sources nothing is pooled."""
_GRID = 400


class OneSource(NamedTuple):
    """One source's mentions, as `corrected_mean` takes them."""

    predicted: npt.ArrayLike
    coded: npt.ArrayLike
    article: npt.ArrayLike
    sampling: Sampling


class _Sources(NamedTuple):
    """One entry per source that is pooled."""

    mean: Array
    """Corrected mean of these very articles."""
    variance: Array
    """Of that mean, from the errors of all sources together."""
    score: Array
    """Mean score of all articles."""
    beyond: Array
    """What the articles, being a draw themselves, add to the variance."""
    weight: float
    """λ, one for all sources."""
    freedom: float


def pooled_means(
    groups: Sequence[OneSource], *, options: InferenceOptions | None = None
) -> list[Estimate]:
    """Corrected means of several sources that learn from each other (empirical Bayes).

    The variance within sources and λ are estimated from the coded articles of all sources. Then the
    corrected mean of each source is drawn towards what its mean score lets expect, the more the
    fewer of its articles are coded: d_j ~ N(θ_j, V_j), θ_j ~ N(a + b f_j, τ²). This is the model of
    Fay and Herriot (1979), "Estimates of income for small places", on prediction-powered means
    (after Li and Ignatiadis 2025, "Prediction-powered adaptive shrinkage estimation"). a, b and τ²
    have flat priors (Morris 1983, "Parametric empirical Bayes inference") and are integrated out,
    so that the interval knows that they are estimated. Its t has the degrees of freedom of the
    variance within sources. It holds on average over the sources, not for each: one that is unlike
    all others is drawn too far. Sources are taken as independent.

    Args:
        groups: The mentions of each source.
        options: Estimand, population and confidence.

    Returns:
        An estimate per source, in their order. It is withheld below 3 coded articles, or 3 that
        would weigh as evenly, and if fewer than 5 sources have as many.

    Raises:
        DataError: columns that do not fit.
    """
    options = options or InferenceOptions()
    totals = [
        article_totals(g.predicted, g.coded, g.article, g.sampling, options.estimand)
        for g in groups
    ]
    kept = [j for j, one in enumerate(totals) if not _too_few(one)]
    blanks = [_blank(*pair, options) for pair in zip(groups, totals, strict=True)]
    if len(kept) < MINIMUM_SOURCES:
        found = f"{counted(len(kept), 'source')} with {MINIMUM_POOLED} coded articles"
        why = f"too few to pool: {found}, {MINIMUM_SOURCES} needed"
        return [
            replace(one, status=_too_few(t) or why) for one, t in zip(blanks, totals, strict=True)
        ]
    sources = _sources([totals[j] for j in kept], [groups[j] for j in kept], options)
    if not (sources.variance > 0).all():
        return [replace(one, status=f"undefined: {_SAME}") for one in blanks]
    means, variances = _drawn_together(sources)
    for j, mean, variance in zip(kept, means, variances + sources.beyond, strict=True):
        made = replace(
            blanks[j],
            value=float(mean),
            status="ok",
            model_weight=sources.weight,
            method=f"{blanks[j].method}; with {len(kept)} sources",
        )
        blanks[j] = with_interval(made, float(variance), sources.freedom)
    return blanks


_SAME = "no variation among the coded labels that the model does not know"


def _too_few(totals: Totals) -> str:
    """Why a source is not pooled; empty if it is."""
    n = len(totals.coded_size)
    if not (totals.coded_label_size > 0).any():
        return (
            "not pooled: no coded article" if not n else "undefined: all coded mentions are false"
        )
    weighing = effective_number(totals)
    if weighing >= MINIMUM_POOLED - 1e-9:
        return ""
    found = counted(n, "coded article")
    if weighing < n:
        found += f" that weigh like {weighing:.1f}"
    return f"too few: {found}, {MINIMUM_POOLED} needed"


def _blank(group: OneSource, totals: Totals, options: InferenceOptions) -> Estimate:
    return Estimate(
        None,
        _too_few(totals) or "ok to pool",
        n_items=len(numbers(group.predicted, "scores")),
        n_articles=len(totals.coded_size) + len(totals.other_size),
        n_coded_articles=len(totals.coded_size),
        method=(
            "prediction-powered, pooled across sources (empirical Bayes); "
            f"{options.estimand}-weighted; {options.population}"
        ),
        confidence=options.confidence,
    )


def _sources(
    totals: Sequence[Totals], groups: Sequence[OneSource], options: InferenceOptions
) -> _Sources:
    pairs = [_moments(one) for one in totals]
    n = np.array([effective_number(one) for one in totals])
    freedom = float(sum(k - 1 for k, *_ in pairs))
    # Per article, the variance of labels, their covariance with the scores, and that of scores.
    yy, yf, ff = (
        sum(m * (k - 1) * moments[i] for m, (k, *moments) in zip(n, pairs, strict=True)) / freedom
        for i in range(3)
    )
    weight = float(np.clip(yf / ff, 0, 1)) if ff > 0 else 0.0
    left = np.array([_share_left(*pair) for pair in zip(totals, groups, strict=True)])
    means = np.array([_means(one) for one in totals])
    n_all = np.array([len({*t.coded_cluster.tolist(), *t.other_cluster.tolist()}) for t in totals])
    beyond = yy / n_all if options.population == "source" else np.zeros(len(n))
    within = yy - 2 * weight * yf + weight**2 * ff
    # A source that is coded in full has no variance; it stays where it is.
    left = np.maximum(left, 1e-9)
    mean = means[:, 0] + weight * (means[:, 2] - means[:, 1])
    return _Sources(mean, within * left / n, means[:, 2], beyond, weight, freedom - 1)


def _moments(totals: Totals) -> tuple[int, float, float, float]:
    """Clusters, and the jackknife's variances and covariance of a source's label and score mean.

    (c - 1)/c Σ (θ_(i) - θ)², where θ_(i) - θ = -t / (1 - h) for the cluster's term t in the
    linearised mean and its share h of the size.
    """
    label, score = hajek_terms(totals)
    names, index = np.unique(totals.coded_cluster, return_inverse=True)
    inverse = 1 / totals.probability
    sums = []
    for terms, size in ((label, totals.coded_label_size), (score, totals.coded_size)):
        share = np.bincount(index, weights=size * inverse) / (size * inverse).sum()
        sums.append(np.bincount(index, weights=terms) / np.maximum(1 - share, 1e-9))
    y, f = (one - one.mean() for one in sums)
    n, factor = len(names), (len(names) - 1) / len(names)
    return n, float(factor * (y @ y)), float(factor * (y @ f)), float(factor * (f @ f))


def _means(totals: Totals) -> tuple[float, float, float]:
    """Mean label and mean score of the coded articles, and mean score of all."""
    inverse = 1 / totals.probability
    label = (totals.coded_label * inverse).sum() / (totals.coded_label_size * inverse).sum()
    score = (totals.coded_score * inverse).sum() / (totals.coded_size * inverse).sum()
    return float(label), float(score), overall_score(totals)


def _share_left(totals: Totals, group: OneSource) -> float:
    """How much of a source's articles is not coded."""
    if group.sampling.probability is not None:
        return float((1 - totals.probability * totals.coded_share).mean())
    n = len(totals.coded_size)
    return 1 - n / (n + len(totals.other_size)) * float(totals.coded_share.mean())


def _drawn_together(sources: _Sources) -> tuple[Array, Array]:
    """Posterior mean and variance of each source's mean, over a grid of τ²."""
    d, v = sources.mean, sources.variance
    x = np.column_stack([np.ones(len(d)), sources.score - sources.score.mean()])
    if np.ptp(sources.score) < 1e-9:
        x = x[:, :1]
    place = (np.arange(_GRID) + 0.5) / _GRID
    between = v.mean() * place / (1 - place)
    precision = 1 / (v + between[:, None])
    information = np.einsum("gj,jp,jq->gpq", precision, x, x)
    spread = np.linalg.inv(information)
    beta = np.einsum("gpq,gj,jq,j->gp", spread, precision, x, d)
    apart = d - beta @ x.T
    fit = np.log(precision).sum(axis=1) - (precision * apart**2).sum(axis=1)
    # A flat prior on τ², on a grid that is even in τ² / (τ² + v).
    log_chance = (fit - np.linalg.slogdet(information)[1]) / 2 - 2 * np.log(1 - place)
    chance = np.exp(log_chance - log_chance.max())
    chance /= chance.sum()
    pull = v * precision
    each = d - pull * apart
    line = np.einsum("jp,gpq,jq->gj", x, spread, x)
    inside = v * (1 - pull) + pull**2 * line
    mean = chance @ each
    return mean, chance @ (inside + (each - mean) ** 2)


FOLDS = 10
_FEW = 2
_TINY = 1e-300
_ALL_SUBSETS_UP_TO = 5


def combined_scores(
    predicted: Mapping[str, npt.ArrayLike],
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> tuple[Array, dict[str, float]]:
    """Combine the scores of several predictors for a corrected mean.

    Every subset of the predictors is a candidate twice: with the weights that minimise the
    estimated variance of the corrected mean (Angelopoulos et al. 2023, "PPI++", with a vector for
    λ), none of them negative, and with equal weights, which cost one parameter only. The candidates
    are averaged by exp(-BIC / 2) (Raftery 1995, "Bayesian model selection in social research"), so
    that few coded articles choose nothing that they cannot tell. The weights sum to 1, or to more
    where the predictors together fall short of the labels; how far to trust the score, the
    corrected mean tunes itself. They are cross-fitted by story: an article is scored with weights
    learnt from the other folds, articles without labels with the mean of all folds' weights (Zrnic
    and Candès 2024).

    Args:
        predicted: By predictor, its score per mention.
        coded: The human label per mention; nan if not coded.
        article: The article of each mention.
        sampling: Unequal chances, clusters of articles, false mentions.
        options: Estimand and population.

    Returns:
        A score per mention, and the mean weight of each predictor.

    Raises:
        DataError: no predictor, or columns that do not fit.
    """
    if not predicted:
        raise DataError("at least one predictor was required, got none")
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    columns = np.column_stack([numbers(c, f"scores of {n}") for n, c in predicted.items()])
    several = [
        article_totals(column, coded, article, sampling, options.estimand) for column in columns.T
    ]
    clusters = named(article if sampling.cluster is None else sampling.cluster, "cluster")
    names, index = np.unique(several[0].coded_cluster, return_inverse=True)
    if len(names) < 2 * _FEW:
        return columns.mean(axis=1), dict.fromkeys(predicted, 1 / len(predicted))
    n_folds = min(FOLDS, len(names))
    # Dealt out at random, but the same each time: neighbours in name may be neighbours in time.
    fold_of = np.random.default_rng(0).permutation(len(names)) % n_folds
    label, score, spread = _terms(several, options)
    weights = np.array(
        [_weights(label, score, spread, fold_of[index] != k) for k in range(n_folds)]
    )
    total = weights.sum(axis=1, keepdims=True)
    is_none = total <= _TINY
    weights = np.where(is_none, 1 / len(columns.T), weights / np.where(is_none, 1, total))
    # One factor for all folds: a scale that changes from fold to fold only adds noise.
    weights *= max(1.0, float(total.mean()))
    mean = weights.mean(axis=0)
    place = np.clip(np.searchsorted(names, clusters), 0, len(names) - 1)
    own = np.where((names[place] == clusters)[:, None], weights[fold_of[place]], mean)
    return (columns * own).sum(axis=1), dict(zip(predicted, map(float, mean), strict=True))


def _terms(several: list[Totals], options: InferenceOptions) -> tuple[Array, Array, Array]:
    """Linearised terms of labels and scores per coded article, and what the others' scores add."""
    pairs = [hajek_terms(totals) for totals in several]
    label, score = pairs[0][0], np.column_stack([score for _, score in pairs])
    others = np.column_stack([t.other_score for t in several])
    size = several[0].other_size
    if options.population == "corpus" or len(size) < _FEW:
        return label, score, np.zeros((score.shape[1], score.shape[1]))
    residual = others - others.sum(axis=0) / size.sum() * size[:, None]
    return label, score, residual.T @ residual / size.sum() ** 2


def _weights(label: Array, score: Array, spread: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Mean weights of all candidates, each by how likely it is: n log(loss) + k log(n) is BIC."""
    n, k = int(seen.sum()), score.shape[1]
    label, score, spread = label[seen], score[seen], spread * seen.mean()
    sizes = range(1, k + 1) if k <= _ALL_SUBSETS_UP_TO else (1, k)
    made, criteria = [], []
    for chosen in (c for size in sizes for c in combinations(range(k), size)):
        equal = np.isin(np.arange(k), chosen)[:, None] / len(chosen)
        for basis in (np.eye(k)[:, chosen], equal)[: len(chosen)]:
            own, loss = _fitted(label, score @ basis, basis.T @ spread @ basis)
            made.append(basis @ own)
            criteria.append(n * np.log(max(loss, _TINY)) + basis.shape[1] * np.log(n))
    likely = np.exp(-(np.array(criteria) - min(criteria)) / 2)
    return np.asarray(likely @ np.array(made) / likely.sum())


def _fitted(label: Array, score: Array, spread: Array) -> tuple[Array, float]:
    """Non-negative weights w that minimise Σ(y - wf)² + w'Sw, and that minimum."""
    from scipy.optimize import nnls

    scale = np.sqrt((score**2).sum(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    rows = np.vstack([score, root]) / scale
    weights, error = nnls(rows, np.concatenate([label, np.zeros(len(root))]))
    return weights / scale, float(error) ** 2
