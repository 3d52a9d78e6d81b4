"""Coverage of 95 % intervals where the draw or the coding is awkward: one JSON line per design.

    python -m benchmarks.intervals awkward [--corpora 1000] [--only NAME] [--first 0]

Prints coverage, mean width, and how many corpora had an interval.
"""

import argparse
import json
from collections.abc import Callable

import numpy as np

from benchmarks.intervals._awkward import (
    Case,
    Row,
    copies,
    difference_rows,
    equal,
    rare,
    rare_share,
    rows_of,
    stratified,
    unsure,
)

DESIGNS: dict[str, Callable[[int, np.random.Generator], Case]] = {
    "wire copies across sources": copies,
    "strata of 4 to 600, the source": stratified("source", 0.0),
    "strata of 4 to 600, this corpus": stratified("corpus", 0.0),
    "errors differ by stratum, the source": stratified("source", 0.35),
    "errors differ by stratum, this corpus": stratified("corpus", 0.35),
    "9 coded articles": equal(200, 9),
    "a rare target": rare,
    "40 drawn by uncertainty": unsure,
    "a share of .08, 20 coded": rare_share(1.405, 20),
    "a share of .05, 40 coded": rare_share(1.645, 40),
    "a share of .02, 60 coded": rare_share(2.054, 60),
}


def figures(
    design: Callable[[int, np.random.Generator], Case], corpora: int, first: int = 0
) -> dict[str, dict[str, float]]:
    """Coverage, mean width and number of intervals per estimator."""
    rows: dict[str, list[Row]] = {}
    for i in range(first, first + corpora):
        case = design(i, np.random.default_rng(i))
        shared = difference_rows(case) if case.story is not None else []
        for row in (*rows_of(case), *shared):
            rows.setdefault(row.estimator, []).append(row)
    return {
        name: {
            "coverage": round(float(np.mean([row.is_covered for row in found])), 4),
            "width": round(float(np.mean([row.width for row in found])), 4),
            "intervals": len(found),
        }
        for name, found in rows.items()
    }


def main() -> None:
    """Run what was asked for and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first corpus")
    parser.add_argument("--only", default="", help="part of a design's name")
    asked = parser.parse_args()
    for name, design in DESIGNS.items():
        if asked.only in name:
            made = figures(design, asked.corpora, asked.first)
            print(json.dumps({"design": name, **made}), flush=True)
