"""Models, and labels that were made elsewhere, judged beside the annotators of a set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of, restricted
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
from classifier.models import OUT_OF_FOLD, Calibration, Progress, TrainOptions
from classifier.predictions import read_predictions as read_table
from classifier.prompts import PromptOptions, Prompts, make_prompts
from classifier.records import Problem
from classifier.score import Scorer, load
from classifier.training import (
    CALIBRATION,
    DEVELOPMENT,
    TEST,
    TRAIN,
    Run,
    fit_model,
    read_run_summary,
)

LINEAR = "linear"


def evaluate(
    run: Run | Path | str,
    data: AnnotationSet | Path | str,
    *,
    split: str | None = None,
    baseline: bool = True,
    options: EvaluationOptions | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score the annotated mentions of one part of a set and judge them against its annotators.

    Args:
        run: A trained model or its folder.
        data: An annotation set or its folder.
        split: The part of the run's split to judge on; by default its test part. For a run with
            folds it is what each model says about its own fold. Of articles that the run has never
            seen it is all.
        baseline: Whether to fit a linear model on the run's training articles and to judge it on
            the same mentions; done only if `data` is what the run was trained on in one piece.
        options: Variables, groups, intervals.
        progress: Called while articles are scored.

    Returns:
        The model, a linear baseline, the majority class and the annotators, on the same mentions.

    Raises:
        DataError: the part is not there or holds no annotated article.
    """
    run = run if isinstance(run, Run) else read_run_summary(run)
    annotation_set = annotation_set_of(data)
    folded = _out_of_fold(run, annotation_set) if split is None else frozenset()
    chosen = folded or select_articles(run, annotation_set, split)
    part = restricted(annotation_set, chosen)
    scorer = load(run.path, folds=bool(folded))
    predictions = scorer.score_annotations(part, progress=progress).to_frame()
    baselines = {}
    may_fit = baseline and not folded and run.record["options"]["model"] != LINEAR
    if may_fit and _is_training_data(run, annotation_set):
        baselines[LINEAR] = linear_predictions(run, annotation_set, part)
    return judge(
        part,
        predictions,
        baselines=baselines,
        uncalibrated=None if folded else uncalibrated(predictions, scorer),
        options=options or EvaluationOptions(),
    )


def part_of(
    annotation_set: AnnotationSet, run: Run | Path | str | None, split: str | None
) -> AnnotationSet:
    """The articles of a run's part, of the publisher's part, or all of them.

    Raises `DataError` if the part holds no article.
    """
    if run is not None:
        run = run if isinstance(run, Run) else read_run_summary(run)
        return restricted(annotation_set, select_articles(run, annotation_set, split))
    if split is None:
        return annotation_set
    chosen = {a.article_id for a in annotation_set.articles if a.split == split}
    if not chosen:
        known = sorted({a.split for a in annotation_set.articles if a.split})
        raise DataError(
            f"the articles have the parts {', '.join(known) or 'none'}; got {split!r}; leave "
            "--split out to judge on all"
        )
    return restricted(annotation_set, chosen)


def uncalibrated(predictions: pd.DataFrame, scorer: Scorer) -> pd.DataFrame:
    """The same predictions with the probabilities before temperature scaling.

    p^T, normalised, undoes p^(1/T), so that nothing has to be scored again.
    """
    undone = Calibration(
        {
            variable: {code: replace(one, value=1 / one.value) for code, one in fitted.items()}
            for variable, fitted in scorer.trained.calibration.temperatures.items()
        }
    )
    is_known = predictions["language"].notna() & predictions["status"].eq("ok")
    known = predictions[is_known]
    columns = {v.name: list(v.probability_columns) for v in scorer.variables}
    given = {name: known[own].to_numpy(dtype=np.float64) for name, own in columns.items()}
    raw = undone.apply(given, scorer.variables, known["language"].tolist())
    before = predictions.copy()
    for name, own in columns.items():
        before.loc[is_known, own] = raw[name]
    return before


def _out_of_fold(run: Run, annotation_set: AnnotationSet) -> frozenset[str]:
    """The articles in the run's folds, if it has folds."""
    if not (run.path / OUT_OF_FOLD).is_file():
        return frozenset()
    predicted = read_table(run.path / OUT_OF_FOLD)["article_id"]
    return frozenset(predicted) & frozenset(annotation_set.article_by_id)


def select_articles(run: Run, annotation_set: AnnotationSet, split: str | None) -> set[str]:
    """Ids of the articles of one part; raises `DataError` if the part is not there."""
    present = set(annotation_set.article_by_id)
    if not present:
        raise DataError("evaluation needs annotated articles, but this set has none")
    if split is None:
        chosen = present & set(run.split.get(TEST, [])) or present - seen_articles(run)
        if not chosen:
            raise DataError(
                "evaluation needs articles that the run was not trained on, but all "
                f"{len(present)} were; name another set, or a part with --split"
            )
        return chosen
    chosen = present & set(run.split.get(split, []))
    chosen |= {a.article_id for a in annotation_set.articles if a.split == split}
    if not chosen:
        parts = ", ".join(f"{name} ({len(ids)})" for name, ids in run.split.items())
        raise DataError(
            f"the split has the parts {parts}; got {split!r}, which has no article here"
        )
    return chosen


def seen_articles(run: Run) -> set[str]:
    """Ids of the articles that shaped the run: learnt from, stopped by or calibrated on."""
    return {name for part in (TRAIN, DEVELOPMENT, CALIBRATION) for name in run.split.get(part, [])}


def linear_predictions(
    run: Run, annotation_set: AnnotationSet, part: AnnotationSet
) -> pd.DataFrame:
    """What a linear model says that was fitted on the same training articles."""
    recorded = {**run.record["options"], "model": LINEAR, "base_model": "", "start": ""}
    recorded["variables"] = tuple(run.record["variables"])
    with TemporaryDirectory() as folder:
        linear = fit_model(annotation_set, TrainOptions(**recorded), Path(folder) / LINEAR)
        return load(linear.path).score_annotations(part).to_frame()


def _is_training_data(run: Run, annotation_set: AnnotationSet) -> bool:
    """Whether the run's training articles are all there, so that a baseline can learn from them."""
    needed = set(run.split.get(TRAIN, []))
    return needed <= set(annotation_set.article_by_id)


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
    """The labels of every predictor. It is named like its file, its key or its model.

    Raises `DataError` if a file comes twice, or several files are to hold several models each.
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
    """The files' names without their ends; if two are the same, with their folders."""
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
