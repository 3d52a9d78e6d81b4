"""From what a foreign tool stored to an annotation set: offsets resolved, labels in our words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from classifier.annotations import Annotation
from classifier.codebook import Codebook
from classifier.errors import DataError
from classifier.formats.codes import Code, decode
from classifier.formats.imported import Found, Imported, imported
from classifier.offsets import RULES, Claim, OffsetRule, resolve_offsets
from classifier.records import Article, Problem, Span


@dataclass(frozen=True)
class Region:
    """A marked stretch with labels, offsets still as the tool counted them."""

    where: str
    key: str
    """Identifies the region for `Foreign.links`, within its article and annotator."""
    article_id: str
    annotator: str
    start: int
    end: int
    surface: str | None
    codes: tuple[Code, ...]
    comment: str | None = None
    speaker: str | None = None
    evidence: tuple[int, int] | None = None

    @property
    def layer(self) -> tuple[str, str]:
        """Article and annotator: regions of one layer may speak of each other."""
        return self.article_id, self.annotator


@dataclass(frozen=True)
class Foreign:
    """A foreign file, read but not yet understood."""

    articles: tuple[Article, ...]
    regions: tuple[Region, ...]
    problems: tuple[Problem, ...] = ()
    links: tuple[tuple[tuple[str, str], str, str], ...] = ()
    """Layer and the keys of two regions that the annotator joined."""
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """How to understand a foreign file."""

    scheme: str
    """The format's name, under which labels of the codebook list their counterparts."""
    codebook: Codebook
    rules: Sequence[OffsetRule] = RULES
    """Ways of counting to try; the first is what the format promises."""


def understand(foreign: Foreign, reading: Reading) -> Imported:
    """Make an annotation set of a foreign file; what cannot be kept is a problem."""
    problems = list(foreign.problems)
    counts: Counter[str] = Counter(foreign.counts)
    merged = _merge(foreign, reading)
    resolved = list(_resolve(merged, foreign.articles, reading, counts))
    found: list[Found] = [*foreign.articles, *problems]
    for record in resolved:
        if isinstance(record, Problem):
            found.append(record)
        else:
            found += _annotation(*record, reading)
    return imported(found, reading.codebook, counts)


_Place = tuple[tuple[str, str], str]


def _merge(foreign: Foreign, reading: Reading) -> list[Region]:
    """Give labels that were put on a region of their own to the region with the target.

    They belong to it by a relation that the annotator drew, or by standing on the same characters.
    """
    regions: dict[_Place, Region] = {(r.layer, r.key): r for r in foreign.regions}
    bearers = _bearers(regions, reading)
    linked = {
        (layer, part): (layer, whole)
        for layer, *pair in foreign.links
        for part, whole in (pair, reversed(pair))
        if (layer, whole) in bearers and (layer, part) in regions
    }
    at = {_stretch(regions[place]): place for place in reversed(bearers)}
    for place in [place for place in regions if place not in bearers]:
        owner = linked.get(place) or at.get(_stretch(regions[place]))
        if owner is not None:
            regions[owner] = _joined(regions[owner], regions[place])
            del regions[place]
    return list(regions.values())


def _bearers(regions: dict[_Place, Region], reading: Reading) -> dict[_Place, None]:
    """The regions that name a target; where any entity is one, also the first on its stretch."""
    named = {
        place: None
        for place, region in regions.items()
        if decode(region.codes, reading.codebook, reading.scheme).target is not None
    }
    if reading.codebook.any_target:
        taken = {_stretch(regions[place]) for place in named}
        for place, region in regions.items():
            if _stretch(region) not in taken:
                taken.add(_stretch(region))
                named[place] = None
    return named


def _stretch(region: Region) -> tuple[object, ...]:
    return region.layer, region.start, region.end


def _joined(whole: Region, part: Region) -> Region:
    is_apart = _stretch(whole) != _stretch(part)
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
    reading: Reading,
    counts: Counter[str],
) -> Iterator[_Resolved | Problem]:
    """Region, its span, its evidence and its exact words, for every region that can be placed."""
    by_id = {article.article_id: article for article in articles}
    by_article: dict[str, list[Region]] = defaultdict(list)
    for region in regions:
        if region.article_id in by_id:
            by_article[region.article_id].append(region)
        else:
            detail = f"no article {region.article_id!r} was read"
            yield Problem(region.where, "region without article, refused", detail)
    for article_id, group in by_article.items():
        text = by_id[article_id].text
        claims = [Claim(r.start, r.end, r.surface) for r in group]
        extra = [Claim(*r.evidence, None) for r in group if r.evidence]
        try:
            rule, spans = resolve_offsets(text, claims, reading.rules)
            evidence = iter(resolve_offsets(text, extra, [rule]).spans)
        except DataError as error:
            for region in group:
                detail = f"{region.start}-{region.end} {region.surface!r}: {error}"
                yield Problem(region.where, "offsets fit no counting, refused", detail)
            continue
        counts[f"articles counted by {rule}"] += 1
        if rule != reading.rules[0]:
            detail = f"{article_id}: {rule}, where {reading.rules[0]} was promised"
            yield Problem(group[0].where, "offsets counted otherwise, repaired", detail)
        for region, span in zip(group, spans, strict=True):
            yield region, span, next(evidence) if region.evidence else None, span.of(text)


def _annotation(
    region: Region, span: Span, evidence: Span | None, surface: str, reading: Reading
) -> Iterator[Found]:
    decoded = decode(region.codes, reading.codebook, reading.scheme)
    target = decoded.target or (surface if reading.codebook.any_target else None)
    if target is None:
        known = ", ".join(reading.codebook.target_names)
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
