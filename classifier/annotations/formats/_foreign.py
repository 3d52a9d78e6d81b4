"""What every foreign format is read into, and which of several annotations of one task count."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from classifier.annotations._table import CURATED, LOST, Annotation, AnnotationSet, annotation_table
from classifier.annotations.formats._codes import Code, same_key
from classifier.codebook import Codebook, read_codebook
from classifier.errors import in_words
from classifier.notebook_html import frame_html, reasons
from classifier.records import Article, Problem

Found = Article | Annotation | Problem
"""What an importer yields, record by record."""


LOOKS_LIKE_LABELS = "column that looks like labels, not taken"
NAMED = ("source", "date", "title")
"""The fields of articles that exports call by many names."""


@dataclass(frozen=True, slots=True)
class LeftOut(Problem):
    """Labels of the export that are not in the set."""

    labels: int = 1
    """How many, where the export lets them be counted."""
    is_meant: bool = False
    """Whether it is as the annotators or the tool meant it: drafts, skipped tasks, older rows."""


@dataclass(frozen=True)
class Imported:
    """A foreign file as an annotation set, with everything that was repaired or refused."""

    annotation_set: AnnotationSet
    problems: tuple[Problem, ...]
    counts: Mapping[str, int]
    """Articles and annotations, other figures of the format, and problems by reason."""
    files: int = 1
    """How many files were read."""
    names_taken: Mapping[str, str] = field(default_factory=dict)
    """Which name of the export each of source, date and title was taken from, where it has one."""

    @property
    def lost(self) -> Mapping[str, int]:
        """Labels that nobody meant to leave out, by reason."""
        lost: Counter[str] = Counter()
        for problem in self.problems:
            if isinstance(problem, LeftOut) and problem.labels and not problem.is_meant:
                lost[problem.reason] += problem.labels
        return dict(lost)

    @property
    def listing(self) -> list[dict[str, Any]]:
        """The lines of problems.jsonl: what was left out, and what was told besides."""
        lines = []
        for one in self.problems:
            is_lost = isinstance(one, LeftOut) and one.labels and not one.is_meant
            lines.append({"what": LOST if is_lost else "told", **asdict(one)})
        return lines

    @property
    def summary(self) -> tuple[tuple[str, int | str], ...]:
        """What came in and what was set aside, a row for each figure."""
        people = self.annotation_set.annotators
        rows: list[tuple[str, int | str]] = [
            ("files", self.files),
            ("articles", len(self.annotation_set.articles)),
            ("annotators", ", ".join(people) or "none"),
            ("labels read", len(self.annotation_set.table)),
        ]
        table = self.annotation_set.table
        rows += [
            (f"of these with {variable.name}", int(table[variable.name].notna().sum()))
            for variable in self.annotation_set.codebook.variables
        ]
        if self.annotation_set.n_curated:
            rows.append(("of these curated", self.annotation_set.n_curated))
        rows.append(("labels lost", sum(self.lost.values())))
        rows += [(f"lost: {reason}", n) for reason, n in self.lost.items()]
        looks = [one.where for one in self.problems if one.reason == LOOKS_LIKE_LABELS]
        if looks:
            rows.append((f"{LOOKS_LIKE_LABELS}", ", ".join(looks)))
        told = ("articles", "annotations", LOOKS_LIKE_LABELS, *self.lost)
        rows += [(name, n) for name, n in self.counts.items() if name not in told]
        return (*rows, *((f"{name} taken from", self._origin(name)) for name in NAMED))

    def _origin(self, name: str) -> str:
        """Where a field of the articles came from: a name of the export, the set, or nowhere."""
        if name in self.names_taken:
            return self.names_taken[name]
        articles = self.annotation_set.articles
        if any(getattr(article, name) is not None for article in articles):
            return "the articles of the set"
        follows = ", so nothing can be counted by source" if name == "source" else ""
        return f"nowhere: no article has one{follows}"

    def to_frame(self) -> pd.DataFrame:
        """The annotations, a row each."""
        return self.annotation_set.to_frame()

    def __repr__(self) -> str:
        """What came in, and how much of it was repaired or refused."""
        return f"Imported {self.annotation_set!r}; {reasons(self.problems)}"

    def _repr_html_(self) -> str:
        named = ", ".join(f"{name}: {n}" for name, n in self.counts.items())
        return frame_html(self.to_frame().drop(columns=["unit"]), f"Imported {named};")


def shipped_codebook(name: str) -> Codebook:
    """The codebook of a published corpus, `classifier/formats/codebooks/<name>.toml`."""
    return read_codebook(Path(str(resources.files(__package__))) / "codebooks" / f"{name}.toml")


def imported(
    found: Iterable[Found],
    codebook: Codebook,
    counts: Mapping[str, int] | None = None,
    suggested: Mapping[str, tuple[int, int]] | None = None,
) -> Imported:
    """Put an import together and count it.

    A second row of one annotator on one mention is left out and listed.
    """
    articles: list[Article] = []
    annotations: dict[tuple[str, str], Annotation] = {}
    problems: list[Problem] = []
    for record in found:
        if isinstance(record, Article):
            articles.append(record)
        elif isinstance(record, Problem):
            problems.append(record)
        else:
            key = (record.unit, record.annotator)
            earlier = annotations.setdefault(key, record)
            if earlier is not record:
                problems.append(_repeat(record, earlier))
    table = annotation_table(annotations.values(), codebook)
    reasons = Counter(problem.reason for problem in problems)
    figures = {"articles": len(articles), "annotations": len(table), **(counts or {}), **reasons}
    coded = AnnotationSet(tuple(articles), table, codebook, suggested=suggested or {})
    return Imported(coded, tuple(problems), figures)


def _repeat(record: Annotation, earlier: Annotation) -> Problem:
    reason = "identical row, dropped" if record == earlier else "coded twice, first kept"
    detail = f"{record.annotator!r} coded this before as {dict(earlier.labels)}"
    told = f"{detail}; left out: {dict(record.labels)}"
    return LeftOut(record.unit, reason, told, is_meant=record == earlier)


def text_id(text: str) -> str:
    """An id for an article that came without one; equal texts share it."""
    return f"text-{Article('-', text).sha256[:12]}"


def whole_number(value: object) -> int | None:
    """An offset, also where a program wrote it as text or as 12.0; None where it is none.

    >>> whole_number("12"), whole_number(12.0), whole_number(12.5), whole_number(True)
    (12, 12, None, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    is_number = isinstance(value, str) and value.strip().isascii() and value.strip().isdecimal()
    return int(str(value)) if is_number else None


def is_span(value: object) -> bool:
    """Whether it looks like a labelled stretch: a pair of offsets with or without a label."""
    if isinstance(value, Mapping):
        return any(first in value and second in value for first, second in SPAN_KEYS)
    is_triple = isinstance(value, list | tuple) and len(value) in (2, 3)
    return is_triple and all(type(offset) is int for offset in value[:2])  # type: ignore[index]


SPAN_KEYS = (("start_offset", "end_offset"), ("start", "end"), ("begin", "end"))
"""What tools call the two offsets of a stretch."""


_NO_LABELS = ("tokens", "sents", "sentences")
"""Lists of stretches that a program made and that bear no label."""


def unread_spans(record: object, read: Collection[str], where: str) -> Iterator[Problem]:
    """A problem for every list of spans under a key that is not among those read, at any depth."""
    for path, spans in _span_lists(record, ""):
        if path not in read and path.rpartition(".")[2] not in _NO_LABELS:
            detail = f"{len(spans)} spans under {path!r}, such as {spans[0]!r:.80}"
            remedy = f"spans are read under {', '.join(sorted(read))}"
            reason = "spans under an unknown key, left out"
            yield LeftOut(where, reason, detail, remedy, labels=len(spans))


def n_spans(record: object) -> int:
    """How many spans a record has, under whatever keys."""
    return sum(len(spans) for _, spans in _span_lists(record, ""))


def _span_lists(value: object, path: str) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _span_lists(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        spans = [item for item in value if is_span(item) or _has_span(item)]
        if spans:
            yield path, spans
            return
        for inner in value:
            yield from _span_lists(inner, path)


def _has_span(item: object) -> bool:
    """Whether it holds a span as its value, as results of Label Studio do."""
    return (
        isinstance(item, Mapping)
        and isinstance(item.get("value"), Mapping)
        and is_span(item["value"])
    )


UNNAMED = "unnamed"
"""The annotator of regions that a tool stored without one."""


_CURATED_NAMES = {
    *(CURATED, "curation", "curation_user", "curator", "adjudicated", "adjudication"),
    *("adjudicator", "gold", "gold_standard", "ground_truth", "consensus"),
}


def person(name: object) -> str:
    """The annotator of that name; one name for whatever tools call adjudicated labels."""
    plain = str(name).strip()
    return CURATED if same_key(plain) in _CURATED_NAMES else plain


@dataclass(frozen=True, slots=True)
class Region:
    """A marked stretch with labels, offsets still as the tool counted them."""

    where: str
    key: str
    """Identifies the region for `Foreign.links`; unique in the file."""
    article_id: str
    annotator: str
    start: int
    end: int
    surface: str | None
    codes: tuple[Code, ...]
    comment: str | None = None
    speaker: str | None = None
    evidence: tuple[int, ...] | None = None
    """Start and end, counted as the region's are."""
    made: float | None = None
    """Seconds since 1970 when it was, if the file says so."""

    @property
    def stretch(self) -> tuple[str, str, int, int]:
        """Who marked which characters of what."""
        return self.article_id, self.annotator, self.start, self.end


class Link(NamedTuple):
    """Two regions that the annotator joined, by their keys, and what the relation is called."""

    first: str
    second: str
    label: str


@dataclass(frozen=True)
class Foreign:
    """A foreign file, read but not yet understood."""

    articles: tuple[Article, ...]
    regions: tuple[Region, ...]
    problems: tuple[Problem, ...] = ()
    links: tuple[Link, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    suggested: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """As `AnnotationSet.suggested`."""
    columns: tuple[str, ...] = ()
    """Fields that anybody may have added to a table, as it spells them; labels if named so."""


Record = Article | Region | Problem | Link
"""What a document consists of."""


def gather(documents: Iterable[Iterable[Record]], counts: dict[str, int] | None = None) -> Foreign:
    """Put documents together.

    A document may come once per annotator; one with another text than before is refused.
    """
    articles: dict[str, Article] = {}
    found: list[Record] = []
    for number, document in enumerate(documents, 1):
        records = read_document(document, f"document {number}")
        clash = _clash(records, articles)
        found += [clash] if clash else records
    return Foreign(
        tuple(articles.values()),
        tuple(record for record in found if isinstance(record, Region)),
        tuple(record for record in found if isinstance(record, Problem)),
        tuple(record for record in found if isinstance(record, Link)),
        counts or {},
    )


def read_document(document: Iterable[Record], name: str) -> list[Record]:
    """The document's records; a document that is not built as its format says is refused."""
    try:
        return list(document)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        return [LeftOut(name, "document unreadable, refused", in_words(error))]


def _clash(records: Iterable[Record], articles: dict[str, Article]) -> Problem | None:
    for article in (record for record in records if isinstance(record, Article)):
        if articles.setdefault(article.article_id, article).text != article.text:
            labels = [r for r in records if isinstance(r, Region)]
            place = labels[0].where if labels else article.article_id
            detail = f"{article.article_id!r} had another text before; {len(labels)} labels refused"
            reason = "texts differ between annotators, refused"
            return LeftOut(place, reason, detail, labels=len(labels))
    return None


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
        found[id(rival)] = LeftOut(
            rival.where,
            reason if is_apart else "annotated again, older one left out",
            f"{detail}; {rival.n_labels} labels of {_stamp(rival.record)!r} left out",
            labels=rival.n_labels,
            is_meant=True,
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
