"""Coverage of 95 % intervals where the draw or the coding is awkward, by simulation.

Each design makes a corpus, draws articles to code as `classifier sample` does, and asks for the
labels-only, the corrected and the uncorrected interval. Part of `awkward.py`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from classifier.intervals import (
    InferenceOptions,
    Population,
    Sampling,
    corrected_mean,
    corrected_terms,
    difference,
    labelled_mean,
    naive_mean,
)
from classifier.records import Estimate
from classifier.sampling import draw_sample

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
STRATA = (4, 10, 30, 100, 300, 600)
LEANS = (-0.35, -0.25, 0.25, 0.35)


class Mentions(NamedTuple):
    """A corpus, one entry per mention."""

    article: Index
    label: Array
    score: Array
    chance_of_label: Array
    """The model's probability that the mention is negative."""


class Case(NamedTuple):
    """A corpus with a draw from it, and the mean to be found."""

    mentions: Mentions
    is_coded: npt.NDArray[np.bool_]
    """Per article."""
    truth: float
    chance: Array | None = None
    """Per article; None if all had the same."""
    story: Index | None = None
    """Per article."""
    population: Population = "source"
    is_share: bool = False


class Row(NamedTuple):
    """What one estimator said of one corpus."""

    estimator: str
    is_covered: bool
    width: float


def make(
    level: Array, lean: Array, rng: np.random.Generator, size: Index | None = None
) -> Mentions:
    """Mentions of articles with a stance level and a model error each.

    Long articles are more negative; the model is right on about four mentions of five.
    """
    n = len(level)
    size = 1 + rng.poisson(4.4, n) if size is None else size
    article = np.repeat(np.arange(n), size)
    latent = (level - 0.06 * (size - 5.4))[article] + rng.normal(0, 0.6, len(article))
    error = rng.normal(lean, 0.2)[article]
    seen = latent + error + rng.normal(0, 0.15, len(article))
    label = np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))
    low, high = ndtr((-0.6 - seen) / 0.3), ndtr((seen - 0.6) / 0.3)
    return Mentions(article, label, high - low, low)


def truth_of(level: Callable[[int, np.random.Generator], Array]) -> float:
    """The mention-weighted mean of a source whose article levels are drawn so."""
    rng = np.random.default_rng(7)
    drawn = level(400_000, rng)
    return float(make(drawn, np.zeros(len(drawn)), rng).label.mean())


def plain(n: int, rng: np.random.Generator) -> Array:
    """Levels of articles of one source."""
    return rng.normal(0, 0.8, n)


def equal(n: int, n_coded: int) -> Callable[[int, np.random.Generator], Case]:
    """One source, articles drawn with equal chances."""
    truth = truth_of(plain)

    def design(i: int, rng: np.random.Generator) -> Case:
        mentions = make(plain(n, rng), np.full(n, LEANS[i % 4]), rng)
        return Case(mentions, equal_draw(n, n_coded, rng), truth)

    return design


def stratified(
    population: Population, spread_of_leans: float, n_drawn: int = 60
) -> Callable[[int, np.random.Generator], Case]:
    """Strata of about 4 to 600 articles with equal numbers drawn, small ones taken whole."""
    shares = np.array(STRATA) / sum(STRATA)
    shift = np.linspace(-0.8, 0.8, len(STRATA))

    def levels(n: int, rng: np.random.Generator) -> Array:
        return rng.normal(0, 0.8, n) + shift[rng.choice(len(STRATA), n, p=shares)]

    truth = truth_of(levels)
    leans = spread_of_leans * np.array([1, -1, 1, -1, 1, -1])

    def design(i: int, rng: np.random.Generator) -> Case:
        n = sum(STRATA)
        if population == "source":
            stratum = np.sort(rng.choice(len(STRATA), n, p=shares))
        else:
            stratum = np.repeat(np.arange(len(STRATA)), STRATA)
        mentions = make(rng.normal(0, 0.8, n) + shift[stratum], 0.1 + leans[stratum], rng)
        is_coded, chance = drawn_by(stratum, n_drawn, rng)
        mean = truth if population == "source" else float(mentions.label.mean())
        return Case(mentions, is_coded, mean, chance, population=population)

    return design


def copies(i: int, rng: np.random.Generator) -> Case:
    """Three sources of 150 articles of which four in ten are wire copies; 20 drawn of each."""
    story = np.where(rng.random(450) < 0.4, rng.integers(0, 90, 450), -1)
    own = story < 0
    story[own] = 90 + np.arange(own.sum())
    names, story = np.unique(story, return_inverse=True)
    level, size = plain(len(names), rng), 1 + rng.poisson(4.4, len(names))
    seed = int(rng.integers(2**31))
    whole = make(level, np.full(len(names), LEANS[i % 4]), np.random.default_rng(seed), size)
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    rows = np.concatenate([np.arange(first[s], first[s] + size[s]) for s in story])
    article = np.repeat(np.arange(len(story)), size[story])
    mentions = Mentions(article, whole.label[rows], whole.score[rows], whole.chance_of_label[rows])
    is_coded, chance = drawn_by(np.repeat(np.arange(3), 150), 60, rng)
    return Case(mentions, is_coded, PLAIN_TRUTH, None if np.ptp(chance) == 0 else chance, story)


def rare(i: int, rng: np.random.Generator) -> Case:
    """A target in one article of twelve, once or twice; 130 of 400 articles are drawn."""
    has = np.flatnonzero(rng.random(400) < 1 / 12)
    size = 1 + (rng.random(len(has)) < 0.3).astype(np.int64)
    mentions = make(plain(len(has), rng), np.full(len(has), LEANS[i % 4]), rng, size)
    return Case(mentions, equal_draw(400, 130, rng)[has], RARE_TRUTH)


def rare_share(cut: float, n_coded: int) -> Callable[[int, np.random.Generator], Case]:
    """The share of a label that few mentions have; equal chances."""

    def build(n: int, lean: float, rng: np.random.Generator) -> Mentions:
        size = 1 + rng.poisson(4.4, n)
        article = np.repeat(np.arange(n), size)
        latent = rng.normal(0, 0.8, n)[article] + rng.normal(0, 0.6, len(article))
        seen = latent + rng.normal(lean, 0.2, n)[article] + rng.normal(0, 0.15, len(article))
        chance = ndtr((seen - cut) / 0.3)
        return Mentions(article, (latent > cut).astype(float), chance, chance)

    truth = float(ndtr(-cut))

    def design(i: int, rng: np.random.Generator) -> Case:
        mentions = build(400, LEANS[i % 4], rng)
        return Case(mentions, equal_draw(400, n_coded, rng), truth, is_share=True)

    return design


def drawn_by(
    stratum: Index, n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], Array]:
    """Who is drawn, and everyone's chance, as `classifier sample --by` does it."""
    ids = np.arange(len(stratum)).astype(str)
    table = pd.DataFrame({"article_id": ids, "stratum": stratum.astype(str)})
    sample = draw_sample(table, n, by=("stratum",), seed=int(rng.integers(2**31)))
    return _read(sample.table, sample.frame, len(stratum))


def drawn_by_uncertainty(
    mentions: Mentions, n: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.bool_], Array]:
    """The same as `classifier sample --by uncertainty` does it."""
    negative = mentions.chance_of_label
    positive = np.clip(mentions.score + negative, 0, 1)
    table = pd.DataFrame(
        {
            "article_id": mentions.article,
            "stance_score": mentions.score,
            "p_stance_unfavourable": negative,
            "p_stance_favourable": positive,
            "p_stance_neutral": np.clip(1 - negative - positive, 0, 1),
        }
    )
    sample = draw_sample(table, n, design="uncertainty", seed=int(rng.integers(2**31)))
    return _read(sample.table, sample.frame, int(mentions.article[-1]) + 1)


def unsure(i: int, rng: np.random.Generator) -> Case:
    """One source, 40 of 400 articles drawn by uncertainty."""
    mentions = make(plain(400, rng), np.full(400, LEANS[i % 4]), rng)
    is_coded, chance = drawn_by_uncertainty(mentions, 40, rng)
    return Case(mentions, is_coded, PLAIN_TRUTH, chance)


def rows_of(case: Case) -> list[Row]:
    """What each estimator says of one corpus."""
    mentions = case.mentions
    article = mentions.article
    coded = np.where(case.is_coded[article], mentions.label, np.nan)
    sampling = Sampling(
        None if case.chance is None else case.chance[article],
        None if case.story is None else case.story[article],
    )
    options = InferenceOptions(population=case.population, is_share=case.is_share)
    alone = Sampling(cluster=sampling.cluster)
    made = {
        "uncorrected": naive_mean(mentions.score, article, sampling=alone, options=options),
        "labels only": labelled_mean(coded, article, sampling=sampling, options=options),
        "corrected": corrected_mean(
            mentions.score, coded, article, sampling=sampling, options=options
        ),
    }
    return [row for name, e in made.items() for row in row_of(name, e, case.truth)]


def difference_rows(case: Case) -> list[Row]:
    """The same for the first source minus the second, which share stories."""
    mentions, source = case.mentions, case.mentions.article // 150
    options, sides, terms = InferenceOptions(), [], []
    for k in (0, 1):
        own = source == k
        article = mentions.article[own]
        coded = np.where(case.is_coded[article], mentions.label[own], np.nan)
        assert case.story is not None
        sampling = Sampling(cluster=case.story[article])
        columns = (mentions.score[own], coded, article)
        sides.append(corrected_mean(*columns, sampling=sampling, options=options))
        terms.append(corrected_terms(*columns, sampling=sampling, options=options))
    shared = terms[0].keys() & terms[1].keys()
    covariance = sum(terms[0][name] * terms[1][name] for name in shared)
    return row_of("corrected difference", difference(*sides, covariance=covariance), 0.0)


def row_of(name: str, estimate: Estimate, truth: float) -> list[Row]:
    """What an estimate says of the truth; nothing if it has no interval."""
    if estimate.low is None or estimate.high is None:
        return []
    is_covered = estimate.low - 1e-9 <= truth <= estimate.high + 1e-9
    return [Row(name, is_covered, estimate.high - estimate.low)]


def _read(drawn: pd.DataFrame, frame: pd.DataFrame, n: int) -> tuple[npt.NDArray[np.bool_], Array]:
    is_coded, chance = np.zeros(n, bool), np.ones(n)
    is_coded[drawn["article_id"].astype(int)] = True
    chance[frame["article_id"].astype(int)] = frame["sampling_probability"].astype(float)
    return is_coded, chance


def equal_draw(n: int, n_coded: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which of n articles are drawn with equal chances."""
    is_coded = np.zeros(n, bool)
    is_coded[rng.choice(n, n_coded, replace=False)] = True
    return is_coded


def _rare_truth() -> float:
    rng = np.random.default_rng(7)
    size = 1 + (rng.random(400_000) < 0.3).astype(np.int64)
    return float(make(plain(len(size), rng), np.zeros(len(size)), rng, size).label.mean())


PLAIN_TRUTH = truth_of(plain)
RARE_TRUTH = _rare_truth()
