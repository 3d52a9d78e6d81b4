"""A brat project: a folder per annotator with texts and stand-off, and the labels to choose."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations import Annotation, AnnotationSet, table_annotations
from classifier.articles import article_record
from classifier.codebook import Codebook, write_codebook
from classifier.files import json_line, write_text
from classifier.formats.brat import JSON_NOTE, METADATA
from classifier.formats.codes import (
    MENTION,
    NONE_CODED,
    NOT_TARGET,
    TARGET,
    Code,
    encode_values,
)
from classifier.formats.predicted import predicted_annotations
from classifier.formats.tables import table_text
from classifier.records import Article

NOBODY = "to-annotate"
"""The folder for articles that nobody annotated yet."""
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def write_brat(
    annotation_set: AnnotationSet, path: Path, predictions: pd.DataFrame | None = None
) -> None:
    """Write a folder per annotator and per model that predicted; texts stay exactly as they are."""
    files = _file_names(annotation_set.articles)
    rows: dict[str, dict[str, list[Annotation]]] = defaultdict(lambda: defaultdict(list))
    predicted = (a for a, _ in predicted_annotations(predictions, annotation_set.codebook))
    for annotation in [*table_annotations(annotation_set), *predicted]:
        rows[annotation.article_id][_folder(annotation.annotator)].append(annotation)
    for article in annotation_set.articles:
        for folder, annotations in (rows[article.article_id] or {NOBODY: []}).items():
            place = path / folder / files[article.article_id]
            write_text(place.with_name(f"{place.name}.txt"), [article.text])
            lines = _standoff(annotations, annotation_set.codebook)
            write_text(place.with_name(f"{place.name}.ann"), lines)
    write_text(path / METADATA, [_metadata(annotation_set.articles, files)])
    write_text(path / "annotation.conf", [annotation_conf(annotation_set.codebook)])
    write_codebook(annotation_set.codebook, path / "codebook.toml")


def annotation_conf(codebook: Codebook) -> str:
    """The labels to choose from, as brat's annotation.conf."""
    entities = [name for name in codebook.target_names if _NAME.fullmatch(name)] or [MENTION]
    attributes = []
    for variable in codebook.variables:
        if variable.kind == "set":
            labels = (*variable.names, NONE_CODED)
            attributes += [f"{variable.name}_{label}\tArg:<ENTITY>" for label in labels]
        else:
            values = "|".join(variable.names)
            attributes.append(f"{variable.name}\tArg:<ENTITY>, Value:{values}")
    attributes.append(f"{NOT_TARGET}\tArg:<ENTITY>")
    parts = {"entities": entities, "relations": [], "events": [], "attributes": attributes}
    return "\n".join("\n".join([f"[{part}]", *lines, ""]) for part, lines in parts.items())


def _folder(annotator: str) -> str:
    """A folder name that no two annotators share and that stays where it is put."""
    plain = re.sub(r"[^\w.@ -]", "_", annotator).strip(". ")
    return plain or NOBODY


def _file_names(articles: Iterable[Article]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for article in articles:
        plain = re.sub(r"[^\w-]+", "_", article.article_id).strip("_")[:60] or "article"
        name, n = plain, 1
        while name.casefold() in taken:
            n += 1
            name = f"{plain}-{n}"
        taken.add(name.casefold())
        names[article.article_id] = name
    return names


def _metadata(articles: Iterable[Article], files: dict[str, str]) -> str:
    records = [article_record(article) for article in articles]
    columns = [name for name in (records[0] if records else []) if name not in ("text", "sha256")]
    rows = [
        [f"{files[record['article_id']]}.txt", *(record[name] for name in columns)]
        for record in records
    ]
    return table_text(["file", *columns], rows)


def _standoff(annotations: Iterable[Annotation], codebook: Codebook) -> Iterator[str]:
    n_attributes = 0
    for n, annotation in enumerate(annotations, 1):
        plain, codes = _codes(annotation, codebook)
        kind = annotation.target if plain else MENTION
        span, surface = annotation.span, re.sub(r"[\r\n]", " ", annotation.surface)
        yield f"T{n}\t{kind} {span.start} {span.end}\t{surface}\n"
        hidden = [] if plain else [(TARGET, annotation.target)]
        for name, value in codes:
            is_flag = not value
            if not _NAME.fullmatch(name) or not (is_flag or _NAME.fullmatch(value)):
                hidden.append((name, value))
                continue
            n_attributes += 1
            yield f"A{n_attributes}\t{name} T{n}{'' if is_flag else ' ' + value}\n"
        note = _note(annotation, hidden)
        if note:
            yield f"#{n}\tAnnotatorNotes T{n}\t{note}\n"


def _codes(annotation: Annotation, codebook: Codebook) -> tuple[bool, list[Code]]:
    """Whether the target can stand as an entity type, and the labels as attributes."""
    codes: list[Code] = []
    for name, value in annotation.labels.items():
        is_set = codebook.variable(name).kind == "set"
        codes += [(f"{name}_{v}", "") if is_set else (name, v) for v in encode_values(value)]
    if annotation.not_target:
        codes.append((NOT_TARGET, ""))
    is_plain = not codebook.any_target and bool(_NAME.fullmatch(annotation.target))
    return is_plain, codes


def _note(annotation: Annotation, hidden: list[Code]) -> str:
    """The comment; as JSON where it would break the line, or where more has to go along."""
    evidence, comment = annotation.evidence, annotation.comment or ""
    is_folder = _folder(annotation.annotator) == annotation.annotator
    record: dict[str, Any] = {
        "codes": hidden,
        "annotator": None if is_folder else annotation.annotator,
        "speaker": annotation.speaker,
        "evidence": [evidence.start, evidence.end] if evidence else None,
    }
    more = {key: value for key, value in record.items() if value}
    is_plain = comment.isprintable() and not comment.startswith(JSON_NOTE)
    if not more and is_plain and comment == comment.strip():
        return comment
    return JSON_NOTE + json_line(more | ({"comment": comment} if comment else {}))
