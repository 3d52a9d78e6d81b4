"""Which tokens of two sentences mean the same: IBM model 1, and overlap where the text is one.

Brown et al. (1993), "The Mathematics of Statistical Machine Translation", model 1: each English
token is made by one token of the other sentence or by none; here [CLS], the first token of a
student's sentence, stands for "none".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.distil.ragged import Ragged, bounds_of

Floats = npt.NDArray[np.float32]
CHUNK = 20_000
"""Pairs whose cells are built at once: bounds the memory of the index arrays."""


@dataclass(frozen=True)
class Aligned:
    """What one language's pairs taught."""

    links: Ragged
    """Per pair: student position, teacher position, student position, teacher position, ..."""
    student: npt.NDArray[np.int64]
    teacher: npt.NDArray[np.int64]
    weight: Floats
    """Expected number of times the student token stands for the teacher token, from the EM."""


@dataclass(frozen=True)
class _Cells:
    """Every combination of a teacher token and a student token of the same pair.

    The cells of one teacher token stand together: a group.
    """

    entry: npt.NDArray[np.int64]
    """Which entry of the translation table a cell uses."""
    student: npt.NDArray[np.int64]
    teacher: npt.NDArray[np.int64]
    group_starts: npt.NDArray[np.int64]
    group_sizes: npt.NDArray[np.int64]


def _keys(student: Ragged, teacher: Ragged, base: int) -> npt.NDArray[np.int64]:
    """One number per cell that names both tokens, group by group."""
    parts = []
    for start in range(0, len(student), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(student)))
        s_lengths, t_lengths = student.lengths[rows], teacher.lengths[rows]
        cells = s_lengths * t_lengths
        row = np.repeat(np.arange(len(rows)), cells)
        within = np.arange(len(row)) - np.repeat(bounds_of(cells)[:-1], cells)
        t_index = teacher.bounds[rows][row] + within // s_lengths[row]
        s_index = student.bounds[rows][row] + within % s_lengths[row]
        parts.append(student.values[s_index].astype(np.int64) * base + teacher.values[t_index])
    return np.concatenate(parts)


def _cells(student: Ragged, teacher: Ragged) -> _Cells:
    base = int(teacher.values.max()) + 1
    names, entry = np.unique(_keys(student, teacher, base), return_inverse=True)
    sizes = np.repeat(student.lengths, teacher.lengths)
    return _Cells(entry, names // base, names % base, bounds_of(sizes)[:-1], sizes)


def align(student: Ragged, teacher: Ragged, iterations: int = 5, sure: float = 0.4) -> Aligned:
    """Align token for token; rows need at least one token each, the student's starting with [CLS].

    `sure` is the posterior probability from which a link is kept for training. Positions are
    counted from each row's first token.
    """
    cells = _cells(student, teacher)
    table = np.ones(len(cells.student), dtype=np.float32)
    counts = posterior = table
    for _ in range(iterations):
        posterior = table[cells.entry]
        total = np.add.reduceat(posterior, cells.group_starts)
        posterior /= np.repeat(total, cells.group_sizes)
        counts = np.bincount(cells.entry, posterior, len(table)).astype(np.float32)
        table = (counts / np.bincount(cells.student, counts)[cells.student]).astype(np.float32)
    links = _best_links(posterior, cells, student, teacher, sure)
    return Aligned(links, cells.student, cells.teacher, counts)


def _best_links(
    posterior: Floats, cells: _Cells, student: Ragged, teacher: Ragged, sure: float
) -> Ragged:
    """For each teacher token the student token most likely to have made it, where that is sure."""
    best = np.repeat(np.maximum.reduceat(posterior, cells.group_starts), cells.group_sizes)
    place = np.flatnonzero((posterior == best) & (posterior >= sure))
    group = np.searchsorted(cells.group_starts, place, side="right") - 1
    s_position = place - cells.group_starts[group]
    real = s_position > 0
    group, s_position = group[real], s_position[real]
    row = np.repeat(np.arange(len(teacher)), teacher.lengths)[group]
    t_position = group - teacher.bounds[row]
    pairs = np.stack([s_position, t_position], axis=1).astype(np.uint8).ravel()
    return Ragged(pairs, bounds_of(2 * np.bincount(row, minlength=len(teacher))))


Offsets = Sequence[tuple[int, int]]


def overlap_links(student: Offsets, teacher: Offsets) -> list[int]:
    """Positions whose stretches of the same text overlap, as in `Aligned.links`.

    >>> overlap_links([(0, 0), (0, 7), (8, 10)], [(0, 0), (0, 3), (3, 7), (8, 10)])
    [1, 1, 1, 2, 2, 3]
    """
    links: list[int] = []
    first = 0
    for s, (start, end) in enumerate(student):
        while first < len(teacher) and teacher[first][1] <= start:
            first += 1
        t = first
        while t < len(teacher) and teacher[t][0] < end:
            if teacher[t][1] > start:
                links += (s, t)
            t += 1
    return links
