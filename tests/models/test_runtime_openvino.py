"""Encoders run by OpenVINO: the numbers of PyTorch, exported once, never from altered files."""

import importlib.util
import logging
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.codebook import Variable, default_codebook
from classifier.errors import ModelError
from classifier.models import RuntimeName, TrainOptions
from classifier.models._options import Precision
from classifier.models.encoder._model import EncoderModel, load_encoder, new_encoder
from classifier.models.runtime import _openvino as runtime_openvino
from classifier.records import Passage, PassageMention, Span

TEXT = "The council praised Turkey for its patience at the talks. "
needs_openvino = pytest.mark.skipif(
    importlib.util.find_spec("openvino") is None, reason="openvino is not installed"
)


def passages(n: int = 9) -> list[Passage]:
    """Of many lengths, so that some are padded in their batches."""
    mention = PassageMention("u", Span(20, 26), Span(0, len(TEXT)))
    return [Passage("a", 0, TEXT * (1 + i % 4), "en", (mention,)) for i in range(n)]


def variables() -> tuple[Variable, ...]:
    codebook = default_codebook()
    return codebook.variable("stance"), codebook.variable("roles")


@pytest.fixture(scope="module")
def run(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    new_encoder(variables(), TrainOptions(base_model=str(tiny_bert))).save(folder)
    return folder


def loaded(run: Path, runtime: RuntimeName, precision: Precision = "float32") -> EncoderModel:
    return load_encoder(run, variables(), TrainOptions(precision=precision), runtime)


@needs_openvino
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.02)])
def test_probabilities_are_those_of_pytorch(
    precision: Precision, tolerance: float, run: Path
) -> None:
    expected = loaded(run, "torch").predict(passages())
    found = loaded(run, "openvino", precision).predict(passages())
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], rows, rtol=0, atol=tolerance)


@needs_openvino
def test_an_architecture_that_was_never_tried_is_refused_rather_than_risked(run: Path) -> None:
    encoder = loaded(run, "torch").network.encoder
    encoder.config.model_type = "modernbert"
    with pytest.raises(ModelError, match="got modernbert, with which it may crash"):
        runtime_openvino.OpenVinoEncoder(encoder, None, bfloat16=False, n_threads=1)


@needs_openvino
def test_nothing_is_reported_to_the_makers_of_openvino(run: Path) -> None:
    loaded(run, "openvino").predict(passages(1))
    assert "openvino" in sys.modules
    assert not [name for name in sys.modules if name.startswith("openvino_telemetry.")]


@needs_openvino
def test_how_passages_are_batched_makes_no_difference(run: Path) -> None:
    model = loaded(run, "openvino")
    together = model.predict(passages())["stance"]
    alone = [model.predict([passage])["stance"] for passage in passages()]
    np.testing.assert_allclose(np.concatenate(alone), together, rtol=0, atol=1e-5)


@needs_openvino
def test_an_export_is_made_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = loaded(run, "openvino").predict(passages())["stance"]
    monkeypatch.setattr("openvino.convert_model", None)
    again = loaded(run, "openvino").predict(passages())["stance"]
    np.testing.assert_array_equal(again, expected)
    kept = {path.name for path in (run / "openvino").glob("*/*")}
    assert kept == {"encoder.xml", "encoder.bin", "sha256.json"}


@needs_openvino
def test_other_weights_get_an_export_of_their_own(
    run: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    options = TrainOptions(base_model=str(tiny_bert), precision="float32")
    model = new_encoder(variables(), options)
    model.run_with("openvino", tmp_path)
    before = model.predict(passages())["stance"]
    next(model.network.encoder.parameters()).data.mul_(3)
    model.run_with("openvino", tmp_path)
    assert not np.allclose(model.predict(passages())["stance"], before, atol=1e-4)
    assert len(list((tmp_path / "openvino").glob("*/encoder.xml"))) == 2


@needs_openvino
def test_an_altered_export_is_not_used(run: Path) -> None:
    expected = loaded(run, "openvino").predict(passages())["stance"]
    for weights in (run / "openvino").glob("*/encoder.bin"):
        weights.write_bytes(bytes(weights.stat().st_size))
    found = loaded(run, "openvino").predict(passages())["stance"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@needs_openvino
def test_without_a_folder_to_write_to_it_works_from_memory(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = loaded(run, "torch").predict(passages())["stance"]
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    model = loaded(run, "torch")
    model.run_with("openvino", file)
    with caplog.at_level(logging.WARNING):
        found = model.predict(passages())["stance"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert "it is made again at every start" in caplog.text


@needs_openvino
def test_a_run_that_cannot_be_written_to_is_exported_to_the_cache(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = loaded(run, "torch")
    model.run_with("openvino", file)
    model.predict(passages(1))
    assert list((tmp_path / "cache").rglob("encoder.xml"))


@needs_openvino
def test_an_encoder_that_comes_out_otherwise_is_refused(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_openvino, "_LARGEST_ERROR", {True: 0.0, False: 0.0})
    with pytest.raises(ModelError, match=r"something else than PyTorch.*--runtime torch"):
        loaded(run, "openvino").predict(passages(1))


@needs_openvino
def test_auto_goes_on_with_pytorch_where_openvino_fails(
    run: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtime_openvino, "_LARGEST_ERROR", {True: 0.0, False: 0.0})
    monkeypatch.setattr("classifier.models.runtime._openvino._gains", lambda *_, **__: True)
    expected = loaded(run, "torch").predict(passages())["stance"]
    np.testing.assert_array_equal(loaded(run, "auto").predict(passages())["stance"], expected)
    assert "running with PyTorch" in caplog.text


def test_openvino_that_is_not_installed_is_said_to_be_missing(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_openvino, "is_installed", lambda: False)
    with pytest.raises(ModelError, match=r"needs the package openvino: pip install .*\[fast\]"):
        loaded(run, "openvino")


def test_without_openvino_auto_is_pytorch(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.models.runtime._openvino.is_installed", lambda: False)
    model = loaded(run, "auto", "auto")
    expected = loaded(run, "torch", "auto").predict(passages())["stance"]
    np.testing.assert_array_equal(model.predict(passages())["stance"], expected)


def test_bfloat16_reads_on_weights_of_its_own(run: Path) -> None:
    model = loaded(run, "torch", "bfloat16")
    exact = loaded(run, "torch").predict(passages())["stance"]
    found = model.predict(passages())["stance"]
    np.testing.assert_allclose(found, exact, rtol=0, atol=0.02)
    assert {str(p.dtype) for p in model.network.parameters()} == {"torch.float32"}


def test_options_of_the_run_choose_the_precision(run: Path) -> None:
    model = loaded(run, "torch", "bfloat16")
    model.predict(passages(1))
    low = model.predict(passages())["stance"]
    model.options = replace(model.options, precision="float32")
    model.run_with("torch", run)
    assert not np.array_equal(model.predict(passages())["stance"], low)
