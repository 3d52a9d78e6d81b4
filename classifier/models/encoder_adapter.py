"""LoRA: a small adapter beside frozen weights, merged into them or kept apart."""

import hashlib
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from classifier.errors import ModelError
from classifier.models.bases import Base, find_base, weights_sha256
from classifier.models.encoder_network import PassageEncoder, PassageEncoderConfig
from classifier.models.options import TrainOptions
from classifier.models.runtime import (
    attention_for,
    best_device,
    quiet_transformers,
    usable_attention,
)

_HEADS, _ADAPTER = "heads.safetensors", "adapter_model.safetensors"


def attach(network: PassageEncoder, options: TrainOptions) -> None:
    """Freeze the encoder and put an adapter of the wished rank on all its linear layers."""
    config = LoraConfig(
        r=options.adapter_rank,
        lora_alpha=2 * options.adapter_rank,
        lora_dropout=0.0,
        target_modules="all-linear",
    )
    with quiet_transformers():
        network.encoder = get_peft_model(network.encoder, config)


def finish(network: PassageEncoder, options: TrainOptions) -> None:
    """Merge the adapter into the weights; one that stays apart is rounded as it will be saved."""
    if not isinstance(network.encoder, PeftModel):
        return
    if options.adapter == "merged":
        network.encoder = network.encoder.merge_and_unload()
        return
    for parameter in network.encoder.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16).to(parameter.dtype)


def identity(base: Base) -> dict[str, str]:
    """What an adapter needs to find its base again and to know it for the same."""
    tokenizer = base.folder / "tokenizer.json"
    told = {"name": base.name, "sha256": weights_sha256(base.folder)}
    if tokenizer.is_file():
        told["tokenizer_sha256"] = hashlib.sha256(tokenizer.read_bytes()).hexdigest()
    return told


def save(network: PassageEncoder, folder: Path) -> None:
    """Write the adapter in bfloat16, the heads and the config, and name their base.

    Neither weights nor tokenizer of the base are copied.
    """
    network.encoder.peft_config["default"].base_model_name_or_path = network.config.base["name"]
    # Left to itself, the library looks on the Hub whether the base's vocabulary was changed.
    network.encoder.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    weights = load_file(folder / _ADAPTER)
    short = {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}
    save_file(short, folder / _ADAPTER, metadata={"format": "pt"})
    save_file({k: v.contiguous() for k, v in network.heads.state_dict().items()}, folder / _HEADS)
    network.config.save_pretrained(folder)


def load(folder: Path) -> tuple[PassageEncoder, Path]:
    """The network with the adapter merged, and the folder of its base.

    Raises `ModelError` if the base is not there or is another one now.
    """
    config = PassageEncoderConfig.from_pretrained(folder)
    base = find_base(config.base["name"])
    if identity(base) != config.base:
        raise ModelError(
            f"the adapter in {folder} belongs to a base {base.name!r} with sha256 "
            f"{config.base['sha256'][:12]}…; the one in {base.folder} is another: install the "
            "version it was trained on, or train it again"
        )
    own = AutoConfig.from_pretrained(base.folder)
    attention = usable_attention(attention_for(best_device()), own)
    with quiet_transformers():
        encoder = AutoModel.from_pretrained(
            base.folder, attn_implementation=attention, dtype=torch.float32, use_safetensors=True
        )
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        adapted = PeftModel.from_pretrained(encoder, str(folder))
    network = PassageEncoder(config, adapted.merge_and_unload())
    network.heads.load_state_dict(load_file(folder / _HEADS))
    return network, base.folder
