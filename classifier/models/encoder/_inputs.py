"""Passages as tokens, with the places of mentions and sentences."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from classifier.records import Passage, Span

TokenRange = tuple[int, int]
"""First token and the one after the last."""
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
    """See `models.base.Reader`. What was counted last is kept: most of it is then encoded.

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
    """Tokens that share a character with the span; the nearest one where the span has none.

    A tokenizer drops some characters altogether, such as a soft hyphen that stands alone.
    """
    if not real:
        return (0, 1)
    first, last = bisect_right(ends, span.start), bisect_left(starts, span.end)
    if first >= last:
        nearest = min(first, len(real) - 1)
        return (real[nearest], real[nearest] + 1)
    return (real[first], real[last - 1] + 1)


def encode_passages(
    passages: Sequence[Passage],
    tokenizer: Any,  # noqa: ANN401
    limit: int,
) -> list[Encoded]:
    """Tokenize and align by overlap; what lies beyond `limit` tokens is not read."""
    return TokenReader(tokenizer.backend_tokenizer, limit, limit).encoded(passages)


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


def collate(batch: Sequence[Encoded], pad_id: int) -> dict[str, Tensor]:
    """Pad to the longest and say where each mention's tokens lie in the flattened batch."""
    width = max(len(encoded) for encoded in batch)
    ids = np.full((len(batch), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(batch), width), dtype=np.int64)
    for row, encoded in enumerate(batch):
        ids[row, : len(encoded)] = encoded.token_ids
        mask[row, : len(encoded)] = 1
    shifted = [
        [(start + row * width, end + row * width) for start, end in pair]
        for row, encoded in enumerate(batch)
        for pair in encoded.ranges
    ]
    return {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy(mask),
        "mention_tokens": _rows([pair[0] for pair in shifted]),
        "sentence_tokens": _rows([pair[1] for pair in shifted]),
    }


def _rows(ranges: Sequence[TokenRange]) -> Tensor:
    owner = np.repeat(np.arange(len(ranges)), [end - start for start, end in ranges])
    place = np.concatenate([np.arange(start, end) for start, end in ranges])
    return torch.from_numpy(np.stack([owner, place]))
