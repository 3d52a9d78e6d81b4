"""Corrected means from several predictors at once: coverage, and width beside the best single one.

    python -m benchmarks.intervals several [--corpora 1000] [--only NAME]

Prints one JSON line per set of predictors and number of coded articles. Beside each predictor
stands what ppi-python makes of it. glide-py combines several too, but needs Python 3.12.
"""

import argparse
import json
from collections.abc import Iterator

import numpy as np
import ppi_py
from scipy.special import ndtr

from benchmarks.intervals._awkward import (
    LEANS,
    Array,
    Index,
    Row,
    equal_draw,
    plain,
    row_of,
    truth_of,
)
from classifier.intervals import combined_scores, corrected_mean, labelled_mean
from classifier.records import Estimate

CODED = (20, 40, 80)
WORLDS = {
    "complementary": (0.7, 0.7),
    "one good, one poor": (0.3, 1.6),
    "both useless": (9.0, 9.0),
    "three alike": (0.5, 0.5, 0.5),
}
"""Spread of each predictor's own error by article."""


def simulate(name: str, n_coded: int, corpora: int) -> dict[str, dict[str, float]]:
    """Coverage and mean width per estimator, over corpora of 400 articles."""
    truth = truth_of(plain)
    rows: dict[str, list[Row]] = {}
    for i in range(corpora):
        for row in _rows(WORLDS[name], n_coded, truth, np.random.default_rng((i, n_coded))):
            rows.setdefault(row.estimator, []).append(row)
    made = {
        estimator: {
            "coverage": round(float(np.mean([row.is_covered for row in found])), 4),
            "width": round(float(np.mean([row.width for row in found])), 4),
        }
        for estimator, found in rows.items()
    }
    best = min(figures["width"] for key, figures in made.items() if key.startswith("single"))
    made["combined"]["of the best single width"] = round(made["combined"]["width"] / best, 3)
    return made


def _rows(
    spreads: tuple[float, ...], n_coded: int, truth: float, rng: np.random.Generator
) -> Iterator[Row]:
    n = 400
    size = 1 + rng.poisson(4.4, n)
    article = np.repeat(np.arange(n), size)
    level = plain(n, rng) - 0.06 * (size - 5.4)
    latent = level[article] + rng.normal(0, 0.6, len(article))
    label = np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))
    scores = {f"p{k}": _scores(latent, article, own, k, rng) for k, own in enumerate(spreads)}
    coded = np.where(equal_draw(n, n_coded, rng)[article], label, np.nan)
    yield from row_of("labels only", labelled_mean(coded, article), truth)
    for name, score in scores.items():
        yield from row_of(f"single {name}", corrected_mean(score, coded, article), truth)
        yield from row_of(f"ppi-python {name}", _peer(score, coded), truth)
    score, _ = combined_scores(scores, coded, article)
    yield from row_of("combined", corrected_mean(score, coded, article), truth)


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
    asked = parser.parse_args()
    for name in WORLDS:
        if asked.only not in name:
            continue
        for n in CODED:
            made = simulate(name, n, asked.corpora)
            print(json.dumps({"predictors": name, "coded": n, **made}), flush=True)
