"""How close a student came: finding the translation among others, and staying put in English."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from classifier.distil.corpus import encode
from classifier.distil.pairs import Pair
from classifier.distil.ragged import ragged
from classifier.distil.teacher import batches_by_length, hidden_states, mean_pooled, padded

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Figures:
    """One language's held-out pairs, read by the student alone."""

    language: str
    pairs: int
    to_english: float
    """Share of foreign sentences whose nearest English sentence is their own."""
    from_english: float
    """Share of English sentences whose nearest foreign sentence is their own."""
    english_cosine: float
    """Mean cosine between student and teacher on the English side."""
    foreign_cosine: float
    """Mean cosine between the student's foreign sentence and the teacher's English one."""
    tokens: float
    """The student's tokens per foreign sentence."""


@torch.inference_mode()
def embed(
    model: PreTrainedModel, tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int
) -> Vectors:
    """Mean-pooled sentence vectors, of length 1."""
    rows = ragged(encode(tokenizer, texts, max_tokens))
    vectors = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
    device = str(model.device)
    for batch in batches_by_length(rows.lengths, 8192):
        ids, mask = padded(rows.take(batch), device, model.config.pad_token_id)
        vectors[batch] = mean_pooled(hidden_states(model, ids, mask), mask).cpu().numpy()
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def retrieval(queries: Vectors, candidates: Vectors) -> float:
    """Share of queries whose nearest candidate (cosine) is the one of the same row.

    >>> retrieval(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32)[::-1])
    0.0
    """
    nearest = (queries @ candidates.T).argmax(axis=1)
    return float((nearest == np.arange(len(queries))).mean())


def evaluate(
    held_out: dict[str, tuple[Pair, ...]],
    student: tuple[PreTrainedModel, Tokenizer],
    teacher: tuple[PreTrainedModel, Tokenizer],
    max_tokens: int = 96,
) -> list[Figures]:
    """Figures per language; `student` and `teacher` are model and tokenizer."""
    figures = []
    for language, pairs in held_out.items():
        english, foreign = [p.english for p in pairs], [p.foreign for p in pairs]
        wanted = embed(*teacher, english, max_tokens)
        got, read = embed(*student, english, max_tokens), embed(*student, foreign, max_tokens)
        figures.append(
            Figures(
                language,
                len(pairs),
                retrieval(read, got),
                retrieval(got, read),
                float((got * wanted).sum(axis=1).mean()),
                float((read * wanted).sum(axis=1).mean()),
                ragged(encode(student[1], foreign, max_tokens)).lengths.mean().item(),
            )
        )
    return figures
