"""Figures of groups of items."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from classifier.agreement import macro_f1, macro_f1_of_single, ratio
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.evaluation._tables import GROUPS
from classifier.intervals import (
    FloatArray,
    IntArray,
    IntervalOptions,
    Statistic,
    article_totals,
    estimated,
)
from classifier.records import ALL, UNKNOWN, Estimate


class Group(NamedTuple):
    """Some rows of the items and what they have in common."""

    keys: dict[str, str]
    """Every column of `GROUPS`, `ALL` where the rows are not parted by it."""
    rows: IntArray


def groups(items: pd.DataFrame, breakdown: Sequence[str], most: int) -> Iterator[Group]:
    """The groups of one breakdown by name, at most so many; none where nothing is known."""
    if not breakdown:
        yield Group(dict.fromkeys(GROUPS, ALL), np.arange(len(items), dtype=np.int64))
        return
    found = _found(items, breakdown)
    largest = sorted(found, key=lambda values: (-len(found[values]), values))[:most]
    for values in sorted(largest):
        keys = dict.fromkeys(GROUPS, ALL) | dict(zip(breakdown, values, strict=True))
        yield Group(keys, found[values])


def n_left_out(items: pd.DataFrame, breakdowns: Sequence[Sequence[str]], most: int) -> int:
    """How many groups `groups` leaves out, over all breakdowns."""
    return sum(max(0, len(_found(items, by)) - most) for by in breakdowns if by)


def _found(items: pd.DataFrame, breakdown: Sequence[str]) -> dict[tuple[str, ...], IntArray]:
    unheard = [column for column in breakdown if column not in GROUPS]
    if unheard:
        raise DataError(f"groups are {', '.join(GROUPS)}; got {', '.join(unheard)}")
    if all((items[column] == UNKNOWN).all() for column in breakdown):
        return {}
    indices = items.groupby(list(breakdown), sort=True, dropna=False).indices
    return {
        tuple(map(str, values if isinstance(values, tuple) else (values,))): np.asarray(
            rows, dtype=np.int64
        )
        for values, rows in indices.items()
    }


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
