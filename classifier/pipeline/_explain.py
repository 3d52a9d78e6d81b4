"""The words behind the scores that matter most to a profile, for the report."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from classifier.models import FOLDS, Progress
from classifier.predictions import Prediction
from classifier.profiles import Profile
from classifier.report import Evidence, strongest_units
from classifier.score import Scorer, load

EXPLAINED = 40
"""Mentions that a report explains unless told otherwise: what a reader looks at, in seconds."""


def with_explanations(
    evidence: Evidence,
    profile: Profile,
    scorer: Scorer,
    n: int = EXPLAINED,
    *,
    progress: Progress | None = None,
) -> Evidence:
    """The evidence with explanations of the n mentions that pull the profile's means most.

    What another model scored, and what stands in an article that is not here, is left out.
    """
    rows = evidence.predictions.set_index("unit", drop=False)
    explanations = {}
    units = strongest_units(evidence, profile, n)
    for done, unit in enumerate(units):
        row = rows.loc[unit].to_dict()
        article = evidence.texts.get(row["article_id"])
        if article is not None and row.get("model_id") == scorer.trained.model_id:
            explanations[unit] = scorer.explain(Prediction(row, article))
        if progress is not None:
            progress(done + 1, len(units), "explaining scores")
    return replace(evidence, explanations=explanations)


def scorer_behind(predictions: pd.DataFrame, run: Path) -> Scorer:
    """The run's model, or its folds where those made the predictions."""
    scorer = load(run)
    is_other = scorer.trained.model_id not in set(predictions["model_id"])
    return load(run, folds=True) if is_other and (run / FOLDS).is_dir() else scorer
