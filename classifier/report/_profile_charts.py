"""Charts of profiles, whose marks lead to the sentences behind them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from classifier.profiles import ALL_VOICES, Plan, Profile, ProfileRow, Quantity, published
from classifier.records import ALL
from classifier.report._drawing import (
    PALETTE,
    Axis,
    Dots,
    Drawing,
    Point,
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
    return [drawing for variable, _ in means for drawing in _means(profile, variable)]


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
        _shares(profile, row, variable)
        for variable in variables
        for row in profile
        if row.voice == _voice(profile)
    ]


def _means(profile: Profile, variable: str) -> list[Drawing]:
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
    return Dots(tuple(points), series, axis, _TARGET_COLOURS, strong).drawing(
        f"Mean {variable}, {kind}",
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


def _shares(profile: Profile, row: ProfileRow, variable: str) -> Drawing:
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
