"""The small scorer: layers that are cut, learnt and packed."""

import gzip
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel

from classifier.models import read_run
from classifier.models._bases import unpack
from classifier.models.encoder._model import EncoderModel, load_encoder
from classifier.records import Passage, PassageMention, Span
from recipes.real import parallel_texts
from recipes.student import (
    chosen_layers,
    cut_layers,
    distil_judgements,
    distil_states,
    make_student,
    named_passages,
    pack,
    with_heads,
)


def _teacher(run: Path) -> EncoderModel:
    known = read_run(run).model
    return load_encoder(run, known.variables, known.options)


def _passage(i: int, verb: str) -> Passage:
    text = f"The council of town {i} {verb} Turkey."
    start = text.index("Turkey")
    mention = PassageMention(f"{i}{verb}", Span(start, start + 6), Span(0, len(text)))
    return Passage(f"{i}{verb}", 0, text, "en", (mention,))


def test_numbers_of_four_bits_come_back_as_they_were() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(-8, 8, size=(3, 64)).astype(np.float32)
    numbers[:, ::32] = -8
    weights = numbers * np.float32(0.25)
    np.testing.assert_array_equal(unpack(*pack(weights)), weights)


def test_packed_weights_are_as_near_as_half_a_step() -> None:
    weights = np.linspace(-1, 1, 128, dtype=np.float32).reshape(2, 64)
    found = unpack(*pack(weights))
    # the largest weight is 8 steps of 1/8 away from zero, or fewer
    assert np.abs(found - weights).max() <= 1 / 8


def test_a_block_of_zeros_stays_zero() -> None:
    weights = np.zeros((1, 32), dtype=np.float32)
    np.testing.assert_array_equal(unpack(*pack(weights)), weights)


def test_names_are_words_with_a_capital_that_begin_no_sentence() -> None:
    (passage,) = named_passages(["Yesterday the council met Vera Brink.", "nobody came."])
    assert [m.span.of(passage.text) for m in passage.mentions] == ["Vera Brink"]


def test_a_translation_of_a_held_out_sentence_is_held_out(tmp_path: Path) -> None:
    (tmp_path / "parallel").mkdir()
    rows = {
        "en-nl": [("A", "nl-a", "wmt"), ("B", "nl-b", "wmt"), ("C", "nl-c", "dictionary")],
        "en-tr": [("A", "tr-a", "wmt")],
    }
    for name, lines in rows.items():
        with gzip.open(tmp_path / "parallel" / f"{name}.tsv.gz", "wt", encoding="utf-8") as file:
            file.writelines("\t".join(line) + "\n" for line in lines)
    assert parallel_texts(tmp_path, frozenset({"nl-a"})) == ["B", "nl-b"]


def test_the_layers_learn_the_states_of_the_teacher(tiny_bert: Path) -> None:
    torch.manual_seed(0)
    teacher = AutoModel.from_pretrained(tiny_bert, attn_implementation="eager").eval()
    student = cut_layers(teacher, 1)
    sentences = [[2, *range(5 + i, 15 + i), 3] for i in range(64)]
    errors: list[float] = []
    distil_states(
        teacher,
        student,
        sentences,
        60,
        progress=lambda _, __, note: errors.append(float(note.split()[-1])),
    )
    assert errors[-1] < 0.96 * errors[0]
    before, after = teacher.embeddings.state_dict(), student.embeddings.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_heads_learn_what_the_teacher_says(encoder_run: Path) -> None:
    torch.manual_seed(0)
    large = _teacher(encoder_run)
    student = with_heads(large.network, cut_layers(large.network.encoder, 1))
    passages = [_passage(i, verb) for i in range(20) for verb in ("praised", "blamed")]
    encoded = large.reader.encoded(passages)
    errors: list[float] = []
    distil_judgements(
        large,
        student,
        encoded,
        epochs=10,
        progress=lambda _, __, note: errors.append(float(note.split()[-1])),
    )
    assert errors[-1] < errors[0]
    assert set(student.heads) == set(large.network.heads)


def test_layers_are_chosen_evenly_with_the_last_one() -> None:
    assert chosen_layers(12, 4) == [2, 5, 8, 11]


def test_only_the_matrices_of_the_base_learn(encoder_run: Path, tiny_bert: Path) -> None:
    large = _teacher(encoder_run)
    base = AutoModel.from_pretrained(tiny_bert, attn_implementation="eager")
    before = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    student = make_student(large, base, [_passage(i, "praised") for i in range(8)])
    changed = {
        name
        for name, tensor in student.encoder.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    assert changed
    assert all(before[name].ndim == 2 and name.startswith("encoder.") for name in changed)
