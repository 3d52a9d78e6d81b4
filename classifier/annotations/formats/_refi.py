"""REFI-QDA projects (`.qdpx`) and codebooks (`.qdc`) of NVivo, MAXQDA, QualCoder and others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

from classifier.annotations.formats._codes import Code, decode, same_key
from classifier.annotations.formats._files import read_archive
from classifier.annotations.formats._foreign import (
    UNNAMED,
    Foreign,
    LeftOut,
    Record,
    Region,
    gather,
    person,
)
from classifier.annotations.formats._records import whole_text
from classifier.codebook import Codebook, Label, Target, Variable, default_codebook, read_codebook
from classifier.errors import DataError
from classifier.records import LANGUAGES, Article, Problem
from classifier.text import CODE_POINTS

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

RULES = (CODE_POINTS,)
_INTERNAL = ("internal://", "relative://")
_ABOVE = "\x1f"
_OTHER_SOURCES = ("PictureSource", "AudioSource", "VideoSource", "PDFSource")


@dataclass
class _Project:
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names from the top of the tree down, by the code's GUID."""
    users: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def read_refi(path: Path) -> Foreign:
    """Read the text selections of a project; codes count with the codes above them.

    The standard counts code points from 0 with the last character inside, but many programs write
    the place behind it. The reading under which more selections end where a word does is taken for
    the whole project, and a problem says so where it is not the standard's.

    Raises:
        DataError: it is no project, its XML declares entities, or its zip leads outside itself.
    """
    if not path.is_file() or not is_zipfile(path):
        hint = "; a .qdc has codes and no texts: give it as --codebook"
        raise DataError(
            f"{path}: a .qdpx project was required, which is a zip"
            f"{hint if path.suffix.lower() == '.qdc' else ''}"
        )
    files = {member.name: member.content for member in read_archive(path)}
    names = [name for name in files if name.lower().endswith(".qde")]
    if len(names) != 1:
        raise DataError(f"{path}: one project.qde was required in the project, got {len(names)}")
    root = _xml(files[names[0]], f"{path.name}/{names[0]}")
    project = _Project(files={_key(name): content for name, content in files.items()})
    project.codes |= {_guid(code.get("guid")): names for code, names in _codes(root, ())}
    for user in _all(root, "User"):
        project.users[_guid(user.get("guid"))] = person(
            user.get("name") or user.get("id") or UNNAMED
        )
    documents = [list(_document(source, project, path.name)) for source in _all(root, "TextSource")]
    if not documents:
        raise DataError(f"{path}: a project with text sources was required, it holds none")
    found, remarks = _with_ends(documents, path.name)
    return gather([*found, [*remarks, *_unread(root, path.name)]])


def _xml(content: bytes, name: str) -> "Element":
    from defusedxml import DefusedXmlException, ElementTree

    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DataError(f"{name}: XML without a DTD was required: {error}") from None
    return root


def _bare(element: "Element") -> str:
    """The element's name without its namespace, of which programs write several."""
    return str(element.tag).rpartition("}")[2]


def _all(root: "Element", name: str) -> Iterator["Element"]:
    return (element for element in root.iter() if _bare(element) == name)


def _key(name: str) -> str:
    return name.rpartition("/")[2].casefold()


def _n_codings(element: "Element") -> int:
    return sum(1 for _ in _all(element, "Coding"))


def _guid(value: str | None) -> str:
    return (value or "").strip("{} ").casefold()


def _codes(
    element: "Element", above: tuple[str, ...]
) -> Iterator[tuple["Element", tuple[str, ...]]]:
    for child in element:
        names = (*above, child.get("name") or "") if _bare(child) == "Code" else above
        if _bare(child) == "Code":
            yield child, names
        if _bare(child) in ("CodeBook", "Codes", "Code"):
            yield from _codes(child, names)


def _description(element: "Element") -> str:
    found = (child.text for child in element if _bare(child) == "Description")
    return (next(found, None) or "").strip()


def _document(source: "Element", project: _Project, file: str) -> Iterator[Record]:
    name = source.get("name") or source.get("guid") or ""
    where = f"{file} {name}"
    text = _text(source, project)
    if text is None:
        detail = f"{source.get('plainTextPath')!r} is not in the project; rich text is not read"
        remedy, n = "export the sources as plain text, too", _n_codings(source)
        yield LeftOut(where, "no text, refused", detail, remedy, labels=n)
        return
    article = Article(name.removesuffix(".txt") or where, text)
    yield article
    selections = list(_all(source, "PlainTextSelection"))
    for number, selection in enumerate(selections):
        yield from _selection(selection, project, f"{where} selection {number}", article)
    n = _n_codings(source) - sum(map(_n_codings, selections))
    yield from whole_text(where, ["a code"] if n else [], n)


def _text(source: "Element", project: _Project) -> str | None:
    inline = next((e.text for e in source if _bare(e) == "PlainTextContent"), None)
    if inline is not None:
        return inline
    path = source.get("plainTextPath") or ""
    for prefix in _INTERNAL:
        path = path.removeprefix(prefix)
    content = project.files.get(_key(path))
    return None if content is None else content.decode("utf-8-sig")


def _selection(
    selection: "Element", project: _Project, where: str, article: Article
) -> Iterator[Record]:
    """A region per person; codings that name no code in the project are set aside."""
    try:
        start = int(selection.get("startPosition") or "")
        end = int(selection.get("endPosition") or "")
    except ValueError:
        places = f"{selection.get('startPosition')!r} and {selection.get('endPosition')!r}"
        detail = f"startPosition and endPosition must be whole numbers, got {places}"
        yield LeftOut(where, "label malformed, refused", detail, labels=_n_codings(selection))
        return
    by_person: dict[str, list[Code]] = {}
    for coding in (e for e in selection if _bare(e) == "Coding"):
        user = _guid(coding.get("creatingUser") or selection.get("creatingUser"))
        guids = [reference.get("targetGUID") for reference in _all(coding, "CodeRef")]
        for guid in guids or [None]:
            names = project.codes.get(_guid(guid))
            if names is None:
                detail = f"no code has the GUID {guid!r}"
                yield LeftOut(where, "code unknown, set aside", detail)
                continue
            codes = by_person.setdefault(project.users.get(user, user or UNNAMED), [])
            # With the codes above it, for `settle` to tell apart.
            codes.append((_ABOVE.join(names[:-1]), names[-1]))
    if not by_person:
        yield Problem(where, "selection without a code, set aside", f"{start}-{end}")
    for who, codes in by_person.items():
        yield Region(
            where=where,
            key=f"{where} {who}",
            article_id=article.article_id,
            annotator=who,
            start=start,
            end=end,
            surface=selection.get("name"),
            codes=tuple(codes),
            comment=_description(selection) or None,
        )


def settle(foreign: Foreign, codebook: Codebook) -> Foreign:
    """The project with each code as label of the variable above it, and with the targets above.

    A code above that the codebook does not know only groups others, so it is no label.
    """
    regions = (
        replace(region, codes=tuple(c for code in region.codes for c in _settled(code, codebook)))
        for region in foreign.regions
    )
    return replace(foreign, regions=tuple(regions))


def _settled(code: Code, codebook: Codebook) -> Iterator[Code]:
    above = [name for name in code[0].split(_ABOVE) if name]
    for name in above:
        known = decode([("", name)], codebook, "refi-qda")
        if not known.unknown:
            yield "", name
    yield (above[-1] if above else "", code[1])


def _with_ends(
    documents: list[list[Record]], file: str
) -> tuple[list[list[Record]], list[Problem]]:
    """The documents with every end behind its last character, and what was assumed for it."""
    texts = {r.article_id: r.text for d in documents for r in d if isinstance(r, Article)}
    regions = [r for d in documents for r in d if isinstance(r, Region)]
    inside = sum(_ends_well(texts[r.article_id], r, r.end + 1) for r in regions)
    behind = sum(_ends_well(texts[r.article_id], r, r.end) for r in regions)
    step = 1 if inside >= behind else 0
    found = [
        [_placed(r, texts[r.article_id], step) if isinstance(r, Region) else r for r in document]
        for document in documents
    ]
    if step or not regions:
        return found, []
    detail = f"{behind} of {len(regions)} selections end with a word so, {inside} by the standard"
    return found, [Problem(file, "end counted otherwise, repaired", detail)]


def _ends_well(text: str, region: Region, end: int) -> bool:
    """Whether a span is what the selection is called, or else whether it ends where a word does."""
    if not 0 <= region.start < end <= len(text):
        return False
    if region.surface is not None and region.surface == text[region.start : region.end]:
        return end == region.end
    if region.surface is not None and region.surface == text[region.start : region.end + 1]:
        return end == region.end + 1
    is_cut = text[end - 1].isalnum() and text[end : end + 1].isalnum()
    return not is_cut and not text[end - 1].isspace()


def _placed(region: Region, text: str, step: int) -> Region:
    """The region with its end outside; a name that is not its words, as many are, is no surface."""
    end = region.end + step
    is_surface = region.surface == text[region.start : end]
    return replace(region, end=end, surface=region.surface if is_surface else None)


def _unread(root: "Element", file: str) -> Iterator[Problem]:
    n_apart = _n_codings(root) - sum(map(_n_codings, _all(root, "TextSource")))
    for kind in _OTHER_SOURCES:
        found = list(_all(root, kind))
        if found:
            n = sum(map(_n_codings, found))
            n_apart -= n
            detail = f"{len(found)} of the kind {kind}, with {n} codings"
            yield LeftOut(file, "source that is no text, left out", detail, labels=n)
    if n_apart > 0:
        detail = f"{n_apart} codings stand in no source, such as in notes"
        yield LeftOut(file, "coding outside the sources, left out", detail, labels=n_apart)


_TARGETS = ("target", "targets")
_LOOSE, _BELOW_TARGETS = "codes", "labels"
"""The variables of codes that no other code groups, and of those below targets."""


def read_qdc(path: Path) -> Codebook:
    """Read a codebook that a program for qualitative analysis exported.

    Codes below a code named `targets`, or beside one that the shipped codebook calls a target, are
    targets; without any, every entity may be one. Any other code with codes below it is a variable,
    and those that group no others are its labels. If these are all labels of one variable of the
    shipped codebook, it is that variable. Any other is a set, since these programs let several
    codes stand on one selection.

    Raises:
        DataError: it is not there, no XML, declares entities, or holds no code.
    """
    if not path.is_file():
        raise DataError(f"{path}: a .qdc codebook was required there, nothing was found")
    shipped = default_codebook()
    targets: dict[str, Target] = {}
    groups: dict[str, dict[str, str]] = {}
    for code, names in _codes(_xml(path.read_bytes(), path.name), ()):
        below = [child for child in code if _bare(child) == "Code"]
        named = [child.get("name") or "" for child in below]
        known = {name: _shipped_target(name, shipped) for name in (names[-1], *named)}
        are_targets = same_key(names[-1]) in _TARGETS or any(known[name] for name in named)
        own = known[names[-1]]
        for name in (*(named if are_targets else ()), *((names[-1],) if own else ())):
            everywhere = dict.fromkeys(LANGUAGES, (name,))
            targets[name] = known[name] or Target(name, name, aliases=everywhere)
        if not below and names[-1] not in targets:
            group = names[-2] if len(names) > 1 else _LOOSE
            group = _BELOW_TARGETS if group in targets else group
            groups.setdefault(group, {}).setdefault(names[-1], _description(code) or names[-1])
    if not groups:
        raise DataError(f"{path}: codes that are labels were required, it holds none")
    variables: dict[str, Variable] = {}
    for name, labels in groups.items():
        found = _variable(name, labels, shipped)
        if variables.setdefault(found.name, found) != found:
            raise DataError(f"{path}: variables of different names were required, two are {name!r}")
    return Codebook(path.stem, "1", tuple(targets.values()), tuple(variables.values()))


def codebook_of(source: Codebook | Path | str) -> Codebook:
    """The codebook itself, or the one in a .toml or .qdc file.

    Raises:
        DataError: a .qdc cannot be read.
        CodebookError: a .toml is malformed.
    """
    if isinstance(source, Codebook):
        return source
    path = Path(source)
    return read_qdc(path) if path.suffix.lower() == ".qdc" else read_codebook(path)


def _shipped_target(name: str, shipped: Codebook) -> Target | None:
    found = decode([("", name)], shipped, "refi-qda").target
    return next((target for target in shipped.targets if target.name == found), None)


def _variable(name: str, labels: Mapping[str, str], shipped: Codebook) -> Variable:
    for variable in shipped.variables:
        if {*map(same_key, labels)} <= {*map(same_key, variable.names)}:
            return variable
    own = tuple(Label(label, definition) for label, definition in labels.items())
    return Variable(name, "set", f"Codes below {name}.", own)
