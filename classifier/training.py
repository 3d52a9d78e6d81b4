"""Fit one model: annotation set in, run folder out."""

import hashlib
import json
import platform
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations import AnnotationSet, adjudicate, read_annotations
from classifier.calibration import Calibration, fit_calibration
from classifier.codebook import Codebook, Variable
from classifier.dataset import (
    CALIBRATION,
    DEVELOPMENT,
    TRAIN,
    Shares,
    Split,
    build_examples,
    check_labels,
    split_articles,
)
from classifier.errors import ModelError
from classifier.files import write_text
from classifier.models.base import Model, Progress
from classifier.models.bases import find_base
from classifier.models.folder import (
    check_place,
    new_model,
    read_record,
    read_split,
    replacing_folder,
    write_run,
)
from classifier.models.options import TrainOptions
from classifier.models.quality import macro_f1
from classifier.passages import Examples, Limits

__all__ = ["Run", "TrainOptions", "read_run_summary", "train"]

_RULES = "rules"
_VERSIONED = ("numpy", "scikit-learn", "skops", "torch", "transformers", "tokenizers", "peft")


@dataclass(frozen=True)
class Run:
    """A trained model on disk."""

    path: Path
    record: Mapping[str, Any]
    """What training.json says."""
    split: Mapping[str, list[str]]
    """Part -> article ids, so that nobody evaluates on what was trained on."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Macro-F1 per variable on the calibration articles, which nothing was chosen by."""
        metrics: Mapping[str, Any] = self.record["metrics"]
        return metrics

    def to_frame(self) -> pd.DataFrame:
        """One row per part: articles, mentions with a gold label."""
        return pd.DataFrame([{"part": part, **n} for part, n in self.record["parts"].items()])

    def _repr_html_(self) -> str:
        table: str = self.to_frame().to_html(index=False, border=0)
        return table


def train(
    data: Path | str | AnnotationSet,
    options: TrainOptions | None = None,
    out: Path | str = Path("runs/run"),
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train on an annotation set and write a run folder, which replaces an older run there.

    An interrupted training leaves its checkpoints beside `out`; `resume` goes on from them.

    Raises:
        DataError: too few articles for the split, a variable without labels or with only one.
        ModelError: the base model is not there, `out` is no place for a run, or `resume` is asked
            with other options or data than those of the interrupted training.
    """
    options = options or TrainOptions()
    out = Path(out)
    check_place(out)
    annotation_set = data if isinstance(data, AnnotationSet) else read_annotations(Path(data))
    started = time.monotonic()
    work = _prepare(annotation_set, options)
    checkpoints = _checkpoints(out, _data_sha256(annotation_set), options, resume=resume)
    history = work.model.fit(
        work.examples[TRAIN], work.examples[DEVELOPMENT], progress=progress, checkpoints=checkpoints
    )
    calibration = _calibrate(work)
    record = {
        **_record(work, annotation_set, options),
        "history": dict(history),
        "metrics": _metrics(work, calibration),
        "seconds": round(time.monotonic() - started, 1),
    }
    split = {part: list(ids) for part, ids in work.split.parts.items()}
    with replacing_folder(out, checkpoints.parent / "run") as draft:
        write_run(draft, work.model, annotation_set.codebook, calibration, record, split)
    shutil.rmtree(checkpoints.parent)
    return read_run_summary(out)


def read_run_summary(folder: Path | str) -> Run:
    """What a run folder says about itself, without loading the model."""
    folder = Path(folder)
    return Run(folder, read_record(folder), read_split(folder))


@dataclass(frozen=True)
class _Work:
    """Everything a training needs, checked."""

    model: Model
    variables: tuple[Variable, ...]
    split: Split
    examples: Mapping[str, Examples]


def _prepare(annotation_set: AnnotationSet, options: TrainOptions) -> _Work:
    variables = _variables(annotation_set.codebook, options)
    gold = adjudicate(annotation_set, options.adjudication)
    shares = Shares(options.development, options.calibration, options.test)
    split = split_articles(annotation_set.articles, options.split_by, shares, seed=options.seed)
    model = new_model(variables, options)
    limits = Limits(model.text_limit, options.context)
    by_id = annotation_set.article_by_id
    examples = {
        part: build_examples(
            [by_id[i] for i in split.parts.get(part, ())],
            gold,
            variables,
            model.token_starts,
            limits,
        )
        for part in (TRAIN, DEVELOPMENT, CALIBRATION)
    }
    check_labels(examples[TRAIN].labels, variables)
    return _Work(model, variables, split, examples)


def _variables(codebook: Codebook, options: TrainOptions) -> tuple[Variable, ...]:
    """The variables asked for, or all that are not found by rules."""
    if options.variables:
        return tuple(codebook.variable(name) for name in options.variables)
    by_rules = {
        v.name for v in codebook.variables if any(_RULES in x.counterparts for x in v.labels)
    }
    variables = tuple(v for v in codebook.variables if v.name not in by_rules)
    if not variables:
        raise ModelError("the codebook has only variables found by rules; nothing is to be trained")
    return variables


def _checkpoints(out: Path, data_sha256: str, options: TrainOptions, *, resume: bool) -> Path:
    """The folder of the trainer's checkpoints: emptied, or kept to go on from."""
    place = out.with_name(f".{out.name}.training")
    wish = json.dumps({"options": options.to_dict(), "data": data_sha256}, sort_keys=True)
    started = place / "started.json"
    if resume and started.is_file() and started.read_text(encoding="utf-8") != wish:
        raise ModelError(
            f"resuming needs the options and data that the training in {out} was started with; "
            "they differ: use the same, or start anew without resuming"
        )
    if not resume or not started.is_file():
        shutil.rmtree(place, ignore_errors=True)
        write_text(started, [wish])
    return place / "checkpoints"


def _calibrate(work: _Work) -> Calibration:
    examples = work.examples[CALIBRATION]
    probabilities = work.model.predict(examples.passages)
    return fit_calibration(probabilities, examples.labels, work.variables, _languages(examples))


def _languages(examples: Examples) -> list[str]:
    """The language of each mention."""
    return [passage.language for passage in examples.passages for _ in passage.mentions]


def _metrics(work: _Work, calibration: Calibration) -> dict[str, Any]:
    examples = work.examples[CALIBRATION]
    raw = work.model.predict(examples.passages)
    rows = calibration.apply(raw, work.variables, _languages(examples))
    return {
        v.name: {
            "macro_f1": macro_f1(rows[v.name], examples.labels[v.name]),
            "n_mentions": examples.n_mentions,
            "articles": CALIBRATION,
        }
        for v in work.variables
    }


def _record(work: _Work, annotation_set: AnnotationSet, options: TrainOptions) -> dict[str, Any]:
    codebook = annotation_set.codebook
    is_encoder = options.model == "encoder"
    base = find_base(options.base_model) if is_encoder else None
    return {
        "variables": [v.name for v in work.variables],
        "codebook": {"name": codebook.name, "version": codebook.version},
        "options": {**options.to_dict(), "base_model": base.name if base else ""},
        "seed": options.seed,
        "base_languages": list(base.languages) if base else [],
        "training_languages": dict(Counter(_languages(work.examples[TRAIN])).most_common()),
        "data": {
            "articles": len(annotation_set.articles),
            "annotations": len(annotation_set.table),
            "sha256": _data_sha256(annotation_set),
        },
        "context": _context(work.examples[TRAIN], options),
        "parts": _parts(work),
        "left_out": dict(Counter(problem.reason for problem in work.split.problems)),
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _context(examples: Examples, options: TrainOptions) -> int:
    """The sentences to read beside a mention's own: none if training mostly had none.

    A model fitted on single sentences of NewsMTSC fell from a macro-F1 of .78 to .64 when it was
    given neighbours to read along.
    """
    texts = [(passage.text, m) for passage in examples.passages for m in passage.mentions]
    alone = sum(m.sentence.of(text).strip() == text.strip() for text, m in texts)
    return 0 if 2 * alone > len(texts) else options.context


def _parts(work: _Work) -> dict[str, dict[str, int | None]]:
    return {
        part: {
            "articles": len(ids),
            "mentions": work.examples[part].n_mentions if part in work.examples else None,
        }
        for part, ids in work.split.parts.items()
    }


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in _VERSIONED}


def _data_sha256(annotation_set: AnnotationSet) -> str:
    """Hash of the texts and of everything that was coded."""
    digest = hashlib.sha256()
    for article in annotation_set.articles:
        digest.update(f"{article.article_id}\n{article.sha256}\n".encode())
    variables = [v.name for v in annotation_set.codebook.variables]
    for row in annotation_set.table[["unit", "annotator", *variables]].itertuples(index=False):
        plain = [sorted(value) if isinstance(value, frozenset) else value for value in row]
        digest.update(json.dumps(plain, default=str).encode())
    return digest.hexdigest()
