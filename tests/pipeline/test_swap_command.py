"""A user's own model: its country-swap shifts, and whether its explanations hold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.predictions import Explanation
from classifier.score import load
from classifier.score._explain import faithful_words, faithfulness, strongest
from classifier.swapping import country_shifts, named_mentions


def test_the_shifts_are_those_of_the_runs_own_test_articles(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    made = classifier.swap(linear_run, toy_set)
    trained = load(linear_run).trained
    held_out = {name for name, part in trained.parts.items() if part == "test"}
    part = classifier.restricted(toy_set, held_out)
    rows = country_shifts(trained, named_mentions(part, "stance"), trained.record["context"])
    assert list(made.rows) == rows
    assert made.n_articles <= len(held_out)


def test_the_largest_shift_is_named_with_its_bound(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    made = classifier.swap(linear_run, toy_set)
    moved = {"language": "all", "n": 4, "interval": [0.1, 0.3], "mean_size": 0.2}
    big = moved | {"from": "TR", "to": "RU", "mean": 0.2, "within": False}
    small = moved | {"from": "RU", "to": "TR", "mean": -0.01, "within": True}
    said = replace(made, rows=(small, big)).sentence
    assert said.startswith("Put in the place of TR, RU moves the mean stance score by +0.200")
    assert "above the bound of 0.03" in said


def test_a_set_without_known_names_says_which_are_known(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    kept = toy_set.table[toy_set.table["target"] == "nobody"]
    with pytest.raises(DataError, match="a swap needs mentions of TR, RU, UA by a name it knows"):
        classifier.swap(linear_run, replace(toy_set, table=kept))


def test_explanations_are_of_mentions_drawn_at_random(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    made = classifier.explain(linear_run, toy_set.articles[:6], n=3)
    assert len(made.explanations) == 3
    assert made.n_scored > 3
    assert set(made.to_frame()["unit"]) == {one.prediction.unit for one in made.explanations}


def test_no_mention_to_explain_is_an_error(linear_run: Path) -> None:
    with pytest.raises(DataError, match="an explanation needs a scored mention"):
        classifier.explain(linear_run, ["Nothing of note here."])


def _explained(linear_run: Path) -> Explanation:
    text = "Critics said that Russia had attacked the old harbour in the morning once more."
    return classifier.explain(linear_run, [text], n=1).explanations[0]


def test_taking_out_the_word_of_largest_weight_moves_the_score_by_that_weight(
    linear_run: Path,
) -> None:
    one = _explained(linear_run)
    made = faithfulness(load(linear_run).trained, [one])
    weight = abs(one.top(1)[0].weight)
    row = next(row for row in made.rows if (row.way, row.k) == ("deleted", 1))
    assert row.by_top == pytest.approx(weight, abs=1e-6)


def test_passages_of_few_words_cannot_be_checked(linear_run: Path) -> None:
    one = _explained(linear_run)
    short = replace(one, words=one.words[:7])
    with pytest.raises(DataError, match="1 mention explained, none has"):
        faithfulness(load(linear_run).trained, [short])


def test_words_that_push_down_harder_are_the_strongest() -> None:
    assert strongest(np.array([0.1, -0.3, -0.2, 0.2]), 2).tolist() == [1, 2]


def test_the_sentence_rests_on_the_way_that_no_method_has_seen(linear_run: Path) -> None:
    rows = faithfulness(load(linear_run).trained, [_explained(linear_run)]).rows
    sure = [replace(one, difference=replace(one.difference, low=0.1)) for one in rows]
    unsure = [
        replace(one, difference=replace(one.difference, low=-0.1)) if one.way == "ellipsis" else one
        for one in sure
    ]
    assert faithful_words(sure).startswith("Faithful here")
    assert faithful_words(unsure).startswith("Not shown to be faithful")
