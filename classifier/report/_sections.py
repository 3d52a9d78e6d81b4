"""What a report says of annotators and of the model, from finished results."""

import pandas as pd

from classifier.evaluation import GROUPS, Evaluation
from classifier.records import ALL
from classifier.report._document import Section, TableBlock
from classifier.report._drawing import THRESHOLDS, chart_rows
from classifier.report._evaluation_charts import (
    agreement_drawings,
    alpha_of,
    annotator_drawings,
    confusion_drawings,
    curve_drawings,
    is_overall,
    label_drawings,
    reliability_drawings,
)
from classifier.report._time_charts import time_drawings


def agreement_section(frame: pd.DataFrame) -> Section:
    """Agreement between annotators; columns as `AgreementReport.to_frame` has them."""
    return Section(
        "Agreement between the annotators",
        (
            "Krippendorff's alpha: 1 is perfect agreement, 0 what chance would bring; 95 % "
            f"intervals from resampling articles. From {THRESHOLDS[1]} on, conclusions are usually "
            f"called safe, from {THRESHOLDS[0]} on tentative (Krippendorff 2004).",
        ),
        (
            _alphas("Over all mentions", frame[frame["part"] == ALL]),
            _alphas("By part", frame[frame["part"] != ALL], is_folded=True),
        ),
        chart_rows(annotator_drawings(frame)),
    )


def evaluation_section(evaluation: Evaluation) -> Section:
    """The model beside the annotators, the linear baseline and the majority class."""
    return Section(
        "The model beside the annotators",
        (
            "All figures are for the same held-out mentions; intervals come from resampling "
            "articles. The agreement of the model with each annotator is set beside that of each "
            "annotator with the others.",
        ),
        _filled(
            _overall("Against gold", evaluation, "accuracy"),
            _overall("Agreement", evaluation, "agreement"),
            _overall("Per label", evaluation, "labels", is_folded=True),
            _overall("Each annotator's place taken by the model", evaluation, "annotators"),
        ),
        chart_rows(
            agreement_drawings(evaluation),
            label_drawings(evaluation),
            confusion_drawings(evaluation),
            curve_drawings(evaluation),
        ),
    )


def calibration_section(evaluation: Evaluation) -> Section:
    """Whether the model's probabilities mean what they say."""
    return Section(
        "Calibration",
        (
            "A calibrated model is right in 70 % of the cases that it gives a probability of 0.7. "
            "ECE is the mean gap between the two; the Brier score and the log loss also reward "
            "telling the cases apart. Lower is better for all three.",
        ),
        _filled(_overall("Errors of the probabilities", evaluation, "calibration")),
        chart_rows(reliability_drawings(evaluation)),
    )


def time_section(predictions: pd.DataFrame) -> Section | None:
    """How the model's means move; None where there are no dates."""
    drawings = time_drawings(predictions)
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


def _alphas(caption: str, frame: pd.DataFrame, *, is_folded: bool = False) -> TableBlock:
    lines = frame.to_dict("records")
    rows = tuple(
        (line["variable"], line["part"], alpha_of(line), line["n_items"], line["n_articles"])
        for line in lines
    )
    columns = ("variable", "part", "alpha", "mentions", "articles")
    return TableBlock(caption, columns, rows, is_folded)


def _filled(*blocks: TableBlock) -> tuple[TableBlock, ...]:
    return tuple(block for block in blocks if block.rows)


def _overall(
    caption: str, evaluation: Evaluation, name: str, *, is_folded: bool = False
) -> TableBlock:
    """A table of an evaluation over all mentions; its parts are in the JSON."""
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
            *(row.estimates.get(figure) for figure in figures),
        )
        for row in rows
    )
    columns = tuple(name.replace("_", " ") for name in (*keys, *numbers, *figures))
    return TableBlock(caption, columns, lines, is_folded)
