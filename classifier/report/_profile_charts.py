"""Charts of profiles, whose marks lead to the sentences behind them."""

from collections.abc import Mapping
from urllib.parse import urlencode

from classifier.profiles import ALL_VOICES, Plan, Profile, ProfileRow
from classifier.report._drawing import (
    Axis,
    Dots,
    Drawing,
    Point,
    counted_point,
    dot_chart,
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
        Drawing(
            f"{variable}: articles to code for an interval of ± {plan.half_width:g}",
            "Articles that are coded and that are needed in all, per group.",
            dot_chart(Dots(tuple(points), tuple(_PLANNED.values()), Axis("articles"))),
        )
        for variable, points in panels.items()
    ]


def share_drawings(profile: Profile) -> list[Drawing]:
    """One chart per set variable and group, with a row per label."""
    variables = dict.fromkeys(variable for variable, _ in _quantities(profile, is_mean=False))
    return [
        _shares(row, variable)
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
        Drawing(
            f"{panel}: mean {variable}",
            f"Dots with 95 % intervals of mean {variable}; {_withheld(points)}",
            dot_chart(Dots(tuple(points), _SERIES, axis)),
        )
        for panel, points in panels.items()
    ]


def _shares(row: ProfileRow, variable: str) -> Drawing:
    points = [
        each
        for quantity in row.quantities
        if quantity.variable == variable and quantity.label is not None
        for each in _points(row, quantity.label, variable, quantity.label)
    ]
    group = ", ".join(row.group.values())
    axis = Axis("share of mentions", from_zero(points))
    return Drawing(
        f"{group}: {variable}",
        f"Dots with 95 % intervals of the share of mentions per label of {variable}; "
        f"{_withheld(points)}",
        dot_chart(Dots(tuple(points), _SERIES, axis)),
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
    *outer, last = row.group.values()
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
