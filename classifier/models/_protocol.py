"""What every model does, and how good it is on held-out passages."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifier.codebook import Variable
from classifier.models._options import TrainOptions
from classifier.models._passages import Examples
from classifier.predictions import NEUTRAL, f1_by_cut
from classifier.records import Passage

Probabilities = Mapping[str, NDArray[np.float64]]
"""Per variable one row per mention, in passage order, and one column per label, in codebook
order. Rows sum to one, but for a set each label has a probability of its own."""
Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a word on how it goes."""


class TextReader(Protocol):
    """Counts the tokens of a text as a model does."""

    @property
    def text_limit(self) -> int:
        """Most tokens of text that one passage may hold."""

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin, as this model counts them."""


@runtime_checkable
class Reader(TextReader, Protocol):
    """What a model does to text before it computes; can be sent to another process."""

    def encode(self, passages: Sequence[Passage]) -> Sequence[Passage]:
        """The passages with all that the model needs, so that it need not look at their text."""


@runtime_checkable
class HasReader(Protocol):
    """A model whose reading can be done elsewhere."""

    @property
    def reader(self) -> Reader:
        """The part of the model that reads."""


class Model(TextReader, Protocol):
    """Judges the mentions of a passage."""

    variables: tuple[Variable, ...]
    options: TrainOptions

    @property
    def runtime(self) -> str:
        """What computes, how precisely and on what; another one gives other last digits."""

    def fit(
        self,
        training: Examples,
        development: Examples,
        *,
        progress: Progress | None = None,
        checkpoints: Path | None = None,
    ) -> Mapping[str, object]:
        """Learn from labelled passages; returns what is worth keeping about how it went.

        `development` decides when to stop, where a model asks that. In `checkpoints` an
        interrupted training finds how far it got.
        """

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Probabilities for every mention; how passages are batched makes no difference."""

    def save(self, folder: Path) -> None:
        """Write everything that `load` needs, and no pickle."""


def quality(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    variables: Sequence[Variable],
) -> float:
    """Mean over the variables of the macro-F1 on coded mentions, over labels that occur there.

    For the labels of a set it is the F1 at the threshold that suits each best. Thresholds are
    chosen after training; at the neutral one, rare labels would look all the same.
    """
    values = [
        (_best_f1 if v.kind == "set" else macro_f1)(probabilities[v.name], labels[v.name])
        for v in variables
    ]
    return float(np.mean([value for value in values if value is not None] or [0.0]))


def macro_f1(
    rows: NDArray[np.float64], labels: NDArray[np.int64], thresholds: ArrayLike = NEUTRAL
) -> float | None:
    """Macro-F1 over the labels that gold or prediction uses; None where nothing is coded.

    `thresholds` are those from which on the labels of a set are given.

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
        predicted, gold = (rows >= np.asarray(thresholds)) & coded, labels == 1
    both = (predicted & gold).sum(axis=0)
    either = predicted.sum(axis=0) + gold.sum(axis=0)
    return float(np.mean(2 * both[either > 0] / either[either > 0])) if either.any() else None


def _best_f1(rows: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """Mean over the labels that occur of the best F1 that any threshold reaches."""
    best = []
    for row, gold in zip(rows.T, labels.T, strict=True):
        if (gold == 1).any():
            in_order = gold[gold >= 0][np.argsort(-row[gold >= 0], kind="stable")]
            best.append(f1_by_cut(in_order).max())
    return float(np.mean(best)) if best else None
