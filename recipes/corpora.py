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

from classifier.annotations import AnnotationSet, join_sets, read_annotations, restricted
from classifier.annotations.formats import import_annotations
from classifier.codebook import shipped_annotations
from classifier.errors import DataError
from classifier.records import Article
from classifier.training import CALIBRATION, DEVELOPMENT, TEST, TRAIN, Corpus, same_text
from recipes.swapping import swapped_copies

SAMPLE = "sample"
FOLDERS = ("newsmtsc", "rusentne", "ruopinionne")
_OPINIONS = "ruopinionne"
_WEIGHTS = {SAMPLE: 1.5, "newsmtsc": 1.0, "rusentne": 1.0, _OPINIONS: 0.5}
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

    corpora: tuple[Corpus, ...]
    """The sample first: its codebook is learnt."""
    tests: tuple[Test, ...]

    def first(self, n: int) -> "ShippingData":
        """At most n articles of each part of each corpus, to try the way with."""
        return ShippingData(
            tuple(replace(c, annotation_set=_first(c.annotation_set, n)) for c in self.corpora),
            tuple(replace(t, annotation_set=_first(t.annotation_set, n)) for t in self.tests),
        )


def read_shipping_data(folder: Path, *, copies: bool = True) -> ShippingData:
    """Import the published corpora below a folder, and read the sample beside them.

    With `copies`, the sample has a copy of each article in which the countries have changed places:
    without these the stance follows who is named.

    Raises `DataError` where one of the corpora is not there.
    """
    missing = [name for name in FOLDERS if not (folder / name).is_dir()]
    if missing:
        raise DataError(
            f"{folder} must hold the folders {', '.join(FOLDERS)} as their publishers give them; "
            f"{', '.join(missing)} is not there"
        )
    sets = {name: import_annotations(name, folder / name).annotation_set for name in FOLDERS}
    sets["rusentne"], sets[_OPINIONS] = _dealt(sets["rusentne"], sets[_OPINIONS])
    sets = {SAMPLE: read_annotations(shipped_annotations() / SAMPLE), **sets}
    learnt = {**sets, SAMPLE: _with_copies(sets[SAMPLE])} if copies else sets
    corpora = tuple(
        Corpus(_learnable(name, one), name, _WEIGHTS[name], only_training=name == _OPINIONS)
        for name, one in learnt.items()
    )
    tests = [
        Test(f"{name}, {part}", restricted(one, _ids(one, part)))
        for name, one in sets.items()
        if name != _OPINIONS
        for part in sorted({a.split for a in one.articles if a.split} - {*_FOR_TRAINING})
    ]
    return ShippingData(corpora, tuple(tests))


def _with_copies(sample: AnnotationSet) -> AnnotationSet:
    rng = np.random.default_rng(_SEED)
    return join_sets([sample, swapped_copies(sample, _ids(sample, *_FOR_TRAINING), rng)])


def _learnable(name: str, one: AnnotationSet) -> AnnotationSet:
    """What may be trained on; of RuOpinionNE neither other parts nor who holds an opinion.

    It has no neutral label and would tilt what is chosen by held-out articles, and whose opinion it
    is is not whose words it stands in.
    """
    if name != _OPINIONS:
        return one
    kept = restricted(one, _ids(one, TRAIN))
    return replace(kept, table=kept.table.assign(voice=None))


def _dealt(
    sentences: AnnotationSet, opinions: AnnotationSet
) -> tuple[AnnotationSet, AnnotationSet]:
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


def _ids(one: AnnotationSet, *parts: str | None) -> set[str]:
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
