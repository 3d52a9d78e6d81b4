"""A plain macro-F1 to steer training by; results are judged in `classifier.evaluation`."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.codebook import Variable


def quality(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    variables: Sequence[Variable],
) -> float:
    """Mean over the variables of the macro-F1 on coded mentions, over labels that occur there."""
    values = [macro_f1(probabilities[v.name], labels[v.name]) for v in variables]
    return float(np.mean([value for value in values if value is not None] or [0.0]))


def macro_f1(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """Macro-F1 over the labels that gold or prediction uses; None where nothing is coded.

    >>> macro_f1(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))  # F1 2/3 and 0
    0.3333333333333333
    """
    coded = labels >= 0
    if not coded.any():
        return None
    columns = np.arange(rows.shape[1])
    if labels.ndim == 1:
        predicted = rows[coded].argmax(axis=1)[:, None] == columns
        gold = labels[coded][:, None] == columns
    else:
        predicted, gold = (rows >= 0.5) & coded, labels == 1
    both = (predicted & gold).sum(axis=0)
    either = predicted.sum(axis=0) + gold.sum(axis=0)
    return float(np.mean(2 * both[either > 0] / either[either > 0])) if either.any() else None
