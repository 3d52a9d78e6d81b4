"""A run that is only applied: an encoder of BERT's architecture, read without transformers.

It computes with PyTorch's kernels, or with NumPy if PyTorch is not installed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from tokenizers import Tokenizer

from classifier.codebook import Variable
from classifier.errors import ModelError, in_words
from classifier.files import read_json
from classifier.models._bases import PACKED_FILE, PackedWeights, same_base
from classifier.models._processes import n_cores
from classifier.models._protocol import Probabilities, Progress, TrainOptions
from classifier.models.encoder._tokens import (
    Encoded,
    TokenReader,
    length_batches,
    position_limit,
    predict_distinct,
    text_limit,
)
from classifier.models.runtime._numpy import NumpyEncoder
from classifier.records import Passage

_In = TypeVar("_In")
_Out = TypeVar("_Out")
Array = NDArray[np.float32]
ADAPTER, HEADS, _WEIGHTS = (
    "adapter_model.safetensors",
    "heads.safetensors",
    "model.safetensors",
)
Read = Callable[[Path], dict[str, Array]]
PREFIX, DOWN, UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
BATCH_TOKENS = 512
"""Tokens of a batch; batches are read side by side, a processor each."""
_FEWEST_TOKENS = 256
"""Fewer than this are not worth a thread of their own."""


class Encoder(Protocol):
    """Computes hidden states of batches that are not padded."""

    runtime: str
    """What computes, how precisely and on what."""

    def __call__(self, passages: Sequence[Sequence[int]]) -> Array:
        """Hidden states of all tokens of some passages one after another, tokens × width."""

    def side_by_side(self, work: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
        """The results of some work in order, done on all processors."""


class PlainModel:
    """A run's model, for prediction only; see `models.Model`."""

    def __init__(
        self,
        encoder: Encoder,
        reader: TokenReader,
        heads: Mapping[str, tuple[Array, Array]],
        about: tuple[tuple[Variable, ...], TrainOptions],
    ) -> None:
        """Take per variable the weights and the bias of its head."""
        self.encoder = encoder
        self.reader = reader
        self.heads = heads
        self.variables, self.options = about

    @property
    def runtime(self) -> str:
        """See `models.Model`."""
        return self.encoder.runtime

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
        """Per passage and variable the probabilities of its mentions."""
        results: list[dict[str, NDArray[np.float64]]] = [{} for _ in encoded]
        done = 0
        lengths = [len(one) for one in encoded]
        batches = list(length_batches(lengths, _batch_tokens(sum(lengths))))
        members = [[encoded[i] for i in batch] for batch in batches]
        for batch, features in zip(
            batches, self.encoder.side_by_side(self._features, members), strict=True
        ):
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

    def _features(self, batch: Sequence[Encoded]) -> Array:
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

    def _probabilities(self, features: Array, variable: Variable) -> NDArray[np.float64]:
        weight, bias = self.heads[variable.name]
        logits = (features @ weight.T + bias).astype(np.float64)
        if variable.kind == "set":
            each: NDArray[np.float64] = 1 / (1 + np.exp(-logits))
            return each
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        all_one: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return all_one


def _batch_tokens(n_tokens: int) -> int:
    """Tokens of a batch: fewer if all processors would not have one otherwise."""
    if n_tokens <= _FEWEST_TOKENS:
        return BATCH_TOKENS
    return max(_FEWEST_TOKENS, min(BATCH_TOKENS, n_tokens // n_cores()))


def read_weights(file: Path) -> dict[str, Array]:
    """All tensors of a safetensors file as float32; NumPy itself has no bfloat16.

    Raises `ModelError` if the file cannot be read.
    """
    try:
        parts = deserialize(file.read_bytes())  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise _unreadable(file, error) from error
    return {name: _tensor(part).reshape(part["shape"]) for name, part in parts}


def _unreadable(file: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{file} must hold weights, they cannot be read ({in_words(error)}): get the folder again"
    )


def _tensor(part: Mapping[str, Any]) -> Array:
    if part["dtype"] == "BF16":
        upper = np.frombuffer(part["data"], dtype="<u2").astype(np.uint32) << 16
        return upper.view(np.float32)
    kinds = {"F32": "<f4", "F16": "<f2"}
    if part["dtype"] not in kinds:
        return np.empty(0, dtype=np.float32).reshape(0)
    return np.frombuffer(part["data"], dtype=kinds[part["dtype"]]).astype(np.float32)


class _Merged(Mapping[str, Array]):
    """Weights of a base with an adapter: scaling · up · down is added when a matrix is asked for.

    So LoRA defines it (Hu et al. 2022). Merged all at once they would be held twice.
    """

    def __init__(self, base: Mapping[str, Array], folder: Path, read: Read) -> None:
        config = read_json(folder / "adapter_config.json")
        self._scaling = np.float32(config["lora_alpha"] / config["r"])
        self._base, self._pairs = base, read(folder / ADAPTER)
        self.rows = getattr(base, "rows", None)
        """Gives some rows of a matrix that the adapter leaves alone, if the base is packed."""

    def __getitem__(self, name: str) -> Array:
        plain = self._base[name]
        bare = PREFIX + name.removesuffix(".weight")
        if bare + DOWN not in self._pairs:
            return plain
        change: Array = self._pairs[bare + UP] @ self._pairs[bare + DOWN]
        return plain + self._scaling * change

    def __iter__(self) -> Iterator[str]:
        return iter(self._base)

    def __len__(self) -> int:
        return len(self._base)


def load_plain(
    folder: Path,
    variables: tuple[Variable, ...],
    options: TrainOptions,
    heads: Mapping[str, str],
    *,
    torch: bool = False,
) -> PlainModel:
    """The model in a run folder, computed by PyTorch or by NumPy.

    `heads` names the head of a variable of another name.

    Raises `ModelError` if it needs transformers, or its base is not there.
    """
    config = read_json(folder / "config.json")
    read = read_weights if not torch else _read_tensors
    if options.adapter == "separate":
        place, encoder = adapted_encoder(folder, config, options, torch=torch)
        tops = read(folder / HEADS)
    else:
        both = read(folder / _WEIGHTS)
        place, tops = folder, _under("heads.", both)
        encoder = _encoder(config["encoder"], _under("encoder.", both), options, torch=torch)
    named = {v.name: heads.get(v.name, v.name) for v in variables}
    return PlainModel(
        encoder,
        _reader(place, config),
        {v: (tops[f"{own}.weight"], tops[f"{own}.bias"]) for v, own in named.items()},
        (variables, options),
    )


def adapted_encoder(
    folder: Path, config: Mapping[str, Any], options: TrainOptions, *, torch: bool
) -> tuple[Path, Encoder]:
    """The folder of the base that an adapter belongs to, and the encoder that both make.

    Raises `ModelError` where the base is not there or is another one.
    """
    read = _read_tensors if torch else read_weights
    place = same_base(folder, config["base"], packed=True).folder
    weights = _Merged(_base_weights(place, read), folder, read)
    return place, _encoder(config["encoder"], weights, options, torch=torch)


def _base_weights(folder: Path, read: Read) -> Mapping[str, Array]:
    if (folder / PACKED_FILE).is_file():
        return PackedWeights(folder / PACKED_FILE)
    read_all = [read(file) for file in sorted(folder.glob("*.safetensors"))]
    weights = {name: weight for part in read_all for name, weight in part.items()}
    return _under("bert.", weights) or weights


def _under(start: str, weights: Mapping[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(start): w for name, w in weights.items() if name.startswith(start)}


def _read_tensors(file: Path) -> dict[str, Array]:
    """As `read_weights`, without a copy of what is float32 in the file."""
    from safetensors.torch import load_file

    try:
        return {name: tensor.float().numpy() for name, tensor in load_file(file).items()}
    except SafetensorError as error:
        raise _unreadable(file, error) from error


def _encoder(
    config: Mapping[str, Any], weights: Mapping[str, Array], options: TrainOptions, *, torch: bool
) -> Encoder:
    if not torch:
        return NumpyEncoder(config, weights)
    from classifier.models.runtime._fast import FastEncoder, kind_for

    return FastEncoder(config, weights, kind_for(options.precision))


def _reader(folder: Path, config: Mapping[str, Any]) -> TokenReader:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    told = read_json(folder / "tokenizer_config.json")
    positions = position_limit(config["encoder"], told.get("model_max_length", float("inf")))
    around = tokenizer.num_special_tokens_to_add(False)
    limit = text_limit(config["max_tokens"], positions, around)
    return TokenReader(tokenizer, limit, positions)
