"""What every model does, what can be chosen about training, and how good a model is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, Protocol, get_args, get_type_hints, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.models._passages import Examples
from classifier.predictions import NEUTRAL, f1_by_cut
from classifier.records import Passage

ModelKind = Literal["encoder", "linear"]
Adapter = Literal["none", "merged", "separate"]
AdapterFrom = Literal["training", "difference"]
ClassWeights = Literal["none", "balanced"]
Precision = Literal["auto", "float32", "bfloat16"]
RuntimeName = Literal["auto", "torch", "numpy"]
"""What runs a trained encoder; "auto" takes PyTorch, or NumPy if PyTorch is not installed."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How a model is trained. Raises `ModelError` if a value makes no sense."""

    model: ModelKind = "encoder"
    base_model: str = ""
    """A folder, a known name or a Hub id; empty takes the base that ships."""
    start: str = ""
    """A run folder to start from, or "shipped" for the scorer that ships. Its encoder is
    taken over, and its heads of variables with the same labels. Empty starts from the base."""
    variables: tuple[str, ...] = ()
    """What to learn; empty takes every variable that is not found by rules."""
    adjudication: str = "majority"
    split_by: Literal["article", "story", "source", "date"] = "article"
    development: float = 0.1
    calibration: float = 0.1
    test: float = 0.2
    """Shares of the articles; none for testing if the publisher holds articles out."""
    max_tokens: int = 256
    """Most tokens of a passage."""
    context: int = 1
    """Sentences read on each side of a sentence with a mention."""
    epochs: int = 0
    """0 takes 4, or as many as make 300 steps of a small set; see `suited`."""
    patience: int = 0
    """Epochs without gain on development before training stops; 0 takes half of all."""
    batch_size: int = 0
    """Passages per step; 0 takes 32, or fewer of a small set."""
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 1.0
    """Each layer learns at this times the rate of the one above it."""
    warmup: float = 0.1
    """Share of the steps over which the rate rises."""
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    joined: float = 0.5
    """Share of the batches in which unrelated passages are joined to longer ones."""
    dropout: float = 0.0
    """Inside the encoder; slow on a CPU."""
    class_weights: ClassWeights = "none"
    adapter: Adapter = "none"
    """Train a LoRA adapter: merged into the weights, or saved apart from the base."""
    adapter_rank: int = 16
    adapter_from: AdapterFrom = "training"
    """Train the adapter itself; or train the matrices in full and keep of what they changed by the
    part that an adapter of this rank can hold."""
    gradient_checkpointing: bool = False
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every value against its type and its range."""
        hints = get_type_hints(type(self))
        for option in fields(self):
            allowed = get_args(hints[option.name])
            value = getattr(self, option.name)
            if isinstance(value, str) and allowed and value not in allowed:
                raise ModelError(
                    f"option {option.name} must be one of {', '.join(allowed)}; got {value!r}"
                )
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ModelError(f"option {name} must lie between {low} and {high}; got {value!r}")

    def to_dict(self) -> dict[str, Any]:
        """The options as plain values for JSON."""
        return {**asdict(self), "variables": list(self.variables)}


_RANGES: dict[str, tuple[float, float]] = {
    "development": (0, 0.9),
    "calibration": (0, 0.9),
    "test": (0, 0.9),
    "max_tokens": (8, 8192),
    "context": (0, 20),
    "epochs": (0, 1000),
    "patience": (0, 1000),
    "batch_size": (0, 4096),
    "learning_rate": (1e-8, 1),
    "head_learning_rate": (1e-8, 1),
    "layer_decay": (0.1, 1),
    "warmup": (0, 1),
    "weight_decay": (0, 1),
    "label_smoothing": (0, 0.9),
    "joined": (0, 1),
    "dropout": (0, 0.9),
    "adapter_rank": (1, 1024),
    "seed": (0, 2**32 - 1),
}

_EPOCHS, _STEPS = 4, 300
_BATCHES, _BATCH_SIZES = 32, (4, 32)


def suited(options: TrainOptions, n_passages: int) -> TrainOptions:
    """The options with every 0 that leaves a choice replaced by what suits the size of the set.

    A small set gets smaller batches and more epochs, or training ends before it has begun.
    """
    size = options.batch_size or min(max(n_passages // _BATCHES, _BATCH_SIZES[0]), _BATCH_SIZES[1])
    steps_per_epoch = -(-n_passages // size)
    epochs = options.epochs or max(_EPOCHS, -(-_STEPS // max(steps_per_epoch, 1)))
    patience = options.patience or -(-epochs // 2)
    return replace(options, batch_size=size, epochs=epochs, patience=patience)


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

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Probabilities for every mention; how passages are batched makes no difference."""


class Trainable(Model, Protocol):
    """A model that can be trained and saved; one that is read from a run need not be."""

    def fit(
        self,
        training: Examples,
        development: Examples,
        *,
        progress: Progress | None = None,
        checkpoints: Path | None = None,
    ) -> Mapping[str, object]:
        """Learn from labelled passages; returns what is worth keeping about how it went.

        `development` decides when to stop, if a model asks that. In `checkpoints` an
        interrupted training finds how far it got.
        """

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
    """Macro-F1 over the labels that gold or prediction uses; None if nothing is coded.

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
