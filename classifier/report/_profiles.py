"""Profiles on the page: their charts, whose marks lead to the sentences, and their tables."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import altair as alt
import pandas as pd

from classifier.intervals import MINIMUM_CODED, naive_mean
from classifier.notebook_html import short
from classifier.predictions import OK
from classifier.profiles import (
    ALL_VOICES,
    NOT_REFUTED,
    VALID,
    Plan,
    Profile,
    ProfileRow,
    Quantity,
    clusters,
    gain_words,
    published,
    verdict_words,
)
from classifier.records import ALL, PROFILE_ZONES, Estimate
from classifier.report._document import Section, TableBlock, capital
from classifier.report._drawing import (
    PALETTE,
    SHAPES,
    Axis,
    Dots,
    Drawing,
    Point,
    chart_rows,
    counted_point,
    from_zero,
    point,
    symmetric,
)


def evidence_link(filters: Mapping[str, str]) -> str:
    """The part of an address that sets the evidence browser's filters.

    >>> evidence_link({"source": "De Vliet", "target": "TR"})
    '#evidence?source=De+Vliet&target=TR'
    """
    return f"#evidence?{urlencode(filters, errors='replace')}"


def group_filters(row: ProfileRow) -> dict[str, str]:
    """The filters that leave the mentions of a group."""
    return dict(row.group) | ({} if row.voice == ALL_VOICES else {"voice": row.voice})


ESTIMATES = {"corrected": "corrected", "labelled": "labels only", "naive": "model only"}
"""The estimates of a quantity and what people read; the most trustworthy first."""
_SERIES = tuple(ESTIMATES.values())
_TARGET_COLOURS = tuple(PALETTE[place] for place in (0, 1, 3, 4, 5, 6, 7))
"""Without the grey of what is faint."""
_PLANNED = {"needed": "needed in all", "coded": "coded so far"}


def mean_drawings(profile: Profile) -> list[Drawing]:
    """One chart per mean and panel, such as a target, with a row per source."""
    means = _quantities(profile, is_mean=True)
    return [drawing for variable, _ in means for drawing in _mean_panels(profile, variable)]


def plan_drawings(plan: Plan) -> list[Drawing]:
    """One chart per variable: the articles that are coded and needed, with a row per group."""
    panels: dict[str, list[Point]] = {}
    for row in plan:
        name = ", ".join(str(row[column]) for column in plan.by)
        known = [key for key in _PLANNED if row[key] is not None]
        points = [counted_point(name, _PLANNED[key], row[key]) for key in known]
        panels.setdefault(row["variable"], []).extend(points)
    return [
        Dots(tuple(points), tuple(_PLANNED.values()), Axis("articles")).drawing(
            f"{variable}: articles to code for an interval of ± {plan.half_width:g}",
            "Articles that are coded and that are needed in all, per group.",
        )
        for variable, points in panels.items()
    ]


def share_drawings(profile: Profile) -> list[Drawing]:
    """One chart per set variable and group, with a row per label."""
    variables = dict.fromkeys(variable for variable, _ in _quantities(profile, is_mean=False))
    return [
        _share_drawing(profile, row, variable)
        for variable in variables
        for row in profile
        if row.voice == _voice(profile)
    ]


def _mean_panels(profile: Profile, variable: str) -> list[Drawing]:
    panels: dict[str, list[Point]] = {}
    for row in profile:
        panel, name = _place(profile, row)
        if panel is not None:
            panels.setdefault(panel, []).extend(_points(row, name, variable, None))
    domain = symmetric([p for points in panels.values() for p in points])
    axis = Axis(f"mean {variable}", domain, rules=(0.0,))
    return [
        Dots(tuple(points), _SERIES, axis, strong=_SERIES[0]).drawing(
            f"{panel}: mean {variable}",
            f"Dots with 95 % intervals of mean {variable}; {_withheld(points)}",
        )
        for panel, points in panels.items()
    ]


def result_drawing(profile: Profile, variable: str) -> Drawing | None:
    """One chart of the figures to publish: a row per group, a series per target.

    A withheld figure is shown by its labels alone, as a point of few articles, one whose draw
    failed the test as well. None where there is no mean.
    """
    pairs = [
        (row, quantity)
        for row in profile
        for quantity in row.quantities
        if row.voice == ALL_VOICES and (quantity.variable, quantity.label) == (variable, None)
    ]
    points = [_result_point(profile, row, quantity) for row, quantity in pairs]
    if not any(p["value"] is not None for p in points):
        return None
    series = tuple(dict.fromkeys(p["series"] for p in points))
    axis = Axis(f"mean {variable}", symmetric(points), rules=(0.0,))
    kind = "corrected" if any(published(*pair) for pair in pairs) else "not corrected"
    strong = ALL if kind == "corrected" else ""
    hollow = " (hollow: not to be published)" * any(p.get("few") for p in points)
    return Dots(tuple(points), series, axis, _TARGET_COLOURS, strong).drawing(
        f"Mean {variable}, {kind}{hollow}",
        f"Dots with 95 % intervals of mean {variable} in all voices; faint circles are not to be "
        "published.",
    )


def _result_point(profile: Profile, row: ProfileRow, quantity: Quantity) -> Point:
    *outer, last = profile.names(row)
    link = evidence_link(group_filters(row))
    place = (", ".join(outer), last) if outer else (last, "all sources together")
    figure = published(row, quantity)
    if figure is not None:
        return point(*place, figure, link)
    if not quantity.corrected.n_coded_articles:
        return point(*place, quantity.naive, link)
    return point(*place, quantity.labelled, link) | {"low": None, "high": None, "few": 1}


def _share_drawing(profile: Profile, row: ProfileRow, variable: str) -> Drawing:
    points = [
        each
        for quantity in row.quantities
        if quantity.variable == variable and quantity.label is not None
        for each in _points(row, quantity.label, variable, quantity.label)
    ]
    group = ", ".join(profile.names(row))
    axis = Axis("share of mentions", from_zero(points))
    return Dots(tuple(points), _SERIES, axis, strong=_SERIES[0]).drawing(
        f"{group}: {variable}",
        f"Dots with 95 % intervals of the share of mentions per label of {variable}; "
        f"{_withheld(points)}",
    )


def _points(row: ProfileRow, name: str, variable: str, label: str | None) -> list[Point]:
    quantity = row.quantity(variable, label)
    link = evidence_link(group_filters(row) | ({variable: label} if label else {}))
    return [
        point(name, shown, getattr(quantity, attribute), link)
        for attribute, shown in ESTIMATES.items()
    ]


def _place(profile: Profile, row: ProfileRow) -> tuple[str | None, str]:
    """Panel and row of the chart that a group belongs to; no panel where it is not drawn."""
    *outer, last = profile.names(row)
    if not outer:
        return ("all voices" if row.voice == ALL_VOICES else f"{row.voice} voice"), last
    return (last if row.voice == _voice(profile) else None), ", ".join(outer)


def _voice(profile: Profile) -> str:
    """The author's voice where the profile has it, else all voices."""
    own = [row.voice for row in profile if row.voice != ALL_VOICES]
    return own[0] if own else ALL_VOICES


def _quantities(profile: Profile, *, is_mean: bool) -> list[tuple[str, str | None]]:
    known = dict.fromkeys((q.variable, q.label) for row in profile for q in row.quantities)
    return [(variable, label) for variable, label in known if (label is None) == is_mean]


def _withheld(points: list[Point]) -> str:
    n = sum(1 for p in points if p["value"] is None)
    return f"{n} estimates are withheld, and the table says why." if n else "none is withheld."


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
    return [_time_drawing(scored, column, titles or {}) for column in columns]


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


def _time_drawing(scored: pd.DataFrame, column: str, titles: Mapping[str, str]) -> Drawing:
    spots = []
    for (target, period), members in scored.groupby(["target", "period"], sort=True):
        figure = naive_mean(members[column], clusters(members))
        spot = {"target": titles.get(str(target), target), "period": period, "value": figure.value}
        spots.append(spot | {"low": figure.low, "high": figure.high, "n": len(members)})
    name = column.removesuffix(_SUFFIX)
    return Drawing(
        f"Mean {name} through time, model only",
        f"Mean {name} per period and target with 95 % intervals, not corrected for model error.",
        _time_chart(spots, name, list(titles.values())),
    )


def _time_chart(spots: list[dict[str, object]], name: str, order: list[str]) -> alt.Chart:
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


_FOLD_FROM = 12
"""Tables with more rows than this are folded on the page."""
_MOST_SHARE_PANELS = 6
_MOST_NAMED = 4


def profile_section(profile: Profile, title: str = "Profiles of the sources") -> Section:
    """Means and shares per group; every withheld figure says why."""
    shares = share_drawings(profile)
    said = profile.estimand, _correction(profile), gain_words(profile)
    tables = (
        _mean_table(profile),
        _draws(profile),
        _ranking(profile),
        _differences(profile),
        _share_table(profile),
    )
    return Section(
        title,
        tuple(filter(None, (*said, *_left_out(profile)))),
        tables=tuple(table for table in tables if table.rows),
        charts=chart_rows(
            mean_drawings(profile), shares if len(shares) <= _MOST_SHARE_PANELS else []
        ),
    )


def _correction(profile: Profile) -> str:
    if any(row.n_coded_articles for row in profile):
        return (
            "Publish “corrected”: the model's scores for all articles, mended by the labels of the "
            "coded ones, if these were drawn at random. “Labels only” leaves the model out. “Model "
            "only” keeps its errors, and its interval does not know them. Faint circles rest on "
            f"fewer than {MINIMUM_CODED} articles."
        )
    return (
        "No annotated article was given, so these are the model's means and shares, not corrected "
        "for model error; their intervals say how sure the mean score is, not how sure the stance."
    )


def _left_out(profile: Profile) -> tuple[str, ...]:
    left_out = "; ".join(f"{n} ({reason})" for reason, n in profile.left_out.items())
    not_predicted = ", ".join(profile.not_predicted)
    pooled = (
        "“Pooled” draws the mean of a source towards what its scores let expect, the more the "
        "fewer of its articles are coded."
    )
    return (
        pooled if profile.is_pooled else "",
        profile.gold and f"{capital(profile.gold)}.",
        left_out and f"Mentions left out: {left_out}.",
        not_predicted and f"Not predicted, so not estimated: {not_predicted}.",
    )


def _draws(profile: Profile) -> TableBlock:
    """How the coded articles were drawn, a row for all groups that share it."""
    rows = [row for row in profile if row.voice == ALL_VOICES and row.n_coded_articles]
    alike: dict[tuple[str, str], list[ProfileRow]] = {}
    for row in rows:
        alike.setdefault((row.drawn, _test_words(row)), []).append(row)
    lines = tuple(
        (
            _group_names(profile, members, len(rows)),
            _range([row.n_coded_articles for row in members]),
            _range([row.n_articles for row in members]),
            drawn,
            test,
        )
        for (drawn, test), members in alike.items()
    )
    columns = ("groups", "coded", "articles", "how they were drawn", "looks like it")
    return TableBlock("The draw", columns, lines)


def _test_words(row: ProfileRow) -> str:
    """The verdict on a draw, without the number of coded articles that stands beside it."""
    if row.verdict in (VALID, NOT_REFUTED):
        return "yes" if row.verdict == VALID else "yes; nobody recorded the draw"
    if row.is_refuted and row.randomness is not None and row.randomness.p_value is not None:
        return f"no (p = {short(row.randomness.p_value, sign=False)})"
    words = row.verdict.removeprefix("not valid: ").removeprefix("not tested: ")
    return (
        f"not tested: fewer than {MINIMUM_CODED}" if "needed" in words else f"not tested: {words}"
    )


def _group_names(profile: Profile, rows: Sequence[ProfileRow], n_groups: int) -> str:
    if len(rows) == n_groups and n_groups > 1:
        return f"all {n_groups}"
    named = "; ".join(", ".join(profile.names(row)) for row in rows[:_MOST_NAMED])
    rest = len(rows) - _MOST_NAMED
    return f"{named}; and {rest} more" if rest > 0 else named


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def _ranking(profile: Profile) -> TableBlock:
    rows = tuple(
        (
            _within(profile, ranking.group),
            ranking.voice,
            ranking.variable,
            _title(profile, ranking.column, entry.name),
            entry.rank or f"{entry.best} to {entry.worst}",
            entry.estimate,
        )
        for ranking in profile.rankings
        if ranking.label is None and len(ranking.entries) > 1
        for entry in ranking.entries
    )
    caption = "Ranks, as far as intervals that hold for all at once do not overlap"
    columns = ("among", "voice", "mean", "source", "rank, highest first", "corrected")
    return TableBlock(caption, columns, rows, is_folded=True)


def _differences(profile: Profile) -> TableBlock:
    rows = tuple(
        (
            _within(profile, one.group),
            one.voice,
            one.variable,
            f"{_title(profile, one.column, one.first)} minus "
            f"{_title(profile, one.column, one.second)}",
            one.estimate,
        )
        for one in profile.differences
        if one.label is None
    )
    columns = ("among", "voice", "mean", "difference", "corrected")
    return TableBlock("Differences of corrected means", columns, rows, is_folded=True)


def _within(profile: Profile, group: Mapping[str, str]) -> str:
    return ", ".join(_title(profile, column, value) for column, value in group.items())


def _title(profile: Profile, column: str, value: str) -> str:
    return profile.titles.get(value, value) if column == "target" else value


def _mean_table(profile: Profile) -> TableBlock:
    found = [(row, q) for row in profile for q in row.quantities if q.label is None]
    rows = [
        (
            *profile.names(row),
            row.voice,
            quantity.variable,
            row.n_mentions,
            row.n_articles,
            quantity.corrected.n_coded_articles,
            *_figures(quantity),
            *((quantity.pooled,) if profile.is_pooled else ()),
            verdict_words(profile, row, quantity),
        )
        for row, quantity in found
    ]
    counts = ("voice", "mean of", "mentions", "articles", "coded")
    pooled = ("pooled",) if profile.is_pooled else ()
    columns = (*_groups(profile), *counts, *ESTIMATES.values(), *pooled, "verdict")
    links = tuple(evidence_link(group_filters(row)) for row, _ in found)
    is_folded = len(rows) > _FOLD_FROM
    return TableBlock("Means", columns, tuple(rows), is_folded, links, ESTIMATES["corrected"])


def _share_table(profile: Profile) -> TableBlock:
    found = [(row, q) for row in profile for q in row.quantities if q.label is not None]
    rows = [
        (
            *profile.names(row),
            row.voice,
            f"{quantity.variable}: {quantity.label}",
            *_figures(quantity),
        )
        for row, quantity in found
    ]
    columns = (*_groups(profile), "voice", "share of", *ESTIMATES.values())
    links = tuple(evidence_link(group_filters(row)) for row, _ in found)
    return TableBlock("Shares", columns, tuple(rows), True, links, ESTIMATES["corrected"])


def _figures(quantity: Quantity) -> list[Estimate]:
    return [getattr(quantity, name) for name in ESTIMATES]


def _groups(profile: Profile) -> tuple[str, ...]:
    return tuple(profile.rows[0].group) if profile.rows else ()
