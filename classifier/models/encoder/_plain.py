"""A trained encoder computed with NumPy alone: no PyTorch, no transformers.

It reads the runs that the package writes, on an encoder of BERT's architecture.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from tokenizers import Tokenizer

from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.models._bases import same_base
from classifier.models._options import TrainOptions
from classifier.models._passages import Examples
from classifier.models._processes import n_cores
from classifier.models._protocol import Probabilities, Progress
from classifier.models.encoder._tokens import (
    Encoded,
    TokenReader,
    length_batches,
    position_limit,
    predict_distinct,
    text_limit,
)
from classifier.records import Passage

Weights = Mapping[str, NDArray[np.float32]]
FULL = "pip install stance-framing-classifier"
_ADAPTER, _HEADS, _WEIGHTS = (
    "adapter_model.safetensors",
    "heads.safetensors",
    "model.safetensors",
)
_PREFIX, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
_BATCH_TOKENS = 2048
_ROWS = 64
"""Tokens whose inner layer is computed at a time: they fit a core's cache."""
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_ERF_STEP = 0.3275911


class PlainEncoder:
    """Hidden states of BERT (Devlin et al. 2019), in float32."""

    def __init__(self, config: Mapping[str, Any], weights: Weights) -> None:
        """Take a config and weights by the names that transformers gives them.

        Raises `ModelError` for another architecture, or where weights are missing.
        """
        known = {"model_type": "bert", "hidden_act": "gelu"}
        got = {name: config.get(name) for name in known}
        if got != known or config.get("position_embedding_type", "absolute") != "absolute":
            raise ModelError(
                "without PyTorch only encoders like BERT are read (model_type bert, hidden_act "
                f"gelu), got {got['model_type']} with {got['hidden_act']}: {FULL}"
            )
        self.n_heads = int(config["num_attention_heads"])
        self.eps = np.float32(config["layer_norm_eps"])
        self.weights = weights
        try:
            self.words = weights["embeddings.word_embeddings.weight"]
            kinds = weights["embeddings.token_type_embeddings.weight"]
            self.places = weights["embeddings.position_embeddings.weight"] + kinds[0]
            self.layers = [self._layer(i) for i in range(config["num_hidden_layers"])]
        except KeyError as error:
            raise ModelError(
                f"the run must hold all weights of its encoder, {error} is missing: copy its "
                "folder again"
            ) from None

    def _layer(self, number: int) -> Weights:
        start = f"encoder.layer.{number}."
        own = {k.removeprefix(start): w for k, w in self.weights.items() if k.startswith(start)}
        parts = [f"attention.self.{name}" for name in ("query", "key", "value")]
        own["qkv.weight"] = np.concatenate([own[f"{part}.weight"] for part in parts])
        own["qkv.bias"] = np.concatenate([own[f"{part}.bias"] for part in parts])
        return own

    def __call__(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Hidden states of all tokens of some passages one after another, tokens × width."""
        lengths = [len(ids) for ids in passages]
        edges = np.cumsum([0, *lengths])
        hidden = self.words[np.concatenate([np.asarray(ids) for ids in passages])]
        hidden = hidden + np.concatenate([self.places[:n] for n in lengths])
        hidden = self._normed(hidden, self.weights, "embeddings.LayerNorm")
        for layer in self.layers:
            seen = self._attended(_linear(hidden, layer, "qkv"), edges)
            seen = _linear(seen, layer, "attention.output.dense")
            hidden = self._normed(hidden + seen, layer, "attention.output.LayerNorm")
            inner = np.empty_like(hidden)
            for at in range(0, len(hidden), _ROWS):
                wide = gelu(_linear(hidden[at : at + _ROWS], layer, "intermediate.dense"))
                inner[at : at + _ROWS] = _linear(wide, layer, "output.dense")
            hidden = self._normed(hidden + inner, layer, "output.LayerNorm")
        return hidden

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


class PlainModel:
    """A run's model, for prediction only; see `models._protocol.Model`."""

    runtime = "numpy float32 cpu"

    def __init__(
        self,
        encoder: PlainEncoder,
        reader: TokenReader,
        heads: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]],
        about: tuple[tuple[Variable, ...], TrainOptions],
    ) -> None:
        """Take per variable the weights and the bias of its head."""
        self.encoder = encoder
        self.reader = reader
        self.heads = heads
        self.variables, self.options = about

    @property
    def text_limit(self) -> int:
        """Most tokens of text that one passage may hold."""
        return self.reader.text_limit

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin."""
        return self.reader.token_starts(texts)

    def predict(
        self, passages: Sequence[Passage], *, progress: Progress | None = None
    ) -> Probabilities:
        """Probabilities for every mention; a passage that occurs twice is read once."""
        encoded = self.reader.encoded(passages)
        return predict_distinct(
            encoded, self.variables, lambda distinct: self._judge(distinct, progress)
        )

    def _judge(
        self, encoded: Sequence[Encoded], progress: Progress | None
    ) -> list[dict[str, NDArray[np.float64]]]:
        results: list[dict[str, NDArray[np.float64]]] = [{} for _ in encoded]
        done = 0
        batches = list(length_batches([len(e) for e in encoded], _BATCH_TOKENS))
        members = [[encoded[i] for i in batch] for batch in batches]
        for batch, features in zip(batches, _side_by_side(self._features, members), strict=True):
            rows = {v.name: self._probabilities(features, v) for v in self.variables}
            at = 0
            for i in batch:
                end = at + len(encoded[i].ranges)
                results[i] = {name: row[at:end] for name, row in rows.items()}
                at = end
            done += len(batch)
            if progress is not None:
                progress(done, len(encoded), "reading passages")
        return results

    def _features(self, batch: Sequence[Encoded]) -> NDArray[np.float32]:
        """Means over each mention's tokens beside those over its sentence's."""
        hidden = self.encoder([item.token_ids for item in batch])
        edges = np.cumsum([0, *map(len, batch)])
        return np.stack(
            [
                np.concatenate([hidden[at + a : at + b].mean(axis=0) for a, b in pair])
                for at, item in zip(edges.tolist(), batch, strict=False)
                for pair in item.ranges
            ]
        )

    def _probabilities(
        self, features: NDArray[np.float32], variable: Variable
    ) -> NDArray[np.float64]:
        weight, bias = self.heads[variable.name]
        logits = (features @ weight.T + bias).astype(np.float64)
        if variable.kind == "set":
            each: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
            return each
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        all_one: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return all_one

    def fit(
        self,
        training: Examples,
        development: Examples,
        *,
        progress: Progress | None = None,
        checkpoints: Path | None = None,
    ) -> Mapping[str, object]:
        """Raise `ModelError`: training needs PyTorch."""
        raise ModelError(f"training an encoder needs PyTorch: {FULL}")

    def save(self, folder: Path) -> None:
        """Raise `ModelError`: it is a run that is read, and nothing of it changes."""
        raise ModelError(f"{folder}: a model without PyTorch is only read; copy its run folder")


def _side_by_side(
    work: Callable[[list[Encoded]], NDArray[np.float32]], batches: Sequence[list[Encoded]]
) -> Iterator[NDArray[np.float32]]:
    """The results in order; a single batch, such as one short text, needs no threads."""
    if len(batches) <= 1:
        yield from map(work, batches)
        return
    with ThreadPoolExecutor(n_cores()) as pool:
        yield from pool.map(work, batches)


def read_weights(file: Path) -> dict[str, NDArray[np.float32]]:
    """All tensors of a safetensors file as float32; NumPy itself has no bfloat16.

    Raises `ModelError` where the file cannot be read.
    """
    try:
        parts = deserialize(file.read_bytes())  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise ModelError(
            f"{file} must hold weights, they cannot be read ({error}): get the folder again"
        ) from error
    return {name: _tensor(part).reshape(part["shape"]) for name, part in parts}


def _tensor(part: Mapping[str, Any]) -> NDArray[np.float32]:
    if part["dtype"] == "BF16":
        upper = np.frombuffer(part["data"], dtype="<u2").astype(np.uint32) << 16
        return upper.view(np.float32)
    kinds = {"F32": "<f4", "F16": "<f2"}
    if part["dtype"] not in kinds:
        return np.empty(0, dtype=np.float32).reshape(0)
    return np.frombuffer(part["data"], dtype=kinds[part["dtype"]]).astype(np.float32)


def _merged(base: dict[str, NDArray[np.float32]], folder: Path) -> None:
    """Add to each adapted layer's weights scaling · up · down, as LoRA defines it."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    scaling = np.float32(config["lora_alpha"] / config["r"])
    pairs = read_weights(folder / _ADAPTER)
    for name in [name for name in pairs if name.endswith(_DOWN)]:
        bare = name.removesuffix(_DOWN)
        layer = f"{bare.removeprefix(_PREFIX)}.weight"
        base[layer] = base[layer] + scaling * (pairs[bare + _UP] @ pairs[name])


def load_plain(
    folder: Path,
    variables: tuple[Variable, ...],
    options: TrainOptions,
    heads: Mapping[str, str],
) -> PlainModel:
    """The model in a run folder; `heads` names the head of a variable of another name.

    Raises `ModelError` where it needs PyTorch, or its base is not there.
    """
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if options.adapter == "separate":
        base = same_base(folder, config["base"]).folder
        weights: dict[str, NDArray[np.float32]] = {}
        for file in sorted(base.glob("*.safetensors")):
            weights |= read_weights(file)
        weights = {name.removeprefix("bert."): tensor for name, tensor in weights.items()}
        _merged(weights, folder)
        tops = read_weights(folder / _HEADS)
    else:
        base = folder
        both = read_weights(folder / _WEIGHTS)
        weights = {
            name.removeprefix("encoder."): tensor
            for name, tensor in both.items()
            if name.startswith("encoder.")
        }
        tops = {
            name.removeprefix("heads."): tensor
            for name, tensor in both.items()
            if name.startswith("heads.")
        }
    named = {v.name: heads.get(v.name, v.name) for v in variables}
    return PlainModel(
        PlainEncoder(config["encoder"], weights),
        _reader(base, config),
        {v: (tops[f"{own}.weight"], tops[f"{own}.bias"]) for v, own in named.items()},
        (variables, options),
    )


def _reader(folder: Path, config: Mapping[str, Any]) -> TokenReader:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    told = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    positions = position_limit(config["encoder"], told.get("model_max_length", float("inf")))
    around = tokenizer.num_special_tokens_to_add(False)
    limit = text_limit(config["max_tokens"], positions, around)
    return TokenReader(tokenizer, limit, positions)
