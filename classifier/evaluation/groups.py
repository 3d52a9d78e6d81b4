"""Part the mentions by target, language, source, voice, and their combinations."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from classifier.errors import DataError
from classifier.evaluation.options import GROUPS
from classifier.evaluation.tables import ALL, UNKNOWN
from classifier.resampling import IntArray


class Group(NamedTuple):
    """Some rows of the items and what they have in common."""

    keys: dict[str, str]
    """Every column of `GROUPS`, `ALL` where the rows are not parted by it."""
    rows: IntArray


def groups(items: pd.DataFrame, breakdown: Sequence[str]) -> Iterator[Group]:
    """The groups of one breakdown, in order; none where nothing is known to part by."""
    unheard = [column for column in breakdown if column not in GROUPS]
    if unheard:
        raise DataError(f"groups are {', '.join(GROUPS)}; got {', '.join(unheard)}")
    if not breakdown:
        yield Group(dict.fromkeys(GROUPS, ALL), np.arange(len(items), dtype=np.int64))
        return
    known = [column for column in breakdown if (items[column] != UNKNOWN).any()]
    if not known or len(known) < len(breakdown) == 1:
        return
    columns = list(breakdown)
    for values, rows in items.groupby(columns, sort=True, dropna=False).indices.items():
        named = values if isinstance(values, tuple) else (values,)
        keys = dict.fromkeys(GROUPS, ALL) | dict(zip(columns, map(str, named), strict=True))
        yield Group(keys, np.asarray(rows, dtype=np.int64))
