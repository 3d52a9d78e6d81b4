"""The section of the page that shows profiles, and what they cover."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from classifier.predictions import OK, named
from classifier.profiles import ALL_VOICES, VALID, Profile, Quantity
from classifier.records import PROFILE_ZONES, UNKNOWN, Article, Estimate, Problem
from classifier.report._document import Section, TableBlock
from classifier.report._drawing import chart_rows
from classifier.report._profile_charts import (
    ESTIMATES,
    evidence_link,
    group_filters,
    mean_drawings,
    share_drawings,
)


def coverage_section(
    predictions: pd.DataFrame, articles: Sequence[Article] = (), problems: Sequence[Problem] = ()
) -> Section:
    """Counts of everything that came in, and of what entered no estimate."""
    tables = (
        _by_source(predictions, articles),
        _counts("Mentions by status", "status", predictions["status"]),
        _counts("Mentions by zone", "zone", predictions["zone"]),
        _counts("Mentions by language", "language", predictions["language"]),
        _counts("Mentions by voice", "voice", predictions["voice"]),
        _counts("Not read, or repaired on reading", "reason", [p.reason for p in problems]),
    )
    return Section(
        "What was read, and what was not",
        tuple(_sentences(predictions, articles)),
        tuple(table for table in tables if table.rows),
    )


def _sentences(predictions: pd.DataFrame, articles: Sequence[Article]) -> Iterable[str]:
    mentioned = set(predictions["article_id"])
    unscored = int((predictions["status"] != OK).sum())
    yield (
        f"{len(predictions)} mentions of the targets were found in {len(mentioned)} articles; "
        f"{unscored} of them could not be scored."
    )
    silent = [a for a in articles if a.article_id not in mentioned]
    if articles:
        yield f"{len(articles)} articles were read; {len(silent)} of them name no target."
    if "story_id" in predictions:
        stories = predictions.drop_duplicates("article_id")["story_id"].dropna()
        copies = int(stories.duplicated().sum())
        yield (
            f"{copies} articles tell a story that another one tells too, such as wire copies; "
            "the intervals of the profiles count a story once."
        )
    zones = ", ".join(PROFILE_ZONES)
    yield f"Only mentions in {zones} enter the profiles."


def _by_source(predictions: pd.DataFrame, articles: Sequence[Article]) -> TableBlock:
    read = Counter(article.source or UNKNOWN for article in articles)
    found = predictions.assign(source=named(predictions["source"]))
    mentions = found["source"].value_counts().to_dict()
    scored = found.loc[found["status"] == OK, "source"].value_counts().to_dict()
    naming = found.groupby("source")["article_id"].nunique().to_dict()
    dates = found.groupby("source")["date"].agg(["min", "max"])
    rows = [
        (
            source,
            read[source] if articles else None,
            naming.get(source, 0),
            mentions.get(source, 0),
            scored.get(source, 0),
            *(_date(dates, source, end) for end in ("min", "max")),
        )
        for source in sorted({*read, *mentions})
    ]
    columns = ("source", "articles read", "naming a target", "mentions", "scored", "from", "to")
    return TableBlock("By source", columns, tuple(rows))


def _date(dates: pd.DataFrame, source: str, end: str) -> str | None:
    value = dates[end].get(source)
    return value if isinstance(value, str) else None


def _counts(caption: str, name: str, values: Iterable[object]) -> TableBlock:
    counts = Counter(value if isinstance(value, str) else UNKNOWN for value in values)
    return TableBlock(caption, (name, "n"), tuple(counts.most_common()))


_ESTIMATES = dict(reversed(ESTIMATES.items()))
_FOLD_FROM = 12
"""Tables with more rows than this are folded on the page."""
_MOST_SHARE_PANELS = 6


def profile_section(profile: Profile, title: str = "Profiles of the sources") -> Section:
    """Means and shares per group; every withheld figure says why."""
    shares = share_drawings(profile)
    tables = (_means(profile), _ranking(profile), _differences(profile), _shares(profile))
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


def _ranking(profile: Profile) -> TableBlock:
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
