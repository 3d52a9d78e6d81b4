"""Encoders computed with PyTorch's kernels: the numbers of transformers, alone or beside others."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from transformers import BertConfig, BertModel

from classifier.models._bases import PACKED, PACKED_FILE, SCALES, PackedWeights
from classifier.models.runtime import _fast
from classifier.models.runtime._fast import FastEncoder, Kind, kind_for, linear, word_table
from classifier.models.runtime._numpy import NumpyEncoder

PASSAGES = [[2, *range(5, 5 + n), 3] for n in (9, 9, 1, 30, 4)]
TOLERANCES: Mapping[Kind, float] = {"float32": 1e-5, "bfloat16": 0.02, "int8": 0.02}
"""Of the hidden states, as a share of their norm."""


@pytest.fixture(scope="module")
def bert() -> BertModel:
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4}
    config = BertConfig(**sizes, num_hidden_layers=3, vocab_size=60, max_position_embeddings=40)
    return BertModel(config, add_pooling_layer=False).eval()


def weights_of(bert: BertModel) -> dict[str, NDArray[np.float32]]:
    return {name: weight.numpy() for name, weight in bert.state_dict().items()}


def encoder_of(bert: BertModel, kind: Kind) -> FastEncoder:
    return FastEncoder(bert.config.to_dict(), weights_of(bert), kind)


def of_transformers(bert: BertModel, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    with torch.inference_mode():
        rows = [bert(torch.tensor([ids]))[0][0] for ids in passages]
    return torch.cat(rows).numpy()


def error(found: NDArray[Any], expected: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("kind", TOLERANCES)
def test_hidden_states_are_those_of_transformers(kind: Kind, bert: BertModel) -> None:
    found = encoder_of(bert, kind)(PASSAGES)
    assert error(found, of_transformers(bert, PASSAGES)) < TOLERANCES[kind]


def test_numpy_gives_them_too(bert: BertModel) -> None:
    found = NumpyEncoder(bert.config.to_dict(), weights_of(bert))(PASSAGES)
    assert error(found, of_transformers(bert, PASSAGES)) < TOLERANCES["float32"]


@pytest.mark.parametrize("kind", TOLERANCES)
def test_a_passage_has_the_same_states_alone(kind: Kind, bert: BertModel) -> None:
    encoder = encoder_of(bert, kind)
    alone = np.concatenate([encoder([ids]) for ids in PASSAGES])
    assert error(encoder(PASSAGES), alone) < TOLERANCES["float32"] * (
        100 if kind == "bfloat16" else 1
    )


def test_integers_round_each_row_by_its_own_largest_value() -> None:
    weight, bias = torch.tensor([[2.0, -1.0]]), torch.tensor([0.5])
    rows = torch.tensor([[1.0, 0.0], [0.0, 1000.0], [0.0, 0.0]])
    # -1 is 63.5 steps of 2 / 127, which are rounded to 64; rows are whole steps already.
    found = linear(weight, bias, "int8")(rows).ravel()
    np.testing.assert_allclose(found, [2.5, 0.5 - 1000 * 64 * 2 / 127, 0.5], rtol=1e-6)


@pytest.mark.parametrize(
    ("able", "kind"),
    [
        ({"avx512_vnni": True, "avx512_bf16": True}, "int8"),
        ({"avx_vnni": True}, "int8"),
        ({"avx512_vnni": True, "avx512_bf16": True, "amx_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx2": True}, "float32"),
    ],
)
def test_the_processor_decides_how_is_multiplied(
    able: dict[str, bool], kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(_fast, "_sums_eight_bits", lambda: True)
    assert kind_for("auto") == kind
    assert kind_for("float32") == "float32"
    assert kind_for("bfloat16") == "bfloat16"


def test_integers_are_not_taken_where_their_sums_are_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    able = {"avx512_vnni": True, "avx2": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(_fast, "_sums_eight_bits", lambda: False)
    assert kind_for("auto") == "float32"


@pytest.mark.skipif(platform.machine() not in {"x86_64", "AMD64"}, reason="of x86 processors only")
def test_a_library_that_does_without_vnni_is_found_out() -> None:
    code = "from classifier.models.runtime._fast import _sums_eight_bits as told; print(told())"
    limits = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **limits},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "False\n", done.stderr


def test_scoring_needs_no_transformers(encoder_run: Path) -> None:
    code = (
        "import sys; sys.modules['transformers'] = None; import classifier; "
        f"print(len(classifier.load({str(encoder_run)!r}).score('Turkey praised Russia.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "2\n", done.stderr


def test_rows_of_packed_words_are_those_of_the_whole_table(tmp_path: Path) -> None:
    # Two tokens of 32 numbers: every half is 9, which is one step above the middle.
    packed = np.full((2, 16), 0x99, np.uint8)
    scales = np.array([[0.5], [2.0]], np.float16)
    name = "embeddings.word_embeddings.weight"
    save_file({name + PACKED: packed, name + SCALES: scales}, tmp_path / PACKED_FILE)
    weights = PackedWeights(tmp_path / PACKED_FILE)
    words = word_table({"vocab_size": 2, "hidden_size": 32}, weights, torch.float32)
    found = words(np.array([1, 0, 1]))
    np.testing.assert_array_equal(found, np.repeat([[2.0], [0.5], [2.0]], 32, axis=1))
    np.testing.assert_array_equal(words(np.array([0])), weights[name][:1])
