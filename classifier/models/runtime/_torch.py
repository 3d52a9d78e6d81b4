"""Where and how precisely a network runs."""

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from torch import nn

from classifier.errors import ModelError, in_words
from classifier.models._processes import n_cores
from classifier.models._protocol import Precision

_In = TypeVar("_In")
_Out = TypeVar("_Out")


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


def n_threads() -> int:
    """Threads to compute with: one per processor that is really there, or fewer if so chosen."""
    return min(n_cores(), torch.get_num_threads())


def token_budget(device: torch.device) -> int:
    """Tokens of a batch, padding included: as many as a core's cache holds, or a card wants."""
    return 2048 if device.type == "cpu" else 65_536


ALONE = Lock()
"""Two threads at once in PyTorch's own kernels now and then round otherwise than one does (in 6 of
100 runs over 40 small articles, in bfloat16): a run that goes on would not give the same bytes."""


def side_by_side(work: Callable[[_In], _Out], items: Sequence[_In]) -> Iterator[_Out]:
    """The results of some work in order, a thread for each processor; one item needs no thread.

    PyTorch computes each of them on one thread. Where threads share out the many small steps of one
    sentence they mostly wait for each other: on a busy machine with two processors that took ten
    times the time.
    """
    n = min(n_threads(), len(items)) if len(items) > 1 else 1
    with ALONE:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            if n == 1:
                yield from map(work, items)
                return
            with ThreadPoolExecutor(n, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield from pool.map(work, items)
        finally:
            torch.set_num_threads(before)


def ready_encoder(encoder: Any, *, bfloat16: bool) -> Any:  # noqa: ANN401
    """The encoder as PyTorch runs it fastest without training it: on its own copy of the weights.

    On a CPU, bfloat16 weights read 1.2 to 1.5 times as fast as autocast, which casts them for
    every batch. SDPA is as fast as plain attention for short batches, and faster for long ones.
    """
    torch.set_num_threads(n_threads())
    wished = usable_attention("sdpa", encoder.config)
    has_wished = encoder.config._attn_implementation == wished
    if has_wished and not bfloat16:
        return encoder
    own = copy.deepcopy(encoder).eval().requires_grad_(requires_grad=False)
    if not has_wished:
        own.set_attn_implementation(wished)
    return own.to(torch.bfloat16) if bfloat16 else own


def with_encoder(network: nn.Module, encoder: nn.Module) -> nn.Module:
    """The network with another encoder; everything else is shared."""
    twin = copy.copy(network)
    twin._modules = {**network._modules, "encoder": encoder}
    # Training leaves the instance a forward of its own, which is bound to the network it was.
    twin.__dict__.pop("forward", None)
    return twin


def read_whole(folder: Path, **rest: Any) -> Any:  # noqa: ANN401
    """A folder's encoder, as `AutoModel.from_pretrained` reads it with these further arguments.

    Raises `ModelError` where weights cannot be read, do not fit, or are missing: missing ones the
    library would make up at random.
    """
    from transformers import AutoModel

    try:
        with quiet_transformers():
            encoder, told = AutoModel.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **rest
            )
    except (SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"{folder} must hold weights that fit its config.json, they cannot be read "
            f"({in_words(error)}): "
            "get the folder again"
        ) from error
    missing = sorted(name for name in told["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise ModelError(
            f"{folder} must hold all weights of the encoder that its config.json describes, "
            f"{len(missing)} are missing, such as {missing[0]}: get the folder again"
        )
    return encoder


def attention_for(device: torch.device) -> str:
    """The faster attention: on a CPU in bfloat16 the plain one trains twice as fast as SDPA."""
    return "eager" if device.type == "cpu" else "sdpa"


def usable_attention(wished: str | None, config: Any) -> str | None:  # noqa: ANN401
    """The wished attention, or the plain one where the architecture has no SDPA, as DeBERTa."""
    from transformers import MODEL_MAPPING

    has_sdpa = MODEL_MAPPING[type(config)]._supports_sdpa
    return wished if has_sdpa or wished != "sdpa" else "eager"


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep off the terminal the library's reports, and its advice to the libraries that use it."""
    from transformers.utils import logging as transformers_logging

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
