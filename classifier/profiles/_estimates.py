"""How each source frames each target: means and shares, their differences and their order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.intervals import (
    OneSource,
    corrected_mean,
    corrected_terms,
    difference,
    labelled_mean,
    naive_mean,
    pooled_means,
    simultaneous,
)
from classifier.profiles._results import (
    ALL_VOICES,
    CROSS_FITTED,
    Difference,
    Profile,
    ProfileRow,
    Quantity,
    Ranked,
    Ranking,
)
from classifier.profiles._table import (
    IS_FALSE,
    TIMES,
    ProfileOptions,
    check_columns,
    check_gold,
    clusters,
    column_of_gold,
    estimated,
    gold_column,
    is_predicted,
    labels_of,
    n_predictors,
    scale,
    score_column,
    scores_of,
    select_mentions,
    with_columns,
    with_labels,
)
from classifier.profiles._verdict import Draw, describe_draw, judge_draw
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
            figured = [
                group
                for group in alike
                if any(quantity.corrected.value is not None for quantity in group.row.quantities)
            ]
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
    *columns, sampling = _columns(group, quantity, options)
    return corrected_terms(*columns, sampling=sampling, options=options.inference)


def _columns(group: Group, quantity: Quantity, options: ProfileOptions) -> OneSource:
    """What corrects a quantity of a group: scores, labels, articles, and how these were drawn."""
    members, sampling = group.members, group.draw.sampling(group.members)
    name = (quantity.variable, quantity.label)
    return OneSource(
        scores_of(members, name, sampling, options.inference),
        members[column_of_gold(*name)],
        members["article_id"],
        sampling,
    )


def pool(groups: Sequence[Group], options: ProfileOptions) -> list[Group]:
    """The groups with their means drawn towards those of the other sources, beside the others.

    Sources that have all else in common are pooled: target, month, voice. A group that fails the
    test of randomness, or whose chances are not known, stays out.
    """
    if RANKED not in options.by:
        return list(groups)
    sound = [g for g in groups if not g.row.is_refuted and not g.draw.problem]
    made: dict[tuple[int, int], Estimate] = {}
    for alike in _alike(sound, RANKED).values():
        if not any(group.row.n_coded_articles for group in alike):
            continue
        for place, example in enumerate(alike[0].row.quantities):
            if example.label is not None:
                continue
            sources = [_columns(group, example, options) for group in alike]
            low, high = alike[0].scales[example.variable, None]
            found = pooled_means(sources, options=options.inference)
            for group, estimate in zip(alike, found, strict=True):
                made[id(group), place] = within(estimate, low, high)
    return [
        replace(
            group,
            row=replace(
                group.row,
                quantities=tuple(
                    replace(quantity, pooled=made.get((id(group), place)))
                    for place, quantity in enumerate(group.row.quantities)
                ),
            ),
        )
        for group in groups
    ]


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


def profile_sources(
    predictions: pd.DataFrame,
    codebook: Codebook,
    *,
    gold: pd.DataFrame | None = None,
    chances: Mapping[str, float] | None = None,
    options: ProfileOptions | None = None,
) -> Profile:
    """Estimate the mean of each ordinal variable and the share of each role, per group and voice.

    Args:
        predictions: One row per mention, columns as scoring writes them. A variable that they do
            not know is left out.
        codebook: The codebook under which they were made.
        gold: Adjudicated labels, one row per unit, for some of the articles; if these were not
            all drawn with the same chance, with the column `sampling_probability`. Without gold
            every figure is the model's alone and marked as such.
        chances: The same for all articles that could have been drawn, by article id: where chances
            were unequal, the test of how the coded articles were drawn needs them.
        options: Groups, zones, estimand. Groups may be by `year` or `month` of the date.

    Raises `DataError` if the predictions lack a column, or every coded article.
    """
    options = with_columns(predictions, options or ProfileOptions())
    check_columns(predictions, codebook, options)
    check_gold(predictions, gold)
    kept, left_out = select_mentions(predictions, codebook, gold, options)
    table = with_labels(kept, codebook, gold, chances)
    variables = [v for v in estimated(codebook) if is_predicted(v, predictions)]
    unpooled = [
        group
        for key, members in _in_order(table, codebook, options)
        for group in _groups(
            dict(zip(options.by, map(str, key), strict=True)), members, codebook, variables, options
        )
    ]
    groups = pool(unpooled, options)
    return Profile(
        tuple(group.row for group in groups),
        _estimand(options, n_predictors(predictions)),
        left_out,
        differences=tuple(compare(groups, options)),
        rankings=tuple(rank(groups, options)),
        not_predicted=tuple(v.name for v in estimated(codebook) if v not in variables),
        titles={target.name: target.title for target in codebook.targets},
    )


def _in_order(
    table: pd.DataFrame, codebook: Codebook, options: ProfileOptions
) -> list[tuple[tuple[object, ...], pd.DataFrame]]:
    """Groups, targets as the codebook has them and all else by the alphabet, whatever the case."""
    places = {name: i for i, name in enumerate(codebook.target_names)}

    def place(group: tuple[tuple[object, ...], pd.DataFrame]) -> list[tuple[int, str, str]]:
        pairs = zip(options.by, map(str, group[0]), strict=True)
        return [
            (places.get(name, len(places)) if column == "target" else 0, name.casefold(), name)
            for column, name in pairs
        ]

    return sorted(table.groupby(list(options.by), sort=False), key=place)


def _groups(
    key: Mapping[str, str],
    members: pd.DataFrame,
    codebook: Codebook,
    variables: list[Variable],
    options: ProfileOptions,
) -> Iterator[Group]:
    """A group in the author's own voice and in all voices."""
    draw = describe_draw(members, variables)
    verdict, randomness = judge_draw(members, variables, draw, options.seed)
    scales = {(v.name, label): scale(v, label) for v in variables for label in labels_of(v)}
    for voice, part in _by_voice(members, codebook):
        quantities = tuple(
            _quantity(variable, label, part, draw, options)
            for variable in variables
            for label in labels_of(variable)
        )
        row = ProfileRow(
            key,
            voice,
            n_mentions=int((~part[IS_FALSE]).sum()),
            n_articles=part["article_id"].nunique(),
            n_coded_articles=max(q.corrected.n_coded_articles for q in quantities),
            quantities=quantities,
            verdict=verdict,
            drawn=draw.words,
            randomness=randomness,
        )
        if row.is_refuted:
            row = replace(row, quantities=tuple(_noted(q, verdict) for q in quantities))
        yield Group(row, part, draw, scales)


def _quantity(
    variable: Variable,
    label: str | None,
    members: pd.DataFrame,
    draw: Draw,
    options: ProfileOptions,
) -> Quantity:
    articles = members["article_id"]
    coded = members[gold_column(variable, label)]
    sampling = draw.sampling(members)
    true = members[~members[IS_FALSE]]
    inference = replace(options.inference, is_share=label is not None)
    scores = scores_of(members, (variable.name, label), sampling, inference)
    corrected = corrected_mean(scores, coded, articles, sampling=sampling, options=inference)
    if draw.problem and corrected.n_coded_articles:
        corrected = Estimate(
            None,
            draw.problem,
            n_items=corrected.n_items,
            n_articles=corrected.n_articles,
            n_coded_articles=corrected.n_coded_articles,
            method=corrected.method,
            confidence=corrected.confidence,
        )
    if draw.is_cross_fitted:
        corrected = replace(corrected, method=f"{corrected.method}; {CROSS_FITTED}")
    low, high = scale(variable, label)
    estimates = (
        naive_mean(
            true[score_column(variable, label)],
            true["article_id"],
            sampling=replace(draw, chances=None).sampling(true),
            options=options.inference,
        ),
        labelled_mean(coded, articles, sampling=sampling, options=inference),
        corrected,
    )
    return Quantity(variable.name, label, *(within(e, low, high) for e in estimates))


def _noted(quantity: Quantity, note: str) -> Quantity:
    corrected = quantity.corrected
    return replace(quantity, corrected=replace(corrected, notes=(*corrected.notes, note)))


def _by_voice(members: pd.DataFrame, codebook: Codebook) -> Iterator[tuple[str, pd.DataFrame]]:
    if codebook.has_variable("voice"):
        author = codebook.variable("voice").counterpart("rules", "rest")
        own = members[members["voice"] == author]
        if len(own):
            yield author, own
    yield ALL_VOICES, members


def _estimand(options: ProfileOptions, n: int) -> str:
    weight = "mention" if options.inference.estimand == "mention" else "article"
    population = (
        "in what the source writes in general"
        if options.inference.population == "source"
        else "in exactly these articles"
    )
    several = "" if n == 1 else f" {n} predictors correct together; the first is “model only”."
    return (
        f"Mean over all mentions found in {', '.join(options.zones)}, "
        f"every {weight} counting alike, "
        f"{population}." + several
    )
