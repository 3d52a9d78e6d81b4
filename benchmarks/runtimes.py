"""What a faster runtime costs: macro-F1 and probabilities against PyTorch in float32.

    python benchmarks/runtimes.py RUN DIR [--part test]

RUN is a trained encoder, DIR an annotation set; judged are the mentions of one part of the run's
split, or with `--part all` of every article. Prints one JSON object.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from classifier.annotations import adjudicate, read_annotations
from classifier.dataset import build_examples
from classifier.models.options import Precision, RuntimeName
from classifier.models.quality import quality
from classifier.models.runtime_openvino import is_installed
from classifier.passages import Examples, Limits
from classifier.score import Scorer, load

WAYS: tuple[tuple[RuntimeName, Precision], ...] = (
    ("torch", "float32"),
    ("torch", "bfloat16"),
    ("openvino", "float32"),
    ("openvino", "bfloat16"),
)


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", default="test")
    arguments = parser.parse_args()
    ways = [way for way in WAYS if way[0] == "torch" or is_installed()]
    scorer = load(arguments.run, runtime="torch")
    examples = examples_of(scorer, arguments.folder, arguments.part)
    exact: dict[str, Any] = {}
    result = {"part": arguments.part, "mentions": examples.n_mentions}
    for runtime, precision in ways:
        said = predict(arguments.run, examples, runtime, precision)
        exact = exact or said
        result[f"{runtime} {precision}"] = compared(scorer, examples, said, exact)
    print(json.dumps(result, indent=2))


def examples_of(scorer: Scorer, folder: Path, part: str) -> Examples:
    """The coded mentions of a part of the run's split."""
    trained = scorer.trained
    data = read_annotations(folder)
    articles = [a for a in data.articles if part in ("all", trained.parts.get(a.article_id))]
    limits = Limits(trained.model.text_limit, trained.record["context"])
    starts = trained.model.token_starts
    return build_examples(articles, adjudicate(data), scorer.variables, starts, limits)


def predict(
    run: Path, examples: Examples, runtime: RuntimeName, precision: Precision
) -> dict[str, Any]:
    """Probabilities, by the run's model in a precision of our choosing."""
    model = load(run, runtime=runtime).trained.model
    model.options = replace(model.options, precision=precision)
    return dict(model.predict(examples.passages))


def compared(
    scorer: Scorer, examples: Examples, said: dict[str, Any], exact: dict[str, Any]
) -> dict[str, Any]:
    """Macro-F1 per variable, and how far the probabilities are off."""
    figures = {}
    for variable in scorer.variables:
        name = variable.name
        of_one = ({name: said[name]}, {name: examples.labels[name]}, [variable])
        off = np.abs(said[name] - exact[name])
        figures[name] = {
            "macro_f1": round(float(quality(*of_one)), 4),
            "largest_difference": round(float(off.max()), 4),
            "mean_difference": round(float(off.mean()), 5),
        }
    return figures


if __name__ == "__main__":
    main()
