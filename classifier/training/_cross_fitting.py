"""Training, with further models for folds, and the model card beside the model."""

from dataclasses import replace
from pathlib import Path

from classifier.annotations import AnnotationSet, restricted
from classifier.codebook import read_codebook
from classifier.errors import DataError, ModelError
from classifier.files import prepare_folder, refuse_to_replace, write_text
from classifier.models import (
    CODEBOOK,
    FOLDS,
    MODEL_CARD,
    OUT_OF_FOLD,
    RECORD,
    Progress,
    TrainOptions,
    check_place,
    find_start,
    is_first,
    n_processes,
    write_folds,
)
from classifier.report import model_card
from classifier.score import load
from classifier.training._fit import fit_model
from classifier.training._record import Run, data_sha256
from classifier.training._splits import (
    CALIBRATION,
    DEVELOPMENT,
    TEST,
    TRAIN,
    Data,
    Shares,
    SplitBy,
    published_part,
    read_corpora,
    split_articles,
)

_WISH = "started.json"


def cross_fit(  # noqa: PLR0913 - one for each choice of a user
    data: Data,
    options: TrainOptions,
    out: Path,
    n_folds: int,
    *,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train one model per fold without that fold, and one on all; predict every fold.

    The annotated articles of the first set are dealt into folds, copies of a story together; other
    sets teach every model. The run folder gets the models in `folds`, and `out_of_fold.parquet`
    with what each says about its own fold. None of them holds out test articles: the folds do.

    Raises:
        DataError: fewer than 2 folds, or too few annotated articles for them.
        ModelError: as `classifier.training.fit_model`; or several processes train together.
        ReplaceError: a run or an interrupted training is there, and `force` is not set.
    """
    _check(n_folds, out)
    place = out.with_name(f".{out.name}.{FOLDS}")
    if not (resume and (place / _WISH).is_file()):
        refuse_to_replace(out, force=force)
    first, *others = read_corpora(data).members
    coded = restricted(first.annotation_set, set(first.annotation_set.table["article_id"]))
    folds = deal_folds(coded, n_folds, options)
    _check_unseen(coded, options)
    options = replace(options, test=0.0)
    whole = [replace(first, annotation_set=coded), *others]
    digests = [[data_sha256(one.annotation_set), one.weight, one.only_training] for one in whole]
    wish = {**options.to_dict(), "data": digests}
    prepare_folder(place / _WISH, wish, resume=resume, force=force)
    for k, fold in enumerate(folds):
        own = place / str(k + 1)
        if not (own / RECORD).is_file():
            rest = restricted(coded, set(coded.article_by_id) - set(fold))
            tell = _told(progress, f"fold {k + 1} of {n_folds}")
            sets = [replace(first, annotation_set=rest), *others]
            fit_model(sets, options, own, resume=resume, progress=tell)
    tell = _told(progress, "all articles")
    run = fit_model(whole, options, out, resume=resume, force=True, progress=tell)
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
    Raises `DataError` if there are fewer stories than folds.
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
    if n_processes() > 1:
        raise ModelError(
            f"folds are trained by one process, got {n_processes()}; start without accelerate"
        )
    check_place(out)


def _check_unseen(coded: AnnotationSet, options: TrainOptions) -> None:
    """Raise `DataError` if the start has seen what the models of the folds must not have."""
    start = find_start(options)
    if start is None:
        return
    seen = {
        name for part in (TRAIN, DEVELOPMENT, CALIBRATION) for name in start.split.get(part, ())
    }
    known = seen & {a.article_id for a in coded.articles if published_part(a) == TRAIN}
    if known:
        raise DataError(
            f"folds judge articles by models that have not seen them; {start.name!r} has seen "
            f"{len(known)} of these {len(coded.articles)}, such as {min(known)!r}: start from the "
            "base (without --from), or train without folds"
        )


def _told(progress: Progress | None, what: str) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total, word: progress(done, total, f"{what}, {word}".removesuffix(", "))


def train(  # noqa: PLR0913 - one for each choice of a user
    data: Data,
    options: TrainOptions | None = None,
    out: Path | str = Path("runs/run"),
    *,
    folds: int = 0,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train on an annotation set; the run folder gets the model, its record and its card.

    Args:
        data: An annotation set, its folder, or several corpora.
        options: How to train.
        out: The run folder to write.
        folds: Train that many further models, each without a fold of the articles. Then these
            articles can correct profiles too; see `cross_fit`.
        resume: Go on with a training that was interrupted.
        force: Whether a run that is there already is replaced.
        progress: Called with steps done, steps in all, and a word on how it goes.

    Returns:
        The run folder with its record.

    Raises:
        DataError: the annotations have faults, or are too few to train on.
        ModelError: an option makes no sense, the base is not there, or `out` is no place for a run.
        ReplaceError: `out` holds a run, and `force` is not set.
    """
    if folds:
        options = options or TrainOptions()
        run = cross_fit(
            data, options, Path(out), folds, resume=resume, force=force, progress=progress
        )
    else:
        run = fit_model(data, options, out, resume=resume, force=force, progress=progress)
    if is_first():
        card = model_card(run.record, read_codebook(run.path / CODEBOOK))
        write_text(run.path / MODEL_CARD, [card])
    return run
