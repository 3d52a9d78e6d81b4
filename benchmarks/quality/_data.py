"""What `search.py` trains and judges on: three published corpora and the annotated sample.

CLASSIFIER_DATA names the folder that holds newsmtsc/, rusentne/ and ruopinionne/.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from classifier.annotations import AnnotationSet, adjudicate
from classifier.codebook import Variable, default_codebook
from classifier.models import Examples, Limits, TokenStarts
from classifier.records import Article
from classifier.training import TRAIN, Shares, build_examples, split_articles
from recipes.corpora import ShippingData, read_shipping_data

NAMES = ("newsmtsc", "rusentne", "ruopinionne", "sample")
DATA = Path(os.environ.get("CLASSIFIER_DATA", "data"))
SPLIT_SEED = 0
"""Seeds of a run change the training, never the split."""
STANCE = default_codebook().variable("stance")
_SHARES = {"newsmtsc": 0.05}


@dataclass(frozen=True)
class Corpus:
    """An annotation set with gold and with its articles dealt out."""

    name: str
    annotations: AnnotationSet
    gold: pd.DataFrame
    parts: Mapping[str, tuple[str, ...]]
    """Part -> article ids. NewsMTSC keeps its publisher's devtest_mt and devtest_rw."""

    def articles(self, part: str) -> list[Article]:
        """The articles of a part, in the order of the corpus."""
        return [self.annotations.article_by_id[i] for i in self.parts.get(part, ())]

    def labelled(self, part: str) -> pd.DataFrame:
        """Gold of a part: its mentions whose stance is settled."""
        gold = self.gold[self.gold["article_id"].isin(set(self.parts.get(part, ())))]
        return gold[(gold["status_stance"] == "ok") & ~gold["not_target"]]

    def only(self, part: str, keep: Iterable[str] | None = None) -> AnnotationSet:
        """A part as an annotation set, all of it or these articles of it."""
        ids = set(self.parts.get(part, ())) if keep is None else set(keep)
        table = self.annotations.table
        articles = tuple(a for a in self.annotations.articles if a.article_id in ids)
        return AnnotationSet(
            articles, table[table["article_id"].isin(ids)], self.annotations.codebook
        )

    def cut(self, limit: int) -> "Corpus":
        """At most `limit` articles of each part, for a quick try."""
        return replace(self, parts={part: ids[:limit] for part, ids in self.parts.items()})

    def beginning(self, start: str) -> "Corpus":
        """Only articles whose ids begin so, in every part."""
        parts = self.parts.items()
        kept = {part: tuple(i for i in ids if i.startswith(start)) for part, ids in parts}
        return replace(self, parts=kept)

    def thinned(self, share: float) -> "Corpus":
        """A share of the training articles, drawn by the hash of their ids."""
        kept = tuple(i for i in self.parts[TRAIN] if _fraction(i) < share)
        return replace(self, parts={**self.parts, TRAIN: kept})


@lru_cache(maxsize=8)
def load_corpus(name: str) -> Corpus:
    """A corpus by its name, dealt out as for the shipped scorer; the same every time.

    Development and calibration articles are drawn where the corpus or `read_shipping_data` does
    not say which they are.
    """
    corpora = {one.name: one.annotation_set for one in _shipping().corpora}
    tests = {test.name: test.annotation_set for test in _shipping().tests}
    annotations = corpora[name]
    held = [one for key, one in tests.items() if key.partition(", ")[0] == name]
    articles = {a.article_id: a for one in (annotations, *held) for a in one.articles}
    return _split(name, annotations, tuple(articles.values()))


@lru_cache(maxsize=1)
def _shipping() -> ShippingData:
    return read_shipping_data(DATA, real=False)


def _split(name: str, annotations: AnnotationSet, articles: tuple[Article, ...]) -> Corpus:
    share = 0.0 if name == "ruopinionne" else _SHARES.get(name, 0.1)
    split = split_articles(articles, "article", Shares(share, share, 0), seed=SPLIT_SEED)
    return Corpus(name, annotations, adjudicate(annotations), split.parts)


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def _fraction(text: str) -> float:
    return _number(text) / 16**12


def examples(
    corpus: Corpus,
    part: str,
    variables: Sequence[Variable],
    token_starts: TokenStarts,
    limits: Limits,
    stance: str = "stance",
) -> Examples:
    """Passages of a part and their labels; the corpus' stance goes to the variable `stance`."""
    gold = corpus.gold[corpus.gold["article_id"].isin(set(corpus.parts.get(part, ())))]
    gold = gold.rename(columns={"stance": stance})
    absent = [v.name for v in variables if v.name not in gold.columns]
    gold = gold.assign(**dict.fromkeys(absent))
    return build_examples(corpus.articles(part), gold, variables, token_starts, limits)


def joined(parts: Sequence[Examples]) -> Examples:
    """Several sets of examples as one, in their order."""
    passages = tuple(passage for part in parts for passage in part.passages)
    names = parts[0].labels
    return Examples(
        passages, {n: np.concatenate([part.labels[n] for part in parts]) for n in names}
    )
