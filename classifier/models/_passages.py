"""Passages: sentences around mentions, packed into windows that fit a model's limit."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifier.records import UNDETERMINED, Article, Passage, PassageMention, Span
from classifier.text import split_sentences

TokenStarts = Callable[[Sequence[str]], Sequence[Sequence[int]]]
"""For each text, where its tokens begin, in rising order."""
Labels = Mapping[str, NDArray[np.int64]]
"""Per variable one row per mention: a label's place, or -1 if not coded; for a set, one
column of 0, 1 or -1 per label."""


@dataclass(frozen=True)
class Examples:
    """Passages with the labels of their mentions, in passage order."""

    passages: tuple[Passage, ...]
    labels: Labels = field(default_factory=dict)
    weights: tuple[float, ...] = ()
    """How often each passage is read in an epoch, on average; once if there are none."""

    @property
    def n_mentions(self) -> int:
        """How many mentions the passages hold."""
        return sum(len(passage.mentions) for passage in self.passages)


@dataclass(frozen=True)
class Limits:
    """How much text one passage may hold."""

    max_tokens: int = 256
    """Tokens of text; what a tokenizer adds around it comes on top."""
    context: int = 1
    """Neighbouring sentences on each side of a sentence with a mention."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or a part of one that exceeds the limit."""

    span: Span
    n_tokens: int
    mentions: tuple[int, ...]


def cut_passages(
    article: Article,
    units: Mapping[str, Span],
    token_starts: TokenStarts,
    limits: Limits | None = None,
) -> list[Passage]:
    """Pack the sentences around the mentions into as few windows as fit.

    Every mention lies whole in exactly one passage; sentences with none near are left out.
    A sentence beyond the limit is cut between tokens, never inside a mention. A mention beyond
    the limit gets a passage of its own; a model reads it as far as it can.
    """
    return cut_all([(article, units)], token_starts, limits)


def cut_all(
    articles: Iterable[tuple[Article, Mapping[str, Span]]],
    token_starts: TokenStarts,
    limits: Limits | None = None,
) -> list[Passage]:
    """The passages of many articles, in order; their tokens are counted in one go."""
    limits = limits or Limits()
    runs = [
        _Run(named, sentences)
        for article, units in articles
        if units
        for named in [_Named.of(article, units)]
        for sentences in _runs(named.sentences(), named.spans, limits.context)
    ]
    passages: list[Passage] = []
    for run, starts in zip(runs, token_starts([run.text for run in runs]), strict=True):
        pieces = _pieces(run, starts, limits.max_tokens)
        for low, high, own in _windows(pieces, limits):
            stretch = Span(pieces[low].span.start, pieces[high].span.end)
            passages.append(_passage(run.named, stretch, [pieces[i] for i in own]))
    return passages


@dataclass(frozen=True, slots=True)
class _Named:
    """An article and its mentions, in the order of the text."""

    article: Article
    names: Sequence[str]
    spans: Sequence[Span]

    @classmethod
    def of(cls, article: Article, units: Mapping[str, Span]) -> "_Named":
        names = sorted(units, key=lambda unit: (units[unit].start, units[unit].end, unit))
        return cls(article, names, [units[name] for name in names])

    def sentences(self) -> list[Span]:
        language = self.article.language if self.article.language != UNDETERMINED else None
        return _join_crossed(split_sentences(self.article.text, language), self.spans)


@dataclass(frozen=True, slots=True)
class _Run:
    """Consecutive sentences that hold mentions or stand beside one that does."""

    named: _Named
    sentences: Sequence[Span]

    @property
    def text(self) -> str:
        """As a passage of all of it would have it."""
        return self._whole.strip()

    @property
    def start(self) -> int:
        """Where that begins in the article."""
        whole = self._whole
        return self.sentences[0].start + len(whole) - len(whole.lstrip())

    @property
    def _whole(self) -> str:
        return Span(self.sentences[0].start, self.sentences[-1].end).of(self.named.article.text)


def _join_crossed(sentences: Sequence[Span], mentions: Sequence[Span]) -> list[Span]:
    """Join the sentences that a mention reaches across."""
    starts = [sentence.start for sentence in sentences]
    kept = set(starts)
    for mention in mentions:
        first = bisect_right(starts, mention.start)
        kept.difference_update(starts[first : bisect_left(starts, mention.end)])
    return [Span(start, end) for start, end in pairwise([*sorted(kept), sentences[-1].end])]


def _runs(
    sentences: Sequence[Span], mentions: Sequence[Span], context: int
) -> list[Sequence[Span]]:
    """Stretches of consecutive sentences that hold mentions or stand beside one that does."""
    starts = [sentence.start for sentence in sentences]
    wanted: set[int] = set()
    for mention in mentions:
        at = bisect_right(starts, mention.start) - 1
        wanted.update(range(max(0, at - context), min(len(sentences), at + context + 1)))
    runs: list[list[Span]] = []
    for at in sorted(wanted):
        if runs and runs[-1][-1].end == sentences[at].start:
            runs[-1].append(sentences[at])
        else:
            runs.append([sentences[at]])
    return list(runs)


def _pieces(run: _Run, starts: Sequence[int], max_tokens: int) -> list[_Piece]:
    mentions = run.named.spans
    mention_starts = [mention.start for mention in mentions]
    origin = run.start
    starts = [origin + start for start in starts]
    pieces: list[_Piece] = []
    for sentence in run.sentences:
        own = range(
            bisect_left(mention_starts, sentence.start), bisect_left(mention_starts, sentence.end)
        )
        for part in _parts(sentence, starts, [mentions[i] for i in own], max_tokens):
            inside = tuple(i for i in own if part.start <= mentions[i].start < part.end)
            pieces.append(_Piece(part, _count(starts, part), inside))
    return pieces


def _count(starts: Sequence[int], span: Span) -> int:
    return bisect_left(starts, span.end) - bisect_left(starts, span.start)


def _parts(
    sentence: Span, starts: Sequence[int], mentions: Sequence[Span], max_tokens: int
) -> list[Span]:
    """The sentence itself, or parts of at most `max_tokens` that no mention reaches across."""
    if _count(starts, sentence) <= max_tokens:
        return [sentence]
    blocks = _blocks(mentions)
    edges = [sentence.start]
    while True:
        last = edges[-1]
        cut = max(bisect_left(starts, last) + max_tokens, bisect_right(starts, last))
        if cut >= len(starts):
            break
        edge = starts[cut]
        for block in blocks:
            if block.start < edge < block.end:
                edge = block.start if block.start > edges[-1] else block.end
        if edge >= sentence.end:
            break
        edges.append(edge)
    return [Span(start, end) for start, end in pairwise([*edges, sentence.end])]


def _blocks(mentions: Sequence[Span]) -> list[Span]:
    """The mentions, those that overlap taken together."""
    blocks: list[Span] = []
    for mention in sorted(mentions):
        if blocks and mention.start < blocks[-1].end:
            blocks[-1] = Span(blocks[-1].start, max(blocks[-1].end, mention.end))
        else:
            blocks.append(mention)
    return blocks


def _windows(pieces: Sequence[_Piece], limits: Limits) -> list[tuple[int, int, list[int]]]:
    """First piece, last piece, and the pieces whose mentions are judged in this window."""
    windows: list[tuple[int, int, list[int]]] = []
    for at, piece in enumerate(pieces):
        if not piece.mentions:
            continue
        last = min(at + limits.context, len(pieces) - 1)
        if windows and at <= windows[-1][1] + limits.context:
            low, high, own = windows[-1]
            if _tokens(pieces, low, max(high, last)) <= limits.max_tokens:
                windows[-1] = (low, max(high, last), [*own, at])
                continue
        windows.append((*_around(pieces, at, limits), [at]))
    return windows


def _around(pieces: Sequence[_Piece], at: int, limits: Limits) -> tuple[int, int]:
    """The piece with as many of its neighbours as fit, the one before it first."""
    low = high = at
    for _ in range(limits.context):
        if low > 0 and _tokens(pieces, low - 1, high) <= limits.max_tokens:
            low -= 1
        if high + 1 < len(pieces) and _tokens(pieces, low, high + 1) <= limits.max_tokens:
            high += 1
    return low, high


def _tokens(pieces: Sequence[_Piece], low: int, high: int) -> int:
    return sum(piece.n_tokens for piece in pieces[low : high + 1])


def _passage(named: _Named, stretch: Span, own: Sequence[_Piece]) -> Passage:
    article = named.article
    kept = [(named.names[i], named.spans[i], piece.span) for piece in own for i in piece.mentions]
    text = stretch.of(article.text)
    start = min(stretch.start + len(text) - len(text.lstrip()), *(s.start for _, s, _ in kept))
    end = max(stretch.start + len(text.rstrip()), *(s.end for _, s, _ in kept))
    mentions = tuple(
        PassageMention(
            name,
            span.shifted(-start),
            Span(max(sentence.start, start), min(sentence.end, end)).shifted(-start),
        )
        for name, span, sentence in kept
    )
    return Passage(
        article.article_id,
        start,
        article.text[start:end],
        article.language or UNDETERMINED,
        mentions,
    )
