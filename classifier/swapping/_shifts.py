"""How far a stance moves where nothing but the country changes: it should not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from classifier.annotations import AnnotationSet, adjudicate, unit_name
from classifier.intervals import IntervalOptions, article_totals, interval
from classifier.models import Calibration, Limits, Model, cut_all
from classifier.records import Article, Passage, Span
from classifier.swapping._swap import exchange, names_in, pairs, swapped_article

BOUND = 0.03
"""Wished bound of the mean shift of the stance score."""
EVERY = "all"


class Calibrated(Protocol):
    """A model with its calibration."""

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

    @property
    def units(self) -> dict[str, Span]:
        """The mentions by their units' names."""
        name = self.article.article_id
        return {unit_name(name, s.start, s.end, target): s for s, target in self.mentions}

    def copies(self) -> dict[tuple[str, str], "Named"]:
        """The article once per ordered pair, with the two countries in each other's place."""
        copies = {}
        for first, second in pairs():
            places = exchange(first, second)
            article, done = swapped_article(self.article, places)
            article = replace(article, article_id=f"{article.article_id}~{first}")
            moved = [(done.moved[span], places.get(t, t)) for span, t in self.mentions]
            copies[first, second] = Named(article, tuple(moved))
        return copies


def named_mentions(annotation_set: AnnotationSet, variable: str) -> list[Named]:
    """Mentions with a settled label that stand in a form which a swap knows, by article."""
    gold = adjudicate(annotation_set)
    gold = gold[(gold[f"status_{variable}"] == "ok") & ~gold["not_target"]]
    items = []
    for article_id, rows in gold.groupby("article_id", sort=False):
        article = annotation_set.article_by_id[article_id]
        known = names_in(article)
        spans = [(Span(int(r.start), int(r.end)), r.target) for r in rows.itertuples()]
        own = tuple((span, target) for span, target in spans if known.get(span) == target)
        if own:
            items.append(Named(article, own))
    return items


def passages_of(items: Sequence[Named], model: Model, context: int) -> list[Passage]:
    """The passages around the mentions, article after article."""
    limits = Limits(model.text_limit, context)
    return cut_all([(item.article, item.units) for item in items], model.token_starts, limits)


def country_shifts(
    reader: Calibrated, items: Sequence[Named], context: int = 1
) -> list[dict[str, Any]]:
    """Mean shift of the stance score per ordered pair, over all languages and in each.

    The score is the expected stance, -1 to 1. Each row has `from`, `to`, `language`, `n`, `mean`,
    its 95 % `interval` by article, and `mean_size`, the mean of the shifts' sizes. None where no
    item names a country.
    """
    return list(_rows(shifts(reader, items, context)))


def shifts(reader: Calibrated, items: Sequence[Named], context: int = 1) -> pd.DataFrame:
    """One row per mention and pair: from, to, language, article, and the change of its score."""
    copies = [item.copies() for item in items]
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


def stance_scores(reader: Calibrated, items: Sequence[Named], context: int) -> list[list[float]]:
    """Expected stance, -1 to 1, of every mention of every article."""
    model = reader.model
    passages = passages_of(items, model, context)
    languages = [p.language for p in passages for _ in p.mentions]
    rows = reader.calibration.apply(model.predict(passages), model.variables, languages)
    stance = next(v for v in model.variables if v.kind == "ordinal")
    expected = rows[stance.name] @ np.array(stance.numbers, dtype=float)
    units = [mention.unit for passage in passages for mention in passage.mentions]
    by_unit = dict(zip(units, expected.tolist(), strict=True))
    return [[by_unit[unit] for unit in item.units] for item in items]


def _rows(found: pd.DataFrame) -> Iterator[dict[str, Any]]:
    if found.empty:
        return
    for (first, second), group in found.groupby(["from", "to"], sort=False):
        ends = {"from": first, "to": second}
        yield {**ends, "language": EVERY, **_mean(group)}
        for language, own in group.groupby("language"):
            yield {**ends, "language": language, **_mean(own)}


def _mean(group: pd.DataFrame) -> Mapping[str, Any]:
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
