"""Draws by uncertainty beside random draws of more articles, by simulation: one JSON line per size.

    python -m benchmarks.intervals uncertain [--corpora 1000]

Corpora of 400 articles. Of each, n articles are drawn at random, and n and .8 n by uncertainty.
Prints coverage and mean width of the corrected interval, and how many corpora had one.
"""

import argparse
import json

import numpy as np

from benchmarks.intervals._awkward import (
    LEANS,
    Case,
    Mentions,
    Row,
    drawn_by_uncertainty,
    equal_draw,
    make,
    plain,
    rows_of,
    truth_of,
)

ARTICLES = 400
CODED = (25, 50, 100)
WAYS = (("random", 1.0), ("uncertainty", 1.0), ("uncertainty", 0.8))


def simulate(n: int, corpora: int) -> dict[str, dict[str, float]]:
    """Per way of drawing: coverage, mean width and number of intervals."""
    truth = truth_of(plain)
    rows: dict[str, list[Row]] = {}
    for i in range(corpora):
        rng = np.random.default_rng((i, n))
        mentions = make(plain(ARTICLES, rng), np.full(ARTICLES, LEANS[i % 4]), rng)
        for design, part in WAYS:
            k = round(n * part)
            rows.setdefault(f"{design}, {k}", []).extend(_drawn(mentions, design, k, (truth, rng)))
    return {
        name: {
            "coverage": round(float(np.mean([row.is_covered for row in found])), 4),
            "width": round(float(np.mean([row.width for row in found])), 4),
            "intervals": len(found),
        }
        for name, found in rows.items()
    }


def _drawn(
    mentions: Mentions, design: str, n: int, known: tuple[float, np.random.Generator]
) -> list[Row]:
    truth, rng = known
    if design == "random":
        is_coded, chance = equal_draw(ARTICLES, n, rng), None
    else:
        is_coded, chance = drawn_by_uncertainty(mentions, n, rng)
    case = Case(mentions, is_coded, truth, chance)
    return [row for row in rows_of(case) if row.estimator == "corrected"]


def main() -> None:
    """Run every size and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    asked = parser.parse_args()
    for n in CODED:
        print(json.dumps({"coded": n, **simulate(n, asked.corpora)}), flush=True)
