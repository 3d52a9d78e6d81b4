"""Running a trained encoder with OpenVINO, where it is installed and gains."""

import hashlib
import json
import logging
import os
import shutil
import sys
import uuid
import warnings
from importlib import metadata, util
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from classifier.errors import ModelError
from classifier.files import write_text
from classifier.models._options import RuntimeName
from classifier.models.runtime._torch import n_threads, quiet_transformers, ready_encoder

logger = logging.getLogger(__name__)
FOLDER = "openvino"
_PACKAGE = Path(__file__).parent.parent.parent
_MODEL, _WEIGHTS, _HASHES = "encoder.xml", "encoder.bin", "sha256.json"
_MOST_STREAMS = 8
"""Batches read side by side; beyond that they share out the threads."""
_TRIED = ("bert", "deberta-v2", "roberta", "xlm-roberta")
"""Model types that it was tried with. With ModernBERT it ends the whole process while compiling, by
a floating point exception, which nothing can catch."""
_LARGEST_ERROR = {True: 0.1, False: 0.001}
"""Of the hidden states as a share of their norm, by whether bfloat16 is used."""


def is_installed() -> bool:
    """Whether the package `openvino` is there."""
    return util.find_spec("openvino") is not None


def check_installed() -> None:
    """Raise `ModelError` unless the package `openvino` is there."""
    if not is_installed():
        raise ModelError(
            "running with OpenVINO needs the package openvino: "
            "pip install 'stance-framing-classifier[fast]'"
        )


def _openvino() -> Any:  # noqa: ANN401
    """The package, without the one by which it reports over the network that it is used.

    Each report is a process forked off this one, which may then hang, and holds its memory.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


class OpenVinoEncoder(nn.Module):
    """Gives the hidden states that a PyTorch encoder gives; for inference on the CPU only.

    As many threads as it has streams may call it side by side.
    """

    runtime = "openvino"

    def __init__(
        self, encoder: PreTrainedModel, folder: Path | None, *, bfloat16: bool, n_threads: int
    ) -> None:
        """Read the export for these weights in the folder or in the user's cache, or make it.

        Raises `ModelError` where OpenVINO is not installed, cannot run the encoder, or computes
        something else than PyTorch.
        """
        super().__init__()
        check_installed()
        if encoder.config.model_type not in _TRIED:
            raise ModelError(
                f"OpenVINO is used with {', '.join(_TRIED)}, got {encoder.config.model_type}, with "
                "which it may crash; use --runtime torch"
            )
        self.config = encoder.config
        self.n_streams = min(n_threads, _MOST_STREAMS)
        try:
            self._compiled = _compiled(encoder, folder, bfloat16=bfloat16, n_threads=n_threads)
            self._idle: SimpleQueue[Any] = SimpleQueue()
            for _ in range(self.n_streams):
                self._idle.put(self._compiled.create_infer_request())
            self._check(encoder, _LARGEST_ERROR[bfloat16])
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"OpenVINO cannot run this encoder: {error}") from error

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor]:
        """Hidden states, passages × tokens × width."""
        inputs = {"input_ids": input_ids.numpy(), "attention_mask": attention_mask.numpy()}
        request = self._idle.get()
        try:
            return (torch.from_numpy(request.infer(inputs, share_inputs=True)[0]),)
        finally:
            self._idle.put(request)

    def _check(self, encoder: PreTrainedModel, largest: float) -> None:
        """Raise `ModelError` unless both give the same, padding included."""
        batch = _example(encoder, lengths=(11, 7, 3))
        with torch.inference_mode():
            expected = encoder(**batch)[0].float()
            difference = self(**batch)[0] - expected
        real = batch["attention_mask"].bool()
        error = float(difference[real].norm() / expected[real].norm())
        if not error <= largest:
            raise ModelError(
                f"OpenVINO computes something else than PyTorch with this encoder (relative error "
                f"{error:.2g}, allowed {largest}); use --runtime torch"
            )


def _example(encoder: PreTrainedModel, lengths: tuple[int, ...]) -> dict[str, Tensor]:
    """A padded batch of tokens from all over the vocabulary."""
    size = int(encoder.config.vocab_size)
    shape = (len(lengths), max(lengths))
    ids = (torch.arange(shape[0] * shape[1]) * 7919 % size).reshape(shape)
    mask = (torch.arange(shape[1]) < torch.tensor(lengths)[:, None]).long()
    return {"input_ids": ids, "attention_mask": mask}


def _compiled(
    encoder: PreTrainedModel, folder: Path | None, *, bfloat16: bool, n_threads: int
) -> Any:  # noqa: ANN401
    core = _openvino().Core()
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if bfloat16 else "f32",
        "NUM_STREAMS": min(n_threads, _MOST_STREAMS),
        "INFERENCE_NUM_THREADS": n_threads,
        # Pinned to the same cores, several processes on one machine would share the first ones.
        "ENABLE_CPU_PINNING": False,
    }
    key = _key(encoder, bfloat16=bfloat16)
    for place in (place / key for place in _places(folder)):
        if _is_whole(place) or _write(encoder, place, bfloat16=bfloat16):
            return core.compile_model(place / _MODEL, "CPU", settings)
    logger.warning("no folder to keep the OpenVINO export in; it is made again at every start")
    with TemporaryDirectory() as spare:
        place = Path(spare) / key
        if not _write(encoder, place, bfloat16=bfloat16):
            raise ModelError(f"{spare}: the export for OpenVINO could not be written; make room")
        return core.compile_model(core.read_model(place / _MODEL), "CPU", settings)


def _places(folder: Path | None) -> list[Path]:
    """Where exports are kept: in the run, unless it is part of the package, or in the cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = [cache / "stance-framing-classifier" / FOLDER]
    if folder is not None and not folder.resolve().is_relative_to(_PACKAGE):
        places.insert(0, folder / FOLDER)
    return places


def _key(encoder: PreTrainedModel, *, bfloat16: bool) -> str:
    """Hash of everything that an export depends on."""
    versions = [metadata.version(name) for name in ("openvino", "torch", "transformers")]
    about = [versions, bfloat16, encoder.config.to_dict()]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode())
    for name, tensor in encoder.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def _is_whole(place: Path) -> bool:
    try:
        hashes = json.loads((place / _HASHES).read_text(encoding="utf-8"))
        return bool(hashes == {name: _sha256(place / name) for name in (_MODEL, _WEIGHTS)})
    except (OSError, ValueError):
        return False


def _write(encoder: PreTrainedModel, place: Path, *, bfloat16: bool) -> bool:
    """Export into a new folder beside `place` and move it there; whether that was possible."""
    openvino = _openvino()
    draft = place.with_name(f".{place.name}.{uuid.uuid4().hex}")
    try:
        draft.mkdir(parents=True)
        with quiet_transformers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exported = openvino.convert_model(
                _Bare(encoder), example_input=_example(encoder, lengths=(5, 3))
            )
        openvino.save_model(exported, draft / _MODEL, compress_to_fp16=bfloat16)
        # A cache, that nobody should commit together with the run it lies in.
        write_text(place.parent / ".gitignore", ["*\n"])
        hashes = {name: _sha256(draft / name) for name in (_MODEL, _WEIGHTS)}
        write_text(draft / _HASHES, [json.dumps(hashes)])
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
    except OSError as error:
        logger.info("the OpenVINO export cannot be kept in %s: %s", place.parent, error)

        # Another process may have been quicker with the same export.
        return _is_whole(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Bare(nn.Module):
    """The encoder with tensors for inputs and a tensor for output, as the tracer wants it."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        return hidden


logger = logging.getLogger(__name__)


def fast_encoder(
    encoder: Any,  # noqa: ANN401
    device: torch.device,
    chosen: tuple[RuntimeName, Path | None],
    *,
    bfloat16: bool,
) -> Any:  # noqa: ANN401
    """The encoder as the chosen runtime runs it; the run's folder keeps an export.

    Raises `ModelError` where OpenVINO was asked for and cannot be had.
    """
    runtime, folder = chosen
    wants = runtime == "openvino" or (runtime == "auto" and _gains(device, bfloat16=bfloat16))
    if not wants:
        return ready_encoder(encoder, bfloat16=bfloat16)
    try:
        return OpenVinoEncoder(encoder, folder, bfloat16=bfloat16, n_threads=n_threads())
    except ModelError as error:
        if runtime == "openvino":
            raise
        logger.warning("running with PyTorch: %s", error)
        return ready_encoder(encoder, bfloat16=bfloat16)


def _gains(device: torch.device, *, bfloat16: bool) -> bool:
    """Whether OpenVINO is there and faster: see benchmarks/speed/scoring.py."""
    return device.type == "cpu" and bfloat16 and is_installed()
