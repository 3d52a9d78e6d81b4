"""Argilla 2: records as its SDK writes them, nested in JSON or flat in Parquet and JSON Lines."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    Record,
    gather,
    json_lines,
    person,
    read_text,
)
from classifier.annotations.formats._spans import article_of, is_spans, regions, whole_text
from classifier.errors import DataError
from classifier.files import plain_suffix
from classifier.records import Problem
from classifier.text import CODE_POINTS, UTF_16

RULES = (UTF_16, CODE_POINTS)
"""The browser counts in UTF-16; code that logs responses counts in code points."""
_RESPONSES, _USERS, _STATUS = ".responses", ".responses.users", ".responses.status"
_LEFT_OUT = ("draft", "discarded")


def read_argilla(path: Path) -> Foreign:
    """Read records from .json, .jsonl or .parquet; raises `DataError` where they are none."""
    records = list(_records(path))
    if records and not any(_is_record(record) for _, record in records):
        raise DataError(
            f"{path}: records of Argilla 2 were required, with fields and responses, or with "
            f"columns such as label.responses; got the keys {sorted(map(str, records[0][1]))[:10]}"
        )
    if not records:
        raise DataError(f"{path}: records were required, it holds none")
    return gather(_record(record, where) for where, record in records)


def _is_record(record: object) -> bool:
    if not isinstance(record, Mapping):
        return False
    return "responses" in record or any(str(key).endswith(_RESPONSES) for key in record)


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    if plain_suffix(path) == ".parquet":
        yield from _parquet(path)
        return
    text = read_text(path)
    if plain_suffix(path) == ".jsonl":
        yield from json_lines(text, path.name)
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: a JSON file of records was required: {error}") from None
    if not isinstance(found, list):
        raise DataError(f"{path}: a list of records was required, got {type(found).__name__}")
    yield from ((f"{path.name} record {n}", record) for n, record in enumerate(found, 1))


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: a Parquet file was required: {error}") from None
    yield from ((f"{path.name} record {n}", row) for n, row in enumerate(rows, 1))


def _record(record: Problem | Mapping[str, Any], where: str) -> Iterator[Record]:
    if isinstance(record, Problem):
        yield record
        return
    fields = record.get("fields")
    metadata = record.get("metadata")
    values = {**metadata} if isinstance(metadata, Mapping) else {}
    # a field may hold the article's id; the record's own is Argilla's
    flat = {key: value for key, value in record.items() if key not in ("id", "status")}
    values |= fields if isinstance(fields, Mapping) else flat
    article = article_of(values, record.get("id"), where)
    yield article
    if isinstance(article, Problem):
        return
    loose = []
    for question, answer, user, status in _answers(record):
        here = f"{where} {user}"
        if status in _LEFT_OUT:
            detail = f"{question} by {user}: the response is a {status}"
            yield Problem(here, f"{status} response, left out", detail)
        elif is_spans(answer):
            yield from regions(answer, question, here, article.article_id, user)
        elif answer not in (None, [], ""):
            loose.append(question)
    yield from whole_text(where, sorted(set(loose)))


def _answers(record: Mapping[str, Any]) -> Iterator[tuple[str, Any, str, str | None]]:
    """Question, value, person and status of every response."""
    nested = record.get("responses")
    for question, answers in nested.items() if isinstance(nested, Mapping) else ():
        for answer in answers or ():
            user = answer.get("user_id")
            yield question, answer.get("value"), _person(user), answer.get("status")
    for key, answers in record.items():
        if not (str(key).endswith(_RESPONSES) and isinstance(answers, list)):
            continue
        question = key.removesuffix(_RESPONSES)
        users = record.get(question + _USERS) or []
        statuses = record.get(question + _STATUS) or []
        for number, answer in enumerate(answers):
            user = users[number] if number < len(users) else None
            status = statuses[number] if number < len(statuses) else None
            yield question, answer, _person(user), status


def _person(user: object) -> str:
    return UNNAMED if user in (None, "", "None") else person(user)
