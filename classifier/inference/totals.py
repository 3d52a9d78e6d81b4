"""What is estimated, and the sums per article that every estimator starts from."""

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
_ESTIMANDS: tuple[Estimand, ...] = ("mention", "article")
_POPULATIONS: tuple[Population, ...] = ("source", "corpus")


_ROUNDING = 1e-24
"""A variance below this is what arithmetic leaves of zero, for scores of the order of one."""


@dataclass(frozen=True)
class InferenceOptions:
    """What is estimated and how sure the interval shall be."""

    estimand: Estimand = "mention"
    """ "mention": every mention counts alike; "article": every article counts alike."""
    population: Population = "source"
    """ "source": what the source writes in general; "corpus": these very articles."""
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what is no estimand, no population or no confidence."""
        for value, known in ((self.estimand, _ESTIMANDS), (self.population, _POPULATIONS)):
            if value not in known:
                raise DataError(f"one of {', '.join(known)} was required, got {value!r}")
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
    is_coded = _sums(index, has_label) > 0
    use = has_label | ~is_coded[index]
    size = _sums(index, use)
    label = _sums(index, np.where(has_label, labels, 0.0))
    score = _sums(index, np.where(use, scores, 0.0))
    chance = _sums(index, np.where(use, chances, 0.0)) / size
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
    if estimate.value is None or not variance > _ROUNDING or not freedom > 0:
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


def _sums(index: npt.NDArray[np.intp], values: npt.ArrayLike) -> Array:
    return np.asarray(np.bincount(index, weights=np.asarray(values)), dtype=np.float64)


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


def satterthwaite(variances: list[float], freedoms: list[float]) -> float:
    """(Σv)² / Σ(v²/df)."""
    bottom = sum(v**2 / df for v, df in zip(variances, freedoms, strict=True))
    return sum(variances) ** 2 / bottom if bottom > 0 else 0.0
