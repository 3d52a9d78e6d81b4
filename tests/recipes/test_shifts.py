"""A swap of countries: what it does to a score, and a head that does not see it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from classifier.annotations import AnnotationSet
from classifier.codebook import default_codebook
from classifier.models import Calibration, TrainOptions
from classifier.models.encoder._model import EncoderModel, new_encoder
from classifier.records import Article, Span
from classifier.swapping import Named, country_shifts, named_mentions, passages_of, shifts
from recipes.country_bias import level_head, mention_vectors

TEXT = "Turkey praised the harbour. Critics blamed Russia for the delay."
ITEM = Named(Article("a", TEXT, language="en"), ((Span(0, 6), "TR"), (Span(43, 49), "RU")))
STANCE = default_codebook().variable("stance")


@pytest.fixture
def model(tiny_bert: Path) -> EncoderModel:
    return new_encoder((STANCE,), TrainOptions(base_model=str(tiny_bert), precision="float32"))


class _Reader:
    def __init__(self, model: EncoderModel) -> None:
        self.model = model
        self.calibration = Calibration({})


def test_a_copy_has_the_mentions_in_each_others_place() -> None:
    copy = ITEM.copies()["TR", "RU"]
    assert copy.article.text == "Russia praised the harbour. Critics blamed Turkey for the delay."
    assert copy.mentions == ((Span(0, 6), "RU"), (Span(43, 49), "TR"))


def test_each_mention_is_put_in_the_place_of_two_others(model: EncoderModel) -> None:
    rows = shifts(_Reader(model), [ITEM])
    assert list(zip(rows["from"], rows["to"], strict=True)) == [
        ("TR", "RU"),
        ("TR", "UA"),
        ("RU", "TR"),
        ("RU", "UA"),
    ]


def test_a_shift_is_the_difference_of_two_expected_stances(model: EncoderModel) -> None:
    copy = ITEM.copies()["TR", "UA"]
    passages = passages_of([ITEM, copy], model, 1)
    expected = model.predict(passages)["stance"] @ np.array(STANCE.numbers, dtype=float)
    rows = shifts(_Reader(model), [ITEM]).set_index(["from", "to"])
    assert rows.loc[("TR", "UA"), "shift"] == pytest.approx(expected[2] - expected[0], abs=1e-6)


def test_a_pair_without_mentions_has_no_row(model: EncoderModel) -> None:
    rows = country_shifts(_Reader(model), [ITEM])
    assert {row["from"] for row in rows} == {"TR", "RU"}
    assert all(row["n"] == 1 for row in rows)


def test_no_items_give_no_rows(model: EncoderModel) -> None:
    assert country_shifts(_Reader(model), []) == []


def test_only_settled_mentions_in_a_known_form_are_swapped(toy_set: AnnotationSet) -> None:
    items = named_mentions(toy_set, "stance")
    texts = {span.of(item.article.text) for item in items for span, _ in item.mentions}
    assert texts == {"Russia", "Turkey", "Ukraine", "Rusland", "Turkije", "Oekraïne"}


def test_a_levelled_head_does_not_see_the_swaps_it_was_levelled_by(model: EncoderModel) -> None:
    others = [
        replace(ITEM, article=replace(ITEM.article, article_id=f"a{n}", text=f"{TEXT} Ship {n}."))
        for n in range(3)
    ]
    before = _mean_logit_shift(model, others, ("TR", "RU"), mention=0)
    assert level_head(model, "stance", others) == 2
    after = _mean_logit_shift(model, others, ("TR", "RU"), mention=0)
    assert np.abs(after).max() < 0.5 * np.abs(before).max()


def _mean_logit_shift(
    model: EncoderModel, items: list[Named], pair: tuple[str, str], mention: int
) -> NDArray[np.float64]:
    weight = model.network.heads["stance"].get_parameter("weight").detach().double().numpy()
    moved = [
        mention_vectors(model, passages_of([item.copies()[pair]], model, 1))[mention]
        - mention_vectors(model, passages_of([item], model, 1))[mention]
        for item in items
    ]
    return np.asarray(weight @ np.mean(moved, axis=0))


def test_without_items_the_head_stays(model: EncoderModel) -> None:
    weight = model.network.heads["stance"].get_parameter("weight")
    before = weight.detach().clone()
    assert level_head(model, "stance", []) == 0
    assert torch.equal(before, weight)
