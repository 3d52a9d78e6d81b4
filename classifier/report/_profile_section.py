"""The section of the page that shows profiles, and what they cover."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from classifier.intervals import MINIMUM_CODED
from classifier.notebook_html import short
from classifier.predictions import OK, named
from classifier.profiles import (
    ALL_VOICES,
    NOT_REFUTED,
    VALID,
    Profile,
    ProfileRow,
    Quantity,
    verdict_words,
)
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
        _problems(problems),
    )
    return Section(
        "What was read, and what was not",
        (" ".join(_sentences(predictions, articles)),),
        tables=tuple(table for table in tables if table.rows),
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
        for source in sorted({*read, *mentions}, key=lambda name: (name.casefold(), name))
    ]
    columns = ("source", "articles read", "naming a target", "mentions", "scored", "from", "to")
    return TableBlock("By source", columns, tuple(rows), is_folded=True)


def _problems(problems: Sequence[Problem]) -> TableBlock:
    counts = Counter(problem.reason for problem in problems)
    rows = tuple(counts.most_common())
    return TableBlock("Not read, or repaired on reading", ("reason", "n"), rows)


def _date(dates: pd.DataFrame, source: str, end: str) -> str | None:
    value = dates[end].get(source)
    return value if isinstance(value, str) else None


def _counts(caption: str, name: str, values: Iterable[object]) -> TableBlock:
    counts = Counter(value if isinstance(value, str) else UNKNOWN for value in values)
    return TableBlock(caption, (name, "n"), tuple(counts.most_common()), is_folded=True)


_FOLD_FROM = 12
"""Tables with more rows than this are folded on the page."""
_MOST_SHARE_PANELS = 6
_MOST_NAMED = 4


def profile_section(profile: Profile, title: str = "Profiles of the sources") -> Section:
    """Means and shares per group; every withheld figure says why."""
    shares = share_drawings(profile)
    tables = (
        _means(profile),
        _draws(profile),
        _ranking(profile),
        _differences(profile),
        _shares(profile),
    )
    return Section(
        title,
        tuple(filter(None, (profile.estimand, _correction(profile), *_left_out(profile)))),
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
    return (
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


def _means(profile: Profile) -> TableBlock:
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
            verdict_words(profile, row, quantity),
        )
        for row, quantity in found
    ]
    counts = ("voice", "mean of", "mentions", "articles", "coded")
    columns = (*_groups(profile), *counts, *ESTIMATES.values(), "verdict")
    links = tuple(evidence_link(group_filters(row)) for row, _ in found)
    is_folded = len(rows) > _FOLD_FROM
    return TableBlock("Means", columns, tuple(rows), is_folded, links, ESTIMATES["corrected"])


def _shares(profile: Profile) -> TableBlock:
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
