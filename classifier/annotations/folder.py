"""Annotation sets on disk: articles.jsonl, annotations.jsonl, mostly a codebook.toml."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.annotations.rows import Row, Scheme, check_record
from classifier.annotations.table import (
    Annotation,
    AnnotationSet,
    annotation_table,
    table_annotations,
)
from classifier.articles import article_from_record, article_record
from classifier.codebook import Codebook, default_codebook, read_codebook, write_codebook
from classifier.errors import DataError
from classifier.files import write_json_lines
from classifier.records import Article, Problem, counted

ARTICLES, ANNOTATIONS, CODEBOOK = "articles.jsonl", "annotations.jsonl", "codebook.toml"
IDENTICAL = "identical row"
_SHOWN = 3


@dataclass(frozen=True)
class Loaded:
    """An annotation folder as it stands, faults and all."""

    articles: tuple[Article, ...]
    rows: tuple[Row, ...]
    scheme: Scheme
    article_problems: tuple[Problem, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in the order of the files."""
        return self.article_problems + tuple(p for row in self.rows for p in row.problems)


def read_annotations(folder: Path | str, codebook: Codebook | None = None) -> AnnotationSet:
    """Read and check an annotation set.

    Args:
        folder: holds articles.jsonl and annotations.jsonl.
        codebook: the codebook to check against; by default the folder's codebook.toml, and without
            one the shipped codebook.

    Raises:
        DataError: anything in it is wrong; says how much, and shows the first problems.
        CodebookError: its codebook is malformed.

    >>> from classifier.codebook import shipped_annotations
    >>> read_annotations(shipped_annotations() / "sample")
    AnnotationSet: 240 articles, 2720 mentions, 5440 annotations by reader, writer
    """
    loaded = load(Path(folder), codebook)
    problems = loaded.problems
    if problems:
        shown = "; ".join(f"{p.where}: {p.reason}: {p.detail}" for p in problems[:_SHOWN])
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise DataError(
            f"{folder}: an annotation set without faults was required, got "
            f"{counted(len(problems), 'problem')}: {shown}{more}; classifier check lists all, "
            "and with --fix mends what can be mended"
        )
    table = annotation_table(
        (row.annotation for row in loaded.rows if row.annotation), loaded.scheme.codebook
    )
    return AnnotationSet(loaded.articles, table, loaded.scheme.codebook)


def annotation_set_of(data: AnnotationSet | Path | str) -> AnnotationSet:
    """The set itself, or the one in a folder; raises as `read_annotations`."""
    return data if isinstance(data, AnnotationSet) else read_annotations(data)


def check_annotations(folder: Path | str, codebook: Codebook | None = None) -> list[Problem]:
    """Everything that is wrong with an annotation set, with file and line; none cut off."""
    return list(load(Path(folder), codebook).problems)


def write_annotations(annotation_set: AnnotationSet, folder: Path | str) -> None:
    """Write an annotation set that `read_annotations` reads back as it was."""
    folder = Path(folder)
    write_codebook(annotation_set.codebook, folder / CODEBOOK)
    write_json_lines(folder / ARTICLES, (article_record(a) for a in annotation_set.articles))
    write_json_lines(
        folder / ANNOTATIONS, (annotation_record(a) for a in table_annotations(annotation_set))
    )


def check_nothing_is_lost(annotation_set: AnnotationSet, folder: Path | str) -> None:
    """Raise `DataError` where a folder holds what an annotator coded and the set lacks.

    Compared are pairs of article and annotator: writing the set there would delete such work.
    """
    path = Path(folder) / ANNOTATIONS
    table = annotation_set.table
    kept = set(zip(table["article_id"], table["annotator"], strict=True))
    coded = _coded(path) if path.is_file() else set()
    if lost := sorted(coded - kept):
        article, annotator = lost[0]
        lost_articles = counted(len({name for name, _ in lost}), "article")
        raise DataError(
            f"{folder}: a folder is required where nobody's annotations would be lost; those of "
            f"{lost_articles} would, such as {article!r} by {annotator!r}: choose another folder, "
            f"or delete {ANNOTATIONS} there"
        )


def _coded(path: Path) -> set[tuple[str, str]]:
    """Which article was coded by whom; a line that cannot be read counts as work too."""
    coded = set()
    for where, record, _ in _json_lines(path):
        known = record if isinstance(record, Mapping) else {}
        coded.add((str(known.get("article_id", where)), str(known.get("annotator", ""))))
    return coded


def annotation_record(annotation: Annotation) -> dict[str, Any]:
    """A line of annotations.jsonl; the optional keys are there only where they say something."""
    span, evidence = annotation.span, annotation.evidence
    record: dict[str, Any] = {
        "article_id": annotation.article_id,
        "start": span.start,
        "end": span.end,
        "target": annotation.target,
        "surface": annotation.surface,
        "annotator": annotation.annotator,
    }
    for name, value in annotation.labels.items():
        record[name] = sorted(value) if isinstance(value, frozenset) else value
    record |= {"not_target": annotation.not_target, "comment": annotation.comment}
    if annotation.speaker is not None:
        record["speaker"] = annotation.speaker
    if evidence is not None:
        record |= {"evidence_start": evidence.start, "evidence_end": evidence.end}
    return record


def load(folder: Path, codebook: Codebook | None = None) -> Loaded:
    """Read an annotation set and keep its faults beside it.

    Raises:
        DataError: the folder or one of its two files is not there.
        CodebookError: its codebook is malformed.
    """
    for name in (ARTICLES, ANNOTATIONS):
        if not (folder / name).is_file():
            raise DataError(f"{folder}: an annotation set needs {name}, none was found")
    own = read_codebook(folder / CODEBOOK) if (folder / CODEBOOK).is_file() else None
    codebook = codebook or own or default_codebook()
    problems: list[Problem] = []
    articles = tuple(_articles(folder / ARTICLES, problems))
    by_id = {article.article_id: article for article in articles}
    version = own.version if own and own.version != codebook.version else None
    scheme = Scheme(codebook, by_id, version)
    rows = []
    for where, record, problem in _json_lines(folder / ANNOTATIONS):
        if problem:
            rows.append(Row(where, {}, (problem,), None))
        else:
            rows.append(check_record(record, where, scheme))
    return Loaded(articles, tuple(without_repeats(rows)), scheme, tuple(problems))


def without_repeats(rows: Iterable[Row]) -> Iterator[Row]:
    """Refuse the second and later rows of one annotator on one mention."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.annotation is None:
            yield row
            continue
        key = (row.annotation.unit, row.annotation.annotator)
        earlier = first.setdefault(key, row)
        if earlier is row:
            yield row
            continue
        yield Row(row.where, row.record, (_repeat(row, earlier),), None)


def _repeat(row: Row, earlier: Row) -> Problem:
    detail = f"annotator and mention are those of {earlier.where}"
    if row.annotation == earlier.annotation:
        return Problem(row.where, IDENTICAL, detail, "classifier check --fix drops it")
    return Problem(row.where, "coded twice", f"{detail}, the labels differ", "keep one of the two")


def _articles(path: Path, problems: list[Problem]) -> Iterator[Article]:
    seen: dict[str, str] = {}
    for where, record, problem in _json_lines(path):
        article = _article(record, where) if problem is None else problem
        if isinstance(article, Problem):
            problems.append(article)
        elif article.article_id in seen:
            detail = f"article_id {article.article_id!r} is taken by {seen[article.article_id]}"
            problems.append(Problem(where, "article repeated", detail, "give it an id of its own"))
        else:
            seen[article.article_id] = where
            yield article


def _json_lines(path: Path) -> Iterator[tuple[str, object, Problem | None]]:
    """Place, record and fault of every line that is not blank; only a newline ends a line."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{path.name}:{number}"
            if not line.strip():
                continue
            try:
                yield where, json.loads(line.decode("utf-8-sig")), None
            except UnicodeDecodeError as error:
                yield where, None, Problem(where, "not UTF-8", str(error), "save it as UTF-8")
            except (json.JSONDecodeError, RecursionError) as error:
                yield where, None, Problem(where, "broken JSON", str(error), "mend the line")


def _article(record: object, where: str) -> Article | Problem:
    if not isinstance(record, Mapping):
        return Problem(where, "not an object", f"a JSON object was required, got {record!r:.80}")
    try:
        return article_from_record(record)
    except DataError as error:
        return Problem(where, "malformed article", str(error), "mend the line")
