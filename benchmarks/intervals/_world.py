"""Simulated sources, and coverage of other ways to draw and code articles of them.

Stance clusters by article, and so do a model's errors. The model is right on about four mentions
of five, its errors lean a different way in every source, and long articles are more negative. Part
of `coverage.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from classifier.intervals import Redraws, Sampling, corrected_mean, looks_random
from classifier.records import Estimate
from classifier.sampling import draw_further

Array = npt.NDArray[np.float64]
ARTICLES = 400
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
    low, high = ndtr((-0.6 - seen) / 0.3), ndtr((seen - 0.6) / 0.3)
    middle = 1 - low - high
    return high - low, np.maximum(np.maximum(low, high), middle)


def ends(estimate: Estimate) -> tuple[float, float]:
    """Low and high of an interval that must be there."""
    if estimate.low is None or estimate.high is None:
        raise SystemExit(f"an interval was expected, got {estimate.interval_status}")
    return estimate.low, estimate.high


def unequal_chances(corpora: int, seed: int) -> dict[str, float]:
    """Coverage with long articles drawn more often, chances known, about 60 coded."""
    generator = np.random.default_rng(seed)
    truths = [World(lean).mean(generator) for lean in LEANS]
    with_chances: list[bool] = []
    without: list[bool] = []
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
            low, high = ends(estimate)
            rows.append(bool(low <= truth <= high))
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
            low, high = ends(estimate)
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


def drawn_twice(corpora: int, seed: int) -> dict[str, float]:
    """Coverage with 20 articles at random, then about 30 more, most of them among the long ones.

    The second draw goes by `draw_further`, and the chances of both together are
    given to the estimator, or those of the first draw only.
    """
    generator = np.random.default_rng(seed)
    truths = [World(lean).mean(generator) for lean in LEANS]
    hits: dict[str, list[bool]] = {}
    for i in range(corpora):
        corpus = World(LEANS[i % len(LEANS)]).draw(ARTICLES, generator)
        sizes = np.bincount(corpus.article)
        first = generator.choice(ARTICLES, 20, replace=False)
        names = np.arange(ARTICLES).astype(str)
        frame = pd.DataFrame({"article_id": names, "stratum": "s", "sampling_probability": 0.05})
        second = np.where(sizes > 6, 0.17, 0.04)
        further = draw_further(
            frame, set(first.astype(str)), dict(zip(names, second, strict=True)), seed=i
        )
        both = np.concatenate([first, further.table["article_id"].astype(int)])
        coded = np.where(np.isin(corpus.article, both), corpus.label, np.nan)
        combined = further.frame["sampling_probability"].to_numpy()
        ways = {"chances of both draws": combined, "taken as one random draw": None}
        for name, chances in ways.items():
            given = None if chances is None else chances[corpus.article]
            estimate = corrected_mean(
                corpus.score, coded, corpus.article, sampling=Sampling(probability=given)
            )
            low, high = ends(estimate)
            hits.setdefault(name, []).append(bool(low <= truths[i % len(LEANS)] <= high))
    return {name: round(float(np.mean(rows)), 4) for name, rows in hits.items()}


def fired(corpora: int, seed: int) -> dict[str, float]:
    """How often the randomness test fires when the easy articles were coded, and when not.

    With equal chances; with two strata of unequal ones; and with chances of each article's own.
    """
    generator = np.random.default_rng(seed)
    found: dict[str, list[bool]] = {}
    for i in range(corpora):
        corpus = World(LEANS[i % len(LEANS)]).draw(ARTICLES, generator)
        sizes = np.bincount(corpus.article)
        wrong = np.bincount(corpus.article, weights=np.abs(corpus.score - corpus.label)) / sizes
        own = np.exp(generator.normal(0, 0.5, ARTICLES))
        designs = {
            "equal chances": np.full(ARTICLES, 60 / ARTICLES),
            "two strata": np.where(np.arange(ARTICLES) < 80, 36 / 80, 24 / 320),
            "chances of their own": np.clip(60 * own / own.sum(), 0.01, 1),
        }
        for name, chances in designs.items():
            ease = chances * np.exp(-6 * wrong)
            easy = np.clip(ease * chances.sum() / ease.sum(), 0, 1)
            for what, true_chances in (("random", chances), ("easy", easy)):
                chosen = np.flatnonzero(generator.random(ARTICLES) < true_chances)
                test = looks_random(
                    corpus.score,
                    np.isin(corpus.article, chosen),
                    corpus.article,
                    others={"confidence": corpus.confidence},
                    probability=None if name == "equal chances" else chances[corpus.article],
                    redraws=Redraws(499, seed=i),
                )
                found.setdefault(f"{what} articles coded, {name}", []).append(
                    test.is_random() is False
                )
    return {name: round(float(np.mean(rows)), 4) for name, rows in found.items()}
