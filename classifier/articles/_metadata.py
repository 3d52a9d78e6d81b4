"""What metadata.csv says about articles, and what an article says about itself."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from classifier.articles._fields import Names, calendar_date, is_blank, own_names
from classifier.articles._files import ROW_READERS, Source
from classifier.articles._zones import (
    DATE_PREFIX,
    Piece,
    agency_in,
    date_in,
    is_date_line,
    patterns,
    pieces,
)
from classifier.records import Article, DatePrecision, Problem
from classifier.text import document_language

METADATA_FILES = frozenset({"metadata.csv", "metadata.xlsx"})
_FILE_KEYS = ("file", "filename", "file_name")


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
        entry = _Entry(row.where, {k: v for k, v in row.record.items() if k != "line"})
        names.note(entry.record)
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
