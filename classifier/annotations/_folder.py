"""Annotation sets in folders: read, checked line by line, written."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.annotations._table import (
    PROBLEMS,
    Annotation,
    AnnotationSet,
    Value,
    annotation_table,
    table_annotations,
)
from classifier.articles import article_from_record, article_record
from classifier.codebook import Codebook, Variable, default_codebook, read_codebook, write_codebook
from classifier.errors import DataError, in_words
from classifier.files import json_line, read_json, refuse_to_replace, write_json_lines, write_text
from classifier.records import Article, Problem, Span, counted

# Besides these, a line has a key for every variable of the codebook: a label, a list of labels for
# a set, null where it was not coded.
REQUIRED_KEYS = ("article_id", "start", "end", "target", "surface", "annotator")
OPTIONAL_KEYS = (
    "not_target",
    "comment",
    # who holds or voices the evaluation, as the text names them
    "speaker",
    # the words that carry the evaluation
    "evidence_start",
    "evidence_end",
    # of the text the offsets were counted in, for sets whose texts cannot be shared
    "text_sha256",
)
OLDER_LABEL = "label of an older codebook"
OFFSET_REASONS = ("offsets inverted", "offsets out of range", "surface does not match")
_TEXT_KEYS = ("article_id", "target", "surface")
_OPTIONAL_TEXT_KEYS = ("comment", "speaker", "text_sha256")


@dataclass(frozen=True)
class Row:
    """A line as it stands in the file, and what came of it."""

    where: str
    record: Mapping[str, Any]
    problems: tuple[Problem, ...]
    annotation: Annotation | None
    """None if there are problems."""


@dataclass(frozen=True)
class Scheme:
    """What a line is checked against."""

    codebook: Codebook
    articles: Mapping[str, Article]
    version: str | None = None
    """The version of the codebook the lines were coded by, if it is another."""

    def recode(self, variable: Variable, label: str) -> str | None:
        """What a label of an older version became, by the codebook's recode table."""
        if self.version is not None and self.version in self.codebook.recodes:
            return self.codebook.recodes[self.version].get(variable.name, {}).get(label)
        if label in variable.names:
            return None
        tables = [table.get(variable.name, {}) for table in self.codebook.recodes.values()]
        return next((table[label] for table in tables if label in table), None)


def check_record(record: object, where: str, scheme: Scheme) -> Row:
    """Check one line; all its problems are listed, not just the first."""
    if not isinstance(record, Mapping):
        problem = Problem(where, "not an object", f"a JSON object was required, got {record!r:.80}")
        return Row(where, {}, (problem,), None)
    problems = tuple(
        Problem(where, *found)
        for check in (_keys, _texts, _span, _target, _labels, _flag, _evidence)
        for found in check(record, scheme)
    )
    return Row(where, record, problems, None if problems else _annotation(record, scheme.codebook))


_Found = Iterator[tuple[str, str, str]]
"""Reason, detail and remedy of each problem."""


def _keys(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    missing = [key for key in REQUIRED_KEYS if key not in record]
    if missing:
        yield "key missing", f"required: {', '.join(REQUIRED_KEYS)}; missing: {missing}", ""
    variables = [variable.name for variable in scheme.codebook.variables]
    unknown = sorted(set(record) - {*REQUIRED_KEYS, *OPTIONAL_KEYS, *variables})
    if unknown:
        detail = f"the codebook has the variables {', '.join(variables)}; got {unknown}"
        yield "unknown variable", detail, "add it to the codebook or take it out of the line"


def _texts(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    for key in _TEXT_KEYS:
        if key in record and not _is_text(record[key]):
            yield "wrong type", f"{key} must be a non-empty string, got {record[key]!r}", ""
    for key in _OPTIONAL_TEXT_KEYS:
        if not isinstance(record.get(key), str | None):
            yield "wrong type", f"{key} must be a string or null, got {record[key]!r}", ""
    annotator = record.get("annotator", "")
    if "annotator" in record and not _is_text(annotator):
        yield (
            "no annotator",
            f"every row needs the name of a person or program, got {annotator!r}",
            "name who decided this",
        )
    article = scheme.articles.get(str(record.get("article_id")))
    if "article_id" in record and article is None:
        yield (
            "unknown article",
            f"{record['article_id']!r} is not in articles.jsonl",
            "add the article or take the row out",
        )
    sha256 = record.get("text_sha256")
    if article and isinstance(sha256, str) and sha256 != article.sha256:
        yield (
            "text changed",
            f"the row was made on a text with sha256 {sha256:.12}…, the article has "
            f"{article.sha256:.12}…",
            "fetch the text as it was",
        )


def _span(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    start, end = record.get("start"), record.get("end")
    if not (_is_offset(start) and _is_offset(end)):
        if "start" in record and "end" in record:
            yield "wrong type", f"start and end must be whole numbers, got {start!r}, {end!r}", ""
        return
    yield from _span_in_text(record, scheme.articles.get(str(record.get("article_id"))))


def _span_in_text(record: Mapping[str, Any], article: Article | None) -> _Found:
    start, end = record["start"], record["end"]
    if start >= end:
        yield "offsets inverted", f"start must be less than end, got {start} and {end}", ""
    elif start < 0 or (article and end > len(article.text)):
        length = len(article.text) if article else "?"
        yield "offsets out of range", f"the text has {length} characters, got {start}-{end}", _FIX
    elif article and isinstance(record.get("surface"), str):
        came, surface = article.text[start:end], record["surface"]
        if came != surface:
            detail = f"text[{start}:{end}] is {came!r:.80}, surface is {surface!r:.80}"
            yield "surface does not match", detail, _FIX


_FIX = "classifier check --fix finds the counting rule under which the surfaces match"


def _target(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    target = record.get("target")
    if _is_text(target) and not scheme.codebook.accepts_target(str(target)):
        known = ", ".join(scheme.codebook.target_names)
        yield "unknown target", f"the codebook has the targets {known}; got {target!r}", ""


def _labels(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    for variable in scheme.codebook.variables:
        value = record.get(variable.name)
        if value is None:
            continue
        is_set = variable.kind == "set"
        if not isinstance(value, list if is_set else str):
            wanted = "a list of labels" if is_set else "one label"
            yield "wrong type", f"{variable.name} must be {wanted} or null, got {value!r}", ""
            continue
        names = value if is_set else [value]
        for name in names:
            renamed = scheme.recode(variable, str(name))
            if renamed is not None:
                yield (
                    OLDER_LABEL,
                    f"{variable.name} {str(name)!r} is {renamed!r} in version "
                    f"{scheme.codebook.version}",
                    "classifier check --fix applies the codebook's recode table",
                )
            elif name not in variable.names:
                known = ", ".join(variable.names)
                yield "unknown label", f"{variable.name} has the labels {known}; got {name!r}", ""
        if len({str(name) for name in names}) < len(names):
            yield "label repeated", f"{variable.name} names a label twice: {names}", ""


def _flag(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    flag = record.get("not_target")
    if not isinstance(flag, bool | None):
        yield "wrong type", f"not_target must be true, false or null, got {flag!r}", ""


def _evidence(record: Mapping[str, Any], scheme: Scheme) -> _Found:
    start, end = record.get("evidence_start"), record.get("evidence_end")
    if start is None and end is None:
        return
    article = scheme.articles.get(str(record.get("article_id")))
    length = len(article.text) if article else math.inf
    is_whole = _is_offset(start) and _is_offset(end)
    if not is_whole or not 0 <= record["evidence_start"] < record["evidence_end"] <= length:
        detail = f"evidence_start and evidence_end must lie in the text, got {start!r}, {end!r}"
        yield "evidence out of range", detail, ""


def _annotation(record: Mapping[str, Any], codebook: Codebook) -> Annotation:
    evidence_start = record.get("evidence_start")
    return Annotation(
        article_id=record["article_id"],
        span=Span(record["start"], record["end"]),
        target=record["target"],
        surface=record["surface"],
        annotator=record["annotator"],
        labels={v.name: _value(record.get(v.name)) for v in codebook.variables},
        not_target=bool(record.get("not_target")),
        comment=record.get("comment") or None,
        speaker=record.get("speaker") or None,
        evidence=None if evidence_start is None else Span(evidence_start, record["evidence_end"]),
    )


def _value(value: str | list[str] | None) -> Value:
    return frozenset(value) if isinstance(value, list) else value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


ARTICLES, ANNOTATIONS, CODEBOOK = "articles.jsonl", "annotations.jsonl", "codebook.toml"
SUGGESTED = "suggested.json"
"""Per annotator `[labels suggested, of these unchanged]`; only there if a program suggested any."""
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

    Returns:
        The articles, a table of annotations and the codebook.

    Raises:
        DataError: anything in it is wrong; says how much, and shows the first problems.
        CodebookError: its codebook is malformed.

    >>> from classifier.codebook import shipped_annotations
    >>> read_annotations(shipped_annotations() / "sample")
    AnnotationSet: 240 articles, 2720 mentions, 5440 annotations by reader, writer, 853 curated
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
    return AnnotationSet(
        loaded.articles,
        table,
        loaded.scheme.codebook,
        folder=Path(folder),
        suggested=read_suggested(Path(folder)),
    )


def annotation_set_of(data: AnnotationSet | Path | str) -> AnnotationSet:
    """The set itself, or the one in a folder; raises as `read_annotations`."""
    return data if isinstance(data, AnnotationSet) else read_annotations(data)


def check(folder: Path | str, codebook: Codebook | None = None) -> list[Problem]:
    """Everything that is wrong with an annotation set, with file and line; none cut off.

    Args:
        folder: Holds articles.jsonl and annotations.jsonl.
        codebook: The codebook to check against; by default the folder's codebook.toml, and without
            one the shipped codebook.

    Returns:
        The problems in the order of the files; empty if there are none.

    Raises:
        CodebookError: the codebook is malformed.
    """
    return list(load(Path(folder), codebook).problems)


def write_annotations(
    annotation_set: AnnotationSet, folder: Path | str, *, force: bool = False
) -> None:
    """Write an annotation set that `read_annotations` reads back as it was.

    The folder may hold articles that nobody coded, such as `write_sample` leaves there. Raises
    `ReplaceError` if it holds annotations, and `force` is not set.
    """
    folder = Path(folder)
    refuse_to_replace(folder / ANNOTATIONS, force=force, rows="annotations")
    write_codebook(annotation_set.codebook, folder / CODEBOOK)
    write_json_lines(folder / ARTICLES, (article_record(a) for a in annotation_set.articles))
    write_json_lines(
        folder / ANNOTATIONS, (annotation_record(a) for a in table_annotations(annotation_set))
    )
    for name in (SUGGESTED, PROBLEMS):
        (folder / name).unlink(missing_ok=True)
    if annotation_set.suggested:
        write_text(folder / SUGGESTED, [json_line(dict(annotation_set.suggested)), "\n"])


def read_suggested(folder: Path) -> dict[str, tuple[int, int]]:
    """What `AnnotationSet.suggested` says of the set in a folder.

    Raises `DataError` if the file that holds it cannot be read.
    """
    path = folder / SUGGESTED
    if not path.is_file():
        return {}
    try:
        found = read_json(path)
        return {name: (int(n), int(unchanged)) for name, (n, unchanged) in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: [labels suggested, unchanged] per annotator was required: {in_words(error)}"
        ) from None


def check_nothing_is_lost(annotation_set: AnnotationSet, folder: Path | str) -> None:
    """Raise `DataError` if a folder holds what an annotator coded and the set lacks.

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
            f"{lost_articles} would, such as {article!r} by {annotator!r}: add further annotators "
            "with --into instead of --out, choose another folder, or replace those with --force "
            "(force=True in Python)"
        )


def _coded(path: Path) -> set[tuple[str, str]]:
    """Which article was coded by whom; a line that cannot be read counts as work too."""
    coded = set()
    for where, record, _ in json_lines(path):
        known = record if isinstance(record, Mapping) else {}
        coded.add((str(known.get("article_id", where)), str(known.get("annotator", ""))))
    return coded


def annotation_record(annotation: Annotation) -> dict[str, Any]:
    """A line of annotations.jsonl; the optional keys are there only if they say something."""
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
    for where, record, problem in json_lines(folder / ANNOTATIONS):
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
    for where, record, problem in json_lines(path):
        article = _article(record, where) if problem is None else problem
        if isinstance(article, Problem):
            problems.append(article)
        elif article.article_id in seen:
            detail = f"article_id {article.article_id!r} is taken by {seen[article.article_id]}"
            problems.append(Problem(where, "article repeated", detail, "give it an id of its own"))
        else:
            seen[article.article_id] = where
            yield article


def json_lines(path: Path) -> Iterator[tuple[str, object, Problem | None]]:
    """Place, record and fault of every line that is not blank; only a newline ends a line."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            where = f"{path.name}:{number}"
            if not line.strip():
                continue
            try:
                yield where, json.loads(line.decode("utf-8-sig")), None
            except UnicodeDecodeError as error:
                yield where, None, Problem(where, "not UTF-8", in_words(error), "save it as UTF-8")
            except (json.JSONDecodeError, RecursionError) as error:
                yield where, None, Problem(where, "broken JSON", in_words(error), "mend the line")


def _article(record: object, where: str) -> Article | Problem:
    if not isinstance(record, Mapping):
        return Problem(where, "not an object", f"a JSON object was required, got {record!r:.80}")
    try:
        return article_from_record(record)
    except DataError as error:
        return Problem(where, "malformed article", in_words(error), "mend the line")
