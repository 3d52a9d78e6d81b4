"""Krippendorff's alpha, from sums per article, so that resamples cost one matrix product."""

import numpy as np
import pandas as pd

from classifier.agreement._coding import DEFAULT_OPTIONS, AgreementOptions, Coding, read_coding
from classifier.agreement._distances import Level, check_level, distances, usual_level
from classifier.agreement._estimate import Sums, estimate, not_estimable, per_article
from classifier.codebook import Variable
from classifier.intervals import FloatArray, Statistic
from classifier.records import Estimate


def alpha(
    table: pd.DataFrame,
    variable: Variable,
    *,
    level: Level | None = None,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Krippendorff's alpha = 1 - D_o / D_e among any number of annotators, with gaps.

    Krippendorff 2011, "Computing Krippendorff's alpha-reliability"; for sets with the MASI distance
    of Passonneau 2006. Units that one annotator coded are left out.

    Args:
        table: columns unit, article, annotator, label.
        variable: the question; its kind chooses the level unless one is given.
        level: nominal, ordinal, interval or ratio; masi, jaccard or nominal for sets.
        options: interval, cluster, unknown labels.

    >>> from classifier.codebook import default_codebook
    >>> stance = default_codebook().variable("stance")
    >>> low, middle, high = stance.names
    >>> table = pd.DataFrame({"unit": ["u1", "u1", "u2", "u2"], "article": ["a", "a", "b", "b"],
    ...     "annotator": ["x", "y", "x", "y"], "label": [low, low, middle, high]})
    >>> print(alpha(table, stance))
    0.833 (no interval: too few: 2 articles)
    """
    level = level or usual_level(variable)
    check_level(level, variable)
    coding = read_coding(table, variable, options)
    return alpha_of(coding, variable, level, options)


def alpha_of(
    coding: Coding, variable: Variable, level: Level, options: AgreementOptions
) -> Estimate:
    """Alpha of a table that was checked before."""
    method = f"Krippendorff's alpha, {level}"
    missing = not_estimable(coding, method, options)
    if missing is not None:
        return missing
    pairable = coding.pairable()
    totals, statistic = alpha_sums(pairable, variable, level)
    return estimate(pairable, Sums(totals, statistic, method), options)


def alpha_sums(coding: Coding, variable: Variable, level: Level) -> tuple[FloatArray, Statistic]:
    """Article totals of a coding, and alpha as a function of them."""
    counts = coding.counts
    counts[coding.n_labels < 2] = 0
    weights = 1 / np.maximum(counts.sum(axis=1) - 1, 1)
    if level == "ordinal":
        return per_article(_coincidences(counts, weights), coding), _ordinal_alpha
    apart = distances(coding.values, level, variable)
    observed = ((counts @ apart) * counts).sum(axis=1) * weights
    return per_article(np.column_stack([observed, counts]), coding), _fixed_alpha(apart)


def _coincidences(counts: FloatArray, weights: FloatArray) -> FloatArray:
    # o_ck = sum over units of (ordered pairs of labels c, k) / (labels in the unit - 1)
    pairs = counts[:, :, None] * counts[:, None, :]
    place = np.arange(counts.shape[1])
    pairs[:, place, place] -= counts
    pairs *= weights[:, None, None]
    return pairs.reshape(len(counts), -1)


def _fixed_alpha(apart: FloatArray) -> Statistic:
    def statistic(totals: FloatArray) -> FloatArray:
        observed, margins = totals[..., 0], totals[..., 1:]
        expected = ((margins @ apart) * margins).sum(axis=-1)
        return _alpha(observed, expected, margins.sum(axis=-1))

    return statistic


def _ordinal_alpha(totals: FloatArray) -> FloatArray:
    # The ordinal difference of two labels is that of their mid-ranks, which depend on the margins.
    n_values = round(totals.shape[-1] ** 0.5)
    pairs = totals.reshape(*totals.shape[:-1], n_values, n_values)
    margins = pairs.sum(axis=-1)
    ranks = np.cumsum(margins, axis=-1) - margins / 2
    apart = (ranks[..., :, None] - ranks[..., None, :]) ** 2
    observed = (pairs * apart).sum(axis=(-2, -1))
    expected = (margins[..., :, None] * margins[..., None, :] * apart).sum(axis=(-2, -1))
    return _alpha(observed, expected, margins.sum(axis=-1))


def _alpha(observed: FloatArray, expected: FloatArray, n: FloatArray) -> FloatArray:
    varies = expected > 1e-9 * np.maximum(n, 1)
    ratio = np.divide(observed, expected, out=np.full_like(observed, np.nan), where=varies)
    return np.asarray(1 - (n - 1) * ratio, dtype=np.float64)
