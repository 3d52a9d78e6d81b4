"""Train so that coded articles can be judged by models that have not seen them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from classifier.annotations import AnnotationSet
from classifier.dataset import (
    TEST,
    TRAIN,
    Corpus,
    Data,
    Shares,
    SplitBy,
    published_part,
    read_corpora,
    split_articles,
)
from classifier.errors import DataError, ModelError
from classifier.models import ranks
from classifier.models.base import Progress
from classifier.models.folder import RECORD, check_place
from classifier.models.folds import FOLDS, OUT_OF_FOLD, write_folds
from classifier.pipeline.evaluating import restricted
from classifier.resuming import claim
from classifier.score import load
from classifier.training import Run, TrainOptions, train
from classifier.training_record import data_sha256

_WISH = "started.json"


def cross_fit(
    data: Data,
    options: TrainOptions,
    out: Path,
    n_folds: int,
    *,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train one model per fold without that fold, and one on all; predict every fold.

    The annotated articles of the first set are dealt into folds, copies of a story together; other
    sets teach every model. The run folder gets the models in `folds`, and `out_of_fold.parquet`
    with what each says about its own fold. None of them holds out test articles: the folds do.

    Raises:
        DataError: fewer than 2 folds, or too few annotated articles for them.
        ModelError: as `classifier.training.train`; or several processes train together.
    """
    _check(n_folds, out)
    first, *others = read_corpora(data).members
    coded = restricted(first.annotation_set, set(first.annotation_set.table["article_id"]))
    folds = deal_folds(coded, n_folds, options)
    options = replace(options, test=0.0)
    place = out.with_name(f".{out.name}.{FOLDS}")
    digests = _digests([replace(first, annotation_set=coded), *others])
    claim(place / _WISH, {**options.to_dict(), "data": digests}, resume=resume)
    for k, fold in enumerate(folds):
        own = place / str(k + 1)
        if not (own / RECORD).is_file():
            rest = restricted(coded, set(coded.article_by_id) - set(fold))
            tell = _told(progress, f"fold {k + 1} of {n_folds}")
            sets = [replace(first, annotation_set=rest), *others]
            train(sets, options, own, resume=resume, progress=tell)
    sets = [replace(first, annotation_set=coded), *others]
    run = train(sets, options, out, resume=resume, progress=_told(progress, "all articles"))
    (place / _WISH).unlink()
    place.replace(out / FOLDS)
    write_folds(out, folds)
    chosen = [name for fold in folds for name in fold]
    load(out, folds=True).score_annotations(coded, chosen).write(out / OUT_OF_FOLD)
    return run


def deal_folds(
    annotation_set: AnnotationSet, n_folds: int, options: TrainOptions
) -> list[tuple[str, ...]]:
    """Article ids per fold, about equally many; articles that a publisher holds out are in none.

    Sources are dealt out too, whatever the options split by: that keeps folds random within each.
    Raises `DataError` where there are fewer stories than folds.
    """
    pool = [
        replace(article, split=None)
        for article in annotation_set.articles
        if published_part(article) == TRAIN
    ]
    if len(pool) < n_folds:
        raise DataError(
            f"{n_folds} folds need at least as many annotated articles, got {len(pool)}; "
            "take fewer folds"
        )
    by: SplitBy = "story" if options.split_by == "story" else "article"
    folds = []
    for left in range(n_folds, 1, -1):
        shares = Shares(development=0, calibration=0, test=1 / left)
        parts = split_articles(pool, by, shares, seed=options.seed + left).parts
        folds.append(parts[TEST])
        pool = [article for article in pool if article.article_id in set(parts[TRAIN])]
    return [*folds, tuple(article.article_id for article in pool)]


def _check(n_folds: int, out: Path) -> None:
    if n_folds < 2:
        raise DataError(f"cross-fitting needs at least 2 folds, got {n_folds}")
    if ranks.n_ranks() > 1:
        raise ModelError(
            f"folds are trained by one process, got {ranks.n_ranks()}; start without accelerate"
        )
    check_place(out)


def _digests(sets: Sequence[Corpus]) -> list[list[object]]:
    return [[data_sha256(one.annotation_set), one.weight, one.only_training] for one in sets]


def _told(progress: Progress | None, what: str) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total, word: progress(done, total, f"{what}, {word}".removesuffix(", "))
