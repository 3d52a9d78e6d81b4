"""The ways to train that are compared, each against the reference."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from quality_training import Recipe

from classifier.models.options import TrainOptions

REFERENCE = "reference"
_OF_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "full fine-tuning": {"adapter": "none", "learning_rate": 1e-4},
    "full fine-tuning, half the rate": {"adapter": "none", "learning_rate": 5e-5},
    "adapter rank 8": {"adapter_rank": 8},
    "adapter rank 16": {"adapter_rank": 16},
    "adapter rank 48": {"adapter_rank": 48},
    "half the rate": {"learning_rate": 5e-4},
    "twice the rate": {"learning_rate": 2e-3},
    "layer decay .85": {"layer_decay": 0.85},
    "label smoothing .1": {"label_smoothing": 0.1},
    "balanced class weights": {"class_weights": "balanced"},
    "dropout .1": {"dropout": 0.1},
    "context 0": {"context": 0},
    "context 2": {"context": 2},
    "no joined passages": {"joined": 0.0},
}
_OF_RECIPE: Mapping[str, Mapping[str, Any]] = {
    REFERENCE: {},
    "stance only": {"variables": ("stance",)},
    "ordinal loss": {"loss": "ordinal"},
    "focal loss": {"loss": "focal"},
    "moving average .99": {"averaging": 0.99},
    "without rusentne": {"corpora": ("newsmtsc", "sample")},
    "without newsmtsc": {"corpora": ("rusentne", "sample")},
    "sample only": {"corpora": ("sample",)},
    "with ruopinionne": {"corpora": ("newsmtsc", "rusentne", "ruopinionne", "sample")},
    "with ruopinionne, own head": {
        "corpora": ("newsmtsc", "rusentne", "ruopinionne", "sample"),
        "own_heads": ("ruopinionne",),
    },
    "a head per corpus": {"own_heads": ("newsmtsc", "rusentne")},
    "in turn": {"order": "in turn"},
    "sample three times": {"repeats": {"sample": 3}},
    "pooling: mention": {"pooling": "mention"},
    "pooling: sentence": {"pooling": "sentence"},
    "pooling: first and last token": {"pooling": "first and last"},
    "pooling: largest": {"pooling": "largest"},
    "pooling: attention": {"pooling": "attention"},
    "markers": {"markers": True},
    "swapped copies": {"swapped": True},
}
_OF_BOTH: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "R-drop": ({"consistency": 1.0}, {"dropout": 0.1}),
}
NAMES = (*_OF_RECIPE, *_OF_OPTIONS, *_OF_BOTH)


def reference(base_model: str, epochs: int, seed: int) -> Recipe:
    """An adapter of rank 32 on all corpora that say what stance is, stance and roles together."""
    options = TrainOptions(
        base_model=base_model,
        adapter="merged",
        adapter_rank=32,
        learning_rate=1e-3,
        batch_size=32,
        epochs=epochs,
        seed=seed,
    )
    return Recipe(options=options)


def variant(name: str, recipe: Recipe) -> Recipe:
    """The recipe with one thing changed."""
    of_recipe, of_options = _OF_BOTH.get(
        name, (_OF_RECIPE.get(name, {}), _OF_OPTIONS.get(name, {}))
    )
    return replace(recipe, **of_recipe, options=replace(recipe.options, **of_options))
