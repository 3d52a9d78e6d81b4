"""Fit one model: annotation set in, examples made of it, run folder out."""

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError

from classifier.annotations import adjudicate, flagged
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError, ModelError, in_words
from classifier.files import prepare_folder, refuse_to_replace, write_text
from classifier.models import (
    START_SPLIT,
    Examples,
    Labels,
    Limits,
    Probabilities,
    Progress,
    Start,
    TokenStarts,
    Trainable,
    TrainOptions,
    broadcast,
    check_place,
    close_process_group,
    cut_passages,
    find_start,
    fit_calibration,
    is_first,
    macro_f1,
    n_processes,
    new_model,
    read_record,
    read_split,
    replacing_folder,
    take_own_device,
    write_run,
)
from classifier.predictions import Thresholds, fit_thresholds
from classifier.records import Article, Span
from classifier.training._record import Run, data_sha256, describe_run, languages_of
from classifier.training._splits import (
    CALIBRATION,
    DEVELOPMENT,
    TRAIN,
    Corpora,
    Data,
    Shares,
    Split,
    read_corpora,
)


def build_examples(
    articles: Iterable[Article],
    gold: pd.DataFrame,
    variables: Sequence[Variable],
    token_starts: TokenStarts,
    limits: Limits | None = None,
) -> Examples:
    """Cut passages around the gold mentions of these articles and set their labels beside them.

    `gold` has a row per unit, as `annotations.adjudicate` returns it. Left out: spans that are
    no mention after all, and units for which none of the variables has a gold label.
    """
    usable = gold[~flagged(gold)]
    columns = {v.name: _label_column(v, gold) for v in variables}
    coded = usable[list(columns.values())].apply(lambda labels: labels.map(_is_coded))
    usable = usable[coded.any(axis=1)]
    by_article = dict(tuple(usable.groupby("article_id", sort=False)))
    cut = partial(cut_passages, token_starts=token_starts, limits=limits)
    passages = [
        passage
        for article in articles
        if article.article_id in by_article
        for passage in cut(
            article,
            {
                row.unit: Span(int(row.start), int(row.end))
                for row in by_article[article.article_id].itertuples(index=False)
            },
        )
    ]
    units = [mention.unit for passage in passages for mention in passage.mentions]
    in_order = usable.set_index("unit").loc[units]
    labels = {v.name: label_array(v, in_order[columns[v.name]]) for v in variables}
    return Examples(tuple(passages), labels)


def _label_column(variable: Variable, gold: pd.DataFrame) -> str:
    """Where gold tells most: of a set, the labels that were settled one by one."""
    settled = f"settled_{variable.name}"
    return settled if settled in gold.columns else variable.name


def _is_coded(label: object) -> bool:
    return isinstance(label, str | frozenset | set | list | tuple | Mapping)


def label_array(variable: Variable, labels: Iterable[Any]) -> NDArray[np.int64]:
    """Labels as places in codebook order, -1 if not coded; a set as a row of 0 and 1.

    A set may be given as its names, or as whether each label applies, without those left open.

    Raises `CodebookError` for a label that the variable does not have.
    """
    values = list(labels)
    if variable.kind != "set":
        places = [variable.index(v) if _is_coded(v) else -1 for v in values]
        return np.array(places, dtype=np.int64)
    rows = np.full((len(values), len(variable.names)), -1, dtype=np.int64)
    for row, value in zip(rows, values, strict=True):
        if isinstance(value, Mapping):
            for name, applies in value.items():
                row[variable.index(name)] = applies
        elif _is_coded(value):
            row[:] = 0
            row[[variable.index(name) for name in value]] = 1
    return rows


def check_labels(labels: Mapping[str, NDArray[np.int64]], variables: Sequence[Variable]) -> None:
    """Raise `DataError` unless each variable shows at least two different answers."""
    for variable in variables:
        rows: NDArray[np.int64] = labels[variable.name]
        coded = rows[(rows if rows.ndim == 1 else rows.max(axis=1)) >= 0]
        if not len(coded):
            raise DataError(
                f"variable {variable.name!r} has no labels in the training articles; "
                "code it, or name the others to learn: --variable NAME (variables= in Python)"
            )
        if len(np.unique(coded, axis=0)) < 2:
            raise DataError(
                f"variable {variable.name!r} has one and the same label on all {len(coded)} "
                "training mentions; a model needs at least two different ones"
            )


_RULES = "rules"
Adjust = Callable[[Trainable, Split], None]
"""Changes a fitted model before it is calibrated; told which articles are for what."""


def fit_model(  # noqa: PLR0913 - one for each choice of a user
    data: Data,
    options: TrainOptions | None = None,
    out: Path | str = Path("runs/run"),
    *,
    resume: bool = False,
    force: bool = False,
    adjust: Adjust | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train on an annotation set and write a run folder.

    Of several sets the first one's codebook is learnt, and each set teaches what it codes. Where
    one should be read more or less often, give it as a `Corpus` with a weight.

    `adjust` may change the fitted model before it is calibrated and saved.

    An interrupted training leaves its checkpoints beside `out`; `resume` goes on from them, and
    `force` replaces them, or a finished run. Started by torchrun or `accelerate launch`, the
    processes share every batch out; the first one writes.

    Raises:
        DataError: too few articles for the split, a variable without labels or with only one.
        ModelError: the base model is not there, `out` is no place for a run, or `resume` is asked
            with other options or data than those of the interrupted training.
        ReplaceError: a run or an interrupted training is there, and `force` is not set.
    """
    options = options or TrainOptions()
    out = Path(out)
    check_place(out)
    if not (resume and _note(out).is_file()):
        refuse_to_replace(out, force=force)
    _prepare_distributed(options)
    started = time.monotonic()
    work = _prepare(read_corpora(data), options)
    checkpoints = _checkpoints(out, work, options, resume=resume, force=force)
    history = work.model.fit(
        work.examples[TRAIN], work.examples[DEVELOPMENT], progress=progress, checkpoints=checkpoints
    )
    if adjust is not None:
        adjust(work.model, work.split)
    described = describe_run(work.corpora, work.variables, work.split, work.examples, options)
    started_from = work.start.told(work.variables) if work.start else None
    record = {**described, "start": started_from, "history": dict(history)}
    run = Run(out, {}, {})
    if is_first():
        run = _finish(work, record, out, checkpoints.parent, started)
    run = broadcast(run)
    close_process_group()
    return run


def read_run_summary(folder: Path | str) -> Run:
    """What a run folder says about itself, without loading the model."""
    folder = Path(folder)
    return Run(folder, read_record(folder), read_split(folder))


@dataclass(frozen=True)
class _Work:
    """Everything a training needs, checked."""

    corpora: Corpora
    model: Trainable
    variables: tuple[Variable, ...]
    split: Split
    start: Start | None
    examples: Mapping[str, Examples]


def _prepare(corpora: Corpora, options: TrainOptions) -> _Work:
    annotation_set = corpora.annotation_set
    variables = _variables(annotation_set.codebook, options)
    gold = adjudicate(annotation_set, options.adjudication)
    shares = Shares(options.development, options.calibration, options.test)
    start = find_start(options)
    split = _as_seen(corpora, start).split(options.split_by, shares, options.seed)
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
    examples[TRAIN] = _weighted(examples[TRAIN], corpora)
    return _Work(corpora, model, variables, split, start, examples)


def _as_seen(corpora: Corpora, start: Start | None) -> Corpora:
    """The corpora with articles that the start has seen in the part where it has seen them.

    What it learnt from can be learnt from again, but says nothing about how good it is.
    """
    if start is None:
        return corpora
    part_of = {name: part for part, names in start.split.items() for name in names}
    members = []
    for corpus in corpora.members:
        articles = tuple(
            replace(article, split=part_of.get(article.article_id, article.split))
            for article in corpus.annotation_set.articles
        )
        own = replace(corpus.annotation_set, articles=articles)
        members.append(replace(corpus, annotation_set=own))
    return replace(corpora, members=tuple(members))


def _weighted(examples: Examples, corpora: Corpora) -> Examples:
    if all(corpus.weight == 1 for corpus in corpora.members):
        return examples
    number_of = corpora.corpus_of()
    weights = (corpora.members[number_of[p.article_id]].weight for p in examples.passages)
    return replace(examples, weights=tuple(weights))


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


def _prepare_distributed(options: TrainOptions) -> None:
    """Make this process one of those that train together, if it is."""
    if n_processes() > 1 and options.model == "linear":
        raise ModelError(
            f"a linear model is trained by one process, got {n_processes()}; "
            "start it without accelerate or torchrun"
        )
    take_own_device()


def _finish(work: _Work, record: Mapping[str, Any], out: Path, place: Path, started: float) -> Run:
    """Calibrate, write the run folder, and delete the place where it was made."""
    raw = {
        part: work.model.predict(work.examples[part].passages)
        for part in (DEVELOPMENT, CALIBRATION)
    }
    examples = work.examples[CALIBRATION]
    calibration = fit_calibration(
        raw[CALIBRATION], examples.labels, work.variables, languages_of(examples)
    )
    rows = {
        part: calibration.apply(raw[part], work.variables, languages_of(work.examples[part]))
        for part in raw
    }
    thresholds = fit_thresholds(*_both(rows, work), work.variables)
    judged = _Judged(rows[CALIBRATION], examples, work.variables, thresholds)
    record = {
        **record,
        "metrics": judged.metrics(),
        "languages": judged.by_language(record["training_languages"]),
        "seconds": round(time.monotonic() - started, 1),
    }
    split = {part: list(ids) for part, ids in work.split.parts.items()}
    try:
        with replacing_folder(out, place / "run") as draft:
            _write_start_split(work, draft)
            codebook, applied = work.corpora.annotation_set.codebook, (calibration, thresholds)
            write_run(draft, work.model, codebook, applied, record, split)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"{out}: the run could not be written ({in_words(error)}); "
            "make room and run it again with --resume"
        ) from error
    shutil.rmtree(place)
    return read_run_summary(out)


def _write_start_split(work: _Work, folder: Path) -> None:
    """Keep what the start has seen beside what the run has, since both must not be judged on."""
    if work.start is None:
        return
    own = {name for ids in work.split.parts.values() for name in ids}
    seen = {
        part: [name for name in names if name not in own]
        for part, names in work.start.split.items()
    }
    write_text(folder / START_SPLIT, [json.dumps(seen, ensure_ascii=False) + "\n"])


def _checkpoints(
    out: Path, work: _Work, options: TrainOptions, *, resume: bool, force: bool
) -> Path:
    """The folder of the trainer's checkpoints: emptied, or kept to go on from."""
    note = _note(out)
    weights = [[corpus.weight, corpus.only_training] for corpus in work.corpora.members]
    data = [data_sha256(work.corpora.annotation_set), weights]
    if is_first():
        wish = {**options.to_dict(), "data": data}
        prepare_folder(note, wish, resume=resume, force=force)
    return note.parent / "checkpoints"


def _note(out: Path) -> Path:
    """What a training that is not finished was started with."""
    return out.with_name(f".{out.name}.training") / "started.json"


def _both(rows: Mapping[str, Probabilities], work: _Work) -> tuple[Probabilities, Labels]:
    """Probabilities and labels of the articles for development and for calibration together.

    A rare label needs all the held-out mentions there are, to choose its threshold by.
    """
    names = [v.name for v in work.variables]
    parts = (DEVELOPMENT, CALIBRATION)
    return (
        {name: np.concatenate([rows[part][name] for part in parts]) for name in names},
        {name: np.concatenate([work.examples[p].labels[name] for p in parts]) for name in names},
    )


@dataclass(frozen=True)
class _Judged:
    """Calibrated probabilities beside the labels of articles that training did not see."""

    rows: Probabilities
    examples: Examples
    variables: tuple[Variable, ...]
    thresholds: Thresholds

    def metrics(self) -> dict[str, Any]:
        """Macro-F1 per variable."""
        everything = np.ones(self.examples.n_mentions, dtype=bool)
        return {
            v.name: {**self._figure(v, everything), "articles": CALIBRATION} for v in self.variables
        }

    def by_language(self, trained: Mapping[str, int]) -> dict[str, Any]:
        """Per language the mentions trained on, and macro-F1 per variable with its mentions."""
        spoken = np.array(languages_of(self.examples), dtype=str)
        return {
            code: {
                "training_mentions": trained.get(code, 0),
                "articles": CALIBRATION,
                "figures": {v.name: self._figure(v, spoken == code) for v in self.variables},
            }
            for code in sorted({*trained, *spoken.tolist()})
        }

    def _figure(self, variable: Variable, chosen: NDArray[np.bool_]) -> dict[str, Any]:
        labels = self.examples.labels[variable.name][chosen]
        coded = (labels if labels.ndim == 1 else labels.max(axis=1)) >= 0
        rows, least = self.rows[variable.name][chosen], self.thresholds.of(variable)
        return {"macro_f1": macro_f1(rows, labels, least), "n_mentions": int(coded.sum())}
