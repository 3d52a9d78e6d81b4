"""Where an article names a target, in whose voice, and by which entry of which lexicon."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from classifier.codebook import Codebook, Target
from classifier.mentions.judge import Judged, judge
from classifier.mentions.matcher import Matcher
from classifier.mentions.rules import Rule
from classifier.mentions.surroundings import Surroundings
from classifier.mentions.tables import build_lexicon
from classifier.records import Article, Mention, Span, counted
from classifier.showing import frame_html
from classifier.text import match_view

if TYPE_CHECKING:
    import pandas as pd

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

    def to_frame(self) -> "pd.DataFrame":
        """One row per form found, in the order of the text; `rule` says why it is no mention."""
        import pandas as pd

        names = ("surface", "target", "kind", "voice", "zone", "speaker", "rule", "entry")
        found: list[Mention | Excluded] = [*self.mentions, *self.excluded]
        rows = [
            {"start": one.span.start, "end": one.span.end}
            | {name: getattr(one, name, None) for name in names}
            for one in sorted(found, key=lambda one: one.span)
        ]
        frame = pd.DataFrame(rows, columns=["start", "end", *names], dtype="object")
        return frame.astype({"start": "int64", "end": "int64"})

    def __repr__(self) -> str:
        """How much was found and how much excluded; the frame has it."""
        return (
            f"Article {self.article_id!r}: {counted(len(self.mentions), 'mention')}, "
            f"{len(self.excluded)} excluded, {len(self.candidates)} to look at"
        )

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), repr(self))


def find_mentions(
    article: Article, codebook: Codebook, *, historical: bool = False
) -> list[Mention]:
    """Every mention of the codebook's targets, in the order of the text, none overlapping.

    Leaders count while in office at the article's date, or where it is unknown if they were in
    office on a day since 2014 (`rules.UNDATED_SINCE`). `historical` also counts the states that
    came before: the Soviet Union, the Ottoman Empire. A mention's voice is "" where the codebook
    does not ask for it.
    """
    matcher = matcher_of(codebook)
    around = Surroundings(article, codebook)
    judged = judge(article, around.zones, matcher, historical=historical)
    return list(_mentions(around, judged, matcher.lexicon.version))


def explain_mentions(
    article: Article, codebook: Codebook, *, historical: bool = False
) -> MentionsReport:
    """The same mentions, with what was excluded, by which rule, and what may have been missed."""
    matcher = matcher_of(codebook)
    version = matcher.lexicon.version
    around = Surroundings(article, codebook)
    judged = list(judge(article, around.zones, matcher, historical=historical))
    return MentionsReport(
        article_id=article.article_id,
        mentions=tuple(_mentions(around, judged, version)),
        excluded=tuple(_excluded(article, judged)),
        candidates=tuple(_candidates(article, matcher, [one.span for one in judged])),
        lexicon_version=version,
    )


def matcher_of(codebook: Codebook) -> Matcher:
    """The codebook's lexicon made ready for search; built once for each set of targets."""
    return _cached_matcher(
        tuple(
            (t.name, t.title, t.lexicon, tuple(sorted(t.aliases.items())), _stamp(t))
            for t in codebook.targets
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


def _mentions(around: Surroundings, judged: Iterable[Judged], version: str) -> Iterator[Mention]:
    for one in judged:
        if one.rule is None:
            yield around.mention(
                one.span,
                one.entry.target,
                one.language,
                kind=one.kind,
                entry=one.entry.path,
                lexicon_version=version,
            )


def _excluded(article: Article, judged: Iterable[Judged]) -> Iterator[Excluded]:
    for one in judged:
        if one.rule:
            surface = one.span.of(article.text)
            yield Excluded(one.span, one.entry.target, surface, one.rule, one.entry.path)


def _candidates(article: Article, matcher: Matcher, judged: Sequence[Span]) -> Iterator[Span]:
    view = match_view(article.text, None)
    starts = [span.start for span in judged]
    for start, end in matcher.lookalikes(view.string.replace("ı", "i")):
        span = Span(*view.source(start, end))
        before = bisect_left(starts, span.end) - 1
        if before < 0 or not judged[before].overlaps(span):
            yield span
