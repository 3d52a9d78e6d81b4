"""Several annotation sets at once: read, recoded, weighted, and never mixed up between parts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.annotations import AnnotationSet, write_annotations
from classifier.codebook import Codebook, Label, Variable, default_codebook
from classifier.errors import DataError
from classifier.models import TrainOptions
from classifier.models.encoder._batches import SimilarLengths
from classifier.training import Corpus, Shares, read_corpora, train

LINEAR = TrainOptions(model="linear", test=0)
TONE = Codebook(
    "tone",
    "1",
    (),
    (
        Variable(
            "stance",
            "ordinal",
            "",
            (Label("unfavourable", "", -1.0), Label("favourable", "", 1.0)),
        ),
    ),
)


def other(toy_set: AnnotationSet) -> AnnotationSet:
    """The same sentences about another place, coded for stance only, by a codebook of its own."""
    articles = tuple(
        replace(a, article_id=f"o{a.article_id}", text=a.text.replace(".", "!!"))
        for a in toy_set.articles
    )
    table = toy_set.table.drop(columns=["roles", "voice"])
    table = table[table["stance"] != "neutral"].assign(
        article_id="o" + table["article_id"], unit="o" + table["unit"]
    )
    return AnnotationSet(articles, table, TONE)


def test_a_set_teaches_only_what_it_codes(toy_set: AnnotationSet) -> None:
    corpora = read_corpora([toy_set, Corpus(other(toy_set), "other")])
    assert corpora.annotation_set.codebook == default_codebook()
    added = corpora.annotation_set.table
    added = added[added["article_id"].str.startswith("o")]
    assert set(added["stance"]) == {"favourable", "unfavourable"}
    assert added["roles"].isna().all()


def test_folders_are_called_by_their_names(toy_set: AnnotationSet, tmp_path: Path) -> None:
    write_annotations(toy_set, tmp_path / "mine")
    assert [corpus.name for corpus in read_corpora(tmp_path / "mine").members] == ["mine"]


def test_no_set_and_an_idle_weight_are_refused(toy_set: AnnotationSet) -> None:
    with pytest.raises(DataError, match="at least one annotation set"):
        read_corpora([])
    with pytest.raises(DataError, match="weight of a corpus must be above 0, got 0"):
        Corpus(toy_set, "mine", 0)


def test_what_is_only_for_training_is_held_out_nowhere(toy_set: AnnotationSet) -> None:
    corpora = read_corpora([toy_set, Corpus(other(toy_set), "other", only_training=True)])
    parts = corpora.split("article", Shares(), 0).parts
    # the other set has the same words, so its copies of held-out texts are not trained on
    assert {part for part, ids in parts.items() if any(i.startswith("o") for i in ids)} == {"train"}
    held = {f"o{i}" for part, ids in parts.items() if part != "train" for i in ids}
    assert not held & set(parts["train"])


def test_a_run_on_two_sets_says_what_each_gave(toy_set: AnnotationSet, tmp_path: Path) -> None:
    both = [Corpus(toy_set, "mine"), Corpus(other(toy_set), "other", 0.5, only_training=True)]
    record = train(both, LINEAR, tmp_path / "run").record
    assert [(c["name"], c["weight"]) for c in record["corpora"]] == [("mine", 1.0), ("other", 0.5)]
    assert sum(c["training_mentions"] for c in record["corpora"]) == sum(
        record["training_languages"].values()
    )
    assert record["left_out"] == {"same text in a held-out part": 8}


def test_a_weight_changes_what_is_learnt(toy_set: AnnotationSet, tmp_path: Path) -> None:
    def weights(weight: float) -> bytes:
        both = [Corpus(toy_set), Corpus(other(toy_set), "other", weight)]
        return (train(both, LINEAR, tmp_path / f"{weight}").path / "linear.skops").read_bytes()

    assert weights(1.0) != weights(3.0)


def test_a_passage_comes_as_often_as_its_weight_says() -> None:
    sampler = SimilarLengths([5] * 30, 4, 0, [2.0] * 10 + [0.5] * 10 + [1.3] * 10)
    for epoch in range(3):
        sampler.set_epoch(epoch)
        times = np.bincount(list(sampler), minlength=30)
        # 10 x 2, 5 of 10 once, 10 once and 3 of them again
        assert len(list(sampler)) == len(sampler) == times.sum() == 20 + 5 + 13
        assert set(times[:10]) == {2}
        assert sorted(times[10:20]) == [0] * 5 + [1] * 5
        assert sorted(times[20:]) == [1] * 7 + [2] * 3


def test_without_weights_every_passage_comes_once() -> None:
    assert sorted(SimilarLengths([3, 9, 4], 2, 0)) == [0, 1, 2]
