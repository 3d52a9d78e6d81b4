"""doccano's JSONL: a document per line with labelled stretches, in a zip of one file per annotator.

The browser counted the offsets: UTF-16 units, or grapheme clusters where the project says so; the
file does not say which, nor what words a label stands on.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._archives import Member, read_members
from classifier.annotations.formats._foreign import (
    SPAN_KEYS,
    Foreign,
    Link,
    Record,
    Region,
    gather,
    json_lines,
    person,
    read_document,
    text_id,
    unread_spans,
    whole_number,
)
from classifier.annotations.formats._turns import Turn, made, newest_of, turn_of
from classifier.articles import article_from_record, given_id
from classifier.errors import DataError
from classifier.records import Problem
from classifier.text import CODE_POINTS, GRAPHEMES, UTF_16

RULES = (UTF_16, GRAPHEMES, CODE_POINTS)
_COLLECTIVE = "all"


def read_doccano(path: Path) -> Foreign:
    """Read an export: a .jsonl file, or the zip or folder of one file per annotator."""
    members = [m for m in read_members(path) if m.name.endswith((".jsonl", ".json"))]
    if not members:
        raise DataError(f"{path}: doccano exports .jsonl files, none was found")
    is_one_of = len({member.path.stem for member in members} - {_COLLECTIVE}) > 1
    return gather(
        newest_of(turn for member in members for turn in _turns(member, is_one_of=is_one_of))
    )


def _turns(member: Member, *, is_one_of: bool) -> Iterator[tuple[Turn | None, Iterable[Record]]]:
    """Each line, as a whole annotation where all its labels are by one person."""
    annotator = member.path.stem
    if annotator == _COLLECTIVE:
        detail = f"{member.name} does not say who labelled what: all by {annotator!r}"
        yield None, [Problem(member.name, "annotator unknown, named after the file", detail)]
    for where, line in json_lines(member.text, member.name):
        if isinstance(line, Problem):
            yield None, [line]
            continue
        document = _document(line, where, annotator, is_one_of=is_one_of)
        records = read_document(document, where)
        people = {record.annotator for record in records if isinstance(record, Region)}
        by = people.pop() if len(people) == 1 else person(annotator)
        turn, records = turn_of(records, line, where, "", by)
        yield (None if people else turn), records


def _document(
    line: Mapping[str, Any], where: str, annotator: str, *, is_one_of: bool
) -> Iterator[Record]:
    text = line.get("text", line.get("data"))
    if not isinstance(text, str):
        yield Problem(
            where, "no text, refused", f"a line needs a text, got the keys {sorted(line)}"
        )
        return
    given = given_id(line)
    article_id = text_id(text) if given is None else given
    try:
        article = article_from_record({**line, "text": text, "article_id": article_id})
    except DataError as error:
        yield Problem(where, "malformed article, refused", str(error))
        return
    yield article
    yield from unread_spans(line, _KEYS, where)
    if isinstance(line.get("label", []), str):
        detail = f"{line['label']!r} is not on a stretch of the text"
        yield Problem(where, "label of the whole text, left out", detail)
    yield from _regions(line, where, article.article_id, annotator, is_one_of=is_one_of)
    for relation in line.get("relations") or []:
        if isinstance(relation, Mapping):
            first, second = (f"{where} {relation.get(end)}" for end in ("from_id", "to_id"))
            yield Link(first, second, str(relation.get("type", "")))


def _regions(
    line: Mapping[str, Any], where: str, article_id: str, annotator: str, *, is_one_of: bool
) -> Iterator[Record]:
    comment = "; ".join(map(str, line.get("Comments") or line.get("comments") or [])) or None
    # ids repeat in some exports: a relation means the first label of its id
    first: dict[str, int] = {}
    for n, label in enumerate(_labels(line)):
        try:
            key, start, end, name = _label(label, n)
        except (KeyError, TypeError, ValueError) as error:
            detail = f"start, end and label were required, got {label!r:.80} ({error})"
            yield Problem(where, "label malformed, refused", detail)
            continue
        if start is None or end is None:
            detail = f"whole numbers were required as offsets, got {label!r:.80}"
            yield Problem(where, "label malformed, refused", detail)
            continue
        first.setdefault(key, n)
        yield Region(
            where=f"{where} label {key}",
            key=f"{where} {key}" if n == first[key] else f"{where} {key} at place {n}",
            article_id=article_id,
            annotator=_annotator(label, line, annotator, is_one_of=is_one_of),
            start=start,
            end=end,
            surface=None,
            codes=(("", name),) if name else (),
            comment=comment,
            made=made(label if isinstance(label, Mapping) else line),
        )


def _annotator(label: object, line: Mapping[str, Any], named: str, *, is_one_of: bool) -> str:
    """The label's own user, else the approver's decision, else whom the file is named after."""
    user = label.get("user") if isinstance(label, Mapping) else None
    if isinstance(user, Mapping):
        user = next((user[key] for key in ("username", "email", "id") if key in user), None)
    if user is not None:
        return person(user)
    approver = line.get("annotation_approver")
    # where each annotator has a file, an approved one is still that annotator's own work
    is_own = is_one_of and person(approver) != person(named)
    return CURATED if approver and not is_own else person(named)


_KEYS = ("label", "labels", "entities", "annotations", "spans", "label.entities", "data.entities")
"""Where public versions of doccano, and what converts to it, keep the stretches."""


def _labels(line: Mapping[str, Any]) -> list[Any]:
    """The labelled stretches under all keys that hold some."""
    found: list[Any] = []
    for key in _KEYS:
        value: Any = line
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        found += value if isinstance(value, list) else []
    return found


def _label(label: object, n: int) -> tuple[str, int | None, int | None, str]:
    if isinstance(label, Mapping):
        key = str(n) if label.get("id") is None else str(label["id"])
        names = next((pair for pair in SPAN_KEYS if pair[0] in label), SPAN_KEYS[0])
        start, end = (whole_number(label[name]) for name in names)
        name = label["label"]
    elif isinstance(label, list):
        key, (start, end, name) = str(n), label
        start, end = whole_number(start), whole_number(end)
    else:
        raise TypeError("neither a list nor an object")
    return key, start, end, "" if name is None else str(name)
