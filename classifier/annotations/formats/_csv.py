"""Plain CSV: a row per mention and annotator; the article's text in it or in a second table.

A coding sheet is such a table with the mentions filled in and the labels empty.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations._table import (
    CURATED,
    USUAL,
    AnnotationSet,
    annotation_table,
    table_annotations,
)
from classifier.annotations.formats._codes import (
    NOT_TARGET,
    TARGET,
    Code,
    encode_values,
    predicted_annotations,
    same_key,
)
from classifier.annotations.formats._files import read_table, read_text, table_text
from classifier.annotations.formats._foreign import (
    STAMPS,
    Foreign,
    LeftOut,
    Record,
    Region,
    gather,
    made,
    person,
    text_id,
    unread_spans,
)
from classifier.annotations.formats._records import parsed
from classifier.articles import article_from_record, article_record, given_id, is_other_name
from classifier.codebook import write_codebook
from classifier.errors import DataError
from classifier.files import plain_stem, plain_suffix, write_sheet_rows, write_text
from classifier.records import Article, Problem, Span
from classifier.text import split_sentences

ARTICLES, ANNOTATIONS = "articles.csv", "annotations.csv"
_SUFFIXES = (".csv", ".tsv", ".xlsx")
_JOIN = "|"
_REQUIRED = ("start", "end")
SENTENCE = "sentence"
"""The column by which a coding sheet is known: what people read to label the mention."""
_PLACE = ("unit", "article_id", "start", "end", "surface", "annotator", "comment", "speaker")
_WHO = (
    *("coder", "rater", "annotator_id", "annotator_name", "labeller", "labeler", "username"),
    *("user", "annotated_by", "coded_by", "labelled_by", "labeled_by"),
)
_USUAL = {
    "annotator": _WHO,
    **{name: USUAL[name] for name in ("start", "end", "surface")},
    # an id may be that of the row, and a country that of the newspaper
    "article_id": tuple(name for name in USUAL["article_id"] if name != "id"),
    "target": ("entity", "target_name"),
}
"""Other names of columns. A name that says more than one thing is not among them."""
_MAY_BE_NA = {"annotator", *_WHO, "comment", "speaker"}
_CURATED_COLUMNS = ("curated", "adjudicated", "ground_truth")
_YES = ("1", "1.0", "true", "yes", "x")
_EVIDENCE = ("evidence_start", "evidence_end")
TABLE_COLUMNS = (*_PLACE[1:], *_EVIDENCE, *_CURATED_COLUMNS, TARGET, NOT_TARGET, "text")
"""Columns that do not depend on the codebook; case does not count."""


def write_csv(
    annotation_set: AnnotationSet, path: Path, predictions: pd.DataFrame | None = None
) -> None:
    """Write a folder with articles.csv, annotations.csv and the codebook.

    A set's labels are joined by |, and `none_of_these` says that none applies; an empty cell says
    that nothing was coded. Texts that a spreadsheet would run as a formula begin with an
    apostrophe, which reading takes off again.
    """
    records = [article_record(article) for article in annotation_set.articles]
    columns = list(article_record(Article("-", "")))
    articles = table_text(columns, ([record[name] for name in columns] for record in records))
    codebook = annotation_set.codebook
    predicted = (a for a, _ in predicted_annotations(predictions, codebook))
    table = annotation_table([*table_annotations(annotation_set), *predicted], codebook)
    shown = table.drop(columns="unit")
    rows = (map(_cell, row) for row in shown.itertuples(index=False))
    write_text(path / ARTICLES, [articles])
    write_text(path / ANNOTATIONS, [table_text(list(shown), rows)])
    write_codebook(codebook, path / "codebook.toml")


def is_sheet(path: Path) -> bool:
    """Whether the path is that of a coding sheet rather than of a folder."""
    return path.suffix.lower() in _SUFFIXES


def write_sheet(
    annotation_set: AnnotationSet,
    path: Path,
    mentions: pd.DataFrame | None = None,
    annotator: str = "",
) -> None:
    """Write a coding sheet: a row per mention, with an empty cell for each variable.

    Args:
        annotation_set: Whose articles to code. What is annotated there is listed, but no label.
        path: A .csv or .xlsx file.
        mentions: Further mentions, with the columns `article_id, start, end, target, surface`.
        annotator: Who will fill it in; empty leaves the cells to them.

    Raises:
        DataError: there is no mention, or openpyxl is not installed.
    """
    known = [annotation_set.table[_MENTION_COLUMNS]]
    known += [] if mentions is None or mentions.empty else [mentions[_MENTION_COLUMNS]]
    listed = pd.concat(known).drop_duplicates(["article_id", "start", "end", "target"])
    if listed.empty:
        raise DataError("a coding sheet needs mentions, but these articles name no target")
    names = [variable.name for variable in annotation_set.codebook.variables]
    columns = [*_MENTION_COLUMNS, SENTENCE, *names, NOT_TARGET, "comment", "annotator"]
    place = {article.article_id: i for i, article in enumerate(annotation_set.articles)}
    rows = sorted(
        listed.itertuples(index=False, name=None), key=lambda row: (place[row[0]], *row[1:3])
    )
    sentences = Sentences(annotation_set.article_by_id)
    blank = [None] * (len(names) + 2)
    cells = [[*row, sentences.around(*row[:3]), *blank, annotator or None] for row in rows]
    if path.suffix.lower() == ".xlsx":
        write_sheet_rows(path, columns, cells)
    else:
        # the mark tells a spreadsheet that this is UTF-8
        write_text(path, ["\ufeff", table_text(columns, cells)])


_MENTION_COLUMNS = ["article_id", "start", "end", "target", "surface"]


class Sentences:
    """The sentences of articles, each article split once."""

    def __init__(self, articles: Mapping[str, Article]) -> None:
        """Take the articles, by id."""
        self._articles = articles
        self._split: dict[str, list[Span]] = {}

    def around(self, article_id: str, start: int, end: int) -> str:
        """What people read around a mention: its sentence on one line, the mention in brackets."""
        article = self._articles[article_id]
        if article_id not in self._split:
            self._split[article_id] = split_sentences(article.text, article.language)
        own = [s for s in self._split[article_id] if s.start < end and start < s.end]
        low, high = (own[0].start, own[-1].end) if own else (start, end)
        text, low, high = article.text, min(low, start), max(high, end)
        marked = f"{text[low:start]}[[{text[start:end]}]]{text[end:high]}"
        return " ".join(marked.split())


def _cell(value: object) -> object:
    if isinstance(value, frozenset):
        return _JOIN.join(encode_values(value))
    if isinstance(value, bool):
        return json.dumps(value)
    return None if value is pd.NA else value


def read_csv(
    path: Path, columns: Mapping[str, str] | None = None, known: Sequence[Article] = ()
) -> Foreign:
    """Read a folder with annotations.csv and articles.csv, or files with a column `text`.

    Each may be an .xlsx or .tsv instead. `columns` leads from their names to ours. `known` are the
    articles of tables that hold no texts, such as coding sheets.
    """
    columns = columns or {}
    if not path.is_dir():
        return _read_file(path, columns, known)
    own = _beside(path, ANNOTATIONS)
    if own.is_file():
        return _read_file(own, columns, known)
    found = (f for f in path.rglob("*") if plain_suffix(f) in _SUFFIXES and f.name[0] not in ".~")
    files = sorted(file for file in found if plain_stem(file) != Path(ARTICLES).stem)
    if not files:
        raise DataError(
            f"{path}: {ANNOTATIONS} or other .csv or .xlsx files were required, none was found"
        )
    read = [_read_file(file, columns, known) for file in files]
    foreign = gather(document for one in read for document in _documents(one))
    fields = tuple(dict.fromkeys(name for one in read for name in one.columns))
    return replace(foreign, columns=fields)


def _beside(folder: Path, name: str) -> Path:
    """The table of that name as a CSV, else as another kind of table."""
    kinds = [*_SUFFIXES, *(f"{suffix}.gz" for suffix in _SUFFIXES)]
    found = ((folder / name).with_suffix(kind) for kind in kinds)
    return next((path for path in found if path.is_file()), folder / name)


def _documents(foreign: Foreign) -> Iterator[list[Record]]:
    """What one file holds, article by article, so that one with another text costs no other."""
    regions: dict[str, list[Region]] = defaultdict(list)
    for region in foreign.regions:
        regions[region.article_id].append(region)
    for article in foreign.articles:
        yield [article, *regions.pop(article.article_id, [])]
    yield [*foreign.problems, *(region for own in regions.values() for region in own)]


def _read_file(file: Path, given: Mapping[str, str], known: Sequence[Article]) -> Foreign:
    rows = [(where, _without_na(row)) for where, row in read_table(read_text(file), file.name)]
    problems: list[Problem] = []
    rows = _under_our_names(rows, file.name, given, problems)
    columns = set(rows[0][1]) if rows else set()
    missing = [name for name in _REQUIRED if rows and name not in columns]
    if missing:
        blanks = "; its tabs seem to have become blanks" if _is_one_column(columns) else ""
        raise DataError(
            f"{file}: the columns start and end are required, missing: {missing}{blanks}; "
            "--column THEIRS=start tells which one it is"
        )
    articles = _texts(file, rows, known, problems)
    fields = [name for name in rows[0][1] if _is_code(name)] if rows else []
    if SENTENCE in columns:
        rows, blank = _filled_in(rows, fields, file.name)
        problems += blank
    texts = articles if "text" in columns else {}
    found = [_region(where, row, fields, plain_stem(file), texts) for where, row in rows]
    for where, row in rows:
        cells = {name: parsed(cell) for name, cell in row.items()}
        problems += unread_spans(cells, ("rows of their own, with start and end",), where)
    if rows and "annotator" not in columns:
        detail = f"no column annotator: all rows are by {plain_stem(file)!r}, the file's name"
        problems.append(Problem(file.name, "no annotator, named after the file", detail))
    regions = tuple(r for r in found if isinstance(r, Region))
    problems += [r for r in found if isinstance(r, Problem)]
    return Foreign(tuple(articles.values()), regions, tuple(problems), columns=tuple(fields))


def _without_na(row: dict[str, Any]) -> dict[str, Any]:
    """The row with R's NA as nothing where a person or a remark is named; labels are told later."""
    return {
        name: None if value == "NA" and same_key(name) in _MAY_BE_NA else value
        for name, value in row.items()
    }


def _under_our_names(
    rows: list[tuple[str, dict[str, Any]]],
    file: str,
    given: Mapping[str, str],
    problems: list[Problem],
) -> list[tuple[str, dict[str, Any]]]:
    """The rows with the columns that have another name of ours, or another case, under ours."""
    header = list(rows[0][1]) if rows else []
    keys = {same_key(name): name for name in reversed(header)}
    unmet = [theirs for theirs in given if same_key(theirs) not in keys]
    if header and unmet:
        found = ", ".join(header)
        raise DataError(f"{file}: a column {unmet[0]!r} was required (--column), got {found}")
    names = {keys[same_key(theirs)]: ours for theirs, ours in given.items()} if header else {}
    for ours in TABLE_COLUMNS:
        if ours in keys and ours not in names.values():
            names.setdefault(keys[ours], ours)
    for ours, usual in _USUAL.items():
        theirs = next((keys[name] for name in usual if name in keys), None)
        if theirs is not None and theirs not in names and ours not in names.values():
            names[theirs] = ours
            detail = f"the column {theirs!r} was read as {ours}"
            problems.append(Problem(file, "column interpreted", detail))
    if all(theirs == ours for theirs, ours in names.items()):
        return rows
    # a name that somebody gave goes before a column of that name
    gone = set(names.values()) - set(names)
    return [
        (where, {names.get(c, c): v for c, v in row.items() if c in names or c not in gone})
        for where, row in rows
    ]


def _texts(
    file: Path,
    rows: list[tuple[str, dict[str, Any]]],
    known: Sequence[Article],
    problems: list[Problem],
) -> dict[str, Article]:
    """The articles, by id: in the rows, in a second table, or those that are known."""
    articles: dict[str, Article] = {}
    beside = _beside(file.parent, ARTICLES)
    if rows and "text" in rows[0][1]:
        _collect(((w, _with_id(row)) for w, row in rows), articles, problems)
    elif beside.is_file():
        _collect(read_table(read_text(beside), beside.name), articles, problems)
    elif known:
        return {article.article_id: article for article in known}
    elif rows:
        raise DataError(
            f"{file}: the articles' texts are required: a column text, an {ARTICLES} beside it, or "
            "the annotation set that the sheet was made from (--out or --into); none was found"
        )
    return articles


def _filled_in(
    rows: list[tuple[str, dict[str, Any]]], fields: list[str], name: str
) -> tuple[list[tuple[str, dict[str, Any]]], list[Problem]]:
    """The rows of a coding sheet that somebody filled in, and how many are still empty."""
    labels = [field for field in fields if field != TARGET]
    kept = [row for row in rows if any(row[1][label] for label in labels)]
    n_blank = len(rows) - len(kept)
    if not n_blank:
        return kept, []
    detail = f"{n_blank} of {len(rows)} rows have no label yet"
    remedy = "fill them in and import the sheet again, or leave them uncoded"
    return kept, [Problem(name, "mentions not coded yet", detail, remedy)]


def _is_one_column(columns: Collection[str]) -> bool:
    """Whether a header of several words was read as one column."""
    return len(columns) == 1 and len(next(iter(columns)).split()) > 1


def _with_id(row: dict[str, Any]) -> dict[str, Any]:
    """The row with an id for its article: its own, or one that equal texts share."""
    given = given_id(row)
    row["article_id"] = text_id(row.get("text") or "") if given is None else given
    return row


def _collect(
    rows: Iterator[tuple[str, dict[str, Any]]],
    articles: dict[str, Article],
    problems: list[Problem],
) -> None:
    for where, row in rows:
        try:
            article = article_from_record(row | {"text": row.get("text") or ""})
        except DataError as error:
            problems.append(Problem(where, "malformed article, refused", str(error)))
            continue
        earlier = articles.setdefault(article.article_id, article)
        if earlier.text != article.text:
            detail = f"article {article.article_id!r} has another text in an earlier row"
            problems.append(Problem(where, "article with two texts, first kept", detail))


_ARTICLE_FIELDS = frozenset(article_record(Article("-", "")))


def _is_code(column: str) -> bool:
    own = (*_PLACE, SENTENCE, *_EVIDENCE, *_CURATED_COLUMNS, *STAMPS, "id")
    is_of_article = column in _ARTICLE_FIELDS or is_other_name(column)
    return column in (TARGET, NOT_TARGET) or not (column in own or is_of_article)


def _region(
    where: str,
    row: Mapping[str, Any],
    fields: list[str],
    stem: str,
    known: Mapping[str, Article],
) -> Region | Problem:
    article = known.get(str(given_id(row)))
    if article is not None and article.text != (row["text"] or ""):
        detail = f"{article.article_id!r} has another text in an earlier row"
        remedy = "give each text an id of its own"
        return LeftOut(where, "label on another text of its article, refused", detail, remedy)
    start, end = _offset(row["start"]), _offset(row["end"])
    if start is None or end is None:
        detail = f"whole numbers were required, got {row['start']!r} and {row['end']!r}"
        return LeftOut(where, "offsets broken, refused", detail)
    annotator = row.get("annotator", stem)
    if not annotator:
        detail = "every row needs the name of a person or program"
        return LeftOut(where, "no annotator, refused", detail, "name who decided this")
    evidence = [_offset(row.get(name)) for name in _EVIDENCE]
    return Region(
        where=where,
        key=where,
        article_id=str(given_id(row)),
        annotator=CURATED if _is_curated(row) else annotator,
        start=start,
        end=end,
        surface=row.get("surface"),
        codes=tuple(code for field in fields for code in _codes(field, row[field])),
        comment=row.get("comment"),
        speaker=row.get("speaker"),
        evidence=None if None in evidence else (evidence[0] or 0, evidence[1] or 0),
        made=made(row),
    )


def _is_curated(row: Mapping[str, Any]) -> bool:
    marks = (str(row.get(name) or "").strip().casefold() for name in _CURATED_COLUMNS)
    return person(row.get("annotator")) == CURATED or any(mark in _YES for mark in marks)


def _codes(field: str, cell: str | None) -> Iterator[Code]:
    if cell is None:
        return
    parts = [cell] if field == TARGET else re.split(r"[|;,]", cell)
    yield from ((field, part.strip()) for part in parts if part.strip())


def _offset(cell: str | None) -> int | None:
    """A whole number, as spreadsheets write it too: 12 or 12.0."""
    match = re.fullmatch(r"(\d+)(?:[.,]0*)?", (cell or "").strip())
    return int(match[1]) if match else None
