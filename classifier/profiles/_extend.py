"""From a plan to the articles it asks for, drawn around those that are coded already."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from classifier._deprecated import DeprecatedChart
from classifier.annotations import AnnotationSet, annotation_set_of, gold_with_chances
from classifier.articles import read_articles
from classifier.errors import DataError
from classifier.notebook_html import frame_html, reasons
from classifier.profiles._plan import Plan, planned_chances
from classifier.profiles._profile import Table, frame_of, plan
from classifier.profiles._table import ProfileOptions
from classifier.records import Article, Problem
from classifier.sampling import FRAME, Sample, draw_further, drawn_articles, read_frame


@dataclass(frozen=True)
class PlanOptions:
    """How wide intervals may be, for which groups, and the seed of the draw."""

    half_width: float = 0.1
    profile: ProfileOptions = field(default_factory=ProfileOptions)
    seed: int = 0


@dataclass(frozen=True)
class Extended(DeprecatedChart):
    """A coded set with the articles that a plan adds to it."""

    plan: Plan
    """What each group needs."""
    annotation_set: AnnotationSet
    """The articles coded so far, with their annotations, and the new ones without; each with the
    probability that it came into one of the draws."""
    sample: Sample
    """The new articles, and every article that could have been drawn."""
    problems: tuple[Problem, ...] = ()

    @property
    def chart_data(self) -> Plan:
        """What `classifier.chart` draws of it."""
        return self.plan

    def to_frame(self) -> pd.DataFrame:
        """One row per new article, with its stratum and its chance."""
        return self.sample.to_frame()

    def __repr__(self) -> str:
        """How many articles were added to what."""
        return f"{self.annotation_set!r}, of which new {self.sample!r}; {reasons(self.problems)}"

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), f"{self!r};") + self.plan._repr_html_()


def extend(
    predictions: Table,
    gold: AnnotationSet | Path | str,
    articles: Path | str,
    options: PlanOptions | None = None,
) -> Extended:
    """Draw what a plan asks for from the articles that are not coded yet.

    Args:
        predictions: What a scorer says about the articles, or the file that it is in.
        gold: Folder of the coded set, or the set as it was read from there. `sampling.csv` in it,
            which `classifier sample` writes, has the chance that every article had so far. Without
            it, articles of a source are taken to have had the chance of all its coded ones.
        articles: The texts that were scored.
        options: Half-width, groups, seed.

    Raises:
        DataError: the chances so far are not known, or the new articles are not in `articles`.
    """
    options = options or PlanOptions()
    table, coded = frame_of(predictions), annotation_set_of(gold)
    if coded.folder is None:
        raise DataError("a coded set that was read from a folder was required, got one without")
    rows = plan(table, coded, half_width=options.half_width, options=options.profile)
    labels = gold_with_chances(coded)
    chances = planned_chances(table, coded.codebook, labels, rows, options.profile)
    frame = _with_scored(_frame(coded.folder, table, coded), table)
    sample = draw_further(frame, set(coded.article_by_id), chances, seed=options.seed)
    reading = read_articles(articles)
    new = drawn_articles(reading.articles, sample)
    extended = _merged_sets(coded, new, sample)
    return Extended(rows, extended, sample, reading.problems)


def _merged_sets(coded: AnnotationSet, new: Iterable[Article], sample: Sample) -> AnnotationSet:
    """The coded set with new articles, and with the probabilities of both draws."""
    both = dict(zip(sample.frame["article_id"], sample.frame["sampling_probability"], strict=True))
    old = (
        replace(a, sampling_probability=both.get(a.article_id, a.sampling_probability))
        for a in coded.articles
    )
    return replace(coded, articles=(*old, *new))


def _frame(folder: Path, table: pd.DataFrame, coded: AnnotationSet) -> pd.DataFrame:
    """Every article with the chance that it had so far."""
    frame = read_frame(folder)
    if frame is not None:
        return frame
    sources = table.drop_duplicates("article_id").set_index("article_id")["source"].astype(str)
    found: dict[str, set[float | None]] = {}
    for article in coded.articles:
        if article.article_id in sources.index:
            known = found.setdefault(sources[article.article_id], set())
            known.add(article.sampling_probability)
    unclear = [s for s in sources.unique() if len(found.get(s, ())) != 1 or None in found[s]]
    if unclear:
        raise DataError(
            f"{folder}: to draw around the coded articles, the chance that every article had must "
            f"be known. It is not for {len(unclear)} of {sources.nunique()} sources, such as "
            f"{unclear[0]!r}. classifier sample writes it down in {FRAME}"
        )
    chance = {source: next(iter(known)) for source, known in found.items()}
    return pd.DataFrame(
        {
            "article_id": sources.index,
            "stratum": sources.to_numpy(),
            "sampling_probability": sources.map(chance).astype(float).to_numpy(),
        }
    )


def _with_scored(frame: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The frame with articles that were scored since; those had no chance so far."""
    new = sorted(set(table["article_id"]) - set(frame["article_id"]))
    added = pd.DataFrame({"article_id": new, "stratum": "new", "sampling_probability": 0.0})
    return pd.concat([frame, added], ignore_index=True) if new else frame
