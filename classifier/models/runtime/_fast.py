"""Hidden states of BERT with PyTorch's kernels: no padding, and weights packed for the processor.

It takes weights by the names of transformers, but needs nothing of that library. Matrices are in
float32, in bfloat16, or integers of eight bits. With integers every row of activations has a scale
of its own, so that a passage has the same figures whatever it is read beside.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, groupby
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from classifier.models._protocol import Precision
from classifier.models.runtime._numpy import QKV, Weights, bert_layers
from classifier.models.runtime._torch import n_threads, side_by_side, uses_bfloat16

Kind = Literal["float32", "bfloat16", "int8"]
_Rows: TypeAlias = Callable[[str, NDArray[np.int64]], NDArray[np.float32]]
_WORDS = "embeddings.word_embeddings.weight"
_ROWS = 256
"""Tokens multiplied at a time: they fit a core's cache."""
_STEP, _SMALL_STEP, _SMALL = 32, 8, 64
"""A multiple of the step is multiplied, of the small one up to so many rows. For every number of
rows that it has not met, oneDNN makes code that takes 2 ms and a megabyte; there are fourteen."""
_LARGEST = 127
"""Steps from zero to the largest value of a row."""
_MIDDLE = 128
"""Where zero lies."""
_SMALLEST = 1e-9
"""Least of the largest values of a row: a row of zeros has a scale too."""


def kind_for(precision: Precision) -> Kind:
    """What a precision comes to here; by itself, what this processor multiplies fastest.

    Tiles (AMX) multiply bfloat16 as fast as integers, whose rounding then only costs time.
    """
    able = torch.cpu.get_capabilities()
    multiplies = able.get("avx512_vnni") or able.get("avx_vnni")
    integers = multiplies and not able.get("amx_bf16") and torch.backends.mkldnn.is_available()
    if precision == "auto" and integers and _sums_eight_bits():
        return "int8"
    return "bfloat16" if uses_bfloat16(precision, torch.device("cpu")) else "float32"


@cache
def _sums_eight_bits() -> bool:
    """Whether a sum of two products is exact: without VNNI it ends at 32,767.

    What a processor lists is no proof, since the library may have been told to do without.
    """
    ones = torch.ones(16, 64)
    return bool((linear(ones, torch.zeros(16), "int8")(ones) > ones.shape[1] - 1).all())


class FastEncoder:
    """Hidden states of BERT (Devlin et al. 2019), on the CPU; for inference only."""

    def __init__(self, config: Mapping[str, Any], weights: Weights, kind: Kind) -> None:
        """Take a config and weights by the names that transformers gives them.

        In float32 it computes with the very weights, without a copy.

        Raises `ModelError` for another architecture, or where weights are missing.
        """
        torch.set_num_threads(n_threads())
        self.runtime = f"torch {kind} cpu"
        self.n_heads = int(config["num_attention_heads"])
        self.eps = float(config["layer_norm_eps"])
        self._is_filled = kind != "float32"
        self._between = torch.bfloat16 if kind == "bfloat16" else torch.float32
        self._layers = [self._layer(layer, kind) for layer in bert_layers(config, weights)]
        table = torch.float32 if kind == "float32" else torch.bfloat16
        self._words = word_table(config, weights, table)
        kinds = weights["embeddings.token_type_embeddings.weight"]
        self._places = torch.from_numpy(weights["embeddings.position_embeddings.weight"] + kinds[0])
        self._first = [torch.tensor(w) for w in _norm(weights, "embeddings.LayerNorm")]

    def _layer(self, weights: Weights, kind: Kind) -> tuple[list["Linear"], list[list[Tensor]]]:
        names = (QKV, "attention.output.dense", "intermediate.dense", "output.dense")
        made = [
            linear(_matrix(weights[f"{n}.weight"]), torch.tensor(weights[f"{n}.bias"]), kind)
            for n in names
        ]
        norms = [
            [torch.tensor(w).to(self._between) for w in _norm(weights, name)]
            for name in ("attention.output.LayerNorm", "output.LayerNorm")
        ]
        return made, norms

    @torch.inference_mode()
    def __call__(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Hidden states of all tokens of some passages one after another, tokens × width."""
        lengths = [len(ids) for ids in passages]
        n = sum(lengths)
        ids = np.zeros(_filled(n) if self._is_filled else n, np.int64)
        ids[:n] = np.fromiter(chain.from_iterable(passages), np.int64, n)
        places = np.zeros_like(ids)
        places[:n] = np.concatenate([np.arange(n) for n in lengths])
        hidden = self._normed(
            self._words(ids) + self._places[torch.from_numpy(places)], self._first
        )
        # So many rows at a time as fit a core's cache.
        parts = hidden.to(self._between).split(_ROWS)
        for linears, norms in self._layers:
            seen = self._attended(_together([linears[0](part) for part in parts]), lengths)
            pairs = zip(seen.split(_ROWS), parts, strict=True)
            parts = tuple(self._widened(part, linears, norms) for part in pairs)
        return _together(parts)[:n].float().numpy()

    side_by_side = staticmethod(side_by_side)

    def _attended(self, qkv: Tensor, lengths: Sequence[int]) -> Tensor:
        """Softmax of query · key / √(width of a head), times values, within each passage."""
        width = qkv.shape[1] // 3
        seen = []
        for rows, n in _of_one_length(qkv, lengths):
            parts = rows.view(-1, n, 3, self.n_heads, width // self.n_heads)
            query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
            of_heads = functional.scaled_dot_product_attention(query, key, value)
            seen.append(of_heads.transpose(1, 2).reshape(-1, width))
        beyond = len(qkv) - sum(lengths)
        return _together([*seen, qkv.new_zeros(beyond, width)] if beyond else seen)

    def _widened(
        self,
        rows: tuple[Tensor, Tensor],
        linears: Sequence["Linear"],
        norms: Sequence[Sequence[Tensor]],
    ) -> Tensor:
        """What a layer makes of what was seen and of what went into it."""
        seen, hidden = rows
        _, out, widen, narrow = linears
        hidden = self._normed(out.added(seen, hidden), norms[0])
        return self._normed(narrow.added(widen.gelu(hidden), hidden), norms[1])

    def _normed(self, rows: Tensor, norm: Sequence[Tensor]) -> Tensor:
        """Layer normalisation (Ba et al. 2016)."""
        return torch.layer_norm(rows, rows.shape[1:], norm[0], norm[1], self.eps)


def _filled(n: int) -> int:
    """The number of rows that is multiplied for so many.

    >>> _filled(17), _filled(64), _filled(65)
    (24, 64, 96)
    """
    step = _SMALL_STEP if n <= _SMALL else _STEP
    return n + -n % step


def _together(parts: Sequence[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def _matrix(array: NDArray[np.float32]) -> Tensor:
    """A tensor over the same memory, or over a copy of what must not be written to."""
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def word_table(
    config: Mapping[str, Any], weights: Weights, dtype: torch.dtype
) -> Callable[[NDArray[np.int64]], Tensor]:
    """What gives the rows of some tokens of the table; of a packed one only those are unpacked."""
    rows = getattr(weights, "rows", None)
    if rows is not None:
        return _PackedWords(config, rows, dtype)
    table = _matrix(weights[_WORDS]).to(dtype)
    return lambda ids: table[torch.from_numpy(ids)]


class _PackedWords:
    """The table of tokens, of which a row is unpacked when a text has its token.

    The system gives no memory to rows that nobody has written.
    """

    def __init__(self, config: Mapping[str, Any], rows: _Rows, dtype: torch.dtype) -> None:
        self._rows = rows
        self._table = torch.empty(config["vocab_size"], config["hidden_size"], dtype=dtype)
        self._is_there = np.zeros(config["vocab_size"], dtype=bool)

    def __call__(self, ids: NDArray[np.int64]) -> Tensor:
        new = np.unique(ids[~self._is_there[ids]])
        if len(new):
            # Threads that meet a token at the same time write the same row.
            made = torch.from_numpy(self._rows(_WORDS, new))
            self._table[torch.from_numpy(new)] = made.to(self._table.dtype)
            self._is_there[new] = True
        return self._table[torch.from_numpy(ids)]


def _norm(weights: Weights, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _of_one_length(rows: Tensor, lengths: Sequence[int]) -> Iterator[tuple[Tensor, int]]:
    """The rows of neighbouring passages of the same length, with that length."""
    at = 0
    for n, group in groupby(lengths):
        size = n * len(list(group))
        yield rows[at : at + size], n
        at += size


def linear(weight: Tensor, bias: Tensor, kind: Kind) -> "Linear":
    """Rows · weightᵀ + bias, with the weight packed once for the processor.

    Args:
        weight: outputs × inputs, float32.
        bias: One number per output.
        kind: How to multiply; "int8" rounds each row of the weight and of the input to 255 steps
            between plus and minus its largest value.
    """
    if kind == "int8":
        return _IntegerLinear(weight, bias)
    if kind == "bfloat16":
        weight, bias = weight.to(torch.bfloat16), bias.to(torch.bfloat16)
        if torch.ops.mkldnn._is_mkldnn_bf16_supported():
            return _PackedLinear(weight, bias)
    return Linear(weight, bias)


class Linear:
    """Rows · weightᵀ + bias."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Take outputs × inputs, and one number per output."""
        self._weight, self._bias = weight, bias

    def __call__(self, rows: Tensor) -> Tensor:
        """The product, rows × outputs."""
        return functional.linear(rows, self._weight, self._bias)

    def gelu(self, rows: Tensor) -> Tensor:
        """GELU (Hendrycks and Gimpel 2016) of the product."""
        return functional.gelu(self(rows))

    def added(self, rows: Tensor, to: Tensor) -> Tensor:
        """The sum of the product and of what is given."""
        return self(rows).add_(to)


class _PackedLinear(Linear):
    """In bfloat16, packed: 1.1 to 1.8 times as fast as if it is packed in every call."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__(torch.ops.mkldnn._reorder_linear_weight(weight, None), bias)

    def __call__(self, rows: Tensor, after: str = "none") -> Tensor:
        made: Tensor = torch.ops.mkldnn._linear_pointwise(
            rows, self._weight, self._bias, after, [], "none"
        )
        return made

    def gelu(self, rows: Tensor) -> Tensor:
        return self(rows, "gelu")

    def added(self, rows: Tensor, to: Tensor) -> Tensor:
        made: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
            rows, to, self._weight, self._bias, "add"
        )
        return made


class _IntegerLinear(Linear):
    """In integers of eight bits, weights and activations with a scale per row."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._scales = weight.abs().amax(1).clamp(min=_SMALLEST) / _LARGEST
        whole = (weight / self._scales[:, None]).round().to(torch.int8)
        super().__init__(torch.ops.onednn.qlinear_prepack(whole, None), bias)
        self._zeros = torch.zeros(len(weight), dtype=torch.long)
        self._multiply = torch.ops.onednn.qlinear_pointwise.default

    def __call__(self, rows: Tensor) -> Tensor:
        largest = rows.abs().amax(1, keepdim=True).clamp_(min=_SMALLEST)
        # The conversion cuts off what stands behind the point: half a step more rounds. It goes by
        # sixteen bits, since PyTorch takes three times as long for it in one step.
        steps = (rows * largest.reciprocal().mul_(_LARGEST)).add_(_MIDDLE + 0.5)
        made: Tensor = self._multiply(
            steps.to(torch.int16).to(torch.uint8),
            1 / _LARGEST,
            _MIDDLE,
            self._weight,
            self._scales,
            self._zeros,
            None,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        return torch.addcmul(self._bias, made, largest, out=made)
