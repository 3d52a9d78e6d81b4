"""How often a nominal 95 % interval of a source's mean stance covers the truth, by simulation.

Stance clusters by article; the model is right on about four mentions of five, its errors cluster by
article too and lean a different way in every source; long articles are more negative. Prints one
JSON object last.

    python -m benchmarks.intervals coverage [--corpora 1000] [--seed 0]
"""

import argparse
import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmarks.intervals._trained import false_alarms, trained_on_coded
from benchmarks.intervals._world import (
    ARTICLES,
    LEANS,
    Array,
    Corpus,
    World,
    drawn_twice,
    ends,
    fired,
    messy_coding,
    unequal_chances,
)
from classifier.intervals import InferenceOptions, corrected_mean, labelled_mean, naive_mean

CODED = (10, 20, 40, 80)


def simulate(corpora: int, seed: int) -> dict[str, object]:
    """Coverage and mean width per estimator and number of coded articles."""
    generator = np.random.default_rng(seed)
    worlds = [World(lean) for lean in LEANS]
    truths = [world.mean(generator) for world in worlds]
    results: dict[str, object] = {}
    right = []
    for n_coded in CODED:
        hits: dict[str, list[tuple[bool, float]]] = {}
        for i in range(corpora):
            world, truth = worlds[i % len(worlds)], truths[i % len(worlds)]
            corpus = world.draw(ARTICLES, generator)
            right.append(float(np.mean(_argmax(corpus) == corpus.label)))
            chosen = generator.choice(ARTICLES, n_coded, replace=False)
            for name, (low, high) in _intervals(corpus, chosen):
                hits.setdefault(name, []).append((low <= truth <= high, high - low))
        results[str(n_coded)] = {
            name: {
                "coverage": round(float(np.mean([hit for hit, _ in rows])), 4),
                "width": round(float(np.mean([width for _, width in rows])), 4),
                "intervals": len(rows),
            }
            for name, rows in hits.items()
        }
    return {"model_accuracy": round(float(np.mean(right)), 3), "by_coded_articles": results}


def _argmax(corpus: Corpus) -> Array:
    return np.where(corpus.score < -0.5, -1.0, np.where(corpus.score > 0.5, 1.0, 0.0))


def _intervals(
    corpus: Corpus, chosen: npt.NDArray[np.int64]
) -> Iterator[tuple[str, tuple[float, float]]]:
    coded = np.where(np.isin(corpus.article, chosen), corpus.label, np.nan)
    yield "naive", ends(naive_mean(corpus.score, corpus.article))
    for name, estimate in (
        ("labels only", labelled_mean(coded, corpus.article)),
        ("corrected", corrected_mean(corpus.score, coded, corpus.article)),
    ):
        if estimate.low is not None:
            yield name, ends(estimate)
    yield "mention-level (negative control)", _mention_level(corpus.score, coded)


def _mention_level(score: Array, coded: Array) -> tuple[float, float]:
    """PPI++ as if mentions were independent: what a package without clusters gives."""
    known = ~np.isnan(coded)
    y, f, u = coded[known], score[known], score[~known]
    n, m = len(y), len(u)
    weight = float(np.clip(np.cov(y, f)[0, 1] / (np.var(score) * (1 + n / m)), 0, 1))
    centre = y.mean() + weight * (u.mean() - f.mean())
    half = 1.96 * np.sqrt(np.var(y - weight * f) / n + weight**2 * np.var(u) / m)
    return float(centre - half), float(centre + half)


def finite_and_article(corpora: int, seed: int) -> dict[str, float]:
    """Coverage of the other estimands with 40 coded articles."""
    generator = np.random.default_rng(seed)
    hits: dict[str, list[bool]] = {"this corpus": [], "article-weighted, this corpus": []}
    for i in range(corpora):
        corpus = World(LEANS[i % len(LEANS)]).draw(ARTICLES, generator)
        chosen = generator.choice(ARTICLES, 40, replace=False)
        coded = np.where(np.isin(corpus.article, chosen), corpus.label, np.nan)
        sizes = np.bincount(corpus.article)
        truths = {
            "this corpus": corpus.label.mean(),
            "article-weighted, this corpus": (
                np.bincount(corpus.article, weights=corpus.label) / sizes
            ).mean(),
        }
        for name, estimand in (("this corpus", "mention"), (list(hits)[1], "article")):
            options = InferenceOptions(estimand=estimand, population="corpus")  # type: ignore[arg-type]
            low, high = ends(corrected_mean(corpus.score, coded, corpus.article, options=options))
            hits[name].append(bool(low <= truths[name] <= high))
    return {name: round(float(np.mean(rows)), 4) for name, rows in hits.items()}


def main() -> None:
    """Run all simulations and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    runs = (arguments.corpora, arguments.seed)
    result = {
        "corpora": arguments.corpora,
        "articles_per_corpus": ARTICLES,
        **simulate(*runs),
        "coverage_at_40_coded": finite_and_article(*runs),
        "coverage_with_unequal_chances": unequal_chances(*runs),
        "coverage_of_messy_coding_at_40_coded": messy_coding(*runs),
        "coverage_of_two_draws_together": drawn_twice(*runs),
        "coverage_where_the_model_was_trained_on_the_coded": trained_on_coded(*runs),
        "randomness_test_fires": fired(*runs),
        "randomness_test_fires_on_random_articles_judged_in_folds": false_alarms(*runs),
    }
    print(json.dumps(result, indent=2))
