"""How far two labels lie apart: one matrix per level of measurement, 0 on the diagonal."""

from collections.abc import Hashable
from typing import Literal

import numpy as np

from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import FloatArray

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
