"""From forms of a lexicon to decisions: each form found, and the rule against it, if any."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from classifier.mentions.lexicon import Entry
from classifier.mentions.matcher import Hit, Matcher
from classifier.mentions.rules import (
    LANGUAGE,
    Rule,
    Stretch,
    carries_over,
    choose,
    exclusion_rule,
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
        hits = list(matcher.hits(stretch.view.string, stretch.start, stretch.end))
        shadows = _Shadows(hits, stretch, matcher)
        language_name: Hit | None = None
        for hit in hits:
            rule = shadows.over(hit)
            if language_name and carries_over(language_name, hit, stretch, matcher.lexicon):
                rule = rule or LANGUAGE
            language_name = hit if rule == LANGUAGE else None
            yield _judged(hit, rule, stretch, matcher)


class _Shadows:
    """Where the exclusions of a stretch hold, and the rule of the one that covers a hit."""

    def __init__(self, hits: Sequence[Hit], stretch: Stretch, matcher: Matcher) -> None:
        string = stretch.view.string
        self._blocked = matcher.blocked(string, hits, stretch.start, stretch.end)
        self._rules = [exclusion_rule(one, stretch, matcher.lexicon) for one in self._blocked]
        self._starts = [one.start for one in self._blocked]

    def over(self, hit: Hit) -> Rule | None:
        """The rule of an exclusion that covers part of the hit and is no shorter; None if none."""
        index = bisect_left(self._starts, hit.end) - 1
        while index >= 0 and self._starts[index] > hit.start - _LONGEST_EXCLUSION:
            start, end, _ = self._blocked[index]
            if self._rules[index] and end > hit.start and end - start >= hit.end - hit.start:
                return self._rules[index]
            index -= 1
        return None


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
