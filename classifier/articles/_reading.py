"""Articles from files and folders, with a list of everything that was not read."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from classifier.articles._fields import (
    FIELDS,
    HASH,
    OTHER_NAMES,
    Names,
    article_from_record,
    given_id,
    is_blank,
    is_other_name,
    no_text,
    own_names,
    unread_date,
    with_headline,
)
from classifier.articles._files import ROW_READERS, Row, Source, Sources, is_packed, page_rows
from classifier.articles._metadata import METADATA_FILES, Metadata, read_metadata, with_own_metadata
from classifier.articles._page import PageReader
from classifier.errors import DataError, brief, in_words
from classifier.files import is_there
from classifier.notebook_html import frame_html, reasons
from classifier.records import Article, Problem, counted

if TYPE_CHECKING:
    import pandas as pd


PAGES = (".html", ".htm")
_NOT_ARTICLES = {*METADATA_FILES, "annotations.jsonl"}
_SUFFIXES = frozenset((*ROW_READERS, *PAGES))
_NOT_ARTICLE_STEMS = {"readme", "license", "licence", "changelog"}
_PACKED = " or these as .gz, or in a .zip"
_SHOWN = ("article_id", "source", "language", "date", "title")


@dataclass(frozen=True)
class Reading:
    """What was read: the articles, and what was left out or repaired and why."""

    articles: tuple[Article, ...]
    problems: tuple[Problem, ...] = ()

    def __iter__(self) -> Iterator[Article]:
        """The articles, in the order of their files."""
        return iter(self.articles)

    def __len__(self) -> int:
        """How many articles could be read."""
        return len(self.articles)

    def to_frame(self) -> "pd.DataFrame":
        """One row per article, with its text."""
        import pandas as pd

        columns = [field.name for field in fields(Article)]
        rows = [asdict(article) for article in self.articles]
        return pd.DataFrame(rows, columns=columns, dtype="object")

    def __repr__(self) -> str:
        """How many articles and problems there are."""
        return f"Reading: {counted(len(self.articles), 'article')}, {reasons(self.problems)}"

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        shown = frame[list(_SHOWN)].assign(characters=frame["text"].str.len())
        return frame_html(shown, repr(self))


def read_articles(path: Path | str) -> Reading:
    """Read a file or folder of .txt, .md, .html, .jsonl, .csv, .parquet or .xlsx, plain or packed.

    Tables named metadata.csv or metadata.xlsx say more about the articles beside and below them. A
    title that its text does not begin with goes before it, with a blank line between.

    Args:
        path: The file or the folder; of a folder everything below it is read.

    Returns:
        The articles, and a list of what was left out or repaired and why.

    Raises:
        DataError: there is nothing at `path`, or no article in it.

    >>> from classifier.codebook import shipped_annotations
    >>> read_articles(shipped_annotations() / "sample" / "articles.jsonl")
    Reading: 240 articles, 0 problems
    """
    problems: list[Problem] = []
    articles = tuple(stream_articles(path, problems))
    return Reading(articles, tuple(problems))


def stream_articles(path: Path | str, problems: list[Problem]) -> Iterator[Article]:
    """The articles of `read_articles` one by one, in constant memory but for their ids.

    What is left out is appended to `problems` on the way. Raises `DataError` like `read_articles`.
    """
    path = Path(path)
    seen: set[str] = set()
    is_sourced = False
    with closing(PageReader()) as pages, Sources(path, problems) as sources:
        readers = ROW_READERS | dict.fromkeys(PAGES, partial(page_rows, pages))
        files, tables = _article_files(path, sources, problems)
        is_single = path.is_file() and not is_packed(path)
        metadata = read_metadata(tables, files, problems, is_folder=not is_single)
        for file in files:
            rows = readers[file.suffix](file, problems)
            articles = _read_file(file, rows, metadata, problems)
            for article in unrepeated(articles, seen, file.shown, problems):
                is_sourced = is_sourced or article.source is not None
                yield article
        problems += metadata.problems()
    if not seen:
        said = f"{path}: at least one article was required, none could be read"
        raise DataError(said + (_first(problems[0]) if problems else ""))
    if not is_sourced:
        problems.append(_no_source(path))


def _first(problem: Problem) -> str:
    """The problem that comes first, with its place once and with what to do."""
    place = "" if problem.where in problem.detail else f"{problem.where}: "
    remedy = f"; {problem.remedy}" if problem.remedy else ""
    return f"; the first problem: {place}{problem.detail}{remedy}"


def _no_source(path: Path) -> Problem:
    names = ", ".join(("source", *OTHER_NAMES["source"]))
    return Problem(
        str(path),
        "no source known",
        "no article says who published it, so nothing can be counted by source",
        f"add a column named source ({names} are read), or a metadata.csv with one",
    )


def _article_files(
    path: Path, sources: Sources, problems: list[Problem]
) -> tuple[list[Source], list[Source]]:
    """The files with articles, and the tables with metadata."""
    if not is_there(path):
        raise DataError(
            f"{brief(path)}: a file or folder with articles was required, nothing is there"
        )
    found = sources.files()
    if path.is_file() and not is_packed(path):
        if path.suffix.lower() not in _SUFFIXES:
            raise DataError(
                f"{path}: articles must be {' '.join(sorted(_SUFFIXES))}{_PACKED}, "
                f"got {path.suffix!r}"
            )
        beside = (path.parent / name for name in sorted(METADATA_FILES))
        tables = [Source(f, PurePosixPath(f.name), str(f)) for f in beside if f.is_file()]
        return found, tables
    return _parted(path, found, problems)


def _parted(
    path: Path, found: Iterable[Source], problems: list[Problem]
) -> tuple[list[Source], list[Source]]:
    files, tables = [], []
    for file in found:
        if file.name.lower() in METADATA_FILES:
            tables.append(file)
        elif file.suffix in _SUFFIXES and file.stem.lower() not in _NOT_ARTICLE_STEMS:
            if file.name not in _NOT_ARTICLES:
                files.append(file)
        else:
            problems.append(
                Problem(file.shown, "not an article", f"{file.name} is no article file; left out")
            )
    if not files:
        raise DataError(
            f"{path}: a folder with {' '.join(sorted(_SUFFIXES))}{_PACKED} was required, it holds "
            "none"
        )
    return files, tables


def _read_file(
    file: Source, rows: Iterable[Row], metadata: Metadata, problems: list[Problem]
) -> Iterator[Article]:
    """The articles of a file, with what metadata.csv and their own text say about them."""
    unknown: set[str] = set()
    names = Names()
    is_textless: set[tuple[str, ...]] = set()
    stem = file.relative.with_suffix("").as_posix()
    is_labelled = (file.path.parent / "annotations.jsonl").is_file()
    for row in rows:
        values = dict(row.record)
        unknown.update(
            str(key)
            for key in values
            if key not in (*FIELDS, HASH, "id", "line") and not is_other_name(key)
        )
        names.note(values)
        article_id = _article_id(values, stem)
        more = metadata.about(article_id, file, row.where)
        own = own_names(values)
        values |= {key: value for key, value in more.items() if is_blank(own.get(key))}
        if values.get("text") is None:
            columns = tuple(map(str, row.record))
            if columns not in is_textless:
                is_textless.add(columns)
                problems.append(Problem(row.where, "no column text", str(no_text(columns))))
            continue
        yield from _article(row.where, values | {"article_id": article_id}, problems, is_labelled)
    if names.others:
        problems.append(Problem(file.shown, "column under another name", f"{names.others}: read"))
    if unknown:
        listed = ", ".join(sorted(unknown))
        remedy = f"if it is one of {', '.join(FIELDS)}, give it that name"
        problems.append(Problem(file.shown, "unknown field", f"{listed}: not read", remedy))


def _article(
    where: str, values: Mapping[str, Any], problems: list[Problem], is_labelled: bool
) -> Iterator[Article]:
    """The article of a row; in an annotation set its text stays as the labels were made on it."""
    odd = unread_date(values)
    if odd is not None:
        detail = f"the date {odd!r} is not ISO 8601; the article was read without it"
        problems.append(Problem(where, "date not read", detail, "write it as 2022-03-17"))
        values = own_names(values) | {"date": None}
    try:
        article = article_from_record(own_names(values) if is_labelled else with_headline(values))
    except DataError as error:
        problems.append(Problem(where, "malformed article", in_words(error)))
        return
    if not article.text.strip():
        problems.append(Problem(where, "no text", "an article needs a text, it is empty"))
        return
    yield with_own_metadata(article)


def _article_id(values: Mapping[str, Any], name: str) -> object:
    """The id that a row gives, 0 among them, or else one made of its file's name and its line."""
    given = given_id(values)
    if given is not None:
        return given
    return f"{name}:{values['line']}" if "line" in values else name


def unrepeated(
    articles: Iterable[Article], seen: set[str], where: str, problems: list[Problem]
) -> Iterator[Article]:
    """The articles whose ids are not among those seen; any other is added to the problems."""
    for article in articles:
        if article.article_id in seen:
            detail = f"article ids must differ, got {article.article_id!r} again; the first is kept"
            remedy = "give the articles ids of their own"
            problems.append(Problem(where, "repeated article_id", detail, remedy))
        else:
            seen.add(article.article_id)
            yield article
