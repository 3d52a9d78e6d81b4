"""Passages as tokens, with the places of mentions, and which to read together.

Nothing here needs PyTorch.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from classifier.codebook import Variable
from classifier.models._protocol import Probabilities
from classifier.records import Passage, Span

TokenRange = tuple[int, int]
"""First token and the one after the last."""
_MOST_POSITIONS = 8192
_SLACK = 8
"""Tokens by which sentences read together may exceed the sum of their own."""
_OWN = tuple(one.name for one in fields(Passage))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A passage as a model reads it."""

    token_ids: tuple[int, ...]
    ranges: tuple[tuple[TokenRange, TokenRange], ...]
    """Per mention its own tokens and those of its sentence."""

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.token_ids)


@dataclass(frozen=True, slots=True)
class EncodedPassage(Passage):
    """A passage that was made ready for an encoder."""

    encoded: Encoded


class _Tokens(NamedTuple):
    ids: list[int]
    starts: list[int]
    ends: list[int]


@dataclass
class TokenReader:
    """See `models.Reader`. What was counted last is kept: most of it is then encoded.

    Several threads may use it.
    """

    tokenizer: Tokenizer
    text_limit: int
    position_limit: int
    """Most tokens of a passage, those around the text included; what lies beyond is not read."""
    _kept: dict[str, _Tokens] = field(default_factory=dict, init=False, repr=False)

    def token_starts(self, texts: Sequence[str]) -> Sequence[Sequence[int]]:
        """Where the tokens of each text begin."""
        return [tokens.starts for tokens in self._tokens(texts)]

    def encode(self, passages: Sequence[Passage]) -> list[Passage]:
        """The passages with their tokens; those that have them already stay as they are."""
        return [
            EncodedPassage(**{name: getattr(passage, name) for name in _OWN}, encoded=encoded)
            for passage, encoded in zip(passages, self.encoded(passages), strict=True)
        ]

    def encoded(self, passages: Sequence[Passage]) -> list[Encoded]:
        """Tokens, special ones around them, and by overlap those of the mentions."""
        bare = [passage for passage in passages if not isinstance(passage, EncodedPassage)]
        made = iter(self._made(bare))
        return [
            passage.encoded if isinstance(passage, EncodedPassage) else next(made)
            for passage in passages
        ]

    def _made(self, passages: Sequence[Passage]) -> list[Encoded]:
        if not passages:
            return []
        before, after = self._frame()
        room = self.position_limit - len(before) - len(after)
        all_tokens = self._tokens([passage.text for passage in passages])
        self._kept = {}
        return [
            Encoded(
                (*before, *tokens.ids[:room], *after), _ranges(passage, tokens, room, len(before))
            )
            for passage, tokens in zip(passages, all_tokens, strict=True)
        ]

    def _frame(self) -> tuple[list[int], list[int]]:
        """The special tokens that stand before a text and after it."""
        framed = self._encode(["a"], special=True)[0]
        own = [i for i, special in enumerate(framed.special_tokens_mask) if not special]
        return framed.ids[: own[0]], framed.ids[own[-1] + 1 :]

    def _tokens(self, texts: Sequence[str]) -> list[_Tokens]:
        kept = self._kept
        unknown = list(dict.fromkeys(text for text in texts if text not in kept))
        found = {text: kept[text] for text in texts if text in kept}
        for text, encoding in zip(unknown, self._encode(unknown, special=False), strict=True):
            offsets = encoding.offsets
            found[text] = _Tokens(encoding.ids, [s for s, _ in offsets], [e for _, e in offsets])
        self._kept = found
        return [found[text] for text in texts]

    def _encode(self, texts: Sequence[str], *, special: bool) -> list[Encoding]:
        # Only where needed: no thread may change a tokenizer while another one uses it.
        if self.tokenizer.truncation is not None:
            self.tokenizer.no_truncation()
        if self.tokenizer.padding is not None:
            self.tokenizer.no_padding()
        encodings: list[Encoding] = self.tokenizer.encode_batch(texts, add_special_tokens=special)
        return encodings


def _ranges(
    passage: Passage, tokens: _Tokens, room: int, n_before: int
) -> tuple[tuple[TokenRange, TokenRange], ...]:
    pairs = list(zip(tokens.starts, tokens.ends, strict=True))[:room]
    real = [i + n_before for i, (start, end) in enumerate(pairs) if end > start]
    starts = [start for start, end in pairs if end > start]
    ends = [end for start, end in pairs if end > start]
    ranges = []
    for mention in passage.mentions:
        own = _overlap(mention.span, real, starts, ends)
        sentence = _overlap(mention.sentence, real, starts, ends)
        ranges.append((own, (min(own[0], sentence[0]), max(own[1], sentence[1]))))
    return tuple(ranges)


def _overlap(
    span: Span, real: Sequence[int], starts: Sequence[int], ends: Sequence[int]
) -> TokenRange:
    """Tokens that share a character with the span; the nearest one if the span has none.

    A tokenizer drops some characters altogether, such as a soft hyphen that stands alone.
    """
    if not real:
        return (0, 1)
    first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
    if first >= last:
        nearest = min(first, len(real) - 1)
        return (real[nearest], real[nearest] + 1)
    return (real[first], real[last - 1] + 1)


def length_batches(lengths: Sequence[int], token_budget: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first, padded size within the budget."""
    batch: list[int] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batch and longest * (len(batch) + 1) > token_budget:
            yield batch
            batch = []
        if not batch:
            longest = lengths[index]
        batch.append(index)
    if batch:
        yield batch


def padded(batch: Sequence[Encoded], pad_id: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and attention mask, passages × the longest one's tokens."""
    width = max(len(encoded) for encoded in batch)
    ids = np.full((len(batch), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(batch), width), dtype=np.int64)
    for row, encoded in enumerate(batch):
        ids[row, : len(encoded)] = encoded.token_ids
        mask[row, : len(encoded)] = 1
    return ids, mask


def flat_ranges(batch: Sequence[Encoded], width: int) -> list[tuple[TokenRange, TokenRange]]:
    """Where each mention's own tokens and its sentence's lie in the flattened batch."""
    return [
        ((own[0] + at, own[1] + at), (around[0] + at, around[1] + at))
        for at, encoded in zip(range(0, len(batch) * width, width), batch, strict=True)
        for own, around in encoded.ranges
    ]


def position_limit(config: Mapping[str, Any], longest: float) -> int:
    """Most tokens that an encoder can tell apart, by its config and by its tokenizer."""
    positions = config.get("max_position_embeddings") or _MOST_POSITIONS
    kind = config["model_type"]
    if "roberta" in kind or kind in {"camembert", "mpnet"}:
        positions -= (config.get("pad_token_id") or 0) + 1
    return int(min(positions, longest, _MOST_POSITIONS))


def text_limit(max_tokens: int, positions: int, around: int) -> int:
    """Most tokens of text in a passage; `around` are those that a tokenizer puts around it."""
    return max(1, min(max_tokens, positions - _SLACK) - around)


def predict_distinct(
    encoded: Sequence[Encoded],
    variables: Sequence[Variable],
    judge: Callable[[list[Encoded]], Sequence[Mapping[str, NDArray[np.float64]]]],
) -> Probabilities:
    """Probabilities of all mentions; `judge` gets a passage that occurs twice once."""
    first: dict[Encoded, int] = {}
    for item in encoded:
        first.setdefault(item, len(first))
    judged = judge(list(first))
    return {
        v.name: np.concatenate(
            [judged[first[item]][v.name] for item in encoded] or [np.empty((0, len(v.names)))]
        )
        for v in variables
    }
