"""How far a stance moves where only the country changes, and copies that teach it not to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from quality_data import Corpus
from quality_frames import FRAMES
from quality_judging import units_of

from classifier.annotations import adjudicate, unit_name
from classifier.calibration import Calibration
from classifier.dataset import TEST
from classifier.models.base import Model
from classifier.passages import Limits, cut_passages
from classifier.pipeline.shipping.swapping import (
    Swapped,
    assignments,
    exchange,
    names_in,
    pairs,
    swapped_article,
    swapped_copies,
)
from classifier.records import Article, Span
from classifier.resampling import IntervalOptions, article_totals, interval

BOUND = 0.03
"""Wished bound of the mean shift of the stance score."""


class Reader(Protocol):
    """A trained model with its calibration: ours of the benchmark, or a run folder's."""

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def calibration(self) -> Calibration:
        """Its temperatures."""


@dataclass(frozen=True, slots=True)
class Named:
    """An article with places where it names a country."""

    article: Article
    mentions: tuple[tuple[Span, str], ...]
    """Span and target."""


def stance_scores(reader: Reader, items: Sequence[Named], context: int) -> list[list[float]]:
    """Expected stance, -1 to 1, of every mention of every article."""
    model = reader.model
    limits = Limits(model.text_limit, context)
    passages = [
        passage
        for item in items
        for passage in cut_passages(item.article, _units(item), model.token_starts, limits)
    ]
    languages = [p.language for p in passages for _ in p.mentions]
    rows = reader.calibration.apply(model.predict(passages), model.variables, languages)
    stance = next(v for v in model.variables if v.name == "stance")
    expected = rows["stance"] @ np.array(stance.numbers, dtype=float)
    by_unit = dict(zip(units_of(passages), expected.tolist(), strict=True))
    return [[by_unit[unit] for unit in _units(item)] for item in items]


def _units(item: Named) -> dict[str, Span]:
    name = item.article.article_id
    return {unit_name(name, s.start, s.end, target): s for s, target in item.mentions}


def sample_items(corpus: Corpus, part: str = TEST) -> list[Named]:
    """Annotated mentions that the tables of forms know."""
    gold = corpus.labelled(part)
    items = []
    for article in corpus.articles(part):
        rows = gold[gold["article_id"] == article.article_id]
        known = names_in(article)
        spans = [(Span(int(r.start), int(r.end)), r.target) for r in rows.itertuples()]
        items.append(Named(article, tuple((s, t) for s, t in spans if known.get(s) == t)))
    return [item for item in items if item.mentions]


def frame_items() -> list[Named]:
    """Our own sentences, with each country in each place."""
    items = []
    for language, sentences in FRAMES.items():
        for number, text in enumerate(sentences):
            plain = Article(f"frame-{language}-{number}", text, language=language)
            for places in assignments():
                article, _ = swapped_article(plain, places)
                found = tuple(names_in(article).items())
                items.append(Named(article, found))
    return items


def _moved(item: Named, article: Article, done: Swapped, places: Mapping[str, str]) -> Named:
    found = [(done.moved[span], places.get(target, target)) for span, target in item.mentions]
    return Named(article, tuple(found))


def shifts(reader: Reader, items: Sequence[Named], context: int) -> pd.DataFrame:
    """One row per mention and pair: from, to, language, article, and the change of its score."""
    copies = [copies_of(item) for item in items]
    both = [one for item, own in zip(items, copies, strict=True) for one in (item, *own.values())]
    scores = iter(stance_scores(reader, both, context))
    rows: list[dict[str, Any]] = []
    for item, own in zip(items, copies, strict=True):
        before = next(scores)
        for (first, second), after in zip(own, scores, strict=False):
            rows += [
                {
                    "from": first,
                    "to": second,
                    "language": item.article.language,
                    "article": item.article.article_id.partition("~")[0],
                    "shift": b - a,
                }
                for (_, target), a, b in zip(item.mentions, before, after, strict=True)
                if target == first
            ]
    return pd.DataFrame(rows)


def copies_of(item: Named) -> dict[tuple[str, str], Named]:
    """The item once per ordered pair, with the two countries in each other's place."""
    copies = {}
    for first, second in pairs():
        places = exchange(first, second)
        article, done = swapped_article(item.article, places)
        article = replace(article, article_id=f"{article.article_id}~{first}")
        copies[first, second] = _moved(item, article, done, places)
    return copies


def summary(found: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean shift per pair, with an interval by article, over all languages and in each."""
    rows = []
    for (first, second), group in found.groupby(["from", "to"], sort=False):
        rows.append({"from": first, "to": second, "language": "all", **_mean(group)})
        for language, own in group.groupby("language"):
            rows.append({"from": first, "to": second, "language": language, **_mean(own)})
    return rows


def _mean(group: pd.DataFrame) -> dict[str, Any]:
    codes, names = pd.factorize(group["article"])
    values = np.column_stack([group["shift"], np.ones(len(group))])
    totals = article_totals(values, codes, len(names))
    made = interval(totals, lambda t: t[..., 0] / t[..., 1], IntervalOptions())
    ends = [None if end is None else round(end, 4) for end in (made.low, made.high)]
    mean, size = float(group["shift"].mean()), float(group["shift"].abs().mean())
    return {
        "n": len(group),
        "mean": round(mean, 4),
        "interval": ends,
        "mean_size": round(size, 4),
        "within": abs(mean) < BOUND,
    }


def with_swapped_copies(corpus: Corpus, part: str, seed: int) -> Corpus:
    """The corpus with one more copy of each article of a part that names a country."""
    rng = np.random.default_rng(seed)
    added = swapped_copies(corpus.annotations, set(corpus.parts[part]), rng)
    ids = tuple(article.article_id for article in added.articles)
    annotations = replace(
        corpus.annotations,
        articles=(*corpus.annotations.articles, *added.articles),
        table=pd.concat([corpus.annotations.table, added.table], ignore_index=True),
    )
    gold = pd.concat([corpus.gold, adjudicate(added)], ignore_index=True)
    parts = {**corpus.parts, part: (*corpus.parts[part], *ids)}
    return replace(corpus, annotations=annotations, gold=gold, parts=parts)
