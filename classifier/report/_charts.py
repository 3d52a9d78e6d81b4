"""Charts of any result: of annotations, words, agreement and accuracy; profiles: `_profiles`."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd

from classifier.agreement import THRESHOLDS
from classifier.annotations import AnnotationSet
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.evaluation import GROUPS, Comparison, Evaluation, Row
from classifier.files import replacing
from classifier.notebook_html import brief, visible
from classifier.predictions import Explanation, Predictions
from classifier.profiles import Plan, Profile
from classifier.records import ALL, UNKNOWN, Estimate
from classifier.report._drawing import (
    PALETTE,
    Axis,
    Chart,
    Dots,
    Drawing,
    Point,
    counted_point,
    dot_chart,
    point,
)
from classifier.report._profiles import mean_drawings, plan_drawings, share_drawings, time_drawings

_MOST_SOURCES = 30
_ANY = "any target"
_SIDES = {"alpha_annotators": "annotators with each other", "alpha_predictor": "model with them"}
_SQUARE = 260
_WIDTH = 420
_BAR = 18
_MOST, _LONGEST = 15, 30
_IMAGES = (".html", ".svg", ".png")
_ALPHA = Axis("Krippendorff's alpha", (-0.2, 1.0), THRESHOLDS)
_ALPHA_WORDS = (
    f"Alpha with 95 % intervals, per part; dashed lines at {THRESHOLDS[0]} and {THRESHOLDS[1]}."
)
_MOST_LABELS = 12


def label_count_drawings(annotation_set: AnnotationSet) -> list[Drawing]:
    """One chart per variable that somebody coded, with a row per label."""
    table = _counted(annotation_set)
    said = [(v, Counter(_said(table, v))) for v in annotation_set.codebook.variables]
    caption = "annotations per label and target"
    return [
        Drawing(
            f"{variable.name}: {caption}",
            f"How many {caption}, each annotator's own.",
            _chart(counts, variable.names, annotation_set, "annotations"),
        )
        for variable, counts in said
        if counts
    ]


def source_count_drawings(annotation_set: AnnotationSet) -> list[Drawing]:
    """Mentions per source and target, the sources with most of them."""
    table = _counted(annotation_set).drop_duplicates("unit")
    articles = annotation_set.article_by_id
    sources = [articles[name].source or UNKNOWN for name in table["article_id"]]
    if not sources:
        return []
    largest = [source for source, _ in Counter(sources).most_common(_MOST_SOURCES)]
    rest = len(set(sources)) - len(largest)
    caption = "Mentions per source and target" + (f", without {rest} smaller sources" * (rest > 0))
    counts = Counter(zip(sources, table["target"], strict=True))
    return [Drawing(caption, f"{caption}.", _chart(counts, largest, annotation_set, "mentions"))]


def _counted(annotation_set: AnnotationSet) -> pd.DataFrame:
    """The annotations of true mentions; targets that no codebook lists are one."""
    table = annotation_set.table[~annotation_set.table["not_target"].astype(bool)]
    return table.assign(target=_ANY) if annotation_set.codebook.any_target else table


def _said(table: pd.DataFrame, variable: Variable) -> Iterable[tuple[str, str]]:
    """Every label that was given, with its target; a set gives all of its names."""
    for labels, target in zip(table[variable.name], table["target"], strict=True):
        if isinstance(labels, str):
            yield labels, target
        elif isinstance(labels, frozenset):
            yield from ((label, target) for label in labels)


def _chart(
    counts: Counter[tuple[str, str]],
    rows: Iterable[str],
    annotation_set: AnnotationSet,
    title: str,
) -> Chart:
    targets = annotation_set.codebook.target_names or (_ANY,)
    points = tuple(
        counted_point(row, target, counts[row, target]) for row in rows for target in targets
    )
    return dot_chart(Dots(points, targets, Axis(title)))


def word_drawings(explanation: Explanation) -> list[Drawing]:
    """The strongest words, those that push up first; none where the passage has no other words."""
    words = sorted(explanation.top(_MOST), key=lambda word: -word.weight)
    if not words:
        return []
    seen: dict[str, int] = {}
    bars = []
    for word in words:
        name = visible(brief(word.surface, _LONGEST))
        seen[name] = seen.get(name, 0) + 1
        again = f" ({seen[name]})" if seen[name] > 1 else ""
        bars.append({"word": name + again, "weight": word.weight})
    mention = visible(brief(str(explanation.prediction.row["surface"]), _LONGEST))
    return [
        Drawing(
            f"{explanation.quantity} {explanation.value:+.2f} at “{mention}”",
            f"How far each word moves it, against {explanation.baseline}.",
            _word_chart(bars),
        )
    ]


def _word_chart(bars: list[dict[str, object]]) -> Chart:
    colour = alt.condition("datum.weight > 0", alt.value(PALETTE[0]), alt.value(PALETTE[1]))
    names = [str(bar["word"]) for bar in bars]
    drawn = alt.Chart(alt.Data(values=bars)).mark_bar()
    return drawn.encode(
        x=alt.X("weight:Q", title="higher with the word than without it"),
        y=alt.Y("word:N", sort=names, title=None),
        color=colour,
        tooltip=["word:N", alt.Tooltip("weight:Q", format="+.3f")],
    ).properties(height=_BAR * len(bars))


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


_CHARTS: tuple[tuple[type, str, Mapping[str, Callable[[Any], list[Drawing]]]], ...] = (
    (Profile, "a profile", {"means": mean_drawings, "shares": share_drawings}),
    (Evaluation, "an evaluation", EVALUATION_CHARTS),
    (Comparison, "a comparison", {"predictors": comparison_drawings}),
    (Predictions, "predictions", {"time": lambda result: time_drawings(result.to_frame())}),
    (Explanation, "an explanation", {"words": word_drawings}),
    (Plan, "a plan", {"articles": plan_drawings}),
    (
        AnnotationSet,
        "an annotation set",
        {"labels": label_count_drawings, "sources": source_count_drawings},
    ),
    (pd.DataFrame, "a frame", {"agreement": annotator_drawings, "epochs": epoch_drawings}),
)
"""The kinds of results with their charts; the first chart is the usual one."""


def chart(result: object, what: str = "") -> Chart:
    """The chart of a result.

    Args:
        result: A profile, a plan, an evaluation, a comparison, predictions, an explanation, an
            annotation set, or a frame: of agreement between annotators, or of the epochs of a
            training.
        what: Of a profile "means" or "shares"; of an evaluation "agreement", "labels",
            "reliability", "confusion" or "learning_curve"; of an annotation set "labels" or
            "sources"; of a frame "agreement" or "epochs".

    Returns:
        An Altair chart; `.save("figure.svg")` writes it.

    Raises:
        DataError: there is no such chart, or nothing to draw in it.
    """
    data = getattr(result, "chart_data", result)
    if isinstance(data, pd.DataFrame):
        what = what or ("epochs" if "epoch" in data or data.empty else "agreement")
    for kind, whose, makers in _CHARTS:
        if isinstance(data, kind):
            what = what or next(iter(makers))
            if what not in makers:
                raise DataError(f"{whose} has the charts {', '.join(makers)}; got {what!r}")
            return _stacked(makers[what](data))
    raise DataError(
        "a chart needs a Profile, a Plan, an Evaluation, Predictions, an Explanation, an "
        f"AnnotationSet or a frame of agreement or epochs, got {type(result).__name__}"
    )


def _stacked(drawings: list[Drawing]) -> Chart:
    if not drawings:
        raise DataError("a chart needs figures, but this result has none of that kind")
    charts = [d.chart.properties(title=d.caption, width=_WIDTH) for d in drawings]
    return alt.vconcat(*charts).resolve_scale(color="independent", shape="independent")


def write_chart(result: object, path: Path | str) -> None:
    """Write a result's chart as .html, .svg or .png; raises `DataError` for any other name."""
    path = Path(path)
    if path.suffix.lower() not in _IMAGES:
        raise DataError(
            f"{path}: a chart's name must end in {', '.join(_IMAGES)}; "
            f"got {path.suffix or 'none'!r}"
        )
    with replacing(path) as draft:
        chart(result).save(str(draft), format=path.suffix.lower().removeprefix("."))
