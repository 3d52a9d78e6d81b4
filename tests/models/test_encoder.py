"""The encoder on tiny networks of random weights: the real code path, from folder to folder."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from classifier.annotations import AnnotationSet, adjudicate
from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.models import Examples, Limits, TrainOptions, find_base
from classifier.models._protocol import Adapter, quality
from classifier.models.encoder._fit import parameter_groups
from classifier.models.encoder._model import EncoderModel, load_encoder, new_encoder
from classifier.records import Passage, PassageMention, Span
from classifier.training import build_examples

QUICK = TrainOptions(
    epochs=12, patience=12, batch_size=8, learning_rate=3e-3, head_learning_rate=1e-2, max_tokens=64
)


def examples_of(data: AnnotationSet, model: EncoderModel) -> Examples:
    limits = Limits(model.text_limit, 1)
    gold = adjudicate(data)
    return build_examples(data.articles, gold, model.variables, model.token_starts, limits)


def variables_of(data: AnnotationSet) -> tuple[Variable, ...]:
    return tuple(data.codebook.variable(name) for name in ("stance", "roles"))


@pytest.fixture(scope="module")
def fitted(toy_set: AnnotationSet, tiny_bert: Path) -> tuple[EncoderModel, Examples]:
    model = new_encoder(variables_of(toy_set), replace(QUICK, base_model=str(tiny_bert)))
    examples = examples_of(toy_set, model)
    model.fit(examples, examples)
    return model, examples


def test_learns_a_task_that_can_be_learnt(fitted: tuple[EncoderModel, Examples]) -> None:
    model, examples = fitted
    assert quality(model.predict(examples.passages), examples.labels, model.variables) > 0.95


@pytest.mark.parametrize("adapter", ["none", "merged", "separate"])
def test_round_trip_keeps_predictions(
    adapter: Adapter, toy_set: AnnotationSet, tiny_xlmr: Path, tmp_path: Path
) -> None:
    options = replace(QUICK, base_model=str(tiny_xlmr), adapter=adapter, epochs=1)
    model = new_encoder(variables_of(toy_set), options)
    examples = examples_of(toy_set, model)
    model.fit(examples, examples)
    before = model.predict(examples.passages)
    model.save(tmp_path)
    after = load_encoder(tmp_path, model.variables, options).predict(examples.passages)
    tolerance = 0 if adapter == "none" else 0.02
    for name in before:
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=tolerance)


def test_a_separate_adapter_holds_no_encoder_weights(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    options = replace(QUICK, base_model=str(tiny_bert), adapter="separate", adapter_rank=2)
    new_encoder(variables_of(toy_set), options).save(tmp_path)
    written = sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    assert written < sum(path.stat().st_size for path in tiny_bert.glob("*.safetensors")) / 2
    assert not list(tmp_path.glob("tokenizer*"))
    adapter = load_file(tmp_path / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in adapter.values()} == {torch.bfloat16}


def test_a_separate_adapter_predicts_the_same_after_saving(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    # in float32 nothing but the rounding to bfloat16, done before saving, could differ
    options = replace(
        QUICK, base_model=str(tiny_bert), adapter="separate", epochs=1, precision="float32"
    )
    model = new_encoder(variables_of(toy_set), options)
    examples = examples_of(toy_set, model)
    model.fit(examples, examples)
    model.save(tmp_path)
    after = load_encoder(tmp_path, model.variables, options).predict(examples.passages)
    for name, rows in model.predict(examples.passages).items():
        np.testing.assert_allclose(after[name], rows, rtol=0, atol=1e-5)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_an_adapter_refuses_another_base_than_its_own(
    file: str, toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(tiny_bert, tmp_path / "base")
    options = replace(QUICK, base_model=str(base), adapter="separate", adapter_rank=2)
    model = new_encoder(variables_of(toy_set), options)
    (tmp_path / "run").mkdir()
    model.save(tmp_path / "run")
    with (base / file).open("ab") as opened:
        opened.write(b" ")
    with pytest.raises(ModelError, match=r"belongs to a base .* the one in .* is another"):
        load_encoder(tmp_path / "run", model.variables, options)


def test_an_adapter_without_its_base_is_refused(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(tiny_bert, tmp_path / "base")
    options = replace(QUICK, base_model=str(base), adapter="separate", adapter_rank=2)
    model = new_encoder(variables_of(toy_set), options)
    (tmp_path / "run").mkdir()
    model.save(tmp_path / "run")
    shutil.rmtree(base)
    with pytest.raises(ModelError, match="base model"):
        load_encoder(tmp_path / "run", model.variables, options)


def test_batch_composition_does_not_change_predictions(
    fitted: tuple[EncoderModel, Examples],
) -> None:
    model, examples = fitted
    together = model.predict(examples.passages)
    alone = [model.predict([passage]) for passage in examples.passages[:5]]
    for name, rows in together.items():
        apart = np.concatenate([one[name] for one in alone])
        np.testing.assert_allclose(apart, rows[: len(apart)], atol=0.02)


def test_the_same_seed_gives_the_same_weights(toy_set: AnnotationSet, tiny_bert: Path) -> None:
    def train() -> np.ndarray:
        options = replace(QUICK, base_model=str(tiny_bert), epochs=1, seed=7)
        model = new_encoder(variables_of(toy_set), options)
        examples = examples_of(toy_set, model)
        model.fit(examples, examples)
        return model.predict(examples.passages)["stance"]

    np.testing.assert_array_equal(train(), train())


def test_a_passage_that_occurs_twice_is_judged_alike(
    fitted: tuple[EncoderModel, Examples],
) -> None:
    model, examples = fitted
    passage = examples.passages[0]
    copy = replace(passage, article_id="elsewhere")
    rows = model.predict([passage, copy])["stance"]
    n = len(passage.mentions)
    np.testing.assert_array_equal(rows[:n], rows[n:])


@pytest.mark.parametrize("base", ["tiny_bert", "tiny_xlmr"])
def test_every_odd_text_gets_probabilities(
    base: str, toy_set: AnnotationSet, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(base)
    model = new_encoder(variables_of(toy_set), replace(QUICK, base_model=str(folder)))
    texts = ["\u00ad", "😀" * 300, "x" * 2000, "\u200f\u202eKyiv", "a \u0301 b", "…"]
    passages = [
        Passage("a", 0, text, "en", (PassageMention("u", Span(0, len(text)), Span(0, len(text))),))
        for text in texts
    ]
    rows = model.predict(passages)["stance"]
    assert rows.shape == (len(texts), 3)
    assert np.isfinite(rows).all()


def test_no_passages_give_no_rows(fitted: tuple[EncoderModel, Examples]) -> None:
    model, _ = fitted
    assert model.predict([])["stance"].shape == (0, 3)


def test_a_base_that_is_not_there_says_how_to_get_one(toy_set: AnnotationSet) -> None:
    with pytest.raises(ModelError, match=r"not on this machine.*hf download acme/unheard-of"):
        new_encoder(variables_of(toy_set), TrainOptions(base_model="acme/unheard-of"))


def test_a_folder_without_weights_is_no_base(toy_set: AnnotationSet, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks config.json and \*.safetensors"):
        new_encoder(variables_of(toy_set), TrainOptions(base_model=str(tmp_path)))


def test_a_bases_languages_are_read_from_its_card(tiny_bert: Path, tmp_path: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_bert, folder)
    assert find_base(str(folder)).languages == ()
    (folder / "README.md").write_text("---\nlanguage:\n- tr\n- en\n- sv\n---\nA base.\n")
    assert find_base(str(folder)).languages == ("en", "tr")


@pytest.mark.parametrize(
    "change",
    [
        {"gradient_checkpointing": True},
        {"class_weights": "balanced", "label_smoothing": 0.1},
        {"layer_decay": 0.8, "dropout": 0.1},
        {"precision": "float32"},
    ],
)
def test_every_option_trains(
    change: dict[str, Any], toy_set: AnnotationSet, tiny_xlmr: Path
) -> None:
    options = replace(QUICK, base_model=str(tiny_xlmr), epochs=2, **change)
    model = new_encoder(variables_of(toy_set), options)
    examples = examples_of(toy_set, model)
    before = quality(model.predict(examples.passages), examples.labels, model.variables)
    model.fit(examples, examples)
    after = quality(model.predict(examples.passages), examples.labels, model.variables)
    assert after > before


def test_lower_layers_learn_slower_and_heads_fastest(
    toy_set: AnnotationSet, tiny_bert: Path
) -> None:
    options = replace(QUICK, base_model=str(tiny_bert), layer_decay=0.5, learning_rate=1e-3)
    model = new_encoder(variables_of(toy_set), options)
    rates = {id(p): g["lr"] for g in parameter_groups(model.network, options) for p in g["params"]}
    named = {name: rates[id(p)] for name, p in model.network.named_parameters()}
    # two layers: the upper one at the full rate, the lower at half, the embeddings at a quarter
    assert named["encoder.encoder.layer.1.output.dense.weight"] == pytest.approx(1e-3)
    assert named["encoder.encoder.layer.0.output.dense.weight"] == pytest.approx(5e-4)
    assert named["encoder.embeddings.word_embeddings.weight"] == pytest.approx(2.5e-4)
    assert named["heads.stance.weight"] == pytest.approx(1e-2)


def test_dropout_is_off_unless_asked_for(toy_set: AnnotationSet, tiny_bert: Path) -> None:
    for dropout in (0.0, 0.2):
        options = replace(QUICK, base_model=str(tiny_bert), dropout=dropout)
        config = new_encoder(variables_of(toy_set), options).network.encoder.config
        assert config.hidden_dropout_prob == config.attention_probs_dropout_prob == dropout


def test_joined_passages_stay_within_the_positions_of_a_small_base(
    toy_set: AnnotationSet, tiny_bert: Path
) -> None:
    # The tiny base has 96 positions, fewer than the 256 tokens that the options allow.
    options = replace(QUICK, base_model=str(tiny_bert), epochs=1, joined=1.0, max_tokens=256)
    model = new_encoder(variables_of(toy_set), options)
    examples = examples_of(toy_set, model)
    history = model.fit(examples, examples)
    assert history["steps"] == -(-len(examples.passages) // 8)


def test_an_adapter_from_a_difference_is_the_best_of_its_rank(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    options = replace(
        QUICK,
        base_model=str(tiny_bert),
        adapter="separate",
        adapter_rank=4,
        adapter_from="difference",
        epochs=1,
        precision="float32",
    )
    model = new_encoder(variables_of(toy_set), options)
    examples = examples_of(toy_set, model)
    model.fit(examples, examples)
    model.save(tmp_path)
    adapter = load_file(tmp_path / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in adapter.values()} == {torch.bfloat16}
    # Two layers of a tiny encoder: what a rank costs of each matrix are its rows and columns.
    matrices = [m for m in model.network.encoder.modules() if isinstance(m, torch.nn.Linear)]
    full = sum(sum(matrix.weight.shape) for matrix in matrices)
    kept = sum(tensor.numel() for tensor in adapter.values())
    assert 4 * full - 2 * 128 < kept <= 4 * full
    after = load_encoder(tmp_path, model.variables, options).predict(examples.passages)
    for name, rows in model.predict(examples.passages).items():
        np.testing.assert_allclose(after[name], rows, rtol=0, atol=1e-5)


def test_standardised_features_change_no_logit_of_a_head_that_has_learnt(
    toy_set: AnnotationSet, tiny_bert: Path
) -> None:
    model = new_encoder(variables_of(toy_set), replace(QUICK, base_model=str(tiny_bert)))
    passages = examples_of(toy_set, model).passages
    before = model.predict(passages)
    features = torch.randn(50, 2 * model.network.encoder.config.hidden_size) * 3 + 5
    model.network.standardise(features, {})
    assert_close(model.predict(passages), before)
    model.network.fold()
    center = model.network.center
    assert center is None
    assert_close(model.predict(passages), before)


def test_a_fresh_head_gives_its_first_logits_at_the_mean_of_the_features(
    toy_set: AnnotationSet, tiny_bert: Path
) -> None:
    network = new_encoder(variables_of(toy_set), replace(QUICK, base_model=str(tiny_bert))).network
    features = torch.randn(50, 2 * network.encoder.config.hidden_size) * 3 + 5
    network.standardise(features, {"stance": torch.tensor([1.0, 0.0, -1.0])})
    network.fold()
    with torch.no_grad():
        logits = network.heads["stance"](features).mean(dim=0)
    assert logits.tolist() == pytest.approx([1, 0, -1], abs=1e-4)


def assert_close(found: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], rows, atol=1e-5)


def test_a_trained_encoder_has_its_whole_token_table(
    fitted: tuple[EncoderModel, Examples], tiny_bert: Path
) -> None:
    model, examples = fitted
    base = load_file(tiny_bert / "model.safetensors")
    start = next(table for name, table in base.items() if name.endswith("word_embeddings.weight"))
    table = model.network.encoder.get_input_embeddings().weight.detach()
    occur = {i for one in model.reader.encoded(examples.passages) for i in one.token_ids}
    moved = (table != start).any(dim=1).nonzero().ravel().tolist()
    assert moved
    assert set(moved) <= occur
    assert table.shape == start.shape
