"""A base whose files are cut short, missing or somebody else's is refused, with what to do."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from classifier.codebook import default_codebook
from classifier.errors import ModelError
from classifier.models import TrainOptions, find_base, unpacked_folder
from classifier.models._bases import PACKED, PACKED_FILE, SCALES, PackedWeights
from classifier.models.encoder._model import new_encoder


@pytest.fixture
def base(tiny_bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bert, tmp_path / "base"))


def _new(base: Path) -> None:
    new_encoder((default_codebook().variable("stance"),), TrainOptions(base_model=str(base)))


def test_missing_weights_are_not_made_up(base: Path) -> None:
    weights = load_file(base / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"1 are missing, such as encoder\.layer\.1\.output"):
        _new(base)


def test_weights_of_another_shape_are_refused(base: Path) -> None:
    weights = load_file(base / "model.safetensors")
    name = "encoder.layer.0.output.dense.weight"
    weights[name] = np.zeros((3, 3), np.float32)
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"must hold weights that fit its config\.json"):
        _new(base)


def test_weights_cut_short_are_refused(base: Path) -> None:
    file = base / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"must hold weights that fit its config\.json"):
        _new(base)


def _packed(folder: Path) -> Path:
    weights = {f"w{PACKED}": np.zeros((2, 16), np.uint8), f"w{SCALES}": np.ones((2, 1), np.float16)}
    save_file(weights, folder / PACKED_FILE)
    (folder / "model.safetensors").unlink()
    return folder / PACKED_FILE


def test_packed_weights_cut_short_are_refused(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSIFIER_CACHE", str(tmp_path / "cache"))
    file = _packed(base)
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ModelError, match="must hold packed weights, it cannot be read"):
        find_base(str(base))
    assert not list((tmp_path / "cache").glob("*"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (f"w{SCALES}", None, "lacks the scales of w"),
        (f"w{SCALES}", np.ones((2, 3), np.float16), "the scales of w do not fit"),
    ],
)
def test_packed_weights_without_fitting_scales_are_refused(
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: np.ndarray | None,
    message: str,
) -> None:
    monkeypatch.setenv("CLASSIFIER_CACHE", str(tmp_path / "cache"))
    file = _packed(base)
    weights = load_file(file)
    del weights[name]
    save_file(weights if value is None else {**weights, name: value}, file)
    with pytest.raises(ModelError, match=message):
        unpacked_folder(base)


def test_a_packed_base_is_applied_as_the_unpacked_one(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSIFIER_CACHE", str(tmp_path / "cache"))
    file = _packed(base)
    weights = dict(PackedWeights(file))
    unpacked = load_file(unpacked_folder(base) / "model.safetensors")
    assert weights.keys() == unpacked.keys()
    for name, weight in weights.items():
        np.testing.assert_array_equal(weight, unpacked[name])
