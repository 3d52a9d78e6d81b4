"""Label Studio: exports in, projects with suggestions out."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from classifier.annotations._table import Annotation, AnnotationSet, table_annotations
from classifier.annotations.formats._codes import (
    MENTION,
    NONE_CODED,
    NOT_TARGET,
    TARGET,
    Code,
    encode_values,
    predicted_annotations,
)
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    Link,
    Record,
    Region,
    gather,
)
from classifier.annotations.formats._stream import json_items
from classifier.articles import article_from_record, article_record
from classifier.codebook import Codebook, Variable, write_codebook
from classifier.errors import DataError
from classifier.files import json_line, write_text
from classifier.records import Problem

_TEXT_KEYS = ("text", "article", "body", "content")


def read_label_studio(path: Path) -> Foreign:
    """Read a JSON export; raises `DataError` where the file is none."""
    try:
        tasks = list(json_items(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path}: a JSON export of Label Studio was required: {error}") from None
    others = [type(task).__name__ for task in tasks if not isinstance(task, dict)]
    if others:
        raise DataError(f"{path}: a list of tasks was required, got {others[0]}")
    if tasks and not any("data" in task for task in tasks):
        raise DataError(
            f'{path}: tasks with "data" and "annotations" were required, got the keys '
            f"{sorted(tasks[0])[:8]}; export as JSON, or import JSON-MIN as label-studio-min"
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


_TEXT = "text"


def write_label_studio(
    annotation_set: AnnotationSet, path: Path, predictions: pd.DataFrame | None = None
) -> None:
    """Write tasks to import into Label Studio; beside them the labelling config and the codebook.

    An annotator goes into the regions' `meta`: Label Studio refuses tasks that name people it does
    not know.
    """
    codebook = annotation_set.codebook
    annotations: dict[str, list[tuple[Annotation, float | None]]] = defaultdict(list)
    for annotation in table_annotations(annotation_set):
        annotations[annotation.article_id].append((annotation, None))
    predicted: dict[str, list[tuple[Annotation, float | None]]] = defaultdict(list)
    for annotation, sureness in predicted_annotations(predictions, codebook):
        predicted[annotation.article_id].append((annotation, sureness))
    tasks = [
        {
            "data": article_record(article),
            "annotations": list(_people(annotations[article.article_id], codebook)),
            "predictions": list(_models(predicted[article.article_id], codebook)),
        }
        for article in annotation_set.articles
    ]
    write_text(path, ["[\n", ",\n".join(json_line(task) for task in tasks), "\n]\n"])
    write_text(path.with_suffix(".config.xml"), [labelling_config(codebook)])
    write_codebook(codebook, path.with_suffix(".codebook.toml"))


def labelling_config(codebook: Codebook) -> str:
    """The interface in which annotators apply the codebook, as Label Studio's XML.

    Any stretch of characters can be marked, so that a name inside a longer word can be one.
    """
    view = ElementTree.Element("View")
    field = MENTION if codebook.any_target else TARGET
    marks = ElementTree.SubElement(view, "Labels", name=field, toName=_TEXT)
    for name, title in _targets(codebook):
        ElementTree.SubElement(marks, "Label", value=name, hint=title)
    ElementTree.SubElement(
        view, "Text", name=_TEXT, value=f"${_TEXT}", granularity="symbol", highlightColor="#ffd966"
    )
    panel = ElementTree.SubElement(view, "View", visibleWhen="region-selected")
    for variable in codebook.variables:
        _question(panel, variable)
    flag = ElementTree.SubElement(panel, "Choices", _per_region(NOT_TARGET), choice="multiple")
    ElementTree.SubElement(flag, "Choice", value=NOT_TARGET)
    ElementTree.SubElement(panel, "TextArea", _per_region("comment"), rows="2", maxSubmissions="1")
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _targets(codebook: Codebook) -> list[tuple[str, str]]:
    if codebook.any_target:
        return [(MENTION, "whoever is spoken of")]
    return [(target.name, target.title) for target in codebook.targets]


def _question(panel: ElementTree.Element, variable: Variable) -> None:
    ElementTree.SubElement(
        panel, "Header", value=f"{variable.name}: {' '.join(variable.definition.split())}", size="5"
    )
    is_set = variable.kind == "set"
    choices = ElementTree.SubElement(
        panel, "Choices", _per_region(variable.name), choice="multiple" if is_set else "single"
    )
    for label in variable.labels:
        hint = " ".join(label.definition.split())
        ElementTree.SubElement(choices, "Choice", value=label.name, hint=hint)
    if is_set:
        ElementTree.SubElement(choices, "Choice", value=NONE_CODED, hint="Read, and none applies.")


def _per_region(name: str) -> dict[str, str]:
    return {"name": name, "toName": _TEXT, "perRegion": "true"}


def _people(
    rows: Iterable[tuple[Annotation, float | None]], codebook: Codebook
) -> Iterator[dict[str, Any]]:
    for annotator, results in _written_by_annotator(rows, codebook, with_name=True).items():
        yield {"result": results} | (
            {"completed_by": {"email": annotator}} if "@" in annotator else {}
        )


def _models(
    rows: Iterable[tuple[Annotation, float | None]], codebook: Codebook
) -> Iterator[dict[str, Any]]:
    for model, results in _written_by_annotator(rows, codebook, with_name=False).items():
        yield {"model_version": model, "result": results}


def _written_by_annotator(
    rows: Iterable[tuple[Annotation, float | None]], codebook: Codebook, *, with_name: bool
) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for n, (annotation, sureness) in enumerate(rows, 1):
        meta = {"annotator": annotation.annotator} if with_name else {}
        region = list(_written_region(annotation, f"r{n}", meta, codebook))
        if sureness is not None:
            region[0]["score"] = sureness
        results[annotation.annotator] += region
    return results


def _written_region(
    annotation: Annotation, key: str, meta: dict[str, Any], codebook: Codebook
) -> Iterator[dict[str, Any]]:
    span = annotation.span
    place = {"start": span.start, "end": span.end, "text": annotation.surface}
    is_any = codebook.any_target
    field, target = (MENTION, MENTION) if is_any else (TARGET, annotation.target)
    mark = {"id": key, "from_name": field, "to_name": _TEXT, "type": "labels"}
    meta = meta | _unseen(annotation, codebook)
    yield mark | {"value": place | {"labels": [target]}} | ({"meta": meta} if meta else {})
    fields = [(name, encode_values(value)) for name, value in annotation.labels.items()]
    fields.append((NOT_TARGET, [NOT_TARGET] if annotation.not_target else []))
    for name, choices in fields:
        if choices:
            answer = {"from_name": name, "type": "choices", "value": place | {"choices": choices}}
            yield mark | answer
    if annotation.comment:
        value = place | {"text": [annotation.comment]}
        yield mark | {"from_name": "comment", "type": "textarea", "value": value}


def _unseen(annotation: Annotation, codebook: Codebook) -> dict[str, Any]:
    """What the interface does not show and the region carries along."""
    evidence = annotation.evidence
    unseen = {
        "speaker": annotation.speaker,
        "evidence": [evidence.start, evidence.end] if evidence else None,
        "target": annotation.target if codebook.any_target else None,
    }
    return {key: value for key, value in unseen.items() if value is not None}
