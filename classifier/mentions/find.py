"""Where an article names a target, in whose voice, and by which entry of which lexicon."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from classifier.codebook import Codebook, Target
from classifier.languages import document_language
from classifier.mentions.lexicon import Entry, build_lexicon
from classifier.mentions.matcher import Blocked, Hit, Matcher, windows
from classifier.mentions.rules import (
    Rule,
    Stretch,
    choose,
    exclusion_at,
    kind_of,
    mention_start,
    refusal,
)
from classifier.records import Article, Mention, Span, Zone
from classifier.text import match_view

_LONGEST_EXCLUSION = 120
_TargetKey = tuple[str, str, str | None, tuple[tuple[str, tuple[str, ...]], ...], int]


@dataclass(frozen=True, slots=True)
class Excluded:
    """A form of a target's lexicon that was found and, by a named rule, is no mention."""

    span: Span
    target: str
    surface: str
    rule: Rule
    entry: str
    """The lexicon entry whose form it is, "language/target/entry"."""


@dataclass(frozen=True, slots=True)
class MentionsReport:
    """What was found in an article, and what was not and why."""

    article_id: str
    mentions: tuple[Mention, ...]
    excluded: tuple[Excluded, ...]
    candidates: tuple[Span, ...]
    """Words that look like a form of a target and are in no lexicon: read them to mend one."""
    lexicon_version: str


class _Judged(NamedTuple):
    hit: Hit
    entry: Entry
    start: int
    rule: Rule | None
    stretch: Stretch


def find_mentions(
    article: Article, codebook: Codebook, *, historical: bool = False
) -> list[Mention]:
    """Every mention of the codebook's targets, in the order of the text, none overlapping.

    `historical` also counts the states that came before: the Soviet Union, the Ottoman Empire.
    """
    matcher = _matcher(codebook.targets)
    zones = _zones(article)
    judged = _judge(article, zones, matcher, historical)
    return _mentions(article, codebook, zones, judged, matcher)


def explain_mentions(
    article: Article, codebook: Codebook, *, historical: bool = False
) -> MentionsReport:
    """The same mentions, with what was excluded, by which rule, and what may have been missed."""
    matcher = _matcher(codebook.targets)
    zones = _zones(article)
    judged = list(_judge(article, zones, matcher, historical))
    mentions = _mentions(article, codebook, zones, judged, matcher)
    excluded = tuple(_excluded(article, one) for one in judged if one.rule)
    known = [*(m.span for m in mentions), *(e.span for e in excluded)]
    return MentionsReport(
        article.article_id,
        tuple(mentions),
        excluded,
        tuple(_candidates(article, matcher, known)),
        matcher.lexicon.version,
    )


def _zones(article: Article) -> list[Zone]:
    language = article.language or document_language(article.text)
    return [Zone(Span(0, len(article.text)), "body", language)] if article.text else []


def _matcher(targets: Sequence[Target]) -> Matcher:
    return _cached_matcher(
        tuple(
            (t.name, t.title, t.lexicon, tuple(sorted(t.aliases.items())), _stamp(t))
            for t in targets
        )
    )


@lru_cache(maxsize=16)
def _cached_matcher(key: tuple[_TargetKey, ...]) -> Matcher:
    targets = (
        Target(name, title, lexicon, dict(aliases)) for name, title, lexicon, aliases, _ in key
    )
    return Matcher(build_lexicon(targets))


def _stamp(target: Target) -> int:
    """When a target's own lexicon was last written, so that a mended one is read again."""
    if target.lexicon is None or not target.lexicon.endswith(".toml"):
        return 0
    path = Path(target.lexicon)
    return path.stat().st_mtime_ns if path.exists() else 0


def _stretches(article: Article, zones: Sequence[Zone], historical: bool) -> Iterator[Stretch]:
    view = match_view(article.text, None)
    # Turkish readers tell the two letters apart, and capitals set without care do not.
    view = replace(view, string=view.string.replace("ı", "i"))
    for language, group in groupby(zones, key=lambda zone: zone.language):
        members = list(group)
        starts = tuple(view.index(zone.span.start) for zone in members)
        end = view.index(members[-1].span.end)
        yield Stretch(view, starts[0], end, language, starts, article.date, historical)


def _judge(
    article: Article, zones: Sequence[Zone], matcher: Matcher, historical: bool
) -> Iterator[_Judged]:
    for stretch in _stretches(article, zones, historical):
        string = stretch.view.string
        hits = list(matcher.hits(string, stretch.start, stretch.end))
        close = windows(string, hits, stretch.start, stretch.end)
        blocked = list(matcher.blocked(string, close))
        starts = [one.start for one in blocked]
        for hit in hits:
            entry = choose(hit, stretch, matcher.lexicon)
            if entry is None:
                yield _Judged(hit, hit.entries[0], hit.start, "another language", stretch)
                continue
            start = mention_start(hit, entry, stretch)
            rule = _exclusion(hit, blocked, starts, stretch)
            rule = rule or refusal(hit, entry, stretch, matcher.lexicon)
            yield _Judged(hit, entry, start, rule, stretch)


def _exclusion(
    hit: Hit, blocked: Sequence[Blocked], starts: Sequence[int], stretch: Stretch
) -> Rule | None:
    index = bisect_left(starts, hit.end) - 1
    while index >= 0 and starts[index] > hit.start - _LONGEST_EXCLUSION:
        exclusion = exclusion_at(hit, blocked[index], stretch)
        if exclusion is not None:
            return exclusion.rule
        index -= 1
    return None


def _mentions(
    article: Article,
    codebook: Codebook,
    zones: Sequence[Zone],
    judged: Iterable[_Judged],
    matcher: Matcher,
) -> list[Mention]:
    voice = _author_voice(codebook)
    zone_starts = [zone.span.start for zone in zones]
    mentions = []
    for one in judged:
        if one.rule:
            continue
        span = one.stretch.view.span(one.start, one.hit.end)
        zone = zones[bisect_right(zone_starts, span.start) - 1]
        mentions.append(
            Mention(
                span=span,
                target=one.entry.target,
                surface=span.of(article.text),
                kind=kind_of(one.hit, one.entry, one.stretch.view.string),
                zone=zone.kind,
                language=_language(one),
                voice=voice,
                entry=one.entry.path,
                lexicon_version=matcher.lexicon.version,
            )
        )
    return mentions


def _language(one: _Judged) -> str:
    """The stretch's language, or the entry's where a word of another one stands in it."""
    is_known = any(entry.language == one.stretch.language for entry in one.hit.entries)
    return one.stretch.language if is_known else one.entry.language


def _author_voice(codebook: Codebook) -> str:
    if not codebook.has_variable("voice"):
        return ""
    return codebook.variable("voice").counterpart("rules", "rest")


def _excluded(article: Article, one: _Judged) -> Excluded:
    span = one.stretch.view.span(one.hit.start, one.hit.end)
    surface = span.of(article.text)
    return Excluded(span, one.entry.target, surface, one.rule or "", one.entry.path)


def _candidates(article: Article, matcher: Matcher, known: Sequence[Span]) -> Iterator[Span]:
    taken = sorted(known)
    view = match_view(article.text, None)
    starts = [span.start for span in taken]
    for start, end in matcher.lookalikes(view.string.replace("ı", "i")):
        span = view.span(start, end)
        near = bisect_left(starts, span.end) - 1
        if near < 0 or not taken[near].overlaps(span):
            yield span
