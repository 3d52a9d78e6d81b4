"""What a report says of annotators and of the model, from finished results."""

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from classifier.agreement import THRESHOLDS, agreement_words
from classifier.evaluation import (
    GROUPS,
    MAJORITY,
    Evaluation,
    Row,
    annotator_test_words,
    majority_passes,
    quality_words,
    variables_judged,
)
from classifier.notebook_html import short
from classifier.records import ALL, Estimate
from classifier.report._document import Section, TableBlock
from classifier.report._drawing import chart_rows
from classifier.report._evaluation_charts import (
    agreement_drawings,
    alpha_of,
    annotator_drawings,
    confusion_drawings,
    curve_drawings,
    is_overall,
    label_drawings,
    part_words,
    reliability_drawings,
)
from classifier.report._time_charts import time_drawings


def agreement_section(frame: pd.DataFrame, titles: Mapping[str, str]) -> Section:
    """Agreement between annotators; columns as `AgreementReport.to_frame` has them.

    Args:
        frame: Alpha per variable and part.
        titles: What people read for the targets.
    """
    return Section(
        "Agreement between the annotators",
        (
            "Krippendorff's alpha: 1 is perfect agreement, 0 what chance would bring. From "
            f"{THRESHOLDS[1]} on, conclusions are usually called safe, from {THRESHOLDS[0]} on "
            "tentative (Krippendorff 2004).",
            " ".join(agreement_words(frame)),
        ),
        tables=(
            _alphas("Alpha over all mentions", frame[frame["part"] == ALL], titles),
            _alphas("Alpha by part", frame[frame["part"] != ALL], titles),
        ),
        charts=chart_rows(annotator_drawings(frame, titles)),
    )


def evaluation_section(evaluation: Evaluation) -> Section:
    """The model beside the annotators, the linear baseline and the majority class."""
    judged = variables_judged(evaluation)
    said = [quality_words(evaluation, name) for name in judged]
    said += [annotator_test_words(evaluation, name) for name in judged]
    return Section(
        "The model beside the annotators",
        (
            "On the same held-out mentions; intervals come from resampling articles.",
            *(_capital(words) for words in said if words),
        ),
        tables=_filled(
            _overall("Against gold", evaluation, "accuracy"),
            _overall("Agreement", evaluation, "agreement"),
            _overall("Per label", evaluation, "labels"),
            _overall("Each annotator's place taken by the model", evaluation, "annotators"),
        ),
        charts=chart_rows(agreement_drawings(evaluation)),
        more=chart_rows(
            label_drawings(evaluation), confusion_drawings(evaluation), curve_drawings(evaluation)
        ),
    )


def calibration_section(evaluation: Evaluation) -> Section:
    """Whether the model's probabilities mean what they say."""
    return Section(
        "Calibration",
        (
            "A calibrated model is right in 70 % of the cases that it gives a probability of 0.7. "
            "ECE is the mean gap between the two.",
            *_gaps(evaluation),
        ),
        tables=_filled(_overall("Errors of the probabilities", evaluation, "calibration")),
        charts=chart_rows(reliability_drawings(evaluation)),
    )


def time_section(predictions: pd.DataFrame, titles: Mapping[str, str]) -> Section | None:
    """How the model's means move; None where there are no dates.

    Args:
        predictions: One row per mention.
        titles: What people read for the targets, in their order.
    """
    drawings = time_drawings(predictions, titles)
    if not drawings:
        return None
    text = (
        "These are means of the model's scores and not corrected for its errors: a change here may "
        "be a change in what the articles are about."
    )
    return Section("Through time", (text,), charts=chart_rows(drawings))


def alphas_in_words(frame: pd.DataFrame) -> str:
    """Alpha over all mentions, variable by variable, in one line."""
    lines = frame[frame["part"] == ALL].to_dict("records")
    return "; ".join(f"{line['variable']} {alpha_of(line)}" for line in lines)


def _gaps(evaluation: Evaluation) -> list[str]:
    """The model's calibration error, flagged where few mentions alone would make one as large."""
    sentences = []
    for row in evaluation.table("calibration"):
        gap = row.estimates.get("ece_equal_mass")
        is_ours = row.keys["predictor"] == evaluation.options.predictor
        if not is_ours or not is_overall(row) or gap is None or gap.value is None:
            continue
        variable, n = row.keys["variable"], row.counts["n_forecasts"]
        by_chance = chance_ece(
            bin_row
            for bin_row in evaluation.table("reliability")
            if bin_row.keys["variable"] == variable
            and bin_row.keys["predictor"] == row.keys["predictor"]
            and bin_row.keys["bins"] == "equal mass"
        )
        words = f"{_capital(variable)}: ECE {short(gap.value, sign=False)} from {n} forecasts"
        if gap.value < 2 * by_chance:
            words += (
                ", which is too high: with so few, a perfectly calibrated model shows about "
                f"{short(by_chance, sign=False)}"
            )
        sentences.append(f"{words}.")
    return sentences


def chance_ece(bins: Iterable[Row]) -> float:
    """The calibration error that a perfectly calibrated model shows by chance.

    In a bin of n forecasts with mean confidence c the share that comes true is off by sqrt(2 c
    (1 - c) / (π n)) on average (mean of a half-normal distribution, items independent).
    """
    total, gaps = 0, 0.0
    for row in bins:
        n, confidence = row.counts["n"], row["confidence"].value
        if n and confidence is not None:
            total += n
            gaps += n * math.sqrt(2 * confidence * (1 - confidence) / (math.pi * n))
    return gaps / total if total else 0.0


def _capital(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _alphas(caption: str, frame: pd.DataFrame, titles: Mapping[str, str]) -> TableBlock:
    rows = tuple(
        (
            line["variable"],
            part_words(line["part"], titles),
            alpha_of(line),
            line["n_items"],
            line["n_articles"],
        )
        for line in frame.to_dict("records")
    )
    columns = ("variable", "part", "alpha", "mentions", "articles")
    return TableBlock(caption, columns, rows, is_folded=True)


def _filled(*blocks: TableBlock) -> tuple[TableBlock, ...]:
    return tuple(block for block in blocks if block.rows)


def _overall(caption: str, evaluation: Evaluation, name: str) -> TableBlock:
    """A table of an evaluation over all mentions, folded; its parts are in the JSON.

    No winning rate stands where the majority class passes the test as well.
    """
    rows = [row for row in evaluation.table(name) if is_overall(row)]
    if not rows:
        return TableBlock(caption, (), ())
    keys = [key for key in rows[0].keys if key not in GROUPS]
    figures = list(dict.fromkeys(name for row in rows for name in row.estimates))
    numbers = list(dict.fromkeys(name for row in rows for name in row.numbers))
    lines = tuple(
        (
            *(row.keys[key] for key in keys),
            *(row.numbers.get(number) for number in numbers),
            *(_shown(evaluation, row, figure) for figure in figures),
        )
        for row in rows
    )
    columns = tuple(name.replace("_", " ") for name in (*keys, *numbers, *figures))
    return TableBlock(caption, columns, lines, is_folded=True)


def _shown(evaluation: Evaluation, row: Row, figure: str) -> Estimate | str | None:
    if figure.startswith("winning_rate") and majority_passes(evaluation, row.keys["variable"]):
        return f"says nothing: {MAJORITY} passes too"
    return row.estimates.get(figure)
