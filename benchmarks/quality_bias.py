"""How far a stance moves where only the country changes, and copies that teach it not to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from quality_data import Corpus
from quality_forms import FORMS
from quality_frames import FRAMES
from quality_judging import units_of
from quality_swap import TARGETS, Swapped, assignments, exchange, find_forms, pairs, swapped_article

from classifier.annotations import unit_name
from classifier.calibration import Calibration
from classifier.dataset import TEST
from classifier.models.base import Model
from classifier.passages import Limits, cut_passages
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
        known = _known_spans(article)
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
                found = tuple(_known_spans(article).items())
                items.append(Named(article, found))
    return items


def _known_spans(article: Article) -> dict[Span, str]:
    """The names in a text as a swap would move them, with their targets."""
    if article.language not in FORMS:
        return {}
    _, done = swapped_article(article, {})
    places = find_forms(article.text, str(article.language))
    return dict(zip(done.moved, (place.target for place in places), strict=True))


def _moved(item: Named, article: Article, done: Swapped, places: Mapping[str, str]) -> Named:
    found = [(done.moved[span], places.get(target, target)) for span, target in item.mentions]
    return Named(article, tuple(found))


def shifts(reader: Reader, items: Sequence[Named], context: int) -> pd.DataFrame:
    """One row per mention and pair: from, to, language, article, and the change of its score."""
    copies = [_copies(item) for item in items]
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


def _copies(item: Named) -> dict[tuple[str, str], Named]:
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
    """The corpus with one more copy of each article of a part that names a country.

    In a copy the countries have changed places, by a draw among the permutations; labels stay with
    the mentions, and mentions in no known form leave the copy. A copy keeps its story.
    """
    rng = np.random.default_rng(seed)
    changes = [a for a in assignments() if any(a[t] != t for t in TARGETS)]
    gold = dict(tuple(corpus.gold.groupby("article_id")))
    articles: list[Article] = []
    added: list[pd.DataFrame] = []
    for article in corpus.articles(part):
        known = _known_spans(article)
        if not known or article.article_id not in gold:
            continue
        places = changes[int(rng.integers(len(changes)))]
        copy, done = swapped_article(article, places)
        articles.append(copy)
        added.append(_moved_gold(gold[article.article_id], copy, done, places))
    return _extended(corpus, part, articles, added)


def _moved_gold(
    gold: pd.DataFrame, copy: Article, done: Swapped, places: Mapping[str, str]
) -> pd.DataFrame:
    """The rows of an article at their new places; those of other entities move with the text."""
    rows = []
    for row in gold.to_dict("records"):
        span = _new_place(Span(int(row["start"]), int(row["end"])), done)
        if span is None:
            continue
        target = places.get(row["target"], row["target"])
        row |= {"article_id": copy.article_id, "start": span.start, "end": span.end}
        row |= {"target": target, "surface": span.of(copy.text)}
        row["unit"] = unit_name(copy.article_id, span.start, span.end, target)
        rows.append(row)
    return pd.DataFrame(rows, columns=gold.columns)


def _new_place(span: Span, done: Swapped) -> Span | None:
    """Where a stretch stands now; None where it cuts through a name that was swapped."""
    if span in done.moved:
        return done.moved[span]
    shift = 0
    inside = 0
    for old, new in sorted(done.moved.items()):
        grown = (new.end - new.start) - (old.end - old.start)
        if old.end <= span.start:
            shift = new.end - old.end
        elif span.contains(old):
            inside += grown
        elif old.overlaps(span):
            return None
    return Span(span.start + shift, span.end + shift + inside)


def _extended(
    corpus: Corpus, part: str, articles: Sequence[Article], gold: Iterable[pd.DataFrame]
) -> Corpus:
    annotations = replace(corpus.annotations, articles=(*corpus.annotations.articles, *articles))
    parts = {**corpus.parts, part: (*corpus.parts[part], *(a.article_id for a in articles))}
    return replace(
        corpus,
        annotations=annotations,
        gold=pd.concat([corpus.gold, *gold], ignore_index=True),
        parts=parts,
    )
