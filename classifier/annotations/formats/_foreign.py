"""What every foreign format is read into, and how it becomes an annotation set."""

import codecs
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from classifier.annotations._table import Annotation, AnnotationSet, annotation_table
from classifier.annotations.formats._codes import Code, decode, table_text
from classifier.codebook import Codebook, read_codebook
from classifier.errors import ClassifierError, DataError
from classifier.files import sheet_rows, unpacked
from classifier.notebook_html import frame_html, reasons
from classifier.records import Article, Problem, Span
from classifier.text import RULES, MarkedSpan, OffsetRule, resolve_file, resolve_offsets

Found = Article | Annotation | Problem
"""What an importer yields, record by record."""

MAX_BYTES = 512 * 2**20
"""A larger file is refused: no annotation project reaches this, an attack may."""


@dataclass(frozen=True)
class Imported:
    """A foreign file as an annotation set, with everything that was repaired or refused."""

    annotation_set: AnnotationSet
    problems: tuple[Problem, ...]
    counts: Mapping[str, int]
    """Articles and annotations, other figures of the format, and problems by reason."""

    def to_frame(self) -> pd.DataFrame:
        """The annotations, a row each."""
        return self.annotation_set.to_frame()

    def __repr__(self) -> str:
        """What came in, and how much of it was repaired or refused."""
        return f"Imported {self.annotation_set!r}; {reasons(self.problems)}"

    def _repr_html_(self) -> str:
        named = ", ".join(f"{name}: {n}" for name, n in self.counts.items())
        return frame_html(self.to_frame().drop(columns=["unit"]), f"Imported {named};")


def shipped_codebook(name: str) -> Codebook:
    """The codebook of a published corpus, `classifier/formats/codebooks/<name>.toml`."""
    return read_codebook(Path(str(resources.files(__package__))) / "codebooks" / f"{name}.toml")


def imported(
    found: Iterable[Found], codebook: Codebook, counts: Mapping[str, int] | None = None
) -> Imported:
    """Put an import together and count it.

    A second row of one annotator on one mention is left out and listed.
    """
    articles: list[Article] = []
    annotations: dict[tuple[str, str], Annotation] = {}
    problems: list[Problem] = []
    for record in found:
        if isinstance(record, Article):
            articles.append(record)
        elif isinstance(record, Problem):
            problems.append(record)
        else:
            key = (record.unit, record.annotator)
            earlier = annotations.setdefault(key, record)
            if earlier is not record:
                problems.append(_repeat(record, earlier))
    table = annotation_table(annotations.values(), codebook)
    reasons = Counter(problem.reason for problem in problems)
    figures = {"articles": len(articles), "annotations": len(table), **(counts or {}), **reasons}
    return Imported(AnnotationSet(tuple(articles), table, codebook), tuple(problems), figures)


def _repeat(record: Annotation, earlier: Annotation) -> Problem:
    reason = "identical row, dropped" if record == earlier else "coded twice, first kept"
    detail = f"{record.annotator!r} coded this before as {dict(earlier.labels)}"
    return Problem(record.unit, reason, f"{detail}; left out: {dict(record.labels)}")


def text_id(text: str) -> str:
    """An id for an article that came without one; equal texts share it."""
    return f"text-{Article('-', text).sha256[:12]}"


def read_text(path: Path) -> str:
    """A UTF-8 file, plain, in gzip or alone in a zip, line ends untouched; a workbook as CSV.

    Raises `DataError` where it is not there, is too large, or is no UTF-8.
    """
    if not path.is_file():
        raise DataError(f"{path}: a file was required there, none was found")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path}: at most {MAX_BYTES} bytes are read, it has {path.stat().st_size}")
    if path.suffix.lower() == ".xlsx":
        return _sheet_text(path)
    content = unpacked(path, MAX_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_wide = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        found = "it is UTF-16" if is_wide else str(error)
        raise DataError(f"{path}: UTF-8 was required: {found}; save it so") from None


def _sheet_text(path: Path) -> str:
    rows = [row for _, row in sheet_rows(path)]
    columns = list(rows[0]) if rows else []
    return table_text(columns, ([_cell(row[name]) for name in columns] for row in rows))


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, bool) else value


def read_json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every line of a file that is not blank; a broken line is a problem."""
    yield from json_lines(read_text(path), path.name)


def json_lines(text: str, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every line that is not blank; a broken line is a problem."""
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield where, Problem(where, "broken JSON", str(error), "mend the line")
            continue
        if isinstance(record, dict):
            yield where, record
        else:
            yield where, Problem(where, "not an object", f"an object was required: {record!r:.80}")


UNNAMED = "unnamed"
"""The annotator of regions that a tool stored without one."""


@dataclass(frozen=True)
class Region:
    """A marked stretch with labels, offsets still as the tool counted them."""

    where: str
    key: str
    """Identifies the region for `Foreign.links`; unique in the file."""
    article_id: str
    annotator: str
    start: int
    end: int
    surface: str | None
    codes: tuple[Code, ...]
    comment: str | None = None
    speaker: str | None = None
    evidence: tuple[int, ...] | None = None
    """Start and end, counted as the region's are."""

    @property
    def stretch(self) -> tuple[str, str, int, int]:
        """Who marked which characters of what."""
        return self.article_id, self.annotator, self.start, self.end


class Link(NamedTuple):
    """Two regions that the annotator joined, by their keys, and what the relation is called."""

    first: str
    second: str
    label: str


@dataclass(frozen=True)
class Foreign:
    """A foreign file, read but not yet understood."""

    articles: tuple[Article, ...]
    regions: tuple[Region, ...]
    problems: tuple[Problem, ...] = ()
    links: tuple[Link, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)


Record = Article | Region | Problem | Link
"""What a document consists of."""


def gather(documents: Iterable[Iterable[Record]], counts: dict[str, int] | None = None) -> Foreign:
    """Put documents together.

    A document may come once per annotator; one with another text than before is refused.
    """
    articles: dict[str, Article] = {}
    found: list[Record] = []
    for number, document in enumerate(documents, 1):
        records = _listed(document, number)
        clash = _clash(records, articles)
        found += [clash] if clash else records
    return Foreign(
        tuple(articles.values()),
        tuple(record for record in found if isinstance(record, Region)),
        tuple(record for record in found if isinstance(record, Problem)),
        tuple(record for record in found if isinstance(record, Link)),
        counts or {},
    )


def _listed(document: Iterable[Record], number: int) -> list[Record]:
    """The document's records; a document that is not built as its format says is refused."""
    try:
        return list(document)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        is_ours = isinstance(error, ClassifierError)
        detail = str(error) if is_ours else f"{type(error).__name__}: {error}"
        return [Problem(f"document {number}", "document unreadable, refused", detail)]


def _clash(records: Iterable[Record], articles: dict[str, Article]) -> Problem | None:
    for article in (record for record in records if isinstance(record, Article)):
        if articles.setdefault(article.article_id, article).text != article.text:
            labels = [r for r in records if isinstance(r, Region)]
            place = labels[0].where if labels else article.article_id
            detail = f"{article.article_id!r} had another text before; {len(labels)} labels refused"
            return Problem(place, "texts differ between annotators, refused", detail)
    return None


@dataclass(frozen=True)
class Terms:
    """On what terms a foreign file is understood."""

    scheme: str
    """The format's name, under which labels of the codebook list their counterparts."""
    codebook: Codebook
    rules: Sequence[OffsetRule] = RULES
    """Ways of counting to try; the first is what the format promises."""
    is_one_file: bool = False
    """Whether all texts were counted alike, since one setting of the tool governs them."""


def understand(foreign: Foreign, terms: Terms) -> Imported:
    """Make an annotation set of a foreign file; what cannot be kept is a problem."""
    counts: Counter[str] = Counter(foreign.counts)
    merged = _merge(foreign, terms)
    place = {region.key: n for n, region in enumerate(merged)}
    resolved = list(_resolve(merged, foreign.articles, terms, counts))
    problems = [record for record in resolved if isinstance(record, Problem)]
    placed = [record for record in resolved if not isinstance(record, Problem)]
    found: list[Found] = [*foreign.articles, *foreign.problems, *_unnamed(foreign), *problems]
    for record in sorted(placed, key=lambda record: place[record[0].key]):
        found += _annotation(*record, terms)
    return imported(found, terms.codebook, counts)


def _unnamed(foreign: Foreign) -> Iterator[Problem]:
    regions = [region for region in foreign.regions if region.annotator == UNNAMED]
    if regions:
        detail = f"{len(regions)} labels without the name of a person or program: {UNNAMED!r}"
        yield Problem(regions[0].where, "no annotator, named unnamed", detail)


def _merge(foreign: Foreign, terms: Terms) -> list[Region]:
    """Give labels that were put on a region of their own to the region with the target.

    They belong to it by a relation that the annotator drew, or by standing on the same characters.
    """
    regions = {region.key: region for region in foreign.regions}
    bearers = _bearers(foreign.regions, terms)
    linked = {
        part: (whole, label)
        for first, second, label in foreign.links
        for part, whole in ((first, second), (second, first))
        if whole in bearers
    }
    at = {regions[key].stretch: key for key in reversed(bearers)}
    for key in [key for key in regions if key not in bearers]:
        owner, label = linked.get(key) or (at.get(regions[key].stretch), "")
        if owner is not None:
            part = regions.pop(key)
            is_label = bool(decode([("", label)], terms.codebook, terms.scheme).labels)
            codes = (*part.codes, ("", label)) if is_label else part.codes
            regions[owner] = _merged(regions[owner], replace(part, codes=codes))
    return list(regions.values())


def _bearers(regions: Sequence[Region], terms: Terms) -> dict[str, None]:
    """The regions that name a target; where any entity is one, also the first on its stretch."""
    named = {
        region.key: None
        for region in regions
        if decode(region.codes, terms.codebook, terms.scheme).target is not None
    }
    if terms.codebook.any_target:
        taken = {region.stretch for region in regions if region.key in named}
        for region in regions:
            if region.stretch not in taken:
                taken.add(region.stretch)
                named[region.key] = None
    return named


def _merged(whole: Region, part: Region) -> Region:
    is_apart = whole.stretch != part.stretch
    return replace(
        whole,
        codes=whole.codes + part.codes,
        comment="; ".join(c for c in (whole.comment, part.comment) if c) or None,
        speaker=whole.speaker or part.speaker,
        evidence=whole.evidence or ((part.start, part.end) if is_apart else None),
    )


_Resolved = tuple[Region, Span, Span | None, str]


def _resolve(
    regions: Iterable[Region],
    articles: Sequence[Article],
    terms: Terms,
    counts: Counter[str],
) -> Iterator[_Resolved | Problem]:
    """Region, its span, its evidence and its exact words, for every region that can be placed."""
    by_id = {article.article_id: article for article in articles}
    layers: dict[tuple[str, str], list[Region]] = defaultdict(list)
    for region in regions:
        unsound = _unsound(region)
        if unsound:
            yield Problem(region.where, "region malformed, refused", unsound)
        elif region.article_id not in by_id:
            detail = f"no article {region.article_id!r} was read"
            yield Problem(region.where, "region without article, refused", detail)
        else:
            layers[region.article_id, region.annotator].append(region)
    groups = [[layer] for layer in layers.values()]
    if terms.is_one_file:
        groups = [list(layers.values())]
    for group in groups:
        yield from _resolve_group(group, by_id, terms, counts)


def _unsound(region: Region) -> str:
    """What in a region is of the wrong type, since foreign files promise nothing."""
    offsets = (region.start, region.end, *(region.evidence or (0, 0)))
    if len(offsets) != 4 or not all(type(offset) is int for offset in offsets):
        return f"offsets must be whole numbers in pairs, got {offsets}"
    texts = (region.surface, region.comment, region.speaker)
    if not all(text is None or isinstance(text, str) for text in texts):
        return f"surface, comment and speaker must be text, got {texts}"
    return ""


def _resolve_group(
    group: list[list[Region]],
    by_id: Mapping[str, Article],
    terms: Terms,
    counts: Counter[str],
) -> Iterator[_Resolved | Problem]:
    """The regions of texts that were counted alike, each text by one annotator."""
    texts = [by_id[regions[0].article_id].text for regions in group]
    claims = [[MarkedSpan(r.start, r.end, r.surface) for r in regions] for regions in group]
    try:
        resolutions = resolve_file(list(zip(texts, claims, strict=True)), terms.rules)
    except DataError as error:
        for region in (region for regions in group for region in regions):
            detail = f"{region.start}-{region.end} {region.surface!r}: {error}"
            yield Problem(region.where, "offsets fit no counting, refused", detail)
        return
    for regions, text, (rule, spans) in zip(group, texts, resolutions, strict=True):
        counts[f"texts counted by {rule}"] += 1
        if rule != terms.rules[0]:
            detail = f"{regions[0].article_id}: {rule}; promised was {terms.rules[0]}"
            yield Problem(regions[0].where, "offsets counted otherwise, repaired", detail)
        for region, span in zip(regions, spans, strict=True):
            evidence = _evidence(region, text, rule)
            if isinstance(evidence, Problem):
                yield evidence
                evidence = None
            yield region, span, evidence, span.of(text)


def _evidence(region: Region, text: str, rule: OffsetRule) -> Span | Problem | None:
    if region.evidence is None:
        return None
    try:
        return resolve_offsets(
            text, [MarkedSpan(region.evidence[0], region.evidence[1], None)], [rule]
        ).spans[0]
    except DataError as error:
        return Problem(region.where, "evidence outside the text, left out", str(error))


def _annotation(
    region: Region, span: Span, evidence: Span | None, surface: str, terms: Terms
) -> Iterator[Found]:
    decoded = decode(region.codes, terms.codebook, terms.scheme)
    if not surface.strip():
        detail = f"{span.start}-{span.end} is {surface!r}"
        yield Problem(region.where, "span of white space, refused", detail)
        return
    target = decoded.target or (surface if terms.codebook.any_target else None)
    if target is None:
        known = ", ".join(terms.codebook.target_names)
        detail = f"{surface!r} with {list(region.codes)}; the codebook has the targets {known}"
        yield Problem(region.where, "no target of the codebook, refused", detail)
        return
    for name, value in decoded.unknown:
        detail = f"{name or 'label'} {value!r} at {surface!r}; the mention was kept"
        remedy = "add a counterpart to the codebook"
        yield Problem(region.where, "label not in the codebook, left out", detail, remedy)
    yield Annotation(
        article_id=region.article_id,
        span=span,
        target=target,
        surface=surface,
        annotator=region.annotator,
        labels=decoded.labels,
        not_target=decoded.not_target,
        comment=region.comment,
        speaker=region.speaker,
        evidence=evidence,
    )
