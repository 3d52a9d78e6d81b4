"""Rows of different lengths in one flat array."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Ragged:
    """Row `n` is `values[bounds[n]:bounds[n + 1]]`."""

    values: Ints
    bounds: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.bounds) - 1

    def __getitem__(self, row: int) -> Ints:
        """One row, as a view."""
        return self.values[self.bounds[row] : self.bounds[row + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each row."""
        return np.diff(self.bounds)

    def take(self, rows: npt.NDArray[np.integer]) -> "Ragged":
        """The named rows, in that order, repeated where a row is named twice."""
        lengths = self.lengths[rows]
        bounds = bounds_of(lengths)
        index = np.arange(bounds[-1]) + np.repeat(self.bounds[:-1][rows] - bounds[:-1], lengths)
        return Ragged(self.values[index], bounds)


def bounds_of(lengths: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Where rows of these lengths start, and at the end where the last one stops.

    >>> bounds_of(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def ragged(rows: Iterable[Sequence[int]], dtype: npt.DTypeLike = np.int32) -> Ragged:
    """Pack rows of integers.

    >>> ragged([[7, 8], [], [9]])[2].tolist()
    [9]
    """
    kept = [np.asarray(row, dtype=dtype) for row in rows]
    lengths = np.array([len(row) for row in kept], dtype=np.int64)
    values = np.concatenate(kept) if kept else np.empty(0, dtype=dtype)
    return Ragged(values, bounds_of(lengths))


def joined(parts: Sequence[Ragged]) -> Ragged:
    """The rows of the first part, then those of the second, and so on."""
    lengths = np.concatenate([part.lengths for part in parts])
    return Ragged(np.concatenate([part.values for part in parts]), bounds_of(lengths))
