"""Losses beside cross-entropy, over the mentions that are coded."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

_GAMMA = 2.0


def _mean_of_coded(losses: Tensor, labels: Tensor) -> Tensor:
    coded = (labels >= 0).to(losses.dtype)
    return (losses * coded).sum() / coded.sum().clamp(min=1)


def focal(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy times (1 - p of gold)^2 (Lin et al., ICCV 2017)."""
    gold = torch.log_softmax(logits, dim=1).gather(1, labels.clamp(min=0)[:, None])[:, 0]
    return _mean_of_coded(-((1 - gold.exp()) ** _GAMMA) * gold, labels)


def ordinal(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy plus the ranked probability score: Σ_k (P(y ≤ k) - [gold ≤ k])²."""
    gold = labels.clamp(min=0)
    below = torch.softmax(logits, dim=1).cumsum(dim=1)[:, :-1]
    places = torch.arange(logits.shape[1] - 1, device=logits.device)
    reached = (gold[:, None] <= places).to(below.dtype)
    ranked = ((below - reached) ** 2).sum(dim=1)
    entropy = functional.cross_entropy(logits, gold, reduction="none")
    return _mean_of_coded(entropy + ranked, labels)


def disagreement(first: Tensor, second: Tensor) -> Tensor:
    """Mean symmetric Kullback-Leibler divergence between two passes over the same mentions."""
    a, b = torch.log_softmax(first, dim=1), torch.log_softmax(second, dim=1)
    there = functional.kl_div(a, b, log_target=True, reduction="batchmean")
    back = functional.kl_div(b, a, log_target=True, reduction="batchmean")
    return (there + back) / 2


LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor] | None] = {
    "cross-entropy": None,
    "focal": focal,
    "ordinal": ordinal,
}
"""By name; None is the package's own, with its class weights and smoothing."""
