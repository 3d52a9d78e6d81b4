"""Which tokens belong to a mention, and which passages share a batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from classifier.models import TrainOptions
from classifier.models.encoder._batches import (
    Frame,
    SimilarLengths,
    TrainingBatches,
    collate,
    encode_passages,
    join,
)
from classifier.models.encoder._fit import label_weights, log_odds
from classifier.models.encoder._model import read_tokenizer
from classifier.models.encoder._network import UsedRows, masked_loss
from classifier.models.encoder._tokens import Encoded, length_batches
from classifier.records import Passage, PassageMention, Span

TEXT = "The council praised Turkey’s patience… Türkiye'yi övdü."


@pytest.fixture(params=["tiny_bert", "tiny_xlmr"])
def tokenizer(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    folder: Path = request.getfixturevalue(request.param)
    return read_tokenizer(folder)


def encode(text: str, surface: str, tokenizer: Any, limit: int = 96) -> Encoded:  # noqa: ANN401
    span = Span(text.index(surface), text.index(surface) + len(surface))
    whole = Span(0, len(text))
    passage = Passage("a", 0, text, "en", (PassageMention("u", span, whole),))
    return encode_passages([passage], tokenizer, limit)[0]


@pytest.mark.parametrize("surface", ["Turkey", "Türkiye'yi", "council", "övdü."])
def test_a_mentions_tokens_read_like_the_mention(surface: str, tokenizer: Any) -> None:  # noqa: ANN401
    encoded = encode(TEXT, surface, tokenizer)
    start, end = encoded.ranges[0][0]
    pieces = tokenizer.convert_ids_to_tokens(encoded.token_ids[start:end])
    plain = "".join(piece.replace("##", "").replace("▁", "") for piece in pieces)
    folded = surface.lower().replace("ü", "u").replace("ö", "o")
    assert plain in {surface, folded}


def test_the_sentence_holds_the_mention_and_no_special_token(tokenizer: Any) -> None:  # noqa: ANN401
    encoded = encode(TEXT, "Turkey", tokenizer)
    (own_start, own_end), (start, end) = encoded.ranges[0]
    assert 1 == start <= own_start < own_end <= end == len(encoded) - 1


def test_a_mention_that_leaves_no_token_takes_the_nearest(tokenizer: Any) -> None:  # noqa: ANN401
    start, end = encode("Kyiv \u00ad\u200b praised", "\u00ad\u200b", tokenizer).ranges[0][0]
    assert end > start >= 1


def test_a_mention_beyond_the_limit_takes_the_last_token(tokenizer: Any) -> None:  # noqa: ANN401
    encoded = encode("praised " * 200 + "Turkey", "Turkey", tokenizer, limit=20)
    assert len(encoded) == 20
    assert encoded.ranges[0][0] == (18, 19)


def test_collated_places_point_at_the_same_tokens() -> None:
    batch = [Encoded((7, 8, 9), (((1, 2), (0, 3)),)), Encoded((4, 5), (((0, 1), (0, 2)),) * 2)]
    tensors = collate(batch, pad_id=0)
    assert tensors["input_ids"].tolist() == [[7, 8, 9], [4, 5, 0]]
    assert tensors["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    flat = tensors["input_ids"].reshape(-1)
    owner, place = tensors["mention_tokens"]
    assert owner.tolist() == [0, 1, 2]
    assert flat[place].tolist() == [8, 4, 4]
    owner, place = tensors["sentence_tokens"]
    assert flat[place].tolist() == [7, 8, 9, 4, 5, 4, 5]


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(1, 1000))
def test_batches_hold_everything_once_and_keep_the_budget(lengths: list[int], budget: int) -> None:
    batches = list(length_batches(lengths, budget))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget


@given(st.lists(st.integers(1, 200), min_size=1, max_size=200), st.integers(1, 16))
def test_an_epoch_holds_every_passage_once(lengths: list[int], batch_size: int) -> None:
    sampler = SimilarLengths(lengths, batch_size, seed=3)
    first = list(sampler)
    assert sorted(first) == list(range(len(lengths)))
    assert first == list(sampler)
    sampler.set_epoch(1)
    assert sorted(sampler) == sorted(first)


def test_batches_are_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(5, 200, 3200)
    order = lengths[list(SimilarLengths(lengths.tolist(), 32, seed=0))].reshape(-1, 32)
    padded = order.max(axis=1).sum() * 32
    assert lengths.sum() / padded > 0.9


def test_mentions_that_were_not_coded_cost_nothing() -> None:
    logits = torch.tensor([[0.0, 0.0], [9.0, -9.0]])
    # an undecided model over two labels: ln 2
    assert masked_loss(logits, torch.tensor([1, -1])).item() == pytest.approx(np.log(2))
    # two labels are two questions, each undecided
    sets = torch.tensor([[1, 0], [-1, -1]])
    assert masked_loss(logits, sets).item() == pytest.approx(2 * np.log(2))
    # a label that is left open is no question
    open_ = torch.tensor([[1, -1], [-1, -1]])
    assert masked_loss(logits, open_).item() == pytest.approx(np.log(2))


def test_a_batch_without_codes_has_no_loss() -> None:
    assert masked_loss(torch.zeros(2, 3), torch.tensor([-1, -1])).item() == 0
    assert masked_loss(torch.zeros(1, 2), torch.tensor([[-1, -1]])).item() == 0


def test_weights_count_as_copies() -> None:
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    twice = masked_loss(torch.cat([logits, logits[1:]]), torch.tensor([0, 0, 0]))
    # one mention of label 0 and one of label 1 that weighs two: like copying the second
    weighted = masked_loss(logits, torch.tensor([0, 1]), torch.tensor([1.0, 2.0]))
    copied = masked_loss(torch.cat([logits, logits[1:]]), torch.tensor([0, 1, 1]))
    assert weighted.item() == pytest.approx(copied.item())
    assert twice.item() != pytest.approx(copied.item())


def test_joined_passages_keep_their_mentions() -> None:
    # 1 opens, 2 closes a passage; the mentions are 11 and 22
    first = Encoded((1, 10, 11, 2), (((2, 3), (1, 3)),))
    second = Encoded((1, 20, 21, 22, 2), (((3, 4), (1, 4)),))
    both = join([first, second], Frame(pad_id=0, before=1, after=1))
    assert both.token_ids == (1, 10, 11, 20, 21, 22, 2)
    assert [both.token_ids[own[0] : own[1]] for own, _ in both.ranges] == [(11,), (22,)]
    assert [both.token_ids[all_[0] : all_[1]] for _, all_ in both.ranges] == [
        (10, 11),
        (20, 21, 22),
    ]


def test_joining_keeps_rows_and_the_limit() -> None:
    frame = Frame(pad_id=0, before=1, after=1)
    passages = [Encoded((1, *range(i, i + 10), 2), (((1, 2), (1, 11)),)) for i in range(10, 42)]
    items = [(passage, {"tone": np.array([i])}) for i, passage in enumerate(passages)]
    for seed in range(8):
        options = TrainOptions(joined=1, max_tokens=64, seed=seed)
        batch = TrainingBatches(frame, options)(items)
        assert batch["input_ids"].shape[1] in (22, 42)
        assert batch["labels_tone"].tolist() == list(range(32))
        owner, place = batch["mention_tokens"]
        assert owner.tolist() == list(range(32))
        assert batch["input_ids"].reshape(-1)[place].tolist() == list(range(10, 42))


def test_a_label_that_does_not_occur_has_a_weight_too() -> None:
    options = TrainOptions(class_weights="balanced")
    weights = label_weights({"tone": [np.array([0, 0, 1, -1])]}, options, {"tone": 3})["tone"]
    # counted as 2, 1 and 1 of 4: 4 / (3 x 2), 4 / (3 x 1)
    assert weights.tolist() == pytest.approx([2 / 3, 4 / 3, 4 / 3])


def test_a_fresh_head_begins_at_the_shares_of_its_labels() -> None:
    labels = {
        "tone": [np.array([0, 0, 1, -1])],
        "roles": [np.array([[1, 0], [0, 0], [-1, -1]])],
    }
    found = log_odds(labels, TrainOptions(), {"tone": 3, "roles": 2})
    # with one more of each: 3, 2 and 1 of 6; and 2 against 2, 1 against 3
    assert torch.softmax(found["tone"], 0).tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6])
    assert torch.sigmoid(found["roles"]).tolist() == pytest.approx([1 / 2, 1 / 4])


def test_a_fresh_head_begins_even_where_labels_are_weighted() -> None:
    options = TrainOptions(class_weights="balanced")
    assert log_odds({"tone": [np.array([0, 0, 1])]}, options, {"tone": 2})["tone"].tolist() == [
        0,
        0,
    ]


def test_of_a_token_table_only_the_rows_that_occur_are_trained() -> None:
    table = torch.nn.Embedding(6, 4)
    before = table.weight.detach().clone()
    used = UsedRows(table, [3, 1, 3])
    ids = torch.tensor([[1, 3], [5, 0]])
    assert torch.equal(used(ids), before[ids])
    used(ids).sum().backward()
    assert [name for name, p in used.named_parameters() if p.requires_grad] == ["rows"]
    assert used.rows.grad is not None
    assert torch.equal(used.rows.grad, torch.ones(2, 4))
    with torch.no_grad():
        used.rows.add_(1)
    expected = before.clone()
    expected[[1, 3]] += 1
    assert torch.equal(used.whole().weight, expected)
