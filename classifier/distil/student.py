"""The student: the teacher's body with a token table of its own, started from aligned tokens."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array, diags_array
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModel, PreTrainedModel

from classifier.distil.tokenizer import PAD, SPECIAL
from classifier.errors import ModelError


def initial_embeddings(
    counts: csr_array, teacher_table: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Each student token as the mean of the teacher tokens it stands for.

    `counts` weighs them (student tokens by teacher tokens). The mean of several vectors is shorter
    than they are: it gets their mean length back. A token that stands for nothing starts at the
    mean of the table.
    """
    totals = counts.sum(axis=1)
    weights = diags_array(1 / np.maximum(totals, 1e-30)) @ counts
    table = np.asarray(weights @ teacher_table)
    wished = weights @ np.linalg.norm(teacher_table, axis=1)
    table *= (wished / np.maximum(np.linalg.norm(table, axis=1), 1e-30))[:, None]
    table[totals == 0] = teacher_table.mean(axis=0)
    return table.astype(np.float32)


def copy_special(
    table: npt.NDArray[np.float32], teacher_table: npt.NDArray[np.float32], teacher: Tokenizer
) -> None:
    """Give the special tokens the teacher's rows, in place."""
    for number, token in enumerate(SPECIAL):
        row = teacher.token_to_id(token)
        if row is not None:
            table[number] = teacher_table[row]


def make_student(teacher: PreTrainedModel, table: npt.NDArray[np.float32]) -> PreTrainedModel:
    """A copy of the teacher that reads the student's tokens; no dropout."""
    config = AutoConfig.for_model(**teacher.config.to_dict())
    config.vocab_size = len(table)
    config.pad_token_id = PAD
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    student = AutoModel.from_config(config, attn_implementation="eager", dtype=torch.float32)
    state = {
        name: value
        for name, value in teacher.state_dict().items()
        if name != "embeddings.word_embeddings.weight"
    }
    student.load_state_dict({**state, "embeddings.word_embeddings.weight": torch.from_numpy(table)})
    return student


def load_student(folder: Path) -> PreTrainedModel:
    """A finished base as `distil` wrote it, in single precision and without dropout.

    Raises:
        ModelError: the folder holds none.
    """
    try:
        return AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: a base to go on from is required, got: {error}") from error
