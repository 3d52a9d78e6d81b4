"""Argilla 2, Potato, ActiveTigger and Label Studio's JSON-MIN and CSV: records with lists of spans.

Argilla's are nested in JSON or flat in Parquet and JSON Lines. Potato has an
`annotated_instances.jsonl` in a folder that bears the annotator's name. In Label Studio's smaller
exports a row is an annotation, with its labels under their field. In ActiveTigger's a row is a
text, with the last annotation of one scheme.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._files import (
    Member,
    json_lines,
    read_members,
    read_table,
    read_text,
)
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    LeftOut,
    Record,
    Region,
    gather,
    n_spans,
    person,
    text_id,
)
from classifier.articles import article_from_record, given_id, is_other_name
from classifier.errors import DataError, in_words, why_unread
from classifier.files import plain_suffix
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
    return isinstance(value, list) and any(isinstance(v, Mapping) and "start" in v for v in value)


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
        offsets = [span.get(key) for key in ("start", "end")] if labels else []
        whole = [int(o) for o in offsets if isinstance(o, int | float) and int(o) == o]
        if len(whole) < 2:
            detail = f"start, end and a label were required, got {span!r:.120}"
            yield LeftOut(here, MALFORMED, detail)
            continue
        surfaces = (span.get(key) for key in _SURFACE_KEYS)
        yield Region(
            where=here,
            key=here,
            article_id=article_id,
            annotator=annotator,
            start=whole[0],
            end=whole[1],
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


ARGILLA_RULES = (UTF_16, CODE_POINTS)
"""The browser counts in UTF-16; code that logs responses counts in code points."""
_RESPONSES, _USERS, _STATUS = ".responses", ".responses.users", ".responses.status"
_LEFT_OUT = ("draft", "discarded")


def read_argilla(path: Path) -> Foreign:
    """Read records from .json, .jsonl or .parquet; raises `DataError` where they are none."""
    records = list(_argilla_records(path))
    if records and not any(_is_record(record) for _, record in records):
        raise DataError(
            f"{path}: records of Argilla 2 were required, with fields and responses, or with "
            f"columns such as label.responses; got the keys {sorted(map(str, records[0][1]))[:10]}"
        )
    if not records:
        raise DataError(f"{path}: records were required, it holds none")
    return gather(_argilla_record(record, where) for where, record in records)


def _is_record(record: object) -> bool:
    if not isinstance(record, Mapping):
        return False
    return "responses" in record or any(str(key).endswith(_RESPONSES) for key in record)


def _argilla_records(path: Path) -> Iterator[tuple[str, Any]]:
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
        raise DataError(f"{path}: a JSON file of records was required: {in_words(error)}") from None
    if not isinstance(found, list):
        raise DataError(f"{path}: a list of records was required, got {type(found).__name__}")
    yield from ((f"{path.name} record {n}", record) for n, record in enumerate(found, 1))


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        rows = parquet.read_table(path).to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: {why_unread(error)}") from None
    yield from ((f"{path.name} record {n}", row) for n, row in enumerate(rows, 1))


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
            detail = f"{question} by {user}: the response is a {status}"
            n = len(answer) if isinstance(answer, list) else 1
            yield LeftOut(here, f"{status} response, left out", detail, labels=n, is_meant=True)
        elif is_spans(answer):
            yield from regions(answer, question, here, article.article_id, user)
        elif answer not in (None, [], ""):
            loose.append(question)
    yield from whole_text(where, sorted(set(loose)))


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
    members = [m for m in read_members(path) if m.name.endswith(".jsonl")]
    if not members:
        raise DataError(
            f"{path}: Potato's .jsonl files were required, none was found; user_state.json holds "
            "no texts, so export as jsonl"
        )
    foreign = gather(document for member in members for document in _potato_documents(member, path))
    if not foreign.articles:
        raise DataError(f"{path}: lines with displayed_text were required, none was found")
    return foreign


def _potato_documents(member: Member, path: Path) -> Iterator[Iterator[Record]]:
    folder = member.path.parent.name
    by = folder or (path.resolve().parent.name if path.is_file() else member.path.stem)
    for where, line in json_lines(member.text, member.name):
        yield iter([line]) if isinstance(line, Problem) else _potato_document(line, where, by)


def _potato_document(line: Mapping[str, Any], where: str, folder: str) -> Iterator[Record]:
    values = {key: value for key, value in line.items() if key not in _LABELS}
    if isinstance(line.get("displayed_text"), str):
        values["text"] = line["displayed_text"]
    article = article_of(values, line.get("instance_id"), where, line)
    yield article
    if isinstance(article, Problem):
        return
    named = (line.get("user_id"), line.get("user"), folder)
    by = person(next(name for name in named if name not in (None, "")))
    spans = line.get("span_annotations") or []
    groups = spans.items() if isinstance(spans, Mapping) else _by_scheme(spans)
    for scheme, group in groups:
        marked = group if isinstance(group, list) else [group]
        yield from regions(marked, str(scheme), where, article.article_id, by)
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
    rows = list(_min_rows(path))
    if not rows:
        raise DataError(f"{path}: rows with annotations were required, it holds none")
    if not any(_is_annotation(row) for _, row in rows):
        raise DataError(
            f"{path}: a JSON-MIN or CSV export was required, with annotator and annotation_id; got "
            f"the keys {sorted(map(str, rows[0][1]))[:10]}"
        )
    return gather(_min_annotation(row, where) for where, row in rows)


def _is_annotation(row: Mapping[str, Any]) -> bool:
    is_of_tool = "annotator" in row or "annotation_id" in row
    return is_of_tool or any(is_spans(parsed(value)) for value in row.values())


def _min_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    text = read_text(path)
    if plain_suffix(path) in (".csv", ".tsv", ".txt", ".xlsx"):
        yield from read_table(text, path.name)
        return
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: a JSON-MIN export was required: {in_words(error)}") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError(f"{path}: a list of annotations was required, got {type(found).__name__}")
    yield from ((f"{path.name} annotation {n}", row) for n, row in enumerate(found, 1))


def _min_annotation(row: Mapping[str, Any], where: str) -> Iterator[Record]:
    values = {str(key): parsed(value) for key, value in row.items()}
    article = article_of(values, None, where, values)
    yield article
    if isinstance(article, Problem):
        return
    by = _min_person(values.get("annotator"))
    text = text_key(values)
    loose = []
    for field, value in values.items():
        if field in _OF_ANNOTATION or field == text:
            continue
        if is_spans(value) and isinstance(value, list):
            yield from regions(value, field, where, article.article_id, by)
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
    is_parquet = plain_suffix(path) == ".parquet"
    rows = list(_parquet(path) if is_parquet else read_table(read_text(path), path.name))
    missing = [name for name in _TIGGER_COLUMNS if rows and name not in rows[0][1]]
    if missing or not rows:
        found = f"the columns {sorted(map(str, rows[0][1]))[:10]}" if rows else "no rows"
        raise DataError(
            f"{path}: an export of one scheme of ActiveTigger was required, with the columns "
            f"{', '.join(_TIGGER_COLUMNS)}; got {found}; do not export all schemes at once"
        )
    if not any(isinstance(parsed(row["labels"]), list) for _, row in rows):
        raise DataError(
            f"{path}: spans were required, the labels stand on whole texts; annotate with a scheme "
            "of spans, or read the labels as predictions (see docs/labels.md)"
        )
    return gather(_tigger_row(row, where) for where, row in rows)


def _tigger_row(row: Mapping[str, Any], where: str) -> Iterator[Record]:
    spans = parsed(row["labels"])
    if not str(row.get("text") or "").strip():
        detail = "the column text is empty"
        yield LeftOut(where, "no text, refused", detail, labels=n_spans(spans))
        return
    # the researcher's id, else ActiveTigger's own, which has no name in a table
    ids = (row.get(name) for name in ("id_external", "id", "", "__index_level_0__"))
    tool_id = next((value for value in ids if value not in (None, "")), None)
    article = article_of({**row, "id": tool_id}, None, where, spans)
    yield article
    if isinstance(article, Problem):
        return
    comment = row.get("comment") or None
    is_curated = comment == "reconciliation"
    by = CURATED if is_curated else person(row.get("user") or UNNAMED)
    if not isinstance(spans, list):
        yield from whole_text(where, [] if spans in (None, "") else ["labels"])
        return
    for record in regions(spans, "", where, article.article_id, by):
        if isinstance(record, Region) and not is_curated:
            record = replace(record, comment=comment)
        yield record
