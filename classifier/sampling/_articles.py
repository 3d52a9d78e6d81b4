"""From a corpus to articles worth annotating."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from classifier.annotations import (
    AnnotationSet,
    annotation_table,
    check_nothing_is_lost,
    mention_unit,
    write_annotations,
)
from classifier.articles import named_column, read_articles
from classifier.codebook import Codebook, default_codebook
from classifier.errors import DataError
from classifier.files import refuse_to_replace
from classifier.intervals import MINIMUM_CODED
from classifier.mentions import find_mentions
from classifier.notebook_html import frame_html, reasons
from classifier.predictions import read_predictions
from classifier.records import Article, Problem, counted
from classifier.sampling._draw import Design, Sample, chances_by_size, draw_sample, write_frame

_SHOWN = 5


@dataclass(frozen=True)
class Cells:
    """How many coded articles each source and target can expect, and how to get enough."""

    table: pd.DataFrame
    """One row per cell: the columns of `by`, `articles`, and `expected` coded articles."""
    by: tuple[str, ...]
    n_needed: int | None
    """Articles to draw so that each cell that has enough articles has enough coded ones."""
    enough_by: tuple[str, ...]
    """Columns by which every group will have enough; empty if not even one does."""
    reach_by: tuple[str, ...]
    """Columns by which every group has enough articles, if all of them are coded."""
    n_all: int
    """Articles that could have been drawn."""
    n_drawn: int

    @property
    def few(self) -> pd.DataFrame:
        """The cells that will have too few, the poorest first."""
        is_few = self.table["expected"] < MINIMUM_CODED
        return self.table[is_few].sort_values("expected", kind="stable")

    def words(self) -> list[str]:
        """What will be too few and what would do; nothing if every cell will have enough."""
        few = self.few
        if few.empty:
            return []
        shown = ", ".join(
            f"{' / '.join(str(row[name]) for name in self.by)} {row['expected']:.1f} "
            f"of {row['articles']}"
            for row in few.head(_SHOWN).to_dict("records")
        )
        more = f", and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
        lines = [
            f"{len(few)} of {counted(len(self.table), 'cell')} of {' and '.join(self.by)} will "
            f"have fewer than {MINIMUM_CODED} coded articles, which is too few for an interval: "
            f"{shown}{more}"
        ]
        n_small = int((few["articles"] < MINIMUM_CODED).sum())
        if self.n_needed is not None:
            lines.append(f"--n {self.n_needed} would do" + (" for the others" if n_small else ""))
        if n_small:
            ways = (*self.reach_by, "all") if self.n_all >= MINIMUM_CODED else ()
            lines.append(
                f"{counted(n_small, 'cell')} {'has' if n_small == 1 else 'have'} fewer than "
                f"{MINIMUM_CODED} articles in all, which no draw can mend: "
                f"{_profile_by(ways) if ways else 'add articles'}"
            )
        if self.enough_by:
            lines.append(
                f"with this draw, {_profile_by(self.enough_by)} will have enough in every group"
            )
        elif self.n_drawn < MINIMUM_CODED:
            lines.append(
                "with this draw not even profile --by all will have enough: draw "
                f"{MINIMUM_CODED} articles or more"
            )
        elif self.table["expected"].max() < MINIMUM_CODED:
            lines.append(
                "with this draw no cell will have enough: draw more articles, or profile --by all"
            )
        return lines


def _profile_by(columns: Iterable[str]) -> str:
    """The options of `classifier profile` that group by one of these."""
    return f"profile {' or '.join(f'--by {name}' for name in columns)}"


@dataclass(frozen=True)
class DrawOptions:
    """How articles are drawn."""

    by: tuple[str, ...] = ("source",)
    """Strata of a random design: columns of articles and mentions."""
    design: Design = "random"
    """"random", or "uncertainty" for more of those that a model is unsure of."""
    seed: int = 0


@dataclass(frozen=True)
class Drawn:
    """Articles to annotate, with what a program suggests for them."""

    annotation_set: AnnotationSet
    """The drawn articles, each with its known probability, and no annotation yet."""
    sample: Sample
    suggestions: pd.DataFrame
    """One row per mention found in the drawn articles."""
    problems: tuple[Problem, ...]
    n_silent: int = 0
    """Articles that were read and name no target, so that none of them could be drawn."""
    cells: Cells | None = None
    """How many coded articles each source and target will have."""

    def to_frame(self) -> pd.DataFrame:
        """One row per drawn article, with its stratum and its chance."""
        return self.sample.to_frame()

    def __repr__(self) -> str:
        """How the articles were drawn, and how much is suggested in them."""
        found = counted(len(self.suggestions), "mention")
        return f"{self.sample!r}; {found} suggested, {reasons(self.problems)}"

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), f"{self!r};")


_GROUPS = ("source", "target", "language", "voice", "zone")
"""Columns that articles can be drawn evenly by."""


def sample(
    path: Path | str,
    n: int,
    *,
    options: DrawOptions | None = None,
    predictions: Path | str | None = None,
    codebook: Codebook | None = None,
) -> Drawn:
    """Draw n articles that mention a target.

    Args:
        path: Articles, a file or a folder.
        n: How many to draw.
        options: Strata, design and seed.
        predictions: A model's, needed for the design "uncertainty"; suggestions otherwise.
        codebook: Targets to look for; by default the shipped ones.

    Returns:
        The drawn articles, each with its chance to be drawn, and suggestions for them.

    Raises:
        DataError: no article mentions a target, predictions are needed and not there, or they are
            of other articles.
    """
    options = options or DrawOptions()
    if options.design == "uncertainty" and predictions is None:
        raise DataError("drawing by uncertainty needs a model's predictions, got none")
    codebook = codebook or default_codebook()
    reading = read_articles(path)
    if predictions is None:
        table = mention_table(reading.articles, codebook)
    else:
        table = read_predictions(predictions)
    if table.empty:
        raise DataError(
            f"{path}: articles that mention a target were required, none does; classifier mentions "
            "shows what was excluded"
        )
    groups = [name for name in _GROUPS if name in table]
    options = replace(options, by=tuple(named_column(name, groups) for name in options.by))
    drawn = draw_sample(table, n, by=options.by, design=options.design, seed=options.seed)
    articles = drawn_articles(reading.articles, drawn)
    chosen = {article.article_id for article in articles}
    return Drawn(
        AnnotationSet(articles, annotation_table([], codebook), codebook),
        drawn,
        table[table["article_id"].isin(chosen)].reset_index(drop=True),
        reading.problems,
        len({article.article_id for article in reading.articles} - set(table["article_id"])),
        cells(table, drawn.frame, chances_by_size(table, options.by, options.design)),
    )


def drawn_articles(articles: Iterable[Article], sample: Sample) -> tuple[Article, ...]:
    """The articles of a sample, each with its known probability.

    Raises `DataError` if one that was drawn is not among `articles`.
    """
    probability = dict(
        zip(sample.table["article_id"], sample.table["sampling_probability"], strict=True)
    )
    drawn = tuple(
        replace(article, sampling_probability=probability[article.article_id])
        for article in articles
        if article.article_id in probability
    )
    lacking = probability.keys() - {article.article_id for article in drawn}
    if lacking:
        raise DataError(
            f"the articles that were scored are required; {len(lacking)} of those drawn are not "
            f"there, such as {min(lacking)!r}"
        )
    return drawn


def write_sample(
    annotation_set: AnnotationSet, sample: Sample, folder: Path | str, *, force: bool = False
) -> None:
    """Write a set to annotate, and beside it the chance that every article had to be drawn.

    Raises, unless `force` is set, `DataError` if the folder holds annotations, which would be
    lost, and `ReplaceError` if it holds anything else, such as an earlier draw.
    """
    if not force:
        check_nothing_is_lost(annotation_set, folder)
    refuse_to_replace(folder, force=force)
    write_annotations(annotation_set, folder, force=force)
    write_frame(sample.frame, Path(folder))


def mention_table(articles: Sequence[Article], codebook: Codebook) -> pd.DataFrame:
    """A row per mention found in the articles, with its place and voice."""
    rows = [
        {
            "unit": mention_unit(article, m),
            "article_id": article.article_id,
            "source": article.source,
            "language": article.language,
            "target": m.target,
            "start": m.span.start,
            "end": m.span.end,
            "surface": m.surface,
            "voice": m.voice,
            "status": "ok",
            "model_id": f"lexicon {m.lexicon_version}",
        }
        for article in articles
        for m in find_mentions(article, codebook)
    ]
    return pd.DataFrame(rows)


def cells(
    mentions: pd.DataFrame,
    frame: pd.DataFrame,
    redraw: Callable[[int], pd.DataFrame],
    by: Sequence[str] = ("source", "target"),
) -> Cells:
    """Count the coded articles that each cell can expect: the sum of its articles' chances.

    Args:
        mentions: A row per mention with `article_id` and the columns of `by`.
        frame: Every article with its chance, as a draw has it.
        redraw: From a number of articles to the frame of a draw of so many.
        by: The columns that make the cells.
    """
    known = tuple(name for name in by if name in mentions)
    places = mentions[["article_id", *known]].fillna("").drop_duplicates()
    table = _expected(places, frame, known)
    n_all = len(frame)
    reachable = (table["articles"] >= MINIMUM_CODED).to_numpy()

    def is_enough(n: int) -> bool:
        found = _expected(places, redraw(n), known)["expected"].to_numpy()
        return bool((found[reachable] >= MINIMUM_CODED - 1e-9).all())

    is_short = (table["expected"].to_numpy()[reachable] < MINIMUM_CODED).any()
    alone = {name: _expected(places, frame, (name,)) for name in known}
    enough, reach = (
        tuple(name for name, found in alone.items() if (found[count] >= MINIMUM_CODED).all())
        for count in ("expected", "articles")
    )
    # Drawing all is always enough.
    least = 1 + bisect_left(range(1, n_all), True, key=is_enough)
    n_drawn = round(float(frame["sampling_probability"].sum()))
    return Cells(table, known, least if is_short else None, enough, reach, n_all, n_drawn)


def _expected(places: pd.DataFrame, frame: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Per cell its articles and their chances' sum."""
    chance = frame.set_index("article_id")["sampling_probability"].astype(float)
    once = places[["article_id", *by]].drop_duplicates()
    once = once.assign(expected=once["article_id"].map(chance).fillna(0.0), articles=1)
    found = once.groupby(list(by), sort=True)[["articles", "expected"]].sum().reset_index()
    return found.assign(expected=np.round(found["expected"].to_numpy(float), 9))
