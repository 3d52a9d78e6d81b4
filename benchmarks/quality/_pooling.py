"""Ways to make one vector of a mention in its sentence."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from classifier.models.encoder._network import PassageEncoder, _means

Pool = Callable[[Tensor, Tensor, Tensor], list[Tensor]]
"""Tokens × width, rows of mention tokens, rows of sentence tokens: vectors to lay side by side."""


def _n(rows: Tensor) -> int:
    return int(rows[0, -1]) + 1


def _mean(tokens: Tensor, rows: Tensor) -> Tensor:
    return _means(tokens, rows, _n(rows))


def _ends(tokens: Tensor, rows: Tensor) -> list[Tensor]:
    """First and last token of each mention; the rows lie mention by mention."""
    owner, place = rows
    last = torch.cumsum(torch.bincount(owner), 0) - 1
    first = torch.cat([last.new_zeros(1), last[:-1] + 1])
    return [tokens[place[first]].float(), tokens[place[last]].float()]


def _largest(tokens: Tensor, rows: Tensor) -> Tensor:
    owner, place = rows
    low = tokens.new_full((_n(rows), tokens.shape[1]), -1e4, dtype=torch.float32)
    index = owner[:, None].expand(-1, tokens.shape[1])
    return low.scatter_reduce(0, index, tokens[place].float(), "amax")


class _Attention(nn.Module):
    """The mention's mean asks, the tokens of its sentence answer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width, bias=False)
        nn.init.eye_(self.query.weight)

    def forward(self, tokens: Tensor, mention: Tensor, sentence: Tensor) -> list[Tensor]:
        own = _mean(tokens, mention)
        owner, place = sentence
        around = tokens[place].float()
        scores = (self.query(own)[owner] * around).sum(1) / around.shape[1]
        weights = torch.exp(scores - scores.max().detach())
        total = torch.zeros(len(own), device=own.device).index_add(0, owner, weights)
        weighed = torch.zeros_like(own).index_add(0, owner, around * weights[:, None])
        return [own, weighed / total[:, None]]


POOLS: Mapping[str, tuple[int, Pool | None]] = {
    "mention and sentence": (2, lambda t, m, s: [_mean(t, m), _mean(t, s)]),
    "mention": (1, lambda t, m, _: [_mean(t, m)]),
    "sentence": (1, lambda t, _, s: [_mean(t, s)]),
    "first and last": (3, lambda t, m, s: [*_ends(t, m), _mean(t, s)]),
    "largest": (2, lambda t, m, s: [_mean(t, m), _largest(t, s)]),
    "attention": (2, None),
}
"""Number of vectors, and how they are made."""


class PooledNetwork(nn.Module):
    """The package's network with another pooling."""

    def __init__(self, plain: PassageEncoder, pooling: str) -> None:
        """Take over encoder and config; the heads are made anew, as wide as the pooling is."""
        super().__init__()
        n_vectors, pool = POOLS[pooling]
        self.config, self.encoder = plain.config, plain.encoder
        width = self.encoder.config.hidden_size
        self.heads = plain.heads
        if n_vectors != 2:
            sizes = {name: len(head["labels"]) for name, head in self.config.heads.items()}
            heads = {name: nn.Linear(n_vectors * width, size) for name, size in sizes.items()}
            for head in heads.values():
                nn.init.normal_(head.weight, std=0.02)
                nn.init.zeros_(head.bias)
            self.heads = nn.ModuleDict(heads)
        self.pool = pool or _Attention(width)
        # What the package remembers about the network that it made.
        self.__dict__.update({k: v for k, v in plain.__dict__.items() if k not in self.__dict__})

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, mention_tokens: Tensor, **rest: Tensor
    ) -> dict[str, Tensor]:
        """Logits per variable, one row per mention."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        tokens = hidden.reshape(-1, hidden.shape[-1])
        with torch.autocast(hidden.device.type, enabled=False):
            vectors = self.pool(tokens, mention_tokens, rest["sentence_tokens"])
            features = torch.cat(vectors, dim=1)
            return {name: head(features) for name, head in self.heads.items()}
