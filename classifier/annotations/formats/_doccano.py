"""doccano's JSONL: a document per line with labelled stretches, in a zip of one file per annotator.

The browser counted the offsets: UTF-16 units, or grapheme clusters where the project says so; the
file does not say which, nor what words a label stands on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._archives import Member, read_members
from classifier.annotations.formats._foreign import (
    Foreign,
    Link,
    Record,
    Region,
    gather,
    json_lines,
    person,
)
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
    return gather(document for member in members for document in _documents(member))


def _documents(member: Member) -> Iterator[Iterable[Record]]:
    annotator = member.path.stem
    if annotator == _COLLECTIVE:
        detail = f"{member.name} does not say who labelled what: all by {annotator!r}"
        yield [Problem(member.name, "annotator unknown, named after the file", detail)]
    for where, line in json_lines(member.text, member.name):
        yield [line] if isinstance(line, Problem) else _document(line, where, annotator)


def _document(line: Mapping[str, Any], where: str, annotator: str) -> Iterator[Record]:
    text = line.get("text", line.get("data"))
    if not isinstance(text, str):
        yield Problem(
            where, "no text, refused", f"a line needs a text, got the keys {sorted(line)}"
        )
        return
    given = given_id(line)
    article_id = where if given is None else given
    try:
        article = article_from_record({**line, "text": text, "article_id": article_id})
    except DataError as error:
        yield Problem(where, "malformed article, refused", str(error))
        return
    yield article
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
        first.setdefault(key, n)
        yield Region(
            where=f"{where} label {key}",
            key=f"{where} {key}" if n == first[key] else f"{where} {key} at place {n}",
            article_id=article.article_id,
            annotator=_annotator(label, line, annotator),
            start=start,
            end=end,
            surface=None,
            codes=(("", name),),
            comment=comment,
        )
    for relation in line.get("relations") or []:
        ends = (f"{where} {relation['from_id']}", f"{where} {relation['to_id']}")
        yield Link(*ends, str(relation.get("type", "")))


def _annotator(label: object, line: Mapping[str, Any], named: str) -> str:
    """The label's own user, else the approver's decision, else whom the file is named after."""
    user = label.get("user") if isinstance(label, Mapping) else None
    if user is not None:
        return person(user)
    return CURATED if line.get("annotation_approver") else person(named)


def _labels(line: Mapping[str, Any]) -> Sequence[Any]:
    for key in ("entities", "label", "labels", "annotations", "spans"):
        if isinstance(line.get(key), list):
            return list(line[key])
    return []


def _label(label: object, n: int) -> tuple[str, int, int, str]:
    if isinstance(label, Mapping):
        key = str(n) if label.get("id") is None else str(label["id"])
        return key, int(label["start_offset"]), int(label["end_offset"]), str(label["label"])
    if not isinstance(label, list):
        raise TypeError("neither a list nor an object")
    start, end, name = label
    return str(n), int(start), int(end), str(name)
