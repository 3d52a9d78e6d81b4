"""Pooled means of sources with 3 to 8 coded articles, by simulation: one JSON line per world.

    python -m benchmarks.intervals pooled [--corpora 1000] [--only NAME] [--sources N...]

Each corpus has 5, 12 or 30 sources of 30 to 200 articles, and 3 to 8 coded articles of each. Prints
coverage and mean width over all sources, and the mean squared error as a part of that of the labels
alone.
"""

import argparse
import json
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import ndtr

from benchmarks.intervals._awkward import LEANS, Array, equal_draw, make
from classifier.intervals import (
    InferenceOptions,
    OneSource,
    Sampling,
    labelled_mean,
    pooled_means,
)

SOURCES = (5, 12, 30)


class World(NamedTuple):
    """How sources differ."""

    spread: float
    """Standard deviation of the sources' levels."""
    lean: float | None
    """The same of the model's lean; None: one of four strong leans."""
    error: float = 0.2
    """Standard deviation of the model's error by article."""
    is_heavy: bool = False
    """Whether a few sources are unlike all others."""
    population: str = "source"


WORLDS = {
    "sources differ": World(0.3, 0.25),
    "sources alike": World(0.0, 0.0),
    "sources alike, model leans": World(0.05, 0.25),
    "sources far apart": World(0.8, 0.25),
    "strong leans": World(0.3, None),
    "a poor model": World(0.3, 0.25, error=1.2),
    "a few outliers": World(0.3, 0.25, is_heavy=True),
    "this corpus": World(0.3, 0.25, population="corpus"),
}


def truth(level: Array) -> Array:
    """Mention-weighted mean of sources of these levels, over all lengths of articles."""
    more = np.arange(40)
    chance = stats.poisson.pmf(more, 4.4) * (1 + more)
    # Levels of articles and of mentions spread by .8 and .6, together by 1.
    shift = level[:, None] - 0.06 * (1 + more - 5.4)
    return np.asarray((ndtr(shift - 0.6) - ndtr(-0.6 - shift)) @ chance / chance.sum())


def simulate(world: World, n: int, corpora: int) -> dict[str, dict[str, float]]:
    """Per way: coverage, width, and squared error as a part of that of the labels alone."""
    found: dict[str, list[tuple[bool, float, float]]] = {}
    options = InferenceOptions(population=world.population)  # type: ignore[arg-type]
    for i in range(corpora):
        rng = np.random.default_rng((i, n))
        heavy = rng.standard_t(2.5, n) / np.sqrt(5)
        level = world.spread * (heavy if world.is_heavy else rng.normal(0, 1, n)) + 0.1
        lean = rng.choice(LEANS, n) if world.lean is None else rng.normal(0.1, world.lean, n)
        groups, wanted = [], truth(level)
        for j in range(n):
            size, n_coded = int(rng.integers(30, 200)), int(rng.integers(3, 9))
            leans = lean[j] + rng.normal(0, 1, size) * np.sqrt(max(world.error**2 - 0.04, 0))
            mentions = make(rng.normal(level[j], 0.8, size), leans, rng)
            coded = np.where(
                equal_draw(size, n_coded, rng)[mentions.article], mentions.label, np.nan
            )
            groups.append(OneSource(mentions.score, coded, mentions.article, Sampling()))
            if world.population == "corpus":
                wanted[j] = mentions.label.mean()
        ways = {
            "labels only": [labelled_mean(g.coded, g.article, options=options) for g in groups],
            "pooled": pooled_means(groups, options=options),
        }
        for way, estimates in ways.items():
            for e, true in zip(estimates, wanted, strict=True):
                if e.value is not None and e.low is not None and e.high is not None:
                    row = (e.low <= true <= e.high, e.high - e.low, (e.value - true) ** 2)
                    found.setdefault(way, []).append(row)
    least = float(np.mean([error for *_, error in found["labels only"]]))
    return {
        way: {
            "coverage": round(float(np.mean([hit for hit, *_ in rows])), 4),
            "width": round(float(np.mean([width for _, width, _ in rows])), 4),
            "squared error": round(float(np.mean([error for *_, error in rows])) / least, 3),
            "intervals": len(rows),
        }
        for way, rows in found.items()
    }


def main() -> None:
    """Run what was asked for and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    parser.add_argument("--only", default="", help="part of a world's name")
    parser.add_argument("--sources", type=int, nargs="*", default=SOURCES)
    asked = parser.parse_args()
    for name, world in WORLDS.items():
        for n in asked.sources if asked.only in name else ():
            made = simulate(world, n, asked.corpora)
            print(json.dumps({"world": name, "sources": n, **made}), flush=True)
