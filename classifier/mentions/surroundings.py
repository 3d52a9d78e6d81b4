"""Where in an article a mention stands, and in whose voice."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from classifier.articles import find_zones
from classifier.codebook import Codebook
from classifier.records import Article, Mention, MentionKind, Span, Zone
from classifier.voice import Report, find_reports, voice_at

_REPORT_KINDS = ("quotation", "report")
_REST = "rest"


class Surroundings:
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
