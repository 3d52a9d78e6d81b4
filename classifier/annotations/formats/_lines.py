"""doccano and Prodigy: JSON Lines, a document per line with labelled stretches.

doccano's browser counted the offsets: UTF-16 units, or grapheme clusters where the project says so;
the file does not say which, nor what words a label stands on. Prodigy counts code points, and its
tokens, where a line has them, check the offsets; only answers that were accepted count.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._codes import Code
from classifier.annotations.formats._files import (
    JSON_SUFFIXES,
    Member,
    json_records,
    members_of,
)
from classifier.annotations.formats._foreign import (
    SPAN_KEYS,
    UNNAMED,
    Foreign,
    LeftOut,
    Link,
    Record,
    Region,
    Turn,
    gather,
    is_span,
    made,
    n_spans,
    newest_of,
    person,
    read_document,
    text_id,
    turn_of,
    unread_spans,
    whole_number,
)
from classifier.articles import article_from_record, given_id
from classifier.errors import DataError
from classifier.records import Article, Problem
from classifier.text import CODE_POINTS, GRAPHEMES, UTF_16

DOCCANO_RULES = (UTF_16, GRAPHEMES, CODE_POINTS)
_COLLECTIVE = "all"


def read_doccano(path: Path) -> Foreign:
    """Read an export: a .jsonl file, or the zip or folder of one file per annotator."""
    members = members_of(path, JSON_SUFFIXES)
    is_one_of = len({member.path.stem for member in members} - {_COLLECTIVE}) > 1
    return gather(
        newest_of(
            turn for member in members for turn in _doccano_turns(member, is_one_of=is_one_of)
        )
    )


def _doccano_turns(
    member: Member, *, is_one_of: bool
) -> Iterator[tuple[Turn | None, Iterable[Record]]]:
    """Each line, as a whole annotation where all its labels are by one person."""
    annotator = member.path.stem
    if annotator == _COLLECTIVE:
        detail = f"{member.name} does not say who labelled what: all by {annotator!r}"
        yield None, [Problem(member.name, "annotator unknown, named after the file", detail)]
    for where, line in json_records(member.text, member.name):
        if isinstance(line, Problem):
            yield None, [line]
            continue
        document = _doccano_document(line, where, annotator, is_one_of=is_one_of)
        records = read_document(document, where)
        people = {record.annotator for record in records if isinstance(record, Region)}
        by = people.pop() if len(people) == 1 else person(annotator)
        turn, records = turn_of(records, line, where, "", by)
        yield (None if people else turn), records


def _doccano_document(
    line: Mapping[str, Any], where: str, annotator: str, *, is_one_of: bool
) -> Iterator[Record]:
    text = line.get("text", line.get("data"))
    if not isinstance(text, str):
        detail = f"a line needs a text, got the keys {sorted(line)}"
        yield LeftOut(where, "no text, refused", detail, labels=n_spans(line))
        return
    given = given_id(line)
    article_id = text_id(text) if given is None else given
    try:
        article = article_from_record({**line, "text": text, "article_id": article_id})
    except DataError as error:
        yield LeftOut(where, "malformed article, refused", str(error), labels=n_spans(line))
        return
    yield article
    yield from unread_spans(line, _KEYS, where)
    yield from _second_keys(line, where)
    if isinstance(line.get("label", []), str):
        detail = f"{line['label']!r} is not on a stretch of the text"
        yield LeftOut(where, "label of the whole text, left out", detail)
    yield from _doccano_regions(line, where, article.article_id, annotator, is_one_of=is_one_of)
    for relation in line.get("relations") or []:
        if isinstance(relation, Mapping):
            first, second = (f"{where} {relation.get(end)}" for end in ("from_id", "to_id"))
            yield Link(first, second, str(relation.get("type", "")))


def _doccano_regions(
    line: Mapping[str, Any], where: str, article_id: str, annotator: str, *, is_one_of: bool
) -> Iterator[Record]:
    comment = "; ".join(map(str, line.get("Comments") or line.get("comments") or [])) or None
    # ids repeat in some exports: a relation means the first label of its id
    first: dict[str, int] = {}
    for n, label in enumerate(next(iter(_lists(line).values()), [])):
        try:
            key, start, end, name = _label(label, n)
        except (KeyError, TypeError, ValueError) as error:
            detail = f"start, end and label were required, got {label!r:.80} ({error})"
            yield LeftOut(where, "label malformed, refused", detail)
            continue
        if start is None or end is None:
            detail = f"whole numbers were required as offsets, got {label!r:.80}"
            yield LeftOut(where, "label malformed, refused", detail)
            continue
        first.setdefault(key, n)
        yield Region(
            where=f"{where} label {key}",
            key=f"{where} {key}" if n == first[key] else f"{where} {key} at place {n}",
            article_id=article_id,
            annotator=_doccano_annotator(label, line, annotator, is_one_of=is_one_of),
            start=start,
            end=end,
            surface=None,
            codes=(("", name),) if name else (),
            comment=comment,
            made=made(label if isinstance(label, Mapping) else line),
        )


def _doccano_annotator(
    label: object, line: Mapping[str, Any], named: str, *, is_one_of: bool
) -> str:
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


def _lists(line: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The lists of stretches by their keys, the one that the tool wrote first.

    Projects with relations write entities. Other keys beside it came with the text, such as what a
    program suggested.
    """
    found = {}
    for key in ("entities", *_KEYS) if "relations" in line else _KEYS:
        value: Any = line
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and any(map(is_span, value.values())):
            value = list(value.values())
        if isinstance(value, list):
            found[key] = value
    return found


def _second_keys(line: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """What stands under further keys, and is not the same once more."""
    (first, own), *others = list(_lists(line).items()) or [("", [])]
    for key, spans in others:
        if spans and spans != own:
            detail = f"{len(spans)} under {key!r} beside {first!r}, such as {spans[0]!r:.80}"
            remedy = f"if these are the annotator's, put them under {first!r}"
            yield LeftOut(where, "spans under a second key, left out", detail, remedy, len(spans))


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


PRODIGY_RULES = (CODE_POINTS, UTF_16)
_OWN = frozenset(
    ["start", "end", "token_start", "token_end", "label", "text", "source", "score", "input_hash"]
)


def read_prodigy(path: Path) -> Foreign:
    """Read the .jsonl that `prodigy db-out` writes, or a folder or zip of several."""
    lines = (
        pair
        for member in members_of(path, JSON_SUFFIXES)
        for pair in json_records(member.text, member.name)
    )
    foreign = gather(newest_of(_prodigy_turn(line, where) for where, line in lines))
    # a program or a recipe may have added fields to the spans
    added = {field: None for region in foreign.regions for field, _ in region.codes if field}
    return replace(foreign, columns=tuple(added))


def _prodigy_turn(
    line: Mapping[str, Any] | Problem, where: str
) -> tuple[Turn | None, Iterable[Record]]:
    """A task; only one with the hash of its question is known to be answered as a whole."""
    if isinstance(line, Problem):
        return None, [line]
    turn, records = turn_of(
        _prodigy_task(line, where),
        line,
        where,
        str(line.get("_task_hash")),
        _prodigy_annotator(line),
    )
    return (None if line.get("_task_hash") is None else turn), records


def _prodigy_annotator(line: Mapping[str, Any]) -> str:
    names = (line.get(key) for key in ("_annotator_id", "_session_id"))
    return person(next((name for name in names if name not in (None, "")), UNNAMED))


def _prodigy_task(line: Mapping[str, Any], where: str) -> Iterator[Record]:
    if not isinstance(line.get("text"), str):
        detail = f"a task needs a text, got the keys {sorted(line)}"
        yield LeftOut(where, "no text, refused", detail, labels=n_spans(line))
        return
    try:
        article = _prodigy_article(line)
    except DataError as error:
        yield LeftOut(where, "malformed article, refused", str(error), labels=n_spans(line))
        return
    yield article
    if line.get("answer", "accept") != "accept":
        n = len(line["spans"]) if isinstance(line.get("spans"), list) else 0
        detail = f"its annotator answered {line['answer']!r}; {n} spans left out"
        reason = "answer not accepted, left out"
        yield LeftOut(where, reason, detail, labels=n, is_meant=True)
        return
    yield from unread_spans(line, ("spans",), where)
    yield from _prodigy_spans(line, where, article.article_id)


def _prodigy_spans(line: Mapping[str, Any], where: str, article_id: str) -> Iterator[Record]:
    """The labelled spans, their relations, and the task's answer where it is about one span."""
    annotator = _prodigy_annotator(line)
    spans = line["spans"] if isinstance(line.get("spans"), list) else []
    chosen = tuple(_chosen(line))
    if chosen and len(spans) != 1:
        detail = f"{[label for _, label in chosen]} for {len(spans)} spans"
        remedy, reason = "ask about one span at a time", "label of the whole text, left out"
        yield LeftOut(where, reason, detail, remedy, labels=len(chosen))
    by_end: dict[object, int] = {}
    for n, span in enumerate(spans, 1):
        if isinstance(span, Mapping):
            codes = (*_prodigy_codes(span), *(chosen if len(spans) == 1 else ()))
            yield _prodigy_region(span, f"{where} span {n}", article_id, annotator, line, codes)
            by_end[span.get("token_end")] = n
        else:
            detail = f"an object was required, got {span!r:.80}"
            yield LeftOut(f"{where} span {n}", "span malformed, refused", detail)
    for relation in line.get("relations") or []:
        pair = [by_end.get(relation.get(name)) for name in ("head", "child")]
        if None not in pair:
            label = str(relation.get("label", ""))
            yield Link(f"{where} span {pair[0]}", f"{where} span {pair[1]}", label)


def _chosen(line: Mapping[str, Any]) -> Iterator[Code]:
    """The answers to a question about the task: what was chosen, or the label that was accepted."""
    accepted = line.get("accept")
    for label in accepted if isinstance(accepted, list) else [line.get("label")]:
        if label not in (None, ""):
            yield "", str(label)


def _prodigy_article(line: Mapping[str, Any]) -> Article:
    """The article, under its own id or the hash that Prodigy gives to equal inputs."""
    meta = line.get("meta") if isinstance(line.get("meta"), dict) else {}
    known = {**(meta or {}), **line}
    given = given_id(known)
    article_id = text_id(line["text"]) if given is None else given
    return article_from_record({**known, "text": line["text"], "article_id": article_id})


def _prodigy_region(
    span: Mapping[str, Any],
    where: str,
    article_id: str,
    annotator: str,
    line: Mapping[str, Any],
    codes: tuple[Code, ...],
) -> Region | Problem:
    start, end = whole_number(span.get("start")), whole_number(span.get("end"))
    if start is None or end is None:
        detail = f"got {span.get('start')!r} and {span.get('end')!r}"
        return LeftOut(where, "offsets broken, refused", detail)
    return Region(
        where=where,
        key=where,
        article_id=article_id,
        annotator=annotator,
        start=start,
        end=end,
        surface=span.get("text") or _words(span, line.get("tokens")),
        codes=codes,
        made=made(line),
    )


def _prodigy_codes(span: Mapping[str, Any]) -> Iterator[Code]:
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
