"""The passages that mentions stand in, each kept once, with what a browser marks in them."""

from collections.abc import Mapping, Sequence
from typing import Any

from classifier.articles import find_zones
from classifier.explanations import Word
from classifier.records import Article, Span
from classifier.voice import Report, find_reports, voice_at

AROUND = 240
"""Characters on each side of a mention where no passage is known."""
LONGEST = 2_400
"""A longer passage is cut to this many characters around the mention."""
_LONGEST_MENTION = 200


class Excerpts:
    """Collects excerpts row by row; positions count as JavaScript counts, in UTF-16 units."""

    def __init__(self, articles: Mapping[str, Article]) -> None:
        """Take the texts, by article id."""
        self._articles = articles
        self._reports: dict[str, Any] = {}
        self._place: dict[tuple[str, int, int], int] = {}
        self._texts: list[str] = []
        self._rows: list[tuple[int, Any, Any, Any, Any, Any]] = []

    def add(self, row: Mapping[str, Any], words: Sequence[Word] = ()) -> None:
        """Add the excerpt of a mention; without its text, the mention and speaker alone.

        `words` carry its score, where it was explained.
        """
        article = self._articles.get(row["article_id"])
        mention = _span(row.get("start"), row.get("end"))
        surface, speaker = str(row.get("surface") or ""), row.get("speaker")
        known = speaker if isinstance(speaker, str) else None
        if article is None or mention is None or not _fits(article.text, mention, surface):
            self._rows.append((-1, surface[:_LONGEST_MENTION], known, None, None, None))
            return
        window = _window(article.text, mention, _span(row["passage_start"], row["passage_end"]))
        report = self._report(article, mention)
        spans = (mention, report.speaker if report else None, report.cue if report else None)
        at, speaker_at, cue_at = (_inside(article.text, window, span) for span in spans)
        number, weights = self._number(article, window), _weights(article.text, window, words)
        self._rows.append((number, at, known, speaker_at, cue_at, weights))

    def columns(self) -> dict[str, Any]:
        """Texts; per row which text, mention, speaker, speaker's place, cue's, weighted words."""
        names = ("text", "mention", "speaker", "speaker_at", "cue_at", "words")
        columns = list(zip(*self._rows, strict=True)) or [()] * len(names)
        return {"texts": self._texts} | {
            name: list(column) for name, column in zip(names, columns, strict=True)
        }

    def _number(self, article: Article, window: Span) -> int:
        key = (article.article_id, window.start, window.end)
        if key not in self._place:
            self._place[key] = len(self._texts)
            self._texts.append(window.of(article.text))
        return self._place[key]

    def _report(self, article: Article, mention: Span) -> Report | None:
        name = article.article_id
        if name not in self._reports:
            self._reports[name] = find_reports(article.text, find_zones(article))
        return voice_at(self._reports[name], mention)


def _span(start: object, end: object) -> Span | None:
    if not isinstance(start, int | float) or not isinstance(end, int | float):
        return None
    return Span(int(start), int(end)) if 0 <= start < end else None


def _fits(text: str, mention: Span, surface: str) -> bool:
    return text[mention.start : mention.end] == surface and mention.end <= len(text)


def _window(text: str, mention: Span, passage: Span | None) -> Span:
    """What to show: the passage that the model read, or the mention's surroundings."""
    end = min(mention.end, mention.start + _LONGEST_MENTION)
    if passage is not None and passage.contains(mention) and passage.end <= len(text):
        if passage.end - passage.start <= LONGEST:
            return passage
        half = LONGEST // 2
        return Span(max(passage.start, mention.start - half), min(passage.end, end + half))
    return Span(max(0, mention.start - AROUND), min(len(text), end + AROUND))


def _inside(text: str, window: Span, span: Span | None) -> list[int] | None:
    """Where a stretch lies in the window, in UTF-16 units; None where it is not wholly there."""
    if span is None:
        return None
    end = min(span.end, window.end)
    if span.start < window.start or end <= span.start:
        return None
    start = _units(text[window.start : span.start])
    return [start, start + _units(text[span.start : end])]


def _weights(text: str, window: Span, words: Sequence[Word]) -> list[list[float]] | None:
    """Start, end and weight of every word in the window that has a weight to speak of."""
    placed = [(_inside(text, window, word.span), round(word.weight, 3)) for word in words]
    return [[*at, weight] for at, weight in placed if at is not None and weight] or None


def _units(text: str) -> int:
    return len(text) + sum(1 for character in text if character > "\uffff")
