"""INCEpTION and WebAnno: UIMA CAS as XMI with its type system or as JSON, and WebAnno TSV 3.

There is one CAS per document and annotator; the library converts their UTF-16 offsets to code
points. In a project export the file is named after the annotator and lies in a folder named after
the document.
"""

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from classifier.articles import article_from_record
from classifier.errors import DataError
from classifier.formats.archives import Member, read_members
from classifier.formats.codes import Code
from classifier.formats.foreign import UNNAMED, Foreign, Link, Record, Region, gather
from classifier.formats.webanno_tsv import parse_tsv
from classifier.offsets import CODE_POINTS
from classifier.records import Article, Problem

RULES = (CODE_POINTS,)
MAX_DEPTH = 100
"""Elements within elements: a CAS is flat, an attack need not be."""
_INITIAL = "INITIAL_CAS"
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
        yield Problem(member.name, "document unreadable, refused", str(error))


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
    for folder in ("annotation", "curation"):
        if folder in parts[:-2]:
            title, annotator = parts[parts.index(folder) + 1 :][:2]
            return title, PurePosixPath(annotator).stem
    return member.path.stem, UNNAMED


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
        detail = f"{type(error).__name__}: {error}"
        raise DataError(f"{member.name}: a CAS was required: {detail}") from None
    return cas


def _check_xml(member: Member) -> None:
    """Refuse entities, document types and deep nesting before another parser sees the file."""
    try:
        depth = _depth(member.content)
    except DefusedXmlException as error:
        raise DataError(f"{member.name}: XML without entities was required: {error}") from None
    except (ParseError, LookupError, ValueError) as error:
        raise DataError(f"{member.name}: XML was required: {error}") from None
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
    annotator = known.get("username") or annotator
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
