"""What an article says about itself: date, author, agency, source. Only what stands there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from classifier.articles._fields import calendar_date
from classifier.articles._zones import (
    DATE_PREFIX,
    Piece,
    agency_in,
    date_in,
    is_date_line,
    patterns,
    pieces,
)
from classifier.records import Article, DatePrecision
from classifier.text import document_language

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
_TITLE = re.compile(r"\s*#\s+(\S.*?)\s*\Z")


@dataclass(frozen=True, slots=True)
class _Line:
    plain: str
    raw: str
    kind: str


def with_own_metadata(article: Article) -> Article:
    """The article with what its text says about it, where the file did not say so already.

    A date line goes before a date prefix, which may hold the month only. The outlet is named only
    where the text says whose article it is; it is then also known who publishes it again. Nothing
    is inferred from names, places or style.
    """
    lines = _ends(article.text, pieces(article.text, article.title))
    source = article.source or _original(lines)
    outlet_lines = [line for line in lines if line.kind == "metadata" and is_date_line(line.plain)]
    day, precision = _date(article, outlet_lines, source)
    return replace(
        article,
        language=article.language or document_language(article.text),
        date=day,
        date_precision=precision,
        date_origin="text" if article.date is None and day else article.date_origin,
        title=article.title or _title(lines),
        author=article.author or _author(lines),
        agency=article.agency or _agency(lines),
        source=source,
        republisher=article.republisher or _republisher(article, outlet_lines, source),
    )


def _ends(text: str, found: Sequence[Piece]) -> list[_Line]:
    """The first and the last lines; the middle of an article says nothing about it."""
    chosen = found if len(found) <= 2 * _LINES else [*found[:_LINES], *found[-_LINES:]]
    stretches = ((text[p.start : p.end].strip(), p.kind) for p in chosen)
    return [_Line(_MARKDOWN.sub("", s[:500]).strip(), s[:500], kind) for s, kind in stretches]


def _original(lines: list[_Line]) -> str | None:
    for line in lines:
        match = _ORIGINAL.match(line.plain)
        if match:
            return match["name"].strip()
    return None


def _date(
    article: Article, outlet_lines: list[_Line], source: str | None
) -> tuple[str | None, DatePrecision | None]:
    if article.date is not None:
        return article.date, article.date_precision
    ordered = sorted(outlet_lines, key=lambda line: not (source and source in line.plain))
    for line in ordered:
        found = date_in(line.plain)
        if found:
            return found
    found_pieces = pieces(article.text, article.title)
    # a headline that was put before the text stands before its date, too
    starts = [0, *(p.end for p in found_pieces[:1] if p.kind == "headline")]
    prefixes = (DATE_PREFIX.match(article.text, start) for start in starts)
    prefix = next((match for match in prefixes if match), None)
    found = calendar_date([int(part) for part in prefix[1].split("-")]) if prefix else None
    return found or (None, None)


def _title(lines: list[_Line]) -> str | None:
    for line in lines:
        match = _TITLE.match(line.raw)
        if match and line.kind == "headline":
            return match[1]
    return None


def _author(lines: list[_Line]) -> str | None:
    for line in lines:
        match = patterns().author.match(line.plain) if line.kind == "metadata" else None
        if match:
            return str(match["name"]).strip()
    return None


def _agency(lines: list[_Line]) -> str | None:
    known = patterns()
    for line in lines:
        if line.kind != "metadata":
            continue
        for pattern in (known.source_line, known.dateline):
            name = agency_in(pattern.match(line.plain + " x"))
            if name and name not in known.picture_only:
                return name
    return None


def _republisher(article: Article, outlet_lines: list[_Line], source: str | None) -> str | None:
    """The other name that stands before a date, where the text says who published it first."""
    if source is None or article.source is not None:
        return None
    for line in outlet_lines:
        match = patterns().date.search(line.plain)
        name = line.plain[: match.start()].strip(" ,|-–—") if match else ""
        if name and name != source:
            return name
    return None
