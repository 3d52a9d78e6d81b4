"""How many planted wire copies `with_stories` finds, how many it makes up, and how fast.

    python -m benchmarks.reading copies [--articles 10000] [--seed 0]

Articles of a random vocabulary, word frequencies as in running text (Zipf), no corpus. One in ten
is a copy of another: cut to its lead (30 to 60 %), with its paragraphs in another order, or with
5 % of its words changed, each with another boilerplate around it. Pairs are counted.
"""

import argparse
import json
import time
from itertools import combinations

import numpy as np

from classifier.articles import with_stories
from classifier.records import Article

_CALL = "Subscribe to our newsletter and follow us on every platform."
_EDITS = ("lead", "order", "words")


def main() -> None:
    """Plant, find, count; prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    articles, planted, edits = plant(options.articles, np.random.default_rng(options.seed))
    start = time.perf_counter()
    found = pairs_of(with_stories(articles))
    seconds = time.perf_counter() - start
    print(json.dumps(result(found, planted, edits, len(articles), seconds)))


def plant(
    n: int, rng: np.random.Generator
) -> tuple[list[Article], set[frozenset[str]], dict[frozenset[str], str]]:
    """The articles, the pairs that tell one story, and by which edit each pair differs."""
    vocabulary = np.array([_word(rng) for _ in range(30_000)])
    weights = 1 / np.arange(1, len(vocabulary) + 1)
    weights /= weights.sum()
    n_copies = n // 10
    originals = [_paragraphs(vocabulary, weights, rng) for _ in range(n - n_copies)]
    texts = [(f"a{i}", paragraphs) for i, paragraphs in enumerate(originals)]
    edits: dict[frozenset[str], str] = {}
    for i, origin in enumerate(rng.choice(len(originals), n_copies, replace=False)):
        edit = _EDITS[i % len(_EDITS)]
        texts.append((f"c{i}", _edited(originals[origin], edit, vocabulary, rng)))
        edits[frozenset((f"c{i}", f"a{origin}"))] = edit
    order = rng.permutation(len(texts))
    articles = [Article(texts[i][0], _published(texts[i][1], rng), language="en") for i in order]
    return articles, set(edits), edits


def _word(rng: np.random.Generator) -> str:
    letters = rng.choice(list("abcdefghijklmnoprstuvz"), size=rng.integers(3, 10))
    return "".join(letters)


def _paragraphs(
    vocabulary: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> list[list[str]]:
    sizes = rng.integers(40, 90, size=rng.integers(4, 9))
    return [list(rng.choice(vocabulary, size=size, p=weights)) for size in sizes]


def _edited(
    paragraphs: list[list[str]], edit: str, vocabulary: np.ndarray, rng: np.random.Generator
) -> list[list[str]]:
    if edit == "lead":
        return paragraphs[: max(1, round(len(paragraphs) * rng.uniform(0.3, 0.6)))]
    if edit == "order":
        return [paragraphs[i] for i in rng.permutation(len(paragraphs))]
    return [
        [str(rng.choice(vocabulary)) if rng.random() < 0.05 else word for word in paragraph]
        for paragraph in paragraphs
    ]


def _published(paragraphs: list[list[str]], rng: np.random.Generator) -> str:
    prose = [" ".join(words).capitalize() + "." for words in paragraphs]
    return "\n\n".join([*prose, _CALL] if rng.random() < 0.7 else prose)


def pairs_of(articles: list[Article]) -> set[frozenset[str]]:
    """The pairs of articles with the same story."""
    stories: dict[str, list[str]] = {}
    for article in articles:
        if article.story_id is not None:
            stories.setdefault(article.story_id, []).append(article.article_id)
    return {frozenset(pair) for ids in stories.values() for pair in combinations(ids, 2)}


def result(
    found: set[frozenset[str]],
    planted: set[frozenset[str]],
    edits: dict[frozenset[str], str],
    n_articles: int,
    seconds: float,
) -> dict[str, object]:
    """Recall, precision, recall per edit, and articles per second."""
    by_edit = {
        edit: {
            "planted": sum(e == edit for e in edits.values()),
            "found": sum(e == edit and pair in found for pair, e in edits.items()),
        }
        for edit in _EDITS
    }
    return {
        "articles": n_articles,
        "planted_pairs": len(planted),
        "found_pairs": len(found),
        "recall": len(found & planted) / len(planted),
        "precision": len(found & planted) / len(found) if found else None,
        "by_edit": by_edit,
        "articles_per_second": n_articles / seconds,
        "seconds": seconds,
    }
