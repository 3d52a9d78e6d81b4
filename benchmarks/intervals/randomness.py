"""How often the randomness test fires under true draws, by the path that an article takes.

    python -m benchmarks.intervals randomness --corpora 1000

Prints, per path, the share of true random draws that the test refutes at its level of 5 %. For
comparison it prints the same of draws of the easy articles.
"""

import argparse
import json
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.intervals._trained import LEARNERS, judged_in_folds, make_features
from benchmarks.intervals._world import LEANS, Array, Corpus, World
from classifier.intervals import Redraws, looks_random
from classifier.sampling import draw_sample

Index = npt.NDArray[np.int64]
SOURCES = (40, 80, 160, 320)
"""Articles per source of a corpus."""
REDRAWS = 299


def main() -> None:
    """Run every path and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpora", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("scored", "learnt"), help="half of the paths")
    arguments = parser.parse_args()
    fired: dict[str, list[bool]] = {}
    for i in range(arguments.corpora):
        rng = np.random.default_rng((arguments.seed, i))
        paths = {"scored": _scored, "learnt": _learnt}
        kept = [make for name, make in paths.items() if arguments.only in (None, name)]
        for name, is_refuted in (found for make in kept for found in make(i, rng)):
            fired.setdefault(name, []).append(is_refuted)
    rates = {name: round(float(np.mean(rows)), 4) for name, rows in fired.items()}
    print(json.dumps({"corpora": arguments.corpora, "refuted": rates}, indent=2))


def _scored(seed: int, rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Paths with a scorer that has seen none of the articles."""
    n = sum(SOURCES)
    corpus = World(LEANS[seed % len(LEANS)]).draw(n, rng)
    source = np.repeat(np.arange(len(SOURCES)), SOURCES)
    target = rng.integers(0, 4, len(corpus.article))
    designs = {
        "one source, equal chances": (source == 1, np.zeros(n, int), 30),
        "all sources, unequal chances": (np.ones(n, bool), source, 60),
        "small strata": (np.ones(n, bool), source * 10 + rng.integers(0, 10, n), 80),
    }
    for name, (within, stratum, n_drawn) in designs.items():
        ids = np.flatnonzero(within)
        drawn, chances = _drawn(ids, stratum, n_drawn, rng)
        for way, mentions in (
            (name, np.isin(corpus.article, ids)),
            (f"{name}, by target", np.isin(corpus.article, ids) & (target == 0)),
        ):
            yield way, _test(corpus, mentions, np.isin(corpus.article, drawn), chances, seed)
        place = np.arange(len(corpus.article)) - np.searchsorted(corpus.article, corpus.article)
        coded = np.isin(corpus.article, drawn) & (place < 2)
        yield (
            f"{name}, coded in part",
            _test(corpus, np.isin(corpus.article, ids), coded, chances, seed),
        )
    wrong = np.bincount(corpus.article, weights=np.abs(corpus.score - corpus.label), minlength=n)
    easy = np.argsort(wrong / np.bincount(corpus.article) + rng.normal(0, 0.2, n))[:60]
    yield (
        "the easy articles (not a true draw)",
        _test(
            corpus, np.ones(len(corpus.article), bool), np.isin(corpus.article, easy), None, seed
        ),
    )


def _drawn(
    ids: Index, stratum: Index, n_drawn: int, rng: np.random.Generator
) -> tuple[Index, Array]:
    """Articles drawn as `classifier sample` draws them, and the chance of every article."""
    table = pd.DataFrame({"article_id": ids.astype(str), "stratum": stratum[ids].astype(str)})
    sample = draw_sample(table, n_drawn, by=("stratum",), seed=int(rng.integers(2**31)))
    chances = np.ones(len(stratum))
    chances[sample.frame["article_id"].astype(int)] = sample.frame["sampling_probability"]
    return sample.table["article_id"].astype(int).to_numpy(), chances


def _test(
    corpus: Corpus,
    mentions: npt.NDArray[np.bool_],
    coded: npt.NDArray[np.bool_],
    chances: Array | None,
    seed: int,
) -> bool:
    test = looks_random(
        corpus.score[mentions],
        coded[mentions],
        corpus.article[mentions],
        others={"confidence": corpus.confidence[mentions]},
        probability=None if chances is None else chances[corpus.article[mentions]],
        redraws=Redraws(REDRAWS, seed=seed),
    )
    return test.is_random() is False


def _learnt(seed: int, rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Paths with models learnt from the coded articles, judged out of fold.

    A profile then compares what owes nothing to the labels. What the scores would do is beside it.
    """
    for n, n_coded, n_folds in ((80, 30, 5), (400, 40, 5)):
        article, label, features = make_features(n, rng)
        for name, learn in LEARNERS.items():
            fold, scores = judged_in_folds(learn, (article, label, features), n_coded, n_folds, rng)
            place = np.arange(len(article)) - np.searchsorted(article, article)
            ways = {
                "": (None, {"place": place}),
                ", its scores compared (not done)": (scores, {"confidence": np.abs(scores)}),
            }
            for way, (given, others) in ways.items():
                test = looks_random(
                    given, fold >= 0, article, others=others, redraws=Redraws(REDRAWS, seed=seed)
                )
                path = f"{name} in {n_folds} folds, {n_coded} of {n}{way}"
                yield path, test.is_random() is False
