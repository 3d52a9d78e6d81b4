"""Label Studio: projects with suggestions out; `_label_studio_in` reads them back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from classifier.annotations._table import (
    Annotation,
    AnnotationSet,
    table_annotations,
)
from classifier.annotations.formats._codes import (
    MENTION,
    NONE_CODED,
    NOT_TARGET,
    TARGET,
    encode_values,
    predicted_annotations,
)
from classifier.articles import article_record
from classifier.codebook import Codebook, Variable, write_codebook
from classifier.files import json_line, write_text

_TEXT = "text"
SUGGESTED = "suggested"
"""The field of a task's data that holds what a program suggested."""


def write_label_studio(
    annotation_set: AnnotationSet, path: Path, predictions: pd.DataFrame | None = None
) -> None:
    """Write tasks to import into Label Studio; beside them the labelling config and the codebook.

    An annotator goes into the regions' `meta`: Label Studio refuses tasks that name people it does
    not know. What is suggested also goes into the tasks' data, which every export gives back, so
    that import can tell what was left unchanged.
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
            "data": article_record(article) | _suggested(predicted[article.article_id]),
            "annotations": list(_people(annotations[article.article_id], codebook)),
            "predictions": list(_models(predicted[article.article_id], codebook)),
        }
        for article in annotation_set.articles
    ]
    write_text(path, ["[\n", ",\n".join(json_line(task) for task in tasks), "\n]\n"])
    write_text(path.with_suffix(".config.xml"), [labelling_config(codebook)])
    write_codebook(codebook, path.with_suffix(".codebook.toml"))


def _suggested(rows: Iterable[tuple[Annotation, float | None]]) -> dict[str, Any]:
    """The labels by variable and offsets, as `_label_studio_in` reads them."""
    labels = {
        f"{name} {row.span.start}-{row.span.end}": encode_values(value)
        for row, _ in rows
        for name, value in row.labels.items()
        if value is not None
    }
    return {SUGGESTED: labels} if labels else {}


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
