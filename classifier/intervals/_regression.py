"""Regression on labels that a model predicted, corrected with the articles that humans coded."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.errors import DataError
from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Sampling,
    marks,
    named,
    numbers,
    with_interval,
)
from classifier.records import Estimate, counted

MINIMUM = 8
"""Coded articles that a coefficient must rest on, as a corrected mean must."""
_ROUNDING = 1e-9


class Fit(NamedTuple):
    """Coefficients and what they rest on."""

    coefficients: tuple[Estimate, ...]
    model_weight: float
    """λ, 0 to 1: how far the scores were trusted beside the labels."""
    n_coded: int
    """Coded articles, or stories where those are the clusters."""


class _Rows(NamedTuple):
    """One entry per mention."""

    design: Array
    score: Array
    label: Array
    """0 if not coded."""
    is_true: npt.NDArray[np.bool_]
    """Coded, and no false mention."""
    weight: Array
    """How much the mention counts."""
    inverse: Array
    """1 / chance of being coded; 0 if not coded."""
    cluster: npt.NDArray[np.intp]


def corrected_regression(
    design: pd.DataFrame,
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> Fit:
    """Least squares on human labels of which only some are known.

    Design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, "Using imperfect
    surrogates for downstream inference"): the outcome of mention i is g + (y - g) R / p, with the
    label y, R = 1 if it was coded, and its known chance p. The errors are clustered by article
    or story. g is λ times the score plus the columns of the design times δ, both fitted on the
    coded mentions, each weighted by 1 / p. So a score that leans by group does no harm, and a
    useless one costs nothing. False mentions count with weight 0 in the same way.

    The variance is the sandwich over clusters, times c / (c - k) for c coded clusters and k
    columns. The degrees of freedom of a coefficient are those of as many coded clusters as would
    weigh as evenly in it (Kish 1965), times (c - k) / c.

    Args:
        design: One row per mention and one named column per coefficient, of full rank.
        predicted: The model's score per mention.
        coded: The human label per mention on the same scale; nan if not coded.
        article: The article of each mention.
        sampling: Unequal chances, clusters of articles, false mentions.
        options: Estimand and confidence. The population is the source in general.

    Returns:
        An estimate per column; withheld if it rests on fewer than 8 coded articles.

    Raises:
        DataError: columns that do not fit, or coefficients that the coded mentions cannot tell
            apart.
    """
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    if options.population != "source":
        raise DataError("a regression is about sources in general; population 'source' is required")
    rows, n_coded = _rows(design, predicted, coded, article, (sampling, options))
    columns = list(map(str, design.columns))
    _check_rank(rows.design, columns, "the mentions")
    _check_rank(rows.design[rows.is_true], columns, "the coded mentions")
    k = rows.design.shape[1]
    if n_coded <= k:
        raise DataError(
            f"more coded articles than coefficients are required, got {n_coded} for {k}; code more"
        )
    beta, variances, weighing, weight = _fitted(rows, n_coded)
    made = (
        _estimate(float(b), float(v), float(n), (n_coded, k), options)
        for b, v, n in zip(beta, variances, weighing, strict=True)
    )
    return Fit(tuple(made), weight, n_coded)


def _fitted(rows: _Rows, n_coded: int) -> tuple[Array, Array, Array, float]:
    """Coefficients, their variances, the coded clusters each rests on, and λ."""
    k = rows.design.shape[1]
    guess, weight = _guess(rows)
    inside = rows.inverse * rows.weight
    matters = rows.weight + inside * (rows.is_true.astype(np.float64) - (rows.inverse > 0))
    outcome = rows.weight * guess + inside * (rows.is_true * rows.label - guess)
    bread = np.linalg.inv((rows.design * matters[:, None]).T @ rows.design)
    beta = bread @ (rows.design.T @ outcome)
    moment = rows.design * (outcome - matters * (rows.design @ beta))[:, None]
    sums = _by_cluster(moment @ bread, rows.cluster)
    factor = n_coded / (n_coded - k) * len(sums) / (len(sums) - 1)
    lever = _by_cluster(np.abs(rows.design @ bread) * inside[:, None], rows.cluster)
    weighing = (lever**2).sum(axis=0) ** 2 / (lever**4).sum(axis=0)
    return beta, factor * (sums**2).sum(axis=0), weighing, weight


def _rows(
    design: pd.DataFrame,
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    how: tuple[Sampling, InferenceOptions],
) -> tuple[_Rows, int]:
    sampling, options = how
    matrix = design.to_numpy(dtype=np.float64)
    score, label = numbers(predicted, "scores"), numbers(coded, "labels")
    articles = named(article, "article")
    n = len(score)
    if not len(matrix) == len(label) == len(articles) == n:
        raise DataError("design, scores, labels and articles must have one row per mention")
    if not np.isfinite(matrix).all() or np.isnan(score).any():
        raise DataError("every mention needs a score and a number in each column")
    is_false = (
        np.zeros(n, bool) if sampling.is_false is None else marks(sampling.is_false, "is_false")
    )
    has_label = ~np.isnan(label) & ~is_false
    seen = has_label | is_false
    cluster = articles if sampling.cluster is None else named(sampling.cluster, "cluster")
    _, place = np.unique(articles, return_inverse=True)
    _, own = np.unique(cluster, return_inverse=True)
    size, n_seen = np.bincount(place)[place], np.bincount(place, weights=seen)[place]
    n_articles, n_read = len(np.unique(place)), len(np.unique(place[seen]))
    if not has_label.any():
        raise DataError("a corrected regression needs labels of some of the mentions, got none")
    if sampling.probability is None:
        chance = np.full(n, n_read / n_articles)
    else:
        chance = numbers(sampling.probability, "sampling probabilities")
        if np.any(~(chance > 0) | (chance > 1)):
            raise DataError("a sampling probability must lie in (0, 1]")
    # In an article coded in part, the coded mentions stand for the others.
    inverse = np.divide(size, n_seen * chance, out=np.zeros(n), where=seen)
    weight = np.ones(n) if options.estimand == "mention" else 1 / size
    rows = _Rows(matrix, score, np.where(has_label, label, 0.0), has_label, weight, inverse, own)
    return rows, len(np.unique(own[seen]))


def _guess(rows: _Rows) -> tuple[Array, float]:
    """λf + xδ for every mention, and λ."""
    seen = rows.is_true
    root = np.sqrt((rows.weight * rows.inverse)[seen])[:, None]
    inside = rows.design[seen] * root
    both = np.column_stack([rows.label[seen], rows.score[seen]]) * root
    apart = both - inside @ np.linalg.lstsq(inside, both, rcond=None)[0]
    spread = float((apart[:, 1] ** 2).sum())
    weight = 0.0
    if spread > _ROUNDING:
        weight = float(np.clip((apart[:, 0] * apart[:, 1]).sum() / spread, 0, 1))
    shift = np.linalg.lstsq(inside, both[:, 0] - weight * both[:, 1], rcond=None)[0]
    return np.asarray(weight * rows.score + rows.design @ shift), weight


def _check_rank(design: Array, names: Sequence[str], where: str) -> None:
    """Raise `DataError`, naming the columns, if some follow from the others."""
    if np.linalg.matrix_rank(design) == design.shape[1]:
        return
    known: list[int] = []
    lost = []
    for i, name in enumerate(names):
        if np.linalg.matrix_rank(design[:, [*known, i]]) > len(known):
            known.append(i)
        else:
            lost.append(name)
    raise DataError(
        f"{where} cannot tell these coefficients from the others: {', '.join(lost)}; code articles "
        "of each group, or leave out a column"
    )


def _by_cluster(values: Array, cluster: npt.NDArray[np.intp]) -> Array:
    columns = [np.bincount(cluster, weights=column) for column in values.T]
    return np.column_stack(columns)


def _estimate(
    value: float,
    variance: float,
    weighing: float,
    size: tuple[int, int],
    options: InferenceOptions,
) -> Estimate:
    n_coded, k = size
    method = "corrected least squares (DSL), clustered by article"
    if weighing < MINIMUM - _ROUNDING:
        status = (
            f"too few: rests on {counted(n_coded, 'coded article')} that weigh like "
            f"{weighing:.1f} here, {MINIMUM} needed"
        )
        return Estimate(None, status, n_coded_articles=n_coded, method=method)
    found = Estimate(
        value, "ok", n_coded_articles=n_coded, method=method, confidence=options.confidence
    )
    return with_interval(found, variance, weighing * (n_coded - k) / n_coded)
