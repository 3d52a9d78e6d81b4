"""A million rows of labels: read, joined, evaluated and profiled in one process.

    python -m benchmarks.reading labels

Articles are made up: short texts that name one target each, with labels in the words of another
scheme. A part of the articles is coded. Beside it stands pandas doing the join alone: a merge of
the labels with the mentions on article, start, end and target. Each step runs in a fresh process,
so that the peak memory is its own. Seconds are those of the processor.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import default_codebook
from classifier.evaluation import EvaluationOptions, evaluate
from classifier.labels import read_predictions
from classifier.profiles import profile
from classifier.records import Article, Span

PER_ARTICLE, N_CODED, N_SOURCES = 10, 400, 20
TEXT = "Turkey waits. " * PER_ARTICLE
SPANS = [Span(14 * place, 14 * place + 6) for place in range(PER_ARTICLE)]
LABELS = ("unfavourable", "neutral", "favourable")
WORDS = ("negative", "neutral", "positive")
MAPPING = dict(zip(WORDS, LABELS, strict=True))


def main() -> None:
    """Print time and memory of the reader and what follows, and of pandas' join."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--step", choices=["ours", "pandas"])
    parser.add_argument("--file", type=Path)
    args = parser.parse_args()
    if args.step:
        {"ours": _ours, "pandas": _pandas}[args.step](args.file, args.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        _write(path, args.rows)
        for step in ("pandas", "ours"):
            words = ["--rows", str(args.rows), "--step", step, "--file", str(path)]
            subprocess.run([sys.executable, "-m", "benchmarks.reading.labels", *words], check=True)


def _write(path: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    place = np.arange(n) % PER_ARTICLE
    pd.DataFrame(
        {
            "article_id": [f"a{i // PER_ARTICLE}" for i in range(n)],
            "start": 14 * place,
            "end": 14 * place + 6,
            "target": "Turkey",
            "label": rng.choice(WORDS, n),
        }
    ).to_csv(path, index=False)


def _articles(n: int) -> list[Article]:
    return [
        Article(f"a{i}", TEXT, f"Source {i % N_SOURCES}", "en", "2024-01-01", "day")
        for i in range(n // PER_ARTICLE)
    ]


def _coded(articles: list[Article]) -> AnnotationSet:
    rng = np.random.default_rng(1)
    codebook = default_codebook()
    annotations = [
        Annotation(a.article_id, s, "TR", "Turkey", who, {"stance": str(rng.choice(LABELS))})
        for a in articles[:: max(1, len(articles) // N_CODED)]
        for s in SPANS
        for who in ("first", "second")
    ]
    return AnnotationSet(tuple(articles), annotation_table(annotations, codebook), codebook)


def _ours(path: Path, n: int) -> None:
    coded = _coded(_articles(n))
    started = time.process_time()
    labels = read_predictions(path, articles=coded, mapping=MAPPING)
    read = time.process_time()
    _tell("ours, read and joined", len(labels), read - started)
    evaluate(coded, labels.to_frame(), options=EvaluationOptions(breakdowns=((),)))
    judged = time.process_time()
    _tell("ours, evaluated", len(labels), judged - read)
    profile(labels, gold=coded)
    _tell("ours, profiled", len(labels), time.process_time() - judged)


def _pandas(path: Path, n: int) -> None:
    mentions = pd.DataFrame(
        [(a.article_id, s.start, s.end, "Turkey", a.source) for a in _articles(n) for s in SPANS],
        columns=["article_id", "start", "end", "target", "source"],
    )
    started = time.process_time()
    joined = pd.read_csv(path).merge(mentions, on=["article_id", "start", "end", "target"])
    _tell("pandas, read and joined", len(joined), time.process_time() - started)


def _tell(what: str, n: int, seconds: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"{what:26} {n:>9,} rows {seconds:8.1f} s, peak {peak:5.2f} GiB", flush=True)


if __name__ == "__main__":
    main()
