"""Profiles and plans from predictions and annotations, wherever those are."""

from pathlib import Path
from typing import TypeAlias

import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of, gold_with_chances
from classifier.codebook import Codebook, default_codebook, read_codebook
from classifier.predictions import Predictions, read_predictions
from classifier.profiles._estimates import profile_sources
from classifier.profiles._plan import Plan, plan_articles
from classifier.profiles._results import Profile
from classifier.profiles._table import ProfileOptions
from classifier.sampling import read_frame

Table: TypeAlias = pd.DataFrame | Predictions | Path | str


def profile(
    predictions: Table,
    *,
    gold: Path | str | AnnotationSet | None = None,
    codebook: Codebook | Path | str | None = None,
    options: ProfileOptions | None = None,
) -> Profile:
    """Estimates per source and target from predictions and, where there are any, human labels.

    Args:
        predictions: A table as scoring writes it, or the file it is in.
        gold: Annotations of some of the scored articles, drawn at random. Articles that the model
            was trained on are left out, where scoring wrote that down. Beside them, `sampling.csv`
            says with which chance every article could have been drawn.
        codebook: Where the predictions were made under another than the gold's or the default one.
        options: Groups, zones, estimand.
    """
    table = frame_of(predictions)
    annotation_set = None if gold is None else annotation_set_of(gold)
    if isinstance(codebook, Path | str):
        codebook = read_codebook(codebook)
    if codebook is None:
        codebook = default_codebook() if annotation_set is None else annotation_set.codebook
    labels = None if annotation_set is None else gold_with_chances(annotation_set)
    chances = _chances(gold) if isinstance(gold, Path | str) else None
    return profile_sources(table, codebook, gold=labels, chances=chances, options=options)


def plan(
    predictions: Table,
    gold: Path | str | AnnotationSet,
    *,
    half_width: float = 0.1,
    options: ProfileOptions | None = None,
) -> Plan:
    """Per source and target, how many coded articles an interval of this half-width takes."""
    table = frame_of(predictions)
    annotation_set = annotation_set_of(gold)
    labels = gold_with_chances(annotation_set)
    return plan_articles(
        table, annotation_set.codebook, labels, half_width=half_width, options=options
    )


def _chances(folder: Path | str) -> dict[str, float] | None:
    """Per article of the population its chance to be drawn, where the set's folder says."""
    frame = read_frame(Path(folder))
    if frame is None:
        return None
    known = frame.dropna(subset="sampling_probability")
    return dict(zip(known["article_id"], known["sampling_probability"], strict=True))


def frame_of(predictions: Table) -> pd.DataFrame:
    """Predictions as a data frame, wherever they are."""
    if isinstance(predictions, pd.DataFrame):
        return predictions
    if isinstance(predictions, Predictions):
        return predictions.to_frame()
    return read_predictions(predictions)
