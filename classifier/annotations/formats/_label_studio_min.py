"""Label Studio's JSON-MIN and CSV exports: a row per annotation, labels under their field."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.annotations.formats._codes import read_table
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    Record,
    gather,
    person,
    read_text,
)
from classifier.annotations.formats._spans import (
    article_of,
    is_spans,
    parsed,
    regions,
    text_key,
    whole_text,
)
from classifier.articles import is_other_name
from classifier.errors import DataError
from classifier.files import plain_suffix
from classifier.records import Article, Problem

_OF_ANNOTATION = ("annotator", "annotation_id", "created_at", "updated_at", "lead_time")


def read_label_studio_min(path: Path) -> Foreign:
    """Read a JSON-MIN, CSV or TSV export, or the CSV saved as .xlsx.

    A choice per region keeps no offsets in these exports, so it is left out and listed; the JSON
    export keeps it. Raises `DataError` where the file is none of these.
    """
    rows = list(_rows(path))
    if not rows:
        raise DataError(f"{path}: rows with annotations were required, it holds none")
    if not any(_is_annotation(row) for _, row in rows):
        raise DataError(
            f"{path}: a JSON-MIN or CSV export was required, with annotator and annotation_id; got "
            f"the keys {sorted(map(str, rows[0][1]))[:10]}"
        )
    return gather(_annotation(row, where) for where, row in rows)


def _is_annotation(row: Mapping[str, Any]) -> bool:
    is_of_tool = "annotator" in row or "annotation_id" in row
    return is_of_tool or any(is_spans(parsed(value)) for value in row.values())


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = read_text(path)
    if plain_suffix(path) in (".csv", ".tsv", ".txt", ".xlsx"):
        yield from read_table(text, path.name)
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: a JSON-MIN export was required: {error}") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError(f"{path}: a list of annotations was required, got {type(found).__name__}")
    yield from ((f"{path.name} annotation {n}", row) for n, row in enumerate(found, 1))


def _annotation(row: Mapping[str, Any], where: str) -> Iterator[Record]:
    values = {str(key): parsed(value) for key, value in row.items()}
    article = article_of(values, None, where)
    yield article
    if isinstance(article, Problem):
        return
    by = _person(values.get("annotator"))
    text = text_key(values)
    loose = []
    for field, value in values.items():
        if field in _OF_ANNOTATION or field == text:
            continue
        if is_spans(value) and isinstance(value, list):
            yield from regions(value, field, where, article.article_id, by)
        elif _is_answer(value, field, article):
            loose.append(field)
    yield from whole_text(where, loose)


def _is_answer(value: object, field: str, article: Article) -> bool:
    """Whether this is the answer to a question, and not a field of the article."""
    if isinstance(value, Mapping):
        return "choices" in value
    is_own = hasattr(article, field) or field in ("id", "sha256") or is_other_name(field)
    return isinstance(value, str) and not is_own


def _person(annotator: object) -> str:
    if isinstance(annotator, Mapping):
        named = (annotator.get(key) for key in ("email", "username", "id"))
        annotator = next((value for value in named if value not in (None, "")), None)
    return UNNAMED if annotator in (None, "") else person(annotator)
