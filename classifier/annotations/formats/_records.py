"""Argilla 2, Potato, ActiveTigger and Label Studio's JSON-MIN and CSV: records with lists of spans.

Argilla's are nested in JSON or flat in Parquet and JSON Lines. Potato has an
`annotated_instances.jsonl` in a folder that bears the annotator's name. In Label Studio's smaller
exports a row is an annotation, with its labels under their field. In ActiveTigger's a row is a
text, with the last annotation of one scheme.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._files import (
    JSON_SUFFIXES,
    Member,
    json_records,
    members_of,
    read_table,
)
from classifier.annotations.formats._foreign import (
    SPAN_KEYS,
    UNNAMED,
    Foreign,
    LeftOut,
    Record,
    Region,
    Turn,
    gather,
    n_spans,
    newest_of,
    person,
    read_document,
    text_id,
    turn_of,
    unread_spans,
    whole_number,
)
from classifier.articles import article_from_record, given_id, is_other_name
from classifier.errors import DataError, in_words, why_unread
from classifier.records import Article, Problem
from classifier.text import CODE_POINTS, UTF_16

TEXT_KEYS = ("text", "article", "body", "content")
_IDS = ("id", "article_id", "instance_id", "external_id", "_server_id", "user", "user_id")
_ABOUT = ("status", "annotator", "created_at", "updated_at", "sha256", "url", "author", "language")
_NO_TEXTS = frozenset((*_IDS, *_ABOUT))
_LABEL_KEYS = ("labels", "hypertextlabels", "choices", "label", "annotation", "name", "tag")
_SURFACE_KEYS = ("text", "span", "surface")
WHOLE_TEXT = "label of the whole text, left out"
MALFORMED = "label malformed, refused"


def text_key(fields: Mapping[str, Any]) -> str | None:
    """The field that holds the text: the usual names first, then the longest string."""
    strings = {
        key: value
        for key, value in fields.items()
        if isinstance(value, str) and key not in _NO_TEXTS and not is_other_name(key)
    }
    usual = [key for key in TEXT_KEYS if key in strings]
    return usual[0] if usual else max(strings, key=lambda key: len(strings[key]), default=None)


def article_of(
    record: Mapping[str, Any], tool_id: object, where: str, whole: object
) -> Article | LeftOut:
    """The article of a record, or why there is none and what that costs of the whole.

    Its id is its own, else the tool's, else one that equal texts share.
    """
    key = text_key(record)
    if key is None:
        detail = f"a record needs a text, got the keys {sorted(map(str, record))}"
        return LeftOut(where, "no text, refused", detail, labels=n_spans(whole))
    found = (given_id(record), given_id({"id": tool_id}), text_id(record[key]))
    own = next(value for value in found if value is not None)
    try:
        return article_from_record({**record, "text": record[key], "article_id": own})
    except DataError as error:
        return LeftOut(where, "malformed article, refused", in_words(error), labels=n_spans(whole))


def is_spans(value: object) -> bool:
    """Whether this is a list of objects with a start, which is what tools write for spans."""
    objects = [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []
    return any(first in v for v in objects for first, _ in SPAN_KEYS)


def parsed(value: object) -> object:
    """A cell's JSON where it is a list or an object, else the value as it is."""
    if not (isinstance(value, str) and value.lstrip()[:1] in ("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def regions(
    spans: Sequence[Any], field: str, where: str, article_id: str, annotator: str
) -> Iterator[Record]:
    """The regions of a list of spans; one without a start, end or label is set aside.

    A region's key is its place in the file, never an id that a tool may leave out or repeat.
    """
    for number, span in enumerate(spans):
        here = f"{where} {field} {number}"
        labels = list(_span_labels(span)) if isinstance(span, Mapping) else []
        names = next((keys for keys in SPAN_KEYS if keys[0] in span), ()) if labels else ()
        start, end = (whole_number(span.get(key)) for key in names or ("", ""))
        if start is None or end is None:
            detail = f"start, end and a label were required, got {span!r:.120}"
            yield LeftOut(here, MALFORMED, detail)
            continue
        surfaces = (span.get(key) for key in _SURFACE_KEYS)
        yield Region(
            where=here,
            key=here,
            article_id=article_id,
            annotator=annotator,
            start=start,
            end=end,
            surface=next((s for s in surfaces if isinstance(s, str)), None),
            codes=tuple((field, label) for label in labels),
        )


def _span_labels(span: Mapping[str, Any]) -> Iterator[str]:
    for key in _LABEL_KEYS:
        value = span.get(key)
        if value is not None:
            for label in value if isinstance(value, list) else [value]:
                yield str(label[-1] if isinstance(label, list) and label else label)
            return


def whole_text(where: str, fields: Sequence[str], labels: int | None = None) -> Iterator[Problem]:
    """One problem for labels that stand on no span: as many as fields, unless it is said."""
    if fields:
        yield LeftOut(
            where,
            WHOLE_TEXT,
            f"{', '.join(fields)} without offsets",
            "mark the words that the label is about",
            labels=len(fields) if labels is None else labels,
        )


_Row = tuple[str, Mapping[str, Any] | Problem]
_Turn = tuple[Turn | None, Iterable[Record]]


def _rows(path: Path, suffixes: Sequence[str]) -> list[_Row]:
    """Place and cells of every record in a file, or in a folder or zip of several.

    Raises `DataError` where there is none, or a file is broken.
    """
    rows = [
        row
        for member in members_of(path, suffixes)
        for row in _member_rows(member, member.suffix if member.suffix in suffixes else suffixes[0])
    ]
    if not rows:
        raise DataError(f"{path}: records were required, it holds none")
    return rows


def _member_rows(member: Member, suffix: str) -> Iterator[_Row]:
    if suffix == ".parquet":
        yield from _parquet(member)
    elif suffix in (".csv", ".tsv", ".txt", ".xlsx"):
        yield from read_table(member.table_text, member.name)
    else:
        yield from json_records(member.text, member.name)


def _parquet(member: Member) -> Iterator[_Row]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        rows = parquet.read_table(BytesIO(member.content)).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{member.name}: {why_unread(error)}") from None
    yield from ((f"{member.name}: record {n}", row) for n, row in enumerate(rows, 1))


def _check_rows(
    path: Path, rows: Sequence[_Row], wanted: str, is_one: Callable[[Any], bool]
) -> None:
    """Raise `DataError` unless some row is one; the keys of the first say what came instead."""
    records = [row for _, row in rows if isinstance(row, Mapping)]
    if not any(map(is_one, records)):
        found = (
            f"the keys {sorted(map(str, records[0]))[:10]}"
            if records
            else "no record that can be read"
        )
        raise DataError(f"{path}: {wanted}; got {found}")


ARGILLA_RULES = (UTF_16, CODE_POINTS)
"""The browser counts in UTF-16; code that logs responses counts in code points."""
_RESPONSES, _USERS, _STATUS = ".responses", ".responses.users", ".responses.status"
_LEFT_OUT = ("draft", "discarded")


def read_argilla(path: Path) -> Foreign:
    """Read records from .json, .jsonl or .parquet; raises `DataError` where they are none."""
    rows = _rows(path, (*JSON_SUFFIXES, ".parquet"))
    wanted = (
        "records of Argilla 2 were required, with fields and responses, or with columns such as "
        "label.responses"
    )
    _check_rows(path, rows, wanted, _is_record)
    return gather(newest_of(turn for where, row in rows for turn in _argilla_turns(row, where)))


def _is_record(record: Mapping[str, Any]) -> bool:
    return "responses" in record or any(str(key).endswith(_RESPONSES) for key in record)


def _argilla_turns(row: Mapping[str, Any] | Problem, where: str) -> Iterator[_Turn]:
    """What each person marked in a record, as a whole; what nobody marked goes with the first."""
    found = read_document(_argilla_record(row, where), where)
    article = [one for one in found if isinstance(one, Article)]
    people = {one.annotator: None for one in found if isinstance(one, Region)}
    if isinstance(row, Problem) or not article or not people:
        yield None, found
        return
    rest = [one for one in found if not isinstance(one, Region)]
    for number, by in enumerate(people):
        own = [one for one in found if isinstance(one, Region) and one.annotator == by]
        records = [*(article if number else rest), *own]
        yield turn_of(records, row, where, str(row.get("id")), by)


def _argilla_record(record: Problem | Mapping[str, Any], where: str) -> Iterator[Record]:
    if isinstance(record, Problem):
        yield record
        return
    fields = record.get("fields")
    metadata = record.get("metadata")
    values = {**metadata} if isinstance(metadata, Mapping) else {}
    # a field may hold the article's id; the record's own is Argilla's
    flat = {key: value for key, value in record.items() if key not in ("id", "status")}
    values |= fields if isinstance(fields, Mapping) else flat
    article = article_of(values, record.get("id"), where, record)
    yield article
    if isinstance(article, Problem):
        return
    loose = []
    for question, answer, user, status in _responses(record):
        here = f"{where} {user}"
        if status in _LEFT_OUT:
            detail = f"{question} by {user}: the status is {status}"
            n = len(answer) if isinstance(answer, list) else 1
            yield LeftOut(here, f"{status} response, left out", detail, labels=n, is_meant=True)
        elif is_spans(answer):
            yield from regions(answer, question, here, article.article_id, user)
        elif n_spans(answer):
            yield from unread_spans({question: answer}, ("responses",), here)
        elif answer not in (None, [], ""):
            loose.append(question)
    yield from whole_text(where, sorted(set(loose)))
    # what a program suggests is no annotator's label
    rest = {k: v for k, v in record.items() if not re.search(r"(^|\.)(responses|suggestion)", k)}
    yield from unread_spans(rest, ("responses",), where)


def _responses(record: Mapping[str, Any]) -> Iterator[tuple[str, Any, str, str | None]]:
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


POTATO_RULES = (UTF_16, CODE_POINTS)
"""The browser counts in UTF-16."""
_LABELS = ("label_annotations", "span_annotations", "behavioral_data")


def read_potato(path: Path) -> Foreign:
    """Read a .jsonl, or the folder or zip with one folder per annotator.

    A line that names its `user_id` is by them; otherwise the folder counts, and where there is none
    the file. Raises `DataError` where there is no such file.
    """
    members = [m for m in members_of(path, JSON_SUFFIXES) if m.path.name != _STATE]
    foreign = gather(newest_of(turn for m in members for turn in _potato_turns(m, path)))
    if not foreign.articles:
        raise DataError(
            f"{path}: lines with displayed_text were required, none was found; {_STATE} holds no "
            "texts, so export as jsonl"
        )
    return foreign


_STATE = "user_state.json"


def _potato_turns(member: Member, path: Path) -> Iterator[_Turn]:
    folder = member.path.parent.name
    last = folder or (path.resolve().parent.name if path.is_file() else member.path.stem)
    for where, line in json_records(member.text, member.name):
        if isinstance(line, Problem):
            yield None, [line]
            continue
        named = (line.get("user_id"), line.get("user"), last)
        by = person(next(name for name in named if name not in (None, "")))
        task = str(line.get("instance_id"))
        yield turn_of(_potato_document(line, where, by), line, where, task, by)


def _potato_document(line: Mapping[str, Any], where: str, by: str) -> Iterator[Record]:
    values = {key: value for key, value in line.items() if key not in _LABELS}
    if isinstance(line.get("displayed_text"), str):
        values["text"] = line["displayed_text"]
    article = article_of(values, line.get("instance_id"), where, line)
    yield article
    if isinstance(article, Problem):
        return
    spans = line.get("span_annotations") or []
    groups = spans.items() if isinstance(spans, Mapping) else _by_scheme(spans)
    for scheme, group in groups:
        marked = group if isinstance(group, list) else [group]
        yield from regions(marked, str(scheme), where, article.article_id, by)
    rest = {key: value for key, value in line.items() if key not in _LABELS}
    yield from unread_spans(rest, ("span_annotations",), where)
    labels = line.get("label_annotations")
    yield from whole_text(where, sorted(map(str, labels)) if isinstance(labels, Mapping) else [])


def _by_scheme(spans: list[Any]) -> Iterator[tuple[str, list[Any]]]:
    """The spans under the scheme that each names, in their order."""
    groups: dict[str, list[Any]] = {}
    for span in spans:
        scheme = span.get("schema", "") if isinstance(span, Mapping) else ""
        groups.setdefault(str(scheme), []).append(span)
    yield from groups.items()


_OF_ANNOTATION = ("annotator", "annotation_id", "created_at", "updated_at", "lead_time")


def read_label_studio_min(path: Path) -> Foreign:
    """Read a JSON-MIN, CSV or TSV export, or the CSV saved as .xlsx.

    A choice per region keeps no offsets in these exports, so it is left out and listed; the JSON
    export keeps it. Raises `DataError` where the file is none of these.
    """
    rows = _rows(path, (*JSON_SUFFIXES, ".csv", ".tsv", ".txt", ".xlsx"))
    wanted = "a JSON-MIN or CSV export was required, with annotator and annotation_id"
    _check_rows(path, rows, wanted, _is_annotation)
    return gather(newest_of(_min_turn(row, where) for where, row in rows))


def _is_annotation(row: Mapping[str, Any]) -> bool:
    is_of_tool = "annotator" in row or "annotation_id" in row
    return is_of_tool or any(is_spans(parsed(value)) for value in row.values())


def _min_turn(row: Mapping[str, Any] | Problem, where: str) -> _Turn:
    if isinstance(row, Problem):
        return None, [row]
    values = {str(key): parsed(value) for key, value in row.items()}
    by = _min_person(values.get("annotator"))
    return turn_of(_min_annotation(values, where, by), values, where, str(values.get("id")), by)


def _min_annotation(values: Mapping[str, Any], where: str, by: str) -> Iterator[Record]:
    article = article_of(values, None, where, values)
    yield article
    if isinstance(article, Problem):
        return
    text = text_key(values)
    loose = []
    for field, value in values.items():
        if field in _OF_ANNOTATION or field == text:
            continue
        if is_spans(value) and isinstance(value, list):
            yield from regions(value, field, where, article.article_id, by)
        elif n_spans(value):
            yield from unread_spans({field: value}, ("a field of their own",), where)
        elif _is_answer(value, field, article):
            loose.append(field)
    # a bare text may as well be a field of the article
    yield from whole_text(where, loose, sum(isinstance(values[key], Mapping) for key in loose))


def _is_answer(value: object, field: str, article: Article) -> bool:
    """Whether this is the answer to a question, and not a field of the article."""
    if isinstance(value, Mapping):
        return "choices" in value
    is_own = hasattr(article, field) or field in ("id", "sha256") or is_other_name(field)
    return isinstance(value, str) and not is_own


def _min_person(annotator: object) -> str:
    if isinstance(annotator, Mapping):
        named = (annotator.get(key) for key in ("email", "username", "id"))
        annotator = next((value for value in named if value not in (None, "")), None)
    return UNNAMED if annotator in (None, "") else person(annotator)


ACTIVETIGGER_RULES = (UTF_16, CODE_POINTS)
"""The browser counts in UTF-16."""
_TIGGER_COLUMNS = ("text", "labels", "user")


def read_activetigger(path: Path) -> Foreign:
    """Read the export of one scheme of spans, in .csv, .xlsx or .parquet.

    A row is a text with its last annotation; what somebody reconciled is curated. Raises
    `DataError` where the file is none, or holds labels of whole texts only.
    """
    rows = _rows(path, (".csv", ".xlsx", ".parquet"))
    wanted = (
        "an export of one scheme of ActiveTigger was required, not of all schemes at once, with "
        f"the columns {', '.join(_TIGGER_COLUMNS)}"
    )
    _check_rows(path, rows, wanted, lambda row: all(name in row for name in _TIGGER_COLUMNS))
    cells = [(where, row) for where, row in rows if isinstance(row, Mapping)]
    if not any(isinstance(parsed(row.get("labels")), list) for _, row in cells):
        raise DataError(
            f"{path}: spans were required, the labels stand on whole texts; annotate with a scheme "
            "of spans, or read the labels as predictions (see docs/labels.md)"
        )
    return gather(newest_of(_tigger_turn(row, where) for where, row in cells))


def _tigger_turn(row: Mapping[str, Any], where: str) -> _Turn:
    is_curated = row.get("comment") == "reconciliation"
    by = CURATED if is_curated else person(row.get("user") or UNNAMED)
    return turn_of(_tigger_row(row, where, by), row, where, str(_tigger_id(row)), by)


def _tigger_id(row: Mapping[str, Any]) -> object:
    """The researcher's id, else ActiveTigger's own, which has no name in a table."""
    ids = (row.get(name) for name in ("id_external", "id", "", "__index_level_0__"))
    return next((value for value in ids if value not in (None, "")), None)


def _tigger_row(row: Mapping[str, Any], where: str, by: str) -> Iterator[Record]:
    spans = parsed(row.get("labels"))
    if not str(row.get("text") or "").strip():
        detail = "the column text is empty"
        yield LeftOut(where, "no text, refused", detail, labels=n_spans(spans))
        return
    article = article_of({**row, "id": _tigger_id(row)}, None, where, spans)
    yield article
    if isinstance(article, Problem):
        return
    rest = {name: parsed(cell) for name, cell in row.items()}
    yield from unread_spans(rest, ("labels",), where)
    if not isinstance(spans, list):
        yield from whole_text(where, [] if spans in (None, "") else ["labels"])
        return
    comment = None if by == CURATED else row.get("comment") or None
    for record in regions(spans, "", where, article.article_id, by):
        yield replace(record, comment=comment) if isinstance(record, Region) else record
