"""F1 as a function of summed hits, so that resampling articles costs one matrix product."""

import numpy as np
import numpy.typing as npt

from classifier.resampling import FloatArray


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Elementwise quotient; nan where there is nothing to divide by."""
    below = np.asarray(below)
    empty = np.full(below.shape, np.nan)
    return np.asarray(np.divide(above, below, out=empty, where=below > 1e-12), dtype=np.float64)


def hits(gold: FloatArray, predicted: FloatArray) -> FloatArray:
    """Items x 3 labels: true positives, false positives, false negatives of each label."""
    return np.hstack([gold * predicted, (1 - gold) * predicted, gold * (1 - predicted)])


def f1_by_label(totals: FloatArray) -> FloatArray:
    """2 tp / (2 tp + fp + fn) of each label; nan where the label occurs on neither side."""
    true, false, missed = np.split(totals, 3, axis=-1)
    return ratio(2 * true, 2 * true + false + missed)


def macro_f1(totals: FloatArray) -> FloatArray:
    """Mean F1 over the labels that occur in gold, so that all predictors share a denominator."""
    occurs = in_gold(totals)
    total = np.where(occurs, np.nan_to_num(f1_by_label(totals)), 0).sum(axis=-1)
    return ratio(total, occurs.sum(axis=-1).astype(np.float64))


def macro_f1_of_single(totals: FloatArray) -> FloatArray:
    """The same for one label per item; nan with one label in gold, which repeating it would win."""
    n_occurring = in_gold(totals).sum(axis=-1)
    return np.where(n_occurring < 2, np.nan, macro_f1(totals))


def in_gold(totals: FloatArray) -> npt.NDArray[np.bool_]:
    """Which labels occur in gold."""
    true, _, missed = np.split(totals, 3, axis=-1)
    return np.asarray(true + missed > 1e-12)
