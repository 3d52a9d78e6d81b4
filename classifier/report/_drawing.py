"""How charts look: dots with intervals, in colours and shapes that everyone can tell apart."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import altair as alt

from classifier.intervals import MINIMUM_CODED
from classifier.notebook_html import brief, visible
from classifier.records import ALL, Estimate
from classifier.report._document import ChartBlock, LegendEntry

Chart: TypeAlias = Any
"""An Altair chart; altair's own types are not checked."""
Point: TypeAlias = Mapping[str, Any]

# Okabe and Ito (2008), in an order that differs in lightness too.
PALETTE = ("#0072B2", "#D55E00", "#7F7F7F", "#009E73", "#CC79A7", "#B8860B", "#56B4E9", "#6A3D9A")
SHAPES = ("diamond", "square", "circle", "triangle-up", "cross", "triangle-down", "stroke", "wedge")
SIGNS = ("◆", "■", "●", "▲", "✚", "▼", "▬", "◢")
"""The shapes as characters."""
_ROW = 17
_STRONG, _USUAL, _FEW = 150, 50, 40
"""Areas of marks: the figure to publish, one beside it, one that rests on few articles."""


@dataclass(frozen=True)
class Drawing:
    """A chart with its caption, and in words what it shows."""

    caption: str
    description: str
    chart: Chart
    legend: tuple[LegendEntry, ...] = ()

    def block(self) -> ChartBlock:
        """The chart as a part of a report, as wide as there is room."""
        fit = alt.AutoSizeParams(type="fit-x", resize=True)
        fitted = self.chart.properties(width="container", autosize=fit)
        return ChartBlock(self.caption, self.description, fitted.to_dict(), self.legend)


@dataclass(frozen=True)
class Axis:
    """What runs along the x axis."""

    title: str
    domain: tuple[float, float] | None = None
    rules: tuple[float, ...] = ()
    """Where to draw a dashed line."""


@dataclass(frozen=True)
class Dots:
    """Points with intervals, in rows, in one colour and shape per series."""

    points: tuple[Point, ...]
    series: tuple[str, ...]
    axis: Axis
    colours: tuple[str, ...] = field(default=PALETTE)
    strong: str = ""
    """The series to publish, whose marks are the strongest; `ALL`, or empty for none."""

    def drawing(self, caption: str, description: str) -> Drawing:
        """The points as a chart with its legend."""
        shown = [name for name in self.series if any(p["series"] == name for p in self.points)]
        places = [self.series.index(name) % len(SHAPES) for name in shown]
        legend = tuple(
            LegendEntry(name, self.colours[place % len(self.colours)], SIGNS[place])
            for name, place in zip(shown, places, strict=True)
        )
        return Drawing(caption, description, dot_chart(self), legend)


def chart_rows(*several: list[Drawing]) -> tuple[tuple[ChartBlock, ...], ...]:
    """Rows of charts for a section; a row without charts is left out."""
    rows = (tuple(drawing.block() for drawing in drawings) for drawings in several)
    return tuple(row for row in rows if row)


def point(row: str, series: str, figure: Estimate, link: str = "") -> dict[str, Any]:
    """An estimate as a point; its row and its series are shown as text."""
    n_articles = figure.n_coded_articles or figure.n_articles
    return {
        "row": visible(brief(row)),
        "series": series,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n_items,
        "articles": n_articles,
        "few": int(0 < n_articles < MINIMUM_CODED),
        "link": link,
    }


def counted_point(row: str, series: str, n: int) -> dict[str, Any]:
    """A number of things as a point, which has no interval."""
    return point(row, series, Estimate(float(n), "ok", n_items=n))


def dot_chart(dots: Dots) -> Chart:
    """Dots and intervals; a figure without a value has no dot."""
    points = [p for p in dots.points if p["value"] is not None]
    names = list(dict.fromkeys(p["row"] for p in dots.points))
    series = [name for name in dots.series if any(p["series"] == name for p in points)]
    colours, shapes = _scales(dots, series)
    labels = alt.Axis(labelLimit=150, ticks=False, domain=False, labelPadding=8)
    base = alt.Chart(alt.Data(values=points)).encode(
        y=alt.Y("row:N", sort=None, title=None, scale=alt.Scale(domain=names), axis=labels),
        yOffset=alt.YOffset("series:N", scale=alt.Scale(domain=series, paddingOuter=0.4)),
        color=alt.Color("series:N", scale=colours, legend=_legend(series)),
        tooltip=_tooltip(),
    )
    x = alt.X(
        "value:Q",
        title=dots.axis.title,
        scale=_scale(dots.axis),
        axis=alt.Axis(labelFlush=False, labelOverlap="parity", labelSeparation=4, tickCount=6),
    )
    low = alt.X("low:Q", scale=_scale(dots.axis))
    is_strong = "true" if dots.strong == ALL else f"datum.series === {json.dumps(dots.strong)}"
    layers = [
        *_rules(dots.axis),
        base.mark_rule().encode(
            x=low,
            x2="high:Q",
            strokeWidth=alt.condition(is_strong, alt.value(4), alt.value(1.5)),
            opacity=alt.condition("datum.few", alt.value(0.3), alt.value(1)),
        ),
    ]
    is_few = {bool(p.get("few")) for p in points}
    # A layer without a point is a symbol without a name, which a screen reader stumbles over.
    if is_few != {True}:
        layers.append(
            base.transform_filter("!datum.few")
            .mark_point(filled=True, opacity=1, cursor="pointer")
            .encode(
                x=x,
                shape=alt.Shape("series:N", scale=shapes, legend=_legend(series)),
                size=alt.condition(is_strong, alt.value(_STRONG), alt.value(_USUAL)),
            )
        )
    # A point of few articles is faint and hollow, whatever its series.
    if True in is_few:
        layers.append(
            base.transform_filter("datum.few")
            .mark_point(filled=False, shape="circle", size=_FEW, opacity=0.45, cursor="pointer")
            .encode(x=x)
        )
    height = max(len(names), 1) * (_ROW * max(len(series), 1) + 10)
    return alt.layer(*layers).properties(height=height)


def symmetric(points: Sequence[Point]) -> tuple[float, float]:
    """An even stretch around 0, in tenths: all points, and their intervals as far as ±1."""
    furthest = max((abs(p["value"]) for p in points if p["value"] is not None), default=0.0)
    edge = min(max((abs(end) for end in _ends(points)), default=0.0), max(1.0, furthest))
    edge = max(0.1, -(-edge * 10 // 1) / 10)
    return -edge, edge


def from_zero(points: Sequence[Point]) -> tuple[float, float]:
    """0 to the highest end of an interval, in tenths, at most 1."""
    edge = max(_ends(points), default=0.1)
    return 0.0, min(1.0, max(0.1, -(-edge * 10 // 1) / 10))


def _ends(points: Sequence[Point]) -> list[float]:
    return [p[key] for p in points for key in ("value", "low", "high") if p[key] is not None]


def _scale(axis: Axis) -> Chart:
    domain = alt.Undefined if axis.domain is None else list(axis.domain)
    return alt.Scale(domain=domain, clamp=axis.domain is not None, nice=axis.domain is None)


def _scales(dots: Dots, series: Sequence[str]) -> tuple[Chart, Chart]:
    places = [dots.series.index(name) for name in series]
    colours = [dots.colours[place % len(dots.colours)] for place in places]
    shapes = [SHAPES[place % len(SHAPES)] for place in places]
    return (
        alt.Scale(domain=list(series), range=colours),
        alt.Scale(domain=list(series), range=shapes),
    )


def _legend(series: Sequence[str]) -> Chart:
    if len(series) < 2:
        return None
    return alt.Legend(title=None, orient="top", columns=1, labelLimit=260, rowPadding=1)


def _tooltip() -> list[Chart]:
    return [
        alt.Tooltip("row:N", title="of"),
        alt.Tooltip("series:N", title="estimate"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")),
        alt.Tooltip("n:Q", title="items"),
        alt.Tooltip("articles:Q", title="articles"),
    ]


def _rules(axis: Axis) -> list[Chart]:
    if not axis.rules:
        return []
    places = alt.Data(values=[{"at": at} for at in axis.rules])
    rule = alt.Chart(places).mark_rule(strokeDash=[4, 3], color="#7F7F7F")
    return [rule.encode(x=alt.X("at:Q", scale=_scale(axis)))]
