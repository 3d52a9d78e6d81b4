"""How what was read of a foreign file becomes an annotation set."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import NoneType

from classifier.annotations._table import CURATED, Annotation
from classifier.annotations.formats._codes import (
    NOT_TARGET,
    TARGET,
    Code,
)
from classifier.annotations.formats._fields import Terms, with_own_fields
from classifier.annotations.formats._foreign import (
    LOOKS_LIKE_LABELS,
    UNNAMED,
    Foreign,
    Found,
    Imported,
    LeftOut,
    Region,
    imported,
    is_newer,
)
from classifier.errors import DataError
from classifier.records import Article, Problem, Span
from classifier.text import (
    MarkedSpan,
    OffsetRule,
    Resolution,
    resolve_file,
    resolve_offsets,
)

NOT_IN_CODEBOOK = "label not in the codebook, left out"
_TARGET_FOR_LABEL = "target where a label is asked, left out"
_LABEL_FOR_TARGET = "label where a target is asked, left out"
WITHOUT_LABEL = frozenset(
    [NOT_IN_CODEBOOK, _TARGET_FOR_LABEL, _LABEL_FOR_TARGET, LOOKS_LIKE_LABELS]
)
"""Reasons that leave a mention without the label that somebody gave it."""


def understand(foreign: Foreign, terms: Terms) -> Imported:
    """Make an annotation set of a foreign file; what cannot be kept is a problem."""
    counts: Counter[str] = Counter(foreign.counts)
    for name, (n, unchanged) in foreign.suggested.items():
        counts[f"labels suggested to {name}"] = n
        counts[f"suggestions left unchanged by {name}"] = unchanged
    foreign = replace(foreign, regions=tuple(_with_own_keys(foreign.regions)))
    foreign = with_own_fields(foreign, terms)
    merged = _merge(foreign, terms)
    place = {region.key: n for n, region in enumerate(merged)}
    resolved = list(_resolve(merged, foreign.articles, terms, counts))
    problems = [record for record in resolved if isinstance(record, Problem)]
    placed = [record for record in resolved if not isinstance(record, Problem)]
    found: list[Found] = [*foreign.articles, *foreign.problems, *_remarks(foreign), *problems]
    dated: list[tuple[Annotation, Region]] = []
    for record in sorted(placed, key=lambda record: place[record[0].key]):
        for one in _annotation(*record, terms):
            if isinstance(one, Annotation):
                dated.append((one, record[0]))
            else:
                found.append(one)
    found += _newest(dated)
    return imported(found, terms.codebook, counts, foreign.suggested)


def _newest(dated: Iterable[tuple[Annotation, Region]]) -> Iterator[Found]:
    """Each mention once per annotator: as it was coded last; what that replaces is listed."""
    kept: dict[tuple[str, str], tuple[Annotation, Region]] = {}
    for later in dated:
        key = (later[0].unit, later[0].annotator)
        first = kept.setdefault(key, later)
        if first is later:
            continue
        out, kept[key] = first, later
        if is_newer(first[1].made, later[1].made):
            out, kept[key] = later, first
        yield _repeat(*out, kept[key][0])
    yield from (annotation for annotation, _ in kept.values())


def _repeat(out: Annotation, region: Region, kept: Annotation) -> Problem:
    if out == kept:
        detail = f"{out.unit} by {out.annotator!r}"
        return LeftOut(region.where, "identical row, dropped", detail, is_meant=True)
    detail = f"{out.unit} by {out.annotator!r}: {dict(kept.labels)} instead of {dict(out.labels)}"
    remedy = "keep one row in the export"
    is_meant = region.made is not None
    return LeftOut(region.where, "coded twice, last kept", detail, remedy, is_meant=is_meant)


def _with_own_keys(regions: Iterable[Region]) -> Iterator[Region]:
    """Each region under a key of its own, where a tool gave several the same."""
    times: Counter[str] = Counter()
    for region in regions:
        times[region.key] += 1
        n = times[region.key]
        yield region if n == 1 else replace(region, key=f"{region.key} number {n}")


def _remarks(foreign: Foreign) -> Iterator[Problem]:
    """What a reader should know of those who labelled."""
    curated = [region for region in foreign.regions if region.annotator == CURATED]
    if curated:
        detail = f"{len(curated)} labels are gold, used first and outside every agreement figure"
        yield Problem(curated[0].where, "curated labels, read as gold", detail)
    yield from _alike(foreign)
    yield from _twice(foreign.articles)
    yield from _unnamed(foreign)


def _alike(foreign: Foreign) -> Iterator[Problem]:
    """Annotators whose names differ by form only: by case, blanks or the notation of a number."""
    first: dict[str, str] = {}
    for region in foreign.regions:
        first.setdefault(region.annotator, region.where)
    forms: dict[str, dict[str, str]] = defaultdict(dict)
    for name, where in first.items():
        forms[_form(name)][name] = where
    for names in (names for names in forms.values() if len(names) > 1):
        detail = f"{', '.join(map(repr, sorted(names)))} are read as {len(names)} annotators"
        remedy = "give each person one name in the export"
        yield Problem(next(iter(names.values())), "annotators differ by form only", detail, remedy)


def _twice(articles: Iterable[Article]) -> Iterator[Problem]:
    """Equal texts under several ids: those who coded them would never meet."""
    names: dict[str, list[str]] = defaultdict(list)
    for article in articles:
        names[article.sha256].append(article.article_id)
    for same in (ids for ids in names.values() if len(ids) > 1):
        detail = f"{', '.join(map(repr, same))} have the same text; labels of one miss the others"
        yield Problem(same[0], "one text under several ids", detail, "give it one id, if it is one")


def _form(name: str) -> str:
    plain = name.strip().casefold().partition("@")[0]
    number = re.fullmatch(r"0*(\d+)(?:\.0*)?", plain)
    return number[1] if number else plain


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
    parts = [key for key in regions if key not in bearers]
    if not parts:
        return list(foreign.regions)
    linked = {
        part: (whole, label)
        for first, second, label in foreign.links
        for part, whole in ((first, second), (second, first))
        if whole in bearers
    }
    at = {regions[key].stretch: key for key in reversed(bearers)}
    for key in parts:
        owner, label = linked.get(key) or (at.get(regions[key].stretch), "")
        if owner is not None:
            part = regions.pop(key)
            is_label = bool(terms.decoded((("", label),)).labels)
            codes = (*part.codes, ("", label)) if is_label else part.codes
            regions[owner] = _merged(regions[owner], replace(part, codes=codes))
    return list(regions.values())


def _bearers(regions: Sequence[Region], terms: Terms) -> dict[str, None]:
    """The regions that name a target; where any entity is one, also the first on its stretch."""
    named = {
        region.key: None for region in regions if terms.decoded(region.codes).target is not None
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
    is_inclusive = any(rule.is_inclusive for rule in terms.rules)
    for region in regions:
        unsound = _unsound(region)
        if not unsound and region.end < region.start + (not is_inclusive):
            detail = f"{region.start}-{region.end} with {[v for _, v in region.codes]}"
            n = int(terms.decoded(region.codes).says_something)
            yield LeftOut(region.where, "span without characters, set aside", detail, labels=n)
        elif unsound:
            yield LeftOut(region.where, "region malformed, refused", unsound)
        elif region.article_id not in by_id:
            detail = f"no article {region.article_id!r} was read"
            yield LeftOut(region.where, "region without article, refused", detail)
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
    if len(offsets) != 4 or {*map(type, offsets)} != {int}:
        return f"offsets must be whole numbers in pairs, got {offsets}"
    texts = (region.surface, region.comment, region.speaker)
    if not {*map(type, texts)} <= {str, NoneType}:
        return f"surface, comment and speaker must be text, got {texts}"
    return ""


def _resolve_group(
    group: list[list[Region]],
    by_id: Mapping[str, Article],
    terms: Terms,
    counts: Counter[str],
) -> Iterator[_Resolved | Problem]:
    """The regions of texts that were counted alike, each text by one annotator."""
    whole = group
    try:
        resolutions = _resolutions(group, by_id, terms)
    except DataError as error:
        # one odd span must not cost the labels beside it
        group, resolutions = _fitting(group, by_id, terms)
        kept = {id(region) for regions in group for region in regions}
        for region in (r for regions in whole for r in regions if id(r) not in kept):
            detail = f"{region.start}-{region.end} {region.surface!r}: {error}"
            yield LeftOut(region.where, "offsets fit no counting, refused", detail)
    texts = [by_id[regions[0].article_id].text for regions in group]
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
            trimmed = _trimmed(span, text)
            if trimmed != span:
                detail = f"{span.of(text)!r} became {trimmed.of(text)!r}"
                yield Problem(region.where, "blanks at the edge, trimmed", detail)
            yield region, trimmed, evidence, trimmed.of(text)


# a byte order mark and a space without width are no white space to Python
_INNER = re.compile(r"[^\s\u200b\ufeff](?:.*[^\s\u200b\ufeff])?", re.S)


def _trimmed(span: Span, text: str) -> Span:
    """The span without blanks at its edges; as it is where it holds nothing else."""
    if text[span.start].isalnum() and text[span.end - 1].isalnum():
        return span
    inner = _INNER.search(span.of(text))
    return Span(span.start + inner.start(), span.start + inner.end()) if inner else span


def _resolutions(
    group: list[list[Region]], by_id: Mapping[str, Article], terms: Terms
) -> tuple[Resolution, ...]:
    claims = [[MarkedSpan(r.start, r.end, r.surface) for r in regions] for regions in group]
    texts = [by_id[regions[0].article_id].text for regions in group]
    return resolve_file(list(zip(texts, claims, strict=True)), terms.rules)


def _fitting(
    group: list[list[Region]], by_id: Mapping[str, Article], terms: Terms
) -> tuple[list[list[Region]], tuple[Resolution, ...]]:
    """The regions that one way of counting fits and their places, where at least half do."""
    best: list[list[Region]] = []
    for rule in terms.rules:
        fits = [
            [region for region in regions if _fits(region, by_id[region.article_id].text, rule)]
            for regions in group
        ]
        if sum(map(len, fits)) > sum(map(len, best)):
            best = [regions for regions in fits if regions]
    if not best or 2 * sum(map(len, best)) < sum(map(len, group)):
        return [], ()
    try:
        return best, _resolutions(best, by_id, terms)
    except DataError:
        return [], ()


def _fits(region: Region, text: str, rule: OffsetRule) -> bool:
    try:
        resolve_offsets(text, [MarkedSpan(region.start, region.end, region.surface)], [rule])
    except DataError:
        return False
    return True


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
    decoded = terms.decoded(region.codes)
    if not surface.strip():
        detail = f"{span.start}-{span.end} is {surface!r}"
        yield LeftOut(region.where, "span of white space, refused", detail)
        return
    target = decoded.target or (surface if terms.codebook.any_target else None)
    if target is None:
        known = ", ".join(terms.codebook.target_names)
        detail = f"{surface!r} with {list(region.codes)}; the codebook has the targets {known}"
        remedy = next((_why(code, terms)[1] for code in decoded.unknown), "")
        yield LeftOut(region.where, "no target of the codebook, refused", detail, remedy)
        return
    for code in decoded.unknown:
        reason, remedy = _why(code, terms)
        detail = f"{code[0] or 'label'} {code[1]!r} at {surface!r}; the mention was kept"
        yield LeftOut(region.where, reason, detail, remedy)
    first = Annotation(
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
    yield first
    yield from (replace(first, target=other) for other in decoded.others)


def _why(code: Code, terms: Terms) -> tuple[str, str]:
    """Why a label was left out, and what to do about it."""
    field, value = code
    codebook = terms.codebook
    alone = terms.decoded((("", value),))
    asked = next((v for v in codebook.variables if v.name == field), None)
    if asked and value in asked.names:
        reason = f"second label of {field}, left out"
        return reason, f"{field} takes one label: keep one of them in the tool"
    if alone.target and field not in ("", TARGET):
        return _TARGET_FOR_LABEL, f"{value!r} is a target of the codebook: put it into {TARGET}"
    if field == TARGET and (alone.labels or alone.not_target):
        holder = next(iter(alone.labels), NOT_TARGET)
        return _LABEL_FOR_TARGET, f"{value!r} is a label of {holder}"
    reason = NOT_IN_CODEBOOK
    if value.isdecimal():
        return reason, "labels came as numbers: export their names, or list the numbers"
    return reason, _elsewhere(value, terms) or "add a counterpart to the codebook"


def _elsewhere(value: str, terms: Terms) -> str:
    """Where the codebook has the label as a counterpart of another scheme, if it has."""
    for variable in terms.codebook.variables:
        for label in variable.labels:
            schemes = [s for s, words in label.counterparts.items() if value in words]
            if schemes:
                other = f"it is a counterpart of {label.name!r} under {schemes[0]!r}"
                return f"{other}: list it under {terms.scheme!r} too"
    return ""
