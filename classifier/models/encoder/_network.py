"""The network: an encoder, means over a mention and its sentence, one head per variable."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from classifier.models.runtime._torch import usable_attention


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
