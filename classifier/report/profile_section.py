"""What a report says about sources: means, shares, differences, ranks, and what they rest on."""

from collections import Counter
from collections.abc import Iterable

from classifier.profiles import ALL_VOICES, VALID, Profile, Quantity
from classifier.records import Estimate
from classifier.report.document import Section, TableBlock
from classifier.report.drawing import chart_rows
from classifier.report.links import evidence_link, group_filters
from classifier.report.profile_charts import ESTIMATES, mean_drawings, share_drawings

_ESTIMATES = dict(reversed(ESTIMATES.items()))
_FOLD_FROM = 12
"""Tables with more rows than this are folded on the page."""
_MOST_SHARE_PANELS = 6


def profile_section(profile: Profile, title: str = "Profiles of the sources") -> Section:
    """Means and shares per group; every withheld figure says why."""
    shares = share_drawings(profile)
    tables = (_means(profile), _ranks(profile), _differences(profile), _shares(profile))
    return Section(
        title,
        tuple(filter(None, (profile.estimand, _correction(profile), *_limits(profile)))),
        tuple(table for table in tables if table.rows),
        chart_rows(mean_drawings(profile), shares if len(shares) <= _MOST_SHARE_PANELS else []),
    )


def _correction(profile: Profile) -> str:
    if any(row.n_coded_articles for row in profile):
        return (
            "“Corrected” combines the model's scores for all articles with the annotators' labels "
            "for some (prediction-powered inference, clustered by article or story); it assumes "
            "that those articles were drawn at random. “Labels only” uses the labels alone. “Model "
            "only” is not corrected for model error, and its interval leaves that error out."
        )
    return (
        "No annotated article was given, so these are the model's means and shares, not corrected "
        "for model error; their intervals say how sure the mean score is, not how sure the stance."
    )


def _limits(profile: Profile) -> tuple[str, ...]:
    """How the coded articles were drawn, what is withheld, and what is left out."""
    rows = [row for row in profile if row.voice == ALL_VOICES and row.n_coded_articles]
    drawn = _counted(row.drawn for row in rows)
    verdicts = _counted(row.verdict for row in rows if row.verdict != VALID)
    withheld = _counted(
        quantity.corrected.status.split(":")[0]
        for row in profile
        for quantity in row.quantities
        if quantity.label is None and row.n_coded_articles and quantity.corrected.value is None
    )
    left_out = "; ".join(f"{n} ({reason})" for reason, n in profile.left_out.items())
    not_predicted = ", ".join(profile.not_predicted)
    return (
        drawn and f"How the coded articles were drawn, by group: {drawn}.",
        verdicts and f"Groups whose corrected figures need care: {verdicts}.",
        withheld and f"Corrected means that are withheld, by reason: {withheld}.",
        left_out and f"Mentions left out: {left_out}.",
        not_predicted and f"Not predicted, so not estimated: {not_predicted}.",
    )


def _counted(reasons: Iterable[str]) -> str:
    counts = Counter(reason for reason in reasons if reason)
    return "; ".join(f"{reason} ({n})" for reason, n in counts.most_common())


def _ranks(profile: Profile) -> TableBlock:
    rows = tuple(
        (
            ", ".join(ranking.group.values()),
            ranking.voice,
            ranking.variable,
            entry.name,
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
            ", ".join(one.group.values()),
            one.voice,
            one.variable,
            f"{one.first} minus {one.second}",
            one.estimate,
        )
        for one in profile.differences
        if one.label is None
    )
    columns = ("among", "voice", "mean", "difference", "corrected")
    return TableBlock("Differences of corrected means", columns, rows, is_folded=True)


def _means(profile: Profile) -> TableBlock:
    found = [(row, q) for row in profile for q in row.quantities if q.label is None]
    rows = [
        (
            *row.group.values(),
            row.voice,
            row.n_mentions,
            row.n_articles,
            row.n_coded_articles,
            quantity.variable,
            *_figures(quantity),
            row.verdict if row.n_coded_articles else None,
        )
        for row, quantity in found
    ]
    counts = ("voice", "mentions", "articles", "coded", "variable")
    columns = (*_groups(profile), *counts, *_ESTIMATES.values(), "verdict")
    links = tuple(evidence_link(group_filters(row)) for row, _ in found)
    return TableBlock("Means", columns, tuple(rows), len(rows) > _FOLD_FROM, links)


def _shares(profile: Profile) -> TableBlock:
    found = [(row, q) for row in profile for q in row.quantities if q.label is not None]
    rows = [
        (
            *row.group.values(),
            row.voice,
            f"{quantity.variable}: {quantity.label}",
            *_figures(quantity),
        )
        for row, quantity in found
    ]
    columns = (*_groups(profile), "voice", "share of", *_ESTIMATES.values())
    links = tuple(evidence_link(group_filters(row)) for row, _ in found)
    return TableBlock("Shares", columns, tuple(rows), is_folded=True, links=links)


def _figures(quantity: Quantity) -> list[Estimate]:
    return [getattr(quantity, name) for name in _ESTIMATES]


def _groups(profile: Profile) -> tuple[str, ...]:
    return tuple(profile.rows[0].group) if profile.rows else ()
