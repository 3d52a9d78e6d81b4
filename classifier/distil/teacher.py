"""The teacher, and its hidden states for every English sentence: computed once, kept on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer, PreTrainedModel

from classifier.distil.options import Report
from classifier.distil.ragged import Ragged
from classifier.errors import ModelError
from classifier.files import replacing
from classifier.models.bases import find_base


def load_teacher(name: str) -> tuple[PreTrainedModel, Tokenizer]:
    """Model and bare tokenizer of a folder, a known name or a Hub id.

    Raises:
        ModelError: it cannot be found or loaded, or is not of the BERT family.
    """
    folder = find_base(name).folder
    try:
        model = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"a teacher with a fast tokenizer is required, {name} gave: {error}"
        ) from error
    if model.config.model_type != "bert":
        raise ModelError(
            f"a BERT encoder is required as teacher, {name} is {model.config.model_type}"
        )
    tokenizer.no_padding()
    return model.eval(), tokenizer


def batches_by_length(
    lengths: npt.NDArray[np.int64], batch_tokens: int, rng: np.random.Generator | None = None
) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of like length together, `batch_tokens` at most with padding; shuffled with `rng`."""
    order = np.argsort(lengths, kind="stable")
    if rng is not None:
        noise = rng.permutation(len(lengths))
        order = noise[np.argsort(lengths[noise], kind="stable")]
    batches, start = [], 0
    while start < len(order):
        end = start + 1
        while end < len(order) and (end + 1 - start) * lengths[order[end]] <= batch_tokens:
            end += 1
        batches.append(order[start:end])
        start = end
    yield from (batches if rng is None else (batches[n] for n in rng.permutation(len(batches))))


def padded(rows: Ragged, device: str, pad: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask of a batch."""
    lengths = rows.lengths
    mask = np.arange(lengths.max())[None, :] < lengths[:, None]
    ids = np.full(mask.shape, pad, dtype=np.int64)
    ids[mask] = rows.values
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def hidden_states(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Last hidden states, in bf16 arithmetic."""
    with torch.autocast(ids.device.type, dtype=torch.bfloat16):
        states: torch.Tensor = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state
    return states


def mean_pooled(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over a sentence's tokens, in single precision."""
    weight = mask.unsqueeze(-1).float()
    return (states.float() * weight).sum(1) / weight.sum(1)


@dataclass(frozen=True)
class Targets:
    """What the student should reproduce."""

    tokens: npt.NDArray[np.float16]
    """Hidden states of all teacher tokens, one after the other (a memory map)."""
    sentences: npt.NDArray[np.float32]
    """Their mean per sentence."""


@torch.inference_mode()
def teacher_targets(
    model: PreTrainedModel, rows: Ragged, folder: Path, device: str, report: Report
) -> Targets:
    """Hidden states of every row, from disk where they are there already."""
    tokens_path, sentences_path = folder / "teacher-tokens.npy", folder / "teacher-sentences.npy"
    if not sentences_path.exists():
        _write_targets(model.to(device), rows, (tokens_path, sentences_path), device, report)
    return Targets(np.load(tokens_path, mmap_mode="r"), np.load(sentences_path))


def _write_targets(
    model: PreTrainedModel, rows: Ragged, paths: tuple[Path, Path], device: str, report: Report
) -> None:
    size = model.config.hidden_size
    tokens = np.lib.format.open_memmap(paths[0], "w+", np.float16, (len(rows.values), size))
    sentences = np.empty((len(rows), size), dtype=np.float32)
    batches = list(batches_by_length(rows.lengths, 8192))
    for number, batch in enumerate(batches):
        own = rows.take(batch)
        ids, mask = padded(own, device)
        states = hidden_states(model, ids, mask)
        sentences[batch] = mean_pooled(states, mask).cpu().numpy()
        flat = states[mask].to(torch.float16).cpu().numpy()
        place = np.arange(len(flat)) + np.repeat(rows.bounds[batch] - own.bounds[:-1], own.lengths)
        tokens[place] = flat
        if number % 50 == 0:
            report(f"teacher: batch {number} of {len(batches)}")
    tokens.flush()
    with replacing(paths[1]) as draft, draft.open("wb") as file:
        np.save(file, sentences)
