"""How well a label fits those of the other annotators, for the alternative annotator test."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from classifier.agreement.coding import Coding
from classifier.agreement.distances import distances
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.resampling import FloatArray, IntArray

Scoring = Literal["accuracy", "rmse", "masi", "jaccard"]
TINY = 1e-12


@dataclass(frozen=True)
class TestOptions:
    """Thresholds of the test; the defaults are the published ones."""

    epsilon: float = 0.15
    scoring: Scoring | None = None
    """How a label is scored against the others' labels; None for rmse on ordinal, masi on set and
    accuracy on nominal variables."""
    cluster: str | None = "article"
    """Column to cluster by for the second p-value; None for the published test alone."""
    false_discovery_rate: float = 0.05
    min_items: int = 30
    min_annotators: int = 2
    """Annotators an item needs, the one left out included."""

    def __post_init__(self) -> None:
        """Refuse thresholds under which there is no test."""
        if not (0 <= self.epsilon < 1 and 0 < self.false_discovery_rate < 1):
            raise DataError(
                "epsilon lies from 0 to 1 and a false discovery rate between them, "
                f"got {self.epsilon} and {self.false_discovery_rate}"
            )
        if self.min_items < 2 or self.min_annotators < 2:
            raise DataError(
                "the test needs at least 2 items and 2 annotators, "
                f"got min_items={self.min_items}, min_annotators={self.min_annotators}"
            )

    __test__ = False


@dataclass(frozen=True)
class Scores:
    """A coding whose first column is the predictor, and how well each label fits each other."""

    coding: Coding
    similar: FloatArray
    """Values x values; higher is better, averaged over the other annotators."""

    def indicators(self, column: int, options: TestOptions) -> tuple[IntArray, FloatArray]:
        """Rows that count for an annotator; whether predictor and annotator do at least as well."""
        codes = self.coding.codes
        humans = codes[:, 1:]
        enough = (humans >= 0).sum(axis=1) >= options.min_annotators
        rows = np.flatnonzero((codes[:, column] >= 0) & (codes[:, 0] >= 0) & enough)
        others = humans[rows].copy()
        others[:, column - 1] = -1
        counts = np.stack([(others == v).sum(axis=1) for v in range(len(self.similar))], axis=1)
        means = counts @ self.similar.T / counts.sum(axis=1, keepdims=True)
        place = np.arange(len(rows))
        predictor, annotator = means[place, codes[rows, 0]], means[place, codes[rows, column]]
        at_least = [predictor >= annotator - TINY, annotator >= predictor - TINY]
        return rows, np.stack(at_least, axis=1).astype(np.float64)


def label_scores(coding: Coding, variable: Variable, scoring: Scoring) -> FloatArray:
    """Values x values, higher is better; raises `DataError` where the scoring does not suit."""
    # The root of a mean rises with the mean, so rmse orders labels as the mean square does.
    if scoring == "accuracy":
        return np.eye(len(coding.values))
    level = "interval" if scoring == "rmse" else scoring
    if (level == "interval") != (variable.kind == "ordinal"):
        raise DataError(f"scoring {scoring!r} does not suit a {variable.kind} variable")
    return -distances(coding.values, level, variable)


def usual_scoring(variable: Variable) -> Scoring:
    """The scoring that a variable's kind calls for."""
    if variable.kind == "set":
        return "masi"
    return "rmse" if variable.kind == "ordinal" else "accuracy"
