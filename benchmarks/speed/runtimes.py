"""What integers and bfloat16 cost and gain: macro-F1, probabilities and seconds against float32.

    CLASSIFIER_DATA=… python -m benchmarks.speed runtimes [--run RUN] [--mentions 4000]
    python -m benchmarks.speed runtimes --mentions 0       # only tokens a second

Judged are mentions of real news: the development and calibration parts, and training articles until
there are enough. `parts` has the figures of the held-out parts alone. A model is compared with
itself, so that it does not matter that it has learnt from some: what counts is how far its answers
move. Seconds are those of the processor on one thread, from tokens to probabilities; tokens a
second are those of the encoder, the best of some turns over sentences of the sample. Another
processor is imitated by ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI, or AVX2 with
ATEN_CPU_CAPABILITY=avx2. Prints one JSON object; figures and conclusions are in runtimes.md.
"""

import argparse
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.speed._sides import make_articles
from classifier.annotations import AnnotationSet, adjudicate
from classifier.codebook import Variable, default_codebook
from classifier.models import Examples, Limits
from classifier.models._bases import SHIPPED_SCORER
from classifier.models._protocol import quality
from classifier.models.encoder._plain import BATCH_TOKENS, load_plain
from classifier.models.encoder._tokens import length_batches
from classifier.models.runtime import _fast
from classifier.models.runtime._fast import Kind, kind_for
from classifier.score import Scorer, load
from classifier.training import build_examples
from recipes.real import read_real

KINDS: tuple[Kind, ...] = ("float32", "bfloat16", "int8")
TURNS = 4
ARTICLES = 24
HELD_OUT = ("development", "calibration")


@dataclass(frozen=True)
class Judged:
    """Mentions to judge, and the variables that they are coded for."""

    examples: Examples
    variables: tuple[Variable, ...]


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, default=SHIPPED_SCORER)
    parser.add_argument("--mentions", type=int, default=4000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    scorer = load(arguments.run)
    models = {kind: load_model(scorer, arguments.run, kind) for kind in KINDS}
    torch.set_num_threads(1)
    told: dict[str, Any] = {"auto": kind_for("auto"), "tokens_a_second": tokens(scorer, models)}
    if arguments.mentions:
        told |= quality_of(scorer, models, arguments.mentions)
    print(json.dumps(told, indent=2))


def tokens(scorer: Scorer, models: Mapping[Kind, Any]) -> dict[Kind, int]:
    """Tokens a second of each encoder alone; they take turns."""
    passages = scorer.preparation.passages(
        [scorer.find(article) for article in make_articles(scorer, ARTICLES, 0)]
    )
    encoded = models["float32"].reader.encoded(passages)
    lots = list(length_batches([len(one) for one in encoded], BATCH_TOKENS))
    batches = [[encoded[i].token_ids for i in lot] for lot in lots]
    seconds: dict[Kind, list[float]] = {kind: [] for kind in models}
    for _ in range(TURNS):
        for kind, model in models.items():
            before = time.process_time()
            for batch in batches:
                model.encoder(batch)
            seconds[kind].append(time.process_time() - before)
    n = sum(len(one) for one in encoded)
    return {kind: round(n / min(taken)) for kind, taken in seconds.items()}


def quality_of(scorer: Scorer, models: Mapping[Kind, Any], n_mentions: int) -> dict[str, Any]:
    """How far the answers of each kind move from those of float32."""
    real = read_real(Path(os.environ["CLASSIFIER_DATA"]), default_codebook())
    sets = {"all": judged(scorer, enough(real, n_mentions))}
    sets |= {part: judged(scorer, of_part(real, part)) for part in HELD_OUT}
    said, seconds = {}, {}
    for kind, model in models.items():
        before = time.process_time()
        said[kind] = {n: model.predict(one.examples.passages) for n, one in sets.items()}
        seconds[kind] = round(time.process_time() - before, 2)
    exact = said["float32"]
    return {
        "mentions": {name: one.examples.n_mentions for name, one in sets.items()},
        "macro_f1": {name: figures(one, exact[name]) for name, one in sets.items()},
        "seconds": seconds,
        "ways": {kind: compared(sets, said[kind], exact) for kind in KINDS[1:]},
    }


def load_model(scorer: Scorer, run: Path, kind: Kind) -> Any:  # noqa: ANN401
    """The run's model, computed in that kind."""
    with mock.patch.object(_fast, "kind_for", return_value=kind):
        return load_plain(run, scorer.variables, scorer.trained.model.options, {}, torch=True)


def of_part(real: AnnotationSet, *parts: str) -> AnnotationSet:
    """The articles of some parts."""
    return replace(real, articles=tuple(a for a in real.articles if a.split in parts))


def enough(real: AnnotationSet, n_mentions: int) -> AnnotationSet:
    """The held-out articles, and as many of training as it takes for so many mentions."""
    per_article = len(real.table.drop_duplicates("unit")) / len(real.articles)
    held_out = of_part(real, *HELD_OUT).articles
    training = of_part(real, "train").articles
    order = np.random.default_rng(0).permutation(len(training))
    missing = max(0, round(n_mentions / per_article) - len(held_out))
    return replace(real, articles=(*held_out, *(training[i] for i in order[:missing])))


def judged(scorer: Scorer, annotation_set: AnnotationSet) -> Judged:
    """The coded mentions of a set, for the variables that are coded there."""
    model = scorer.trained.model
    limits = Limits(model.text_limit, scorer.trained.record["context"])
    known = tuple(v for v in scorer.variables if annotation_set.codebook.has_variable(v.name))
    gold = adjudicate(annotation_set)
    examples = build_examples(annotation_set.articles, gold, known, model.token_starts, limits)
    coded = tuple(v for v in known if (examples.labels[v.name] >= 0).any())
    return Judged(examples, coded)


def figures(one: Judged, said: Mapping[str, Any]) -> dict[str, float]:
    """Macro-F1 per variable."""
    labels = one.examples.labels
    return {
        v.name: round(quality({v.name: said[v.name]}, {v.name: labels[v.name]}, [v]), 4)
        for v in one.variables
    }


def compared(
    sets: Mapping[str, Judged], said: Mapping[str, Any], exact: Mapping[str, Any]
) -> dict[str, Any]:
    """Per set and variable the loss of macro-F1, and how far labels and probabilities move."""
    told: dict[str, Any] = {}
    for name, one in sets.items():
        before, after = figures(one, exact[name]), figures(one, said[name])
        told[name] = {
            v.name: {
                "loss": round(before[v.name] - after[v.name], 4),
                **moved(said[name][v.name], exact[name][v.name], v),
            }
            for v in one.variables
        }
    return told


def moved(
    rows: NDArray[np.float64], exact: NDArray[np.float64], variable: Variable
) -> dict[str, float]:
    """The share of labels that are another now, and the change of the probabilities."""
    off = np.abs(rows - exact)
    return {
        "other_labels": round(float(np.mean(labels(rows, variable) != labels(exact, variable))), 5),
        "mean_change": round(float(off.mean()), 5),
        "largest_change": round(float(off.max()), 4),
    }


def labels(rows: NDArray[np.float64], variable: Variable) -> NDArray[Any]:
    """What is said about each mention; of a set, about each of its labels."""
    return rows >= 0.5 if variable.kind == "set" else rows.argmax(axis=1)
