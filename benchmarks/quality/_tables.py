"""The commands of `search.py` beside the variants: baselines, transfer, countries swapped."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd

from benchmarks.quality._baselines import BASELINES, fit
from benchmarks.quality._data import STANCE
from benchmarks.quality._judging import TESTS, Tested, frame, grouped, held_out, judged, tests
from benchmarks.quality._runs import (
    Clock,
    Scope,
    Trained,
    base_record,
    judge_all,
    plain,
    swaps_of,
    train,
)
from benchmarks.quality._training import Recipe
from classifier.records import Article
from classifier.swapping import BOUND
from classifier.training import TEST

ENCODER, LINEAR = "encoder", "linear"
_SHARES = (0.1, 0.2, 0.3)
ByPart = Mapping[tuple[str, str], pd.DataFrame]
"""Predictions by corpus and part."""
SHIPPED = "shipped scorer"
COLLECTIONS = ("allsides", "polusa")
"""What the gids of NewsMTSC say of a sentence's origin: neither an outlet nor a date."""


def baselines(recipe: Recipe, scope: Scope, only: Sequence[str] = ()) -> dict[str, Any]:
    """Every baseline and the encoder of the reference recipe, on every test."""
    corpora = {name: scope.corpus(name) for name, _ in TESTS}
    found = [*tests(corpora), *held_out(corpora)]
    wanted = only or (*BASELINES, ENCODER)
    frames: dict[str, ByPart] = {}
    skipped, seconds = {}, {}
    clock = Clock()
    for name in wanted:
        if name in BASELINES and BASELINES[name].missing:
            skipped[name] = f"not run: pip install {BASELINES[name].package}"
            continue
        model_for = _fitted(name, recipe, scope)
        parts = {(t.corpus.name, t.part): t.corpus for t in found}
        frames[name] = {
            (corpus, part): model_for(corpus).frame(one, part)
            for (corpus, part), one in parts.items()
        }
        clock.lap(name)
        print(f"{name}: {clock.laps[name]} s", file=sys.stderr, flush=True)
        seconds[name] = clock.laps[name]
    frames |= _mixed(frames)
    figures = {one.name: judged(one, _answering(one, frames)) for one in found}
    return {
        "run": "baselines",
        "recipe": plain(recipe),
        "share": scope.share,
        "limit": scope.limit,
        "skipped": skipped,
        "figures": figures,
        **clock.record(),
        **base_record(recipe.options.base_model),
    }


def _fitted(name: str, recipe: Recipe, scope: Scope) -> Callable[[str], Any]:
    """The predictor for a corpus: the same for all, but for baselines that learn each alone."""
    if name not in BASELINES:
        trained = train(recipe, scope)
        return lambda _: trained
    if not BASELINES[name].own_corpus:
        fitted = fit(name, recipe.corpora, scope, recipe)
        return lambda _: fitted
    return lru_cache(maxsize=8)(lambda corpus: fit(name, (corpus,), scope, recipe))


def _mixed(frames: Mapping[str, ByPart]) -> dict[str, ByPart]:
    """The encoder's and the linear model's probabilities, averaged with several shares."""
    if not {ENCODER, LINEAR} <= frames.keys():
        return {}
    return {
        f"{ENCODER}, {share:.0%} {LINEAR}": {
            part: _mean(own, frames[LINEAR][part], share) for part, own in frames[ENCODER].items()
        }
        for share in _SHARES
    }


def _mean(first: pd.DataFrame, second: pd.DataFrame, share: float) -> pd.DataFrame:
    columns = [f"p_stance_{label}" for label in STANCE.names]
    both = first.merge(second, on="unit", suffixes=("", "_second"))
    rows = (1 - share) * both[columns].to_numpy()
    rows = rows + share * both[[f"{column}_second" for column in columns]].to_numpy()
    return frame(both["unit"].tolist(), {"stance": rows}, [STANCE])


def _answering(
    tested: Tested, frames: Mapping[str, Mapping[tuple[str, str], pd.DataFrame]]
) -> dict[str, pd.DataFrame]:
    """The predictors that can judge all languages of a test."""
    articles = tested.corpus.articles(tested.part)
    spoken = {a.language for a in articles if a.article_id in tested.ids}
    return {
        name: by_part[tested.corpus.name, tested.part]
        for name, by_part in frames.items()
        if name not in BASELINES
        or not BASELINES[name].languages
        or spoken <= set(BASELINES[name].languages)
    }


def transfer(recipe: Recipe, scope: Scope) -> dict[str, Any]:
    """Train on one family of sources, judge on all; and NewsMTSC's two collections alike.

    The two Russian corpora share sentences, so neither is trained on for the other: the second
    takes no part.
    """
    alone = replace(recipe, variables=("stance",))
    found = tests({name: scope.corpus(name) for name, _ in TESTS})
    found += grouped(scope.corpus("sample"), TEST, lambda a: str(a.date)[:4])
    found += [
        one
        for part in ("devtest_mt", "devtest_rw")
        for one in grouped(scope.corpus("newsmtsc"), part, _collection)
    ]
    clock, figures = Clock(), {}
    for name in ("newsmtsc", "rusentne", "sample"):
        figures[name] = _lap(clock, name, train(replace(alone, corpora=(name,)), scope), found)
    for collection in COLLECTIONS:
        own = replace(scope, only=collection)
        model = train(replace(alone, corpora=("newsmtsc",)), own)
        parts = [t for t in found if t.corpus.name == "newsmtsc"]
        figures[f"newsmtsc, {collection} only"] = _lap(clock, collection, model, parts)
    return {
        "run": "transfer",
        "recipe": plain(alone),
        "share": scope.share,
        "limit": scope.limit,
        "figures": figures,
        **clock.record(),
        **base_record(recipe.options.base_model),
    }


def _lap(clock: Clock, name: str, model: Trained, found: Sequence[Tested]) -> dict[str, Any]:
    figures = {test: rows["model"] for test, rows in judge_all(found, {"model": model}).items()}
    clock.lap(name)
    print(f"trained on {name}: {clock.laps[name]} s", file=sys.stderr, flush=True)
    return figures


def _collection(article: Article) -> str:
    return article.article_id.partition("_")[0]


def swap(reader: Any, scope: Scope, context: int) -> dict[str, Any]:  # noqa: ANN401
    """Mean shift of the stance score per ordered pair of countries."""
    clock = Clock()
    figures = swaps_of(reader, scope, context)
    clock.lap("swapping")
    over = [r for rows in figures.values() for r in rows if r["language"] == "all"]
    return {
        "run": "swap",
        "bound": BOUND,
        "largest": max(abs(row["mean"]) for row in over),
        "figures": figures,
        **clock.record(),
    }
