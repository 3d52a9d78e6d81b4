"""The variants of `benchmarks.quality` train and are judged, on a tiny base and toy articles."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.annotations import AnnotationSet, adjudicate
from classifier.models.encoder._tokens import Encoded

PARTS = {"train": range(24), "calibration": range(24, 30), "test": range(30, 40)}


@pytest.fixture
def quality(monkeypatch: pytest.MonkeyPatch, toy_set: AnnotationSet) -> Any:  # noqa: ANN401
    data, runs = (
        importlib.import_module(f"benchmarks.quality._{name}") for name in ("data", "runs")
    )
    parts = {part: tuple(f"t{i}" for i in numbers) for part, numbers in PARTS.items()}

    def toy(name: str) -> Any:  # noqa: ANN401
        return data.Corpus(name, toy_set, adjudicate(toy_set), parts)

    monkeypatch.setattr(runs, "load_corpus", toy)
    return runs


def _recipe(base: Path, name: str) -> Any:  # noqa: ANN401
    variants = importlib.import_module("benchmarks.quality._variants")
    recipe = variants.variant(name, variants.reference(str(base), 1, 1))
    coded = tuple(v for v in recipe.variables if v != "voice")  # the toy articles lack it
    options = replace(recipe.options, batch_size=16, max_tokens=80)
    return replace(recipe, variables=coded, options=options)


@pytest.mark.parametrize(
    "name",
    [
        "reference",
        "full fine-tuning",
        "balanced class weights",
        "ordinal loss",
        "focal loss",
        "moving average .99",
        "ruopinionne by a head of its own",
        "in turn",
        "sample twice",
        "pooling: mention",
        "pooling: first and last token",
        "pooling: largest",
        "pooling: attention",
        "markers",
        "swapped copies",
        "R-drop",
    ],
)
def test_a_variant_trains_and_is_judged(
    quality: Any,  # noqa: ANN401
    tiny_bert: Path,
    tmp_path: Path,
    name: str,
) -> None:
    scope = quality.Scope(log=tmp_path / "log.jsonl")
    recipe = _recipe(tiny_bert, name)
    record = quality.run(name, recipe, scope, ("sample",))
    assert record["figures"]["sample/test"]["n"] == 30  # ten articles of three mentions
    assert 0 <= record["figures"]["sample/test"]["macro_f1"][0] <= 1
    assert quality.done(scope.log) == {(name, quality.plain(recipe)["id"])}


def test_other_architectures_go_the_same_way(quality: Any, tiny_xlmr: Path) -> None:  # noqa: ANN401
    record = quality.run("xlmr", _recipe(tiny_xlmr, "markers"), quality.Scope(), ("sample",))
    assert record["figures"]["sample/test"]["n"] == 30


@pytest.mark.parametrize("name", ["majority", "target only", "linear", "sentence pair"])
def test_a_baseline_answers_every_mention(
    quality: Any,  # noqa: ANN401
    tiny_bert: Path,
    name: str,
) -> None:
    baselines = importlib.import_module("benchmarks.quality._baselines")
    scope = quality.Scope()
    fitted = baselines.fit(name, ("sample",), scope, _recipe(tiny_bert, "reference"))
    found = fitted.frame(scope.corpus("sample"), "test")
    columns = [column for column in found.columns if column.startswith("p_stance_")]
    assert len(found) == 30
    assert found[columns].sum(axis=1).to_numpy() == pytest.approx(1)


def test_a_probe_learns_from_the_frozen_base(
    quality: Any,  # noqa: ANN401
    tiny_bert: Path,
) -> None:
    probes = importlib.import_module("benchmarks.quality._probes")
    scope = quality.Scope()
    model = importlib.import_module("classifier.models.encoder._model").new_encoder(
        (importlib.import_module("benchmarks.quality._data").STANCE,),
        replace(_recipe(tiny_bert, "reference").options, adapter="none"),
    )
    shelf = probes._Shelf(model, scope)
    question = probes.Question(corpora=("sample",), pools=("mention", "first", "window"))
    probe = probes.fit(question, shelf)
    test = shelf.part("sample", "test", question)
    rows = probe.judge(test.vectors)["stance"]
    assert rows.shape == (30, 3)
    assert rows.sum(axis=1) == pytest.approx(1)


def test_swapped_copies_keep_the_labels(quality: Any) -> None:  # noqa: ANN401
    bias = importlib.import_module("benchmarks.quality._bias")
    corpus = quality.Scope().corpus("sample")
    more = bias.with_swapped_copies(corpus, "train", 1)
    added = more.gold[more.gold["article_id"].str.contains("~")]
    assert len(more.parts["train"]) == 48  # 24 articles and a copy of each
    assert len(added) == 72
    for row in added.itertuples():
        text = more.annotations.article_by_id[row.article_id].text
        assert text[row.start : row.end] == row.surface
    before = corpus.gold[corpus.gold["article_id"].isin(corpus.parts["train"])]
    assert added["stance"].tolist() == before["stance"].tolist()


def test_mixed_probabilities_are_weighted_means(quality: Any) -> None:  # noqa: ANN401
    tables = importlib.import_module("benchmarks.quality._tables")
    stance = importlib.import_module("benchmarks.quality._data").STANCE
    first, second = (
        tables.frame(["u"], {"stance": np.array([row])}, [stance])
        for row in ([1.0, 0.0, 0.0], [0.0, 0.2, 0.8])
    )
    mixed = tables._mean(first, second, 0.25).iloc[0]
    assert mixed["stance"] == stance.names[0]
    assert [mixed[f"p_stance_{x}"] for x in stance.names] == pytest.approx([0.75, 0.05, 0.2])


def test_training_lowers_the_loss(quality: Any, tiny_bert: Path) -> None:  # noqa: ANN401
    recipe = _recipe(tiny_bert, "full fine-tuning")
    longer = replace(
        recipe, options=replace(recipe.options, epochs=3, batch_size=8, learning_rate=1e-3)
    )
    losses = quality.train(longer, quality.Scope()).losses
    assert losses[-1] < losses[0]


def test_markers_stand_around_the_mention(quality: Any) -> None:  # noqa: ANN401
    training = importlib.import_module("benchmarks.quality._training")
    passage = Encoded((1, 5, 6, 7, 8, 2), (((2, 3), (1, 5)), ((3, 5), (1, 5))))
    first, second = training.marked(passage, (90, 91))
    assert first == Encoded((1, 5, 90, 6, 91, 7, 8, 2), (((3, 4), (1, 7)),))
    assert second == Encoded((1, 5, 6, 90, 7, 8, 91, 2), (((4, 6), (1, 7)),))


def test_ordinal_loss_is_larger_for_a_worse_mistake(quality: Any) -> None:  # noqa: ANN401
    torch = importlib.import_module("torch")
    losses = importlib.import_module("benchmarks.quality._training")
    gold = torch.tensor([0])
    near = losses.ordinal(torch.tensor([[0.0, 2.0, 0.0]]), gold)
    far = losses.ordinal(torch.tensor([[0.0, 0.0, 2.0]]), gold)
    assert far > near


def test_focal_loss_by_hand(quality: Any) -> None:  # noqa: ANN401
    torch = importlib.import_module("torch")
    losses = importlib.import_module("benchmarks.quality._training")
    # p of gold is 1/2: -(1/2)² ln(1/2) = .1733; the second mention is not coded.
    value = losses.focal(torch.zeros(2, 2), torch.tensor([0, -1]))
    assert float(value) == pytest.approx(0.25 * np.log(2))
