"""Whose words a mention stands in, and who says them, by a labeller that learnt it from text.

The small base that ships reads the paragraph of a mention and what stands before it. From the
vectors of a mention three heads tell its voice, and point at the tokens where the name of the
speaker and the cue start and end. Where nobody is named they point at the token before the text.
The rules of `mentions.voice` keep what they know well: quotation marks.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifier.codebook import Codebook
from classifier.errors import ModelError, in_words
from classifier.mentions.voice import is_pronoun
from classifier.models._bases import SHIPPED
from classifier.models._folder import check_torch, has_torch
from classifier.models._protocol import RuntimeName, TrainOptions
from classifier.records import Article, Mention, Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from classifier.models.encoder._plain import Encoder

SHIPPED_VOICE = SHIPPED.with_name("voice")
CONFIG, HEADS = "config.json", "heads.safetensors"
VOICES = ("rest", "report", "quotation")
"""What the first head tells, by the names that a codebook's voices have with the rules."""
POINTERS = ("speaker start", "speaker end", "cue start", "cue end")
WINDOW, BEFORE = 256, 64
"""Most tokens that are read at once, and how many of them may stand before the paragraph."""
LONGEST_NAME = 28
"""Most tokens of the name of a speaker, or of a cue."""
_BATCH_TOKENS = 1024
_SILENT = ("metadata", "boilerplate")
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pointed:
    """A stretch that the labeller points at, and how sure it is."""

    span: Span | None
    chance: float
    nobody: float
    """Chance that the text names nobody."""


@dataclass(frozen=True, slots=True)
class VoiceReading:
    """What the labeller says of one mention."""

    chances: tuple[float, ...]
    """Of the author's own words, of a report and of a quotation; they add up to one."""
    speaker: Pointed
    cue: Pointed

    @property
    def reported(self) -> float:
        """The chance that the words are somebody else's."""
        return self.chances[1] + self.chances[2]


@dataclass(frozen=True)
class Bars:
    """From which chance on the labeller decides instead of the rules."""

    report: float
    """Words in which the rules see no report become one above this."""
    keep: float
    """A report of the rules stays one above this."""
    speaker: float
    """A speaker whom the labeller is so sure of takes the place of the one of the rules."""
    no_speaker: float
    """Above this chance a report for which the rules name nobody gets the labeller's speaker."""


@dataclass(frozen=True)
class Window:
    """A stretch of an article that is read at once, and the mentions to judge in it."""

    ids: tuple[int, ...]
    places: tuple[tuple[int, int], ...]
    """Start and end of each token in the article; empty for those around the text."""
    owners: tuple[tuple[int, tuple[int, int]], ...]
    """Number of each mention, and the range of its tokens."""

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.ids)


class VoiceModel:
    """The labeller; see the module."""

    def __init__(
        self, encoder: "Encoder", tokenizer: "Tokenizer", heads: Mapping[str, Array], bars: Bars
    ) -> None:
        """Take the weights of the heads by name: `voice`, `query` and `key`, each with a bias."""
        self.encoder = encoder
        self.tokenizer = tokenizer
        self.heads = heads
        self.bars = bars

    @property
    def runtime(self) -> str:
        """What computes, how precisely and on what."""
        return self.encoder.runtime

    def settle(
        self, found: Sequence[tuple[Article, Sequence[Mention]]], codebook: Codebook
    ) -> list[tuple[Article, tuple[Mention, ...]]]:
        """Mentions with the voices and speakers that the labeller and the rules agree on.

        Args:
            found: Articles with the mentions that the rules have described.
            codebook: Its labels of the variable `voice`; without one nothing changes.

        Returns:
            The same mentions; `voice_by` and `speaker_by` say who decided.
        """
        if not codebook.has_variable("voice"):
            return [(article, tuple(mentions)) for article, mentions in found]
        voice = codebook.variable("voice")
        labels = [voice.counterpart("rules", kind) for kind in VOICES]
        asked = [
            (article.text, [m.span for m in mentions if m.zone not in _SILENT])
            for article, mentions in found
        ]
        readings = iter(self.read(asked))
        settled = []
        for article, mentions in found:
            own = tuple(
                m if m.zone in _SILENT else decide(m, next(readings), labels, self.bars, article)
                for m in mentions
            )
            settled.append((article, own))
        return settled

    def settler(
        self, codebook: Codebook
    ) -> Callable[[Article, Sequence[Mention]], tuple[Mention, ...]]:
        """`settle` for one article at a time, as `explain_mentions` takes it."""
        return lambda article, mentions: self.settle([(article, mentions)], codebook)[0][1]

    def read(self, texts: Sequence[tuple[str, Sequence[Span]]]) -> list[VoiceReading]:
        """What the labeller says of stretches of some texts, one text after another.

        Args:
            texts: Each with the stretches to judge in it, in the order of the text.
        """
        from classifier.models.encoder._tokens import length_batches

        windows = list(self._windows(texts))
        lengths = [len(window) for window in windows]
        batches = list(length_batches(lengths, _BATCH_TOKENS))
        members = [[windows[i] for i in batch] for batch in batches]
        said = {
            number: reading
            for part in self.encoder.side_by_side(self._judged, members)
            for number, reading in part
        }
        return [said[number] for number in range(sum(len(spans) for _, spans in texts))]

    def _judged(self, windows: Sequence[Window]) -> list[tuple[int, VoiceReading]]:
        hidden = self.encoder([window.ids for window in windows])
        edges = np.cumsum([0, *map(len, windows)]).tolist()
        return [
            one
            for at, window in zip(edges, windows, strict=False)
            for one in self._readings(window, hidden[at : at + len(window)])
        ]

    def _readings(self, window: Window, hidden: Array) -> Iterator[tuple[int, VoiceReading]]:
        chances = _softmax(_linear(hidden, self.heads, "voice"))
        keys = _linear(hidden, self.heads, "key").reshape(len(hidden), len(POINTERS), -1)
        for number, (start, end) in window.owners:
            pooled = hidden[start:end].mean(axis=0)
            query = _linear(pooled[None], self.heads, "query").reshape(len(POINTERS), -1)
            logits = np.einsum("tcd,cd->ct", keys, query) / np.sqrt(query.shape[1])
            shares = np.log(np.maximum(_softmax(logits), 1e-30))
            told = chances[start:end].mean(axis=0)
            yield (
                number,
                VoiceReading(
                    tuple(map(float, told)),
                    _pointed(shares[0], shares[1], window.places),
                    _pointed(shares[2], shares[3], window.places),
                ),
            )

    def _windows(self, texts: Sequence[tuple[str, Sequence[Span]]]) -> Iterator[Window]:
        wanted = [(text, spans) for text, spans in texts if spans]
        encodings = self.tokenizer.encode_batch([text for text, _ in wanted])
        number = 0
        for (text, spans), encoding in zip(wanted, encodings, strict=True):
            ids, offsets = encoding.ids, encoding.offsets
            real = range(1, len(ids) - 1)
            places = [_bare(text, *offsets[i]) for i in real]
            inner = (ids[0], ids[1:-1], ids[-1])
            yield from _cut(text, spans, inner, places, number)
            number += len(spans)


def decide(
    mention: Mention,
    reading: VoiceReading,
    labels: Sequence[str],
    bars: Bars,
    article: Article,
) -> Mention:
    """A mention with its voice and speaker by the rules or by the labeller.

    Args:
        mention: As the rules describe it.
        reading: What the labeller says of it.
        labels: The codebook's labels for `VOICES`.
        bars: Who decides when.
        article: Where the mention stands.
    """
    author, report, quotation = labels
    by_rule = mention.voice
    is_reported = by_rule == quotation or reading.reported > (
        bars.keep if by_rule == report else bars.report
    )
    if not is_reported:
        if by_rule == author:
            return mention
        return replace(
            mention,
            voice=author,
            voice_confidence=1 - reading.reported,
            speaker=None,
            speaker_span=None,
            cue_span=None,
            voice_by="model",
            speaker_by="model",
        )
    if by_rule == author:
        mention = replace(
            mention, voice=report, voice_confidence=reading.reported, voice_by="model"
        )
        if reading.cue.chance > reading.cue.nobody:
            mention = replace(mention, cue_span=reading.cue.span)
    bar = bars.speaker if mention.speaker_span else bars.no_speaker
    span = reading.speaker.span
    if span is None:
        return mention
    name = span.of(article.text)
    # The rules look for the name that a pronoun stands for; the labeller points at the pronoun.
    is_worse = mention.speaker_span is not None and is_pronoun(name)
    if reading.speaker.chance <= bar or is_worse or not _is_name(reading.speaker, mention):
        return mention
    return replace(
        mention,
        speaker=name,
        speaker_span=span,
        speaker_by="model",
    )


def _is_name(pointed: Pointed, mention: Mention) -> bool:
    """Whether the stretch may be a name: nobody stands inside the mention that is told about."""
    is_apart = pointed.span is not None and not pointed.span.overlaps(mention.span)
    return is_apart and pointed.chance > pointed.nobody


def read_voice_model(folder: Path = SHIPPED_VOICE, runtime: RuntimeName = "auto") -> VoiceModel:
    """Read the labeller.

    Args:
        folder: The one that ships, or one that `recipes.voice` wrote.
        runtime: As `load` takes it.

    Raises:
        ModelError: the folder or its base is not there, cannot be read, or is another one.
    """
    from tokenizers import Tokenizer

    from classifier.models.encoder._plain import adapted_encoder, read_weights

    torch = runtime == "torch" or (runtime == "auto" and has_torch())
    if torch:
        check_torch(f"the runtime {runtime}")
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        options = TrainOptions(adapter="separate")
        place, encoder = adapted_encoder(folder, config, options, torch=torch)
        tokenizer = Tokenizer.from_file(str(place / "tokenizer.json"))
        return VoiceModel(encoder, tokenizer, read_weights(folder / HEADS), Bars(**config["bars"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder} must hold a labeller of voices, it cannot be read ({in_words(error)}): "
            "install the package again, or read voices by rules"
        ) from error


def _linear(rows: Array, heads: Mapping[str, Array], name: str) -> Array:
    made: Array = rows @ heads[f"{name}.weight"].T + heads[f"{name}.bias"]
    return made


def _softmax(logits: Array) -> Array:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    all_one: Array = shares / shares.sum(axis=-1, keepdims=True)
    return all_one


def _pointed(starts: Array, ends: Array, places: Sequence[tuple[int, int]]) -> Pointed:
    """The most probable stretch, by the logarithms of the chances of its first and last token."""
    n = len(starts)
    both = starts[:, None] + ends[None, :]
    far = np.arange(n)[None, :] - np.arange(n)[:, None]
    empty = np.array([start >= end for start, end in places])
    both[(far < 0) | (far >= LONGEST_NAME) | empty[:, None] | empty[None, :]] = -np.inf
    first, last = divmod(int(both.argmax()), n)
    nobody = float(np.exp(starts[0] + ends[0]))
    if not np.isfinite(both[first, last]):
        return Pointed(None, 0.0, nobody)
    span = Span(places[first][0], places[last][1])
    return Pointed(span, float(np.exp(both[first, last])), nobody)


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """The place of a token without the blanks before it."""
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _cut(
    text: str,
    spans: Sequence[Span],
    ids: tuple[int, Sequence[int], int],
    places: Sequence[tuple[int, int]],
    number: int,
) -> Iterator[Window]:
    """Windows of a text: each paragraph that is asked about, with some tokens before it.

    A paragraph that is longer than a window is read around each of its mentions.
    """
    starts = [start for start, _ in places]
    before, inner, after = ids

    def range_of(span: Span) -> tuple[int, int]:
        last = max(bisect_left(starts, span.end), 1)
        first = min(max(bisect_right(starts, span.start) - 1, 0), last - 1)
        return first, last

    numbered = enumerate(spans, number)
    for (start, end), group in groupby(numbered, key=lambda one: _line(text, one[1].start)):
        a, b = range_of(Span(start, max(end, start + 1)))
        members = [(i, range_of(span)) for i, span in group]
        low = max(0, a - BEFORE)
        batches = [(low, b, members)]
        if b - low > WINDOW:
            batches = [
                (max(low, own[0] - WINDOW // 2), min(b, own[0] + WINDOW // 2), [(i, own)])
                for i, own in members
            ]
        for first, last, own_members in batches:
            yield Window(
                (before, *inner[first:last], after),
                ((0, 0), *places[first:last], (0, 0)),
                tuple((i, (x - first + 1, min(y, last) - first + 1)) for i, (x, y) in own_members),
            )


def _line(text: str, place: int) -> tuple[int, int]:
    end = text.find("\n", place)
    return text.rfind("\n", 0, place) + 1, end if end >= 0 else len(text)
