"""How many articles more each group needs, and the draw of them around the coded ones."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.annotations import (
    AnnotationSet,
    annotation_set_of,
    gold_with_chances,
)
from classifier.articles import read_articles
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError, in_words
from classifier.intervals import MINIMUM_CODED, Sampling, articles_needed
from classifier.notebook_html import frame_html, frame_text, reasons
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.predictions import check_same_articles
from classifier.profiles._profile import Table, frame_of
from classifier.profiles._table import (
    IS_FALSE,
    ProfileOptions,
    check_columns,
    check_gold,
    clusters,
    gold_column,
    is_predicted,
    score_column,
    select_mentions,
    with_columns,
    with_labels,
)
from classifier.records import Article, Problem
from classifier.sampling import FRAME, Sample, draw_further, drawn_articles, read_frame

UNREACHABLE = "not reachable with the articles there are"
_FIGURES = ("variable", "articles", "coded", "needed", "more", "status")
_ROWS_SHOWN = 100


@dataclass(frozen=True)
class Plan(DeprecatedChart, InPapers):
    """How many coded articles every group needs for an interval of a wished half-width."""

    half_width: float
    by: tuple[str, ...]
    """The columns that make the groups."""
    rows: tuple[Mapping[str, Any], ...]
    """Per group and variable: `articles`, `coded`, `needed` in all and `more` to code, which are
    None if `status` says why nothing could be planned or why no number would do."""

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Row by row."""
        return iter(self.rows)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One row per group and variable; a number that is not known is missing."""
        frame = pd.DataFrame(list(self.rows), columns=[*self.by, *_FIGURES])
        return frame.astype({"needed": "Int64", "more": "Int64"})

    def __repr__(self) -> str:
        """Group by group what is needed, or why that is not known."""
        return frame_text(self._brief(), self._caption())

    def _repr_html_(self) -> str:
        return frame_html(self._brief(), self._caption(), _ROWS_SHOWN)

    def _caption(self) -> str:
        return f"Coded articles for an interval of ± {self.half_width:g}"

    def paper_table(self) -> PaperTable:
        """One row per group and variable."""
        records: list[dict[str, Any]] = self._brief().to_dict("records")
        return table_of_records(self._caption(), records)

    @staticmethod
    def _words(row: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers of a row; without them what must be coded first, or why nothing would do."""
        if row["needed"] is not None:
            return {}
        lacking = MINIMUM_CODED - row["coded"]
        if row["status"] == UNREACHABLE or lacking <= 0:
            return {"needed": row["status"], "more": None}
        if row["articles"] < MINIMUM_CODED:
            return {"needed": f"no plan: {row['articles']} articles in all", "more": None}
        return {"needed": f"{MINIMUM_CODED} to plan", "more": f"{lacking} first"}

    def _brief(self) -> pd.DataFrame:
        """What is needed as text, so that a reason can stand where a number cannot."""
        lines = [{**row, **self._words(row)} for row in self.rows]
        shown = [name for name in (*self.by, *_FIGURES) if name != "status"]
        return pd.DataFrame(lines, columns=shown, dtype="object")


def plan_articles(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    *,
    half_width: float,
    options: ProfileOptions | None = None,
) -> Plan:
    """Per group, coded articles needed for an interval of this half-width around each mean.

    `needed` is for the interval of a random draw with equal chances.
    Raises `DataError` for a half-width that is not positive.
    """
    options = with_columns(predictions, options or ProfileOptions())
    check_columns(predictions, codebook, options)
    check_gold(predictions, gold)
    if not half_width > 0:
        raise DataError(f"a half-width must be positive, got {half_width}")
    kept, _ = select_mentions(predictions, codebook, gold, options)
    table = with_labels(kept, codebook, gold)
    rows = (
        {
            **dict(zip(options.by, map(str, key), strict=True)),
            **_plan(variable, members, half_width, options),
        }
        for key, members in table.groupby(list(options.by), sort=True)
        for variable in codebook.variables
        if variable.kind == "ordinal" and is_predicted(variable, predictions)
    )
    return Plan(half_width, tuple(options.by), tuple(rows))


def planned_chances(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    plan: Iterable[Mapping[str, Any]],
    options: ProfileOptions | None = None,
) -> dict[str, float]:
    """Article id -> chance in a further draw that brings every group what `plan` says it needs.

    An article of several groups takes the largest of their chances, `more` over the articles that
    are not coded yet. A group with too few coded articles to plan gets as many as a correction
    takes; one that cannot reach the width gets none. Those already in `gold` have the chance that
    they would have had, which their combined probability needs.
    """
    options = with_columns(predictions, options or ProfileOptions())
    kept, _ = select_mentions(predictions, codebook, gold, options)
    is_left = ~kept["article_id"].isin(set(gold["article_id"]))
    wanted = Counter[tuple[str, ...]]()
    for row in plan:
        group = tuple(str(row[name]) for name in options.by)
        wanted[group] = max(wanted[group], _more(row))
    chances: dict[str, float] = {}
    for key, members in kept.groupby(list(options.by), sort=True):
        n_left = members["article_id"][is_left[members.index]].nunique()
        chance = min(wanted[tuple(map(str, key))] / max(n_left, 1), 1.0)
        for name in members["article_id"].unique():
            chances[name] = max(chance, chances.get(name, 0.0))
    return chances


def _more(row: Mapping[str, Any]) -> int:
    if row["more"] is not None:
        return int(row["more"])
    return max(0, MINIMUM_CODED - row["coded"]) if row["status"] != UNREACHABLE else 0


def _plan(
    variable: Variable, members: pd.DataFrame, half_width: float, options: ProfileOptions
) -> dict[str, Any]:
    articles, coded = members["article_id"], members[gold_column(variable, None)]
    sampling = Sampling(cluster=clusters(members), is_false=members[IS_FALSE])
    plan: dict[str, Any] = {
        "variable": variable.name,
        "articles": int(articles.nunique()),
        "coded": int(articles[coded.notna() | members[IS_FALSE]].nunique()),
        "needed": None,
        "more": None,
        "status": "ok",
    }
    scores = members[score_column(variable, None)]
    try:
        needed = articles_needed(
            scores, coded, articles, half_width, sampling=sampling, options=options.inference
        )
    except DataError as error:
        return plan | {"status": in_words(error)}
    if needed is None:
        return plan | {"status": UNREACHABLE}
    return plan | {"needed": needed, "more": max(0, needed - plan["coded"])}


def plan(
    predictions: Table,
    gold: Path | str | AnnotationSet,
    *,
    half_width: float = 0.1,
    options: ProfileOptions | None = None,
) -> Plan:
    """Per source and target, how many coded articles an interval of this half-width takes.

    Args:
        predictions: A table as scoring writes it, or labels as `read_predictions` takes them.
        gold: Annotations of some of the scored articles, drawn at random.
        half_width: Half the width of the wished interval, on the scale of the variable.
        options: Groups, zones, estimand.

    Returns:
        One row per source and target: coded so far, needed, and lacking articles.

    Raises:
        DataError: the predictions or the labels cannot be read or do not fit each other.
    """
    table = frame_of(predictions)
    annotation_set = annotation_set_of(gold)
    check_same_articles(table, annotation_set)
    labels = gold_with_chances(annotation_set)
    return plan_articles(
        table, annotation_set.codebook, labels, half_width=half_width, options=options
    )


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
