"""How often a nominal 95 % interval of a source's mean stance covers the truth, by simulation.

Stance clusters by article; the model is right on about four mentions of five, its errors cluster by
article too and lean a different way in every source; long articles are more negative. Prints one
JSON object last.

    python benchmarks/coverage.py [--corpora 1000] [--seed 0]
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from classifier.inference import (
    InferenceOptions,
    Sampling,
    corrected_mean,
    labelled_mean,
    looks_random,
    naive_mean,
)
from classifier.records import Estimate

Array = npt.NDArray[np.float64]
ARTICLES = 400
CODED = (10, 20, 40, 80)
LEANS = (-0.35, -0.25, 0.25, 0.35)
"""Systematic error of the model per source, on the scale of the latent stance."""
TRUTH_DRAWS = 400_000


class Corpus(NamedTuple):
    """One source's mentions: article, human label and model score per mention."""

    article: npt.NDArray[np.int64]
    label: Array
    score: Array
    confidence: Array


@dataclass(frozen=True)
class World:
    """Where stance and errors come from."""

    lean: float
    """Shift of the model's latent score in this source."""
    article_spread: float = 0.8
    error_spread: float = 0.2

    def draw(self, n_articles: int, generator: np.random.Generator) -> Corpus:
        """A corpus of this source."""
        size = 1 + generator.poisson(4.4, n_articles)
        article = np.repeat(np.arange(n_articles), size)
        level = generator.normal(0, self.article_spread, n_articles) - 0.06 * (size - 5.4)
        latent = level[article] + generator.normal(0, 0.6, len(article))
        error = generator.normal(self.lean, self.error_spread, n_articles)[article]
        seen = latent + error + generator.normal(0, 0.15, len(article))
        return Corpus(article, _stance(latent), *_expected(seen))

    def mean(self, generator: np.random.Generator) -> float:
        """The mention-weighted mean stance of the source, from a very large corpus."""
        return float(self.draw(TRUTH_DRAWS, generator).label.mean())


def _stance(latent: Array) -> Array:
    return np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))


def _expected(seen: Array) -> tuple[Array, Array]:
    """Expected stance and the probability of the likeliest label of a model that sees `seen`."""
    low, high = stats.norm.cdf((-0.6 - seen) / 0.3), stats.norm.sf((0.6 - seen) / 0.3)
    middle = 1 - low - high
    return high - low, np.maximum(np.maximum(low, high), middle)


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
    yield "naive", _ends(naive_mean(corpus.score, corpus.article))
    for name, estimate in (
        ("labels only", labelled_mean(coded, corpus.article)),
        ("corrected", corrected_mean(corpus.score, coded, corpus.article)),
    ):
        if estimate.low is not None:
            yield name, _ends(estimate)
    yield "mention-level (negative control)", _mention_level(corpus.score, coded)


def _ends(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        raise SystemExit(f"an interval was expected, got {estimate.interval_status}")
    return estimate.low, estimate.high


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
            low, high = _ends(corrected_mean(corpus.score, coded, corpus.article, options=options))
            hits[name].append(bool(low <= truths[name] <= high))
    return {name: round(float(np.mean(rows)), 4) for name, rows in hits.items()}


def unequal_chances(corpora: int, seed: int) -> dict[str, float]:
    """Coverage with long articles drawn more often, chances known, about 60 coded."""
    generator = np.random.default_rng(seed)
    truths = [World(lean).mean(generator) for lean in LEANS]
    with_chances, without = [], []
    for i in range(corpora):
        corpus = World(LEANS[i % len(LEANS)]).draw(ARTICLES, generator)
        sizes = np.bincount(corpus.article)
        chance = np.clip(60 * sizes / sizes.sum(), 0.01, 1)
        coded_articles = np.flatnonzero(generator.random(ARTICLES) < chance)
        coded = np.where(np.isin(corpus.article, coded_articles), corpus.label, np.nan)
        truth = truths[i % len(LEANS)]
        for rows, given in ((with_chances, chance[corpus.article]), (without, None)):
            sampling = Sampling(probability=given)
            estimate = corrected_mean(corpus.score, coded, corpus.article, sampling=sampling)
            low, high = _ends(estimate)
            rows.append(low <= truth <= high)
    return {
        "chances given": round(float(np.mean(with_chances)), 4),
        "chances ignored": round(float(np.mean(without)), 4),
    }


def messy_coding(corpora: int, seed: int) -> dict[str, float]:
    """Coverage with 40 coded articles that are coded in part, hold false mentions or are copied."""
    generator = np.random.default_rng(seed)
    truths = [World(lean).mean(generator) for lean in LEANS]
    hits: dict[str, list[bool]] = {}
    for i in range(corpora):
        corpus = World(LEANS[i % len(LEANS)]).draw(ARTICLES, generator)
        chosen = generator.choice(ARTICLES, 40, replace=False)
        coded = np.where(np.isin(corpus.article, chosen), corpus.label, np.nan)
        for name, (score, labels, article, sampling) in {
            "two mentions coded per article": (*_first_two(corpus, coded), Sampling()),
            "a false mention in two articles of three": _with_false(corpus, coded, generator),
            "a third of the articles printed three times": _copied(corpus, generator),
        }.items():
            estimate = corrected_mean(score, labels, article, sampling=sampling)
            low, high = _ends(estimate)
            hits.setdefault(name, []).append(bool(low <= truths[i % len(LEANS)] <= high))
    return {name: round(float(np.mean(rows)), 4) for name, rows in hits.items()}


def _first_two(corpus: Corpus, coded: Array) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Only two mentions of a coded article were coded; mentions are in random order."""
    place = np.arange(len(coded)) - np.searchsorted(corpus.article, corpus.article)
    return corpus.score, np.where(place < 2, coded, np.nan), corpus.article


def _with_false(
    corpus: Corpus, coded: Array, generator: np.random.Generator
) -> tuple[Array, Array, npt.NDArray[np.int64], Sampling]:
    """Two articles of three also have a mention that is none, to which the model gives 0.8."""
    extra = np.flatnonzero(generator.random(ARTICLES) < 2 / 3)
    n = len(extra)
    is_coded = np.isin(extra, corpus.article[~np.isnan(coded)])
    return (
        np.concatenate([corpus.score, np.full(n, 0.8)]),
        np.concatenate([coded, np.full(n, np.nan)]),
        np.concatenate([corpus.article, extra]),
        Sampling(is_false=np.concatenate([np.zeros(len(coded), bool), is_coded])),
    )


def _copied(
    corpus: Corpus, generator: np.random.Generator
) -> tuple[Array, Array, npt.NDArray[np.int64], Sampling]:
    """The same articles, but each third one three times under the same story; 40 of them coded."""
    copies = [corpus.article + ARTICLES * k for k in range(3)]
    kept = [np.ones(len(corpus.article), bool), corpus.article % 3 == 0, corpus.article % 3 == 0]
    article = np.concatenate([a[k] for a, k in zip(copies, kept, strict=True)])
    score, label, story = (
        np.concatenate([column[k] for k in kept])
        for column in (corpus.score, corpus.label, corpus.article)
    )
    chosen = generator.choice(np.unique(article), 40, replace=False)
    coded = np.where(np.isin(article, chosen), label, np.nan)
    return score, coded, article, Sampling(cluster=story)


def easy_articles(corpora: int, seed: int) -> dict[str, float]:
    """How often the randomness test fires when the easy articles were coded, and when not."""
    generator = np.random.default_rng(seed)
    fired: dict[str, list[bool]] = {"easy articles coded": [], "random articles coded": []}
    for i in range(corpora):
        corpus = World(LEANS[i % len(LEANS)]).draw(ARTICLES, generator)
        sizes = np.bincount(corpus.article)
        wrong = np.bincount(corpus.article, weights=np.abs(corpus.score - corpus.label)) / sizes
        ease = np.exp(-6 * wrong)
        draws = {
            "easy articles coded": generator.choice(
                ARTICLES, 60, replace=False, p=ease / ease.sum()
            ),
            "random articles coded": generator.choice(ARTICLES, 60, replace=False),
        }
        for name, chosen in draws.items():
            test = looks_random(
                corpus.score,
                np.isin(corpus.article, chosen),
                corpus.article,
                confidence=corpus.confidence,
                n_permutations=499,
                seed=i,
            )
            fired[name].append(test.is_random() is False)
    return {name: round(float(np.mean(rows)), 4) for name, rows in fired.items()}


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
        "randomness_test_fires": easy_articles(*runs),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
