"""Make the scorer that ships: `python -m recipes DATA --out build/scorer`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifier.errors import ClassifierError
from recipes.corpora import read_shipping_data
from recipes.make_scorer import OPTIONS, make_scorer, train_on


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and judge the scorer that ships, from the published corpora and the sample."""
    parser = argparse.ArgumentParser(prog="python -m recipes", description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder of the published corpora")
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help="folder for the runs `large` and `scorer`",
    )
    parser.add_argument("--first", type=int, default=0, help="only so many articles of each part")
    parser.add_argument("--epochs", type=int, default=OPTIONS.epochs)
    parser.add_argument("--base-model", default="", help="instead of the base that ships")
    parser.add_argument(
        "--from-shipped",
        action="store_true",
        help="one more epoch for the scorers that ship, instead of all stages",
    )
    given = parser.parse_args(arguments)
    if given.from_shipped and (given.base_model or given.epochs != OPTIONS.epochs):
        parser.error("--from-shipped takes one epoch on the bases that ship: leave the others out")
    try:
        data = read_shipping_data(given.data)
        data = data.first(given.first) if given.first else data
        options = replace(OPTIONS, base_model=given.base_model, epochs=given.epochs)
        make = train_on if given.from_shipped else make_scorer
        run = make(data, given.out, options, progress=_tell)
    except ClassifierError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"the scorer is in {run.path}; its README.md has all figures\n")
    return 0


def _tell(done: int, total: int, note: str) -> None:
    if done == total or done % 200 == 0:
        sys.stderr.write(f"{note}: {done} of {total}\n")


if __name__ == "__main__":
    raise SystemExit(main())
