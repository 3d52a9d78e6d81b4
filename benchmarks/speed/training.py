"""Training throughput: ours, a bare PyTorch loop over the same batches, and the Trainer's defaults.

    python -m benchmarks.speed training --passages 1280 --rounds 3

Passages are random token ids with the lengths of news sentences. The three take turns, so that
whatever else the machine does hits them alike; each round is timed from the end of its first step
to the end of its last. The last line is one JSON object; `ratios` are medians over the rounds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from classifier.codebook import Label, Variable
from classifier.models import TrainOptions
from classifier.models.encoder._batches import LabelledPassages, SimilarLengths, TrainingBatches
from classifier.models.encoder._fit import Fit, fit_network, parameter_groups
from classifier.models.encoder._model import EncoderModel, new_encoder
from classifier.models.encoder._network import masked_loss
from classifier.models.encoder._tokens import Encoded
from classifier.models.runtime._torch import best_device, quiet_transformers, uses_bfloat16

STANCE = Variable("stance", "nominal", "", tuple(Label(name, "") for name in "abc"))
DEFAULT_DROPOUT = 0.1


def make_passages(n: int, vocabulary: int, seed: int) -> LabelledPassages:
    """Passages of 8 to 160 tokens, 40 on average, with one or two mentions each."""
    rng = np.random.default_rng(seed)
    encoded = []
    for length in np.clip(rng.lognormal(3.6, 0.45, n).astype(int), 8, 160):
        starts = rng.integers(1, length - 3, size=rng.integers(1, 3))
        ranges = tuple(((int(s), int(s) + 2), (1, int(length) - 1)) for s in starts)
        encoded.append(Encoded(tuple(rng.integers(5, vocabulary, length).tolist()), ranges))
    labels = rng.integers(0, 3, sum(len(item.ranges) for item in encoded))
    return LabelledPassages(encoded, {STANCE.name: labels})


def time_ours(passages: LabelledPassages, options: TrainOptions) -> float:
    """Passages per second of `fit_network`."""
    model = new_encoder((STANCE,), options)
    clock = _Clock(options.batch_size)
    with TemporaryDirectory() as folder, quiet_transformers():
        fit_network(
            model.network,
            Fit(passages, options, model.frame, lambda: {"eval_quality": 0.0}),
            Path(folder) / "checkpoints",
            progress=lambda done, _total, _note: clock.tick(done),
        )
    return clock.rate()


def time_bare(passages: LabelledPassages, options: TrainOptions) -> float:
    """Passages per second of a loop that does the arithmetic and nothing else."""
    model = new_encoder((STANCE,), options)
    batches = _batches(passages, options, model)
    network = model.network.train()
    optimizer = torch.optim.AdamW(parameter_groups(network, options), fused=True)
    device = best_device()
    low = uses_bfloat16(options.precision, device)
    clock = _Clock(options.batch_size)
    for done, batch in enumerate(batches, 1):
        on_device = {name: tensor.to(device) for name, tensor in batch.items()}
        labels = on_device.pop("labels_stance")
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
            logits = network(**on_device)
        masked_loss(logits["stance"], labels).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.tick(done)
    return clock.rate()


def time_defaults(passages: LabelledPassages, options: TrainOptions) -> float:
    """Passages per second of `transformers.Trainer` as it comes: fp32, plain AdamW, dropout."""
    model = new_encoder((STANCE,), options)
    for module in model.network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = DEFAULT_DROPOUT
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = DEFAULT_DROPOUT
    model.network.encoder.set_attn_implementation("sdpa")
    clock = _Clock(options.batch_size)

    class _Tick(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, _args: object, state: Any, *_: object, **__: object) -> None:  # noqa: ANN401
            clock.tick(state.global_step)

    class _Plain(Trainer):  # type: ignore[misc]
        def compute_loss(self, network: Any, inputs: Any, **_: object) -> torch.Tensor:  # noqa: ANN401
            labels = inputs.pop("labels_stance")
            return masked_loss(network(**inputs)["stance"], labels)

    with TemporaryDirectory() as folder, quiet_transformers():
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=1,
            per_device_train_batch_size=options.batch_size,
            optim="adamw_torch",
            use_cpu=best_device().type == "cpu",
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,
            logging_strategy="no",
        )
        trainer = _Plain(
            model.network,
            arguments,
            train_dataset=passages,
            data_collator=TrainingBatches(model.frame, replace(options, joined=0)),
            callbacks=[_Tick()],
        )
        trainer.train()
    return clock.rate()


class _Clock:
    """Passages per second between the end of the first step and the end of the last."""

    now: Callable[[], float] = staticmethod(time.perf_counter)

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.ends: dict[int, float] = {}

    def tick(self, step: int) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends.setdefault(step, _Clock.now())

    def rate(self) -> float:
        first, last = min(self.ends), max(self.ends)
        return (last - first) * self.batch_size / (self.ends[last] - self.ends[first])


def _batches(
    passages: LabelledPassages, options: TrainOptions, model: EncoderModel
) -> list[dict[str, torch.Tensor]]:
    lengths = [len(item) for item in passages.encoded]
    order = list(SimilarLengths(lengths, options.batch_size, options.seed))
    collate = TrainingBatches(model.frame, options)
    size = options.batch_size
    return [
        collate([passages[i] for i in order[at : at + size]]) for at in range(0, len(order), size)
    ]


def main() -> None:
    """Time the three in turn and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-model", default="")
    parser.add_argument("--passages", type=int, default=1280)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: seconds of processor time, for a machine that is busy with other things",
    )
    given = parser.parse_args()
    _Clock.now = staticmethod({"wall": time.perf_counter, "cpu": time.process_time}[given.clock])
    options = TrainOptions(
        base_model=given.base_model, epochs=1, batch_size=given.batch_size, seed=given.seed
    )
    vocabulary = new_encoder((STANCE,), options).network.encoder.config.vocab_size
    passages = make_passages(given.passages, vocabulary, given.seed)
    contenders = {"ours": time_ours, "bare": time_bare, "defaults": time_defaults}
    rates: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(given.rounds):
        for name, contender in contenders.items():
            rates[name].append(contender(passages, options))
            print(f"round {number + 1}: {name} {rates[name][-1]:.1f} passages/s", flush=True)

    def ratio(other: str) -> float:
        """Median over the rounds of our rate against another's in the same round."""
        return statistics.median(a / b for a, b in zip(rates["ours"], rates[other], strict=True))

    print(
        json.dumps(
            {
                "passages_per_second": {n: statistics.median(r) for n, r in rates.items()},
                "ratios": {
                    "ours_to_bare": ratio("bare"),
                    "ours_to_defaults": ratio("defaults"),
                },
                "device": best_device().type,
                "threads": torch.get_num_threads(),
                "bfloat16": uses_bfloat16(options.precision, best_device()),
                **vars(given),
            }
        )
    )
