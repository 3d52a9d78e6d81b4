"""Whole annotations of one person on one task: the newest counts, and the older ones are listed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from classifier.annotations.formats._foreign import UNNAMED, Record, Region, read_document
from classifier.records import Article, Problem

STAMPS = ("updated_at", "created_at", "_timestamp", "timestamp")
"""Under which names tools say when something was annotated, the best first."""


@dataclass(frozen=True)
class Turn:
    """One annotation of a task: what a later one of the same person replaces as a whole."""

    where: str
    file: str
    task: tuple[str, ...]
    """Begins with the article's id; the same for all annotations that replace each other."""
    annotator: str
    record: Mapping[str, Any]
    """As the tool wrote it, with the time it was made."""
    n_labels: int


def older(turns: Iterable[Turn]) -> dict[int, Problem]:
    """Turns that a newer one of the same person and task replaces, by their identity.

    Newer is what was made later, or what comes later where one of them does not say when.
    """
    newest: dict[tuple[tuple[str, ...], str], Turn] = {}
    found: dict[int, Problem] = {}
    for turn in turns:
        # two unnamed annotations need not be one person's
        if turn.annotator == UNNAMED:
            continue
        key = (turn.task, turn.annotator)
        rival = newest.get(key)
        newest[key] = turn
        if rival is None:
            continue
        if is_newer(made(rival.record), made(turn.record)):
            newest[key], rival = rival, turn
        is_apart = rival.file != newest[key].file
        reason = "task in two exports, older annotation left out"
        detail = f"{turn.annotator!r} annotated it again: {newest[key].where}"
        found[id(rival)] = Problem(
            rival.where,
            reason if is_apart else "annotated again, older one left out",
            f"{detail}; {rival.n_labels} labels of {_stamp(rival.record)!r} left out",
        )
    return found


def newest_of(
    documents: Iterable[tuple[Turn | None, Iterable[Record]]],
) -> Iterator[Iterable[Record]]:
    """The documents, those that a newer one replaces with their article and why only."""
    known = list(documents)
    replaced = older(turn for turn, _ in known if turn is not None)
    for turn, records in known:
        problem = replaced.get(id(turn))
        if problem is None:
            yield records
        else:
            yield [*(record for record in records if isinstance(record, Article)), problem]


def turn_of(
    records: Iterable[Record], record: Mapping[str, Any], where: str, task: str, annotator: str
) -> tuple[Turn | None, list[Record]]:
    """The records of a document as one turn; None where no article was read."""
    found = read_document(records, where)
    article = next((one for one in found if isinstance(one, Article)), None)
    if article is None:
        return None, found
    n = sum(isinstance(one, Region) for one in found)
    file = where.rpartition(":")[0]
    identity = (article.article_id, article.sha256, task)
    return Turn(where, file, identity, annotator, record, n), found


def is_newer(first: float | None, later: float | None) -> bool:
    """Whether what comes first was made after what comes later."""
    return first is not None and later is not None and first > later


def _stamp(record: Mapping[str, Any]) -> object:
    return next((record[name] for name in STAMPS if record.get(name) not in (None, "")), "")


def made(record: Mapping[str, Any]) -> float | None:
    """Seconds since 1970, of an ISO date or a number; None for anything else.

    >>> made({"created_at": "1970-01-01T00:01:00Z"}), made({"_timestamp": 5}), made({})
    (60.0, 5.0, None)
    """
    stamp = _stamp(record)
    try:
        return float(str(stamp))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(str(stamp).replace("Z", "+00:00"))
    except ValueError:
        return None
    # without a zone all dates of a file are taken to be in the same one
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
