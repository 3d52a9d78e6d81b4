"""A statistic of items with its interval from resampling articles."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.agreement._coding import AgreementOptions, Coding, read_coding
from classifier.codebook import Variable
from classifier.intervals import FloatArray, Statistic, article_totals, estimated
from classifier.records import Estimate


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


def macro_f1_of_table(
    table: pd.DataFrame, variable: Variable, *, options: AgreementOptions
) -> Estimate:
    """Macro-F1 of the first annotator in the table against the second, the gold labels."""
    coding = read_coding(table, variable, options).pairable()
    missing = not_estimable(coding, "macro-F1", options)
    if missing is not None:
        return missing
    held = [v if isinstance(v, frozenset) else {v} for v in coding.values]  # noqa: PD011
    members = np.array([[name in labels for name in variable.names] for labels in held], float)
    counted = hits(members[coding.codes[:, 1]], members[coding.codes[:, 0]])
    statistic = macro_f1 if variable.kind == "set" else macro_f1_of_single
    sums = Sums(per_article(counted, coding), statistic, "macro-F1", (0.0, 1.0))
    return estimate(coding, sums, options)


def in_gold(totals: FloatArray) -> npt.NDArray[np.bool_]:
    """Which labels occur in gold."""
    true, _, missed = np.split(totals, 3, axis=-1)
    return np.asarray(true + missed > 1e-12)


class Sums(NamedTuple):
    """A measure as a function of article totals."""

    totals: FloatArray
    """Articles x k."""
    statistic: Statistic
    method: str
    bounds: tuple[float, float] = (-math.inf, 1.0)
    """Of the figure. Below -1 lies chance-corrected agreement whose margins also count units with
    one label."""


def estimate(coding: Coding, sums: Sums, options: AgreementOptions) -> Estimate:
    """The figure with its interval, or in words why there is none.

    `coding` holds the pairable units only, in the order in which they were summed.
    """
    n_labels = coding.n_labels
    undefined = Estimate(
        None,
        "undefined: no variation",
        n_items=len(coding.codes),
        n_articles=coding.n_articles,
        n_pairs=int((n_labels * (n_labels - 1) // 2).sum()),
        method=_described(sums.method, options),
        confidence=options.interval.confidence,
        notes=coding.notes,
    )
    return estimated(undefined, sums.totals, sums.statistic, options.interval, bounds=sums.bounds)


def not_estimable(coding: Coding, method: str, options: AgreementOptions) -> Estimate | None:
    """Why these labels say nothing about agreement, or None where they do."""
    n_annotators = int((coding.codes >= 0).any(axis=0).sum())
    if n_annotators >= 2 and (coding.n_labels >= 2).any():
        return None
    reasons = {0: "not estimable: no labels", 1: "not estimable: one annotator"}
    status = reasons.get(n_annotators, "no overlap")
    return Estimate(None, status, method=_described(method, options), notes=coding.notes)


def per_article(values: FloatArray, coding: Coding) -> FloatArray:
    """Sum unit rows by article."""
    return article_totals(values, coding.articles, coding.n_articles)


def _described(method: str, options: AgreementOptions) -> str:
    made = options.interval
    if made.method == "none":
        return method
    draws = f", {made.n_draws} draws" if made.method == "bootstrap" else ", t"
    return f"{method}; {options.cluster} {made.method}{draws}"
