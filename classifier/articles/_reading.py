"""Articles from files and folders, with a list of everything that was not read."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.articles._fields import FIELDS, HASH, article_from_record, given_id
from classifier.articles._html import PageReader, page_reader
from classifier.articles._metadata import with_own_metadata
from classifier.errors import DataError
from classifier.notebook_html import frame_html, reasons
from classifier.records import Article, Problem, counted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Row:
    """An article as it came."""

    where: str
    record: Mapping[str, Any]


RowReader = Callable[[Path, list[Problem]], Iterator[Row]]


def text_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """The file as one article; a byte order mark is no part of it."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(_unreadable(file, error))
        return
    yield Row(str(file), {"text": text})


def jsonl_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """One article per line; a broken line is a problem of its own."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{file}:{number}"
                if not line.strip():
                    continue
                try:
                    values = _json_object(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                except (ValueError, RecursionError) as error:
                    problems.append(Problem(where, "broken JSON line", str(error)))
                else:
                    yield Row(where, {"line": number} | values)
    except OSError as error:
        problems.append(_unreadable(file, error))


def _json_object(line: str) -> dict[str, Any]:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise DataError(f"an object was required, got {values!r:.80}")
    return values


def csv_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """One article per row; what follows a row that cannot be read is left out."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            for number, values in enumerate(reader, 1):
                named = {key: value for key, value in values.items() if key is not None}
                yield Row(f"{file}:{reader.line_num}", {"line": number} | named)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(_unreadable(file, error))


def parquet_rows(file: Path, problems: list[Problem]) -> Iterator[Row]:
    """One article per row, a few rows at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        number = 0
        with parquet.ParquetFile(file) as table:
            for batch in table.iter_batches(batch_size=64):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file}:{number}", {"line": number} | values)
    except (OSError, pa.ArrowException) as error:
        problems.append(_unreadable(file, error))


def _unreadable(file: Path, error: Exception) -> Problem:
    if isinstance(error, UnicodeDecodeError):
        detail = f"{file.name} must be UTF-8, it is not at byte {error.start}"
        return Problem(str(file), "not UTF-8", detail, "save it as UTF-8")
    return Problem(str(file), "unreadable file", f"{file.name}: {error}")


def page_rows(pages: PageReader, file: Path, problems: list[Problem]) -> Iterator[Row]:
    """The article on a web page."""
    try:
        yield Row(str(file), pages.read(file))
    except (OSError, DataError) as error:
        problems.append(Problem(str(file), "unreadable page", f"{file.name}: {error}"))


ROW_READERS: dict[str, RowReader] = {
    ".txt": text_rows,
    ".md": text_rows,
    ".jsonl": jsonl_rows,
    ".csv": csv_rows,
    ".parquet": parquet_rows,
}
PAGES = (".html", ".htm")


METADATA_FILE = "metadata.csv"
_NOT_ARTICLES = {METADATA_FILE, "annotations.jsonl"}
_SUFFIXES = frozenset((*ROW_READERS, *PAGES))
_NOT_ARTICLE_STEMS = {"readme", "license", "licence", "changelog"}
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
    """Read a file or folder of .txt, .md, .html, .jsonl, .csv or .parquet, with its metadata.csv.

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
    files = _article_files(path, problems)
    metadata = _read_metadata(path if path.is_dir() else path.parent, problems)
    seen: set[str] = set()
    with page_reader() as pages:
        readers = ROW_READERS | dict.fromkeys(PAGES, partial(page_rows, pages))
        for file in files:
            rows = readers[file.suffix.lower()](file, problems)
            articles = _read_file(file, path, rows, metadata, problems)
            yield from unrepeated(articles, seen, str(file), problems)
    if not seen:
        because = (
            f"; the first problem: {problems[0].where}: {problems[0].detail}" if problems else ""
        )
        raise DataError(f"{path}: at least one article was required, none could be read{because}")


def _article_files(path: Path, problems: list[Problem]) -> list[Path]:
    if not path.exists():
        raise DataError(f"{path}: a file or folder with articles was required, nothing is there")
    if path.is_file():
        if path.suffix.lower() not in _SUFFIXES:
            raise DataError(
                f"{path}: articles must be {' '.join(sorted(_SUFFIXES))}, got {path.suffix!r}"
            )
        return [path]
    files = []
    for file in sorted(path.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(path).parts)
        if file.is_dir() or hidden or file.name in _NOT_ARTICLES:
            continue
        if file.suffix.lower() in _SUFFIXES and file.stem.lower() not in _NOT_ARTICLE_STEMS:
            files.append(file)
        else:
            problems.append(
                Problem(str(file), "not an article", f"{file.name} is no article file; left out")
            )
    if not files:
        raise DataError(
            f"{path}: a folder with {' '.join(sorted(_SUFFIXES))} was required, it holds none"
        )
    return files


def _read_metadata(folder: Path, problems: list[Problem]) -> dict[str, Mapping[str, Any]]:
    """Rows of metadata.csv by `article_id`."""
    file = folder / METADATA_FILE
    if not file.is_file():
        return {}
    rows: dict[str, Mapping[str, Any]] = {}
    for row in csv_rows(file, problems):
        article_id = row.record.get("article_id") or row.record.get("file")
        if article_id:
            rows[str(article_id)] = row.record
        else:
            problems.append(
                Problem(row.where, "no article_id", "a row of metadata.csv needs an article_id")
            )
    return rows


def _read_file(
    file: Path,
    root: Path,
    rows: Iterable[Row],
    metadata: Mapping[str, Mapping[str, Any]],
    problems: list[Problem],
) -> Iterator[Article]:
    """The articles of a file, with what metadata.csv and their own text say about them."""
    unknown: set[str] = set()
    name = file.relative_to(root).with_suffix("").as_posix() if root.is_dir() else file.stem
    for row in rows:
        values = dict(row.record)
        unknown.update(str(key) for key in values if key not in (*FIELDS, HASH, "id", "line"))
        article_id = _article_id(values, name)
        more = metadata.get(str(article_id)) or metadata.get(file.name) or {}
        values |= {key: value for key, value in more.items() if not values.get(key) and value}
        try:
            article = article_from_record(values | {"article_id": article_id})
        except DataError as error:
            problems.append(Problem(row.where, "malformed article", str(error)))
            continue
        if not article.text.strip():
            problems.append(Problem(row.where, "no text", "an article needs a text, it is empty"))
            continue
        yield with_own_metadata(article)
    if unknown:
        names = ", ".join(sorted(unknown))
        problems.append(Problem(str(file), "unknown field", f"{names}: not read", "rename it"))


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
