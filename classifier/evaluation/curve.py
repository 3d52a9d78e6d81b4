"""How sure the figures would be with fewer or more coded articles."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np

from classifier.agreement.distances import usual_level
from classifier.agreement.krippendorff import alpha_sums
from classifier.evaluation.figures import hits, macro_f1_of
from classifier.evaluation.inputs import Judged, membership
from classifier.evaluation.options import EvaluationOptions
from classifier.evaluation.tables import Row
from classifier.evaluation.versus_annotators import meets_annotators, panel_coding
from classifier.resampling import (
    FloatArray,
    IntervalOptions,
    Statistic,
    article_totals,
    interval,
)

N_SUBSAMPLES = 20
_SIZES = (10, 20, 40, 80, 160, 320, 640, 1280)

Measured = tuple[FloatArray, Statistic]


def curve_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """One row per measure and number of articles: mean value and half-width in random subsamples.

    The last row of a measure is all articles, with the number of articles that the wished
    half-width would take if it shrinks with the root of their number.
    """
    rows = []
    for measure, measured in _measures(judged, predictor, options).items():
        keys = {"variable": judged.variable.name, "predictor": predictor, "measure": measure}
        rows += _measure_rows(keys, measured, options)
    return rows


def _measures(judged: Judged, predictor: str, options: EvaluationOptions) -> Mapping[str, Measured]:
    measures: dict[str, Measured] = {}
    mask = judged.settled & judged.predictors[predictor].given
    if mask.any():
        gold = membership(judged.gold, judged.variable)[mask]
        answered = membership(judged.predictors[predictor].labels, judged.variable)[mask]
        articles = judged.clusters(mask)
        totals = article_totals(hits(gold, answered), articles, int(articles.max()) + 1)
        measures["macro_f1"] = totals, macro_f1_of(judged.variable)
    if meets_annotators(judged, predictor):
        coding = panel_coding(judged, predictor, options)
        humans = coding.columns(range(1, len(coding.annotators))).pairable()
        if len(humans.codes):
            level = usual_level(judged.variable)
            measures["alpha"] = alpha_sums(humans, judged.variable, level)
    return measures


def _measure_rows(
    keys: dict[str, str], measured: Measured, options: EvaluationOptions
) -> list[Row]:
    totals, statistic = measured
    rng = np.random.default_rng(options.interval.seed)
    # Jackknife throughout: a bootstrap of every subsample would cost more and say the same.
    made = replace(options.interval, method="jackknife")
    n = len(totals)
    rows = []
    for size in [*(size for size in _SIZES if made.min_articles <= size < n), n]:
        n_drawn = N_SUBSAMPLES if size < n else 1
        drawn = [totals[rng.permutation(n)[:size]] for _ in range(n_drawn)]
        numbers = {"n_articles": float(size)} | _summary(drawn, statistic, made)
        if size == n and "half_width" in numbers:
            factor = (numbers["half_width"] / options.half_width) ** 2
            numbers |= {"wished": options.half_width, "needed": float(ceil(n * factor))}
        rows.append(Row(keys | {"articles": str(size)}, numbers=numbers))
    return rows


def _summary(
    drawn: list[FloatArray], statistic: Statistic, options: IntervalOptions
) -> dict[str, float]:
    values = [float(statistic(part.sum(axis=0))) for part in drawn]
    made = [interval(part, statistic, options) for part in drawn]
    widths = [(m.high - m.low) / 2 for m in made if m.low is not None and m.high is not None]
    known = [value for value in values if not np.isnan(value)]
    summary = {"value": float(np.mean(known))} if known else {}
    return summary | ({"half_width": float(np.mean(widths))} if widths else {})
