"""Reports: whose words a stretch is, with the evidence, and a quick look-up by place."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, overload

from classifier.records import Span

ReportKind = Literal["quotation", "report"]


@dataclass(frozen=True, slots=True)
class Report:
    """Words that are not the author's: a quotation, or the content of reported speech.

    The codebook's label is `codebook.variable("voice").counterpart("rules", kind)`; what stands in
    no report is "rest". Speaker and cue are outside the content: they are the author's words.
    """

    content: Span
    kind: ReportKind
    confidence: float = 1.0
    """From 0 to 1: how far the rule that found it is to be trusted; no probability."""
    speaker: Span | None = None
    cue: Span | None = None
    is_scare: bool = False
    """Marked by quotation marks, but as a distance and not as a quotation: the author's words."""


class Reports(Sequence[Report]):
    """Reports in order of their start, with the innermost one at a place in logarithmic time."""

    def __init__(self, reports: Iterable[Report]) -> None:
        """Order the reports, and find for each the one around it."""
        self._reports = tuple(sorted(reports, key=lambda r: (r.content.start, -r.content.end)))
        self._starts = [report.content.start for report in self._reports]
        self._around: list[int] = []
        open_: list[int] = []
        for i, report in enumerate(self._reports):
            while open_ and self._reports[open_[-1]].content.end <= report.content.start:
                open_.pop()
            self._around.append(open_[-1] if open_ else -1)
            open_.append(i)

    @overload
    def __getitem__(self, index: int) -> Report: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Report, ...]: ...

    def __getitem__(self, index: int | slice) -> Report | tuple[Report, ...]:
        """The report at that place in the order."""
        return self._reports[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._reports)

    def at(self, span: Span) -> Report | None:
        """The innermost report whose content holds the whole span; scare quotes are none."""
        i = bisect_right(self._starts, span.start) - 1
        while i >= 0:
            report = self._reports[i]
            if report.content.contains(span) and not report.is_scare:
                return report
            i = self._around[i]
        return None


class Indexed(Protocol):
    """Reports that can be asked for a place without a walk through all of them."""

    def at(self, span: Span) -> Report | None:
        """The innermost report whose content holds the whole span."""
        ...


def voice_at(reports: Sequence[Report] | Indexed, span: Span) -> Report | None:
    """The innermost report whose content holds the span, None where the author speaks.

    Quick where `reports` is what `find_reports` returned; any other sequence is indexed first.
    """
    indexed: Indexed = reports if hasattr(reports, "at") else Reports(reports)
    return indexed.at(span)
