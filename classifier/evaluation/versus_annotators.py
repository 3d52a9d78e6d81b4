"""Rows of Table A and of the annotators' own table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from classifier.agreement import alpha, by_pair, raw_agreement
from classifier.agreement.alternative import (
    AlternativeTest,
    AnnotatorTest,
    alternative_test_of,
    rejected,
)
from classifier.agreement.coding import Coding
from classifier.agreement.distances import usual_level
from classifier.agreement.joining import coding_with_predictor
from classifier.agreement.krippendorff import alpha_of
from classifier.agreement.scoring import TestOptions
from classifier.codebook import Variable
from classifier.evaluation.figures import Sample, figure, share
from classifier.evaluation.groups import groups
from classifier.evaluation.inputs import Judged
from classifier.evaluation.options import EvaluationOptions
from classifier.evaluation.others import against_others, against_others_of
from classifier.evaluation.panel import (
    alpha_comparison,
    gwet_comparison,
    kappa_comparison,
    leave_one_out,
)
from classifier.evaluation.tables import Row
from classifier.records import Estimate


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
            keys = {"variable": judged.variable.name, "predictor": predictor, **cell.keys}
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
        "dominant_share": _dominant_share(humans, options),
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
    estimates: dict[str, Estimate] = {}
    for name, comparison in comparisons.items():
        made = leave_one_out(coding, comparison, options.agreement)
        estimates |= {f"{name}_{part}": value for part, value in made._asdict().items()}
    f1 = against_others(coding, variable, options)
    return estimates | {f"macro_f1_{part}": value for part, value in f1._asdict().items()}


def _dominant_share(humans: Coding, options: EvaluationOptions) -> Estimate:
    counts = humans.counts
    top = int(counts.sum(axis=0).argmax()) if counts.size else 0
    rows = np.column_stack([counts[:, top], counts.sum(axis=1)])
    sample = Sample(rows, humans.articles, options.interval, options.cluster)
    return figure(sample, share, "share of the most frequent label")


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
    f1 = against_others_of(coding, column, variable, options)
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
