"""How a source's framing moves through time, by the model's scores alone."""

import altair as alt
import pandas as pd

from classifier.inference import naive_mean
from classifier.predictions import OK
from classifier.records import PROFILE_ZONES
from classifier.report.drawing import PALETTE, SHAPES, Drawing, sized

_MOST_MONTHS = 36
_SUFFIX = "_score"
_DAY, _MONTH, _YEAR = 10, 7, 4
"""How much of an ISO date names a day, a month and a year."""


def time_drawings(predictions: pd.DataFrame) -> list[Drawing]:
    """One chart per ordinal variable: its mean per period and target; none without dates."""
    scored = predictions[
        (predictions["status"] == OK)
        & predictions["zone"].isin(PROFILE_ZONES)
        & predictions["date"].notna()
    ]
    scored = scored.assign(period=_periods(scored["date"]))
    scored = scored[scored["period"].notna()]
    if scored["period"].nunique() < 2:
        return []
    return [_drawing(scored, str(c)) for c in scored.columns if str(c).endswith(_SUFFIX)]


def _periods(dates: "pd.Series[str]") -> "pd.Series[str]":
    """Months, or years where there are many months; a date less precise than that is left out."""
    months = dates.str[:_MONTH].where(dates.str.len() >= _MONTH)
    return months if months.nunique() <= _MOST_MONTHS else dates.str[:_YEAR]


def _drawing(scored: pd.DataFrame, column: str) -> Drawing:
    spots = []
    for (target, period), members in scored.groupby(["target", "period"], sort=True):
        figure = naive_mean(members[column], members["article_id"])
        spot = {"target": target, "period": period, "mean": figure.value}
        spots.append(spot | {"low": figure.low, "high": figure.high, "n": len(members)})
    name = column.removesuffix(_SUFFIX)
    return Drawing(
        f"Mean {name} through time, model only",
        f"Mean {name} per period and target with 95 % intervals, not corrected for model error.",
        _chart(spots, name),
    )


def _chart(spots: list[dict[str, object]], name: str) -> alt.Chart:
    targets = sorted({str(spot["target"]) for spot in spots})
    legend = alt.Legend(title=None, orient="top")
    colours = alt.Scale(
        domain=targets, range=[PALETTE[i % len(PALETTE)] for i in range(len(targets))]
    )
    shapes = alt.Scale(domain=targets, range=[SHAPES[i % len(SHAPES)] for i in range(len(targets))])
    base = alt.Chart(alt.Data(values=spots)).encode(
        x=alt.X("period:O", title=None, axis=alt.Axis(labelOverlap=True)),
        color=alt.Color("target:N", scale=colours, legend=legend),
        xOffset=alt.XOffset("target:N"),
        tooltip=["target:N", "period:O", alt.Tooltip("mean:Q", format=".3f"), "n:Q"],
    )
    layers = (
        base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=f"mean {name}"), y2="high:Q"),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            y="mean:Q", shape=alt.Shape("target:N", scale=shapes, legend=legend)
        ),
    )
    return sized(alt.layer(*layers), 240)
