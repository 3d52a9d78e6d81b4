"""Charts of evaluations, comparisons, annotators and trainings."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from classifier.agreement import THRESHOLDS
from classifier.evaluation import GROUPS, Comparison, Evaluation, Row
from classifier.records import ALL, Estimate
from classifier.report._drawing import PALETTE, Axis, Dots, Drawing, Point, point

_SIDES = {"alpha_annotators": "annotators with each other", "alpha_predictor": "model with them"}
_SQUARE = 260
_ALPHA = Axis("Krippendorff's alpha", (-0.2, 1.0), THRESHOLDS)
_ALPHA_WORDS = (
    f"Alpha with 95 % intervals, per part; dashed lines at {THRESHOLDS[0]} and {THRESHOLDS[1]}."
)
_MOST_LABELS = 12


def agreement_drawings(evaluation: Evaluation) -> list[Drawing]:
    """The model's agreement with annotators beside theirs with each other, per variable."""
    predictor = evaluation.options.predictor
    panels: dict[str, list[Point]] = {}
    for row in evaluation.table("agreement"):
        parts = {part: row.keys[part] for part in GROUPS if row.keys.get(part, ALL) != ALL}
        if row.keys["predictor"] != predictor or len(parts) > 1:
            continue
        name = (
            ", ".join(_part_name(part, evaluation.titles) for part in parts.items())
            or "all mentions"
        )
        points = [point(name, words, row[key]) for key, words in _SIDES.items()]
        panels.setdefault(row.keys["variable"], []).extend(points)
    return [
        Dots(tuple(points), tuple(_SIDES.values()), _ALPHA).drawing(
            f"{variable}: agreement on the same mentions", _ALPHA_WORDS
        )
        for variable, points in panels.items()
    ]


_WITH, _GOLD = "alpha with the annotators", "macro-F1 against gold"
_AMONG = "annotators with each other"


def comparison_drawings(comparison: Comparison) -> list[Drawing]:
    """Every predictor on the same mentions, best first, below the annotators with each other."""
    panels: dict[str, list[Point]] = {}
    for variable, order in comparison.order.items():
        rows = {
            name: comparison.predictors.row(variable=variable, predictor=name) for name in order
        }
        among = rows[order[0]].estimates.get("alpha_annotators")
        points: list[Point] = [] if among is None else [point(_AMONG, _WITH, among)]
        for name, row in rows.items():
            points += [point(name, _WITH, row["alpha"]), point(name, _GOLD, row["macro_f1"])]
        panels[variable] = points
    return [
        Dots(tuple(points), (_WITH, _GOLD), Axis("", (-0.2, 1.0))).drawing(
            f"{variable}: predictors on the same mentions",
            "Alpha with the annotators and macro-F1 against gold, with 95 % intervals.",
        )
        for variable, points in panels.items()
    ]


def annotator_drawings(
    frame: pd.DataFrame, titles: Mapping[str, str] | None = None
) -> list[Drawing]:
    """Agreement between annotators, from the columns of `AgreementReport.to_frame`.

    `titles` is what people read for the targets.
    """
    panels: dict[str, list[Point]] = {}
    for line in frame.to_dict("records"):
        each = point(part_words(line["part"], titles or {}), "alpha", alpha_of(line))
        panels.setdefault(line["variable"], []).append(each)
    return [
        Dots(tuple(points), ("alpha",), _ALPHA).drawing(
            f"{variable}: agreement between annotators", _ALPHA_WORDS
        )
        for variable, points in panels.items()
        if any(p["value"] is not None for p in points)
    ]


def is_overall(row: Row) -> bool:
    """Whether a row is about all mentions rather than about a part of them."""
    return all(row.keys.get(group, ALL) == ALL for group in GROUPS)


def alpha_of(line: Mapping[Hashable, Any]) -> Estimate:
    """The estimate in a line of `AgreementReport.to_frame`."""
    value, low, high = (
        None if pd.isna(line[name]) else float(line[name]) for name in ("alpha", "low", "high")
    )
    why = line["interval_status"]
    n_items, n_articles = int(line["n_items"]), int(line["n_articles"])
    return Estimate(value, line["status"], low, high, why, n_items=n_items, n_articles=n_articles)


def label_drawings(evaluation: Evaluation) -> list[Drawing]:
    """F1 of every label, for the model and what stands beside it."""
    panels: dict[str, list[Point]] = {}
    series = dict.fromkeys(row.keys["predictor"] for row in evaluation.table("labels"))
    for row in evaluation.table("labels"):
        each = point(row.keys["label"], row.keys["predictor"], row["f1"])
        panels.setdefault(row.keys["variable"], []).append(each)
    axis = Axis("F1 against gold", (0.0, 1.0))
    return [
        Dots(tuple(sorted(points, key=_row_of(points))), tuple(series), axis).drawing(
            f"{variable}: F1 per label", "F1 with 95 % intervals, per label and predictor."
        )
        for variable, points in panels.items()
    ]


def reliability_drawings(evaluation: Evaluation) -> list[Drawing]:
    """What the model's probabilities promise against what came true, per variable."""
    panels: dict[str, list[Row]] = {}
    for row in evaluation.table("reliability"):
        is_ours = row.keys["predictor"] == evaluation.options.predictor
        if is_ours and row.keys["bins"] == "equal mass" and row["is_true"].value is not None:
            panels.setdefault(row.keys["variable"], []).append(row)
    return [
        Drawing(
            f"{variable}: reliability",
            "Bins of equally many forecasts: mean probability against the share that came true, "
            "with 95 % intervals. On the diagonal the probabilities mean what they say.",
            _reliability(rows),
        )
        for variable, rows in panels.items()
    ]


def confusion_drawings(evaluation: Evaluation) -> list[Drawing]:
    """Per gold label the share of each predicted one."""
    panels: dict[str, list[dict[str, object]]] = {}
    for row in evaluation.table("confusion"):
        if row.keys["predictor"] == evaluation.options.predictor:
            cell: dict[str, object] = {"gold": row.keys["label"]}
            cell["predicted"] = row.keys["predicted"]
            cell |= {"share": row["share"].value, "n": row.counts["n"]}
            panels.setdefault(row.keys["variable"], []).append(cell)
    return [
        Drawing(
            f"{variable}: gold (rows) and what the model takes it for",
            "Rows are gold, columns the model; figures count mentions, shades are shares of the "
            "row.",
            _heat_map(cells),
        )
        for variable, cells in panels.items()
        if len({cell["gold"] for cell in cells}) <= _MOST_LABELS
    ]


def curve_drawings(evaluation: Evaluation) -> list[Drawing]:
    """How the half-width of an interval shrinks with the number of articles."""
    panels: dict[str, list[dict[str, object]]] = {}
    for row in evaluation.table("learning_curve"):
        if "half_width" in row.numbers:
            spot = {"measure": row.keys["measure"], "articles": row.numbers["n_articles"]}
            spot["half_width"] = row.numbers["half_width"]
            panels.setdefault(row.keys["variable"], []).append(spot)
    return [
        Drawing(
            f"{variable}: how sure with how many articles",
            "Mean half-width of the 95 % interval in random subsamples of the articles.",
            _curve(spots),
        )
        for variable, spots in panels.items()
    ]


EVALUATION_CHARTS: Mapping[str, Callable[[Evaluation], list[Drawing]]] = {
    "agreement": agreement_drawings,
    "labels": label_drawings,
    "reliability": reliability_drawings,
    "confusion": confusion_drawings,
    "learning_curve": curve_drawings,
}


def part_words(part: str, titles: Mapping[str, str]) -> str:
    """A part of an agreement report as people read it.

    >>> part_words("target RU", {"RU": "Russia"}), part_words("language nl", {})
    ('Russia', 'language nl')
    """
    if part.startswith("target "):
        name = part.removeprefix("target ")
        return titles.get(name, name)
    return "all mentions" if part == ALL else part.removeprefix("source ")


def _part_name(part: tuple[str, str], titles: Mapping[str, str]) -> str:
    """Targets and sources go by their names; a language and a voice need the word."""
    kind, value = part
    value = titles.get(value, value) if kind == "target" else value
    return value if kind in ("target", "source") else f"{kind} {value}"


def _row_of(points: list[Point]) -> Callable[[Point], int]:
    order = {name: i for i, name in enumerate(dict.fromkeys(p["row"] for p in points))}
    return lambda each: order[each["row"]]


def _reliability(rows: list[Row]) -> alt.Chart:
    points = [
        {
            "confidence": row["confidence"].value,
            "is_true": row["is_true"].value,
            "low": row["is_true"].low,
            "high": row["is_true"].high,
            "n": row.counts["n"],
        }
        for row in rows
    ]
    scale = alt.Scale(domain=[0, 1])
    line = alt.Chart(alt.Data(values=[{"at": 0}, {"at": 1}])).mark_line(
        strokeDash=[4, 3], color=PALETTE[2], strokeWidth=1
    )
    base = alt.Chart(alt.Data(values=points)).encode(
        x=alt.X("confidence:Q", title="the model's probability", scale=scale),
        tooltip=[alt.Tooltip(f"{name}:Q", format=".3f") for name in ("confidence", "is_true")]
        + [alt.Tooltip("n:Q", title="forecasts")],
    )
    y = alt.Y("is_true:Q", title="share that came true", scale=scale)
    layers = (
        line.encode(x=alt.X("at:Q", scale=scale), y=alt.Y("at:Q", scale=scale)),
        base.mark_rule(color=PALETTE[0], strokeWidth=2).encode(
            y=alt.Y("low:Q", scale=scale), y2="high:Q"
        ),
        base.mark_point(filled=True, size=65, opacity=1, color=PALETTE[0]).encode(y=y),
    )
    return alt.layer(*layers).properties(height=_SQUARE)


def _heat_map(cells: list[dict[str, object]]) -> alt.Chart:
    names = list(dict.fromkeys(cell["gold"] for cell in cells))
    columns = list(dict.fromkeys([*names, *(cell["predicted"] for cell in cells)]))
    base = alt.Chart(alt.Data(values=cells)).encode(
        x=alt.X("predicted:N", title=None, scale=alt.Scale(domain=columns)),
        y=alt.Y("gold:N", title=None, scale=alt.Scale(domain=names)),
        tooltip=["gold:N", "predicted:N", "n:Q", alt.Tooltip("share:Q", format=".3f")],
    )
    shade = alt.Color("share:Q", scale=alt.Scale(scheme="blues", domain=[0, 1]), legend=None)
    ink = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#1c1f23"))
    squares = base.mark_rect().encode(color=shade)
    figures = base.mark_text().encode(text="n:Q", color=ink)
    return alt.layer(squares, figures).properties(height=34 * len(names))


def _curve(spots: list[dict[str, object]]) -> alt.Chart:
    legend = alt.Legend(title=None, orient="top")
    names = list(dict.fromkeys(spot["measure"] for spot in spots))
    places = sorted({float(str(spot["articles"])) for spot in spots})
    base = alt.Chart(alt.Data(values=spots)).encode(
        x=alt.X(
            "articles:Q",
            title="articles",
            scale=alt.Scale(type="log", nice=False),
            axis=alt.Axis(values=places, labelOverlap="parity"),
        ),
        y=alt.Y("half_width:Q", title="half-width of the interval"),
        color=alt.Color(
            "measure:N",
            scale=alt.Scale(domain=names, range=list(PALETTE[: len(names)])),
            legend=legend,
        ),
    )
    dots = base.mark_point(filled=True, size=65, opacity=1).encode(
        shape=alt.Shape("measure:N", scale=alt.Scale(domain=names), legend=legend)
    )
    return alt.layer(base.mark_line(), dots).properties(height=200)


def epoch_drawings(epochs: pd.DataFrame) -> list[Drawing]:
    """The quality after every epoch of a training; none where none was recorded."""
    if epochs.empty:
        return []
    x = alt.X("epoch:O", axis=alt.Axis(labelAngle=0, format="d"))
    y = alt.Y("quality:Q", title="macro-F1", scale=alt.Scale(zero=False))
    spots = alt.Data(values=epochs.to_dict("records"))
    point = alt.OverlayMarkDef(color=PALETTE[0], size=55)
    line = alt.Chart(spots).mark_line(point=point, color=PALETTE[0])
    tooltip = ["epoch:O", alt.Tooltip("quality:Q", format=".3f")]
    caption = "Mean macro-F1 of the variables on the development articles"
    drawn = line.encode(x=x, y=y, tooltip=tooltip).properties(height=200)
    return [Drawing(caption, f"{caption}, after every epoch.", drawn)]
