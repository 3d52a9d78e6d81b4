"""Training the network through the Trainer of transformers."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME, TRAINER_STATE_NAME

from classifier.errors import ModelError, in_words
from classifier.files import read_json
from classifier.models._processes import broadcast, is_first, n_processes, rank
from classifier.models._protocol import Progress, TrainOptions
from classifier.models.encoder._batches import (
    Frame,
    Item,
    LabelledPassages,
    Share,
    SimilarLengths,
    TrainingBatches,
)
from classifier.models.encoder._network import PassageEncoder, masked_loss
from classifier.models.runtime._torch import best_device, uses_bfloat16

_PREFIX = "checkpoint-"


def last_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint; those that a kill left in parts are deleted."""
    places = [place for place in folder.glob(f"{_PREFIX}*") if _steps(place) is not None]
    whole = [place for place in places if _is_whole(place)]
    for place in set(places) - set(whole):
        shutil.rmtree(place)
    return max(whole, key=lambda place: _steps(place) or 0, default=None)


def epochs_if_stopped(checkpoint: Path) -> int | None:
    """The epochs trained if training had stopped there for lack of progress, else None.

    The trainer forgets on resuming that it had stopped, and would train another epoch.
    """
    state = _state(checkpoint)
    control = state.get("stateful_callbacks", {}).get("TrainerControl", {}).get("args", {})
    return round(state["epoch"]) if control.get("should_training_stop") else None


def _steps(place: Path) -> int | None:
    number = place.name.removeprefix(_PREFIX)
    return int(number) if number.isdigit() else None


def _is_whole(place: Path) -> bool:
    """Whether nothing is missing: the trainer writes its state last, and deletes in any order."""
    patterns = ("*.safetensors", "rng_state*", OPTIMIZER_NAME, SCHEDULER_NAME)
    try:
        return bool(_state(place)) and all(any(place.glob(pattern)) for pattern in patterns)
    except (OSError, ValueError):
        return False


def _state(place: Path) -> dict[str, Any]:
    state: dict[str, Any] = read_json(place / TRAINER_STATE_NAME)
    return state


Judge = Callable[[], Mapping[str, float]]
"""Called on the network in evaluation mode; returns metrics with `eval_quality` among them."""
QUALITY = "eval_quality"


class PassageTrainer(Trainer):  # type: ignore[misc]
    """A trainer that knows our losses, our batches, our learning rates and our judge."""

    def __init__(
        self,
        network: PassageEncoder,
        passages: LabelledPassages,
        options: TrainOptions,
        batches: TrainingBatches,
        judge: Judge,
        **rest: Any,  # noqa: ANN401
    ) -> None:
        """Take what the library's trainer takes, and ours."""
        self.options = options
        self.judge = judge
        sizes = {name: len(head["labels"]) for name, head in network.config.heads.items()}
        self.weights = label_weights(passages.labels, options, sizes)

        # The library asks for an eval_dataset, although `evaluate` here asks the judge instead.
        data = {"train_dataset": passages, "eval_dataset": passages}
        super().__init__(network, data_collator=batches, **data, **rest)

    def get_train_dataloader(self) -> DataLoader[Item]:
        """The same batches in every process: `TrainingBatches` shares each of them out."""
        lengths = [len(encoded) for encoded in self.train_dataset.encoded]
        size = self.options.batch_size
        return _Loader(
            self.train_dataset,
            size,
            sampler=SimilarLengths(lengths, size, self.options.seed, self.train_dataset.weights),
            collate_fn=self.data_collator,
            pin_memory=self.args.device.type == "cuda",
        )

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: object = None,
    ) -> Any:  # noqa: ANN401
        """Sum of the variables' masked losses."""
        own = inputs.pop("own_mentions", None)
        features = {k: v for k, v in inputs.items() if not k.startswith("labels_")}
        logits = model(**features)
        losses = []
        for name, rows in logits.items():
            weights = self.weights.get(name)
            weights = None if weights is None else weights.to(rows.device)
            smoothing = self.options.label_smoothing
            among = inputs[f"labels_{name}"]
            labels = among if own is None else _own_labels(among, own, len(rows))
            losses.append(masked_loss(rows, labels, weights, smoothing, among))

        # Gradients are averaged over the processes, but the losses of their shares are to be added.
        loss = torch.stack(losses).sum() * n_processes()
        return (loss, logits) if return_outputs else loss

    def create_optimizer(self, model: object = None) -> torch.optim.Optimizer:
        """Fused AdamW, heads faster than the encoder, lower layers slower than upper ones."""
        groups = parameter_groups(self.model, self.options)
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(groups, fused=True)
        return self.optimizer

    def _save_checkpoint(self, model: object, trial: object) -> None:
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, SafetensorError) as error:
            raise ModelError(
                f"{self.args.output_dir}: the checkpoint could not be written ({in_words(error)}); "
                "make room and run it again with --resume"
            ) from error

    def evaluate(self, *_: object, **__: object) -> dict[str, float]:
        """Ask the judge, in the first process only, and tell the callbacks what it said."""
        self.model.eval()
        metrics = broadcast(dict(self.judge()) if is_first() else {})
        self.model.train()
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics


class _Loader(DataLoader[Item]):
    """Lets the trainer choose the epoch's order."""

    def set_epoch(self, epoch: int) -> None:
        self.sampler.set_epoch(epoch)  # type: ignore[attr-defined]


def _own_labels(among: Tensor, own: Tensor, n_mentions: int) -> Tensor:
    """The labels of a share of the batch; none is coded if only another's passage was read."""
    start, end = own.tolist()
    if start < end:
        return among[start:end]
    return among.new_full((n_mentions, *among.shape[1:]), -1)


def label_weights(
    labels: Mapping[str, Sequence[NDArray[np.int64]]],
    options: TrainOptions,
    sizes: Mapping[str, int],
) -> dict[str, Tensor]:
    """Weights against imbalance, per label: n / (k·n_label); for a set, √(no / yes), at most 10.

    `sizes` says how many labels each variable has, of which some may not occur.
    """
    if options.class_weights == "none":
        return {}
    weights = {}
    for name, parts in labels.items():
        rows = np.concatenate(list(parts))
        if rows.ndim == 1:
            counts = np.bincount(rows[rows >= 0], minlength=sizes[name]).clip(min=1)
            values = counts.sum() / (len(counts) * counts)
        else:
            yes = (rows == 1).sum(axis=0).clip(min=1)
            values = np.sqrt((rows == 0).sum(axis=0) / yes).clip(0.1, 10)
        weights[name] = torch.tensor(values, dtype=torch.float32)
    return weights


def log_odds(
    labels: Mapping[str, Sequence[NDArray[np.int64]]],
    options: TrainOptions,
    sizes: Mapping[str, int],
) -> dict[str, Tensor]:
    """Logits that give each label its share of the coded mentions, with one more of each.

    A head that begins there need not first learn that a label is rare (Lin et al., ICCV 2017).
    With weights against imbalance all labels begin alike.
    """
    if options.class_weights != "none":
        return {name: torch.zeros(sizes[name]) for name in labels}
    found = {}
    for name, parts in labels.items():
        rows = np.concatenate(list(parts))
        if rows.ndim == 1:
            values = np.log(np.bincount(rows[rows >= 0], minlength=sizes[name]) + 1.0)
            values -= values.mean()
        else:
            values = np.log(((rows == 1).sum(axis=0) + 1.0) / ((rows == 0).sum(axis=0) + 1.0))
        found[name] = torch.tensor(values, dtype=torch.float32)
    return found


def parameter_groups(network: PassageEncoder, options: TrainOptions) -> list[dict[str, Any]]:
    """Groups by depth and by whether weights decay: matrices do, biases and norms do not."""
    depth = int(getattr(network.encoder.config, "num_hidden_layers", 12))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decay = options.weight_decay if parameter.ndim > 1 else 0.0
            groups.setdefault((_rate(name, depth, options), decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def _rate(name: str, depth: int, options: TrainOptions) -> float:
    if name.startswith("heads."):
        return options.head_learning_rate
    numbers = [int(part) for part in name.split(".") if part.isdigit()]
    layer = numbers[0] + 1 if numbers else (0 if "embed" in name.lower() else depth)
    return options.learning_rate * options.layer_decay ** (depth - min(layer, depth))


class _Report(TrainerCallback):  # type: ignore[misc]
    """Passes the steps on to whoever shows them."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.note = "training"

    def on_step_end(
        self, args: object, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        self.progress(state.global_step, state.max_steps, self.note)

    def on_evaluate(
        self,
        args: object,
        state: TrainerState,
        control: TrainerControl,
        metrics: Mapping[str, float],
        **_: object,
    ) -> None:
        self.note = f"training, macro-F1 {metrics[QUALITY]:.3f} on development"
        self.progress(state.global_step, state.max_steps, self.note)


@dataclass(frozen=True)
class Fit:
    """What a training learns from, how, and who says how good it is."""

    passages: LabelledPassages
    options: TrainOptions
    frame: Frame
    judge: Judge


def fit_network(
    network: PassageEncoder, fit: Fit, checkpoints: Path, *, progress: Progress | None = None
) -> dict[str, object]:
    """Train, keep the epoch that the judge likes best, and say how each epoch went.

    An interrupted training goes on from what it left in the folder of checkpoints.
    """
    options = fit.options
    callbacks: list[TrainerCallback] = [EarlyStoppingCallback(options.patience)]
    if progress is not None:
        callbacks.append(_Report(progress))
    arguments = _arguments(options, checkpoints)
    last = broadcast(last_checkpoint(checkpoints) if is_first() else None)
    stopped = epochs_if_stopped(last) if last else None
    if stopped is not None:
        arguments.num_train_epochs = stopped
    trainer = PassageTrainer(
        network,
        fit.passages,
        options,
        TrainingBatches(fit.frame, options, Share(rank(), n_processes())),
        fit.judge,
        args=arguments,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    epochs = [entry for entry in trainer.state.log_history if QUALITY in entry]
    return {
        "epochs": [{k.removeprefix("eval_"): v for k, v in e.items()} for e in epochs],
        "best_quality": trainer.state.best_metric,
        "steps": trainer.state.global_step,
        "batch_size": options.batch_size,
    }


def _arguments(options: TrainOptions, folder: Path) -> TrainingArguments:
    device = best_device()
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=options.epochs,
        per_device_train_batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        warmup_steps=options.warmup,
        lr_scheduler_type="linear",
        seed=options.seed,
        bf16=uses_bfloat16(options.precision, device),
        use_cpu=device.type == "cpu",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model=QUALITY,
        greater_is_better=True,
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,
        label_names=[],
    )
    # Several devices in one process would part the batch; `accelerate launch` parts the data.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments
