"""The training loop: resumable from its last checkpoint, to be cut short at any time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn import functional
from transformers import PreTrainedModel

from classifier.distil.corpus import Corpus
from classifier.distil.options import DistilOptions, Report
from classifier.distil.teacher import Targets, batches_by_length, hidden_states, mean_pooled, padded
from classifier.files import replacing

REPORT_EVERY = 20


@dataclass(frozen=True)
class _Scale:
    """Mean squared length of the teacher's vectors: losses are shares of it."""

    sentence: float
    token: float


class Trainer:
    """A student on its way to its teacher."""

    def __init__(
        self, student: PreTrainedModel, corpus: Corpus, targets: Targets, options: DistilOptions
    ) -> None:
        """Move the student to its device and give it an optimiser."""
        self.student = student.to(options.device)
        self.corpus, self.targets, self.options = corpus, targets, options
        sample = np.asarray(targets.tokens[:20_000], dtype=np.float32)
        self.scale = _Scale(
            float((targets.sentences**2).sum(1).mean()), float((sample**2).sum(1).mean())
        )
        table = student.get_input_embeddings().weight
        body = [p for p in student.parameters() if p is not table and p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [table], "lr": options.lr_embeddings, "peak": options.lr_embeddings},
                {"params": body, "lr": options.lr_body, "peak": options.lr_body},
            ],
            weight_decay=0.0,
            fused=True,
        )
        self.step = 0
        self.steps = self._steps()
        self.is_cut = False

    def _steps(self) -> int:
        """Steps of the whole run; epochs differ by a step or two, the first one counts."""
        return round(self.options.epochs * len(self._epoch(0))) if self.options.epochs else 0

    @property
    def passes(self) -> float:
        """Times through the examples so far."""
        return self.step / max(1, len(self._epoch(0)))

    def _epoch(self, epoch: int) -> list[npt.NDArray[np.int64]]:
        rng = np.random.default_rng([self.options.seed, epoch])
        lengths = self.corpus.student_ids.lengths
        return list(batches_by_length(lengths, self.options.batch_tokens, rng))

    def _batches(self) -> Iterator[npt.NDArray[np.int64]]:
        """Batches from the current step on."""
        done, epoch = 0, 0
        while True:
            batches = self._epoch(epoch)
            yield from batches[max(0, self.step - done) :]
            done += len(batches)
            epoch += 1

    def _rate(self) -> float:
        """Share of the peak learning rate: rises, stays, falls."""
        options = self.options
        rise = (self.step + 1) / max(1, options.warmup_steps)
        fall = (self.steps - self.step) / max(1, options.cooldown_steps)
        return max(0.0, min(1.0, rise, fall))

    def _losses(self, batch: npt.NDArray[np.int64]) -> dict[str, torch.Tensor]:
        corpus, device = self.corpus, self.options.device
        ids, mask = padded(corpus.student_ids.take(batch), device)
        states = hidden_states(self.student, ids, mask)
        pooled = mean_pooled(states, mask)
        rows = corpus.target[batch]
        wanted = torch.from_numpy(self.targets.sentences[rows]).to(device)
        is_english = torch.from_numpy(batch < len(corpus.teacher_ids)).to(device)
        weight = torch.where(is_english, self.options.english_weight, 1.0)
        squared = ((pooled - wanted) ** 2).sum(1) / self.scale.sentence
        similarity = functional.cosine_similarity(pooled, wanted)
        return {
            "sentence": (squared * weight).sum() / weight.sum(),
            "cosine": ((1 - similarity) * weight).sum() / weight.sum(),
            "token": self._token_loss(states, batch, weight),
            "contrastive": self._contrastive(pooled, wanted, rows),
        }

    def _token_loss(
        self, states: torch.Tensor, batch: npt.NDArray[np.int64], weight: torch.Tensor
    ) -> torch.Tensor:
        """Squared distance between linked tokens."""
        links = self.corpus.links.take(batch)
        pairs = links.values.reshape(-1, 2).astype(np.int64)
        row = np.repeat(np.arange(len(batch)), links.lengths // 2)
        place = self.corpus.teacher_ids.bounds[self.corpus.target[batch]][row] + pairs[:, 1]
        wanted = torch.from_numpy(self.targets.tokens[place]).to(states.device).float()
        got = states[torch.from_numpy(row), torch.from_numpy(pairs[:, 0])].float()
        own = weight[torch.from_numpy(row)]
        squared = ((got - wanted) ** 2).sum(1) / self.scale.token
        return (squared * own).sum() / own.sum()

    def _contrastive(
        self, pooled: torch.Tensor, wanted: torch.Tensor, rows: npt.NDArray[np.int64]
    ) -> torch.Tensor:
        """Cross-entropy of picking one's own English sentence among the batch's."""
        if not self.options.contrastive_weight:
            return pooled.new_zeros(())
        scores = functional.normalize(pooled) @ functional.normalize(wanted).T
        same = torch.from_numpy(rows[:, None] == rows[None, :]).to(scores.device)
        same.fill_diagonal_(False)
        scores = (scores / self.options.temperature).masked_fill(same, -1e4)
        return functional.cross_entropy(scores, torch.arange(len(rows), device=scores.device))

    def _one_step(self, batch: npt.NDArray[np.int64]) -> dict[str, float]:
        rate = self._rate()
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * rate
        losses = self._losses(batch)
        total = (
            losses["sentence"]
            + losses["cosine"]
            + self.options.token_weight * losses["token"]
            + self.options.contrastive_weight * losses["contrastive"]
        )
        torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def train(self, checkpoint: Path, report: Report) -> None:
        """Go on from the current step to the last one, with a checkpoint every few minutes."""
        self.student.train()
        saved = started = time.monotonic()
        first = self.step
        means: dict[str, float] = {}
        for batch in self._batches():
            if self.step >= self.steps:
                break
            for name, value in self._one_step(batch).items():
                means[name] = means.get(name, value) * 0.95 + value * 0.05
            now = time.monotonic()
            self._cut(now - started)
            if now - saved > 60 * self.options.checkpoint_minutes:
                self.save(checkpoint)
                saved = now
            if self.step % REPORT_EVERY == 0:
                figures = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
                pace = (now - started) / (self.step - first)
                report(f"step {self.step} of {self.steps}: {figures} ({pace:.2f} s a step)")
        self.save(checkpoint)
        self.student.eval()

    def _cut(self, seconds: float) -> None:
        """Let the learning rate fall from here on, once the time is used up."""
        limit = self.options.max_minutes
        if limit is not None and seconds >= 60 * limit and not self.is_cut:
            self.steps = min(self.steps, self.step + self.options.cooldown_steps)
            self.is_cut = True

    def save(self, path: Path) -> None:
        """Write weights, optimiser state and step; atomically."""
        tensors = {f"model.{k}": v.contiguous() for k, v in self.student.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{number}.{name}"] = value
        cut = str(self.steps) if self.is_cut else ""
        with replacing(path) as draft:
            save_file(tensors, draft, metadata={"step": str(self.step), "cut": cut})

    def resume(self, path: Path) -> None:
        """Take up what `save` wrote."""
        with safe_open(path, framework="pt", device=self.options.device) as stored:
            self.step, cut = int(stored.metadata()["step"]), stored.metadata()["cut"]
            if cut:
                self.steps, self.is_cut = int(cut), True
            weights: dict[str, torch.Tensor] = {}
            moments: dict[int, dict[str, torch.Tensor]] = {}
            for key in stored.keys():  # noqa: SIM118 - safe_open is no mapping
                kind, rest = key.split(".", 1)
                if kind == "model":
                    weights[rest] = stored.get_tensor(key)
                else:
                    number, name = rest.split(".")
                    moments.setdefault(int(number), {})[name] = stored.get_tensor(key)
        self.student.load_state_dict(weights)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
