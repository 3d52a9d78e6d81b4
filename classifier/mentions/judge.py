"""From forms of a lexicon to decisions: each form found, and the rule against it, if any."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from classifier.mentions.lexicon import Entry
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
from classifier.records import Article, MentionKind, Span, Zone
from classifier.text import match_view

_LONGEST_EXCLUSION = 120
_OTHER_LANGUAGE = "another language"


class Judged(NamedTuple):
    """A form that was found, and the rule by which it is no mention; None if it is one."""

    span: Span
    entry: Entry
    kind: MentionKind
    language: str
    rule: Rule | None


def judge(
    article: Article, zones: Sequence[Zone], matcher: Matcher, *, historical: bool
) -> Iterator[Judged]:
    """Decide on every form of the lexicon in an article, in the order of its text."""
    for stretch in _stretches(article, zones, historical):
        string = stretch.view.string
        hits = list(matcher.hits(string, stretch.start, stretch.end))
        near = windows(string, hits, stretch.start, stretch.end)
        blocked = matcher.blocked(string, near)
        starts = [one.start for one in blocked]
        for hit in hits:
            rule = _exclusion(hit, blocked, starts, stretch)
            yield _judged(hit, rule, stretch, matcher)


def _stretches(article: Article, zones: Sequence[Zone], historical: bool) -> Iterator[Stretch]:
    view = match_view(article.text, None)
    # Turkish readers tell the two letters apart, and capitals set without care do not.
    view = replace(view, string=view.string.replace("ı", "i"))
    for language, group in groupby(zones, key=lambda zone: zone.language):
        members = list(group)
        starts = tuple(view.index(zone.span.start) for zone in members)
        end = view.index(members[-1].span.end)
        yield Stretch(view, starts[0], end, language, starts, article.date, historical)


def _judged(hit: Hit, rule: Rule | None, stretch: Stretch, matcher: Matcher) -> Judged:
    entry = choose(hit, stretch, matcher.lexicon)
    if entry is None:
        entry, rule = hit.entries[0], rule or _OTHER_LANGUAGE
    rule = rule or refusal(hit, entry, stretch, matcher.lexicon)
    start = hit.start if rule else mention_start(hit, entry, stretch)
    return Judged(
        span=Span(*stretch.view.source(start, hit.end)),
        entry=entry,
        kind=kind_of(hit, entry, stretch.view.string),
        language=_language(hit, entry, stretch),
        rule=rule,
    )


def _language(hit: Hit, entry: Entry, stretch: Stretch) -> str:
    """The stretch's language, or the entry's where a word of another one stands in it."""
    is_known = any(other.language == stretch.language for other in hit.entries)
    return stretch.language if is_known else entry.language


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
