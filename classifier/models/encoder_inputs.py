"""From passages to tensors: tokens, and which of them belong to a mention and its sentence."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from classifier.records import Passage, Span

TokenRange = tuple[int, int]
"""First token and the one after the last."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A passage as a model reads it."""

    token_ids: tuple[int, ...]
    ranges: tuple[tuple[TokenRange, TokenRange], ...]
    """Per mention its own tokens and those of its sentence."""

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.token_ids)


def encode_passages(
    passages: Sequence[Passage],
    tokenizer: Any,  # noqa: ANN401
    limit: int,
) -> list[Encoded]:
    """Tokenize and align by overlap; what lies beyond `limit` tokens is not read."""
    if not passages:
        return []
    output = tokenizer(
        [passage.text for passage in passages],
        truncation=True,
        max_length=limit,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    pairs = zip(passages, output["input_ids"], output["offset_mapping"], strict=True)
    return [_encoded(passage, ids, offsets) for passage, ids, offsets in pairs]


def _encoded(passage: Passage, ids: Sequence[int], offsets: Sequence[tuple[int, int]]) -> Encoded:
    real = [i for i, (start, end) in enumerate(offsets) if end > start]
    starts = [offsets[i][0] for i in real]
    ends = [offsets[i][1] for i in real]
    ranges = []
    for mention in passage.mentions:
        own = _overlap(mention.span, real, starts, ends)
        sentence = _overlap(mention.sentence, real, starts, ends)
        ranges.append((own, (min(own[0], sentence[0]), max(own[1], sentence[1]))))
    return Encoded(tuple(ids), tuple(ranges))


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
