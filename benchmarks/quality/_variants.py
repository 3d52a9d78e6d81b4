"""The ways to train that are compared, each against the reference."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from benchmarks.quality._data import NAMES as CORPORA
from benchmarks.quality._training import Recipe
from recipes.make_scorer import OPTIONS

REFERENCE = "reference"
SWAPPED_IN = (REFERENCE, "swapped copies")
"""The variants whose models are also tried on swapped countries."""
_OF_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "full fine-tuning": {"adapter": "none", "learning_rate": 1e-4},
    "full fine-tuning, half the rate": {"adapter": "none", "learning_rate": 5e-5},
    "adapter trained itself": {"adapter_from": "training", "learning_rate": 5e-4},
    "adapter not cut": {"adapter_rank": 384},
    "adapter rank 8": {"adapter_rank": 8},
    "adapter rank 16": {"adapter_rank": 16},
    "adapter rank 32": {"adapter_rank": 32},
    "half the rate": {"learning_rate": OPTIONS.learning_rate / 2},
    "twice the rate": {"learning_rate": OPTIONS.learning_rate * 2},
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
    "every mention alike": {"alike": True},
    "moving average .99": {"averaging": 0.99},
    "moving average .995": {"averaging": 0.995},
    "stance and roles": {"variables": ("stance", "roles")},
    "without ruopinionne": {"corpora": ("newsmtsc", "rusentne", "sample")},
    "ruopinionne by a head of its own": {"own_heads": ("ruopinionne",)},
    "a head per corpus": {"own_heads": ("newsmtsc", "rusentne", "ruopinionne")},
    "without rusentne": {"corpora": ("newsmtsc", "sample")},
    "without newsmtsc": {"corpora": ("rusentne", "ruopinionne", "sample")},
    "sample only": {"corpora": ("sample",)},
    "in turn": {"order": "in turn"},
    "every corpus once": {"weights": {}},
    "sample twice": {"weights": {"sample": 2.0, "ruopinionne": 0.5}},
    "rusentne twice": {"weights": {"sample": 3.0, "rusentne": 2.0, "ruopinionne": 0.5}},
    "pooling: mention": {"pooling": "mention"},
    "pooling: sentence": {"pooling": "sentence"},
    "pooling: first and last token": {"pooling": "first and last"},
    "pooling: largest": {"pooling": "largest"},
    "pooling: attention": {"pooling": "attention"},
    "markers": {"markers": True},
    "swapped copies": {"swapped": True, "weights": {"sample": 1.5, "ruopinionne": 0.5}},
    "swapped copies, sample twice as often": {
        "swapped": True,
        "weights": {"sample": 3.0, "ruopinionne": 0.5},
    },
}
_OF_BOTH: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "R-drop": ({"consistency": 1.0}, {"dropout": 0.1}),
}
NAMES = (*_OF_RECIPE, *_OF_OPTIONS, *_OF_BOTH)


def reference(base_model: str, epochs: int, seed: int) -> Recipe:
    """As the shipped scorer is trained, but for the choice of an epoch."""
    options = replace(
        OPTIONS, base_model=base_model, adapter="merged", epochs=epochs or OPTIONS.epochs, seed=seed
    )
    return Recipe(
        options=options,
        variables=OPTIONS.variables,
        corpora=CORPORA,
        weights={"sample": 3.0, "ruopinionne": 0.5},
    )


def variant(name: str, recipe: Recipe) -> Recipe:
    """The recipe with one thing changed; with several, if their names are joined by " + "."""
    for one in name.split(" + "):
        of_recipe, of_options = _OF_BOTH.get(
            one, (_OF_RECIPE.get(one, {}), _OF_OPTIONS.get(one, {}))
        )
        recipe = replace(recipe, **of_recipe, options=replace(recipe.options, **of_options))
    return recipe
