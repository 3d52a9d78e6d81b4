"""Corrected means from several predictors at once: coverage, and width beside the best single one.

Part of `python benchmarks/intervals`.
"""

from collections.abc import Iterator

import numpy as np
from designs import LEANS, Array, Index, Row, equal_draw, plain, row_of, truth_of
from scipy import stats

from classifier.intervals import combined_scores, corrected_mean, labelled_mean

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
    score, _ = combined_scores(scores, coded, article)
    yield from row_of("combined", corrected_mean(score, coded, article), truth)


def _scores(latent: Array, article: Index, own: float, k: int, rng: np.random.Generator) -> Array:
    """Expected stance of a predictor whose error an article shares, and that leans its own way."""
    seen = latent + rng.normal(LEANS[k], own, int(article.max()) + 1)[article]
    seen = seen + rng.normal(0, 0.3, len(seen))
    return np.asarray(stats.norm.sf((0.6 - seen) / 0.3) - stats.norm.cdf((-0.6 - seen) / 0.3))
