"""Labels that were made elsewhere, judged beside the annotators of a set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of
from classifier.errors import DataError
from classifier.evaluation import Evaluation, EvaluationOptions
from classifier.evaluation import evaluate as judge
from classifier.labels import ABSENT, Labelled, read_predictions
from classifier.pipeline._evaluate import part_of
from classifier.records import Problem
from classifier.training import Run


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
    mapping: Mapping[str, str] | None = None,
    options: EvaluationOptions | None = None,
) -> JudgedFiles:
    """Judge files of labels by the annotators of a set, in one table.

    Args:
        files: As `read_predictions` takes them; each is a predictor and named like its file.
        data: An annotation set or its folder.
        run: Whose held-out part to judge on; without, all articles count.
        split: A part of the run's split, or without a run of the publisher's.
        mapping: Their label to ours, with `*` and `?` for any letters.
        options: Variables, groups, intervals.

    Raises:
        DataError: a file cannot be read, or has no label at a mention that has gold.
    """
    annotation_set, options = annotation_set_of(data), options or EvaluationOptions()
    part = part_of(annotation_set, run, split)
    names = [options.predictor] if run is not None and len(files) == 1 else _names(files)
    read = {
        name: read_predictions(
            file, articles=annotation_set, mapping=mapping, unknown=options.unknown
        )
        for name, file in zip(names, files, strict=True)
    }
    frames = {name: _answered(one, annotation_set) for name, one in read.items()}
    evaluation = judge(
        part,
        frames[names[0]],
        baselines={name: frames[name] for name in names[1:]},
        options=replace(options, predictor=names[0]),
    )
    return JudgedFiles(evaluation, {name: _of_part(one, part) for name, one in read.items()})


def _names(files: Sequence[Path | str]) -> list[str]:
    """The files' names without their ends; where two are the same, with their folders."""
    if not files:
        raise DataError("at least one file of labels was required, got none")
    paths = [Path(file) for file in files]
    count = Counter(path.stem for path in paths)
    names = [path.stem if count[path.stem] == 1 else str(path) for path in paths]
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise DataError(f"every file of labels once was required, got {repeated[0]} again")
    return names


def _answered(labels: Labelled, annotation_set: AnnotationSet) -> pd.DataFrame:
    """The table without the variables that were filled in: they are nobody's answer."""
    variables = {variable.name for variable in annotation_set.codebook.variables}
    filled = variables - set(labels.variables)
    frame = labels.to_frame()
    return frame.drop(columns=[name for name in frame if name in filled])


def _of_part(labels: Labelled, part: AnnotationSet) -> tuple[Problem, ...]:
    """The problems without articles that were not judged."""
    return tuple(p for p in labels.problems if p.reason != ABSENT or p.where in part.article_by_id)
