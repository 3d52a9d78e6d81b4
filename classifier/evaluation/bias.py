"""Where the predictor leans: differences between sources here are what makes profiles mislead."""

import numpy as np

from classifier.evaluation.figures import Sample, figure, share
from classifier.evaluation.groups import Group, groups
from classifier.evaluation.inputs import Answers, Judged, Mask, membership
from classifier.evaluation.options import EvaluationOptions
from classifier.evaluation.tables import ALL, Row
from classifier.records import Estimate
from classifier.resampling import FloatArray


def bias_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """Predicted minus gold, per group of every breakdown.

    For an ordinal variable its mean number (label "all"); for every variable the share of each
    label. Expected values where there are probabilities, else the labels given.
    """
    answers = judged.predictors[predictor]
    apart = _apart(judged, answers)
    judgeable = judged.settled & answers.given
    rows = []
    for breakdown in options.breakdowns:
        for group in groups(judged.items, breakdown, options.max_groups):
            mask = np.zeros(len(judged.items), dtype=bool)
            mask[group.rows] = True
            mask &= judgeable
            if mask.any():
                rows += [
                    _row(judged, (predictor, label), values[mask], (group, mask), options)
                    for label, values in apart.items()
                ]
    return rows


def _row(
    judged: Judged,
    named: tuple[str, str],
    values: FloatArray,
    where: tuple[Group, Mask],
    options: EvaluationOptions,
) -> Row:
    predictor, label = named
    group, mask = where
    rows = np.column_stack([values, np.ones(len(values))])
    sample = Sample(rows, judged.clusters(mask), options.interval, options.cluster)
    keys = {"variable": judged.variable.name, "predictor": predictor, "label": label, **group.keys}
    bias: Estimate = figure(sample, share, "mean of predicted - gold", bounds=(-np.inf, np.inf))
    return Row(keys, {"bias": bias}, {"n_items": len(values)})


def _apart(judged: Judged, answers: Answers) -> dict[str, FloatArray]:
    variable = judged.variable
    gold = membership(judged.gold, variable)
    predicted = membership(answers.labels, variable)
    if answers.probabilities is not None:
        known = np.isfinite(answers.probabilities).all(axis=1)
        predicted[known] = answers.probabilities[known]
    apart = {label: (predicted - gold)[:, i] for i, label in enumerate(variable.names)}
    if variable.kind == "ordinal":
        apart = {ALL: (predicted - gold) @ np.array(variable.numbers), **apart}
    return apart
