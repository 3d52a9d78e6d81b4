"""What a faster runtime costs and gains: macro-F1, probabilities and seconds against PyTorch.

    python -m benchmarks.speed runtimes [--run RUN] [--set DIR] [--few N]

Judged are the mentions of the annotated sample (or of the annotation set DIR) that the run held
out for testing, and with CLASSIFIER_DATA the held-out sentences of NewsMTSC. Each way of computing
is held against PyTorch in float32; `loss` is by how much macro-F1 falls, and `stays_within` whether
it falls by less than .005 everywhere. Integers of eight bits need nncf (pip install nncf), and
their ranges are taken from passages that the run was trained on. Seconds are those of the encoder
alone over the sample's passages, by the processor's clock on one thread, all ways taking turns.
Prints one JSON object; figures and conclusions are in runtimes.md.
"""

import argparse
import copy
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.speed._int8 import INT8_WAYS, int8_encoder
from classifier.annotations import AnnotationSet, adjudicate, read_annotations
from classifier.codebook import Variable
from classifier.models import Examples, Limits, RuntimeName
from classifier.models._options import Precision
from classifier.models._protocol import quality
from classifier.models.encoder._batches import collate
from classifier.models.encoder._tokens import length_batches
from classifier.models.runtime._openvino import is_installed
from classifier.models.runtime._torch import token_budget, with_encoder
from classifier.score import Scorer, load
from classifier.training import build_examples
from recipes.corpora import read_shipping_data

SAMPLE = Path(__file__).parents[2] / "annotations" / "sample"
WAYS: tuple[tuple[RuntimeName, Precision], ...] = (
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)
ALLOWED = 0.005
N_RANGES = 240
"""Passages that the ranges of integers are taken from."""
ROUNDS = 3


@dataclass(frozen=True)
class Judged:
    """Mentions to judge, and the variables that they are coded for."""

    examples: Examples
    variables: tuple[Variable, ...]


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, help="By default the shipped scorer.")
    parser.add_argument("--set", type=Path, default=SAMPLE)
    parser.add_argument("--few", type=int, default=0, help="Judge this many articles a set.")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    sets = judged_sets(arguments)
    models = ready_models(arguments)
    exact, *others = models
    said = {way: predictions(model, sets) for way, model in models.items()}
    losses = {way: compared(sets, said[way], said[exact]) for way in others}
    result = {
        "mentions": {name: one.examples.n_mentions for name, one in sets.items()},
        "macro_f1": {name: figures(one, said[exact][name]) for name, one in sets.items()},
        "against": exact,
        "ways": losses,
        "seconds": seconds(models, next(iter(sets.values())).examples),
        "stays_within": {way: stays_within(told) for way, told in losses.items()},
    }
    print(json.dumps(result, indent=2))


def judged_sets(arguments: argparse.Namespace) -> dict[str, Judged]:
    """What is judged, by name; the set that was asked for first."""
    scorer = load(arguments.run, runtime="torch")
    own = read_annotations(arguments.set)
    sets = {arguments.set.name: of_part(own, scorer, "test")}
    if data := os.environ.get("CLASSIFIER_DATA"):
        tests = read_shipping_data(Path(data)).tests
        sets |= {t.name: t.annotation_set for t in tests if t.name.startswith("newsmtsc")}
    few = arguments.few or None
    return {
        name: judged(scorer, replace(one, articles=one.articles[:few]))
        for name, one in sets.items()
    }


def of_part(annotation_set: AnnotationSet, scorer: Scorer, *names: str) -> AnnotationSet:
    """The articles of some parts of the run's split."""
    parts = scorer.trained.parts
    kept = tuple(a for a in annotation_set.articles if parts.get(a.article_id) in names)
    return replace(annotation_set, articles=kept)


def judged(scorer: Scorer, annotation_set: AnnotationSet) -> Judged:
    """The coded mentions of a set, for the variables that are coded there."""
    trained = scorer.trained
    limits = Limits(trained.model.text_limit, trained.record["context"])
    gold = adjudicate(annotation_set)
    known = tuple(v for v in scorer.variables if annotation_set.codebook.has_variable(v.name))
    examples = build_examples(
        annotation_set.articles, gold, known, trained.model.token_starts, limits
    )
    coded = tuple(v for v in known if (examples.labels[v.name] >= 0).any())
    return Judged(examples, coded)


def ready_models(arguments: argparse.Namespace) -> dict[str, Any]:
    """A model for every way of computing that can be had here."""
    models = {}
    for runtime, precision in WAYS:
        if runtime == "openvino" and not is_installed():
            continue
        model: Any = load(arguments.run, runtime=runtime).trained.model
        model.options = replace(model.options, precision=precision)
        models[f"{runtime} {precision}"] = model
    if is_installed() and importlib.util.find_spec("nncf") is not None:
        models |= int8_models(arguments)
    return models


def int8_models(arguments: argparse.Namespace) -> dict[str, Any]:
    """The run's model on integers, whose ranges come from passages that it was trained on."""
    scorer = load(arguments.run, runtime="torch")
    model: Any = scorer.trained.model
    training = of_part(read_annotations(arguments.set), scorer, "train")
    encoded = model.reader.encoded(judged(scorer, training).examples.passages)
    chosen = np.random.default_rng(0).permutation(len(encoded))[:N_RANGES]
    batches = [collate([encoded[i]], model.tokenizer.pad_token_id) for i in chosen]
    models = {}
    for name, way in INT8_WAYS.items():
        models[name] = copy.copy(model)
        encoder = int8_encoder(model.network.encoder, batches, way)
        models[name]._ready = with_encoder(model.network, encoder)
    return models


def predictions(model: Any, sets: Mapping[str, Judged]) -> dict[str, Any]:  # noqa: ANN401
    """Probabilities per set."""
    return {name: model.predict(one.examples.passages) for name, one in sets.items()}


def figures(one: Judged, said: Mapping[str, Any]) -> dict[str, float]:
    """Macro-F1 per variable."""
    labels = one.examples.labels
    return {
        v.name: float(quality({v.name: said[v.name]}, {v.name: labels[v.name]}, [v]))
        for v in one.variables
    }


def compared(
    sets: Mapping[str, Judged], said: Mapping[str, Any], exact: Mapping[str, Any]
) -> dict[str, Any]:
    """Per set and variable, the loss in macro-F1, and how far the probabilities are off."""
    told: dict[str, Any] = {}
    for name, one in sets.items():
        before, after = figures(one, exact[name]), figures(one, said[name])
        told[name] = {}
        for variable in before:
            off = np.abs(said[name][variable] - exact[name][variable])
            told[name][variable] = {
                "loss": round(before[variable] - after[variable], 4),
                "largest_difference": round(float(off.max()), 4),
                "mean_difference": round(float(off.mean()), 5),
            }
    return told


def stays_within(told: Mapping[str, Any]) -> bool:
    """Whether no macro-F1 falls by as much as is allowed."""
    return all(one["loss"] < ALLOWED for of_set in told.values() for one in of_set.values())


def seconds(models: Mapping[str, Any], examples: Examples) -> dict[str, float]:
    """Processor seconds of the encoders over the same batches; medians of the rounds."""
    some = next(iter(models.values()))
    encoded = some.reader.encoded(examples.passages)
    batches = [
        collate([encoded[i] for i in batch], some.tokenizer.pad_token_id)
        for batch in length_batches([len(e) for e in encoded], token_budget(some.device))
    ]
    taken: dict[str, list[float]] = {way: [] for way in models}
    for _ in range(ROUNDS):
        for way, model in models.items():
            started = time.process_time()
            for batch in batches:
                with torch.inference_mode():
                    model._ready.encoder(batch["input_ids"], batch["attention_mask"])
            taken[way].append(time.process_time() - started)
    return {way: round(statistics.median(values), 3) for way, values in taken.items()}
