"""Training as the package does it, with places where a variant can differ.

Batches, learning rates, precision and the network's frame are the package's own; the loop is plain,
keeps the last epoch instead of choosing one, and writes no checkpoints.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from benchmarks.quality._pooling import PooledNetwork
from classifier.codebook import Variable
from classifier.models import Examples, TrainOptions
from classifier.models.encoder._adapter import finish
from classifier.models.encoder._batches import (
    Frame,
    LabelledPassages,
    SimilarLengths,
    TrainingBatches,
)
from classifier.models.encoder._fit import label_weights, parameter_groups
from classifier.models.encoder._model import EncoderModel, new_encoder
from classifier.models.encoder._network import PassageEncoder, masked_loss
from classifier.models.encoder._tokens import Encoded
from classifier.models.runtime._torch import uses_bfloat16
from classifier.records import Passage

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


Order = Literal["mixed", "in turn"]
MARKERS = ("[", "]")
"""Known tokens put around a mention: new ones would have no trained rows under a frozen base."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train."""

    options: TrainOptions
    variables: tuple[str, ...] = ("stance", "roles")
    corpora: tuple[str, ...] = ("newsmtsc", "rusentne", "sample")
    own_heads: tuple[str, ...] = ()
    """Corpora whose stance is learnt by a head of their own."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """How often an epoch goes through a corpus; once if it is not named."""
    order: Order = "mixed"
    pooling: str = "mention and sentence"
    markers: bool = False
    loss: str = "cross-entropy"
    consistency: float = 0.0
    """Weight of R-drop's divergence between two passes (Liang et al., NeurIPS 2021)."""
    averaging: float = 0.0
    """Decay of the moving average of the weights that is kept; 0 keeps the last weights."""
    alike: bool = False
    """Whether every mention of a batch counts alike in a variable's loss, coded for it or not."""
    swapped: bool = False
    """Whether copies with the countries swapped are learnt from as well."""


class VariantModel(EncoderModel):
    """The package's encoder, pooled and read as a recipe says."""

    def __init__(self, plain: EncoderModel, recipe: Recipe) -> None:
        """Take the encoder of a model that was made ready."""
        self.recipe = recipe
        network = cast(PassageEncoder, PooledNetwork(plain.network, recipe.pooling))
        super().__init__(network, plain.tokenizer, plain.variables, plain.options)

    def _encode(self, passages: Sequence[Passage]) -> list[Encoded]:
        encoded = super()._encode(passages)
        if not self.recipe.markers:
            return encoded
        marks = self.tokenizer.convert_tokens_to_ids(list(MARKERS))
        return [one for passage in encoded for one in marked(passage, marks)]

    def learn(self, parts: Sequence[Examples]) -> list[float]:
        """Train on the parts, one per corpus; returns the mean loss of each epoch."""
        items = [LabelledPassages(self._encode(p.passages), p.labels) for p in parts]
        names = items[0].labels
        whole = LabelledPassages([e for one in items for e in one.encoded], {})
        whole.labels = {n: [rows for one in items for rows in one.labels[n]] for n in names}
        sizes = [len(one) for one in items]
        epochs = list(_epochs(sizes, whole, self.recipe))
        losses = _Loop(self, whole, self.frame).run(epochs)
        finish(self.network, self.options)
        return losses


def new_variant(variables: Sequence[Variable], recipe: Recipe) -> VariantModel:
    """A fresh network."""
    return VariantModel(new_encoder(variables, recipe.options), recipe)


def marked(passage: Encoded, marks: Sequence[int]) -> Iterator[Encoded]:
    """The passage once per mention, with marks around that mention."""
    for (start, end), (first, last) in passage.ranges:
        ids = passage.token_ids
        ids = (*ids[:start], marks[0], *ids[start:end], marks[1], *ids[end:])
        yield Encoded(ids, (((start + 1, end + 1), (first, last + 2)),))


def _epochs(
    sizes: Sequence[int], whole: LabelledPassages, recipe: Recipe
) -> Iterator[list[list[int]]]:
    """Batches of indices, epoch by epoch; in turn, one corpus goes through all its epochs first."""
    edges = np.cumsum([0, *sizes])
    groups = [np.arange(low, high) for low, high in pairwise(edges)]
    every = np.repeat([recipe.weights.get(name, 1.0) for name in recipe.corpora], sizes)
    stages = groups if recipe.order == "in turn" else [np.concatenate(groups)]
    size = recipe.options.batch_size
    for members in stages:
        lengths = [len(whole.encoded[i]) for i in members]
        weights = every[members].tolist()
        sampler = SimilarLengths(lengths, size, recipe.options.seed, weights)
        for epoch in range(recipe.options.epochs):
            sampler.set_epoch(epoch)
            order = members[list(sampler)].tolist()
            yield [order[at : at + size] for at in range(0, len(order), size)]


class _Loop:
    """Gradient steps over given batches."""

    def __init__(self, model: VariantModel, items: LabelledPassages, frame: Frame) -> None:
        self.model, self.items, self.recipe = model, items, model.recipe
        self.options = model.recipe.options
        self.collate = TrainingBatches(frame, self.options)
        sizes = {variable.name: len(variable.names) for variable in model.variables}
        self.weights = label_weights(items.labels, self.options, sizes)
        self.average: dict[str, Tensor] = {}

    def run(self, epochs: Sequence[Sequence[Sequence[int]]]) -> list[float]:
        """Mean loss of each epoch."""
        network = self.model.network
        groups = parameter_groups(network, self.options)
        optimizer = torch.optim.AdamW(groups, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate(sum(map(len, epochs))))
        network.train()
        means = []
        for batches in epochs:
            losses = []
            for batch in batches:
                loss = self._loss(self.collate([self.items[i] for i in batch]))
                loss.backward()
                clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                self._remember(network)
                losses.append(float(loss.detach()))
            means.append(float(np.mean(losses)))
        if self.average:
            network.load_state_dict(self.average, strict=False)
        network.eval()
        return means

    def _rate(self, steps: int) -> Callable[[int], float]:
        """Rise over the warm-up, then fall to nothing, in straight lines."""
        warm = max(1, round(self.options.warmup * steps))
        return lambda step: min((step + 1) / warm, (steps - step) / max(1, steps - warm))

    def _remember(self, network: nn.Module) -> None:
        if not self.recipe.averaging:
            return
        trained = {n: p for n, p in network.named_parameters() if p.requires_grad}
        for name, parameter in trained.items():
            kept = self.average.setdefault(name, parameter.detach().clone())
            kept.lerp_(parameter.detach(), 1 - self.recipe.averaging)

    def _loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        on_device = {name: tensor.to(self.model.device) for name, tensor in batch.items()}
        labels = {n.removeprefix("labels_"): on_device.pop(n) for n in batch if n[:7] == "labels_"}
        logits = self._logits(on_device)
        loss = self._supervised(logits, labels)
        if self.recipe.consistency:
            again = self._logits(on_device)
            loss = (loss + self._supervised(again, labels)) / 2
            apart = [disagreement(logits[n], again[n]) for n in labels if labels[n].ndim == 1]
            loss = loss + self.recipe.consistency * torch.stack(apart).sum()
        return loss

    def _logits(self, features: Mapping[str, Tensor]) -> dict[str, Tensor]:
        device = self.model.device
        low = uses_bfloat16(self.options.precision, device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            logits: dict[str, Tensor] = self.model.network(**features)
        return logits

    def _supervised(self, logits: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
        own = LOSSES[self.recipe.loss]
        smoothing = self.options.label_smoothing
        losses = []
        for name, rows in logits.items():
            weights = self.weights.get(name)
            if own is None or labels[name].ndim > 1:
                loss = masked_loss(rows, labels[name], weights, smoothing)
            else:
                loss = own(rows, labels[name])
            share = (labels[name] >= 0).float().mean() if self.recipe.alike else 1.0
            losses.append(loss * share)
        return torch.stack(losses).sum()
