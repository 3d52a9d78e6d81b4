"""How each source frames each target: shares and means with intervals that survive the model."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.intervals import corrected_mean, labelled_mean, naive_mean
from classifier.profiles._comparisons import Group, compare, rank, within
from classifier.profiles._results import ALL_VOICES, CROSS_FITTED, Profile, ProfileRow, Quantity
from classifier.profiles._table import (
    IS_FALSE,
    ProfileOptions,
    check_columns,
    check_gold,
    estimated,
    gold_column,
    is_predicted,
    labels_of,
    n_predictors,
    scale,
    score_column,
    scores_of,
    select_mentions,
    with_labels,
)
from classifier.profiles._verdict import Draw, describe_draw, judge_draw
from classifier.records import Estimate


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
        gold: Adjudicated labels, one row per unit, for some of the articles; where these were not
            all drawn with the same chance, with the column `sampling_probability`. Without gold
            every figure is the model's alone and marked as such.
        chances: The same for all articles that could have been drawn, by article id: where chances
            were unequal, the test of how the coded articles were drawn needs them.
        options: Groups, zones, estimand. Groups may be by `year` or `month` of the date.

    Raises `DataError` where the predictions lack a column, or every coded article.
    """
    options = options or ProfileOptions()
    check_columns(predictions, codebook, options)
    check_gold(predictions, gold)
    kept, left_out = select_mentions(predictions, codebook, gold, options)
    table = with_labels(kept, codebook, gold, chances)
    variables = [v for v in estimated(codebook) if is_predicted(v, predictions)]
    groups = [
        group
        for key, members in _in_order(table, codebook, options)
        for group in _groups(
            dict(zip(options.by, map(str, key), strict=True)), members, codebook, variables, options
        )
    ]
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
        corrected = _withheld(corrected, draw.problem)
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


def _withheld(estimate: Estimate, reason: str) -> Estimate:
    return Estimate(
        None,
        reason,
        n_items=estimate.n_items,
        n_articles=estimate.n_articles,
        n_coded_articles=estimate.n_coded_articles,
        method=estimate.method,
        confidence=estimate.confidence,
    )


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
