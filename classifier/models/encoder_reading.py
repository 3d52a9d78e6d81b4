"""Reads what a base model consists of: its encoder, its tokenizer and their settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from classifier.errors import ModelError
from classifier.models.options import TrainOptions
from classifier.models.runtime import (
    attention_for,
    best_device,
    quiet_transformers,
    usable_attention,
)

_Part = TypeVar("_Part")


def read_tokenizer(folder: Path) -> Any:  # noqa: ANN401
    """A folder's tokenizer; raises `ModelError` unless it can say where its tokens lie."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer in {folder} must be a fast one (tokenizer.json), "
            f"got {type(tokenizer).__name__}; convert it or choose another base model"
        )
    return tokenizer


def read_encoder(folder: Path, options: TrainOptions) -> Any:  # noqa: ANN401
    """A folder's encoder, with the wished dropout and the attention to train with."""
    config = AutoConfig.from_pretrained(folder)
    for name, value in config.to_dict().items():
        if "dropout" in name and isinstance(value, float):
            setattr(config, name, options.dropout)
    with quiet_transformers():
        return AutoModel.from_pretrained(
            folder,
            config=config,
            attn_implementation=usable_attention(attention_for(best_device()), config),
            dtype=torch.float32,
            use_safetensors=True,
        )


def plain_config(encoder: Any) -> dict[str, Any]:  # noqa: ANN401
    """What it takes to build the encoder again, without where it came from."""
    config = {**encoder.config.to_dict(), "model_type": encoder.config.model_type}
    return {key: value for key, value in config.items() if key not in {"_name_or_path", "dtype"}}


def read_part(name: str, read: Callable[[], _Part]) -> _Part:
    """What `read` returns; raises `ModelError` where the base `name` cannot be read."""
    try:
        return read()
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"base model {name!r} must be an encoder that transformers can read with its "
            f"tokenizer: {error}"
        ) from error
