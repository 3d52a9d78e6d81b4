"""From a corpus to articles worth annotating."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from classifier.annotations import (
    AnnotationSet,
    annotation_table,
    check_nothing_is_lost,
    mention_unit,
    write_annotations,
)
from classifier.articles import read_articles
from classifier.codebook import Codebook, default_codebook
from classifier.errors import DataError
from classifier.files import refuse_to_replace
from classifier.mentions import find_mentions
from classifier.notebook_html import frame_html, reasons
from classifier.predictions import read_predictions
from classifier.records import Article, Problem, counted
from classifier.sampling._cells import Cells, cells
from classifier.sampling._draw import Design, Sample, chances_by_size, draw_sample, write_frame


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
        table = _mention_table(reading.articles, codebook)
    else:
        table = read_predictions(predictions)
    if table.empty:
        raise DataError(
            f"{path}: articles that mention a target were required, none does; classifier mentions "
            "shows what was excluded"
        )
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

    Raises `DataError` where one that was drawn is not among `articles`.
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

    Raises, unless `force` is set, `DataError` where the folder holds annotations, which would be
    lost, and `ReplaceError` where it holds anything else, such as an earlier draw.
    """
    if not force:
        check_nothing_is_lost(annotation_set, folder)
    refuse_to_replace(folder, force=force)
    write_annotations(annotation_set, folder, force=force)
    write_frame(sample.frame, Path(folder))


def _mention_table(articles: tuple[Article, ...], codebook: Codebook) -> pd.DataFrame:
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
