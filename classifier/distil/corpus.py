"""Training rows as numbers: what the student reads, which teacher row it should meet, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file
from scipy.sparse import coo_array, csr_array
from tokenizers import Tokenizer

from classifier.distil.alignment import align, overlap_links
from classifier.distil.options import DistilOptions
from classifier.distil.pairs import Pair
from classifier.distil.passages import grouped, joined_links, joined_rows, varied
from classifier.distil.ragged import Ints, Ragged, bounds_of, joined, ragged
from classifier.distil.tokenizer import SPECIAL

CHUNK = 2000
"""Sentences encoded with offsets at once: bounds memory."""


@dataclass(frozen=True)
class Corpus:
    """Examples for the student. The teacher reads each English sentence once."""

    teacher_ids: Ragged
    """Distinct English sentences, in the teacher's tokens, special ones included."""
    student_ids: Ragged
    """Examples in the student's tokens: the sentences of `teacher_ids`, then other languages."""
    target: npt.NDArray[np.int64]
    """Row of `teacher_ids` that an example means."""
    links: Ragged
    """Per example student and teacher positions in turn (see `Aligned.links`)."""
    counts: csr_array
    """Student tokens by teacher tokens: how often one stands for the other."""

    def save(self, path: Path) -> None:
        """Write everything as one safetensors file."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"target": self.target}
        for name in ("teacher_ids", "student_ids", "links"):
            arrays[f"{name}.values"] = getattr(self, name).values
            arrays[f"{name}.bounds"] = getattr(self, name).bounds
        for name in ("data", "indices", "indptr", "shape"):
            arrays[f"counts.{name}"] = np.asarray(getattr(self.counts, name))
        save_file(arrays, path)

    @classmethod
    def load(cls, path: Path) -> "Corpus":
        """Read what `save` wrote."""
        stored = load_file(path)
        rows = {
            name: Ragged(stored[f"{name}.values"], stored[f"{name}.bounds"])
            for name in ("teacher_ids", "student_ids", "links")
        }
        parts = tuple(stored[f"counts.{name}"] for name in ("data", "indices", "indptr"))
        counts = csr_array(parts, shape=tuple(stored["counts.shape"]))
        return cls(target=stored["target"], counts=counts, **rows)


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[Sequence[int]]:
    """Token ids, special ones included, cut after `max_tokens`."""
    tokenizer.enable_truncation(max_tokens)
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def _without_ends(rows: Ragged, first: int, last: int) -> Ragged:
    """Each row without its `first` first and `last` last tokens (0 or 1 each)."""
    keep = np.ones(len(rows.values), dtype=bool)
    if first:
        keep[rows.bounds[:-1]] = False
    if last:
        keep[rows.bounds[1:] - 1] = False
    return Ragged(rows.values[keep], bounds_of(rows.lengths - first - last))


def _with_specials(links: Ragged, student: Ragged, teacher: Ragged) -> Ragged:
    """Count teacher positions from [CLS] on, and link [CLS] to [CLS] and [SEP] to [SEP]."""
    values = links.values.reshape(-1, 2).astype(np.int64)
    values[:, 1] += 1
    row = np.repeat(np.arange(len(links)), links.lengths // 2)
    zeros = np.zeros(len(links), dtype=np.int64)
    ends = np.stack([student.lengths - 1, teacher.lengths - 1], axis=1)
    every = np.concatenate([np.stack([zeros, zeros], axis=1), values, ends])
    order = np.argsort(
        np.concatenate([np.arange(len(links)), row, np.arange(len(links))]), kind="stable"
    )
    return Ragged(every[order].astype(np.uint8).ravel(), bounds_of(links.lengths + 4))


def _share(
    student: Ints, teacher: Ints, weight: npt.NDArray[np.floating], shape: tuple[int, int]
) -> csr_array:
    """Counts of one language, scaled to a sum of 1 so that every language weighs the same."""
    counts = coo_array((weight.astype(np.float32), (student, teacher)), shape=shape).tocsr()
    return csr_array(counts / max(float(counts.sum()), 1e-30))


@dataclass(frozen=True)
class _Part:
    """One language's share of a corpus."""

    ids: Ragged
    links: Ragged
    target: npt.NDArray[np.int64]
    counts: csr_array


def _foreign_part(
    pairs: Sequence[Pair],
    number: dict[str, int],
    tokenizers: tuple[Tokenizer, Tokenizer],
    options: DistilOptions,
) -> _Part:
    """One language: its examples in the student's tokens, aligned with the teacher's by IBM 1."""
    student = ragged(encode(tokenizers[0], [p.foreign for p in pairs], options.max_tokens))
    teacher = ragged(encode(tokenizers[1], [p.english for p in pairs], options.max_tokens))
    filled = np.flatnonzero((student.lengths > 2) & (teacher.lengths > 2))
    student, teacher = student.take(filled), teacher.take(filled)
    aligned = align(_without_ends(student, 0, 1), _without_ends(teacher, 1, 1))
    real = aligned.student >= len(SPECIAL)
    shape = (tokenizers[0].get_vocab_size(), tokenizers[1].get_vocab_size())
    counts = _share(aligned.student[real], aligned.teacher[real], aligned.weight[real], shape)
    links = _with_specials(aligned.links, student, teacher)
    meant = [-1 if p.origin in options.alignment_only else number[p.english] for p in pairs]
    target = np.array(meant, dtype=np.int64)[filled]
    trained = np.flatnonzero(target >= 0)
    return _Part(student.take(trained), links.take(trained), target[trained], counts)


def _english_part(
    sentences: Sequence[str], student: Tokenizer, teacher: Tokenizer, max_tokens: int
) -> _Part:
    """English: the same text in both vocabularies, linked where tokens overlap."""
    student.enable_truncation(max_tokens)
    teacher.enable_truncation(max_tokens)
    ids, teacher_ids, links = [], [], []
    for start in range(0, len(sentences), CHUNK):
        some = list(sentences[start : start + CHUNK])
        for s, t in zip(student.encode_batch(some), teacher.encode_batch(some), strict=True):
            ids.append(s.ids)
            teacher_ids.append(t.ids)
            inner = overlap_links(s.offsets, t.offsets)
            links.append([0, 0, *inner, len(s.ids) - 1, len(t.ids) - 1])
    rows, packed, read = ragged(ids), ragged(links, np.uint8), ragged(teacher_ids)
    row = np.repeat(np.arange(len(packed)), packed.lengths // 2)
    place = packed.values.reshape(-1, 2).astype(np.int64)
    s_token = rows.values[rows.bounds[row] + place[:, 0]]
    t_token = read.values[read.bounds[row] + place[:, 1]]
    real = s_token >= len(SPECIAL)
    shape = (student.get_vocab_size(), teacher.get_vocab_size())
    counts = _share(s_token[real], t_token[real], np.ones(int(real.sum())), shape)
    return _Part(rows, packed, np.arange(len(sentences)), counts)


def _passages(
    english: _Part, foreign: Sequence[_Part], teacher: Ragged, options: DistilOptions
) -> tuple[Ragged, _Part, list[_Part]]:
    """Passages of every language: what the teacher reads, then the same in English and foreign.

    Rows of the teacher count on from its sentences.
    """
    rng = np.random.default_rng([options.seed, len(teacher)])
    read: list[Ragged] = []
    own: list[_Part] = []
    others: list[_Part] = []
    limits = (options.passages, options.max_tokens, options.passage_tokens)
    first = len(teacher)
    for part in foreign:
        lengths = teacher.lengths[part.target]
        longest = np.maximum(part.ids.lengths, english.ids.lengths[part.target])
        groups = grouped(longest, lengths, limits, rng)
        meant = [part.target[group] for group in groups]
        read.append(joined_rows(teacher, meant))
        targets = np.arange(first, first + len(groups))
        first += len(groups)
        for kind, rows, made in ((part, groups, others), (english, meant, own)):
            ids = joined_rows(kind.ids, rows)
            lengths_of = teacher.lengths[kind.target]
            links = joined_links(kind.links, kind.ids.lengths, lengths_of, rows)
            made.append(_Part(ids, links, targets, kind.counts))
    return joined(read), _stacked(own), others


def _stacked(parts: Sequence[_Part]) -> _Part:
    return _Part(
        joined([part.ids for part in parts]),
        joined([part.links for part in parts]),
        np.concatenate([part.target for part in parts]),
        parts[0].counts,
    )


def build_corpus(
    pairs: Sequence[Pair],
    english: Sequence[str],
    tokenizers: tuple[Tokenizer, Tokenizer],
    options: DistilOptions,
) -> Corpus:
    """Encode and align everything; `tokenizers` are the student's and the teacher's."""
    student, teacher = tokenizers
    trained = [pair for pair in pairs if pair.origin not in options.alignment_only]
    own = {pair.english for pair in trained} | set(english)
    own |= set(varied(sorted(own), options.varied, np.random.default_rng(options.seed)))
    sentences = sorted(own)
    number = {sentence: row for row, sentence in enumerate(sentences)}
    part = _english_part(sentences, student, teacher, options.max_tokens)
    counts, foreign = part.counts * options.english_share, []
    for language in sorted({pair.language for pair in pairs}):
        rows = [pair for pair in pairs if pair.language == language]
        foreign.append(_foreign_part(rows, number, tokenizers, options))
        counts = csr_array(counts + foreign[-1].counts)
    read, parts = ragged(encode(teacher, sentences, options.max_tokens)), [part, *foreign]
    if options.passages:
        more, own_passages, others = _passages(part, foreign, read, options)
        read, parts = joined([read, more]), [part, own_passages, *foreign, *others]
    every = _stacked(parts)
    return Corpus(read, every.ids, every.target, every.links, counts)
