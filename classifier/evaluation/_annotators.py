"""Predictors against annotators on the same items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import NamedTuple

import numpy as np

from classifier.agreement import (
    ABSENT,
    PRESENT,
    AlternativeTest,
    AnnotatorTest,
    Coding,
    TestOptions,
    alpha,
    alpha_of,
    alpha_sums,
    alternative_test_of,
    by_pair,
    coding_with_predictor,
    hits,
    presence,
    raw_agreement,
    rejected,
    usual_level,
)
from classifier.codebook import Variable
from classifier.evaluation._inputs import MAJORITY, Judged, Mask
from classifier.evaluation._panel import (
    Comparison,
    LeaveOneOut,
    against_others,
    alpha_comparison,
    gwet_comparison,
    kappa_comparison,
    leave_one_out,
    value_members,
)
from classifier.evaluation._tables import (
    EvaluationOptions,
    Row,
    Sample,
    figure,
    groups,
    macro_f1_of,
    share,
)
from classifier.intervals import FloatArray, IntervalOptions, Statistic, article_totals, interval
from classifier.records import Estimate

_SAME, _COPIED, _FEW = 0.95, 0.25, 20
"""A predictor copies an annotator if it gives the same label to this share of at least so many
mentions, and differs at most this often for every time the other annotators do."""


class Copied(NamedTuple):
    """A predictor that repeats an annotator."""

    predictor: str
    annotator: str
    share: float
    """Of the mentions where both answer: the same label."""
    among: float
    """Of the mentions where the annotator and another answer: the same label."""


class Cell(NamedTuple):
    """One group of mentions, first column of the coding the predictor, and its test."""

    keys: dict[str, str]
    coding: Coding
    test: AlternativeTest


def panel_coding(judged: Judged, predictor: str, options: EvaluationOptions) -> Coding:
    """Annotators and the predictor as units x annotators; the predictor is the first column."""
    answers = dict(zip(judged.items["unit"], judged.predictors[predictor].labels, strict=True))
    return coding_with_predictor(judged.labels, answers, judged.variable, options.agreement)


def meets_annotators(judged: Judged, predictor: str) -> bool:
    """Whether the predictor answers a mention that an annotator coded."""
    answered = judged.items["unit"][judged.predictors[predictor].given]
    return not set(answered).isdisjoint(judged.labels["unit"])


def agreement_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """Table A: one row per group of every breakdown."""
    if not meets_annotators(judged, predictor):
        return []
    coding = panel_coding(judged, predictor, options)
    items = judged.items.set_index("unit").loc[list(coding.units)]
    rows = []
    for breakdown in options.breakdowns:
        cells = [
            _cell(group.keys, coding.select(group.rows), judged.variable, options)
            for group in groups(items, breakdown, options.max_groups)
        ]
        for cell, across in zip(cells, _across(cells), strict=True):
            keys = {**judged.keys(predictor), **cell.keys}
            rows.append(_agreement_row(keys, cell, across, judged.variable, options))
    return rows


def annotator_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """One row per annotator: against the others, beside the predictor, and the test."""
    if not meets_annotators(judged, predictor):
        return []
    coding = panel_coding(judged, predictor, options)
    cell = _cell({}, coding, judged.variable, options)
    return [
        _annotator_row(judged, predictor, cell, column, options)
        for column in range(1, len(coding.annotators))
    ]


def pair_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per pair of annotators: how much they share and how far they agree."""
    variable, made = judged.variable, options.agreement
    alphas = by_pair(alpha, judged.labels, variable, options=made)
    raws = by_pair(raw_agreement, judged.labels, variable, options=made)
    rows = []
    for part, raw in zip(alphas, raws, strict=True):
        keys = {"variable": variable.name, **{k: str(v) for k, v in part.group.items()}}
        estimates = {"alpha": part.estimate, "raw_agreement": raw.estimate}
        rows.append(Row(keys, estimates, {"n_items": part.estimate.n_items}))
    return rows


def _cell(
    keys: dict[str, str], coding: Coding, variable: Variable, options: EvaluationOptions
) -> Cell:
    test = alternative_test_of(coding, variable, TestOptions(epsilon=options.epsilon))
    return Cell(keys, coding, test)


def _agreement_row(
    keys: dict[str, str],
    cell: Cell,
    across: Estimate,
    variable: Variable,
    options: EvaluationOptions,
) -> Row:
    coding = cell.coding
    humans = coding.columns(range(1, len(coding.annotators)))
    estimates = {
        "alpha_all": alpha_of(humans, variable, usual_level(variable), options.agreement),
        **_compared(coding, variable, options),
        "winning_rate": cell.test.winning_rate,
        "winning_rate_clustered": cell.test.winning_rate_clustered,
        "winning_rate_across_groups": across,
        "advantage_probability": cell.test.advantage_probability,
        "dominant_share": _label_share(
            humans,
            int(humans.counts.sum(axis=0).argmax()) if humans.counts.size else 0,
            "share of the most frequent label",
            options,
        ),
    }
    counts = {
        "n_items": len(coding.codes),
        "n_articles": coding.n_articles,
        "n_annotators": int((humans.codes >= 0).any(axis=0).sum()),
        "is_dominated": int((estimates["dominant_share"].value or 0.0) > options.dominance),
    }
    return Row(keys, estimates, counts)


def _compared(
    coding: Coding, variable: Variable, options: EvaluationOptions
) -> dict[str, Estimate]:
    comparisons = {"alpha": alpha_comparison(variable)}
    if variable.kind != "set":
        comparisons |= {"kappa": kappa_comparison(variable), "ac": gwet_comparison(variable)}
    f1 = against_others(coding, range(1, len(coding.annotators)), variable, options)
    return _beside(coding, comparisons, options) | _parts("macro_f1", f1)


def _beside(
    coding: Coding, comparisons: Mapping[str, tuple[str, Comparison]], options: EvaluationOptions
) -> dict[str, Estimate]:
    """The predictor beside the annotators by each measure, one annotator left out at a time."""
    estimates: dict[str, Estimate] = {}
    for name, comparison in comparisons.items():
        estimates |= _parts(name, leave_one_out(coding, comparison, options.agreement))
    return estimates


def _parts(name: str, made: LeaveOneOut) -> dict[str, Estimate]:
    return {f"{name}_{part}": value for part, value in made._asdict().items()}


def _label_share(humans: Coding, place: int, method: str, options: EvaluationOptions) -> Estimate:
    counts = humans.counts
    rows = np.column_stack([counts[:, place], counts.sum(axis=1)])
    sample = Sample(rows, humans.articles, options.interval, options.cluster)
    return figure(sample, share, method)


def _across(cells: Sequence[Cell]) -> list[Estimate]:
    """Winning rates with the step-up run over all groups of a breakdown at once."""
    tests = [(i, test) for i, cell in enumerate(cells) for test in cell.test.annotators]
    known = [(i, test) for i, test in tests if test.p_clustered is not None]
    rate = TestOptions().false_discovery_rate
    won = rejected([test.p_clustered or 0.0 for _, test in known], rate)
    rates = []
    for i, cell in enumerate(cells):
        own = cell.test.winning_rate_clustered
        wins = [is_won for (j, _), is_won in zip(known, won, strict=True) if j == i]
        rates.append(own if own.value is None else _rate(own, sum(wins) / len(wins)))
    return rates


def _rate(own: Estimate, value: float) -> Estimate:
    return Estimate(
        value,
        "ok",
        interval_status=own.interval_status,
        n_items=own.n_items,
        n_articles=own.n_articles,
        method="winning rate, Benjamini-Yekutieli over all groups",
    )


def _annotator_row(
    judged: Judged, predictor: str, cell: Cell, column: int, options: EvaluationOptions
) -> Row:
    coding, variable = cell.coding, judged.variable
    test = cell.test.annotators[column - 1]
    others = coding.columns(c for c in range(1, len(coding.annotators)) if c != column)
    f1 = against_others(coding, [column], variable, options)
    estimates = {
        "macro_f1_annotator": f1.annotators,
        "macro_f1_predictor": f1.predictor,
        "macro_f1_difference": f1.difference,
        "alpha_without": alpha_of(others, variable, usual_level(variable), options.agreement),
    }
    keys = {
        "variable": variable.name,
        "predictor": predictor,
        "annotator": test.annotator,
        "test": test.status,
    }
    n_coded = int((coding.codes[:, column] >= 0).sum())
    counts = {"n_coded": n_coded, "n_tested": test.n_items, "is_won": int(test.is_won)}
    counts["is_won_clustered"] = int(test.is_won_clustered)
    return Row(keys, estimates, counts, _test_numbers(test))


def _test_numbers(test: AnnotatorTest) -> dict[str, float]:
    numbers = {
        "predictor_share": test.predictor_share,
        "annotator_share": test.annotator_share,
        "p": test.p,
        "p_clustered": test.p_clustered,
    }
    return {name: value for name, value in numbers.items() if value is not None}


def label_agreement_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """One row per label: alpha and AC1 of its presence, predictor beside annotators."""
    if not meets_annotators(judged, predictor):
        return []
    coding = panel_coding(judged, predictor, options)
    members = value_members(coding, judged.variable)
    rows = []
    for place, label in enumerate(judged.variable.names):
        binary = replace(
            coding,
            codes=np.where(coding.codes >= 0, members[coding.codes, place], -1).astype(np.int64),
            values=(ABSENT, PRESENT),
        )
        keys = {**judged.keys(predictor), "label": label}
        rows.append(_row(keys, binary, judged, options))
    return rows


def _row(keys: dict[str, str], binary: Coding, judged: Judged, options: EvaluationOptions) -> Row:
    asked = presence(judged.variable, keys["label"])
    humans = binary.columns(range(1, len(binary.annotators)))
    comparisons = {"alpha": alpha_comparison(asked), "ac": gwet_comparison(asked)}
    estimates = {
        "alpha_all": alpha_of(humans, asked, "nominal", options.agreement),
        **_beside(binary, comparisons, options),
        "share_annotators": _label_share(humans, 1, "share of annotators' labels", options),
    }
    return Row(keys, estimates, {"n_items": len(binary.codes), "n_articles": binary.n_articles})


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
        keys = {**judged.keys(predictor), "measure": measure}
        rows += _measure_rows(keys, measured, options)
    return rows


def _measures(judged: Judged, predictor: str, options: EvaluationOptions) -> Mapping[str, Measured]:
    measures: dict[str, Measured] = {}
    mask = judged.settled & judged.predictors[predictor].given
    if mask.any():
        measures["macro_f1"] = f1_sums(judged, predictor, mask)
    if meets_annotators(judged, predictor):
        coding = panel_coding(judged, predictor, options)
        humans = coding.columns(range(1, len(coding.annotators))).pairable()
        if len(humans.codes):
            level = usual_level(judged.variable)
            measures["alpha"] = alpha_sums(humans, judged.variable, level)
    return measures


def f1_sums(judged: Judged, predictor: str, mask: Mask) -> Measured:
    """Macro-F1 on some items, as a function of article totals."""
    articles = judged.clusters(mask)
    counted = hits(*judged.pair(predictor, mask))
    totals = article_totals(counted, articles, int(articles.max(initial=-1)) + 1)
    return totals, macro_f1_of(judged.variable)


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


def copies(judged: Judged, options: EvaluationOptions) -> tuple[Copied, ...]:
    """The predictors that repeat an annotator."""
    return tuple(
        one
        for name in judged.predictors
        if name != MAJORITY and meets_annotators(judged, name)
        for one in copied_by(name, panel_coding(judged, name, options))
    )


def copied_by(name: str, coding: Coding) -> Iterator[Copied]:
    """Whom a predictor repeats; its answers are the coding's first column."""
    for column in range(1, len(coding.annotators)):
        n_same, n = shared_labels(coding, column)
        among = _among(coding, column)
        if n < _FEW or n_same < _SAME * n or among is None:
            continue
        if 1 - n_same / n <= _COPIED * (1 - among):
            yield Copied(name, coding.annotators[column], n_same / n, among)


def shared_labels(coding: Coding, column: int) -> tuple[int, int]:
    """Where predictor and annotator give the same label, and where both give one."""
    both = (coding.codes[:, [0, column]] >= 0).all(axis=1)
    is_same = coding.codes[both, 0] == coding.codes[both, column]
    return int(is_same.sum()), int(both.sum())


def _among(coding: Coding, column: int) -> float | None:
    """How often the annotator and another give the same label where the predictor answers."""
    rows = coding.codes[(coding.codes[:, [0, column]] >= 0).all(axis=1)]
    others = np.delete(rows, [0, column], axis=1)
    given = others >= 0
    is_same = given & (others == rows[:, [column]])
    return float(is_same.sum() / given.sum()) if given.any() else None
