"""What the shipped scorer learns from, and what it is judged on.

Most sentences of RuSentNE also stand in RuOpinionNE, which keeps the order of its documents where
the other is shuffled. So a block of neighbours of RuOpinionNE (`story_id`) goes to one part, in
both corpora, and a sentence that RuOpinionNE lacks goes where its hash says: two tenths for
testing, one for development, one for calibration.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from classifier.annotations import AnnotationSet, read_annotations, recode, restricted
from classifier.annotations.formats import import_annotations
from classifier.codebook import shipped_annotations
from classifier.errors import DataError
from classifier.records import Article
from classifier.swapping import swapped_copies
from classifier.training import CALIBRATION, DEVELOPMENT, TEST, TRAIN, Corpus, same_text
from recipes.real import REAL, parallel_texts, read_real
from recipes.schemes import read_scheme, scheme_codebook

SAMPLE = "sample"
CONTRAST = "contrast"
"""Sentences that were written to show who is evaluated where several countries meet."""
FOLDERS = ("newsmtsc", "rusentne", "ruopinionne")
OPINIONS = "ruopinionne"
_FIRST_WEIGHTS = {OPINIONS: 0.5}
_WEIGHTS = {"newsmtsc": 0.4, "rusentne": 0.5, OPINIONS: 0.4}
"""How often an epoch of the second stage goes through a corpus; once if it is not named."""
_SHARE_OF_COPIES = 0.6
_SEED = 1
_TENTHS = {0: TEST, 5: TEST, 3: DEVELOPMENT, 7: CALIBRATION}
_FOR_TRAINING = (None, TRAIN, DEVELOPMENT, CALIBRATION)


@dataclass(frozen=True)
class Test:
    """Articles that nothing was learnt from or chosen by."""

    __test__ = False

    name: str
    annotation_set: AnnotationSet


@dataclass(frozen=True)
class ShippingData:
    """Everything that the shipped scorer comes from."""

    schemes: tuple[Corpus, ...]
    """Published corpora, each under the variable of its scheme: the first stage."""
    corpora: tuple[Corpus, ...]
    """Labels on real news and the sample, and the published corpora again: the second stage."""
    tests: tuple[Test, ...]
    late: tuple[Corpus, ...] = ()
    """What the last stage learns besides: our own training articles with the countries in other
    places, and the contrast sentences with theirs."""
    texts: tuple[str, ...] = ()
    """Sentences without labels, nothing held out among them: what the small scorer learns by."""

    def first(self, n: int) -> "ShippingData":
        """At most n articles of each part of each corpus, to try the way with."""
        return ShippingData(
            tuple(replace(c, annotation_set=_first(c.annotation_set, n)) for c in self.schemes),
            tuple(replace(c, annotation_set=_first(c.annotation_set, n)) for c in self.corpora),
            tuple(replace(t, annotation_set=_first(t.annotation_set, n)) for t in self.tests),
            tuple(replace(c, annotation_set=_first(c.annotation_set, n)) for c in self.late),
            self.texts[:n],
        )


def read_shipping_data(folder: Path, *, real: bool = True) -> ShippingData:
    """Import the published corpora below a folder, and read our own labels beside them.

    Args:
        folder: Holds each corpus in a folder of its own.
        real: Whether the labels on real news are learnt and judged, whose texts are there too.

    Raises:
        DataError: one of the corpora is not there, or lacks a sentence that was coded.
    """
    missing = [name for name in FOLDERS if not (folder / name).is_dir()]
    if missing:
        raise DataError(
            f"{folder} must hold the folders {', '.join(FOLDERS)} as their publishers give them; "
            f"{', '.join(missing)} is not there"
        )
    codebook = scheme_codebook()
    schemes = {name: read_scheme(name, folder / name, codebook) for name in FOLDERS}
    schemes["rusentne"], schemes[OPINIONS] = dealt(schemes["rusentne"], schemes[OPINIONS])
    own = {SAMPLE: read_annotations(shipped_annotations() / SAMPLE)}
    if real:
        own = {REAL: read_real(folder, own[SAMPLE].codebook), **own}
    learnt = {name: recode(one, codebook).annotation_set for name, one in own.items()}
    contrast = read_annotations(shipped_annotations() / CONTRAST)
    written = recode(contrast, codebook).annotation_set
    published = {name: import_annotations(name, folder / name).annotation_set for name in FOLDERS}
    published["rusentne"], _ = dealt(published["rusentne"], published[OPINIONS])
    return ShippingData(
        tuple(_corpus(name, one, _FIRST_WEIGHTS) for name, one in schemes.items()),
        tuple(_corpus(name, one, _WEIGHTS) for name, one in {**learnt, **schemes}.items()),
        _tests({**own, **published}),
        (
            Corpus(written, CONTRAST, only_training=True),
            *(_copies(name, one) for name, one in {**learnt, CONTRAST: written}.items()),
        ),
        tuple(_texts(folder, learnt)),
    )


def _texts(folder: Path, learnt: Mapping[str, AnnotationSet]) -> list[str]:
    held = {
        article.text
        for one in learnt.values()
        for article in one.articles
        if article.split not in (None, TRAIN)
    }
    return parallel_texts(folder, frozenset(held))


def _copies(name: str, one: AnnotationSet) -> Corpus:
    copies = swapped_copies(one, ids_of(one, None, TRAIN), np.random.default_rng(_SEED))
    return Corpus(copies, f"{name}-swapped", _SHARE_OF_COPIES, only_training=True)


def _corpus(name: str, one: AnnotationSet, weights: Mapping[str, float]) -> Corpus:
    """A corpus to learn from; of RuOpinionNE only its training part.

    It has no neutral label and would tilt what is chosen by held-out articles.
    """
    if name == OPINIONS:
        one = restricted(one, ids_of(one, TRAIN))
    return Corpus(one, name, weights.get(name, 1.0), only_training=name == OPINIONS)


def _tests(sets: Mapping[str, AnnotationSet]) -> tuple[Test, ...]:
    return tuple(
        Test(f"{name}, {part}", restricted(one, ids_of(one, part)))
        for name, one in sets.items()
        if name != OPINIONS
        for part in sorted({a.split for a in one.articles if a.split} - {*_FOR_TRAINING})
    )


def dealt(sentences: AnnotationSet, opinions: AnnotationSet) -> tuple[AnnotationSet, AnnotationSet]:
    """Sentences of RuSentNE and RuOpinionNE with their parts: a story is in one part."""
    stories = {same_text(article): article.story_id for article in opinions.articles}

    def deal(one: AnnotationSet) -> AnnotationSet:
        articles = tuple(replace(a, split=_part(a, stories)) for a in one.articles)
        return replace(one, articles=articles)

    return deal(sentences), deal(opinions)


def _part(article: Article, stories: Mapping[str, str | None]) -> str:
    key = same_text(article)
    story = stories.get(key)
    if story:
        number = int(story.rpartition("-")[2])
    else:
        number = int(hashlib.sha256(key.encode()).hexdigest()[:12], 16)
    return _TENTHS.get(number % 10, TRAIN)


def ids_of(one: AnnotationSet, *parts: str | None) -> set[str]:
    """The articles of some parts."""
    return {article.article_id for article in one.articles if article.split in parts}


def _first(one: AnnotationSet, n: int) -> AnnotationSet:
    parts = {article.split for article in one.articles}
    languages = sorted({article.language or "" for article in one.articles})
    kept: list[Article] = []
    for part in parts:
        for language in languages:
            own = _of(one.articles, part, language)
            kept += own[: max(1, n // len(languages))]
    return restricted(one, {article.article_id for article in kept})


def _of(articles: Sequence[Article], part: str | None, language: str) -> list[Article]:
    return [a for a in articles if a.split == part and (a.language or "") == language]
