"""How often `compare` names the right order of three models whose alpha differs by .05.

    python -m benchmarks.naming_order [--spread]

Each draw takes 400 coded mentions of the shipped sample and makes three models from its gold: a
share of each model's labels is replaced by other labels. The shares are set so that alpha with the
annotators falls by .05 from model to model over the whole sample. Models that err on the same hard
mentions ("shared": a mention that a good model gets wrong is wrong in a worse one too), and models
whose errors have nothing to do with each other ("independent"), are measured apart: real models lie
between the two. Seeds are the draws' numbers.
"""

import argparse
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.agreement import alpha
from classifier.annotations import AnnotationSet, adjudicate, long_table, read_annotations
from classifier.codebook import shipped_annotations
from classifier.evaluation import EvaluationOptions, compare

NAMES = ("first", "second", "third")
STEP, BEST, N_MENTIONS, VARIABLE = 0.05, 0.82, 400, "stance"
Labels = NDArray[np.object_]


def main() -> None:
    """Print how often the order was right, and how often a wrong one was said to be sure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--spread", action="store_true", help="how far a difference varies")
    args = parser.parse_args()
    coded = read_annotations(shipped_annotations() / "sample")
    truth = _truth(coded)
    shares = _shares(coded, truth)
    print("shares of labels replaced:", ", ".join(f"{share:.3f}" for share in shares))
    if args.spread:
        _tell_spread(coded, truth, shares, args.draws)
        return
    for kind in ("shared", "independent"):
        right, sure_and_wrong, sure = 0, 0, 0
        for seed in range(args.draws):
            order, best = _named(coded, truth, shares, seed, is_shared=kind == "shared")
            right += order == NAMES
            sure += best == NAMES[:1]
            sure_and_wrong += len(best) == 1 and best != NAMES[:1]
        n = args.draws
        print(
            f"{kind:12} order right in {right} of {n}; the best told apart from both others in "
            f"{sure}; a wrong one told apart in {sure_and_wrong}"
        )


def _tell_spread(
    coded: AnnotationSet, truth: "pd.Series[str]", shares: list[float], n: int
) -> None:
    """How far differences in alpha vary from draw to draw, and whether accuracy orders better."""
    for kind in ("shared", "independent"):
        alphas, hits = [], []
        for seed in range(n):
            drawn, models = _models(coded, truth, shares, seed, is_shared=kind == "shared")
            made = [models[name] for name in NAMES]
            alphas.append([_alpha(coded, drawn, labels) for labels in made])
            hits.append([float((labels == drawn.to_numpy()).mean()) for labels in made])
        gaps = -np.diff(alphas)
        print(
            f"{kind:12} mean differences {gaps.mean(axis=0).round(3)}, their standard deviation "
            f"{gaps.std(axis=0, ddof=1).round(3)}; order right by alpha "
            f"{(gaps > 0).all(axis=1).mean():.2f}, by accuracy "
            f"{(np.diff(hits) < 0).all(axis=1).mean():.2f}"
        )


def _truth(coded: AnnotationSet) -> "pd.Series[str]":
    """Gold by unit; where the annotators tie, the first one's label."""
    gold = adjudicate(coded)
    gold = gold[~gold["not_target"]].set_index("unit")[VARIABLE]
    first = long_table(coded, VARIABLE).drop_duplicates("unit").set_index("unit")["label"]
    return gold.where(gold.notna(), first.reindex(gold.index)).dropna()


def _noised(truth: Labels, hard: NDArray[np.float64], share: float, other: Labels) -> Labels:
    """The labels with those of the hardest mentions replaced."""
    return np.where(hard < share, other, truth)


def _shares(coded: AnnotationSet, truth: "pd.Series[str]") -> list[float]:
    """The shares that give the wished alphas over the whole sample, by bisection."""
    rng = np.random.default_rng(20_000)
    hard = rng.random(len(truth))
    other = _others(truth.to_numpy(), coded, rng)
    wished = [BEST - place * STEP for place in range(len(NAMES))]
    return [_share_for(value, coded, truth, hard, other) for value in wished]


def _share_for(
    wished: float,
    coded: AnnotationSet,
    truth: "pd.Series[str]",
    hard: NDArray[np.float64],
    other: Labels,
) -> float:
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        labels = _noised(truth.to_numpy(), hard, middle, other)
        low, high = (middle, high) if _alpha(coded, truth, labels) > wished else (low, middle)
    return (low + high) / 2


def _alpha(coded: AnnotationSet, truth: "pd.Series[str]", labels: Labels) -> float:
    table = long_table(coded, VARIABLE)
    table = table[table["unit"].isin(truth.index)]
    articles = table.drop_duplicates("unit").set_index("unit")["article"]
    own = pd.DataFrame({"unit": truth.index, "annotator": "model", "label": labels})
    own = own.assign(article=articles.reindex(truth.index).to_numpy()).dropna()
    figures = []
    for _, rows in table.groupby("annotator"):
        both = pd.concat([rows[["unit", "article", "annotator", "label"]], own])
        figures.append(alpha(both, coded.codebook.variable(VARIABLE)).value or 0.0)
    return float(np.mean(figures))


def _others(truth: Labels, coded: AnnotationSet, rng: np.random.Generator) -> Labels:
    """For each mention one of the labels that it does not have."""
    names = coded.codebook.variable(VARIABLE).names
    drawn = [rng.choice([name for name in names if name != label]) for label in truth]
    return np.array(drawn, dtype=object)


def _named(
    coded: AnnotationSet,
    truth: "pd.Series[str]",
    shares: list[float],
    seed: int,
    *,
    is_shared: bool,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The order that `compare` names, and the best."""
    drawn, models = _models(coded, truth, shares, seed, is_shared=is_shared)
    part = _only(coded, set(drawn.index))
    frames = {n: pd.DataFrame({"unit": drawn.index, VARIABLE: models[n]}) for n in NAMES}
    rng = np.random.default_rng([seed, 1])
    shuffled: Mapping[str, pd.DataFrame] = {n: frames[n] for n in rng.permutation(NAMES)}
    made = compare(part, shuffled, options=EvaluationOptions(variables=(VARIABLE,)))
    return made.order[VARIABLE], made.best[VARIABLE]


def _models(
    coded: AnnotationSet,
    truth: "pd.Series[str]",
    shares: list[float],
    seed: int,
    *,
    is_shared: bool,
) -> tuple["pd.Series[str]", dict[str, Labels]]:
    """The gold of the mentions drawn, and each model's labels."""
    rng = np.random.default_rng(seed)
    drawn = truth.iloc[np.sort(rng.choice(len(truth), N_MENTIONS, replace=False))]
    labels, models = drawn.to_numpy(), {}
    hard, other = rng.random(len(drawn)), _others(labels, coded, rng)
    for name, share in zip(NAMES, shares, strict=True):
        if not is_shared:
            hard, other = rng.random(len(drawn)), _others(labels, coded, rng)
        models[name] = _noised(labels, hard, share, other)
    return drawn, models


def _only(coded: AnnotationSet, units: set[str]) -> AnnotationSet:
    return replace(coded, table=coded.table[coded.table["unit"].isin(units)])


if __name__ == "__main__":
    main()
