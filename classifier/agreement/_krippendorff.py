"""Krippendorff's alpha, from sums per article, so that resamples cost one matrix product."""

from collections.abc import Hashable
from typing import Literal

import numpy as np
import pandas as pd

from classifier.agreement._coding import (
    DEFAULT_OPTIONS,
    AgreementOptions,
    Coding,
    Sums,
    estimate,
    not_estimable,
    per_article,
    read_coding,
)
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import FloatArray, Statistic
from classifier.records import Estimate

Level = Literal["nominal", "ordinal", "interval", "ratio", "masi", "jaccard"]
Weights = Literal["plain", "linear", "quadratic"]
SETS = ("masi", "jaccard")


def usual_level(variable: Variable) -> Level:
    """The level that a variable's kind calls for."""
    if variable.kind == "set":
        return "masi"
    return "ordinal" if variable.kind == "ordinal" else "nominal"


def check_level(level: Level, variable: Variable) -> None:
    """Refuse a level that the variable's labels do not have."""
    allowed: tuple[Level, ...] = ("nominal",)
    if variable.kind == "set":
        allowed = ("masi", "jaccard", "nominal")
    elif variable.kind == "ordinal":
        allowed = ("nominal", "ordinal", "interval", "ratio")
    if level not in allowed:
        raise DataError(
            f"variable {variable.name!r} is {variable.kind}: its level must be one of "
            f"{', '.join(allowed)}; got {level!r}"
        )
    if level == "ratio" and min(variable.numbers) < 0:
        raise DataError(
            f"the ratio level needs numbers from 0 up; variable {variable.name!r} has "
            f"{min(variable.numbers):g}: take interval"
        )


def masi_distance(a: frozenset[str], b: frozenset[str]) -> float:
    """1 - Jaccard x monotonicity (1 same, 2/3 nested, 1/3 crossing, 0 apart). Passonneau 2006.

    >>> masi_distance(frozenset("XY"), frozenset("YZ"))
    0.8888888888888888
    >>> masi_distance(frozenset(), frozenset())
    0.0
    """
    if a == b:
        return 0.0
    nested = a <= b or b <= a
    return 1 - len(a & b) / len(a | b) * (2 / 3 if nested else 1 / 3)


def jaccard_distance(a: frozenset[str], b: frozenset[str]) -> float:
    """1 - share of the union that both hold; 0 between two empty sets.

    >>> jaccard_distance(frozenset("XY"), frozenset("Y"))
    0.5
    """
    return 0.0 if a == b else 1 - len(a & b) / len(a | b)


def distances(values: tuple[Hashable, ...], level: Level, variable: Variable) -> FloatArray:
    """Squared differences in Krippendorff's sense between all pairs of values; not for ordinal."""
    if level in SETS:
        return _set_distances(values, level, variable)
    if level == "interval":
        numbers = np.array(variable.numbers)
        return np.asarray((numbers[:, None] - numbers[None, :]) ** 2, dtype=np.float64)
    if level == "ratio":
        numbers = np.array(variable.numbers)
        sums = numbers[:, None] + numbers
        return np.asarray(((numbers[:, None] - numbers) / np.where(sums > 0, sums, 1)) ** 2)
    return 1.0 - np.eye(len(values))


def _set_distances(values: tuple[Hashable, ...], level: Level, variable: Variable) -> FloatArray:
    """`masi_distance` or `jaccard_distance` of all pairs at once."""
    sets = [value for value in values if isinstance(value, frozenset)]
    holds = np.array([[name in value for name in variable.names] for value in sets], dtype=float)
    holds = holds.reshape(len(sets), len(variable.names))
    sizes = holds.sum(axis=1)
    shared = holds @ holds.T
    smaller = np.minimum(sizes[:, None], sizes)
    union = sizes[:, None] + sizes - shared
    weight = np.where(shared == smaller, 2 / 3, 1 / 3) if level == "masi" else 1.0
    apart = 1 - shared / np.maximum(union, 1) * weight
    np.fill_diagonal(apart, 0)
    return np.asarray(apart, dtype=np.float64)


def kappa_distances(n_labels: int, weights: Weights) -> FloatArray:
    """Disagreement between places in codebook order, scaled to 0..1."""
    place = np.arange(n_labels, dtype=np.float64)
    apart: FloatArray = np.abs(place[:, None] - place[None, :]) / max(1, n_labels - 1)
    if weights == "plain":
        return np.asarray(apart > 0, dtype=np.float64)
    return apart if weights == "linear" else np.asarray(apart**2, dtype=np.float64)


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
