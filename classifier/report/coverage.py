"""What was read and what was not: articles, languages, zones, copies, mentions without a score."""

from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd

from classifier.predictions import OK, named
from classifier.records import PROFILE_ZONES, UNKNOWN, Article, Problem
from classifier.report.document import Section, TableBlock


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
