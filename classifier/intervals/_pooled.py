"""Corrected means of sources with few coded articles, pooled in part with the other sources."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Sampling,
    Totals,
    article_totals,
    numbers,
    with_interval,
)
from classifier.intervals._weighted import effective_number, hajek_terms, overall_score
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
        would weigh as evenly, and where fewer than 5 sources have as many.

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
    """Why a source is not pooled; empty where it is."""
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
