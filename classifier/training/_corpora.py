"""Several annotation sets to learn from at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from classifier.annotations import AnnotationSet, join_sets, read_annotations, recode
from classifier.errors import DataError
from classifier.records import Problem
from classifier.training._splits import Shares, Split, SplitBy, split_corpora


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

    Raises `DataError` where there is none, one has faults, or two share the id of an article.
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
