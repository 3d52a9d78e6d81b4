"""Corrected means from several predictors at once: coverage, and width beside the best single one.

    python -m benchmarks.intervals several [--corpora 1000] [--only NAME] [--glide PYTHON]

Prints one JSON line per set of predictors and number of coded articles. Beside each predictor
stands what ppi-python makes of it. glide-py combines several too, but needs Python 3.12: `--glide`
names one that has it. It knows no clusters of articles for several predictors, so it also gets the
means of articles, beside our mean in which every article counts alike.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import ppi_py
from scipy.special import ndtr

from benchmarks.intervals._awkward import (
    LEANS,
    Array,
    Index,
    Row,
    equal_draw,
    make,
    plain,
    row_of,
    truth_of,
)
from classifier.intervals import (
    InferenceOptions,
    combined_scores,
    corrected_mean,
    labelled_mean,
)
from classifier.records import Estimate

CODED = (20, 40, 80)
WORLDS = {
    "complementary": (0.7, 0.7),
    "one good, one poor": (0.3, 1.6),
    "both useless": (9.0, 9.0),
    "three alike": (0.5, 0.5, 0.5),
}
"""Spread of each predictor's own error by article."""


class Corpus(NamedTuple):
    """One entry per mention."""

    article: Index
    coded: Array
    scores: dict[str, Array]


def simulate(name: str, n_coded: int, corpora: int, glide: str) -> dict[str, dict[str, object]]:
    """Coverage and mean width per estimator, over corpora of 400 articles."""
    truth = truth_of(plain), _article_truth()
    rows: dict[str, list[Row]] = {}
    made = [
        _corpus(WORLDS[name], n_coded, np.random.default_rng((i, n_coded))) for i in range(corpora)
    ]
    for corpus in made:
        for row in _rows(corpus, *truth):
            rows.setdefault(row.estimator, []).append(row)
    if glide:
        for row in _glide_rows(made, glide, *truth):
            rows.setdefault(row.estimator, []).append(row)
    figures: dict[str, dict[str, object]] = {
        estimator: {
            "coverage": round(float(np.mean([row.is_covered for row in found])), 4),
            "width": round(float(np.mean([row.width for row in found])), 4),
        }
        for estimator, found in rows.items()
    }
    best = min(
        float(np.mean([row.width for row in found]))
        for key, found in rows.items()
        if key.startswith("single")
    )
    width = float(np.mean([row.width for row in rows["combined"]]))
    figures["combined"]["of the best single width"] = round(width / best, 3)
    if not glide:
        figures["glide-py"] = {"not run": "--glide PYTHON was not given"}
    return figures


def _article_truth() -> float:
    """The mean of article means, from many articles."""
    rng = np.random.default_rng(7)
    made = make(plain(400_000, rng), np.zeros(400_000), rng)
    return float((np.bincount(made.article, made.label) / np.bincount(made.article)).mean())


def _corpus(spreads: tuple[float, ...], n_coded: int, rng: np.random.Generator) -> Corpus:
    n = 400
    size = 1 + rng.poisson(4.4, n)
    article = np.repeat(np.arange(n), size)
    level = plain(n, rng) - 0.06 * (size - 5.4)
    latent = level[article] + rng.normal(0, 0.6, len(article))
    label = np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))
    scores = {f"p{k}": _scores(latent, article, own, k, rng) for k, own in enumerate(spreads)}
    coded = np.where(equal_draw(n, n_coded, rng)[article], label, np.nan)
    return Corpus(article, coded, scores)


def _rows(corpus: Corpus, truth: float, article_truth: float) -> Iterator[Row]:
    article, coded, scores = corpus
    yield from row_of("labels only", labelled_mean(coded, article), truth)
    for name, score in scores.items():
        yield from row_of(f"single {name}", corrected_mean(score, coded, article), truth)
        yield from row_of(f"ppi-python {name}", _peer(score, coded), truth)
    for name, wanted, options in (
        ("combined", truth, InferenceOptions()),
        ("combined, articles", article_truth, InferenceOptions(estimand="article")),
    ):
        score, _ = combined_scores(scores, coded, article, options=options)
        estimate = corrected_mean(score, coded, article, options=options)
        yield from row_of(name, estimate, wanted)


def _glide_rows(
    made: list[Corpus], python: str, truth: float, article_truth: float
) -> Iterator[Row]:
    """What glide-py says of the same corpora."""
    with tempfile.TemporaryDirectory() as folder:
        rows, ends = Path(folder, "rows.npy"), Path(folder, "ends.npy")
        table = [
            np.column_stack([np.full(len(c.coded), i), c.article, c.coded, *c.scores.values()])
            for i, c in enumerate(made)
        ]
        np.save(rows, np.concatenate(table))
        worker = Path(__file__).with_name("_glide_worker.py")
        done = subprocess.run([python, "-I", worker, rows, ends], check=False)
        if done.returncode:
            raise SystemExit(f"--glide: a Python 3.12 with glide-py was required, got {python}")
        for low, high, article_low, article_high in np.load(ends).tolist():
            yield Row("glide-py", low <= truth <= high, high - low)
            is_covered = article_low <= article_truth <= article_high
            yield Row("glide-py, articles", is_covered, article_high - article_low)


def _scores(latent: Array, article: Index, own: float, k: int, rng: np.random.Generator) -> Array:
    """Expected stance of a predictor whose error an article shares, and that leans its own way."""
    seen = latent + rng.normal(LEANS[k], own, int(article.max()) + 1)[article]
    seen = seen + rng.normal(0, 0.3, len(seen))
    return np.asarray(ndtr((seen - 0.6) / 0.3) - ndtr((-0.6 - seen) / 0.3))


def _peer(score: Array, coded: Array) -> Estimate:
    """What ppi-python says of one predictor, mention by mention: it knows no clusters."""
    seen = ~np.isnan(coded)
    low, high = ppi_py.ppi_mean_ci(coded[seen], score[seen], score[~seen], alpha=0.05)
    return Estimate(float(low[0] + high[0]) / 2, "ok", low=float(low[0]), high=float(high[0]))


def main() -> None:
    """Run what was asked for and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--glide", default="", help="a Python 3.12 that has glide-py")
    asked = parser.parse_args()
    for name in WORLDS:
        if asked.only not in name:
            continue
        for n in CODED:
            made = simulate(name, n, asked.corpora, asked.glide)
            print(json.dumps({"predictors": name, "coded": n, **made}), flush=True)
