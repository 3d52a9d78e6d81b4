"""INCEpTION: project exports, CAS files in XMI and JSON, and WebAnno TSV."""

import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from classifier.annotations._table import CURATED
from classifier.annotations.formats._codes import Code
from classifier.annotations.formats._files import Member, read_members
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    LeftOut,
    Link,
    Record,
    Region,
    gather,
    person,
)
from classifier.articles import article_from_record
from classifier.errors import DataError, in_words
from classifier.records import Article, Problem
from classifier.text import CODE_POINTS

_TOKEN = re.compile(r"(\d+-\d+(?:\.\d+)?)\t(\d+)-(\d+)\t(.*)")
_VALUE = re.compile(r"(.*?)(?<!\\)\[(\d+)\]", re.S)
_SOURCE = re.compile(r"(\d+-\d+(?:\.\d+)?)(?:\[(\d+)_(\d+)\])?")
_NONE, _NO_VALUE, _BACK = "_", "*", "BT_"


@dataclass(frozen=True)
class Layer:
    """A layer of the header: the columns it takes and what they hold."""

    name: str
    features: tuple[str, ...]
    first_column: int
    kind: str
    """SP for spans, RL for relations, CH for chains."""

    @property
    def n_columns(self) -> int:
        """A layer without features takes one column too; a chain takes two."""
        return 2 if self.kind == "CH" else max(1, len(self.features))


@dataclass
class TsvSpan:
    """An annotation that may run over several tokens; offsets in UTF-16 units."""

    start: int
    end: int
    codes: list[Code] = field(default_factory=list)


@dataclass
class TsvDocument:
    """What a file holds: its text, and spans by a key that relations use."""

    text: str
    spans: dict[str, TsvSpan]
    links: list[Link]


def parse_tsv(content: str) -> TsvDocument:
    """Read a file; raises `DataError` where it is no WebAnno TSV 3."""
    lines = content.split("\n")
    if not lines[0].startswith("#FORMAT=WebAnno TSV 3"):
        raise DataError(f"the first line must be #FORMAT=WebAnno TSV 3.x, got {lines[0]!r:.60}")
    layers = list(_layers(lines))
    document = TsvDocument("", {}, [])
    back: list[tuple[str, Layer, str, list[str]]] = []
    for token, start, end, cells in _rows(lines, sum(layer.n_columns for layer in layers)):
        for layer in layers:
            mine = cells[layer.first_column : layer.first_column + layer.n_columns]
            if layer.kind == "SP":
                _add_spans(document.spans, layer, token, (start, end), mine)
            elif layer.kind == "RL" and mine[-1] != _NONE:
                back.append((token, layer, mine[-1], mine[:-1]))
    for token, layer, sources, features in back:
        document.links += _relations(document.spans, layer, token, sources, features)
    document.text = _text(lines)
    return document


def _layers(lines: list[str]) -> Iterator[Layer]:
    column = 0
    for line in lines:
        match = re.fullmatch(r"#T_(SP|RL|CH)=([^|\r]*)\|?(.*?)\r?", line)
        if match:
            kind, name, features = match.groups()
            names = tuple(feature for feature in features.split("|") if feature)
            layer = Layer(name, names, column, kind)
            yield layer
            column += layer.n_columns


def _rows(lines: list[str], n_columns: int) -> Iterator[tuple[str, int, int, list[str]]]:
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        if not line or line.startswith("#"):
            continue
        match = _TOKEN.fullmatch(line)
        cells = match[4].split("\t")[1:] if match else []
        if match is None or not n_columns <= len(cells) <= n_columns + 1:
            blanks = "" if "\t" in line else "; its tabs seem to have become blanks"
            raise DataError(
                f"line {number}: a token with {n_columns} columns was required: {line!r}{blanks}"
            )
        yield match[1], int(match[2]), int(match[3]), cells


def _add_spans(
    spans: dict[str, TsvSpan],
    layer: Layer,
    token: str,
    place: tuple[int, int],
    cells: list[str],
) -> None:
    """Add the layer's annotations on a token: stacked ones part their values by a bar."""
    stacks = [re.split(r"(?<!\\)\|", cell) for cell in cells]
    names = layer.features or ("",)
    for n in range(max(map(len, stacks))):
        for name, stack in zip(names, stacks, strict=False):
            value = stack[n] if n < len(stack) else _NONE
            if value == _NONE:
                continue
            value, key = _value(value, layer, token, n)
            span = spans.setdefault(key, TsvSpan(*place))
            span.start, span.end = min(span.start, place[0]), max(span.end, place[1])
            parts = re.split(r"(?<!\\);", value) if value != _NO_VALUE else []
            codes = [(name, _unescaped(part)) for part in parts]
            span.codes += [code for code in codes if code not in span.codes]


def _value(cell: str, layer: Layer, token: str, n: int) -> tuple[str, str]:
    """The value and the key of its annotation: its number, or else its token."""
    match = _VALUE.fullmatch(cell)
    if match:
        return match[1], _key(layer.name, match[2])
    return cell, _key(layer.name, f"{token} {n}")


def _key(layer: str, number: str) -> str:
    return f"{layer} {number}"


def _relations(
    spans: Mapping[str, TsvSpan], layer: Layer, token: str, sources: str, features: list[str]
) -> Iterator[Link]:
    """Relations that end at a token, from the tokens that its last column names."""
    base = layer.features[-1].removeprefix(_BACK)
    labels = [re.split(r"(?<!\\)\|", cell) for cell in features]
    for n, source in enumerate(sources.split("|")):
        match = _SOURCE.fullmatch(source)
        if match is None:
            raise DataError(f"a relation must name a token such as 1-2[1_0], got {source!r}")
        ends = [
            _key(base, number if number and number != "0" else f"{at} 0")
            for at, number in ((match[1], match[2]), (token, match[3]))
        ]
        label = next((_unescaped(stack[n]) for stack in labels if n < len(stack)), "")
        if all(end in spans for end in ends):
            yield Link(ends[0], ends[1], label.strip("*_"))


def _unescaped(value: str) -> str:
    marks = {"t": "\t", "n": "\n", "r": "\r"}
    return re.sub(r"\\(.)", lambda match: marks.get(match[1], match[1]), value, flags=re.S)


def _text(lines: list[str]) -> str:
    """The sentences at their offsets, in a text of spaces."""
    units = bytearray()
    sentence: list[str] = []
    for line in lines:
        if line.startswith("#Text="):
            sentence.append(_unescaped(line.removeprefix("#Text=").removesuffix("\r")))
        match = _TOKEN.fullmatch(line.removesuffix("\r"))
        if match and sentence:
            text = "\n".join(sentence)
            before = text[: max(0, text.find(_unescaped(match[4].split("\t")[0])))]
            start = int(match[2]) * 2 - len(before.encode("utf-16-le"))
            encoded = text.encode("utf-16-le")
            units.extend(" ".encode("utf-16-le") * ((start - len(units)) // 2))
            units[start : start + len(encoded)] = encoded
            sentence = []
    return units.decode("utf-16-le", "replace")


RULES = (CODE_POINTS,)
MAX_DEPTH = 100
"""Elements within elements: a CAS is flat, an attack need not be."""
_INITIAL = "INITIAL_CAS"
_FOLDERS = ("annotation", "curation")
_TYPE_SYSTEM = "typesystem.xml"
_BUILT_IN = ("uima.", "de.tudarmstadt.ukp.", "org.dkpro.core.", "org.apache.")
_NAMED_ENTITY = ".ner.type.NamedEntity"
_OWN_FEATURES = {"begin", "end", "sofa", "identifier"}
_COMMENTS = {"comment", "note", "remark"}


class _Structure(Protocol):
    """A feature structure of the CAS library."""

    type: Any
    xmiID: int  # noqa: N815 (the library's name)
    begin: int
    end: int


class _Cas(Protocol):
    """A CAS of the library."""

    sofa_string: str | None

    def select_all_annotations(self) -> Iterable[_Structure]: ...


def read_inception(path: Path) -> Foreign:
    """Read an export: a zip or folder with .xmi, .json or .tsv files, or one such file."""
    members = read_members(path)
    if path.is_dir() and path.name in _FOLDERS:
        # the project's folder is one up: without its name, nobody knows who annotated
        members = [Member(f"{path.name}/{m.name}", m.content) for m in members]
    documents = [m for m in members if m.path.suffix.lower() in (".xmi", ".json", ".tsv")]
    documents = [m for m in documents if m.path.name != "exportedproject.json"]
    if not documents:
        raise DataError(f"{path}: .xmi, .json or .tsv files were required, none was found")
    systems = {m.path.parent: m for m in members if m.path.name.lower() == _TYPE_SYSTEM}
    beside = path.parent / "TypeSystem.xml"
    if path.is_file() and beside.is_file():
        systems.setdefault(documents[0].path.parent, Member(beside.name, beside.read_bytes()))
    drafts = [m for m in documents if m.path.stem == _INITIAL]
    shown = (m for m in documents if m not in drafts)
    counts = {"files without an annotator, left out": len(drafts)} if drafts else {}
    return gather((_document(m, systems.get(m.path.parent)) for m in shown), counts)


def _document(member: Member, system: Member | None) -> Iterator[Record]:
    try:
        yield from _records(member, system, *_place(member))
    except DataError as error:
        yield LeftOut(member.name, "document unreadable, refused", in_words(error))


def _records(member: Member, system: Member | None, title: str, annotator: str) -> Iterator[Record]:
    if member.path.suffix.lower() == ".tsv":
        yield from _tsv(member, annotator, title)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        records = list(_cas(_load(member, system), member.name, annotator, title))
    yield from records
    for warning in caught:
        yield Problem(member.name, "warning of the CAS reader", str(warning.message))


def _place(member: Member) -> tuple[str, str]:
    """Document and annotator, as a project export's folders name them."""
    parts = member.path.parts
    for folder in _FOLDERS:
        if folder in parts[:-2]:
            title, annotator = parts[parts.index(folder) + 1 :][:2]
            stem = PurePosixPath(annotator).stem
            return title, CURATED if folder == "curation" else person(stem)
    is_curated = person(member.path.stem) == CURATED
    return (
        (member.path.parent.name or member.path.stem, CURATED)
        if is_curated
        else (member.path.stem, UNNAMED)
    )


def _tsv(member: Member, annotator: str, title: str) -> Iterator[Record]:
    document = parse_tsv(member.text)
    yield Article(title, document.text)
    units = document.text.encode("utf-16-le")
    for key, span in document.spans.items():
        codes, comment = _without_comment(span.codes)
        yield Region(
            where=f"{member.name} {key}",
            key=f"{member.name} {key}",
            article_id=title,
            annotator=annotator,
            start=len(units[: 2 * span.start].decode("utf-16-le")),
            end=len(units[: 2 * span.end].decode("utf-16-le")),
            surface=None,
            codes=codes,
            comment=comment,
        )
    for first, second, label in document.links:
        yield Link(f"{member.name} {first}", f"{member.name} {second}", label)


def _without_comment(codes: Sequence[Code]) -> tuple[tuple[Code, ...], str | None]:
    """The labels, and what stands in a field for comments."""
    labels = tuple(code for code in codes if code[0].lower() not in _COMMENTS)
    return labels, "; ".join(v for k, v in codes if k.lower() in _COMMENTS) or None


def _load(member: Member, system: Member | None) -> _Cas:
    try:
        import cassis
    except ImportError:
        raise DataError(
            "INCEpTION's CAS files need dkpro-cassis: "
            'pip install "stance-framing-classifier[inception]"'
        ) from None
    is_json = member.path.suffix.lower() == ".json"
    if not is_json and system is None:
        raise DataError(f"{member.name}: XMI needs its TypeSystem.xml beside it, there is none")
    for each in (system, member):
        if each is not None and not is_json:
            _check_xml(each)
    content = io.BytesIO(member.content)
    try:
        cas: _Cas
        if is_json or system is None:
            cas = cassis.load_cas_from_json(content)
        else:
            types = cassis.load_typesystem(io.BytesIO(system.content))
            cas = cassis.load_cas_from_xmi(content, typesystem=types)
    except Exception as error:
        # the library raises whatever its parsers and its type system do
        detail = f"{in_words(error)}"
        raise DataError(f"{member.name}: a CAS was required: {detail}") from None
    return cas


def _check_xml(member: Member) -> None:
    """Refuse entities, document types and deep nesting before another parser sees the file."""
    try:
        depth = _depth(member.content)
    except DefusedXmlException as error:
        raise DataError(
            f"{member.name}: XML without entities was required: {in_words(error)}"
        ) from None
    except (ParseError, LookupError, ValueError) as error:
        raise DataError(f"{member.name}: XML was required: {in_words(error)}") from None
    if depth > MAX_DEPTH:
        raise DataError(f"{member.name}: elements may nest {MAX_DEPTH} deep, they nest deeper")


def _depth(content: bytes) -> int:
    """How deep elements nest, read no further than one level too deep."""
    depth = deepest = 0
    for event, element in iterparse(io.BytesIO(content), ("start", "end"), forbid_dtd=True):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
        if event == "end":
            element.clear()
    return deepest


def _cas(cas: _Cas, name: str, annotator: str, title: str) -> Iterator[Record]:
    known = _metadata(cas)
    if annotator != CURATED:
        annotator = person(known.get("username") or annotator)
    article = article_from_record(
        {
            "article_id": known.get("sourceDocumentName") or known.get("documentTitle") or title,
            "text": cas.sofa_string or "",
        }
    )
    yield article
    for fs in cas.select_all_annotations():
        if fs.type.name.startswith(_BUILT_IN) and not fs.type.name.endswith(_NAMED_ENTITY):
            continue
        key = f"{name} {fs.xmiID}"
        governor, dependent = (getattr(fs, end, None) for end in ("Governor", "Dependent"))
        if governor is not None and dependent is not None:
            label = next((value for _, value in _codes(fs)), "")
            yield Link(f"{name} {governor.xmiID}", f"{name} {dependent.xmiID}", label)
            continue
        codes, comment = _without_comment(list(_codes(fs)))
        yield Region(
            where=key,
            key=key,
            article_id=article.article_id,
            annotator=annotator,
            start=fs.begin,
            end=fs.end,
            surface=None,
            codes=codes,
            comment=comment,
        )
        for target in _slots(fs):
            yield Link(key, f"{name} {target.xmiID}", "")


def _metadata(cas: _Cas) -> Mapping[str, str]:
    """What the CAS says of itself: INCEpTION's annotator and document, DKPro's title."""
    known: dict[str, str] = {}
    for fs in cas.select_all_annotations():
        if fs.type.name.endswith((".CASMetadata", ".DocumentMetaData")):
            for feature in ("username", "sourceDocumentName", "documentTitle"):
                value = getattr(fs, feature, None)
                if value:
                    known[feature] = str(value)
    return known


def _codes(fs: _Structure) -> Iterator[Code]:
    for feature in fs.type.all_features:
        value = getattr(fs, feature.name, None)
        if feature.name in _OWN_FEATURES or value is None or value is False:
            continue
        values = getattr(value, "elements", None) or [value]
        for each in values:
            if isinstance(each, str | bool | int | float):
                yield feature.name, "true" if each is True else str(each)


def _slots(fs: _Structure) -> Iterator[_Structure]:
    """The annotations that a slot feature points to."""
    for feature in fs.type.all_features:
        for link in getattr(getattr(fs, feature.name, None), "elements", None) or []:
            target = getattr(link, "target", None)
            if target is not None and hasattr(target, "begin"):
                yield target
