"""Label Studio's JSON exports: tasks, annotations of people, results that make up regions."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._archives import read_members
from classifier.annotations.formats._codes import TARGET, Code
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    Link,
    Record,
    Region,
    gather,
    person,
    text_id,
    whole_number,
)
from classifier.annotations.formats._stream import json_items, text_items
from classifier.articles import article_from_record, given_id
from classifier.errors import DataError
from classifier.records import Article, Problem

_TEXT_KEYS = ("text", "article", "body", "content")
_PLACE = ("start", "end", "text", "startOffset", "endOffset", "globalOffsets", "channel")
"""What a result's value has besides its labels."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class _Turn:
    """One annotation of a task: what a later one of the same person replaces as a whole."""

    where: str
    file: str
    task: tuple[str, str, str]
    """Article, its text's hash and the task's id: the same in two exports of a project."""
    annotator: str
    annotation: Json

    @property
    def n_results(self) -> int:
        """How many results it holds."""
        return len(_listed(self.annotation.get("result")))


@dataclass
class _Task:
    """A task as it stands in a file."""

    where: str
    article: Article | None
    problems: list[Problem]
    turns: list[_Turn]


def read_label_studio(path: Path) -> Foreign:
    """Read a JSON export, or a folder or zip of several; raises `DataError` where it is none."""
    exports = list(_exports(path))
    everything = [task for _, own in exports for task in own]
    people = _people(everything)
    tasks = []
    for name, own in exports:
        known = Counter(str(task.get("id")) for task in own)
        for n, task in enumerate(own, 1):
            where = f"{name} task {_name(task, n, known)}"
            tasks.append(_task(task, where, name, people, is_alone=known[str(task.get("id"))] == 1))
    older = _older(tasks)
    predictions = [_listed(task.get("predictions")) for task in everything]
    turns = [turn for task in tasks for turn in task.turns]
    counts = {
        "predictions left out": sum(map(len, predictions)),
        "submitted without a label": sum(turn.n_results == 0 for turn in turns),
    }
    return gather(
        (_document(task, older) for task in tasks), {name: n for name, n in counts.items() if n}
    )


def _exports(path: Path) -> Iterator[tuple[str, list[Json]]]:
    if path.is_dir() or path.suffix.lower() == ".zip":
        members = [m for m in read_members(path) if m.name.lower().endswith(".json")]
        if not members:
            raise DataError(f"{path}: .json exports of Label Studio were required, none was found")
        for member in members:
            yield member.name, _tasks(partial(text_items, member.text), member.name)
    else:
        yield path.name, _tasks(partial(json_items, path), str(path))


def _tasks(read: Callable[[], Iterator[object]], name: str) -> list[Json]:
    try:
        items = list(read())
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{name}: a JSON export of Label Studio was required: {error}") from None
    tasks: list[Json] = [item for item in items if isinstance(item, dict)]
    if len(tasks) < len(items):
        other = next(type(item).__name__ for item in items if not isinstance(item, dict))
        raise DataError(f"{name}: a list of tasks was required, got {other}")
    if tasks and not any("data" in task for task in tasks):
        raise DataError(
            f'{name}: tasks with "data" and "annotations" were required, got the keys '
            f"{sorted(tasks[0])[:8]}; export as JSON, or import JSON-MIN as label-studio-min"
        )
    return tasks


def _name(task: Json, number: int, known: Mapping[str, int]) -> str:
    """The task's id, or its place in the file where others share the id or it has none."""
    key = task.get("id")
    return str(key) if key is not None and known[str(key)] == 1 else f"number {number}"


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _people(tasks: Iterable[Json]) -> dict[str, str]:
    """E-mail address by user id, where some annotation of the exports has both."""
    known: dict[str, str] = {}
    for task in tasks:
        for annotation in _given(task):
            who = annotation.get("completed_by") if isinstance(annotation, Mapping) else None
            if isinstance(who, Mapping) and who.get("email") and who.get("id") is not None:
                known[str(who["id"])] = str(who["email"])
    return known


def _given(task: Json) -> list[Any]:
    """The annotations, which older versions call completions."""
    return _listed(task.get("annotations")) or _listed(task.get("completions"))


def _task(task: Json, where: str, file: str, people: Mapping[str, str], *, is_alone: bool) -> _Task:
    found = _Task(where, None, [], [])
    data = task.get("data")
    key = _text_key(data)
    n_results = sum(
        len(_listed(one.get("result"))) for one in _given(task) if isinstance(one, Mapping)
    )
    if not isinstance(data, Mapping) or key is None:
        detail = f"a task needs a text in its data; {n_results} results refused"
        found.problems.append(Problem(where, "no text, refused", detail))
        return found
    record = {**data, "text": data[key]}
    given = given_id(record)
    if given is None:
        # an id that others share, or none at all, says nothing of the article
        own = task.get("id") if is_alone else None
        given = text_id(data[key]) if own is None else str(own)
    try:
        found.article = article_from_record({**record, "article_id": given})
    except DataError as error:
        detail = f"{error}; {n_results} results refused"
        found.problems.append(Problem(where, "malformed article, refused", detail))
        return found
    identity = (found.article.article_id, found.article.sha256, str(task.get("id") or ""))
    _add_turns(found, task, identity, file, people)
    return found


def _add_turns(
    found: _Task, task: Json, identity: tuple[str, str, str], file: str, people: Mapping[str, str]
) -> None:
    """Submitted annotations as turns; drafts and skipped ones as problems."""
    for draft in _listed(task.get("drafts")):
        n = len(_listed(draft.get("result"))) if isinstance(draft, Mapping) else 0
        detail, remedy = f"{n} results that nobody submitted", "submit it in Label Studio"
        found.problems.append(Problem(found.where, "draft, left out", detail, remedy))
    for place, annotation in _placed(_given(task), found.where):
        if not isinstance(annotation, Mapping):
            detail = f"an object was required, got {annotation!r:.80}"
            found.problems.append(Problem(place, "annotation malformed, refused", detail))
        elif annotation.get("was_cancelled") or annotation.get("skipped"):
            n = len(_listed(annotation.get("result")))
            detail = f"its annotator skipped the task; {n} results"
            found.problems.append(Problem(place, "cancelled annotation, left out", detail))
        else:
            who = _annotator(annotation, people)
            found.turns.append(_Turn(place, file, identity, who, annotation))


def _placed(annotations: Sequence[Any], where: str) -> Iterator[tuple[str, Any]]:
    """Each annotation under its id, or under its place where ids repeat or are missing."""
    ids = [one.get("id") if isinstance(one, Mapping) else None for one in annotations]
    for n, (key, annotation) in enumerate(zip(ids, annotations, strict=True), 1):
        is_named = key is not None and ids.count(key) == 1
        yield f"{where} annotation {key if is_named else f'number {n}'}", annotation


def _older(tasks: Iterable[_Task]) -> dict[int, Problem]:
    """Annotations that a newer one of the same person and task replaces, by their identity."""
    newest: dict[tuple[tuple[str, str, str], str], _Turn] = {}
    older: dict[int, Problem] = {}
    for turn in (turn for task in tasks for turn in task.turns):
        # two unnamed annotations need not be one person's
        if turn.annotator == UNNAMED:
            continue
        key = (turn.task, turn.annotator)
        rival = newest.get(key)
        newest[key] = turn
        if rival is None:
            continue
        if _is_newer(rival.annotation, turn.annotation):
            newest[key], rival = rival, turn
        is_apart = rival.file != newest[key].file
        reason = "task in two exports, older annotation left out"
        detail = f"{turn.annotator!r} annotated it again: {newest[key].where}"
        older[id(rival.annotation)] = Problem(
            rival.where,
            reason if is_apart else "annotated again, older one left out",
            f"{detail}; {rival.n_results} results of {_stamp(rival.annotation)!r} left out",
        )
    return older


def _stamp(annotation: Json) -> object:
    return annotation.get("updated_at") or annotation.get("created_at") or ""


def _is_newer(one: Json, later: Json) -> bool:
    """Whether the annotation that comes first was made after the one that comes later."""
    moments = [_moment(_stamp(each)) for each in (one, later)]
    return None not in moments and (moments[0] or 0) > (moments[1] or 0)


def _moment(stamp: object) -> float | None:
    """Seconds since 1970 of an ISO date or a number; None for anything else."""
    if isinstance(stamp, int | float) and not isinstance(stamp, bool):
        return float(stamp)
    try:
        return datetime.fromisoformat(str(stamp).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _document(task: _Task, older: Mapping[int, Problem]) -> Iterator[Record]:
    yield from task.problems
    if task.article is None:
        return
    yield task.article
    for turn in task.turns:
        problem = older.get(id(turn.annotation))
        if problem is not None:
            yield problem
        else:
            yield from _by_annotator(turn)


def _text_key(data: object) -> str | None:
    """The field that holds the text: the usual names first, then the only or the longest string."""
    if not isinstance(data, Mapping):
        return None
    strings = {key: value for key, value in data.items() if isinstance(value, str)}
    usual = [key for key in _TEXT_KEYS if key in strings]
    return usual[0] if usual else max(strings, key=lambda key: len(strings[key]), default=None)


def _by_annotator(turn: _Turn) -> Iterator[Record]:
    results: dict[str, list[Json]] = defaultdict(list)
    for n, result in enumerate(_listed(turn.annotation.get("result")), 1):
        if not isinstance(result, Mapping):
            detail = f"an object was required, got {result!r:.80}"
            yield Problem(f"{turn.where} result {n}", "result malformed, refused", detail)
        elif result.get("type") == "relation":
            label = str(next(iter(_listed(result.get("labels"))), ""))
            first, second = (f"{turn.where} {result.get(end)}" for end in ("from_id", "to_id"))
            yield Link(first, second, label)
        else:
            results[_key(result, n)].append(result)
    for key, parts in results.items():
        for n, region in enumerate(_regions(parts)):
            place = f"{turn.where} {key}" if n == 0 else f"{turn.where} {key} number {n + 1}"
            yield _region(region, place, turn)


def _value(result: Json) -> Json:
    value = result.get("value")
    return value if isinstance(value, Mapping) else {}


def _key(result: Json, number: int) -> str:
    """Names the region of a result: by its id, or where it has none by its offsets."""
    if result.get("id") is not None:
        return str(result["id"])
    value = _value(result)
    if "start" not in value:
        return f"result {number}"
    return f"{result.get('to_name')} {value.get('start')}-{value.get('end')}"


def _regions(parts: list[Json]) -> list[list[Json]]:
    """Results of one id by their offsets: ids repeat; those without offsets go with the first."""
    places: dict[str, list[Json]] = {}
    apart: list[Json] = []
    for part in parts:
        value = _value(part)
        if "start" in value:
            places.setdefault(f"{value['start']}-{value.get('end')}", []).append(part)
        else:
            apart.append(part)
    first, *others = list(places.values()) or [[]]
    return [first + apart, *others]


def _annotator(annotation: Json, people: Mapping[str, str]) -> str:
    """Who did it: the name in our own regions, an id, an address, or a user name of old exports."""
    if annotation.get("ground_truth") is True:
        return CURATED
    metas = [r.get("meta") for r in _listed(annotation.get("result")) if isinstance(r, Mapping)]
    names = {str(m["annotator"]) for m in metas if isinstance(m, Mapping) and m.get("annotator")}
    if len(names) == 1:
        return person(names.pop())
    who = annotation.get("completed_by")
    if isinstance(who, Mapping):
        who = next((who[k] for k in ("email", "username", "id") if who.get(k) is not None), None)
    if who is None and annotation.get("created_username"):
        # " u1@x.nl, 1": the address and the id
        name = str(annotation["created_username"])
        who = name.rpartition(",")[0].strip() or name
    if who is None or not str(who).strip():
        return UNNAMED
    return person(people.get(str(who), who))


def _region(parts: list[Json], where: str, turn: _Turn) -> Region | Problem:
    place = next((_value(part) for part in parts if "start" in _value(part)), None)
    if place is None:
        detail = f"{[p.get('from_name') for p in parts]} without offsets"
        return Problem(where, "label of the whole text, left out", detail)
    start, end = whole_number(place["start"]), whole_number(place.get("end"))
    if start is None or end is None:
        detail = f"start {place['start']!r}: places in a HyperText page are not offsets in its text"
        return Problem(where, "no offsets, refused", detail, "annotate with Text, not HyperText")
    meta: dict[str, Any] = {}
    for part in parts:
        meta |= part["meta"] if isinstance(part.get("meta"), Mapping) else {}
    texts = (_value(part).get("text") for part in parts)
    evidence = meta.get("evidence")
    return Region(
        where=where,
        key=where,
        article_id=turn.task[0],
        annotator=person(meta.get("annotator") or turn.annotator),
        start=start,
        end=end,
        surface=next((text for text in texts if isinstance(text, str)), None),
        codes=tuple(_codes(parts, meta)),
        comment="; ".join(_comments(parts, meta)) or None,
        speaker=meta.get("speaker"),
        evidence=tuple(evidence) if isinstance(evidence, list) and evidence else None,
    )


def _codes(parts: list[Json], meta: Json) -> Iterator[Code]:
    if "target" in meta:
        yield TARGET, str(meta["target"])
    for part in parts:
        field, kind, value = str(part.get("from_name") or ""), str(part.get("type")), _value(part)
        if kind == "textarea":
            continue
        # some programs leave the type out, or name the list otherwise than the type
        given = [value[kind]] if kind in value else [value[k] for k in value if k not in _PLACE]
        for labels in given:
            for label in labels if isinstance(labels, list) else [labels]:
                leaf = label[-1] if isinstance(label, list) and label else label
                if leaf is not None:
                    yield field, str(leaf)


def _comments(parts: list[Json], meta: Json) -> Iterator[str]:
    for part in parts:
        if part.get("type") == "textarea":
            text = _value(part).get("text", [])
            yield from map(str, text if isinstance(text, list) else [text])
    notes = meta.get("text", [])
    yield from map(str, notes if isinstance(notes, list) else [notes])
