"""Where an article names a target, in whose voice, and by which entry of which lexicon."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from classifier.articles import find_zones
from classifier.codebook import Codebook
from classifier.mentions._matcher import Matcher, matcher_of
from classifier.mentions._rules import Judged, Rule, Stretch, judge_stretch
from classifier.mentions.voice import Report, find_reports, voice_at
from classifier.notebook_html import frame_html
from classifier.records import Article, Decider, Mention, MentionKind, Span, Zone, counted
from classifier.text import match_view, unfold

if TYPE_CHECKING:
    import pandas as pd


Settle: TypeAlias = Callable[[Article, Sequence[Mention]], Sequence[Mention]]
"""Gives the same mentions with voices and speakers that were decided anew."""
_REPORT_KINDS = ("quotation", "report")
_REST = "rest"


class MentionContext:
    """The zones and the reports of an article, found once for all of its mentions."""

    def __init__(self, article: Article, codebook: Codebook) -> None:
        """Find the zones; the reports are looked for when a mention asks."""
        self.text = article.text
        self.zones: Sequence[Zone] = find_zones(article)
        self._starts = [zone.span.start for zone in self.zones]
        self._voices = _voices(codebook)

    def mention(
        self,
        span: Span,
        target: str,
        language: str,
        *,
        kind: MentionKind = "name",
        entry: str | None = None,
        lexicon_version: str | None = None,
    ) -> Mention:
        """The mention of a target at a place of the text."""
        report = voice_at(self._reports, span)
        speaker = report.speaker if report else None
        return Mention(
            span=span,
            target=target,
            surface=span.of(self.text),
            kind=kind,
            zone=self.zones[bisect_right(self._starts, span.start) - 1].kind,
            language=language,
            voice=self._voices[report.kind if report else _REST],
            voice_confidence=report.confidence if report else 1.0,
            speaker=speaker.of(self.text) if speaker else None,
            speaker_span=speaker,
            cue_span=report.cue if report else None,
            entry=entry,
            lexicon_version=lexicon_version,
        )

    def reason(self, span: Span) -> "VoiceReason":
        """Why the words at a place are whose they are."""
        report = voice_at(self._reports, span)
        if report is None:
            return VoiceReason("no form of speech around it", None, None, 1.0)
        return VoiceReason(
            report.rule,
            report.cue.of(self.text) if report.cue else None,
            report.speaker.of(self.text) if report.speaker else None,
            report.confidence,
        )

    @cached_property
    def _reports(self) -> Sequence[Report]:
        return find_reports(self.text, self.zones)


def _voices(codebook: Codebook) -> dict[str, str]:
    """The codebook's label for each kind of report, and for the author's own words."""
    kinds = (*_REPORT_KINDS, _REST)
    if not codebook.has_variable("voice"):
        return dict.fromkeys(kinds, "")
    voice = codebook.variable("voice")
    return {kind: voice.counterpart("rules", kind) for kind in kinds}


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
class VoiceReason:
    """Why a mention has its voice."""

    rule: str
    """The form that was seen: "verb with that", "quotation marks"; or that none was."""
    cue: str | None
    """The words that hand over to another voice; None where there are none."""
    speaker: str | None
    confidence: float
    """From 0 to 1: how far the rule is to be trusted, which is no probability; or the chance that
    the labeller gives."""
    by: Decider = "rules"
    """Who decided on the voice."""
    speaker_by: Decider = "rules"
    """Who named the speaker."""


@dataclass(frozen=True, slots=True)
class MentionsReport:
    """What was found in an article, and what was not and why."""

    article_id: str
    mentions: tuple[Mention, ...]
    voices: tuple[VoiceReason, ...]
    """One for each mention: why it has its voice."""
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

    Leaders and officials count while in office at the article's date. If the date is unknown, or
    was read in the text, nobody is out of office.

    Args:
        article: A text; its language chooses the names and cues.
        codebook: The targets to look for.
        historical: Whether the states that came before count too: the Soviet Union, the Ottoman
            Empire.

    Returns:
        Spans in code points. A mention's voice is "" if the codebook does not ask for it.
    """
    matcher = matcher_of(codebook)
    around = MentionContext(article, codebook)
    historical = historical or "historical" in codebook.mention_kinds
    judged = judge(article, around.zones, matcher, historical=historical)
    return list(_mentions(around, judged, matcher.lexicon.version))


def explain_mentions(
    article: Article,
    codebook: Codebook,
    *,
    historical: bool = False,
    settle: Settle | None = None,
) -> MentionsReport:
    """The same mentions, with what was excluded, by which rule, and what may have been missed.

    Args:
        article: A text; its language chooses the names and cues.
        codebook: The targets to look for.
        historical: Whether the states that came before count too.
        settle: What decides on voices and speakers after the rules, as
            `VoiceModel.settler` gives it; by default nothing.

    Returns:
        The mentions of `find_mentions`, and what was left out and why.
    """
    matcher = matcher_of(codebook)
    version = matcher.lexicon.version
    around = MentionContext(article, codebook)
    historical = historical or "historical" in codebook.mention_kinds
    judged = list(judge(article, around.zones, matcher, historical=historical))
    mentions = tuple(_mentions(around, judged, version))
    by_rule = [around.reason(mention.span) for mention in mentions]
    if settle is not None:
        mentions = tuple(settle(article, mentions))
    return MentionsReport(
        article_id=article.article_id,
        mentions=mentions,
        voices=tuple(_settled(why, m, article) for why, m in zip(by_rule, mentions, strict=True)),
        excluded=tuple(_excluded(article, judged)),
        candidates=tuple(_candidates(article, matcher, [one.span for one in judged])),
        lexicon_version=version,
    )


def _settled(why: VoiceReason, mention: Mention, article: Article) -> VoiceReason:
    """The reason for a voice after the labeller was asked."""
    if (mention.voice_by, mention.speaker_by) == ("rules", "rules"):
        return why
    by_model = mention.voice_by == "model"
    return VoiceReason(
        "labeller" if by_model else why.rule,
        mention.cue_span.of(article.text) if mention.cue_span else None,
        mention.speaker,
        mention.voice_confidence,
        mention.voice_by,
        mention.speaker_by,
    )


def judge(
    article: Article, zones: Sequence[Zone], matcher: Matcher, *, historical: bool
) -> Iterator[Judged]:
    """Decide on every form of the lexicon in an article, in the order of its text."""
    for stretch in _stretches(article, zones, historical):
        yield from judge_stretch(stretch, matcher)


def _stretches(article: Article, zones: Sequence[Zone], historical: bool) -> Iterator[Stretch]:
    view = match_view(unfold(article.text), None)
    # Turkish readers tell the two letters apart, and capitals set without care do not.
    view = replace(view, string=view.string.replace("ı", "i"))
    for language, group in groupby(zones, key=lambda zone: zone.language):
        members = list(group)
        starts = tuple(view.index(zone.span.start) for zone in members)
        end = view.index(members[-1].span.end)
        date = None if article.date_origin == "text" else article.date
        yield Stretch(view, starts[0], end, language, starts, date, historical)


def _mentions(around: MentionContext, judged: Iterable[Judged], version: str) -> Iterator[Mention]:
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
    view = match_view(unfold(article.text), None)
    starts = [span.start for span in judged]
    for start, end in matcher.lookalikes(view.string.replace("ı", "i")):
        span = Span(*view.source(start, end))
        before = bisect_left(starts, span.end) - 1
        if before < 0 or not judged[before].overlaps(span):
            yield span
