"""Encoders computed with NumPy: the numbers of PyTorch, and nothing of it is needed."""

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import classifier
from classifier.codebook import Variable, default_codebook
from classifier.errors import ModelError
from classifier.models import TrainOptions
from classifier.models.encoder._model import load_encoder, new_encoder
from classifier.models.encoder._plain import load_plain
from classifier.models.runtime._numpy import NumpyEncoder
from classifier.records import Passage, PassageMention, Span

TEXT = "The council praised Turkey for its patience at the talks. "
ROOT = Path(__file__).parents[2]


def passages() -> list[Passage]:
    """Of many lengths, so that PyTorch pads some in their batches."""
    mention = PassageMention("u", Span(20, 26), Span(0, len(TEXT)))
    return [Passage("a", 0, TEXT * (1 + i % 4), "en", (mention,)) for i in range(9)]


def variables() -> tuple[Variable, ...]:
    codebook = default_codebook()
    return codebook.variable("stance"), codebook.variable("roles")


@pytest.mark.parametrize("adapter", ["none", "separate"])
def test_probabilities_are_those_of_pytorch(adapter: str, tiny_bert: Path, tmp_path: Path) -> None:
    options = TrainOptions(base_model=str(tiny_bert), precision="float32")
    if adapter == "separate":
        options = replace(options, adapter="separate", adapter_rank=2)
    new_encoder(variables(), options).save(tmp_path)
    expected = load_encoder(tmp_path, variables(), options).predict(passages())
    found = load_plain(tmp_path, variables(), options, {}).predict(passages())
    for name, rows in expected.items():
        np.testing.assert_allclose(found[name], rows, rtol=0, atol=1e-5)


def test_both_count_tokens_alike(tiny_bert: Path, tmp_path: Path) -> None:
    options = TrainOptions(base_model=str(tiny_bert))
    new_encoder(variables(), options).save(tmp_path)
    plain = load_plain(tmp_path, variables(), options, {})
    model = load_encoder(tmp_path, variables(), options)
    assert plain.text_limit == model.text_limit
    assert plain.token_starts([TEXT]) == model.token_starts([TEXT])


def test_another_architecture_needs_pytorch(tiny_xlmr: Path, tmp_path: Path) -> None:
    options = TrainOptions(base_model=str(tiny_xlmr))
    new_encoder(variables(), options).save(tmp_path)
    with pytest.raises(ModelError, match="got xlm-roberta with gelu: pip install"):
        load_plain(tmp_path, variables(), options, {})


def test_missing_weights_are_told() -> None:
    config = {"model_type": "bert", "hidden_act": "gelu", "num_attention_heads": 2}
    with pytest.raises(ModelError, match=r"'embeddings\.word_embeddings\.weight' is missing"):
        NumpyEncoder({**config, "layer_norm_eps": 1e-12, "num_hidden_layers": 1}, {})


_BLOCKED = """
import sys
for name in ({names}):
    sys.modules[name] = None
import classifier
scorer = classifier.load()
table = scorer.score("The minister praised Turkey for its patience.").to_frame()
print(scorer.trained.model.runtime, *table[["target", "stance"]].iloc[0])
try:
    classifier.train
except ImportError as error:
    print(error)
"""


@pytest.mark.slow
def test_the_shipped_scorer_needs_none_of_what_the_small_package_leaves_out() -> None:
    whole, small = (_needed(ROOT / name) for name in ("", "packaging/score"))
    names = {"scikit-learn": "sklearn", "vl-convert-python": "vl_convert"}
    left_out = [names.get(name, name) for name in sorted(whole - small)]
    assert {"torch", "transformers", "scipy"} <= set(left_out)
    code = _BLOCKED.format(
        names=", ".join(f'"{name}"' for name in left_out),
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    first, *rest = done.stdout.splitlines() or [done.stderr]
    assert first == "numpy float32 cpu TR favourable"
    assert "classifier.train needs the package" in " ".join(rest)


def _needed(folder: Path) -> set[str]:
    """The packages that a pyproject.toml asks for."""
    told = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return {line.split(">")[0].split("<")[0] for line in told["project"]["dependencies"]}


def test_the_small_package_is_the_same_release_and_asks_for_the_same_versions() -> None:
    files = [ROOT / "pyproject.toml", ROOT / "packaging/score/pyproject.toml"]
    whole, small = (tomllib.loads(file.read_text(encoding="utf-8"))["project"] for file in files)
    assert small["version"] == whole["version"]
    assert small["requires-python"] == whole["requires-python"]
    # tokenizers comes with transformers otherwise.
    own = {line for line in small["dependencies"] if not line.startswith("tokenizers")}
    assert own <= set(whole["dependencies"])


def test_the_small_package_holds_all_but_the_larger_weights() -> None:
    told = tomllib.loads((ROOT / "packaging/score/pyproject.toml").read_text(encoding="utf-8"))
    sources = told["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    package = ROOT / "classifier"
    own = [*package.iterdir(), *(package / "weights").iterdir()]
    names = {f"../../{path.relative_to(ROOT).as_posix()}" for path in own}
    left_out = {name.rpartition("/")[2] for name in names - sources.keys()}
    assert left_out - {"__pycache__"} == {"weights", "base", "large"}
    assert sources.keys() <= names


def test_the_larger_scorer_is_told_where_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifier.score._scorer.SHIPPED", ROOT / "nowhere" / "scorer")
    with pytest.raises(ModelError, match="the larger scorer is not in the small package"):
        classifier.load("large")
