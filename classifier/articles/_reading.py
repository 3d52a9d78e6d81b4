"""Articles from files and folders, with their metadata, and a list of what was not read."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from classifier.articles._fields import (
    FIELDS,
    HASH,
    OTHER_NAMES,
    Names,
    article_from_record,
    calendar_date,
    given_id,
    is_blank,
    is_other_name,
    no_text,
    not_read,
    own_names,
    unread,
    with_headline,
)
from classifier.articles._files import ROW_READERS, Row, Source, Sources, is_packed, page_rows
from classifier.articles._page import PageReader
from classifier.articles._zones import (
    DATE_PREFIX,
    Piece,
    agency_in,
    date_in,
    is_date_line,
    patterns,
    pieces,
)
from classifier.errors import DataError, brief, in_words
from classifier.files import is_there
from classifier.notebook_html import frame_html, reasons
from classifier.records import Article, DatePrecision, Problem, counted
from classifier.text import document_language

if TYPE_CHECKING:
    import pandas as pd

METADATA_FILES = frozenset({"metadata.csv", "metadata.xlsx"})
_FILE_KEYS = ("file", "filename", "file_name")


PAGES = (".html", ".htm")
_NOT_ARTICLES = {*METADATA_FILES, "annotations.jsonl"}
_SUFFIXES = frozenset((*ROW_READERS, *PAGES))
_NOT_ARTICLE_STEMS = {"readme", "license", "licence", "changelog"}
_PACKED = " or these as .gz, or in a .zip"
_SHOWN = ("article_id", "source", "language", "date", "title")


@dataclass
class _Entry:
    where: str
    record: Mapping[str, Any]
    is_used: bool = False


@dataclass
class _Table:
    """One metadata.csv."""

    source: Source
    folder: PurePosixPath
    entries: list[_Entry] = field(default_factory=list)
    by_id: dict[str, _Entry] = field(default_factory=dict)
    by_file: dict[str, _Entry] = field(default_factory=dict)

    def find(self, article_id: str, file: Source, shared: Mapping[str, int]) -> _Entry | None:
        """The article's row: by its id, else by its file's name, unless files share that name."""
        if not file.relative.is_relative_to(self.folder):
            return None
        inner = file.relative.relative_to(self.folder)
        names = [inner.as_posix(), inner.with_suffix("").as_posix()]
        names += [name for name in (file.name, file.stem) if shared[name] < 2]
        found = [self.by_id.get(name) for name in (article_id, *names)]
        found += [self.by_file.get(name) for name in names]
        return next((entry for entry in found if entry is not None), None)


@dataclass
class Metadata:
    """All the tables under a path, the nearest to an article first."""

    tables: list[_Table]
    shared: Mapping[str, int]
    is_folder: bool
    without_row: list[str] = field(default_factory=list)

    def about(self, article_id: object, file: Source, where: str) -> dict[str, Any]:
        """What the tables say about an article under our own names; the nearest table wins."""
        values: dict[str, Any] = {}
        is_expected = found_any = False
        for table in self.tables:
            is_expected = is_expected or file.relative.is_relative_to(table.folder)
            entry = table.find(str(article_id), file, self.shared)
            if entry is not None:
                found_any = entry.is_used = True
                more = {k: v for k, v in own_names(entry.record).items() if not is_blank(v)}
                values = more | values
        if is_expected and not found_any and self.is_folder:
            self.without_row.append(where)
        return values

    def problems(self) -> Iterator[Problem]:
        """Rows without an article and articles without a row, once all articles were read."""
        if not self.is_folder:
            return
        for entry in (e for table in self.tables for e in table.entries if not e.is_used):
            known = [entry.record.get(key) for key in ("article_id", "id", *_FILE_KEYS)]
            named = next((value for value in known if not is_blank(value)), None)
            yield Problem(
                entry.where,
                "metadata without an article",
                f"no article has the id or the file name {named!r}",
                "give the row the article's id, or the name of its file",
            )
        for where in self.without_row:
            yield Problem(
                where,
                "article without metadata",
                "no row of the metadata table has its id or its file's name",
                "add a row with its article_id",
            )


def read_metadata(
    sources: Iterable[Source], files: Iterable[Source], problems: list[Problem], *, is_folder: bool
) -> Metadata:
    """The tables among `sources`, for the articles in `files`.

    Rows without a key and keys that come twice are problems.
    """
    tables = [_table(source, problems) for source in sources]
    names = [name for file in files for name in {file.name, file.stem}]
    deepest = sorted(tables, key=lambda table: -len(table.folder.parts))
    return Metadata(deepest, Counter(names), is_folder)


def _table(source: Source, problems: list[Problem]) -> _Table:
    table = _Table(source, source.relative.parent)
    names = Names()
    for row in ROW_READERS[source.suffix](source, problems):
        record = {k: v for k, v in row.record.items() if k != "line"}
        names.note(record)
        odd = unread(record)
        problems += [not_read(row.where, name, value) for name, value in odd.items()]
        entry = _Entry(row.where, own_names(record) | dict.fromkeys(odd))
        keys = [(table.by_id, entry.record.get(key)) for key in ("article_id", "id")]
        keys += [(table.by_file, entry.record.get(key)) for key in _FILE_KEYS]
        known = [(place, _name(key)) for place, key in keys if not is_blank(key)]
        if not known:
            detail = f"a row of {source.name} needs an article_id or a file"
            problems.append(Problem(row.where, "no article_id", detail, "give it one"))
            continue
        if any(place.setdefault(key, entry) is not entry for place, key in known):
            detail = f"{known[0][1]!r} had a row before; the first counts"
            problems.append(Problem(row.where, "repeated metadata", detail, "keep one row"))
            continue
        table.entries.append(entry)
    if names.others:
        problems.append(Problem(source.shown, "column under another name", f"{names.others}: read"))
    return table


def _name(key: object) -> str:
    """An id or a file's name as one spelling: with /, and without ./ before it."""
    plain = str(key).strip().replace("\\", "/")
    return plain.removeprefix("./")


_LINES = 14
_MARKDOWN = re.compile(r"\\?\*+|\[|\]\([^)]*\)|\\(?=_)")
_ORIGINAL = re.compile(
    r"(?:the original source of this article is|originally published (?:by|on|in|at)|"
    r"this article (?:was originally published|first appeared) (?:by|on|in|at)|"
    r"dit artikel (?:verscheen|werd gepubliceerd|is) eerder (?:gepubliceerd )?(?:in|op|bij)|"
    r"оригинал опубликован (?:в|на)|оригінал опубліковано (?:в|на|у)|"
    r"ilk olarak yayımlandığı yer:?)\s+(?P<name>[^.\n]{2,60})",
    re.IGNORECASE,
)
_TITLE = re.compile(r"\s*#\s+(?P<name>\S.*?)\s*\Z")


@dataclass(frozen=True, slots=True)
class _Line:
    plain: str
    raw: str
    kind: str


def with_own_metadata(article: Article) -> Article:
    """The article with what its text says about it, if the file did not say so already.

    A date line goes before a date prefix, which may hold the month only. The outlet is named only
    where the text says whose article it is; it is then also known who publishes it again. Nothing
    is inferred from names, places or style.
    """
    lines = _ends(article.text, pieces(article.text, article.title))
    source = article.source or _named(_ORIGINAL, [line.plain for line in lines])
    metadata = [line.plain for line in lines if line.kind == "metadata"]
    outlet_lines = [line for line in metadata if is_date_line(line)]
    day, precision = _date(article, outlet_lines, source)
    return replace(
        article,
        language=article.language or document_language(article.text),
        date=day,
        date_precision=precision,
        date_origin="text" if article.date is None and day else article.date_origin,
        title=article.title
        or _named(_TITLE, [line.raw for line in lines if line.kind == "headline"]),
        author=article.author or _named(patterns().author, metadata),
        agency=article.agency or _agency(metadata),
        source=source,
        republisher=article.republisher or _republisher(article, outlet_lines, source),
    )


def _ends(text: str, found: Sequence[Piece]) -> list[_Line]:
    """The first and the last lines; the middle of an article says nothing about it."""
    chosen = found if len(found) <= 2 * _LINES else [*found[:_LINES], *found[-_LINES:]]
    stretches = ((text[p.start : p.end].strip(), p.kind) for p in chosen)
    return [_Line(_MARKDOWN.sub("", s[:500]).strip(), s[:500], kind) for s, kind in stretches]


def _named(pattern: re.Pattern[str], lines: list[str]) -> str | None:
    """The name in the first line that the pattern matches."""
    matches = (pattern.match(line) for line in lines)
    return next((match["name"].strip() for match in matches if match), None)


def _date(
    article: Article, outlet_lines: list[str], source: str | None
) -> tuple[str | None, DatePrecision | None]:
    if article.date is not None:
        return article.date, article.date_precision
    ordered = sorted(outlet_lines, key=lambda line: not (source and source in line))
    for line in ordered:
        found = date_in(line)
        if found:
            return found
    found_pieces = pieces(article.text, article.title)
    # a headline that was put before the text stands before its date, too
    starts = [0, *(p.end for p in found_pieces[:1] if p.kind == "headline")]
    prefixes = (DATE_PREFIX.match(article.text, start) for start in starts)
    prefix = next((match for match in prefixes if match), None)
    found = calendar_date([int(part) for part in prefix[1].split("-")]) if prefix else None
    return found or (None, None)


def _agency(lines: list[str]) -> str | None:
    known = patterns()
    for line in lines:
        for pattern in (known.source_line, known.dateline):
            name = agency_in(pattern.match(line + " x"))
            if name and name not in known.picture_only:
                return name
    return None


def _republisher(article: Article, outlet_lines: list[str], source: str | None) -> str | None:
    """The other name that stands before a date, if the text says who published it first."""
    if source is None or article.source is not None:
        return None
    for line in outlet_lines:
        match = patterns().date.search(line)
        name = line[: match.start()].strip(" ,|-–—") if match else ""
        if name and name != source:
            return name
    return None


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
    odd = unread(values)
    problems += [not_read(where, name, value) for name, value in odd.items()]
    values = own_names(values) | dict.fromkeys(odd)
    try:
        article = article_from_record(values if is_labelled else with_headline(values))
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
