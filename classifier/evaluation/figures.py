"""Figures against gold as functions of article totals."""

from typing import NamedTuple

import numpy as np

from classifier.agreement.f1 import f1_by_label, hits, macro_f1, macro_f1_of_single, ratio
from classifier.codebook import Variable
from classifier.records import Estimate
from classifier.resampling import (
    FloatArray,
    IntArray,
    IntervalOptions,
    Statistic,
    article_totals,
    estimated,
)

__all__ = [
    "NO_ITEMS",
    "NO_VARIATION",
    "SHARE",
    "Sample",
    "f1_by_label",
    "figure",
    "hits",
    "macro_f1",
    "macro_f1_of",
    "mean_defined",
    "micro_f1",
    "precision",
    "ratio",
    "recall",
    "share",
]

NO_VARIATION = "undefined: no variation"
NO_ITEMS = "not estimable: no items"
SHARE = (0.0, 1.0)


class Sample(NamedTuple):
    """Rows to be summed by article, and how intervals are made from the sums."""

    rows: FloatArray
    """Items x k."""
    articles: IntArray
    options: IntervalOptions
    cluster: str = "article"

    @property
    def n_articles(self) -> int:
        """How many articles the items come from."""
        return int(self.articles.max(initial=-1)) + 1


def figure(
    sample: Sample,
    statistic: Statistic,
    method: str,
    *,
    bounds: tuple[float, float] = SHARE,
    undefined: str = NO_VARIATION,
) -> Estimate:
    """The statistic of all articles with its interval; `undefined` says why it may be nan."""
    n_items, n_articles, made = len(sample.rows), sample.n_articles, sample.options
    if not n_items:
        return Estimate(None, NO_ITEMS if undefined == NO_VARIATION else undefined, method=method)
    how = method if made.method == "none" else f"{method}; {sample.cluster} {made.method}"
    blank = Estimate(None, undefined, n_items=n_items, n_articles=n_articles, method=how)
    totals = article_totals(sample.rows, sample.articles, n_articles)
    return estimated(blank, totals, statistic, made, bounds=bounds)


def share(totals: FloatArray) -> FloatArray:
    """First column over second."""
    return ratio(totals[..., 0], totals[..., 1])


def macro_f1_of(variable: Variable) -> Statistic:
    """Macro-F1; for a single label nan where gold is one throughout: repeating it would win."""
    return macro_f1 if variable.kind == "set" else macro_f1_of_single


def micro_f1(totals: FloatArray) -> FloatArray:
    """F1 of all labels taken together."""
    true, false, missed = (part.sum(axis=-1) for part in np.split(totals, 3, axis=-1))
    return ratio(2 * true, 2 * true + false + missed)


def precision(totals: FloatArray) -> FloatArray:
    """Of one label: totals are tp, fp, fn."""
    return ratio(totals[..., 0], totals[..., 0] + totals[..., 1])


def recall(totals: FloatArray) -> FloatArray:
    """Of one label: totals are tp, fp, fn."""
    return ratio(totals[..., 0], totals[..., 0] + totals[..., 2])


def mean_defined(values: FloatArray) -> FloatArray:
    """Mean along the last axis of what is not nan; nan where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))
