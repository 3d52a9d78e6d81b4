"""What runs a trained encoder: PyTorch, or OpenVINO where it is there and gains."""

import logging
from pathlib import Path
from typing import Any

import torch

from classifier.errors import ModelError
from classifier.models.options import RuntimeName
from classifier.models.runtime import n_threads, ready_encoder
from classifier.models.runtime_openvino import OpenVinoEncoder, is_installed

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
    """Whether OpenVINO is there and faster: see benchmarks/scoring.py."""
    return device.type == "cpu" and bfloat16 and is_installed()
