"""Charts of any result, and those of annotations and words."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import singledispatch
from pathlib import Path

import altair as alt
import pandas as pd

from classifier.annotations import AnnotationSet
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.evaluation import Comparison, Evaluation
from classifier.files import replacing
from classifier.notebook_html import brief, visible
from classifier.predictions import Explanation, Predictions
from classifier.profiles import Plan, Profile
from classifier.records import UNKNOWN
from classifier.report._drawing import PALETTE, Axis, Chart, Dots, Drawing, counted_point, dot_chart
from classifier.report._evaluation_charts import (
    EVALUATION_CHARTS,
    annotator_drawings,
    comparison_drawings,
    epoch_drawings,
)
from classifier.report._profiles import mean_drawings, plan_drawings, share_drawings, time_drawings

_MOST_SOURCES = 30
_ANY = "any target"


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


_MOST, _LONGEST = 15, 30
_BAR = 18


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


_WIDTH = 420


@singledispatch
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
    data = getattr(result, "chart_data", None)
    if data is not None:
        return chart(data, what)
    raise DataError(
        "a chart needs a Profile, a Plan, an Evaluation, Predictions, an Explanation, an "
        f"AnnotationSet or a frame of agreement or epochs, got {type(result).__name__}"
    )


@chart.register
def _(result: Profile, what: str = "") -> Chart:
    what = what or "means"
    makers = {"means": mean_drawings, "shares": share_drawings}
    _require(what, list(makers), "a profile")
    return _stacked(makers[what](result))


@chart.register
def _(result: Evaluation, what: str = "") -> Chart:
    what = what or "agreement"
    _require(what, list(EVALUATION_CHARTS), "an evaluation")
    return _stacked(EVALUATION_CHARTS[what](result))


@chart.register
def _(result: Comparison, what: str = "") -> Chart:
    what = what or "predictors"
    _require(what, ["predictors"], "a comparison")
    return _stacked(comparison_drawings(result))


@chart.register
def _(result: Predictions, what: str = "") -> Chart:
    what = what or "time"
    _require(what, ["time"], "predictions")
    return _stacked(time_drawings(result.to_frame()))


@chart.register
def _(result: Explanation, what: str = "") -> Chart:
    what = what or "words"
    _require(what, ["words"], "an explanation")
    return _stacked(word_drawings(result))


@chart.register
def _(result: Plan, what: str = "") -> Chart:
    what = what or "articles"
    _require(what, ["articles"], "a plan")
    return _stacked(plan_drawings(result))


@chart.register
def _(result: AnnotationSet, what: str = "") -> Chart:
    what = what or "labels"
    makers = {"labels": label_count_drawings, "sources": source_count_drawings}
    _require(what, list(makers), "an annotation set")
    return _stacked(makers[what](result))


@chart.register
def _(result: pd.DataFrame, what: str = "") -> Chart:
    what = what or ("epochs" if "epoch" in result or result.empty else "agreement")
    makers: dict[str, Callable[[pd.DataFrame], list[Drawing]]] = {
        "agreement": annotator_drawings,
        "epochs": epoch_drawings,
    }
    _require(what, list(makers), "a frame")
    return _stacked(makers[what](result))


def _require(what: str, known: list[str], whose: str) -> None:
    if what not in known:
        raise DataError(f"{whose} has the charts {', '.join(known)}; got {what!r}")


def _stacked(drawings: list[Drawing]) -> Chart:
    if not drawings:
        raise DataError("a chart needs figures, but this result has none of that kind")
    charts = [d.chart.properties(title=d.caption, width=_WIDTH) for d in drawings]
    return alt.vconcat(*charts).resolve_scale(color="independent", shape="independent")


_IMAGES = (".html", ".svg", ".png")


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
