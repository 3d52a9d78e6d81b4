"""brat: standoff files in and out."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations._table import Annotation, AnnotationSet, table_annotations
from classifier.annotations.formats._codes import (
    MENTION,
    NONE_CODED,
    NOT_TARGET,
    TARGET,
    Code,
    encode_values,
    predicted_annotations,
)
from classifier.annotations.formats._files import Member, read_members, read_table, table_text
from classifier.annotations.formats._foreign import (
    Foreign,
    LeftOut,
    Link,
    Record,
    Region,
    gather,
    person,
)
from classifier.articles import article_from_record, article_record
from classifier.codebook import Codebook, write_codebook
from classifier.errors import DataError
from classifier.files import json_line, write_text
from classifier.records import Article, Problem

METADATA = "metadata.csv"
_LABEL_LINES = "TAM"
JSON_NOTE = "json:"
"""Begins a note that holds what brat has no place for."""
_ENTITY = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)", re.S)
_ATTRIBUTE = re.compile(r"[AM]\S+\t(\S+) (\S+)(?: (.+))?")
_RELATION = re.compile(r"R\S+\t(\S+) \S+?:(\S+) \S+?:(\S+)\s*")
_EVENT = re.compile(r"(E\S+)\t\S+?:(T\S+).*")
_NOTE = re.compile(r"#\S+\t\S+ (\S+)\t(.*)", re.S)


@dataclass
class _Standoff:
    """What one `.ann` file says, by the ids of its entities."""

    entities: dict[str, tuple[str, int, int, str]] = field(default_factory=dict)
    codes: dict[str, list[Code]] = field(default_factory=lambda: defaultdict(list))
    notes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    asked: dict[str, str] = field(default_factory=dict)
    """Where an entity was last spoken of, by its id."""
    links: list[Link] = field(default_factory=list)
    events: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_brat(path: Path) -> Foreign:
    """Read a folder or zip: of documents, named after one annotator, or of such folders."""
    root = f"{path.stem}/" if path.is_file() else ""
    members = {m.name.removeprefix(root): m for m in read_members(path)}
    texts = [name for name in members if name.endswith(".txt") and _ann(name) in members]
    if not texts:
        raise DataError(f"{path}: brat keeps each .txt beside its .ann; no such pair was found")
    shared = _shared_folder(texts)
    members = {name.removeprefix(shared): member for name, member in members.items()}
    texts = [name.removeprefix(shared) for name in texts]
    is_flat = all("/" not in name for name in texts)
    metadata = _metadata(members)
    foreign = gather(
        _document(
            name, members, metadata, (path.stem, "", name) if is_flat else name.partition("/")
        )
        for name in texts
    )
    order = {str(row.get("article_id")): n for n, row in enumerate(metadata.values())}
    in_order = sorted(foreign.articles, key=lambda a: order.get(a.article_id, len(order)))
    alone = tuple(
        LeftOut(
            name,
            "annotations without their text, refused",
            f"no {_txt(name)} beside it",
            labels=_n_entities(member),
        )
        for name, member in members.items()
        if name.endswith(".ann") and _txt(name) not in members
    )
    return replace(foreign, articles=tuple(in_order), problems=foreign.problems + alone)


def _shared_folder(names: Iterable[str]) -> str:
    """The folders that all lie in above those of the annotators, such as the collection's."""
    shared = ""
    rest = list(names)
    while len({name.partition("/")[0] for name in rest}) == 1 and all(
        name.count("/") > 1 for name in rest
    ):
        folder = rest[0].partition("/")[0] + "/"
        shared, rest = shared + folder, [name.removeprefix(folder) for name in rest]
    return shared


def _txt(name: str) -> str:
    return f"{name.removesuffix('.ann')}.txt"


def _document(
    name: str,
    members: Mapping[str, Member],
    metadata: Mapping[str, Mapping[str, Any]],
    place: tuple[str, str, str],
) -> Iterator[Record]:
    annotator, _, file = place
    try:
        article = _article(members[name], metadata.get(file, {}), file)
        standoff = _read_ann(members[_ann(name)])
    except DataError as error:
        lost = _n_entities(members[_ann(name)])
        yield LeftOut(name, "document unreadable, refused", str(error), labels=lost)
        return
    yield article
    yield from _contents(standoff, _ann(name), article.article_id, annotator)


def _n_entities(member: Member) -> int:
    return sum(line.startswith(b"T") for line in member.content.split(b"\n"))


def _ann(name: str) -> str:
    return f"{name.removesuffix('.txt')}.ann"


def _metadata(members: Mapping[str, Member]) -> dict[str, dict[str, Any]]:
    """Article fields by file name, from the metadata.csv that our own export writes."""
    if METADATA not in members:
        return {}
    return {str(row.get("file")): row for _, row in read_table(members[METADATA].text, METADATA)}


def _article(member: Member, metadata: Mapping[str, Any], file: str) -> Article:
    article_id = metadata.get("article_id") or file.removesuffix(".txt")
    try:
        # brat counts a byte order mark as a character
        text = member.content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{member.name}: UTF-8 was required: {error}; save it so") from None
    return article_from_record({**metadata, "article_id": article_id, "text": text})


def _read_ann(member: Member) -> _Standoff:
    document = _Standoff()
    for number, line in enumerate(member.text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            continue
        where = f"{member.name}:{number}"
        reader = _LINES.get(line[0])
        if reader is None:
            reason = "line of another kind, left out"
            document.problems.append(Problem(where, reason, line[:80]))
        elif not reader(line, document, where):
            document.problems.append(_malformed(where, line))
    return document


def _malformed(where: str, line: str) -> Problem:
    has_blanks = "\t" not in line and len(line.split()) > 1
    remedy = "its tabs seem to have become blanks: save the file as brat wrote it"
    n = int(line[0] in _LABEL_LINES)
    told = remedy if has_blanks else ""
    return LeftOut(where, "malformed line, refused", line[:80], told, labels=n)


def _entity(line: str, document: _Standoff, where: str) -> bool:
    match = _ENTITY.fullmatch(line)
    if match is None:
        return False
    key, kind, offsets, surface = match.groups()
    if ";" in offsets:
        detail = f"{kind} at {offsets}: a mention is one stretch of text"
        document.problems.append(LeftOut(where, "discontinuous span, refused", detail))
        return True
    start, end = map(int, offsets.split())
    if key in document.entities:
        # attributes of an id that comes twice go with the one above them
        detail = f"{key} stands for several entities; attributes go with the last one above them"
        document.problems.append(Problem(where, "id repeated, both kept", detail))
        n = sum(other.partition(" ")[0] == key for other in document.entities)
        document.events[key] = key = f"{key} number {n + 1}"
    document.entities[key] = (where, start, end, surface)
    document.codes[key].append(("", kind))
    return True


def _attribute(line: str, document: _Standoff, where: str) -> bool:
    match = _ATTRIBUTE.fullmatch(line)
    if match is None:
        return False
    name, key, value = match.groups()
    key = document.events.get(key, key)
    document.asked[key] = where
    document.codes[key].append((name, value or ""))
    return True


def _relation(line: str, document: _Standoff, where: str) -> bool:
    match = _RELATION.fullmatch(line)
    if match is None:
        return False
    label, *ends = match.groups()
    first, second = (document.events.get(key, key) for key in ends)
    document.links.append(Link(first, second, label))
    return True


def _event(line: str, document: _Standoff, where: str) -> bool:
    match = _EVENT.fullmatch(line)
    if match is None:
        return False
    document.events[match[1]] = match[2]
    return True


def _note(line: str, document: _Standoff, where: str) -> bool:
    match = _NOTE.fullmatch(line)
    if match is None:
        return False
    document.notes[document.events.get(match[1], match[1])].append(match[2])
    return True


_LINES = {
    "T": _entity,
    "A": _attribute,
    "M": _attribute,
    "R": _relation,
    "E": _event,
    "#": _note,
}


def _contents(document: _Standoff, file: str, article_id: str, annotator: str) -> Iterator[Record]:
    yield from document.problems
    for key in [key for key in document.asked if key not in document.entities]:
        detail = f"{key} with {[name for name, _ in document.codes[key]]}"
        yield LeftOut(document.asked[key], "attribute without its entity, left out", detail)
    yield from (Link(f"{file} {a}", f"{file} {b}", label) for a, b, label in document.links)
    for key, (where, start, end, surface) in document.entities.items():
        hidden, comments = _read_notes(document.notes[key])
        evidence = hidden.get("evidence")
        yield Region(
            where=where,
            key=f"{file} {key}",
            article_id=article_id,
            annotator=person(hidden.get("annotator") or annotator),
            start=start,
            end=end,
            surface=surface,
            codes=(*document.codes[key], *((str(k), str(v)) for k, v in hidden.get("codes", []))),
            comment="; ".join(comments) or None,
            speaker=hidden.get("speaker"),
            evidence=tuple(evidence) if evidence else None,
        )


def _read_notes(notes: list[str]) -> tuple[dict[str, Any], list[str]]:
    hidden: dict[str, Any] = {}
    comments = []
    for note in notes:
        if not note.startswith(JSON_NOTE):
            comments.append(note)
            continue
        try:
            hidden |= json.loads(note.removeprefix(JSON_NOTE))
        except (ValueError, TypeError):
            comments.append(note)
    return hidden, ([hidden["comment"]] if hidden.get("comment") else []) + comments


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
    write_text(path / METADATA, [_metadata_lines(annotation_set.articles, files)])
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


def _metadata_lines(articles: Iterable[Article], files: dict[str, str]) -> str:
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
        note = _note_line(annotation, hidden)
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


def _note_line(annotation: Annotation, hidden: list[Code]) -> str:
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
