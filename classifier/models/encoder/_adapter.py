"""LoRA: a small adapter beside frozen weights, merged into them or kept apart."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig

from classifier.errors import ModelError
from classifier.files import read_json, write_text
from classifier.models._bases import same_base
from classifier.models._protocol import TrainOptions
from classifier.models.encoder._network import PassageEncoder, PassageEncoderConfig
from classifier.models.encoder._plain import ADAPTER, DOWN, HEADS, PREFIX, UP
from classifier.models.runtime._torch import (
    attention_for,
    best_device,
    quiet_transformers,
    read_whole,
    usable_attention,
)

_START, _CUT = "matrices_before", "matrices_changed_by"


def attach(network: PassageEncoder, options: TrainOptions) -> None:
    """Freeze the encoder and put an adapter of the wished rank on all its linear layers.

    Where the adapter is to come from a difference, the layers' own matrices are trained instead.
    """
    if options.adapter_from == "difference":
        _train_matrices(network)
        return
    # Reading it takes seconds, which applying a trained adapter need not wait for.
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=options.adapter_rank,
        lora_alpha=2 * options.adapter_rank,
        lora_dropout=0.0,
        target_modules="all-linear",
    )
    with quiet_transformers():
        network.encoder = get_peft_model(network.encoder, config)


def start_from(network: PassageEncoder, start: PassageEncoder, options: TrainOptions) -> None:
    """Take over the weights of a trained network: the encoder, and the heads that are the same.

    Raises `ModelError` if an adapter is to be trained itself: it would hold the difference to
    the run, and not to the base that it names.
    """
    if options.adapter != "none" and options.adapter_from == "training":
        raise ModelError(
            "an adapter that is trained itself starts from a base; to start from a run, choose "
            'adapter_from="difference" or adapter="none"'
        )
    network.encoder.load_state_dict(start.encoder.state_dict())
    for name, head in network.heads.items():
        if start.config.heads.get(name) == network.config.heads[name]:
            head.load_state_dict(start.heads[name].state_dict())
            network.taken_over.add(name)


def finish(network: PassageEncoder, options: TrainOptions) -> None:
    """Merge the adapter into the weights; one that stays apart is rounded as it will be saved."""
    if options.adapter == "none":
        return
    if options.adapter_from == "difference":
        _cut(network, options.adapter_rank)
        return
    if options.adapter == "merged" and hasattr(network.encoder, "merge_and_unload"):
        network.encoder = network.encoder.merge_and_unload()
    if options.adapter == "merged":
        return
    for parameter in network.encoder.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(torch.bfloat16).to(parameter.dtype)


def save(network: PassageEncoder, folder: Path) -> None:
    """Write the adapter in bfloat16, the heads and the config, and name their base.

    Neither weights nor tokenizer of the base are copied.
    """
    if hasattr(network, _CUT):
        _save_cut(network, folder)
        return
    network.encoder.peft_config["default"].base_model_name_or_path = network.config.base["name"]
    # Left to itself, the library looks on the Hub whether the base's vocabulary was changed.
    network.encoder.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    weights = load_file(folder / ADAPTER)
    short = {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}
    save_file(short, folder / ADAPTER, metadata={"format": "pt"})
    _save_heads(network, folder)


def _save_heads(network: PassageEncoder, folder: Path) -> None:
    save_file({k: v.contiguous() for k, v in network.heads.state_dict().items()}, folder / HEADS)
    network.config.save_pretrained(folder)


def _layers(encoder: nn.Module) -> dict[str, nn.Linear]:
    return {name: m for name, m in encoder.named_modules() if isinstance(m, nn.Linear)}


def _train_matrices(network: PassageEncoder) -> None:
    """Freeze everything of the encoder but its matrices, and remember how they were."""
    network.encoder.requires_grad_(False)
    layers = _layers(network.encoder)
    for layer in layers.values():
        layer.weight.requires_grad_(True)
    network.__dict__[_START] = {k: m.weight.detach().clone() for k, m in layers.items()}


def _cut(network: PassageEncoder, rank: int) -> None:
    """Keep of each matrix's change the closest one of its rank (Eckart and Young 1936).

    The ranks cost together as much as if every one were `rank`; see `share_out`.
    """
    start, layers = network.__dict__[_START], _layers(network.encoder)
    parts = {
        name: torch.linalg.svd(
            layer.weight.detach() - start[name].to(layer.weight.device), full_matrices=False
        )
        for name, layer in layers.items()
    }
    sizes = {name: size.cpu().numpy() for name, (_, size, _) in parts.items()}
    costs = {name: sum(layer.weight.shape) for name, layer in layers.items()}
    ranks = share_out(sizes, costs, rank)
    cut = {}
    for name, (left, size, right) in parts.items():
        own = ranks[name]
        root = size[:own].sqrt()
        up = (left[:, :own] * root).to(torch.bfloat16)
        down = (root[:, None] * right[:own]).to(torch.bfloat16)
        layers[name].weight.data = start[name].to(up.device) + up.float() @ down.float()
        cut[name] = (down, up)
    network.__dict__[_CUT] = cut


def share_out(
    sizes: Mapping[str, NDArray[np.floating]], costs: Mapping[str, int], rank: int
) -> dict[str, int]:
    """How many singular values to keep of each matrix, of those given in falling order.

    At least one of each, and then those with the largest square by what they cost, as long as all
    cost no more than `rank` of each would.

    >>> share_out({"a": np.array([9.0, 5.0, 4.0]), "b": np.array([3.0, 0.2])}, {"a": 2, "b": 2}, 2)
    {'a': 3, 'b': 1}
    """
    left = rank * sum(costs.values()) - sum(costs.values())
    found = [
        (-(float(size) ** 2) / costs[name], place, name)
        for name, own in sizes.items()
        for place, size in enumerate(own)
        if place
    ]
    ranks = dict.fromkeys(sizes, 1)
    for _, place, name in sorted(found):
        if costs[name] > left:
            break
        ranks[name] = place + 1
        left -= costs[name]
    return ranks


def _save_cut(network: PassageEncoder, folder: Path) -> None:
    weights = {}
    for name, (down, up) in network.__dict__[_CUT].items():
        weights[f"{PREFIX}{name}{DOWN}"] = down.contiguous().cpu()
        weights[f"{PREFIX}{name}{UP}"] = up.contiguous().cpu()
    ranks = {name: len(down) for name, (down, _) in network.__dict__[_CUT].items()}
    save_file(weights, folder / ADAPTER, metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": network.config.base["name"],
        "r": 1,
        "lora_alpha": 1,
        "rank_pattern": ranks,
        "alpha_pattern": ranks,
        "lora_dropout": 0.0,
        "target_modules": sorted(network.__dict__[_CUT]),
        "inference_mode": True,
    }
    write_text(folder / "adapter_config.json", [json.dumps(config, indent=2) + "\n"])
    _save_heads(network, folder)


def load(folder: Path) -> tuple[PassageEncoder, Path]:
    """The network with the adapter merged, and the folder of its base.

    Raises `ModelError` if the base is not there or is another one now.
    """
    config = PassageEncoderConfig.from_pretrained(folder)
    base = same_base(folder, config.base)
    own = AutoConfig.from_pretrained(base.folder)
    attention = usable_attention(attention_for(best_device()), own)
    encoder = read_whole(base.folder, attn_implementation=attention)
    _merge(encoder, folder)
    network = PassageEncoder(config, encoder)
    network.heads.load_state_dict(load_file(folder / HEADS))
    return network, base.folder


def _merge(encoder: Any, folder: Path) -> None:  # noqa: ANN401
    """Add to each adapted layer's weights scaling · up · down, as LoRA defines it."""
    config = read_json(folder / "adapter_config.json")
    scaling = config["lora_alpha"] / config["r"]
    weights = load_file(folder / ADAPTER)
    downs = [name for name in weights if name.endswith(DOWN)]
    if 2 * len(downs) != len(weights):
        raise ModelError(f"{folder / ADAPTER} must hold pairs of LoRA weights only; train again")
    for name in downs:
        layer = encoder.get_submodule(name.removeprefix(PREFIX).removesuffix(DOWN))
        up = weights[name.removesuffix(DOWN) + UP].float()
        layer.weight.data += scaling * (up @ weights[name].float())
