"""A trained model against the annotators of a set: scored, then judged beside a linear baseline."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of, restricted
from classifier.errors import DataError
from classifier.evaluation import Evaluation, EvaluationOptions
from classifier.evaluation import evaluate as judge
from classifier.models import OUT_OF_FOLD, Calibration, Progress, TrainOptions
from classifier.predictions import read_predictions
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
            the same mentions; done only where `data` is what the run was trained on in one piece.
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

    Raises `DataError` where the part holds no article.
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
    undone = _undone(scorer.trained.calibration)
    is_known = predictions["language"].notna() & predictions["status"].eq("ok")
    known = predictions[is_known]
    columns = {v.name: list(v.probability_columns) for v in scorer.variables}
    given = {name: known[own].to_numpy(dtype=np.float64) for name, own in columns.items()}
    raw = undone.apply(given, scorer.variables, known["language"].tolist())
    before = predictions.copy()
    for name, own in columns.items():
        before.loc[is_known, own] = raw[name]
    return before


def _undone(calibration: Calibration) -> Calibration:
    return Calibration(
        {
            variable: {code: replace(one, value=1 / one.value) for code, one in fitted.items()}
            for variable, fitted in calibration.temperatures.items()
        }
    )


def _out_of_fold(run: Run, annotation_set: AnnotationSet) -> frozenset[str]:
    """The articles in the run's folds, if it has folds."""
    if not (run.path / OUT_OF_FOLD).is_file():
        return frozenset()
    predicted = read_predictions(run.path / OUT_OF_FOLD)["article_id"]
    return frozenset(predicted) & frozenset(annotation_set.article_by_id)


def select_articles(run: Run, annotation_set: AnnotationSet, split: str | None) -> set[str]:
    """Ids of the articles of one part; raises `DataError` where the part is not there."""
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
