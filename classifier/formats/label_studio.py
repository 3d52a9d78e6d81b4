"""Label Studio's JSON export: tasks, each with annotations by people, each with regions.

A region's labels come as several results with one id: its span with a label, its choices, its
comment. Offsets are code points; exports from before late 2021 have UTF-16 units. Predictions are a
model's, not a person's, and are left out.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.articles import article_from_record
from classifier.errors import DataError
from classifier.formats.codes import TARGET, Code
from classifier.formats.foreign import UNNAMED, Foreign, Link, Record, Region, gather
from classifier.formats.imported import read_text
from classifier.records import Problem

_TEXT_KEYS = ("text", "article", "body", "content")


def read_label_studio(path: Path) -> Foreign:
    """Read a JSON export; raises `DataError` where the file is none."""
    try:
        tasks = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path}: a JSON export of Label Studio was required: {error}") from None
    tasks = [tasks] if isinstance(tasks, dict) else tasks
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise DataError(f"{path}: a list of tasks was required, got {type(tasks).__name__}")
    if tasks and not any("data" in task for task in tasks):
        raise DataError(
            f'{path}: tasks with "data" and "annotations" were required, got the keys '
            f"{sorted(tasks[0])[:8]}; export as JSON, not JSON-MIN"
        )
    predictions = [
        task["predictions"] for task in tasks if isinstance(task.get("predictions"), list)
    ]
    documents = (_task(task, n, path.name) for n, task in enumerate(tasks, 1))
    return gather(documents, {"predictions left out": sum(map(len, predictions))})


def _task(task: Mapping[str, Any], number: int, file: str) -> Iterator[Record]:
    where = f"{file} task {task.get('id', number)}"
    data = task.get("data")
    key = _text_key(data)
    if not isinstance(data, Mapping) or key is None:
        yield Problem(where, "no text, refused", "a task needs a text in its data")
        return
    record = {**data, "text": data[key]}
    record["article_id"] = record.get("article_id") or str(task.get("id", number))
    try:
        article = article_from_record(record)
    except DataError as error:
        yield Problem(where, "malformed article, refused", str(error))
        return
    yield article
    for annotation in task.get("annotations") or task.get("completions") or []:
        yield from _by_annotator(annotation, article.article_id, where)


def _text_key(data: object) -> str | None:
    """The field that holds the text: the usual names first, then the only or the longest string."""
    if not isinstance(data, Mapping):
        return None
    strings = {key: value for key, value in data.items() if isinstance(value, str)}
    usual = [key for key in _TEXT_KEYS if key in strings]
    return usual[0] if usual else max(strings, key=lambda key: len(strings[key]), default=None)


def _by_annotator(annotation: Mapping[str, Any], article_id: str, where: str) -> Iterator[Record]:
    where = f"{where} annotation {annotation.get('id', '?')}"
    if annotation.get("was_cancelled") or annotation.get("skipped"):
        yield Problem(where, "cancelled annotation, left out", "its annotator skipped the task")
        return
    annotator = _person(annotation.get("completed_by"))
    results: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for result in annotation.get("result") or []:
        if result.get("type") == "relation":
            label = str(next(iter(result.get("labels") or []), ""))
            yield Link(f"{where} {result['from_id']}", f"{where} {result['to_id']}", label)
        else:
            results[str(result.get("id"))].append(result)
    for key, parts in results.items():
        yield _region(parts, f"{where} {key}", article_id, annotator)


def _person(completed_by: object) -> str:
    """Who did it: an id, or a record with an e-mail address."""
    if isinstance(completed_by, Mapping):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return UNNAMED if completed_by is None else str(completed_by)


def _region(
    parts: list[Mapping[str, Any]], where: str, article_id: str, annotator: str
) -> Region | Problem:
    value = next((p["value"] for p in parts if "start" in p.get("value", {})), None)
    if value is None:
        detail = f"{[p.get('from_name') for p in parts]} without offsets"
        return Problem(where, "label of the whole text, left out", detail)
    if not (isinstance(value["start"], int) and isinstance(value.get("end"), int)):
        detail = f"start {value['start']!r}: places in a HyperText page are not offsets in its text"
        return Problem(where, "no offsets, refused", detail, "annotate with Text, not HyperText")
    meta: dict[str, Any] = {}
    for part in parts:
        meta |= part.get("meta") or {}
    surface = next((p["value"]["text"] for p in parts if _is_surface(p)), None)
    evidence = meta.get("evidence")
    return Region(
        where=where,
        key=where,
        article_id=article_id,
        annotator=str(meta.get("annotator") or annotator),
        start=value["start"],
        end=value["end"],
        surface=surface,
        codes=tuple(_codes(parts, meta)),
        comment="; ".join(_comments(parts, meta)) or None,
        speaker=meta.get("speaker"),
        evidence=tuple(evidence) if evidence else None,
    )


def _is_surface(part: Mapping[str, Any]) -> bool:
    return isinstance(part["value"].get("text"), str)


def _codes(parts: list[Mapping[str, Any]], meta: Mapping[str, Any]) -> Iterator[Code]:
    if "target" in meta:
        yield TARGET, str(meta["target"])
    for part in parts:
        field, kind = str(part.get("from_name", "")), str(part.get("type"))
        labels = part["value"].get(kind, [])
        for label in labels if isinstance(labels, list) else [labels]:
            leaf = label[-1] if isinstance(label, list) and label else label
            if kind != "textarea":
                yield field, str(leaf)


def _comments(parts: list[Mapping[str, Any]], meta: Mapping[str, Any]) -> Iterator[str]:
    for part in parts:
        if part.get("type") == "textarea":
            text = part["value"].get("text", [])
            yield from text if isinstance(text, list) else [text]
    notes = meta.get("text", [])
    yield from notes if isinstance(notes, list) else [str(notes)]
