"""Wire copies: which articles tell one story in the same words.

They are compared by word shingles (five words in a row) of the text without its boilerplate. Two
articles tell one story if at least half of the shingles of the shorter one stand in the other
(containment, Broder 1997). Exact and the same on every run: an inverted index, no sampling.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from zlib import crc32

import numpy as np
import numpy.typing as npt

from classifier.articles._zones import pieces
from classifier.records import PROFILE_ZONES, Article

CONTAINMENT = 0.5
"""Least share of the shorter article's shingles that a copy has."""
_WORDS = 5
# A text of fewer shingles is a line or two: only the very same words make it a copy.
_FEWEST_SHINGLES = 10
_FEWEST_SHARED = 5
# Of the articles that share a shingle each meets this many after it, which keeps the work linear.
# Copies of one text come in the same order in all their shingles, so that they form a chain.
_NEIGHBOURS = 8
_WORD = re.compile(r"\w+")
_Shingles = npt.NDArray[np.uint64]


def with_stories(articles: Iterable[Article]) -> list[Article]:
    """The articles in order, those that tell one story with the same `story_id`.

    A `story_id` that an article brings along is kept and given to its copies; if copies bring
    different ones, all get the first. Otherwise it is the `article_id` of the first copy. An
    article without copies and without a `story_id` of its own stays without one.

    >>> text = "De haven van het eiland bleef maandag de hele dag dicht door de storm op zee."
    >>> [a.story_id for a in with_stories([Article("a", text), Article("b", text + " Meer.")])]
    ['a', 'a']
    """
    articles = list(articles)
    stories = _Union(len(articles))
    _join(stories, [article.story_id for article in articles])
    shingles = [_shingles(article) for article in articles]
    _join(stories, [None if s.size else _plain(a) for a, s in zip(articles, shingles, strict=True)])
    for first, second in _candidates(shingles):
        if not stories.same(first, second):
            one, two = shingles[first], shingles[second]
            n_shared = np.intersect1d(one, two, assume_unique=True).size
            if n_shared >= CONTAINMENT * min(one.size, two.size):
                stories.join(first, second)
    return _named(articles, stories)


class _Union:
    """Groups of indices that grow together; a group's name is its lowest index."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def root(self, i: int) -> int:
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def same(self, a: int, b: int) -> bool:
        return self.root(a) == self.root(b)

    def join(self, a: int, b: int) -> None:
        low, high = sorted((self.root(a), self.root(b)))
        self._parent[high] = low


def _join(stories: _Union, keys: Sequence[str | None]) -> None:
    """Join the articles that share a key."""
    first: dict[str, int] = {}
    for i, key in enumerate(keys):
        if key is not None:
            stories.join(first.setdefault(key, i), i)


def _named(articles: list[Article], stories: _Union) -> list[Article]:
    roots = [stories.root(i) for i in range(len(articles))]
    names: dict[int, str] = {}
    sizes: dict[int, int] = {}
    for root, article in zip(roots, articles, strict=True):
        sizes[root] = sizes.get(root, 0) + 1
        if article.story_id is not None:
            names.setdefault(root, article.story_id)
    return [
        replace(article, story_id=names.get(root, articles[root].article_id))
        if sizes[root] > 1
        else article
        for root, article in zip(roots, articles, strict=True)
    ]


def _plain(article: Article) -> str | None:
    """The words of the text, without what every article of a site carries; None without words."""
    kept = [
        article.text[piece.start : piece.end]
        for piece in pieces(article.text, article.title)
        if piece.kind in PROFILE_ZONES
    ]
    folded = unicodedata.normalize("NFC", " ".join(kept)).casefold()
    return " ".join(_WORD.findall(folded)) or None


def _shingles(article: Article) -> _Shingles:
    """The hashes of all runs of five words, sorted, each once; none for a text of a line or two."""
    words = (_plain(article) or "").split()
    if len(words) < _WORDS + _FEWEST_SHINGLES - 1:
        return np.empty(0, dtype=np.uint64)
    hashes = np.fromiter((_hash(word) for word in words), dtype=np.uint64, count=len(words))
    n = len(words) - _WORDS + 1
    mixed = np.zeros(n, dtype=np.uint64)
    for i in range(_WORDS):
        mixed = (mixed ^ hashes[i : i + n]) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return np.unique(mixed)


def _hash(word: str) -> int:
    data = word.encode("utf-8", "surrogatepass")
    return crc32(data) << 32 | crc32(data[::-1])


def _candidates(shingles: Sequence[_Shingles]) -> npt.NDArray[np.int64]:
    """Pairs of articles, lower index first, that share enough shingles to be worth a look."""
    n = len(shingles)
    values = np.concatenate([*shingles, np.empty(0, dtype=np.uint64)])
    owners = np.repeat(np.arange(n), [s.size for s in shingles])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    codes = []
    for lag in range(1, _NEIGHBOURS + 1):
        same = values[lag:] == values[:-lag]
        codes.append(owners[:-lag][same] * n + owners[lag:][same])
    unique, counts = np.unique(np.concatenate(codes), return_counts=True)
    unique = unique[counts >= _FEWEST_SHARED]
    return np.stack([unique // n, unique % n], axis=1) if n else np.empty((0, 2), dtype=np.int64)
