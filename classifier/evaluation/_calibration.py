"""Do probabilities mean what they say, and does confidence tell right from wrong?"""

from typing import NamedTuple

import numpy as np

from classifier.agreement import hits, ratio
from classifier.evaluation._inputs import Judged, Mask, membership
from classifier.evaluation._tables import (
    NO_VARIATION,
    EvaluationOptions,
    Row,
    Sample,
    figure,
    groups,
    macro_f1_of,
    share,
)
from classifier.intervals import FloatArray, IntArray
from classifier.records import Estimate

NO_LABEL = "undefined: no label in gold"
_FLOOR = 1e-12
_BY: tuple[tuple[str, ...], ...] = ((), ("target",), ("language",))


class Forecasts(NamedTuple):
    """Probabilities and what came true.

    For a variable with one label per mention: the probability of the most probable label, and
    whether that is gold. For a set variable: one row per mention and label.
    """

    confidence: FloatArray
    is_true: FloatArray
    brier: FloatArray
    """Per row: sum over labels of (p - y)^2, from 0 to 2; for a set variable 0 to 1 per label."""
    loss: FloatArray
    """Per row: -log p of gold, natural logarithm."""
    articles: IntArray


def calibration_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per predictor with probabilities and group: ECE, Brier score, log loss.

    A bootstrap only adds to the gaps that the expected calibration error (ECE) sums up, so its
    interval lies high in small samples.
    """
    rows = []
    for predictor in judged.predictors:
        for by in (by for by in _BY if by in options.breakdowns):
            for group in groups(judged.items, by, options.max_groups):
                made = _forecasts(judged, predictor, group.rows)
                if made is None:
                    continue
                keys = judged.keys(predictor) | group.keys
                counts = {"n_forecasts": len(made.confidence)}
                rows.append(Row(keys, _errors(made, options), counts))
    return rows


def reliability_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per predictor, kind of bin and bin: mean confidence against share that is true."""
    rows = []
    for predictor in judged.predictors:
        made = _forecasts(judged, predictor, np.arange(len(judged.items)))
        if made is None:
            continue
        for kind, edges in _edges(made.confidence, options.n_bins).items():
            bins = _bins(made.confidence, edges)
            for place in range(len(edges) - 1):
                keys = judged.keys(predictor) | {"bins": kind, "bin": str(place + 1)}
                inside = bins == place
                estimates = _bin(made, inside, options)
                numbers = {"from": float(edges[place]), "to": float(edges[place + 1])}
                rows.append(Row(keys, estimates, {"n": int(inside.sum())}, numbers))
    return rows


def selective_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per predictor and share of mentions kept, most confident first."""
    rows = []
    for predictor, answers in judged.predictors.items():
        usable = _usable(judged, predictor, np.arange(len(judged.items)))
        if answers.probabilities is None or not len(usable):
            continue
        confidence = _certainty(answers.probabilities[usable], judged)
        order = np.argsort(-confidence, kind="stable")
        for coverage in options.coverages:
            kept = order[: max(1, round(coverage * len(order)))]
            keys = judged.keys(predictor) | {"coverage": f"{coverage:g}"}
            numbers = {"coverage": coverage, "threshold": float(confidence[kept[-1]])}
            estimates = _kept(judged, predictor, usable[kept], options)
            rows.append(Row(keys, estimates, {"n": len(kept)}, numbers))
    return rows


def _usable(judged: Judged, predictor: str, rows: IntArray) -> IntArray:
    probabilities = judged.predictors[predictor].probabilities
    if probabilities is None:
        return np.empty(0, dtype=np.int64)
    known = judged.settled & np.isfinite(probabilities).all(axis=1)
    return rows[known[rows]]


def _forecasts(judged: Judged, predictor: str, rows: IntArray) -> Forecasts | None:
    usable = _usable(judged, predictor, rows)
    probabilities = judged.predictors[predictor].probabilities
    if probabilities is None or not len(usable):
        return None
    mask = np.zeros(len(judged.items), dtype=bool)
    mask[usable] = True
    y = membership(judged.gold, judged.variable)[mask]
    p = probabilities[mask]
    articles = judged.clusters(mask)
    if judged.variable.kind == "set":
        right = np.where(y > 0, p, 1 - p)
        return Forecasts(
            p.ravel(),
            y.ravel(),
            ((p - y) ** 2).ravel(),
            -np.log(np.maximum(right, _FLOOR)).ravel(),
            np.repeat(articles, p.shape[1]),
        )
    top = p.argmax(axis=1)
    place = np.arange(len(p))
    return Forecasts(
        p[place, top],
        y[place, top],
        ((p - y) ** 2).sum(axis=1),
        -np.log(np.maximum((p * y).sum(axis=1), _FLOOR)),
        articles,
    )


def _errors(made: Forecasts, options: EvaluationOptions) -> dict[str, Estimate]:
    estimates = {}
    for kind, edges in _edges(made.confidence, options.n_bins).items():
        gaps = _gaps(made, edges)
        sample = Sample(gaps, made.articles, options.binned, options.cluster)
        n_bins = len(edges) - 1
        name = f"ece_{kind.replace(' ', '_')}"
        estimates[name] = figure(sample, _ece, f"ECE, {n_bins} bins of {kind}")
    ones = np.ones(len(made.confidence))
    for name, values, method, top in (
        ("brier", made.brier, "Brier score, sum over labels", 2.0),
        ("log_loss", made.loss, f"log loss, natural, p >= {_FLOOR:g}", np.inf),
        ("confidence", made.confidence, "mean confidence", 1.0),
        ("is_true", made.is_true, "share that is true", 1.0),
    ):
        rows = np.column_stack([values, ones])
        sample = Sample(rows, made.articles, options.interval, options.cluster)
        estimates[name] = figure(sample, share, method, bounds=(0.0, top))
    return estimates


def _edges(confidence: FloatArray, n_bins: int) -> dict[str, FloatArray]:
    quantiles = np.quantile(confidence, np.linspace(0, 1, n_bins + 1))
    return {
        "equal width": np.linspace(0, 1, n_bins + 1),
        "equal mass": np.unique(quantiles) if np.ptp(quantiles) > 0 else np.array([0.0, 1.0]),
    }


def _bins(confidence: FloatArray, edges: FloatArray) -> IntArray:
    """Bins are closed above, the first one below too."""
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, len(edges) - 2)


def _gaps(made: Forecasts, edges: FloatArray) -> FloatArray:
    """Per forecast: confidence minus truth in the column of its bin, and a last column of ones."""
    n = len(made.confidence)
    gaps = np.zeros((n, len(edges)))
    gaps[np.arange(n), _bins(made.confidence, edges)] = made.confidence - made.is_true
    gaps[:, -1] = 1
    return gaps


def _ece(totals: FloatArray) -> FloatArray:
    """Sum over bins of n_b / n * |mean confidence - share true|."""
    return ratio(np.abs(totals[..., :-1]).sum(axis=-1), totals[..., -1])


def _bin(made: Forecasts, inside: Mask, options: EvaluationOptions) -> dict[str, Estimate]:
    _, articles = np.unique(made.articles[inside], return_inverse=True)
    ones = np.ones(int(inside.sum()))
    estimates = {}
    for name, values in (("is_true", made.is_true), ("confidence", made.confidence)):
        rows = np.column_stack([values[inside], ones])
        sample = Sample(
            rows, articles.reshape(-1).astype(np.int64), options.interval, options.cluster
        )
        estimates[name] = figure(sample, share, name.replace("_", " "))
    return estimates


def _certainty(probabilities: FloatArray, judged: Judged) -> FloatArray:
    """Probability of the most probable label; for a set that of its least certain label."""
    if judged.variable.kind == "set":
        return np.asarray(np.maximum(probabilities, 1 - probabilities).min(axis=1))
    return np.asarray(probabilities.max(axis=1))


def _kept(
    judged: Judged, predictor: str, rows: IntArray, options: EvaluationOptions
) -> dict[str, Estimate]:
    mask = np.zeros(len(judged.items), dtype=bool)
    mask[rows] = True
    gold, answered = judged.pair(predictor, mask)
    same = (gold == answered).all(axis=1)
    right = judged.sample(np.column_stack([same, np.ones(len(same))]), mask, options)
    counted = right._replace(rows=hits(gold, answered))
    return {
        "accuracy": figure(right, share, "share answered exactly"),
        "macro_f1": figure(
            counted,
            macro_f1_of(judged.variable),
            "macro-F1",
            undefined=NO_LABEL if judged.variable.kind == "set" else NO_VARIATION,
        ),
    }
