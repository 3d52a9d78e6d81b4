"""What integers and bfloat16 cost and gain: macro-F1, probabilities and seconds against float32.

    CLASSIFIER_DATA=… python -m benchmarks.speed runtimes [--run RUN] [--mentions 4000]

Judged are mentions of real news: the development and calibration parts, and training articles until
there are enough. `parts` has the figures of the held-out parts alone. A model is compared with
itself, so that it does not matter that it has learnt from some: what counts is how far its answers
move. Seconds are those of the processor on one thread, from tokens to probabilities. Prints one
JSON object; figures and conclusions are in runtimes.md.
"""

import argparse
import copy
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifier.annotations import AnnotationSet, adjudicate
from classifier.codebook import Variable, default_codebook
from classifier.models import Examples, Limits
from classifier.models._bases import SHIPPED_SCORER
from classifier.models._protocol import Precision, quality
from classifier.models.encoder._plain import load_plain
from classifier.models.runtime._fast import kind_for
from classifier.score import Scorer, load
from classifier.training import build_examples
from recipes.real import read_real

PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "auto")
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
    real = read_real(Path(os.environ["CLASSIFIER_DATA"]), default_codebook())
    scorer = load(arguments.run)
    sets = {"all": judged(scorer, enough(real, arguments.mentions))}
    sets |= {part: judged(scorer, of_part(real, part)) for part in HELD_OUT}
    said, seconds = {}, {}
    for precision in PRECISIONS:
        model = copy.copy(load_model(scorer, arguments.run, precision))
        before = time.process_time()
        said[precision] = {n: model.predict(one.examples.passages) for n, one in sets.items()}
        seconds[precision] = round(time.process_time() - before, 2)
    exact = said["float32"]
    result = {
        "auto": kind_for("auto"),
        "mentions": {name: one.examples.n_mentions for name, one in sets.items()},
        "macro_f1": {name: figures(one, exact[name]) for name, one in sets.items()},
        "seconds": seconds,
        "ways": {p: compared(sets, said[p], exact) for p in PRECISIONS[1:]},
    }
    print(json.dumps(result, indent=2))


def load_model(scorer: Scorer, run: Path, precision: Precision) -> Any:  # noqa: ANN401
    """The run's model with another precision."""
    options = replace(scorer.trained.model.options, precision=precision)
    return load_plain(run, scorer.variables, options, {}, torch=True)


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
