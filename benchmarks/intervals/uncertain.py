"""Draws by uncertainty beside random draws of more articles, by simulation: one JSON line per size.

    python -m benchmarks.intervals uncertain [--corpora 1000] [--only NAME] [--coded N...] [--every]

Corpora of 400 articles, in two worlds. Of each, n articles are drawn at random, and n and .8 n by
uncertainty; with `--every`, .8 n by each way of drawing that was tried. Prints coverage and mean
width of the corrected interval, and how many corpora had one.
"""

import argparse
import json

import numpy as np

from benchmarks.intervals._awkward import Case, Row, plain, rows_of, truth_of
from benchmarks.intervals._unsure import DESIGNS, WORLDS

CODED = (25, 50, 100)
SHIPPED = "strata of like reach and score"


def simulate(world: str, n: int, corpora: int, is_every: bool) -> dict[str, dict[str, float]]:
    """Per way of drawing: coverage, mean width and number of intervals."""
    truth = truth_of(plain)
    fewer = round(0.8 * n)
    ways = [("random", n), (SHIPPED, n), (SHIPPED, fewer)]
    if is_every:
        ways = [("random", n), *((design, fewer) for design in DESIGNS)]
    rows: dict[str, list[Row]] = {}
    for i in range(corpora):
        rng = np.random.default_rng((i, n))
        mentions = WORLDS[world](i, rng)
        for design, k in ways:
            is_coded, chance = DESIGNS[design](mentions, k, rng)
            made = rows_of(Case(mentions, is_coded, truth, chance))
            rows.setdefault(f"{design}, {k}", []).extend(
                row for row in made if row.estimator == "corrected"
            )
    return {
        name: {
            "coverage": round(float(np.mean([row.is_covered for row in found])), 4),
            "width": round(float(np.mean([row.width for row in found])), 4),
            "intervals": len(found),
        }
        for name, found in rows.items()
    }


def main() -> None:
    """Run every world and size and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    parser.add_argument("--only", default="", help="part of a world's name")
    parser.add_argument("--coded", type=int, nargs="*", default=CODED)
    parser.add_argument("--every", action="store_true", help="each way that was tried")
    asked = parser.parse_args()
    for world in WORLDS:
        for n in asked.coded if asked.only in world else ():
            made = simulate(world, n, asked.corpora, asked.every)
            print(json.dumps({"world": world, "coded": n, **made}), flush=True)
