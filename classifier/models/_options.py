"""Everything that can be chosen about training, checked once."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from classifier.errors import ModelError

ModelKind = Literal["encoder", "linear"]
Adapter = Literal["none", "merged", "separate"]
AdapterFrom = Literal["training", "difference"]
ClassWeights = Literal["none", "balanced"]
Precision = Literal["auto", "float32", "bfloat16"]
RuntimeName = Literal["auto", "torch", "numpy"]
"""What runs a trained encoder; "auto" takes OpenVINO where it is installed and gains, and NumPy
where PyTorch is not installed."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """How a model is trained. Raises `ModelError` where a value makes no sense."""

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
    """Shares of the articles; none for testing where the publisher holds articles out."""
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
