"""How often 95 % intervals by article hold the truth, by method and number of articles.

Simulated corpora with a stance that articles share and annotators who err by article. Prints one
JSON object: measure -> number of articles -> method -> coverage and mean width.

    python -m benchmarks.intervals agreement [corpora]
"""

import json
import sys
from collections.abc import Callable

import numpy as np

from classifier.agreement import Coding, alpha_sums, hits, macro_f1
from classifier.codebook import Label, Variable
from classifier.evaluation._tables import share
from classifier.intervals import (
    FloatArray,
    IntArray,
    IntervalOptions,
    Statistic,
    article_totals,
    interval,
)
from classifier.intervals._resampling import IntervalMethod

SCALE = Variable(
    "stance", "ordinal", "", tuple(Label(name, "", float(i)) for i, name in enumerate("abc"))
)
SIZES = (5, 10, 20, 40)
METHODS: tuple[IntervalMethod, ...] = ("jackknife", "bootstrap", "linearised")
Simulation = Callable[[int, np.random.Generator], tuple[FloatArray, Statistic]]


def agreement(n_articles: int, rng: np.random.Generator) -> tuple[FloatArray, Statistic]:
    """Ordinal alpha of three annotators, a fifth of the labels missing."""
    articles, truth = _mentions(n_articles, rng)
    own = rng.normal(0, 0.25, (n_articles, 3))[articles]
    seen = truth[:, None] + own + rng.normal(0, 0.5, (len(truth), 3))
    codes = _labels(seen)
    codes[rng.random(codes.shape) < 0.2] = -1
    units = tuple(map(str, range(len(codes))))
    coding = Coding(codes, articles, tuple(SCALE.names), units, ("x", "y", "z"))
    return alpha_sums(coding.pairable(), SCALE, "ordinal")


def f1(n_articles: int, rng: np.random.Generator) -> tuple[FloatArray, Statistic]:
    """Macro-F1 of a predictor against gold."""
    gold, predicted, articles = _predictions(n_articles, rng)
    return article_totals(hits(gold, predicted), articles, n_articles), macro_f1


def accuracy(n_articles: int, rng: np.random.Generator) -> tuple[FloatArray, Statistic]:
    """Accuracy of a predictor against gold."""
    gold, predicted, articles = _predictions(n_articles, rng)
    right = (gold * predicted).sum(axis=1)
    rows = np.column_stack([right, np.ones(len(right))])
    return article_totals(rows, articles, n_articles), share


def coverage(simulate: Simulation, n_articles: int, n_corpora: int) -> dict[str, dict[str, float]]:
    """Share of corpora whose interval holds the truth, and the intervals' mean width."""
    rng = np.random.default_rng(n_articles)
    totals, statistic = simulate(20_000, np.random.default_rng(0))
    truth = float(statistic(totals.sum(axis=0)))
    made: dict[str, list[tuple[bool, float]]] = {method: [] for method in METHODS}
    for seed in range(n_corpora):
        totals, _ = simulate(n_articles, rng)
        for method in METHODS:
            options = IntervalOptions(method=method, n_draws=500, seed=seed)
            low, high, *_ = interval(totals, statistic, options, bounds=(-np.inf, 1))
            if low is not None and high is not None:
                made[method].append((low <= truth <= high, high - low))
    return {
        method: {
            "coverage": round(float(np.mean([hit for hit, _ in rows])), 3),
            "width": round(float(np.mean([width for _, width in rows])), 3),
            "n_intervals": len(rows),
        }
        for method, rows in made.items()
    }


def _mentions(n_articles: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    articles = np.repeat(np.arange(n_articles), rng.integers(2, 9, n_articles))
    shared = rng.normal(0, 0.7, n_articles)[articles]
    return articles, shared + rng.normal(0, 0.6, len(articles))


def _predictions(
    n_articles: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IntArray]:
    articles, truth = _mentions(n_articles, rng)
    error = rng.normal(0, 0.3, n_articles)[articles] + rng.normal(0, 0.4, len(articles))
    return np.eye(3)[_labels(truth)], np.eye(3)[_labels(truth + error)], articles


def _labels(place: FloatArray) -> IntArray:
    return (place > -0.5).astype(np.int64) + (place > 0.6)


def main() -> None:
    """Print the table as one JSON object."""
    n_corpora = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    simulations: dict[str, Simulation] = {"alpha": agreement, "macro_f1": f1, "accuracy": accuracy}
    table = {
        name: {str(n): coverage(simulate, n, n_corpora) for n in SIZES}
        for name, simulate in simulations.items()
    }
    print(json.dumps({"n_corpora": n_corpora, **table}))
