"""Annotation sets to learn from, one or several, and leak-safe splits of their articles."""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from classifier.annotations import AnnotationSet, join_sets, read_annotations, recode
from classifier.articles import with_stories
from classifier.errors import DataError
from classifier.notebook_html import reasons
from classifier.records import Article, Problem

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

    def __repr__(self) -> str:
        """How many articles each part has."""
        parts = ", ".join(f"{part} {len(ids)}" for part, ids in self.parts.items())
        return f"Split: {parts}; {reasons(self.problems)}"


@dataclass(frozen=True, slots=True)
class Shares:
    """What part of the articles is held out for what; the rest is for training."""

    development: float = 0.1
    calibration: float = 0.1
    test: float = 0.2
    """Not taken if the publisher holds articles out."""
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
    `by="story"` looks for near-duplicates first. Raises `DataError` if there are fewer groups
    than parts.
    """
    shares = shares or Shares()
    if by == "story":
        articles = with_stories(articles)
    published: dict[str, list[Article]] = defaultdict(list)
    for article in articles:
        published[published_part(article)].append(article)
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


def split_corpora(
    corpora: Sequence[Sequence[Article]],
    by: SplitBy = "article",
    shares: Sequence[Shares] = (),
    *,
    seed: int = 0,
) -> Split:
    """Split each corpus for itself, so that every part gets its share of each.

    A text that stands in several corpora is kept where it is held out most strictly. That
    is a part that the publisher or the shares hold out for testing, else for calibration, else
    for development.
    `shares` has one entry per corpus. Raises as `split_articles`.
    """
    chosen = shares or [Shares()] * len(corpora)
    splits = [
        split_articles(corpus, by, share, seed=seed)
        for corpus, share in zip(corpora, chosen, strict=True)
    ]
    texts = {article.article_id: same_text(article) for corpus in corpora for article in corpus}
    strictest: dict[str, str] = {}
    for split in splits:
        for part, ids in split.parts.items():
            for key in map(texts.__getitem__, ids):
                strictest[key] = min(strictest.get(key, part), part, key=_strictness)
    parts: dict[str, list[str]] = {}
    problems = [problem for split in splits for problem in split.problems]
    for part, ids in (item for split in splits for item in split.parts.items()):
        for article_id in ids:
            elsewhere = strictest[texts[article_id]]
            if _strictness(elsewhere) < _strictness(part):
                problems.append(_copy(article_id, elsewhere))
            else:
                parts.setdefault(part, []).append(article_id)
    return Split({part: tuple(ids) for part, ids in parts.items()}, tuple(problems))


def _strictness(part: str) -> int:
    """Small for what must be kept apart most."""
    return {CALIBRATION: 1, DEVELOPMENT: 2, TRAIN: 3}.get(part, 0)


def same_text(article: Article) -> str:
    """A key that two articles share if their texts differ in case, spaces or marks only.

    >>> same_text(Article("a", "«Yes», he said."))
    'yeshesaid'
    """
    return re.sub(r"[\W_]+", "", article.text).casefold() or article.text.strip()


def _copy(article_id: str, part: str) -> Problem:
    return Problem(
        article_id,
        "same text in a held-out part",
        f"the text also stands in {part!r}, so it is not trained on",
    )


def published_part(article: Article) -> str:
    """The part its publisher put it in, by our names; training if there is no such decision."""
    part = article.split or TRAIN
    return _PUBLISHED.get(part, part)


def _without_copies(
    pool: Sequence[Article], held: Mapping[str, Sequence[Article]]
) -> tuple[list[Article], list[Problem]]:
    """The pool without texts that the publisher holds out elsewhere."""
    texts = {same_text(article): part for part, members in held.items() for article in members}
    kept = [article for article in pool if same_text(article) not in texts]
    problems = [
        _copy(article.article_id, texts[same_text(article)])
        for article in pool
        if same_text(article) in texts
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
    keys: list[Hashable] = [("text", same_text(article))]
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


@dataclass(frozen=True)
class Corpus:
    """An annotation set beside others."""

    annotation_set: AnnotationSet
    name: str = ""
    weight: float = 1.0
    """How often each of its training passages is read in an epoch, on average."""
    only_training: bool = False
    """Whether none of its articles is held out for development and calibration."""

    def __post_init__(self) -> None:
        """Refuse a weight that is none."""
        if not self.weight > 0:
            raise DataError(f"the weight of a corpus must be above 0, got {self.weight!r}")


OneSet: TypeAlias = AnnotationSet | Corpus | Path | str
Data: TypeAlias = OneSet | Sequence[OneSet]
"""An annotation set, its folder, or several of them."""


@dataclass(frozen=True)
class Corpora:
    """Annotation sets in the words of the first one's codebook."""

    members: tuple[Corpus, ...]
    annotation_set: AnnotationSet
    """All of them as one."""
    problems: tuple[Problem, ...] = ()
    """Labels that the first one's codebook has no word for."""

    def split(self, by: SplitBy, shares: Shares, seed: int) -> Split:
        """Deal each corpus out, so that no text of a held-out part is trained on in another."""
        none = Shares(0, 0, 0)
        return split_corpora(
            [corpus.annotation_set.articles for corpus in self.members],
            by,
            [none if corpus.only_training else shares for corpus in self.members],
            seed=seed,
        )

    def corpus_of(self) -> dict[str, int]:
        """The number of the corpus that an article is in, by article id."""
        return {
            article.article_id: number
            for number, corpus in enumerate(self.members)
            for article in corpus.annotation_set.articles
        }


def read_corpora(data: Data) -> Corpora:
    """Read one or several annotation sets, recode all to the first one's codebook, join them.

    Raises `DataError` if there is none, one has faults, or two share the id of an article.
    """
    given = [data] if isinstance(data, AnnotationSet | Corpus | Path | str) else list(data)
    if not given:
        raise DataError("at least one annotation set is needed to train on, got none")
    read = [_corpus(one) for one in given]
    codebook = read[0].annotation_set.codebook
    members, problems = [], []
    for corpus in read:
        if corpus.annotation_set.codebook == codebook:
            members.append(corpus)
            continue
        recoded = recode(corpus.annotation_set, codebook)
        members.append(replace(corpus, annotation_set=recoded.annotation_set))
        problems += [replace(p, where=f"{corpus.name}: {p.where}") for p in recoded.problems]
    joined = join_sets([corpus.annotation_set for corpus in members])
    return Corpora(tuple(members), joined, tuple(problems))


def _corpus(one: OneSet) -> Corpus:
    if isinstance(one, Corpus):
        return one
    if isinstance(one, AnnotationSet):
        return Corpus(one, one.codebook.name)
    return Corpus(read_annotations(Path(one)), Path(one).resolve().name)
