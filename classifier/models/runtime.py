"""Where and how precisely a network runs."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import MODEL_MAPPING
from transformers.utils import logging as transformers_logging

from classifier.models.options import Precision


def best_device() -> torch.device:
    """The accelerator that is there, or else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def runs_bfloat16(device: torch.device) -> bool:
    """Whether the device computes bfloat16 products itself instead of imitating them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    return False


def uses_bfloat16(precision: Precision, device: torch.device) -> bool:
    """What a precision comes to on a device."""
    return precision == "bfloat16" or (precision == "auto" and runs_bfloat16(device))


def attention_for(device: torch.device) -> str:
    """The faster attention: on a CPU in bfloat16 the plain one trains twice as fast as SDPA."""
    return "eager" if device.type == "cpu" else "sdpa"


def usable_attention(wished: str | None, config: Any) -> str | None:  # noqa: ANN401
    """The wished attention, or the plain one where the architecture has no SDPA, as DeBERTa."""
    has_sdpa = MODEL_MAPPING[type(config)]._supports_sdpa
    return wished if has_sdpa or wished != "sdpa" else "eager"


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep off the terminal the library's reports, and its advice to the libraries that use it."""
    before = transformers_logging.get_verbosity()
    had_bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*gradient_checkpointing", FutureWarning)
            yield
    finally:
        transformers_logging.set_verbosity(before)
        if had_bars:
            transformers_logging.enable_progress_bar()
