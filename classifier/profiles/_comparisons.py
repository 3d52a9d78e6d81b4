"""Differences between sources and over time, and rankings as far as intervals allow."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from classifier.intervals import corrected_terms, difference, simultaneous
from classifier.profiles._results import Difference, ProfileRow, Quantity, Ranked, Ranking
from classifier.profiles._table import (
    TIMES,
    ProfileOptions,
    clusters,
    column_of_gold,
    scores_of,
)
from classifier.profiles._verdict import Draw
from classifier.records import UNKNOWN, Estimate

RANKED = "source"


@dataclass(frozen=True)
class Group:
    """A row of the profile with the mentions it was made from."""

    row: ProfileRow
    members: pd.DataFrame
    draw: Draw
    scales: Mapping[tuple[str, str | None], tuple[float, float]]
    """Per variable and label, between which numbers its figures lie."""


def compare(groups: Sequence[Group], options: ProfileOptions) -> Iterator[Difference]:
    """Corrected differences between groups that differ in one column only.

    Periods are compared with the one before, everything else in pairs. Groups that fail the test
    of randomness, or have no corrected figure, are not compared.
    """
    sound = [group for group in groups if not group.row.is_refuted]
    for column in options.by:
        for rest, alike in _alike(sound, column).items():
            # Pairs of what nobody coded, by the million where sources are many, compare nothing.
            figured = [group for group in alike if _has_figure(group)]
            pairs = pairwise(alike) if column in TIMES else combinations(figured, 2)
            for earlier, later in pairs:
                first, second = (later, earlier) if column in TIMES else (earlier, later)
                yield from _differences(column, dict(rest), first, second, options)


def rank(groups: Sequence[Group], options: ProfileOptions) -> Iterator[Ranking]:
    """Sources by each corrected mean, with simultaneous intervals; overlapping ones unranked."""
    if RANKED not in options.by:
        return
    for rest, alike in _alike(groups, RANKED).items():
        for example in alike[0].row.quantities:
            if example.label is None or options.compare_shares:
                yield _ranking(dict(rest), alike, example)


def _has_figure(group: Group) -> bool:
    return any(quantity.corrected.value is not None for quantity in group.row.quantities)


def _alike(groups: Sequence[Group], column: str) -> dict[tuple[tuple[str, str], ...], list[Group]]:
    """Groups, in order, that have everything but one column in common."""
    found: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in groups:
        row = group.row
        if column in TIMES and row.group[column] == UNKNOWN:
            continue
        rest = {name: value for name, value in row.group.items() if name != column}
        found.setdefault((*rest.items(), ("", row.voice)), []).append(group)
    return found


def _differences(
    column: str, rest: Mapping[str, str], first: Group, second: Group, options: ProfileOptions
) -> Iterator[Difference]:
    for one, two in zip(first.row.quantities, second.row.quantities, strict=True):
        wanted = one.label is None or options.compare_shares
        if not wanted or one.corrected.value is None or two.corrected.value is None:
            continue
        yield Difference(
            column,
            first.row.group[column],
            second.row.group[column],
            {name: value for name, value in rest.items() if name},
            first.row.voice,
            one.variable,
            one.label,
            _difference(first, second, (one.corrected, two.corrected), one, options),
        )


def _difference(
    first: Group,
    second: Group,
    figures: tuple[Estimate, Estimate],
    quantity: Quantity,
    options: ProfileOptions,
) -> Estimate:
    low, high = first.scales[quantity.variable, quantity.label]
    covariance = _covariance(first, second, quantity, options)
    return within(difference(*figures, covariance=covariance), low - high, high - low)


def within(estimate: Estimate, low: float, high: float) -> Estimate:
    """The estimate cut off at the ends of its scale: no share is below 0."""
    if estimate.value is None:
        return estimate
    ends = (
        None if end is None else float(np.clip(end, low, high))
        for end in (estimate.value, estimate.low, estimate.high)
    )
    value, bottom, top = ends
    return replace(estimate, value=value, low=bottom, high=top)


def _covariance(first: Group, second: Group, quantity: Quantity, options: ProfileOptions) -> float:
    """Of two corrected means, from the stories that both groups have a part in."""
    if not set(clusters(first.members)) & set(clusters(second.members)):
        return 0.0
    one, two = (_terms(group, quantity, options) for group in (first, second))
    return sum(one[name] * two[name] for name in one.keys() & two.keys())


def _terms(group: Group, quantity: Quantity, options: ProfileOptions) -> dict[object, float]:
    members, sampling = group.members, group.draw.sampling(group.members)
    return corrected_terms(
        scores_of(members, (quantity.variable, quantity.label), sampling, options.inference),
        members[column_of_gold(quantity.variable, quantity.label)],
        members["article_id"],
        sampling=sampling,
        options=options.inference,
    )


def _ranking(rest: Mapping[str, str], alike: Sequence[Group], example: Quantity) -> Ranking:
    figures: dict[str, Estimate] = {}
    left_out: dict[str, str] = {}
    for group in alike:
        row, name = group.row, group.row.group[RANKED]
        estimate = row.quantity(example.variable, example.label).corrected
        if row.is_refuted:
            left_out[name] = row.verdict
        elif estimate.low is None:
            is_ok = estimate.status == "ok"
            left_out[name] = estimate.interval_status if is_ok else estimate.status
        else:
            figures[name] = estimate
    ends = alike[0].scales[example.variable, example.label]
    together = (within(estimate, *ends) for estimate in simultaneous(list(figures.values())))
    wide = dict(zip(figures, together, strict=True))
    entries = [_ranked(name, wide) for name in wide]
    return Ranking(
        RANKED,
        {name: value for name, value in rest.items() if name},
        alike[0].row.voice,
        example.variable,
        example.label,
        tuple(sorted(entries, key=lambda entry: -(entry.estimate.value or 0.0))),
        left_out,
    )


def _ranked(name: str, figures: Mapping[str, Estimate]) -> Ranked:
    own = figures[name]
    higher = sum(_is_above(other, own) for other in figures.values())
    lower = sum(_is_above(own, other) for other in figures.values())
    return Ranked(name, own, best=1 + higher, worst=len(figures) - lower)


def _is_above(one: Estimate, other: Estimate) -> bool:
    return one.low is not None and other.high is not None and one.low > other.high
