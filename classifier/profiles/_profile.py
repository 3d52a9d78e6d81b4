"""Profiles from predictions and annotations, wherever those are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from classifier.annotations import (
    AnnotationSet,
    annotation_set_of,
    gold_with_chances,
    who_decided,
)
from classifier.annotations.formats import codebook_of
from classifier.codebook import Codebook, default_codebook
from classifier.labels import ABSENT, Articles, LabelOptions, read_predictions
from classifier.predictions import Predictions, check_same_articles
from classifier.profiles._estimates import profile_sources
from classifier.profiles._results import Profile
from classifier.profiles._table import ProfileOptions, beside
from classifier.sampling import read_frame

Table: TypeAlias = pd.DataFrame | Predictions | Path | str


def profile(
    predictions: Table | Sequence[Table],
    *,
    gold: Path | str | AnnotationSet | None = None,
    codebook: Codebook | Path | str | None = None,
    articles: Articles | None = None,
    mapping: Mapping[str, str] | None = None,
    options: ProfileOptions | None = None,
) -> Profile:
    """Estimates per source and target from predictions and, if there are any, human labels.

    Args:
        predictions: A table as scoring writes it, or labels as `read_predictions` takes
            them; or a list of them, by several predictors of the same mentions. These correct
            together, in the combination that predicts the labels best; without labels the first
            stands alone.
        gold: Annotations of some of the scored articles, drawn at random. Articles that the model
            was trained on are left out, if scoring wrote that down. Beside them, `sampling.csv`
            says with which chance every article could have been drawn.
        codebook: Where the predictions were made under another than the gold's or the default one.
        articles: What was labelled, if labels of your own go beyond the articles of `gold`.
        mapping: Their label to ours, with `*` and `?` for any letters.
        options: Groups, zones, estimand.

    Returns:
        An estimate with its interval per source and target, or the reason why there is none.

    Raises:
        DataError: the predictions or the labels cannot be read or do not fit each other; or an
            article of `gold` has another source, date or text than the one of its id there.
    """
    annotation_set = None if gold is None else annotation_set_of(gold)
    codebook = None if codebook is None else codebook_of(codebook)
    is_one = isinstance(predictions, pd.DataFrame | Predictions | Path | str)
    given: Sequence[Table] = [predictions] if is_one else predictions  # type: ignore[assignment]
    read = [
        profiled_labels(
            table, articles=articles, gold=annotation_set, codebook=codebook, mapping=mapping
        )
        if isinstance(table, Path | str) or mapping or articles is not None
        else table
        for table in given
    ]
    if codebook is None:
        codebook = default_codebook() if annotation_set is None else annotation_set.codebook
    tables = [frame_of(one) for one in read]
    if annotation_set is not None:
        for one in tables:
            check_same_articles(one, annotation_set)
    table = beside(tables, codebook)
    labels = None if annotation_set is None else gold_with_chances(annotation_set)
    folder = None if annotation_set is None else annotation_set.folder
    chances = None if folder is None else chances_of(folder)
    made = profile_sources(table, codebook, gold=labels, chances=chances, options=options)
    if annotation_set is None or labels is None:
        return made
    return replace(made, gold=who_decided(annotation_set, labels))


def chances_of(folder: Path | str) -> dict[str, float] | None:
    """Per article of the population its chance to be drawn, if the set's folder says."""
    frame = read_frame(Path(folder))
    if frame is None:
        return None
    known = frame.dropna(subset="sampling_probability")
    return dict(zip(known["article_id"], known["sampling_probability"], strict=True))


def profiled_labels(
    predictions: Table,
    *,
    articles: Articles | None = None,
    gold: Path | str | AnnotationSet | None = None,
    codebook: Codebook | Path | str | None = None,
    mapping: Mapping[str, str] | None = None,
    reading: LabelOptions | None = None,
) -> Predictions:
    """Predictions with all that a profile needs, from labels that anyone made.

    A label without chances counts as its number, a set without chances as 1 for each of its labels.

    Args:
        predictions: A table as scoring writes it, or labels as `read_predictions` takes them.
        articles: What was labelled; by default the articles of `gold`.
        gold: Annotations of some of the articles.
        codebook: By default that of `gold`, else the shipped one.
        mapping: Their label to ours.
        reading: The field with a language model's answer, or one model of a wide table.
    """
    read = read_predictions(
        predictions,
        articles=articles,
        annotations=gold,
        codebook=codebook,
        mapping=mapping,
        options=reading or LabelOptions(),
    )
    known = None if codebook is None else codebook_of(codebook)
    if known is None:
        known = default_codebook() if gold is None else annotation_set_of(gold).codebook
    table = read.table
    for variable in known.variables:
        columns = variable.probability_columns
        if variable.kind != "set" or variable.name not in read.variables:
            continue
        if set(columns).isdisjoint(table.column_names):
            said = table[variable.name].to_pylist()
            for name, column in zip(variable.names, columns, strict=True):
                shares = [None if one is None else float(name in one) for one in said]
                table = table.append_column(column, pa.array(shares, pa.float64()))
    problems = tuple(p for p in read.problems if p.reason != ABSENT)
    return Predictions(table, problems, read.articles)


def frame_of(predictions: Table) -> pd.DataFrame:
    """Predictions as a data frame, wherever they are."""
    if isinstance(predictions, pd.DataFrame):
        return predictions
    if isinstance(predictions, Predictions):
        return predictions.to_frame()
    return profiled_labels(predictions).to_frame()
