"""Two peers on the same base: SetFit, and sentence pairs through the plain `Trainer`."""

from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.quality._data import STANCE
from classifier.models import Examples, TrainOptions, find_base
from classifier.models.runtime._torch import best_device, quiet_transformers, uses_bfloat16

Predict = Callable[[Examples], NDArray[np.float64]]
SETFIT_STEPS = 300
"""Contrastive steps of 16 pairs; every training mention then fits the regression."""
_MAX_TOKENS = 192


def _texts(some: Examples) -> tuple[list[str], list[str]]:
    mentions = [(p.text, m) for p in some.passages for m in p.mentions]
    return [m.sentence.of(text) for text, m in mentions], [m.span.of(text) for text, m in mentions]


def fit_setfit(training: Examples, options: TrainOptions) -> Predict:
    """Pairs of mentions of like and unlike stance, then logistic regression.

    A mention is read as SetFit's own aspect models read it: "mention:sentence" (Tunstall et al.,
    2022; setfit's AbsaModel).
    """
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Pooling, Transformer
    from setfit import SetFitModel, Trainer, TrainingArguments

    with TemporaryDirectory() as folder, quiet_transformers():
        folder_of_base = str(find_base(options.base_model).folder)
        kind = {"dtype": torch.float32}
        words = Transformer(folder_of_base, max_seq_length=_MAX_TOKENS, model_kwargs=kind)
        body = SentenceTransformer(
            modules=[words, Pooling(words.get_embedding_dimension(), "mean")],
            device=best_device().type,
        )
        model = SetFitModel.from_pretrained(_saved(body, folder), labels=list(STANCE.names))
        arguments = TrainingArguments(
            output_dir=f"{folder}/out",
            batch_size=16,
            max_steps=SETFIT_STEPS,
            seed=options.seed,
            report_to="none",
            save_strategy="no",
            show_progress_bar=False,
        )
        rows = {"text": _aspects(training), "label": training.labels["stance"].tolist()}
        Trainer(model, arguments, train_dataset=Dataset.from_dict(rows)).train()

    def predict(some: Examples) -> NDArray[np.float64]:
        found = model.predict_proba(_aspects(some), as_numpy=True)
        return np.asarray(found, dtype=np.float64)

    return predict


def _saved(body: Any, folder: str) -> str:  # noqa: ANN401
    body.save(f"{folder}/body")
    return f"{folder}/body"


def _aspects(some: Examples) -> list[str]:
    return [f"{surface}:{text}" for text, surface in zip(*_texts(some), strict=True)]


def fit_pair(training: Examples, options: TrainOptions) -> Predict:
    """Sentence and mention as the two texts of a pair; a classifier on the first token."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(options.seed)
    folder = find_base(options.base_model).folder
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def items(some: Examples, labels: bool) -> list[dict[str, Any]]:
        read = tokenizer(*_texts(some), truncation="only_first", max_length=_MAX_TOKENS)
        rows = [dict(zip(read, values, strict=True)) for values in zip(*read.values(), strict=True)]
        if labels:
            for row, label in zip(rows, some.labels["stance"].tolist(), strict=True):
                row["labels"] = label
        return rows

    with TemporaryDirectory() as out, quiet_transformers():
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=len(STANCE.names), dtype=torch.float32
        )
        arguments = TrainingArguments(
            output_dir=out,
            num_train_epochs=options.epochs,
            per_device_train_batch_size=32,
            learning_rate=5e-5,
            seed=options.seed,
            bf16=uses_bfloat16(options.precision, best_device()),
            use_cpu=best_device().type == "cpu",
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        trainer = Trainer(
            model,
            arguments,
            train_dataset=items(training, labels=True),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        trainer.train()

    def predict(some: Examples) -> NDArray[np.float64]:
        with quiet_transformers():
            logits = torch.tensor(trainer.predict(items(some, labels=False)).predictions)
        return torch.softmax(logits.double(), dim=1).numpy()

    return predict
