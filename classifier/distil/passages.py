"""Longer and rarer reading matter, made from the pairs: passages, and sentences with other words.

A pair holds one sentence, a classifier reads windows of several; and a small body of English shows
a small part of the teacher's words. The teacher reads all that is made here, so every target is
its own.
"""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from classifier.distil.ragged import Ints, Ragged, bounds_of, ragged

_WORD = re.compile(r"[^\W\d_]{3,}")
SWAPPED = 0.3
"""Share of its words that a varied sentence exchanges."""


def varied(sentences: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """Copies of `count` sentences with some words exchanged for any word of the sentences.

    Every distinct word is as likely as every other, so the rare ones get their turn.
    """
    words = sorted({word for sentence in sentences for word in _WORD.findall(sentence)})

    def other(match: re.Match[str]) -> str:
        return words[rng.integers(len(words))] if rng.random() < SWAPPED else match.group()

    chosen = rng.permutation(len(sentences))[:count]
    return [_WORD.sub(other, sentences[n]) for n in chosen]


def grouped(
    student: npt.NDArray[np.int64],
    teacher: npt.NDArray[np.int64],
    limits: tuple[int, int, int],
    rng: np.random.Generator,
) -> list[npt.NDArray[np.int64]]:
    """Examples to join: at most `count` groups, each of a length drawn from `low` to `high` tokens.

    `student` and `teacher` are the examples' lengths in tokens, `limits` is (count, low, high).
    No example stands in two groups.
    """
    count, low, high = limits
    inner = np.maximum(student, teacher) - 2
    groups: list[npt.NDArray[np.int64]] = []
    some: list[int] = []
    filled, room = 2, int(rng.integers(low, high + 1))
    for n in rng.permutation(len(inner)):
        if filled + inner[n] > room:
            if len(some) > 1:
                groups.append(np.array(some))
            some, filled, room = [], 2, int(rng.integers(low, high + 1))
        if len(groups) == count:
            break
        if filled + inner[n] <= room:
            some.append(int(n))
            filled += int(inner[n])
    return groups


def joined_rows(rows: Ragged, groups: Sequence[Ints]) -> Ragged:
    """One row per group, with one [CLS] in front and one [SEP] behind.

    >>> joined_rows(ragged([[2, 7, 3], [2, 8, 9, 3]]), [np.array([1, 0])])[0].tolist()
    [2, 8, 9, 7, 3]
    """
    ends = (int(rows[0][0]), int(rows[0][-1]))
    return ragged(
        [[ends[0], *(token for n in group for token in rows[n][1:-1]), ends[1]] for group in groups]
    )


def joined_links(
    links: Ragged,
    student: npt.NDArray[np.int64],
    teacher: npt.NDArray[np.int64],
    groups: Sequence[Ints],
) -> Ragged:
    """The links of `joined_rows`: those of each example, moved by what stands before it.

    Each example's links begin with that of [CLS] and end with that of [SEP].
    """
    joined = []
    for group in groups:
        inner = np.stack([student[group], teacher[group]], axis=1) - 2
        before = np.stack([bounds_of(inner[:, 0]), bounds_of(inner[:, 1])], axis=1)
        parts = [
            links[n].reshape(-1, 2)[1:-1].astype(np.int64) + before[k] for k, n in enumerate(group)
        ]
        whole = np.concatenate([np.zeros((1, 2), np.int64), *parts, before[-1:] + 1])
        joined.append(whole.ravel().tolist())
    return ragged(joined, np.uint8)
