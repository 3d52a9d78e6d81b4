"""What a report says, section by section, from finished results."""

import pandas as pd

from classifier.evaluation import Evaluation
from classifier.profiles import ALL_VOICES, Profile, ProfileRow, Quantity
from classifier.report.document import ChartBlock, Section, TableBlock
from classifier.report.drawing import THRESHOLDS, Drawing
from classifier.report.evaluation_charts import (
    agreement_drawings,
    alpha_of,
    annotator_drawings,
    confusion_drawings,
    curve_drawings,
    label_drawings,
    reliability_drawings,
)
from classifier.report.links import evidence_link
from classifier.report.profile_charts import mean_drawings, share_drawings
from classifier.report.time_charts import time_drawings

_PARTS = ("target", "language", "source", "voice")
_EVERYTHING = "all"
_ESTIMATES = ("model only", "labels only", "corrected")
_FOLD_FROM = 12
"""Tables with more rows than this are folded on the page."""
_MOST_SHARE_PANELS = 6


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
            _alphas("Over all mentions", frame[frame["part"] == _EVERYTHING]),
            _alphas("By part", frame[frame["part"] != _EVERYTHING], is_folded=True),
        ),
        _blocks(annotator_drawings(frame)),
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
        _blocks(
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
        _blocks(reliability_drawings(evaluation)),
    )


def profile_section(profile: Profile, title: str = "Profiles of the sources") -> Section:
    """Means and shares per group; every withheld figure says why."""
    left_out = "; ".join(f"{n} ({reason})" for reason, n in profile.left_out.items())
    shares = share_drawings(profile)
    return Section(
        title,
        (profile.estimand, _correction(profile), _withheld(profile))
        + ((f"Mentions left out: {left_out}.",) if left_out else ()),
        (_means(profile), _shares(profile)),
        _blocks(mean_drawings(profile), shares if len(shares) <= _MOST_SHARE_PANELS else []),
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
    return Section("Through time", (text,), charts=_blocks(drawings))


def _blocks(*several: list[Drawing]) -> tuple[tuple[ChartBlock, ...], ...]:
    rows = (tuple(drawing.block() for drawing in drawings) for drawings in several)
    return tuple(row for row in rows if row)


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
    rows = [
        row
        for row in evaluation.table(name)
        if all(row.keys.get(part, _EVERYTHING) == _EVERYTHING for part in _PARTS)
    ]
    if not rows:
        return TableBlock(caption, (), ())
    keys = [key for key in rows[0].keys if key not in _PARTS]
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


def _correction(profile: Profile) -> str:
    if any(row.n_coded_articles for row in profile):
        return (
            "“Corrected” combines the model's scores for all articles with the annotators' labels "
            "for some (prediction-powered inference, clustered by article); it assumes that those "
            "articles were drawn at random. “Labels only” uses the labels alone. “Model only” is "
            "not corrected for model error, and its interval leaves that error out."
        )
    return (
        "No annotated article was given, so these are the model's means and shares, not corrected "
        "for model error; their intervals say how sure the mean score is, not how sure the stance."
    )


def _withheld(profile: Profile) -> str:
    reasons: dict[str, int] = {}
    for row in profile:
        for quantity in row.quantities:
            if quantity.label is None and quantity.corrected.value is None:
                kind = quantity.corrected.status.split(":")[0]
                reasons[kind] = reasons.get(kind, 0) + 1
    listed = ", ".join(f"{n} ({reason})" for reason, n in reasons.items())
    order = "Sources stand in alphabetical order: overlapping intervals allow no ranking."
    return f"Corrected means that are withheld: {listed}. {order}" if listed else order


def _means(profile: Profile) -> TableBlock:
    found = [(row, q) for row in profile for q in row.quantities if q.label is None]
    rows = [
        (
            *row.group.values(),
            row.voice,
            row.n_mentions,
            row.n_articles,
            row.n_coded_articles,
            quantity.variable,
            *_three(quantity),
        )
        for row, quantity in found
    ]
    columns = (*_groups(profile), "voice", "mentions", "articles", "coded", "variable")
    links = tuple(_link(row) for row, _ in found)
    return TableBlock("Means", (*columns, *_ESTIMATES), tuple(rows), len(rows) > _FOLD_FROM, links)


def _shares(profile: Profile) -> TableBlock:
    found = [(row, q) for row in profile for q in row.quantities if q.label is not None]
    rows = [
        (
            *row.group.values(),
            row.voice,
            f"{quantity.variable}: {quantity.label}",
            *_three(quantity),
        )
        for row, quantity in found
    ]
    columns = (*_groups(profile), "voice", "share of", *_ESTIMATES)
    links = tuple(_link(row) for row, _ in found)
    return TableBlock("Shares", columns, tuple(rows), is_folded=True, links=links)


def _link(row: ProfileRow) -> str:
    voice = {} if row.voice == ALL_VOICES else {"voice": row.voice}
    return evidence_link({**row.group, **voice})


def _three(quantity: Quantity) -> tuple[object, ...]:
    return quantity.naive, quantity.labelled, quantity.corrected


def _groups(profile: Profile) -> tuple[str, ...]:
    return tuple(profile.rows[0].group) if profile.rows else ()
