"""Part the mentions by target, language, source, voice, and their combinations."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from classifier.errors import DataError
from classifier.evaluation.options import GROUPS
from classifier.evaluation.tables import ALL
from classifier.records import UNKNOWN
from classifier.resampling import IntArray


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
