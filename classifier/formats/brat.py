"""brat stand-off: a `.txt` and an `.ann` per document, a copy of the folder per annotator.

Entities carry targets or labels, attributes carry labels, relations join entities, notes comment.
Offsets are code points; brat before 2020 counted UTF-16 units. Discontinuous spans are refused: a
mention is one stretch.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from classifier.articles import article_from_record
from classifier.errors import DataError
from classifier.formats.archives import Member, read_members
from classifier.formats.codes import Code
from classifier.formats.foreign import Foreign, Link, Record, Region, gather
from classifier.formats.tables import read_table
from classifier.records import Article, Problem

METADATA = "metadata.csv"
JSON_NOTE = "json:"
"""Begins a note that holds what brat has no place for."""
_ENTITY = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.S)
_ATTRIBUTE = re.compile(r"[AM]\S+\t(\S+) (\S+)(?: (.+))?")
_RELATION = re.compile(r"R\S+\t(\S+) \S+?:(\S+) \S+?:(\S+)\s*")
_EVENT = re.compile(r"(E\S+)\t\S+?:(T\S+).*")
_NOTE = re.compile(r"#\S+\t\S+ (\S+)\t(.*)", re.S)


@dataclass
class _Standoff:
    """What one `.ann` file says, by the ids of its entities."""

    entities: dict[str, tuple[str, int, int, str]] = field(default_factory=dict)
    codes: dict[str, list[Code]] = field(default_factory=lambda: defaultdict(list))
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    links: list[Link] = field(default_factory=list)
    events: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_brat(path: Path) -> Foreign:
    """Read a folder or zip: of documents, named after one annotator, or of such folders."""
    root = f"{path.stem}/" if path.is_file() else ""
    members = {m.name.removeprefix(root): m for m in read_members(path)}
    texts = [name for name in members if name.endswith(".txt") and _ann(name) in members]
    if not texts:
        raise DataError(f"{path}: brat keeps each .txt beside its .ann; no such pair was found")
    is_flat = all("/" not in name for name in texts)
    metadata = _metadata(members)
    foreign = gather(
        _document(
            name, members, metadata, (path.stem, "", name) if is_flat else name.partition("/")
        )
        for name in texts
    )
    order = {str(row.get("article_id")): n for n, row in enumerate(metadata.values())}
    in_order = sorted(foreign.articles, key=lambda a: order.get(a.article_id, len(order)))
    return replace(foreign, articles=tuple(in_order))


def _document(
    name: str,
    members: Mapping[str, Member],
    metadata: Mapping[str, Mapping[str, Any]],
    place: tuple[str, str, str],
) -> Iterator[Record]:
    annotator, _, file = place
    try:
        article = _article(members[name], metadata.get(file, {}), file)
        standoff = _read_ann(members[_ann(name)])
    except DataError as error:
        yield Problem(name, "document unreadable, refused", str(error))
        return
    yield article
    yield from _contents(standoff, _ann(name), article.article_id, annotator)


def _ann(name: str) -> str:
    return f"{name.removesuffix('.txt')}.ann"


def _metadata(members: Mapping[str, Member]) -> dict[str, dict[str, Any]]:
    """Article fields by file name, from the metadata.csv that our own export writes."""
    if METADATA not in members:
        return {}
    return {str(row.get("file")): row for _, row in read_table(members[METADATA].text, METADATA)}


def _article(member: Member, metadata: Mapping[str, Any], file: str) -> Article:
    article_id = metadata.get("article_id") or file.removesuffix(".txt")
    try:
        # brat counts a byte order mark as a character
        text = member.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{member.name}: UTF-8 was required: {error}; save it so") from None
    return article_from_record({**metadata, "article_id": article_id, "text": text})


def _read_ann(member: Member) -> _Standoff:
    document = _Standoff()
    for number, line in enumerate(member.text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        where = f"{member.name}:{number}"
        reader = _LINES.get(line[0])
        if reader is None:
            reason = "line of another kind, left out"
            document.problems.append(Problem(where, reason, line[:80]))
        elif not reader(line, document, where):
            document.problems.append(Problem(where, "malformed line, refused", line[:80]))
    return document


def _entity(line: str, document: _Standoff, where: str) -> bool:
    match = _ENTITY.fullmatch(line)
    if match is None:
        return False
    key, kind, offsets, surface = match.groups()
    if ";" in offsets:
        detail = f"{kind} at {offsets}: a mention is one stretch of text"
        document.problems.append(Problem(where, "discontinuous span, refused", detail))
        return True
    start, end = map(int, offsets.split())
    document.entities[key] = (where, start, end, surface)
    document.codes[key].append(("", kind))
    return True


def _attribute(line: str, document: _Standoff, where: str) -> bool:
    match = _ATTRIBUTE.fullmatch(line)
    if match is None:
        return False
    name, key, value = match.groups()
    document.codes[document.events.get(key, key)].append((name, value or ""))
    return True


def _relation(line: str, document: _Standoff, where: str) -> bool:
    match = _RELATION.fullmatch(line)
    if match is None:
        return False
    label, *ends = match.groups()
    first, second = (document.events.get(key, key) for key in ends)
    document.links.append(Link(first, second, label))
    return True


def _event(line: str, document: _Standoff, where: str) -> bool:
    match = _EVENT.fullmatch(line)
    if match is None:
        return False
    document.events[match[1]] = match[2]
    return True


def _note(line: str, document: _Standoff, where: str) -> bool:
    match = _NOTE.fullmatch(line)
    if match is None:
        return False
    document.notes[document.events.get(match[1], match[1])].append(match[2])
    return True


_LINES = {
    "T": _entity,
    "A": _attribute,
    "M": _attribute,
    "R": _relation,
    "E": _event,
    "#": _note,
}


def _contents(document: _Standoff, file: str, article_id: str, annotator: str) -> Iterator[Record]:
    yield from document.problems
    yield from (Link(f"{file} {a}", f"{file} {b}", label) for a, b, label in document.links)
    for key, (where, start, end, surface) in document.entities.items():
        hidden, comments = _read_notes(document.notes[key])
        evidence = hidden.get("evidence")
        yield Region(
            where=where,
            key=f"{file} {key}",
            article_id=article_id,
            annotator=str(hidden.get("annotator") or annotator),
            start=start,
            end=end,
            surface=surface,
            codes=(*document.codes[key], *((str(k), str(v)) for k, v in hidden.get("codes", []))),
            comment="; ".join(comments) or None,
            speaker=hidden.get("speaker"),
            evidence=tuple(evidence) if evidence else None,
        )


def _read_notes(notes: list[str]) -> tuple[dict[str, Any], list[str]]:
    hidden: dict[str, Any] = {}
    comments = []
    for note in notes:
        if not note.startswith(JSON_NOTE):
            comments.append(note)
            continue
        try:
            hidden |= json.loads(note.removeprefix(JSON_NOTE))
        except (ValueError, TypeError):
            comments.append(note)
    return hidden, ([hidden["comment"]] if hidden.get("comment") else []) + comments
