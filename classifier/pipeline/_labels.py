"""Labels that were made elsewhere, judged beside the annotators of a set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of
from classifier.codebook import Codebook
from classifier.errors import DataError
from classifier.evaluation import Comparison, Evaluation, EvaluationOptions
from classifier.evaluation import compare as compare_tables
from classifier.evaluation import evaluate as judge
from classifier.labels import (
    ABSENT,
    Articles,
    Labelled,
    LabelOptions,
    Source,
    Unknown,
    read_predictions,
    read_rows,
)
from classifier.pipeline._evaluate import part_of
from classifier.prompts import PromptOptions, Prompts, make_prompts
from classifier.records import Problem
from classifier.score import load
from classifier.training import Run, read_run_summary


@dataclass(frozen=True)
class Reading:
    """How labels from elsewhere are read."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    """Their label to ours, with `*` and `?` for any letters."""
    answer: str | None = None
    """The field that holds a language model's answer."""
    models: tuple[str, ...] = ()
    """The models of one wide table, a column each."""
    unknown: Unknown = "stop"
    """Whether a label that is none of the codebook's stops, or is counted."""


@dataclass(frozen=True)
class JudgedFiles:
    """Files of labels, each a predictor, on the same mentions."""

    evaluation: Evaluation
    problems: Mapping[str, tuple[Problem, ...]]
    """Per predictor what its reader left out or had to interpret."""


def evaluate_files(
    files: Sequence[Path | str],
    data: AnnotationSet | Path | str,
    *,
    run: Run | Path | str | None = None,
    split: str | None = None,
    reading: Reading | None = None,
    options: EvaluationOptions | None = None,
) -> JudgedFiles:
    """Judge files of labels by the annotators of a set, in one table.

    Args:
        files: As `read_predictions` takes them; each is a predictor and named like its file.
        data: An annotation set or its folder.
        run: Whose held-out part to judge on; without, all articles count.
        split: A part of the run's split, or without a run of the publisher's.
        reading: What their labels mean, and where they are in the files.
        options: Variables, groups, intervals.

    Raises:
        DataError: a file cannot be read, or has no label at a mention that has gold.
    """
    annotation_set, options = annotation_set_of(data), options or EvaluationOptions()
    reading = replace(reading or Reading(), unknown=options.unknown)
    part = part_of(annotation_set, run, split)
    read = read_predictors(files, annotation_set, reading)
    if run is not None and len(read) == 1:
        read = {options.predictor: next(iter(read.values()))}
    names = list(read)
    frames = {name: answered(one, annotation_set) for name, one in read.items()}
    evaluation = judge(
        part,
        frames[names[0]],
        baselines={name: frames[name] for name in names[1:]},
        options=replace(options, predictor=names[0]),
    )
    return JudgedFiles(evaluation, {name: of_part(one, part) for name, one in read.items()})


def compare(
    data: AnnotationSet | Path | str,
    predictions: Sequence[Path | str] | Mapping[str, Source],
    *,
    run: Run | Path | str | None = None,
    split: str | None = None,
    reading: Reading | None = None,
    options: EvaluationOptions | None = None,
) -> Comparison:
    """Compare predictors with gold and the annotators, and say which to use.

    Args:
        data: An annotation set or its folder.
        predictions: Files of labels, each named like its file; or labels by the predictor's name,
            as `read_predictions` takes them.
        run: A trained model to compare too, on the articles it was not trained on.
        split: A part of the run's split, or without a run of the publisher's.
        reading: What the labels mean, and where they are in the files.
        options: Variables, intervals, epsilon of the alternative annotator test.

    Returns:
        Every predictor's figures, the differences between them, and a paragraph on which to use.

    Raises:
        DataError: labels cannot be read, or there are no two predictors to compare.
    """
    annotation_set, options = annotation_set_of(data), options or EvaluationOptions()
    reading = replace(reading or Reading(), unknown=options.unknown)
    part = part_of(annotation_set, run, split)
    read = read_predictors(predictions, annotation_set, reading)
    frames = {name: answered(one, annotation_set) for name, one in read.items()}
    if run is not None:
        own = run if isinstance(run, Run) else read_run_summary(run)
        if own.path.name in frames:
            raise DataError(f"labels named other than the run {own.path.name!r} were required")
        frames[own.path.name] = load(own.path).score_annotations(part).to_frame()
    made = compare_tables(part, frames, options=options)
    return replace(made, problems={name: of_part(one, part) for name, one in read.items()})


def prompt(
    articles: Articles,
    out: Path | str | None = None,
    *,
    codebook: Codebook | Path | str | None = None,
    run: Run | Path | str | None = None,
    options: PromptOptions | None = None,
) -> Prompts:
    """Make requests that ask a language model for labels; nothing is sent.

    The answers come back through `read_predictions`, `evaluate` and `compare`.

    Args:
        articles: Articles, an annotation set, or the path of either.
        out: File to write, one request a line (.jsonl).
        codebook: By default that of the annotation set, else the shipped one.
        run: A trained model whose passages to use.
        options: Interface, model, variables, rules, prices.

    Returns:
        The requests, with their number, tokens and price.

    Raises:
        DataError: there is no mention to ask about, or `out` has another ending.
    """
    reader, context = None, 1
    if run is not None:
        preparation = load(run.path if isinstance(run, Run) else run).preparation
        reader, context = preparation.reader, preparation.context
    made = make_prompts(
        articles, codebook=codebook, reader=reader, context=context, options=options
    )
    if out is not None:
        made.write(out)
    return made


def read_predictors(
    files: Sequence[Source] | Mapping[str, Source], annotation_set: AnnotationSet, reading: Reading
) -> dict[str, Labelled]:
    """Every predictor's labels by its name: a file's, a key's, or a model's column.

    Raises `DataError` where a file comes twice, or several files are to hold several models each.
    """
    if not isinstance(files, Mapping):
        files = dict(zip(_names(files), files, strict=True))
    options = LabelOptions(reading.unknown, reading.answer, reading.models)
    if reading.models and len(files) > 1:
        raise DataError(
            f"one file with the models {', '.join(reading.models)} was required, got {len(files)}"
        )
    rows = {name: read_rows(file) for name, file in files.items()}
    if reading.models:
        rows = dict.fromkeys(reading.models, next(iter(rows.values())))
    return {
        name: read_predictions(
            own,
            articles=annotation_set,
            mapping=reading.mapping,
            options=replace(options, model=name) if reading.models else options,
        )
        for name, own in rows.items()
    }


def _names(files: Sequence[Source]) -> list[str]:
    """The files' names without their ends; where two are the same, with their folders."""
    if not files:
        raise DataError("at least one file of labels was required, got none")
    if not all(isinstance(file, Path | str) for file in files):
        raise DataError("labels in memory need names: give a mapping from name to labels")
    paths = [Path(file) for file in files]
    count = Counter(path.stem for path in paths)
    names = [path.stem if count[path.stem] == 1 else str(path) for path in paths]
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise DataError(f"every file of labels once was required, got {repeated[0]} again")
    return names


def answered(labels: Labelled, annotation_set: AnnotationSet) -> pd.DataFrame:
    """The table without the variables that were filled in: they are nobody's answer."""
    variables = {variable.name for variable in annotation_set.codebook.variables}
    filled = variables - set(labels.variables)
    frame = labels.to_frame()
    return frame.drop(columns=[name for name in frame if name in filled])


def of_part(labels: Labelled, part: AnnotationSet) -> tuple[Problem, ...]:
    """The problems without articles that were not judged."""
    return tuple(p for p in labels.problems if p.reason != ABSENT or p.where in part.article_by_id)
