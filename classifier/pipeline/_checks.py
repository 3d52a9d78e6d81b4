"""What a user asks of a model of their own: does a country's name move it, which words carry it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from classifier.annotations import AnnotationSet, annotation_set_of, restricted
from classifier.errors import DataError
from classifier.models import Progress
from classifier.paper import InPapers, PaperTable
from classifier.pipeline._evaluate import part_of
from classifier.predictions import OK, Explanation
from classifier.records import Estimate, counted
from classifier.score import Articles, Faithfulness, Scorer, faithfulness, load
from classifier.swapping import BOUND, EVERY, FORMS, TARGETS, country_shifts, named_mentions
from classifier.training import TEST, Run

EXPLAINED = 20
"""Mentions explained unless told otherwise; each costs as many passages as it has words."""


@dataclass(frozen=True)
class Swaps(InPapers):
    """How far the stance moves if nothing but the country changes. It should not."""

    rows: tuple[dict[str, Any], ...]
    """Per ordered pair of targets and language ("all" first): `n` mentions, `mean` shift of the
    score (-1 to 1), its 95 % `interval` clustered by article, `mean_size`, whether it is `within`
    the bound."""
    n_mentions: int
    n_articles: int

    @property
    def largest(self) -> dict[str, Any]:
        """The pair whose mean shift over all languages is largest."""
        return max(self._overall, key=lambda row: abs(row["mean"]))

    @property
    def _overall(self) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["language"] == EVERY]

    @property
    def sentence(self) -> str:
        """What the figures say."""
        row = self.largest
        said = (
            f"Put in the place of {row['from']}, {row['to']} moves the mean stance score by "
            f"{row['mean']:+.3f}, the most of all pairs"
        )
        if row["within"]:
            return f"{said}: within the bound of {BOUND}."
        return (
            f"{said}: above the bound of {BOUND}. Differences between targets of about that size "
            "may be the model's and not the press's."
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per pair and language; the interval as `low` and `high`."""
        rows = [{k: v for k, v in row.items() if k != "interval"} for row in self.rows]
        ends = [dict(zip(("low", "high"), row["interval"], strict=True)) for row in self.rows]
        return pd.DataFrame([row | own for row, own in zip(rows, ends, strict=True)])

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        counts = {"n_mentions": self.n_mentions, "n_articles": self.n_articles}
        return counts | {"sentence": self.sentence, "bound": BOUND, "shifts": list(self.rows)}

    def paper_table(self) -> PaperTable:
        """The pairs over all languages."""
        rows = tuple(
            (
                row["from"],
                row["to"],
                row["n"],
                Estimate(row["mean"], OK, low=row["interval"][0], high=row["interval"][1]),
                row["mean_size"],
            )
            for row in self._overall
        )
        notes = (
            f"{counted(self.n_mentions, 'mention')} in {counted(self.n_articles, 'article')}; "
            "95 % intervals by article.",
        )
        columns = ("named", "instead", "mentions", "mean shift", "mean size of a shift")
        return PaperTable("Stance score after a swap of countries", columns, rows, notes)


def swap(
    run: Run | Path | str | None,
    data: AnnotationSet | Path | str,
    *,
    split: str | None = None,
) -> Swaps:
    """Put countries in each other's place and see how far the model's stance score moves.

    Known are the names of Turkey, Russia and Ukraine in Dutch, English, Turkish, Russian and
    Ukrainian. Of each article there is a copy per ordered pair; texts differ in nothing else.

    Args:
        run: A trained model or its folder; None is the scorer that ships.
        data: An annotation set or its folder, whose settled mentions are read.
        split: A part of the run's split; by default the articles it was not trained on.

    Returns:
        The mean shift per pair, over all languages and in each, with intervals by article.

    Raises:
        DataError: no settled mention names a country that a swap knows, or the model has no
            ordinal variable.
    """
    scorer = _scorer(run)
    part = _unseen(annotation_set_of(data), run, split, scorer)
    variable = next((v for v in scorer.variables if v.kind == "ordinal"), None)
    if variable is None or variable.name not in part.table.columns:
        known = ", ".join(v.name for v in scorer.variables)
        raise DataError(
            f"a swap needs an ordinal variable that the model predicts and the set codes; the "
            f"model predicts {known}"
        )
    items = named_mentions(part, variable.name)
    rows = country_shifts(scorer.trained, items, scorer.trained.record["context"])
    if not rows:
        raise DataError(
            f"a swap needs mentions of {', '.join(TARGETS)} by a name it knows, in "
            f"{', '.join(FORMS)}; found none in {counted(len(part.articles), 'article')}"
        )
    return Swaps(tuple(rows), sum(len(item.mentions) for item in items), len(items))


def _unseen(
    annotation_set: AnnotationSet,
    run: Run | Path | str | None,
    split: str | None,
    scorer: Scorer,
) -> AnnotationSet:
    part = part_of(annotation_set, run, split)
    if run is not None or split is not None:
        return part
    seen = {name for name, own in scorer.trained.parts.items() if own != TEST}
    return restricted(part, set(part.article_by_id) - seen)


@dataclass(frozen=True)
class Explained:
    """Mentions with the words that carry their scores, and perhaps a check of that."""

    explanations: tuple[Explanation, ...]
    n_scored: int
    """Scored mentions, of which those explained were drawn at random."""
    check: Faithfulness | None

    def to_frame(self) -> pd.DataFrame:
        """One row per mention and word, in reading order."""
        parts = [
            one.to_frame().assign(unit=one.prediction.unit, quantity=one.quantity, value=one.value)
            for one in self.explanations
        ]
        return pd.concat(parts, ignore_index=True)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        made = [
            {
                "unit": one.prediction.unit,
                "quantity": one.quantity,
                "value": one.value,
                "words": one.to_frame().to_dict("records"),
            }
            for one in self.explanations
        ]
        check = None
        if self.check is not None:
            counts = {name: getattr(self.check, name) for name in ("n_mentions", "n_short", "seed")}
            rows = [dict(vars(row)) for row in self.check.rows]
            check = {"sentence": self.check.sentence, **counts, "moved": rows}
        return {"n_scored": self.n_scored, "explanations": made, "check": check}


def explain(
    run: Run | Path | str | None,
    articles: Articles,
    *,
    n: int = EXPLAINED,
    check: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Explained:
    """Score articles and say which words carry the scores of n mentions, drawn at random.

    Args:
        run: A trained model or its folder; None is the scorer that ships.
        articles: What to score: articles, texts, a table, a file or a folder.
        n: Mentions to explain, at least 1.
        check: Whether to take the strongest words out, and random ones, and compare what that does.
        seed: Of the draw of mentions and of random words.
        progress: Called after each explanation.

    Returns:
        An explanation a mention; with `check` whether they are faithful.

    Raises:
        DataError: n is below 1, no mention was scored, or all passages are too short to check.
    """
    if n < 1:
        raise DataError(f"at least 1 mention to explain is required, got {n}")
    scorer = _scorer(run)
    said = scorer.score_articles(articles)
    scored = [
        place for place, status in enumerate(said.table["status"].to_pylist()) if status == OK
    ]
    if not scored:
        raise DataError(
            f"an explanation needs a scored mention; found {counted(len(said), 'mention')}, none "
            "scored"
        )
    made: list[Explanation] = []
    for place in _drawn(scored, n, seed):
        made.append(scorer.explain(said[place]))
        if progress is not None:
            progress(len(made), min(n, len(scored)), "explaining scores")
    checked = faithfulness(scorer.trained, made, seed=seed) if check else None
    return Explained(tuple(made), len(scored), checked)


def _drawn(places: Sequence[int], n: int, seed: int) -> list[int]:
    if n >= len(places):
        return list(places)
    chosen = np.random.default_rng(seed).choice(len(places), n, replace=False)
    return [places[i] for i in sorted(chosen.tolist())]


def _scorer(run: Run | Path | str | None) -> Scorer:
    return load(run.path if isinstance(run, Run) else run)
