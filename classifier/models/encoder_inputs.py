"""From passages to tensors, in batches of similar length."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from classifier.models.tokens import Encoded, TokenRange, TokenReader
from classifier.records import Passage

__all__ = ["Encoded", "TokenRange", "collate", "encode_passages", "length_batches"]


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
