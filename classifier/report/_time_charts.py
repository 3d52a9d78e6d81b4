"""How a source's framing moves through time, and a model's quality through its training."""

from collections.abc import Mapping

import altair as alt
import pandas as pd

from classifier.intervals import naive_mean
from classifier.predictions import OK
from classifier.profiles import clusters
from classifier.records import PROFILE_ZONES
from classifier.report._drawing import PALETTE, SHAPES, Drawing, symmetric

_SUFFIX = "_score"
_MONTH, _YEAR = 7, 4
"""How much of an ISO date names a month and a year."""
_ENOUGH = 5
"""Articles that a period should have for a target; else periods are made longer."""


def time_drawings(
    predictions: pd.DataFrame, titles: Mapping[str, str] | None = None
) -> list[Drawing]:
    """One chart per ordinal variable: its mean per period and target; none without dates.

    `titles` is what people read for the targets, in their order.
    """
    scored = predictions[
        (predictions["status"] == OK)
        & predictions["zone"].isin(PROFILE_ZONES)
        & predictions["date"].astype(str).str.match(r"\d{4}")
    ]
    scored = scored.assign(period=_periods(scored))
    scored = scored[scored["period"].notna()]
    if scored["period"].nunique() < 2:
        return []
    columns = [str(column) for column in scored.columns if str(column).endswith(_SUFFIX)]
    return [_drawing(scored, column, titles or {}) for column in columns]


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


def _periods(scored: pd.DataFrame) -> "pd.Series[str]":
    """Months, quarters or years, the shortest with enough articles in most of them.

    A date that is less precise than that is left out.
    """
    dates = scored["date"].astype(str)
    months = dates.str[:_MONTH].where(dates.str.match(r"\d{4}-\d{2}"))
    quarters = months.map(_quarter, na_action="ignore")
    for periods in (months, quarters):
        articles = scored.groupby([scored["target"], periods])["article_id"].nunique()
        if len(articles) and articles.median() >= _ENOUGH:
            return periods
    return dates.str[:_YEAR]


def _quarter(month: str) -> str:
    """The quarter of a month.

    >>> _quarter("2022-05")
    '2022 Q2'
    """
    return f"{month[:4]} Q{(int(month[5:7]) + 2) // 3}"


def _drawing(scored: pd.DataFrame, column: str, titles: Mapping[str, str]) -> Drawing:
    spots = []
    for (target, period), members in scored.groupby(["target", "period"], sort=True):
        figure = naive_mean(members[column], clusters(members))
        spot = {"target": titles.get(str(target), target), "period": period, "value": figure.value}
        spots.append(spot | {"low": figure.low, "high": figure.high, "n": len(members)})
    name = column.removesuffix(_SUFFIX)
    return Drawing(
        f"Mean {name} through time, model only",
        f"Mean {name} per period and target with 95 % intervals, not corrected for model error.",
        _chart(spots, name, list(titles.values())),
    )


def _chart(spots: list[dict[str, object]], name: str, order: list[str]) -> alt.Chart:
    found = {str(spot["target"]) for spot in spots}
    targets = [title for title in order if title in found]
    targets += sorted(found - set(targets), key=str.casefold)
    legend = alt.Legend(title=None, orient="top")
    scale = alt.Scale(domain=list(symmetric(spots)), clamp=True)
    colours = alt.Scale(
        domain=targets, range=[PALETTE[i % len(PALETTE)] for i in range(len(targets))]
    )
    shapes = alt.Scale(domain=targets, range=[SHAPES[i % len(SHAPES)] for i in range(len(targets))])
    base = alt.Chart(alt.Data(values=spots)).encode(
        x=alt.X("period:O", title=None, axis=alt.Axis(labelOverlap=True)),
        color=alt.Color("target:N", scale=colours, legend=legend),
        xOffset=alt.XOffset("target:N"),
        tooltip=["target:N", "period:O", alt.Tooltip("value:Q", format=".3f"), "n:Q"],
    )
    layers = (
        base.mark_rule(strokeWidth=1.5).encode(
            y=alt.Y("low:Q", title=f"mean {name}", scale=scale), y2="high:Q"
        ),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            y=alt.Y("value:Q", scale=scale),
            shape=alt.Shape("target:N", scale=shapes, legend=legend),
        ),
    )
    return alt.layer(*layers).properties(height=240)
