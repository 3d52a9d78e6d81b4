"""Plain CSV: a row per mention and annotator; the article's text in it or in a second table.

A coding sheet is such a table with the mentions filled in and the labels empty.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations._table import (
    CURATED,
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
)
from classifier.annotations.formats._files import read_table, read_text, table_text
from classifier.annotations.formats._foreign import (
    STAMPS,
    Foreign,
    Record,
    Region,
    gather,
    made,
    person,
    text_id,
)
from classifier.articles import article_from_record, article_record, given_id, is_other_name
from classifier.codebook import write_codebook
from classifier.errors import DataError
from classifier.files import write_sheet_rows, write_text
from classifier.records import Article, Problem, Span
from classifier.text import split_sentences

ARTICLES, ANNOTATIONS = "articles.csv", "annotations.csv"
_SUFFIXES = (".csv", ".xlsx")
_JOIN = "|"
_REQUIRED = ("start", "end")
SENTENCE = "sentence"
"""The column by which a coding sheet is known: what people read to label the mention."""
_PLACE = ("unit", "article_id", "start", "end", "surface", "annotator", "comment", "speaker")
_WHO = ("coder", "rater", "annotator_id", "annotator_name", "labeller", "labeler", "username")
"""Other names of the column with who decided."""
_CURATED_COLUMNS = ("curated", "adjudicated", "ground_truth")
_YES = ("1", "1.0", "true", "yes", "x")
_EVIDENCE = ("evidence_start", "evidence_end")


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


def read_csv(path: Path, known: Sequence[Article] = ()) -> Foreign:
    """Read a folder with annotations.csv and articles.csv, or files with a column `text`.

    Each may be an .xlsx instead. `known` are the articles of tables that hold no texts, such as
    coding sheets.
    """
    if not path.is_dir():
        return _read_file(path, known)
    own = _beside(path, ANNOTATIONS)
    if own.is_file():
        return _read_file(own, known)
    found = (file for suffix in _SUFFIXES for file in path.glob(f"*{suffix}"))
    files = sorted(file for file in found if file.stem != Path(ARTICLES).stem)
    if not files:
        raise DataError(
            f"{path}: {ANNOTATIONS} or other .csv or .xlsx files were required, none was found"
        )
    return gather(document for file in files for document in _documents(_read_file(file, known)))


def _beside(folder: Path, name: str) -> Path:
    """The table of that name as a CSV, else as a workbook."""
    plain = folder / name
    return plain if plain.is_file() else plain.with_suffix(".xlsx")


def _documents(foreign: Foreign) -> Iterator[list[Record]]:
    """What one file holds, article by article, so that one with another text costs no other."""
    regions: dict[str, list[Region]] = defaultdict(list)
    for region in foreign.regions:
        regions[region.article_id].append(region)
    for article in foreign.articles:
        yield [article, *regions.pop(article.article_id, [])]
    yield [*foreign.problems, *(region for own in regions.values() for region in own)]


def _read_file(file: Path, known: Sequence[Article]) -> Foreign:
    rows = list(read_table(read_text(file), file.name))
    columns = set(rows[0][1]) if rows else set()
    missing = [name for name in _REQUIRED if rows and name not in columns]
    if missing:
        blanks = "; its tabs seem to have become blanks" if _is_one_column(columns) else ""
        raise DataError(
            f"{file}: the columns start and end are required, missing: {missing}{blanks}"
        )
    problems: list[Problem] = []
    who = next((name for name in _WHO if name in columns and "annotator" not in columns), None)
    if who is not None:
        rows = [(where, {**row, "annotator": row.pop(who)}) for where, row in rows]
        columns.add("annotator")
        detail = f"the column {who!r} was read as the annotator"
        problems.append(Problem(file.name, "column interpreted", detail))
    articles = _texts(file, rows, known, problems)
    fields = [name for name in rows[0][1] if _is_code(name)] if rows else []
    if SENTENCE in columns:
        rows, blank = _filled_in(rows, fields, file.name)
        problems += blank
    found = [_region(where, row, fields, file.stem) for where, row in rows]
    if rows and "annotator" not in columns:
        detail = f"no column annotator: all rows are by {file.stem!r}, the file's name"
        problems.append(Problem(file.name, "no annotator, named after the file", detail))
    regions = tuple(r for r in found if isinstance(r, Region))
    problems += [r for r in found if isinstance(r, Problem)]
    return Foreign(tuple(articles.values()), regions, tuple(problems))


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


def _region(where: str, row: Mapping[str, Any], fields: list[str], stem: str) -> Region | Problem:
    start, end = _offset(row["start"]), _offset(row["end"])
    if start is None or end is None:
        detail = f"whole numbers were required, got {row['start']!r} and {row['end']!r}"
        return Problem(where, "offsets broken, refused", detail)
    annotator = row.get("annotator", stem)
    if not annotator:
        detail = "every row needs the name of a person or program"
        return Problem(where, "no annotator, refused", detail, "name who decided this")
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
