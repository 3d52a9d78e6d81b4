"""LoRA: a small adapter beside frozen weights, merged into them or kept apart."""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from classifier.errors import ModelError
from classifier.models.bases import find_base, weights_sha256
from classifier.models.encoder_network import PassageEncoder, PassageEncoderConfig
from classifier.models.options import TrainOptions
from classifier.models.runtime import (
    attention_for,
    best_device,
    quiet_transformers,
    usable_attention,
)

_HEADS = "heads.safetensors"


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
    """Merge the adapter into the weights, unless it is to stay apart."""
    if options.adapter == "merged" and isinstance(network.encoder, PeftModel):
        network.encoder = network.encoder.merge_and_unload()


def save(network: PassageEncoder, folder: Path) -> None:
    """Write the adapter, the heads and the config, and name the base they belong to."""
    network.encoder.peft_config["default"].base_model_name_or_path = network.config.base["name"]
    network.encoder.save_pretrained(folder, safe_serialization=True)
    (folder / "README.md").unlink(missing_ok=True)
    save_file({k: v.contiguous() for k, v in network.heads.state_dict().items()}, folder / _HEADS)
    network.config.save_pretrained(folder)


def load(folder: Path) -> PassageEncoder:
    """The network with the adapter merged; raises `ModelError` if its base is another one now."""
    config = PassageEncoderConfig.from_pretrained(folder)
    base = find_base(config.base["name"])
    if weights_sha256(base.folder) != config.base["sha256"]:
        raise ModelError(
            f"the adapter in {folder} belongs to a base {base.name!r} with other weights than "
            "the one found here; install the version it was trained on, or train it again"
        )
    own = AutoConfig.from_pretrained(base.folder)
    attention = usable_attention(attention_for(best_device()), own)
    with quiet_transformers():
        encoder = AutoModel.from_pretrained(
            base.folder, attn_implementation=attention, dtype=torch.float32, use_safetensors=True
        )
        adapted = PeftModel.from_pretrained(encoder, str(folder))
    network = PassageEncoder(config, adapted.merge_and_unload())
    network.heads.load_state_dict(load_file(folder / _HEADS))
    return network
