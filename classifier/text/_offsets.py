"""Find out how a foreign file counted its offsets, by whether its spans hold the words they should.

Tools count in code points, UTF-16 code units or grapheme clusters, with the end outside or inside,
in the text as it lies on disk or with its line ends rewritten. Few say which. A rule is accepted
only if every span of a file then holds the surface the file gives for it.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from classifier.errors import DataError
from classifier.records import Span

IntArray = npt.NDArray[np.int64]
Unit = Literal["code point", "UTF-16", "grapheme"]
LineEnd = Literal["as is", "LF", "CRLF"]


@dataclass(frozen=True, slots=True)
class OffsetRule:
    """A way of counting."""

    unit: Unit = "code point"
    is_inclusive: bool = False
    """Whether the end is the last character rather than the one after it."""
    line_end: LineEnd = "as is"
    """What every line end of the text was when it was counted."""

    def __str__(self) -> str:
        """In words, for reports."""
        end = "inclusive" if self.is_inclusive else "exclusive"
        lines = "" if self.line_end == "as is" else f", line ends counted as {self.line_end}"
        return f"{self.unit}, end {end}{lines}"


class MarkedSpan(NamedTuple):
    """A span as a foreign file gives it: two offsets, and its words if the file has them."""

    start: int
    end: int
    surface: str | None


class Resolution(NamedTuple):
    """The rule that was found and the claims as spans in code points, in their order."""

    rule: OffsetRule
    spans: tuple[Span, ...]


CODE_POINTS, UTF_16, GRAPHEMES = OffsetRule(), OffsetRule("UTF-16"), OffsetRule("grapheme")
_UNITS: tuple[Unit, ...] = ("code point", "UTF-16", "grapheme")
_LINE_ENDS: tuple[LineEnd, ...] = ("as is", "LF", "CRLF")
RULES = tuple(
    OffsetRule(unit, is_inclusive, line_end)
    for line_end, is_inclusive, unit in itertools.product(_LINE_ENDS, (False, True), _UNITS)
    if unit != "grapheme" or line_end == "as is"
)
"""Every way of counting that is tried, the likeliest first; any line end is one grapheme."""


def resolve_offsets(
    text: str, claims: Sequence[MarkedSpan], rules: Sequence[OffsetRule] = RULES
) -> Resolution:
    """Turn a file's offsets into spans of its text.

    Args:
        text: exactly as it lies on disk, line ends included.
        claims: all spans of the file.
        rules: the ways of counting to try; the first is what the format promises.

    Raises:
        DataError: no rule fits all claims, or several do and disagree on where the spans are.

    >>> resolve_offsets("🙂 Kyjiv", [MarkedSpan(3, 8, "Kyjiv")]).rule.unit
    'UTF-16'
    """
    return resolve_file([(text, claims)], rules)[0]


Text = tuple[str, Sequence[MarkedSpan]]


def resolve_file(
    texts: Sequence[Text], rules: Sequence[OffsetRule] = RULES
) -> tuple[Resolution, ...]:
    """Turn the offsets of a file with several texts into spans, by one rule for all.

    If the file gives no surfaces, rules that agree are enough; if they do not, the one under
    which every span is made of words is taken. Raises `DataError` like `resolve_offsets`.
    """
    is_proven = all(claim.surface is not None for _, claims in texts for claim in claims)
    fits: dict[OffsetRule, list[tuple[Span, ...]]] = {}
    missed: dict[OffsetRule, list[MarkedSpan]] = {}
    for rule in rules:
        placed = [_placed(text, claims, rule) for text, claims in texts]
        missed[rule] = [claim for found in placed for claim, span in found if span is None]
        if not missed[rule]:
            fits[rule] = [tuple(span for _, span in found if span) for found in placed]
            if is_proven and rule == rules[0]:
                break
    if not fits:
        raise DataError(_no_fit(missed, sum(len(claims) for _, claims in texts)))
    if _disagree(fits) and not is_proven:
        fits = _likeliest(texts, fits)
    if not fits or _disagree(fits):
        names = "; ".join(str(rule) for rule in rules)
        raise DataError(f"one way of counting was required that fits, several or none do: {names}")
    rule, chosen = next(iter(fits.items()))
    return tuple(Resolution(rule, spans) for spans in chosen)


def _disagree(fits: dict[OffsetRule, list[tuple[Span, ...]]]) -> bool:
    first, *others = fits.values()
    return any(spans != first for spans in others)


def _placed(
    text: str, claims: Sequence[MarkedSpan], rule: OffsetRule
) -> list[tuple[MarkedSpan, Span | None]]:
    """Each claim with its span; without one if it leaves the text or holds other words."""
    places = _places(text, rule)
    return [(claim, _span(text, claim, places, rule.is_inclusive)) for claim in claims]


def _span(text: str, claim: MarkedSpan, places: Sequence[int], is_inclusive: bool) -> Span | None:
    last = claim.end + is_inclusive
    if not 0 <= claim.start < last < len(places):
        return None
    start, end = places[claim.start], places[last]
    if start < 0 or end < 0:
        return None
    span = Span(start, end)
    is_right = claim.surface is None or _same(span.of(text), claim.surface)
    return span if is_right else None


def _places(text: str, rule: OffsetRule) -> Sequence[int]:
    """Code-point index of every counted position; -1 for a position inside a character."""
    is_plain = text.isascii() and not (rule.unit == "grapheme" and "\r" in text)
    if rule.line_end == "as is" and (rule.unit == "code point" or is_plain):
        return range(len(text) + 1)
    if rule.unit == "grapheme":
        return [0, *itertools.accumulate(len(c) for c in regex.findall(r"\X", text))]
    counted = np.concatenate([[0], np.cumsum(_weights(text, rule))])
    places = np.full(counted[-1] + 1, -1)
    places[counted] = np.arange(len(counted))
    listed: list[int] = places.tolist()
    return listed


def _weights(text: str, rule: OffsetRule) -> IntArray:
    """What each code point counts for."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    weights = np.ones(len(codes), np.int64)
    if rule.unit == "UTF-16":
        weights += codes > 0xFFFF
    if rule.line_end != "as is":
        is_feed = codes == ord("\n")
        follows = np.concatenate([[False], codes[:-1] == ord("\r")])
        weights[is_feed & ~follows] = len(rule.line_end) // 2
        weights[is_feed & follows] = len(rule.line_end) // 2 - 1
    return weights


def _same(stretch: str, surface: str) -> bool:
    r"""Equal but for white space: exports collapse it, or show a line end as a space or a \n."""
    return stretch == surface or _folded(stretch) == _folded(surface)


def _folded(text: str) -> str:
    return re.sub(r"(?:\\n|\s)+", " ", text)


def _likeliest(
    texts: Sequence[Text], fits: dict[OffsetRule, list[tuple[Span, ...]]]
) -> dict[OffsetRule, list[tuple[Span, ...]]]:
    """The rules under which spans are words: whole ones, and with the fewest blanks at the end."""
    begun = {rule: spans for rule, spans in fits.items() if _begin_words(texts, spans)}
    whole = {rule: spans for rule, spans in begun.items() if not _cut(texts, spans)}
    known = whole or begun
    fewest = min((_blanks(texts, spans) for spans in known.values()), default=0)
    if fewest and not whole:
        return {}
    return {rule: spans for rule, spans in known.items() if _blanks(texts, spans) == fewest}


def _begin_words(texts: Sequence[Text], spans: Sequence[tuple[Span, ...]]) -> bool:
    starts = re.compile(r"\b\w")
    return all(
        starts.match(text, span.start)
        for (text, _), found in zip(texts, spans, strict=True)
        for span in found
    )


def _cut(texts: Sequence[Text], spans: Sequence[tuple[Span, ...]]) -> bool:
    """Whether a span ends inside a word."""
    inside = re.compile(r"\B(?<=\w)(?=\w)")
    return any(
        inside.match(text, span.end)
        for (text, _), found in zip(texts, spans, strict=True)
        for span in found
    )


def _blanks(texts: Sequence[Text], spans: Sequence[tuple[Span, ...]]) -> int:
    """How many spans end in a space."""
    return sum(
        text[span.end - 1].isspace()
        for (text, _), found in zip(texts, spans, strict=True)
        for span in found
    )


def _no_fit(missed: dict[OffsetRule, list[MarkedSpan]], n_claims: int) -> str:
    """Name the rule that comes nearest and what it misses."""
    rule, claims = min(missed.items(), key=lambda item: len(item[1]))
    shown = ", ".join(f"{c.start}-{c.end} {c.surface!r}" for c in claims[:3])
    return (
        f"a way of counting was required under which all {n_claims} spans hold their words; "
        f"the nearest ({rule}) misses {len(claims)}: {shown}"
    )
