"""What readers of JSON records share: an article and the spans that stand in it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from classifier.annotations.formats._foreign import Record, Region, text_id
from classifier.articles import article_from_record, given_id, is_other_name
from classifier.errors import DataError
from classifier.records import Article, Problem

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


def article_of(record: Mapping[str, Any], tool_id: object, where: str) -> Article | Problem:
    """The article of a record, or why there is none.

    Its id is its own, else the tool's, else one that equal texts share.
    """
    key = text_key(record)
    if key is None:
        detail = f"a record needs a text, got the keys {sorted(map(str, record))}"
        return Problem(where, "no text, refused", detail)
    found = (given_id(record), given_id({"id": tool_id}), text_id(record[key]))
    own = next(value for value in found if value is not None)
    try:
        return article_from_record({**record, "text": record[key], "article_id": own})
    except DataError as error:
        return Problem(where, "malformed article, refused", str(error))


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
        labels = list(_labels(span)) if isinstance(span, Mapping) else []
        offsets = [span.get(key) for key in ("start", "end")] if labels else []
        whole = [int(o) for o in offsets if isinstance(o, int | float) and int(o) == o]
        if len(whole) < 2:
            detail = f"start, end and a label were required, got {span!r:.120}"
            yield Problem(here, MALFORMED, detail)
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


def _labels(span: Mapping[str, Any]) -> Iterator[str]:
    for key in _LABEL_KEYS:
        value = span.get(key)
        if value is not None:
            for label in value if isinstance(value, list) else [value]:
                yield str(label[-1] if isinstance(label, list) and label else label)
            return


def whole_text(where: str, fields: Sequence[str]) -> Iterator[Problem]:
    """One problem for labels that stand on no span."""
    if fields:
        yield Problem(
            where,
            WHOLE_TEXT,
            f"{', '.join(fields)} without offsets",
            "mark the words that the label is about",
        )
