"""How far a stance moves where only the country changes, and copies that teach it not to."""

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.quality._data import Corpus
from benchmarks.quality._frames import FRAMES
from classifier.annotations import adjudicate
from classifier.records import Article
from classifier.swapping import (
    Named,
    assignments,
    named_mentions,
    names_in,
    swapped_article,
    swapped_copies,
)
from classifier.training import TEST


def sample_items(corpus: Corpus, part: str = TEST) -> list[Named]:
    """Annotated mentions that the tables of forms know."""
    return named_mentions(corpus.only(part), "stance")


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
