"""Every simulation of the intervals' awkward designs and of several predictors, with one start.

    python benchmarks/intervals [--corpora 1000] [--only designs|several]

Prints one JSON line per design: coverage of the 95 % intervals, their mean width, and how many
corpora had one.
"""

import argparse
import json
from collections.abc import Callable

import numpy as np
from designs import (
    Case,
    Row,
    copies,
    difference_rows,
    equal,
    rare,
    rare_share,
    rows_of,
    stratified,
)
from several import WORLDS, simulate

CODED = (20, 40, 80)


def designs() -> dict[str, Callable[[int, np.random.Generator], Case]]:
    """The designs by name."""
    return {
        "wire copies across sources": copies,
        "strata of 4 to 600, the source": stratified("source", 0.0),
        "strata of 4 to 600, this corpus": stratified("corpus", 0.0),
        "errors differ by stratum, the source": stratified("source", 0.35),
        "errors differ by stratum, this corpus": stratified("corpus", 0.35),
        "9 coded articles": equal(200, 9),
        "a rare target": rare,
        "a share of .08, 20 coded": rare_share(1.405, 20),
        "a share of .05, 40 coded": rare_share(1.645, 40),
        "a share of .02, 60 coded": rare_share(2.054, 60),
    }


def figures(design: Callable[[int, np.random.Generator], Case], corpora: int) -> dict[str, object]:
    """Coverage, mean width and number of intervals per estimator."""
    rows: dict[str, list[Row]] = {}
    for i in range(corpora):
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
    parser.add_argument("--only", choices=("designs", "several"))
    asked = parser.parse_args()
    if asked.only != "several":
        for name, design in designs().items():
            print(json.dumps({"design": name, **figures(design, asked.corpora)}), flush=True)
    if asked.only != "designs":
        for name in WORLDS:
            for n in CODED:
                made = simulate(name, n, asked.corpora)
                print(json.dumps({"predictors": name, "coded": n, **made}), flush=True)


if __name__ == "__main__":
    main()
