"""From which probability on a label of a set is given: chosen where it serves F1 best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.codebook import Variable

NEUTRAL = 0.5
MIN_GIVEN = 15
"""Fewer mentions with a label than this say too little about its threshold."""


@dataclass(frozen=True)
class Threshold:
    """One chosen threshold."""

    value: float
    """A label is given where its probability is at least this."""
    status: str
    """"ok", or where the value comes from instead."""
    n_mentions: int
    n_given: int
    """Coded mentions that have the label."""
    f1: float | None = None
    """F1 with it on the mentions that it was chosen on, which flatters it."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds per set variable and label."""

    chosen: Mapping[str, Mapping[str, Threshold]]

    def of(self, variable: Variable) -> NDArray[np.float64]:
        """One number per label in codebook order, the neutral one where none was chosen."""
        known = self.chosen.get(variable.name, {})
        values = [known[name].value if name in known else NEUTRAL for name in variable.names]
        return np.array(values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            variable: {label: vars(threshold) for label, threshold in by_label.items()}
            for variable, by_label in self.chosen.items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Thresholds":
        """The thresholds that `to_dict` wrote."""
        return cls(
            {
                variable: {label: Threshold(**one) for label, one in by_label.items()}
                for variable, by_label in data.items()
            }
        )


NONE_CHOSEN = Thresholds({})


def fit_thresholds(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    variables: Sequence[Variable],
) -> Thresholds:
    """Choose a threshold for every label of every set.

    A label with too few mentions takes the threshold that serves all labels of its variable
    together best (micro-averaged F1), and the neutral one where all together are too few.
    """
    return Thresholds(
        {
            v.name: _fit_variable(probabilities[v.name], labels[v.name], v)
            for v in variables
            if v.kind == "set"
        }
    )


def _fit_variable(
    rows: NDArray[np.float64], labels: NDArray[np.int64], variable: Variable
) -> dict[str, Threshold]:
    common = fit_threshold(rows.ravel(), labels.ravel())
    chosen = {}
    for column, name in enumerate(variable.names):
        own = fit_threshold(rows[:, column], labels[:, column])
        if own.status != "ok" and common.status == "ok":
            status = f"{own.status}, so that of all labels together"
            own = Threshold(common.value, status, own.n_mentions, own.n_given)
        chosen[name] = own
    return chosen


def fit_threshold(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Threshold:
    """The threshold with the highest F1 on these mentions; -1 stands for not coded.

    >>> fit_threshold(np.repeat([0.25, 0.5, 0.75], 20), np.repeat([0, 1, 1], 20)).value
    0.375
    """
    coded = labels >= 0
    order = np.argsort(-probabilities[coded], kind="stable")
    rows, gold = probabilities[coded][order], labels[coded][order]
    n_mentions, n_given = len(gold), int((gold == 1).sum())
    if n_given < MIN_GIVEN or n_given == n_mentions:
        return Threshold(NEUTRAL, f"too few: {n_given} of {n_mentions}", n_mentions, n_given)
    f1 = f1_by_cut(gold)
    last_of_equals = np.append(rows[1:] < rows[:-1], True)
    best = int(np.argmax(np.where(last_of_equals, f1, -1.0)))
    below = rows[best + 1] if best + 1 < n_mentions else 0.0
    return Threshold(float((rows[best] + below) / 2), "ok", n_mentions, n_given, float(f1[best]))


def f1_by_cut(gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 if the first 1, 2, ... mentions are given the label; gold is 1 or 0, most likely first."""
    right = np.cumsum(gold == 1)
    given = np.arange(1, len(gold) + 1)
    return np.asarray(2 * right / (given + (gold == 1).sum()))
