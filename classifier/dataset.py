"""Leak-safe splits of articles, and examples: passages beside the labels of their mentions."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.articles import with_stories
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.passages import Examples, Limits, TokenStarts, cut_passages
from classifier.records import Article, Problem, Span

SplitBy = Literal["article", "story", "source", "date"]
TRAIN, DEVELOPMENT, CALIBRATION, TEST = "train", "development", "calibration", "test"
_PUBLISHED = {
    "training": TRAIN,
    "dev": DEVELOPMENT,
    "validation": DEVELOPMENT,
    "valid": DEVELOPMENT,
}


@dataclass(frozen=True)
class Split:
    """Which articles are for what; no story stands in two parts."""

    parts: Mapping[str, tuple[str, ...]]
    """Part -> article ids, in the order of the articles."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """What part of the articles is held out for what; the rest is for training."""

    development: float = 0.1
    calibration: float = 0.1
    test: float = 0.2
    """Not taken where the publisher holds articles out."""
    at_most: int = 400
    """Most articles that development and calibration are given each."""

    def __post_init__(self) -> None:
        """Refuse shares that leave nothing to train on."""
        held = (self.development, self.calibration, self.test)
        if min(held) < 0 or sum(held) >= 1:
            raise DataError(f"held-out shares must be 0 or more and sum to less than 1, got {held}")


def split_articles(
    articles: Sequence[Article],
    by: SplitBy = "article",
    shares: Shares | None = None,
    *,
    seed: int = 0,
) -> Split:
    """Deal the articles out to train, development, calibration and test.

    The publisher's parts stay as they are; what it gives for training is dealt out further,
    without a test part. Copies of one story (`story_id`, or the same text) stay together; with
    `by="source"` a source stays together too, with `by="date"` training comes first in time.
    `by="story"` looks for near-duplicates first. Raises `DataError` where there are fewer groups
    than parts.
    """
    shares = shares or Shares()
    if by == "story":
        articles = with_stories(articles)
    published: dict[str, list[Article]] = defaultdict(list)
    for article in articles:
        published[_published_part(article)].append(article)
    pool = published.pop(TRAIN, [])
    kept, problems = _without_copies(pool, published)
    wanted = _wanted(shares, len(kept), set(published))
    groups = _groups(kept, by)
    if len(groups) < len(wanted):
        raise DataError(
            f"a split by {by} into {', '.join(wanted)} needs at least {len(wanted)} groups of "
            f"articles that belong together, got {len(groups)}; add articles or hold out less"
        )
    ordered = _in_time(groups) if by == "date" else _mixed(groups, seed)
    dealt = (_deal_in_order if by == "date" else _deal)(ordered, wanted)
    for part, members in published.items():
        dealt.setdefault(part, []).extend(members)
    order = {article.article_id: place for place, article in enumerate(articles)}
    return Split(
        {
            part: tuple(sorted((a.article_id for a in members), key=order.__getitem__))
            for part, members in dealt.items()
        },
        tuple(problems),
    )


def _published_part(article: Article) -> str:
    part = article.split or TRAIN
    return _PUBLISHED.get(part, part)


def _without_copies(
    pool: Sequence[Article], held: Mapping[str, Sequence[Article]]
) -> tuple[list[Article], list[Problem]]:
    """The pool without texts that the publisher holds out elsewhere."""
    texts = {article.text.strip(): part for part, members in held.items() for article in members}
    kept = [article for article in pool if article.text.strip() not in texts]
    problems = [
        Problem(
            article.article_id,
            "same text in a held-out part",
            f"the text also stands in {texts[article.text.strip()]!r}, so it is not trained on",
        )
        for article in pool
        if article.text.strip() in texts
    ]
    return kept, problems


def _wanted(shares: Shares, n_articles: int, published: set[str]) -> dict[str, float]:
    """How many articles each part that is not published should get."""
    cap = shares.at_most
    wanted = {
        DEVELOPMENT: min(shares.development * n_articles, cap),
        CALIBRATION: min(shares.calibration * n_articles, cap),
        TEST: 0.0 if published - {DEVELOPMENT} else shares.test * n_articles,
    }
    wanted = {part: n for part, n in wanted.items() if n > 0 and part not in published}
    return {TRAIN: n_articles - sum(wanted.values()), **wanted}


def _groups(articles: Iterable[Article], by: SplitBy) -> list[list[Article]]:
    """Articles that must stay together, joined over every key that they share."""
    keys: dict[Hashable, Hashable] = {}

    def root(key: Hashable) -> Hashable:
        while (parent := keys.setdefault(key, key)) != key:
            keys[key] = keys[parent]
            key = keys[key]
        return key

    members = list(articles)
    for article in members:
        own = ("article", article.article_id)
        for key in _group_keys(article, by):
            keys[root(key)] = root(own)
    groups: dict[Hashable, list[Article]] = defaultdict(list)
    for article in members:
        groups[root(("article", article.article_id))].append(article)
    return list(groups.values())


def _group_keys(article: Article, by: SplitBy) -> list[Hashable]:
    keys: list[Hashable] = [("text", article.text.strip())]
    if article.story_id is not None:
        keys.append(("story", article.story_id))
    if by == "source":
        keys.append(("source", article.source))
    return keys


def _mixed(groups: Sequence[list[Article]], seed: int) -> list[list[Article]]:
    """In random order within a language, so that every part gets its share of each language."""
    order = np.random.default_rng(seed).permutation(len(groups))
    return sorted((groups[i] for i in order), key=lambda group: group[0].language or "")


def _in_time(groups: Sequence[list[Article]]) -> list[list[Article]]:
    undated = [a.article_id for group in groups for a in group if a.date is None]
    if undated:
        raise DataError(
            f"a split by date needs a date for every article; {len(undated)} have none, "
            f"such as {undated[0]!r}; split by story instead"
        )
    return sorted(groups, key=lambda group: max(article.date or "" for article in group))


def _deal(groups: Sequence[list[Article]], wanted: Mapping[str, float]) -> dict[str, list[Article]]:
    """Give each group to the part that lags most, so that shares hold all along (Sainte-Laguë)."""
    dealt: dict[str, list[Article]] = {part: [] for part in wanted}
    for place, group in enumerate(groups):
        empty = [part for part in wanted if not dealt[part]]
        open_to = empty if len(groups) - place <= len(empty) else list(wanted)
        lag = {part: wanted[part] / (2 * len(dealt[part]) + len(group)) for part in open_to}
        part = max(open_to, key=lag.__getitem__)
        dealt[part].extend(group)
    return dealt


def _deal_in_order(
    groups: Sequence[list[Article]], wanted: Mapping[str, float]
) -> dict[str, list[Article]]:
    """Fill one part after the other, leaving at least one group for each that follows."""
    dealt: dict[str, list[Article]] = {part: [] for part in wanted}
    parts = list(wanted)
    at = 0
    for place, group in enumerate(groups):
        following = len(parts) - at - 1
        full = len(dealt[parts[at]]) >= wanted[parts[at]]
        if following and dealt[parts[at]] and (full or len(groups) - place <= following):
            at += 1
        dealt[parts[at]].extend(group)
    return dealt


def build_examples(
    articles: Iterable[Article],
    gold: pd.DataFrame,
    variables: Sequence[Variable],
    token_starts: TokenStarts,
    limits: Limits | None = None,
) -> Examples:
    """Cut passages around the gold mentions of these articles and set their labels beside them.

    `gold` has a row per unit, as `annotations.adjudicate` returns it. Left out: spans that are
    no mention after all, and units for which none of the variables has a gold label.
    """
    usable = gold[~gold["not_target"].fillna(False).astype(bool)]
    columns = {v.name: _label_column(v, gold) for v in variables}
    coded = usable[list(columns.values())].apply(lambda labels: labels.map(_is_coded))
    usable = usable[coded.any(axis=1)]
    by_article = dict(tuple(usable.groupby("article_id", sort=False)))
    cut = partial(cut_passages, token_starts=token_starts, limits=limits)
    passages = [
        passage
        for article in articles
        if article.article_id in by_article
        for passage in cut(article, _units(by_article[article.article_id]))
    ]
    units = [mention.unit for passage in passages for mention in passage.mentions]
    in_order = usable.set_index("unit").loc[units]
    labels = {v.name: label_array(v, in_order[columns[v.name]]) for v in variables}
    return Examples(tuple(passages), labels)


def _label_column(variable: Variable, gold: pd.DataFrame) -> str:
    """Where gold tells most: of a set, the labels that were settled one by one."""
    settled = f"settled_{variable.name}"
    return settled if settled in gold.columns else variable.name


def _units(rows: pd.DataFrame) -> dict[str, Span]:
    return {row.unit: Span(int(row.start), int(row.end)) for row in rows.itertuples(index=False)}


def _is_coded(label: object) -> bool:
    return isinstance(label, str | frozenset | set | list | tuple | Mapping)


def label_array(variable: Variable, labels: Iterable[Any]) -> NDArray[np.int64]:
    """Labels as places in codebook order, -1 where not coded; a set as a row of 0 and 1.

    A set may be given as its names, or as whether each label applies, without those left open.

    Raises `CodebookError` for a label that the variable does not have.
    """
    values = list(labels)
    if variable.kind != "set":
        places = [variable.index(v) if _is_coded(v) else -1 for v in values]
        return np.array(places, dtype=np.int64)
    rows = np.full((len(values), len(variable.names)), -1, dtype=np.int64)
    for row, value in zip(rows, values, strict=True):
        if isinstance(value, Mapping):
            for name, applies in value.items():
                row[variable.index(name)] = applies
        elif _is_coded(value):
            row[:] = 0
            row[[variable.index(name) for name in value]] = 1
    return rows


def check_labels(labels: Mapping[str, NDArray[np.int64]], variables: Sequence[Variable]) -> None:
    """Raise `DataError` unless each variable shows at least two different answers."""
    for variable in variables:
        rows: NDArray[np.int64] = labels[variable.name]
        coded = rows[(rows if rows.ndim == 1 else rows.max(axis=1)) >= 0]
        if not len(coded):
            raise DataError(
                f"variable {variable.name!r} has no labels in the training articles; "
                "code it, or name the variables to train without it"
            )
        if len(np.unique(coded, axis=0)) < 2:
            raise DataError(
                f"variable {variable.name!r} has one and the same label on all {len(coded)} "
                "training mentions; a model needs at least two different ones"
            )
