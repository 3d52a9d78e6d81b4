"""Draws by uncertainty beside random draws of more articles, by simulation: one JSON line per size.

    python -m benchmarks.intervals uncertain [--corpora 1000]

Corpora of 400 articles. Of each, n articles are drawn at random, and n and .8 n by uncertainty.
Prints coverage and mean width of the corrected interval, and how many corpora had one.
"""

import argparse
import json

import numpy as np
import pandas as pd

from benchmarks.intervals._awkward import LEANS, Mentions, Row, make, plain, row_of, truth_of
from classifier.intervals import Sampling, corrected_mean
from classifier.sampling import draw_sample

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
    negative = mentions.chance_of_label
    positive = np.clip(mentions.score + negative, 0, 1)
    table = pd.DataFrame(
        {
            "article_id": mentions.article,
            "source": "one",
            "p_stance_unfavourable": negative,
            "p_stance_favourable": positive,
            "p_stance_neutral": np.clip(1 - negative - positive, 0, 1),
        }
    )
    seed = int(rng.integers(2**31))
    if design == "random":
        sample = draw_sample(table, n, by=("source",), seed=seed)
        sampling = Sampling()
    else:
        sample = draw_sample(table, n, design="uncertainty", seed=seed)
        chance = sample.frame.set_index("article_id")["sampling_probability"].astype(float)
        sampling = Sampling(probability=chance.loc[mentions.article].to_numpy())
    seen = np.isin(mentions.article, sample.table["article_id"].to_numpy(dtype=np.int64))
    coded = np.where(seen, mentions.label, np.nan)
    estimate = corrected_mean(mentions.score, coded, mentions.article, sampling=sampling)
    return row_of(design, estimate, truth)


def main() -> None:
    """Run every size and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    asked = parser.parse_args()
    for n in CODED:
        print(json.dumps({"coded": n, **simulate(n, asked.corpora)}), flush=True)
