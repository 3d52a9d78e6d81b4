"""Label Studio's JSON exports: tasks, annotations of people, results that make up regions."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from sys import intern
from typing import Any

from classifier.annotations._table import CURATED
from classifier.annotations.formats._codes import TARGET, Code
from classifier.annotations.formats._files import (
    JSON_SUFFIXES,
    json_items,
    members_of,
    text_items,
)
from classifier.annotations.formats._foreign import (
    STAMPS,
    UNNAMED,
    Foreign,
    LeftOut,
    Link,
    Record,
    Region,
    Turn,
    gather,
    older,
    person,
    read_document,
    text_id,
    unread_spans,
    whole_number,
)
from classifier.annotations.formats._label_studio import SUGGESTED
from classifier.annotations.formats._records import text_key
from classifier.articles import article_from_record, given_id
from classifier.errors import DataError, in_words
from classifier.records import Article, Problem

_PLACE = ("start", "end", "text", "startOffset", "endOffset", "globalOffsets", "channel")
"""What a result's value has besides its labels."""

_NOBODYS = ("predictions", "prediction", "drafts", "draft")
"""What programs suggested or nobody submitted."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class _Turn(Turn):
    """An annotation with what was read of it, so that its JSON need not be kept."""

    records: tuple[Record, ...] = ()
    is_number: bool = False
    """Whether the annotator is a user's number, for which another annotation may know the name."""
    n_suggested: int = 0
    """Labels that a program had suggested for the task."""
    n_unchanged: int = 0


@dataclass
class _Task:
    """A task as it stands in a file."""

    where: str
    file: str
    article: Article | None = None
    problems: list[Problem] = field(default_factory=list)
    turns: list[_Turn] = field(default_factory=list)
    own_id: str | None = None
    """The task's id, where its article is named after it."""


@dataclass
class _Project:
    """What tasks tell of each other."""

    people: dict[str, str] = field(default_factory=dict)
    """E-mail address by user id, where some annotation of the exports has both."""
    counts: Counter[str] = field(default_factory=Counter)
    known: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many tasks of a file have an id."""


def read_label_studio(path: Path) -> Foreign:
    """Read a JSON export, or a folder or zip of several; raises `DataError` where it is none."""
    project = _Project()
    tasks = [
        _task(task, n, name, project)
        for name, items in _exports(path)
        for n, task in enumerate(items, 1)
    ]
    for task in tasks:
        _settle(task, project)
    turns = [turn for task in tasks for turn in task.turns]
    replaced = older(turns)
    project.counts["submitted without a label"] = sum(turn.n_labels == 0 for turn in turns)
    suggested = _left_unchanged(turn for turn in turns if id(turn) not in replaced)
    counts = {name: n for name, n in project.counts.items() if n}
    foreign = gather((_document(task, replaced) for task in tasks), counts)
    return replace(foreign, suggested=suggested)


def _settle(task: _Task, project: _Project) -> None:
    """Give the task's article and people the names that only all tasks together tell."""
    article = task.article
    if article is None:
        return
    if task.own_id is not None and project.known[task.file, task.own_id] > 1:
        # an id that others share says nothing of the article
        task.article = article = replace(article, article_id=text_id(article.text))
    for n, turn in enumerate(task.turns):
        known = project.people.get(turn.annotator) if turn.is_number else None
        who = turn.annotator if known is None else person(known)
        if who == turn.annotator and turn.task[0] == article.article_id:
            continue
        records = tuple(
            replace(
                record,
                article_id=article.article_id,
                annotator=who if record.annotator == turn.annotator else record.annotator,
            )
            if isinstance(record, Region)
            else record
            for record in turn.records
        )
        identity = (article.article_id, *turn.task[1:])
        task.turns[n] = replace(turn, annotator=who, task=identity, records=records)


def _left_unchanged(turns: Iterable[_Turn]) -> dict[str, tuple[int, int]]:
    """Per annotator: labels that a program had suggested, and how many were left as they were."""
    counts: dict[str, tuple[int, int]] = {}
    for turn in turns:
        if turn.n_suggested and turn.n_labels:
            n, unchanged = counts.get(turn.annotator, (0, 0))
            counts[turn.annotator] = n + turn.n_suggested, unchanged + turn.n_unchanged
    return counts


_Chosen = dict[tuple[str, str], frozenset[str]]


def _chosen(annotation: Json) -> _Chosen:
    """The labels given at each place, by variable and offsets."""
    chosen = {}
    for result in _listed(annotation.get("result")):
        value = _value(result) if isinstance(result, Mapping) else {}
        if "start" in value and _listed(value.get("choices")):
            place = f"{value['start']}-{value.get('end')}"
            labels = frozenset(map(str, value["choices"]))
            chosen[str(result.get("from_name")), place] = labels
    return chosen


def _noted(labels: object) -> _Chosen:
    """The suggestions that our own export noted in a task's data."""
    if not isinstance(labels, dict):
        return {}
    parts = ((*key.rpartition(" ")[::2], given) for key, given in labels.items())
    return {(name, place): frozenset(map(str, _listed(given))) for name, place, given in parts}


def _exports(path: Path) -> Iterator[tuple[str, Iterator[Json | Problem]]]:
    if path.is_dir() or path.suffix.lower() == ".zip":
        for member in members_of(path, JSON_SUFFIXES):
            yield member.name, _tasks(partial(text_items, member.text, member.name), member.name)
    else:
        yield path.name, _tasks(partial(json_items, path), str(path))


def _tasks(read: Callable[[], Iterator[object]], name: str) -> Iterator[Json | Problem]:
    """The tasks one by one, and broken lines; an export without any data is refused at its end."""
    first: Json | None = None
    has_data = False
    try:
        for item in read():
            if isinstance(item, Problem):
                yield item
                continue
            if not isinstance(item, dict):
                raise DataError(f"{name}: a list of tasks was required, got {type(item).__name__}")
            first = item if first is None else first
            has_data = has_data or "data" in item
            yield item
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(
            f"{name}: a whole JSON export of Label Studio was required: {in_words(error)}"
        ) from None
    if first is not None and not has_data:
        raise DataError(
            f'{name}: tasks with "data" and "annotations" were required, got the keys '
            f"{sorted(first)[:8]}; export as JSON, or import JSON-MIN as label-studio-min"
        )


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _n_marked(annotation: Json) -> int:
    """How many regions the results make up, relations aside."""
    parts = (result for result in _listed(annotation.get("result")) if isinstance(result, dict))
    own = [result for result in parts if result.get("type") != "relation"]
    return len(
        {(str(r.get("id")), str(_value(r).get("start")), str(_value(r).get("end"))) for r in own}
    )


def _note_people(annotation: Json, people: dict[str, str]) -> None:
    who = annotation.get("completed_by")
    if isinstance(who, dict) and who.get("email") and who.get("id") is not None:
        people[str(who["id"])] = str(who["email"])


def _given(task: Json) -> list[Any]:
    """The annotations, which older versions call completions."""
    return _listed(task.get("annotations")) or _listed(task.get("completions"))


def _task(task: Json | Problem, number: int, file: str, project: _Project) -> _Task:
    if isinstance(task, Problem):
        return _Task(task.where, file, problems=[task])
    key = None if task.get("id") is None else str(task["id"])
    if key is not None:
        project.known[file, key] += 1
    # the place in the file, where an earlier task has the id or there is none
    is_first = key is not None and project.known[file, key] == 1
    found = _Task(f"{file} task {key if is_first else f'number {number}'}", file)
    project.counts["predictions left out"] += len(_listed(task.get("predictions")))
    data = task.get("data")
    field_name = text_key(data) if isinstance(data, dict) else None
    given = [one for one in _given(task) if isinstance(one, dict)]
    for annotation in given:
        _note_people(annotation, project.people)
    n_results = sum(_n_marked(one) for one in given)
    if not isinstance(data, dict) or field_name is None:
        detail = f"a task needs a text in its data; {n_results} labels refused"
        found.problems.append(LeftOut(found.where, "no text, refused", detail, labels=n_results))
        return found
    record = {**data, "text": data[field_name]}
    own = given_id(record)
    if own is None:
        found.own_id = key
        own = text_id(data[field_name]) if key is None else key
    try:
        found.article = article_from_record({**record, "article_id": own})
    except DataError as error:
        detail = f"{error}; {n_results} labels refused"
        reason = "malformed article, refused"
        found.problems.append(LeftOut(found.where, reason, detail, labels=n_results))
        return found
    _add_turns(found, task, (found.article.article_id, found.article.sha256, key or ""))
    return found


def _add_turns(found: _Task, task: Json, identity: tuple[str, str, str]) -> None:
    """Submitted annotations as turns; drafts and skipped ones as problems."""
    for draft in _listed(task.get("drafts")):
        n = _n_marked(draft) if isinstance(draft, dict) else 0
        detail, remedy = f"{n} labels that nobody submitted", "submit it in Label Studio"
        found.problems.append(
            LeftOut(found.where, "draft, left out", detail, remedy, labels=n, is_meant=True)
        )
    shown = [p for p in _listed(task.get("predictions")) if isinstance(p, dict)]
    suggested = {place: labels for one in shown for place, labels in _chosen(one).items()}
    suggested = suggested or _noted(task["data"].get(SUGGESTED))
    given = _given(task)
    found.problems += _unread(task, given, "annotations.result", found.where)
    for place, annotation in _placed(given, found.where):
        if not isinstance(annotation, dict):
            detail = f"an object was required, got {annotation!r:.80}"
            found.problems.append(LeftOut(place, "annotation malformed, refused", detail))
        elif annotation.get("was_cancelled") or annotation.get("skipped"):
            n = _n_marked(annotation)
            detail = f"its annotator skipped the task; {n} labels"
            reason = "cancelled annotation, left out"
            found.problems.append(LeftOut(place, reason, detail, labels=n, is_meant=True))
        else:
            found.problems += _unread(annotation, annotation.get("result"), "result", place)
            found.turns.append(_turn(annotation, place, found.file, identity, suggested))


def _unread(record: Json, own: object, name: str, where: str) -> Iterator[Problem]:
    """Spans of a task or an annotation that stand beside what is read of it."""
    rest = {k: v for k, v in record.items() if v is not own and k not in _NOBODYS}
    return unread_spans(rest, (name,), where)


def _turn(
    annotation: Json, where: str, file: str, identity: tuple[str, str, str], suggested: _Chosen
) -> _Turn:
    who, is_number = _annotator(annotation)
    who = intern(who)
    given = _chosen(annotation) if suggested else {}
    return _Turn(
        where,
        file,
        identity,
        who,
        {name: annotation[name] for name in STAMPS if name in annotation},
        n_labels=_n_marked(annotation),
        records=tuple(read_document(_by_annotator(annotation, where, identity[0], who), where)),
        is_number=is_number,
        n_suggested=len(suggested),
        n_unchanged=sum(given.get(key) == value for key, value in suggested.items()),
    )


def _placed(annotations: Sequence[Any], where: str) -> Iterator[tuple[str, Any]]:
    """Each annotation under its id, or under its place where ids repeat or are missing."""
    ids = [one.get("id") if isinstance(one, dict) else None for one in annotations]
    for n, (key, annotation) in enumerate(zip(ids, annotations, strict=True), 1):
        is_named = key is not None and ids.count(key) == 1
        yield f"{where} annotation {key if is_named else f'number {n}'}", annotation


def _document(task: _Task, replaced: Mapping[int, Problem]) -> Iterator[Record]:
    yield from task.problems
    if task.article is None:
        return
    yield task.article
    for turn in task.turns:
        problem = replaced.get(id(turn))
        if problem is not None:
            yield problem
        else:
            yield from turn.records


_Part = tuple[Json, Json]
"""A result and its value; those of one id, or of one place, make up a region."""


def _by_annotator(
    annotation: Json, where: str, article_id: str, annotator: str
) -> Iterator[Record]:
    parts: dict[str, dict[str, list[_Part]]] = {}
    for n, result in enumerate(_listed(annotation.get("result")), 1):
        if not isinstance(result, dict):
            detail = f"an object was required, got {result!r:.80}"
            yield LeftOut(f"{where} result {n}", "result malformed, refused", detail)
        elif result.get("type") == "relation":
            label = str(next(iter(_listed(result.get("labels"))), ""))
            first, second = (f"{where} {result.get(end)}" for end in ("from_id", "to_id"))
            yield Link(first, second, label)
        else:
            value = _value(result)
            place = f"{value['start']}-{value.get('end')}" if "start" in value else ""
            key = result.get("id")
            if key is None:
                key = f"{result.get('to_name')} {place}" if place else f"result {n}"
            parts.setdefault(str(key), {}).setdefault(place, []).append((result, value))
    for key, places in parts.items():
        # ids repeat: each place is a region; results without one go with the first
        apart = places.pop("", [])
        first_place, *others = list(places.values()) or [[]]
        for n, own in enumerate((first_place + apart, *others), 1):
            here = f"{where} {key}" if n == 1 else f"{where} {key} number {n}"
            yield _region(own, here, article_id, annotator)


def _value(result: Json) -> Json:
    value = result.get("value")
    return value if isinstance(value, dict) else {}


def _annotator(annotation: Json) -> tuple[str, bool]:
    """Who did it, and whether that is a number for which others may know the name.

    The name in our own regions, an id, an address, or a user name of old exports.
    """
    if annotation.get("ground_truth") is True:
        return CURATED, False
    results = _listed(annotation.get("result"))
    metas = (r["meta"] for r in results if isinstance(r, dict) and isinstance(r.get("meta"), dict))
    names = {str(meta["annotator"]) for meta in metas if meta.get("annotator")}
    if len(names) == 1:
        return person(names.pop()), False
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = next((who[k] for k in ("email", "username", "id") if who.get(k) is not None), None)
    if who is None and annotation.get("created_username"):
        # " u1@x.nl, 1": the address and the id
        name = str(annotation["created_username"])
        who = name.rpartition(",")[0].strip() or name
    if who is None or not str(who).strip():
        return UNNAMED, False
    return person(who), True


def _region(parts: list[_Part], where: str, article_id: str, annotator: str) -> Region | Problem:
    place = parts[0][1]
    if "start" not in place:
        detail = f"{[result.get('from_name') for result, _ in parts]} without offsets"
        return LeftOut(where, "label of the whole text, left out", detail)
    start, end = whole_number(place["start"]), whole_number(place.get("end"))
    if start is None or end is None:
        detail = f"start {place['start']!r}: places in a HyperText page are not offsets in its text"
        return LeftOut(where, "no offsets, refused", detail, "annotate with Text, not HyperText")
    meta: dict[str, Any] = {}
    surface: str | None = None
    codes: list[Code] = []
    comments: list[Any] = []
    for result, value in parts:
        own, text, kind = result.get("meta"), value.get("text"), result.get("type")
        if isinstance(own, dict):
            meta |= own
        if kind == "textarea":
            comments += text if isinstance(text, list) else [] if text is None else [text]
        else:
            surface = text if surface is None and isinstance(text, str) else surface
            codes += _codes(intern(str(result.get("from_name") or "")), str(kind), value)
    notes = meta.get("text", [])
    comments += notes if isinstance(notes, list) else [notes]
    if "target" in meta:
        codes.insert(0, (TARGET, str(meta["target"])))
    evidence = meta.get("evidence")
    return Region(
        where=where,
        key=where,
        article_id=article_id,
        annotator=intern(person(meta["annotator"])) if meta.get("annotator") else annotator,
        start=start,
        end=end,
        surface=surface,
        codes=_shared(tuple(codes)),
        comment="; ".join(map(str, comments)) or None,
        speaker=meta.get("speaker"),
        evidence=tuple(evidence) if isinstance(evidence, list) and evidence else None,
    )


@lru_cache(maxsize=65_536)
def _shared(codes: tuple[Code, ...]) -> tuple[Code, ...]:
    """One object for equal labels, which come again and again."""
    return codes


def _codes(field_name: str, kind: str, value: Json) -> Iterator[Code]:
    # some programs leave the type out, or name the list otherwise than the type
    given = [value[kind]] if kind in value else [value[k] for k in value if k not in _PLACE]
    for labels in given:
        for label in labels if isinstance(labels, list) else [labels]:
            leaf = label[-1] if isinstance(label, list) and label else label
            if leaf is not None:
                yield field_name, intern(str(leaf))
