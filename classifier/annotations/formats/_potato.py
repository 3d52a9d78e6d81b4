"""Potato: `annotated_instances.jsonl` of each annotator, in a folder that bears their name."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier.annotations.formats._archives import Member, read_members
from classifier.annotations.formats._foreign import Foreign, Record, gather, json_lines, person
from classifier.annotations.formats._spans import article_of, regions, whole_text
from classifier.errors import DataError
from classifier.records import Problem
from classifier.text import CODE_POINTS, UTF_16

RULES = (UTF_16, CODE_POINTS)
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
    foreign = gather(document for member in members for document in _documents(member, path))
    if not foreign.articles:
        raise DataError(f"{path}: lines with displayed_text were required, none was found")
    return foreign


def _documents(member: Member, path: Path) -> Iterator[Iterator[Record]]:
    folder = member.path.parent.name
    by = folder or (path.resolve().parent.name if path.is_file() else member.path.stem)
    for where, line in json_lines(member.text, member.name):
        yield iter([line]) if isinstance(line, Problem) else _document(line, where, by)


def _document(line: Mapping[str, Any], where: str, folder: str) -> Iterator[Record]:
    values = {key: value for key, value in line.items() if key not in _LABELS}
    if isinstance(line.get("displayed_text"), str):
        values["text"] = line["displayed_text"]
    article = article_of(values, line.get("instance_id"), where)
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
