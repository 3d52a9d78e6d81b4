"""Weighted sums per article say what repeating the articles would say."""

import numpy as np
import pandas as pd
import pytest

from classifier import agreement
from classifier.agreement import AgreementOptions, alpha_sums
from classifier.agreement._coding import read_coding
from classifier.codebook import Label, Variable
from classifier.intervals import IntervalOptions

SCALE = Variable(
    "v", "ordinal", "", tuple(Label(name, "", float(i)) for i, name in enumerate("123"))
)
NO_INTERVAL = AgreementOptions(interval=IntervalOptions(method="none"))


def many_mentions(n_units: int, n_annotators: int, n_articles: int) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, n_units)
    frames = []
    for annotator in range(n_annotators):
        given = np.where(rng.random(n_units) < 0.7, truth, rng.integers(0, 3, n_units))
        frames.append(
            pd.DataFrame(
                {
                    "unit": np.arange(n_units).astype(str),
                    "article": (np.arange(n_units) % n_articles).astype(str),
                    "annotator": f"annotator {annotator}",
                    "label": np.array(["1", "2", "3"])[given],
                }
            )
        )
    return pd.concat(frames)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_weighted_sums_are_the_alpha_of_repeated_articles(level: agreement.Level) -> None:
    # The fast path weighs sums per article; the slow one repeats the articles' rows.
    table, variable = many_mentions(60, 3, 12), SCALE
    weights = np.random.default_rng(3).multinomial(12, np.full(12, 1 / 12))
    copies = [
        table[table["article"] == str(name)].assign(
            unit=lambda rows, k=k: rows["unit"] + f"/{k}", article=f"{name}/{k}"
        )
        for name, n in enumerate(weights)
        for k in range(n)
    ]
    slow = agreement.alpha(pd.concat(copies), variable, level=level, options=NO_INTERVAL)
    totals, statistic = alpha_sums(read_coding(table, variable, NO_INTERVAL), variable, level)
    assert statistic(weights @ totals) == pytest.approx(slow.value)
