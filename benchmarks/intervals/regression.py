"""Coverage of each coefficient of a corrected regression, by simulation: one JSON line per design.

    python -m benchmarks.intervals regression [--corpora 1000]

Three sources of 150 articles, two months; 20 articles coded of each source, or 60 of all. The
model leans another way in each source. Beside it: the same regression on the scores alone, and on
the coded mentions alone.
"""

import argparse
import json

import numpy as np
import pandas as pd

from benchmarks.intervals._awkward import Array, drawn_by, equal_draw, make
from classifier.intervals import Fit, Sampling, corrected_regression

SHIFT = np.array([0.0, 0.4, -0.3])
MONTH = 0.25
LEAN = np.array([-0.35, 0.25, 0.1])
N = 150
NAMES = ("intercept", "source B", "source C", "month 2")


def corpus(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, Array, Array, Array, Array]:
    """Design, labels, scores, article of each mention, and source of each article."""
    source = np.repeat(np.arange(3), n)
    month = rng.integers(0, 2, 3 * n)
    level = SHIFT[source] + MONTH * month + rng.normal(0, 0.8, 3 * n)
    mentions = make(level, LEAN[source], rng)
    own = mentions.article
    design = pd.DataFrame(
        {
            NAMES[0]: np.ones(len(own)),
            NAMES[1]: (source[own] == 1).astype(float),
            NAMES[2]: (source[own] == 2).astype(float),
            NAMES[3]: month[own].astype(float),
        }
    )
    return design, mentions.label, mentions.score, own.astype(float), source.astype(float)


def truth() -> Array:
    """Coefficients of the labels of many articles."""
    design, label, *_ = corpus(200_000, np.random.default_rng(7))
    return np.asarray(np.linalg.lstsq(design.to_numpy(), label, rcond=None)[0])


def simulate(is_by_source: bool, corpora: int) -> dict[str, dict[str, object]]:
    """Per way and coefficient: coverage and mean width; corpora without an interval are counted."""
    wanted = truth()
    rows: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    for i in range(corpora):
        rng = np.random.default_rng((i, 19))
        design, label, score, article, source = corpus(N, rng)
        if is_by_source:
            is_coded, _ = drawn_by(source.astype(np.int64), 60, rng)
        else:
            is_coded = equal_draw(3 * N, 60, rng)
        seen = is_coded[article.astype(np.int64)]
        coded = np.where(seen, label, np.nan)
        ways = {
            "corrected": corrected_regression(design, score, coded, article),
            "labels only": corrected_regression(design, 0 * score, coded, article),
            "scores taken for labels": corrected_regression(
                design, score, score, article, sampling=Sampling(np.ones(len(score)))
            ),
        }
        for way, fit in ways.items():
            for name, hit, width in _read(fit, wanted):
                rows.setdefault((way, name), []).append((hit, width))
    made: dict[str, dict[str, object]] = {}
    for (way, name), found in rows.items():
        made.setdefault(way, {})[name] = {
            "coverage": round(float(np.mean([hit for hit, _ in found])), 4),
            "width": round(float(np.mean([width for _, width in found])), 4),
            "intervals": len(found),
        }
    return made


def _read(fit: Fit, wanted: Array) -> list[tuple[str, bool, float]]:
    return [
        (name, bool(e.low <= true <= e.high), e.high - e.low)
        for name, e, true in zip(NAMES, fit.coefficients, wanted, strict=True)
        if e.low is not None and e.high is not None
    ]


def main() -> None:
    """Run both designs and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    asked = parser.parse_args()
    for name, is_by_source in (("20 of each source", True), ("60 of all", False)):
        print(json.dumps({"coded": name, **simulate(is_by_source, asked.corpora)}), flush=True)
