"""What stands around the model at many small parts: reading, finding, part files, joining, memory.

    python -m benchmarks.speed capacity [--articles 100000] [--part 10]

The model is empty: it gives every mention the same chances at once. Articles are one sentence with
one mention, and a part has few of them, so that what grows with the number of parts and articles
shows early. The run is interrupted before it joins its parts and then resumed, which tells what a
restart costs. Prints one JSON object; docs/capacity.md reckons with its figures.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np

from classifier.files import write_json_lines
from classifier.score import Scorer, load, score_to_file
from classifier.score import _stream as stream

TEXT = "The minister said on day {n} that Turkey had kept its promise to the council."


class Empty:
    """A model that has learnt nothing and computes nothing."""

    runtime = "nothing"
    text_limit = 256

    def __init__(self, like: Any) -> None:  # noqa: ANN401
        """Predict the variables of a model."""
        self.variables, self.options = like.variables, like.options

    def token_starts(self, texts: Sequence[str]) -> list[list[int]]:
        """A token for every fourth character."""
        return [list(range(0, len(text), 4)) for text in texts]

    def predict(self, passages: Sequence[Any], **_: object) -> dict[str, Any]:
        """The same chances for all labels."""
        n = sum(len(passage.mentions) for passage in passages)
        return {v.name: np.full((n, len(v.names)), 1 / len(v.names)) for v in self.variables}


def empty_scorer() -> Scorer:
    """The scorer that ships with an empty model."""
    trained = load().trained
    empty: Any = Empty(trained.model)
    return Scorer(replace(trained, model=empty))


def make_articles(n: int) -> Iterator[dict[str, str]]:
    """Articles of one sentence."""
    for i in range(n):
        yield {"article_id": f"archive/2024/{i:09d}", "language": "en", "text": TEXT.format(n=i)}


def peak() -> int:
    """The most memory held so far, in megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def measure(n: int, part: int, folder: Path) -> dict[str, Any]:
    """Figures of a run that is interrupted before it joins, and of the run that goes on."""
    corpus, out = folder / "articles.jsonl", folder / "out.parquet"
    write_json_lines(corpus, make_articles(n))
    scorer, at_start = empty_scorer(), peak()
    with mock.patch.object(stream, "BATCH_ARTICLES", part):
        before = time.process_time()
        cut = mock.patch.object(stream, "_join", side_effect=KeyboardInterrupt)
        with cut, suppress(KeyboardInterrupt):
            score_to_file(scorer, corpus, out)
        parts = time.process_time() - before
        held = peak() - at_start
        before = time.process_time()
        scored = score_to_file(scorer, corpus, out, resume=True)
        resumed = time.process_time() - before
    n_parts = -(-n // part)
    return {
        "articles": scored.n_articles,
        "parts": n_parts,
        "mentions": sum(scored.statuses.values()),
        "seconds": {"parts": round(parts, 1), "resume_and_join": round(resumed, 1)},
        "milliseconds_a_part": {
            "parts": round(1000 * parts / n_parts, 2),
            "resume_and_join": round(1000 * resumed / n_parts, 2),
        },
        "peak_megabytes": {"at_start": at_start, "grown": held, "end": peak()},
        "megabytes_written": round(out.stat().st_size / 1e6, 1),
    }


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--part", type=int, default=10)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        told = measure(arguments.articles, arguments.part, Path(folder))
    print(json.dumps(told, indent=2))
