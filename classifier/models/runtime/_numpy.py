"""Hidden states of BERT with NumPy alone, in float32."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from classifier.errors import ModelError, in_words
from classifier.models._processes import n_cores

_In = TypeVar("_In")
_Out = TypeVar("_Out")
Weights = Mapping[str, NDArray[np.float32]]
QKV = "attention.self.qkv"
_PARTS = (
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
)
FULL = "pip install stance-framing-classifier"
_ROWS = 64
"""Tokens whose inner layer is computed at a time: they fit a core's cache."""
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_STEP = 0.3275911


def is_bert(config: Mapping[str, Any]) -> bool:
    """Whether an encoder's config describes BERT (Devlin et al. 2019), which we compute ourselves.

    >>> is_bert({"model_type": "bert", "hidden_act": "gelu"})
    True
    """
    known = {"model_type": "bert", "hidden_act": "gelu"}
    places = config.get("position_embedding_type") or "absolute"
    return {name: config.get(name) for name in known} == known and places == "absolute"


def bert_layers(config: Mapping[str, Any], weights: Weights) -> Iterator[Weights]:
    """The weights of each layer by their own names, with query, key and value in one matrix.

    Layers come one by one, so that nobody need hold two copies of all of them.

    Raises `ModelError` for another architecture, or where weights are missing.
    """
    if not is_bert(config):
        raise ModelError(
            "without transformers only encoders like BERT are read (model_type bert, hidden_act "
            f"gelu), got {config.get('model_type')} with {config.get('hidden_act')}: {FULL}"
        )
    try:
        for name in ("word", "token_type", "position"):
            weights[f"embeddings.{name}_embeddings.weight"]
        for number in range(config["num_hidden_layers"]):
            yield _layer(weights, f"encoder.layer.{number}.")
    except KeyError as error:
        raise ModelError(
            f"the run must hold all weights of its encoder, {in_words(error)} is missing: copy its "
            "folder again"
        ) from None


def _layer(weights: Weights, start: str) -> Weights:
    own: dict[str, NDArray[np.float32]] = {}
    for kind in ("weight", "bias"):
        own |= {f"{name}.{kind}": weights[f"{start}{name}.{kind}"] for name in _PARTS}
        parts = (f"{start}attention.self.{name}.{kind}" for name in ("query", "key", "value"))
        own[f"{QKV}.{kind}"] = np.concatenate([weights[part] for part in parts])
    return own


class NumpyEncoder:
    """Hidden states of BERT, in float32."""

    runtime = "numpy float32 cpu"

    def __init__(self, config: Mapping[str, Any], weights: Weights) -> None:
        """Take a config and weights by the names that transformers gives them.

        Raises `ModelError` for another architecture, or where weights are missing.
        """
        self.layers = list(bert_layers(config, weights))
        self.n_heads = int(config["num_attention_heads"])
        self.eps = np.float32(config["layer_norm_eps"])
        self.weights = weights
        self.words = weights["embeddings.word_embeddings.weight"]
        kinds = weights["embeddings.token_type_embeddings.weight"]
        self.places = weights["embeddings.position_embeddings.weight"] + kinds[0]

    def __call__(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Hidden states of all tokens of some passages one after another, tokens × width."""
        lengths = [len(ids) for ids in passages]
        edges = np.cumsum([0, *lengths])
        hidden = self.words[np.concatenate([np.asarray(ids) for ids in passages])]
        hidden = hidden + np.concatenate([self.places[:n] for n in lengths])
        hidden = self._normed(hidden, self.weights, "embeddings.LayerNorm")
        for layer in self.layers:
            seen = self._attended(_linear(hidden, layer, QKV), edges)
            seen = _linear(seen, layer, "attention.output.dense")
            hidden = self._normed(hidden + seen, layer, "attention.output.LayerNorm")
            inner = np.empty_like(hidden)
            for at in range(0, len(hidden), _ROWS):
                wide = gelu(_linear(hidden[at : at + _ROWS], layer, "intermediate.dense"))
                inner[at : at + _ROWS] = _linear(wide, layer, "output.dense")
            hidden = self._normed(hidden + inner, layer, "output.LayerNorm")
        return hidden

    @staticmethod
    def side_by_side(work: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
        """The results in order, a thread for each processor; one item needs no thread.

        Beside each other the threads have a product to themselves. If each of them waited for
        threads of its own, a busy machine would do little but wait.
        """
        if len(items) <= 1:
            yield from map(work, items)
            return
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(n_cores()) as pool:
            yield from pool.map(work, items)

    def _attended(self, qkv: NDArray[np.float32], edges: NDArray[np.int64]) -> NDArray[np.float32]:
        """Softmax of query · key / √(width of a head), times values, within each passage."""
        width = qkv.shape[1] // 3
        own = width // self.n_heads
        seen = np.empty((len(qkv), width), dtype=np.float32)
        for start, end in pairwise(edges):
            parts = qkv[start:end].reshape(end - start, 3, self.n_heads, own)
            query, key, value = parts.transpose(1, 2, 0, 3)
            weights = query @ key.transpose(0, 2, 1) * np.float32(own**-0.5)
            weights -= weights.max(axis=2, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(axis=2, keepdims=True)
            seen[start:end] = (weights @ value).transpose(1, 0, 2).reshape(end - start, width)
        return seen

    def _normed(
        self, rows: NDArray[np.float32], weights: Weights, name: str
    ) -> NDArray[np.float32]:
        """Layer normalisation (Ba et al. 2016)."""
        rows = rows - rows.mean(axis=1, keepdims=True)
        rows /= np.sqrt(np.square(rows).mean(axis=1, keepdims=True) + self.eps)
        normed: NDArray[np.float32] = rows * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return normed


def _linear(rows: NDArray[np.float32], weights: Weights, name: str) -> NDArray[np.float32]:
    made: NDArray[np.float32] = rows @ weights[f"{name}.weight"].T
    made += weights[f"{name}.bias"]
    return made


def gelu(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """X · Φ(x) (Hendrycks and Gimpel 2016), to within 2e-7 · |x|.

    The error function is approximation 7.1.26 of Abramowitz and Stegun (1964).

    >>> gelu(np.array([-1.0, 0.0, 2.0], dtype=np.float32)).round(4).tolist()
    [-0.15870000422000885, 0.0, 1.9544999599456787]
    """
    size = np.abs(rows)
    size *= np.float32(0.5**0.5)
    step = 1 / (1 + np.float32(_ERF_STEP) * size)
    tail = np.full_like(rows, _ERF[-1])
    for factor in (*_ERF[-2::-1], 0.0):
        tail *= step
        tail += np.float32(factor)
    np.square(size, out=size)
    np.negative(size, out=size)
    tail *= np.exp(size, out=size)
    # Φ(x) is 1 - tail/2 for positive x and tail/2 for negative.
    tail *= np.float32(0.5)
    np.subtract(1, tail, out=tail, where=rows > 0)
    tail *= rows
    return tail
