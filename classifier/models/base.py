"""What every model can do: passages with mentions in, probabilities per variable out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from classifier.codebook import Variable
from classifier.models.options import TrainOptions
from classifier.passages import Examples
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
