"""The network: an encoder, means over a mention and its sentence, one head per variable.

A LoRA adapter trains little beside the frozen weights; it is merged into them or kept apart.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from classifier.errors import ModelError
from classifier.files import write_text
from classifier.models._bases import same_base
from classifier.models._protocol import TrainOptions
from classifier.models.runtime._torch import (
    attention_for,
    best_device,
    quiet_transformers,
    read_whole,
    usable_attention,
)


class PassageEncoderConfig(PretrainedConfig):  # type: ignore[misc]
    """What it takes to build the network again."""

    model_type = "passage-encoder"

    def __init__(
        self,
        encoder: Mapping[str, Any] | None = None,
        heads: Mapping[str, Mapping[str, Any]] | None = None,
        base: Mapping[str, Any] | None = None,
        max_tokens: int = 256,
        **rest: Any,  # noqa: ANN401
    ) -> None:
        """Take the encoder's own config, per variable its kind and labels, and the base's name."""
        self.encoder = dict(encoder or {})
        self.heads = {name: dict(head) for name, head in (heads or {}).items()}
        self.base = dict(base or {})
        self.max_tokens = max_tokens
        super().__init__(**rest)


class PassageEncoder(PreTrainedModel):  # type: ignore[misc]
    """Reads a batch of passages once and judges every mention in them."""

    center: Tensor | None
    spread: Tensor | None
    """What features are standardised by until `fold`."""
    config_class = PassageEncoderConfig
    base_model_prefix = "encoder"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_attention_backend = True

    def __init__(
        self, config: PassageEncoderConfig, encoder: PreTrainedModel | None = None
    ) -> None:
        """Build around a loaded encoder, or around one that is yet to be filled."""
        super().__init__(config)
        if encoder is None:
            own = AutoConfig.for_model(**config.encoder)
            attention = usable_attention(getattr(config, "_attn_implementation", None), own)
            encoder = AutoModel.from_config(own, attn_implementation=attention)
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        self.encoder = encoder
        width = 2 * encoder.config.hidden_size
        self.heads = nn.ModuleDict(
            {name: nn.Linear(width, len(head["labels"])) for name, head in config.heads.items()}
        )
        self.taken_over: set[str] = set()
        """Heads that another network taught before."""
        self.register_buffer("center", None, persistent=False)
        self.register_buffer("spread", None, persistent=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear) and module in self.heads.values():
            nn.init.normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        mention_tokens: Tensor,
        sentence_tokens: Tensor,
        **rest: Tensor,
    ) -> dict[str, Tensor]:
        """Logits per variable, one row per mention; the rows are those of `features`.

        `mention_tokens` and `sentence_tokens` have two rows: the mention's number in the batch,
        and the place of one of its tokens in the flattened batch, token by token.
        """
        places = (mention_tokens, sentence_tokens)
        features = self.features(input_ids, attention_mask, places, **rest)
        with torch.autocast(features.device.type, enabled=False):
            if self.center is not None and self.spread is not None:
                features = (features - self.center) / self.spread
            return {name: head(features) for name, head in self.heads.items()}

    def standardise(self, features: Tensor, log_odds: Mapping[str, Tensor]) -> None:
        """Let the heads learn from standardised features, with unchanged logits.

        The vectors of an encoder lie close together: a plain head learns little from them in a few
        hundred steps. Roles on real news, macro-F1 of a head alone: .23 plain, .39 if standardised
        and begun at the shares of the labels.

        Args:
            features: What the heads read of some mentions, mentions × width.
            log_odds: Logits that a head begins with at the mean of the features; heads that are
                not named keep what they know.
        """
        center, spread = features.mean(dim=0), features.std(dim=0, correction=0)
        spread = spread.clamp(min=float(spread.mean()) / 100 or 1.0)
        self.center, self.spread = center, spread
        with torch.no_grad():
            for name, head in self._linear():
                if name in log_odds:
                    head.bias.copy_(log_odds[name])
                else:
                    head.bias.add_(head.weight @ center)
                    head.weight.mul_(spread)

    def _linear(self) -> list[tuple[str, nn.Linear]]:
        return [(n, head) for n, head in self.heads.items() if isinstance(head, nn.Linear)]

    def fold(self) -> None:
        """Put the standardisation into the heads, which then read plain features."""
        center, spread = self.center, self.spread
        if center is None or spread is None:
            return
        with torch.no_grad():
            for _, head in self._linear():
                head.weight.div_(spread)
                head.bias.sub_(head.weight @ center)
        self.center = self.spread = None

    def folded_heads(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Weight and bias of each head for plain features, with the standardisation in them."""
        heads = {}
        for name, head in self._linear():
            weight, bias = head.weight.detach(), head.bias.detach()
            if self.center is not None and self.spread is not None:
                weight = weight / self.spread
                bias = bias - weight @ self.center
            heads[name] = (weight.numpy(), bias.numpy())
        return heads

    def features(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        places: tuple[Tensor, Tensor],
        **rest: Tensor,
    ) -> Tensor:
        """What the heads read, mentions × twice the encoder's width, in float32.

        The mean over the mention's tokens beside the mean over its sentence's; `places` as
        `forward` takes them.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **rest)[0]
        tokens = hidden.reshape(-1, hidden.shape[-1])
        n_mentions = int(places[0][0, -1]) + 1
        with torch.autocast(hidden.device.type, enabled=False):
            return torch.cat([_means(tokens, rows, n_mentions) for rows in places], dim=1)


def _means(tokens: Tensor, rows: Tensor, n_mentions: int) -> Tensor:
    """Mean over each mention's tokens; mentions × width, in float32."""
    owner, place = rows
    total = torch.zeros(n_mentions, tokens.shape[1], dtype=torch.float32, device=tokens.device)
    total = total.index_add(0, owner, tokens[place].float())
    count = torch.bincount(owner, minlength=n_mentions).clamp(min=1)
    return total / count.unsqueeze(1)


class UsedRows(nn.Module):
    """A token table of which only the rows that a training set uses are trained.

    The others get no gradient anyway. Without them the optimiser holds neither their gradients nor
    their moments, which are most of the memory of a large vocabulary, and does not let them decay.
    """

    rows: nn.Parameter
    """The rows that are used, in the order of their ids."""

    def __init__(self, table: nn.Embedding, used: Iterable[int]) -> None:
        """Take the whole table and the ids of the tokens that occur."""
        super().__init__()
        self._table = table
        self._table.weight.requires_grad_(False)
        ids = torch.tensor(sorted(set(used)), device=table.weight.device)
        # Not a buffer: processes that train together would send it about at every step.
        self._own = (torch.full((table.num_embeddings,), -1, device=ids.device), ids)
        self._own[0][ids] = torch.arange(len(ids), device=ids.device)
        self.rows = nn.Parameter(table.weight.detach()[ids].clone())

    def forward(self, input_ids: Tensor) -> Tensor:
        """The rows of the tokens, tokens in any shape × width."""
        places = self._own[0][input_ids]
        own = functional.embedding(places.clamp(min=0), self.rows)
        others = functional.embedding(input_ids, self._table.weight)
        return torch.where((places >= 0).unsqueeze(-1), own, others)

    def whole(self) -> nn.Embedding:
        """The whole table, with the rows as they are now."""
        with torch.no_grad():
            self._table.weight[self._own[1]] = self.rows.detach()
        return self._table


def train_used_rows(encoder: PreTrainedModel, used: Iterable[int]) -> None:
    """Train of the encoder's token table only what is used, if it is trained at all."""
    table = encoder.get_input_embeddings()
    if type(table) is nn.Embedding and table.weight.requires_grad:
        encoder.set_input_embeddings(UsedRows(table, used))


def train_no_more(encoder: PreTrainedModel) -> None:
    """Give the encoder its whole token table back."""
    table = encoder.get_input_embeddings()
    if isinstance(table, UsedRows):
        whole = table.whole()
        whole.weight.requires_grad_(True)
        encoder.set_input_embeddings(whole)


def plain_weights(encoder: PreTrainedModel) -> dict[str, NDArray[np.float32]]:
    """All weights of an encoder by the names they are saved under; they share its memory."""
    table = encoder.get_input_embeddings()
    if isinstance(table, UsedRows):
        table.whole()
    renamed = {n: n.replace("._table.", ".") for n in encoder.state_dict()}
    return {
        renamed[name]: weight.detach().numpy()
        for name, weight in encoder.state_dict().items()
        if not name.endswith("_embeddings.rows")
    }


def masked_loss(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor | None = None,
    smoothing: float = 0.0,
    among: Tensor | None = None,
) -> Tensor:
    """Mean loss over the coded mentions, 0 if none is coded.

    If `labels` has one place per mention, it is cross-entropy. If it has one column of 0 and 1 per
    label, it is binary cross-entropy: the sum of each label's mean. Each label is a question of
    its own, and rare ones would drown in a mean. A label of -1 is not coded.

    If `labels` are a share of the batch, `among` are those of all of it. Then the shares' losses
    add up to the loss of the batch.
    """
    among = labels if among is None else among
    if labels.ndim == 1:
        losses = functional.cross_entropy(
            logits, labels, weights, ignore_index=-1, reduction="none", label_smoothing=smoothing
        )
        coded = (among >= 0).to(losses.dtype)
        scale = coded if weights is None else weights[among.clamp(min=0)] * coded
        return losses.sum() / scale.sum().clamp(min=1e-6)
    coded = (labels >= 0).to(logits.dtype)
    goals = labels.clamp(min=0).to(logits.dtype) * (1 - smoothing) + smoothing / 2
    losses = functional.binary_cross_entropy_with_logits(
        logits, goals, reduction="none", pos_weight=weights
    )
    n_coded = (among >= 0).sum(dim=0).clamp(min=1)
    return ((losses * coded).sum(dim=0) / n_coded).sum()


_HEADS, _ADAPTER = "heads.safetensors", "adapter_model.safetensors"
_START, _CUT = "matrices_before", "matrices_changed_by"
_PREFIX, _DOWN, _UP = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


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
    weights = load_file(folder / _ADAPTER)
    short = {name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}
    save_file(short, folder / _ADAPTER, metadata={"format": "pt"})
    _save_heads(network, folder)


def _save_heads(network: PassageEncoder, folder: Path) -> None:
    save_file({k: v.contiguous() for k, v in network.heads.state_dict().items()}, folder / _HEADS)
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
        weights[f"{_PREFIX}{name}{_DOWN}"] = down.contiguous().cpu()
        weights[f"{_PREFIX}{name}{_UP}"] = up.contiguous().cpu()
    ranks = {name: len(down) for name, (down, _) in network.__dict__[_CUT].items()}
    save_file(weights, folder / _ADAPTER, metadata={"format": "pt"})
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
    network.heads.load_state_dict(load_file(folder / _HEADS))
    return network, base.folder


def _merge(encoder: Any, folder: Path) -> None:  # noqa: ANN401
    """Add to each adapted layer's weights scaling · up · down, as LoRA defines it."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    scaling = config["lora_alpha"] / config["r"]
    weights = load_file(folder / _ADAPTER)
    downs = [name for name in weights if name.endswith(_DOWN)]
    if 2 * len(downs) != len(weights):
        raise ModelError(f"{folder / _ADAPTER} must hold pairs of LoRA weights only; train again")
    for name in downs:
        layer = encoder.get_submodule(name.removeprefix(_PREFIX).removesuffix(_DOWN))
        up = weights[name.removesuffix(_DOWN) + _UP].float()
        layer.weight.data += scaling * (up @ weights[name].float())
