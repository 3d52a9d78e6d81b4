"""Prodigy's JSONL from `db-out`: a task per line and annotator, spans in code points.

Only answers that were accepted count. Where the line has tokens, their words check the offsets.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.annotations.formats._archives import read_members
from classifier.annotations.formats._codes import Code
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    Link,
    Record,
    Region,
    gather,
    json_lines,
    person,
    read_json_lines,
    text_id,
    unread_spans,
    whole_number,
)
from classifier.annotations.formats._turns import Turn, made, newest_of, turn_of
from classifier.articles import article_from_record, given_id
from classifier.errors import DataError
from classifier.records import Article, Problem
from classifier.text import CODE_POINTS, UTF_16

RULES = (CODE_POINTS, UTF_16)
_OWN = frozenset(
    ["start", "end", "token_start", "token_end", "label", "text", "source", "score", "input_hash"]
)


def read_prodigy(path: Path) -> Foreign:
    """Read the .jsonl that `prodigy db-out` writes, or a folder or zip of several."""
    if path.is_dir() or path.suffix.lower() == ".zip":
        members = [m for m in read_members(path) if m.name.lower().endswith(".jsonl")]
        if not members:
            raise DataError(f"{path}: .jsonl files of Prodigy were required, none was found")
        lines: Iterator[tuple[str, dict[str, Any] | Problem]] = (
            pair for member in members for pair in json_lines(member.text, member.name)
        )
    else:
        lines = read_json_lines(path)
    return gather(newest_of(_turn(line, where) for where, line in lines))


def _turn(line: Mapping[str, Any] | Problem, where: str) -> tuple[Turn | None, Iterable[Record]]:
    """A task; only one with the hash of its question is known to be answered as a whole."""
    if isinstance(line, Problem):
        return None, [line]
    turn, records = turn_of(
        _task(line, where), line, where, str(line.get("_task_hash")), _annotator(line)
    )
    return (None if line.get("_task_hash") is None else turn), records


def _annotator(line: Mapping[str, Any]) -> str:
    names = (line.get(key) for key in ("_annotator_id", "_session_id"))
    return person(next((name for name in names if name not in (None, "")), UNNAMED))


def _task(line: Mapping[str, Any], where: str) -> Iterator[Record]:
    if not isinstance(line.get("text"), str):
        yield Problem(
            where, "no text, refused", f"a task needs a text, got the keys {sorted(line)}"
        )
        return
    try:
        article = _article(line)
    except DataError as error:
        yield Problem(where, "malformed article, refused", str(error))
        return
    yield article
    if line.get("answer", "accept") != "accept":
        n = len(line["spans"]) if isinstance(line.get("spans"), list) else 0
        detail = f"its annotator answered {line['answer']!r}; {n} spans left out"
        yield Problem(where, "answer not accepted, left out", detail)
        return
    yield from unread_spans(line, ("spans", "tokens"), where)
    annotator = _annotator(line)
    spans = line["spans"] if isinstance(line.get("spans"), list) else []
    by_end: dict[object, int] = {}
    for n, span in enumerate(spans, 1):
        if isinstance(span, Mapping):
            yield _region(span, f"{where} span {n}", article.article_id, annotator, line)
            by_end[span.get("token_end")] = n
        else:
            detail = f"an object was required, got {span!r:.80}"
            yield Problem(f"{where} span {n}", "span malformed, refused", detail)
    for relation in line.get("relations") or []:
        pair = [by_end.get(relation.get(name)) for name in ("head", "child")]
        if None not in pair:
            label = str(relation.get("label", ""))
            yield Link(f"{where} span {pair[0]}", f"{where} span {pair[1]}", label)


def _article(line: Mapping[str, Any]) -> Article:
    """The article, under its own id or the hash that Prodigy gives to equal inputs."""
    meta = line.get("meta") if isinstance(line.get("meta"), dict) else {}
    known = {**(meta or {}), **line}
    given = given_id(known)
    article_id = text_id(line["text"]) if given is None else given
    return article_from_record({**known, "text": line["text"], "article_id": article_id})


def _region(
    span: Mapping[str, Any], where: str, article_id: str, annotator: str, line: Mapping[str, Any]
) -> Region | Problem:
    start, end = whole_number(span.get("start")), whole_number(span.get("end"))
    if start is None or end is None:
        detail = f"got {span.get('start')!r} and {span.get('end')!r}"
        return Problem(where, "offsets broken, refused", detail)
    return Region(
        where=where,
        key=where,
        article_id=article_id,
        annotator=annotator,
        start=start,
        end=end,
        surface=span.get("text") or _words(span, line.get("tokens")),
        codes=tuple(_codes(span)),
        made=made(line),
    )


def _codes(span: Mapping[str, Any]) -> Iterator[Code]:
    if span.get("label"):
        yield "", str(span["label"])
    for field, value in span.items():
        if field not in _OWN and value is not None:
            values = value if isinstance(value, list) else [value]
            yield from ((field, str(each)) for each in values)


def _words(span: Mapping[str, Any], tokens: object) -> str | None:
    """The words of the span's tokens; `token_end` is the last one, not the one after it."""
    first, last = span.get("token_start"), span.get("token_end")
    if not isinstance(tokens, list) or not isinstance(first, int) or not isinstance(last, int):
        return None
    inside = tokens[first : last + 1]
    words = "".join(token["text"] + (" " if token.get("ws", True) else "") for token in inside)
    return words.removesuffix(" ") if inside and inside[-1].get("ws", True) else words
