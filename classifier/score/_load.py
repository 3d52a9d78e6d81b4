"""Find a scorer: the shipped one, a run folder, or a Hub id."""

from pathlib import Path

from classifier.articles import read_articles
from classifier.errors import ModelError
from classifier.models import RECORD, Progress, RuntimeName, fetch, read_folds, read_run
from classifier.predictions import Predictions
from classifier.score._scorer import Articles, Scorer

SHIPPED = Path(__file__).parent.parent / "weights" / "scorer"


def load(
    path: Path | str | None = None, *, folds: bool = False, runtime: RuntimeName = "auto"
) -> Scorer:
    """Load a scorer.

    Args:
        path: a run folder or a Hub id; None for the scorer that ships with the package.
        folds: Whether each article is judged by one of the models of the run's folds that has not
            seen it, so that articles which were trained on can correct a profile.
        runtime: What runs an encoder: "torch", "openvino" (the extra `fast`), or with "auto"
            OpenVINO where it is installed and the processor computes bfloat16, else PyTorch.

    Returns:
        A scorer; `score_articles` applies it.

    Raises:
        ModelError: it is not there, a file in it is not the one it was saved with, or it was
            trained without folds, or the runtime is not there.
    """
    read = read_folds if folds else read_run
    if path is None:
        if not (SHIPPED / RECORD).is_file():
            raise ModelError(
                "no scorer ships with this installation; train one "
                "(classifier train DIR --out RUN) and name its folder"
            )
        return Scorer(read(SHIPPED, runtime))
    folder = Path(path)
    if not folder.exists() and "/" in str(path) and not str(path).startswith((".", "/", "~")):
        folder = _fetched(str(path))
    if not folder.is_dir():
        raise ModelError(f"{path} must be a run folder or a Hub id, but there is no such folder")
    return Scorer(read(folder, runtime))


def _fetched(name: str) -> Path:
    try:
        return fetch(name, patterns=None)
    except ModelError as error:
        raise ModelError(
            f"{name!r} is no folder here, and not to be had elsewhere: {error}"
        ) from None


def score(
    articles: Articles | Path | str,
    run: Path | str | None = None,
    *,
    folds: bool = False,
    runtime: RuntimeName = "auto",
    progress: Progress | None = None,
) -> Predictions:
    """Find the targets in articles and score every mention.

    Args:
        articles: Articles in any form that `Scorer.score_articles` takes, or a file or folder.
        run: A run folder or a Hub id; None for the scorer that ships.
        folds: As `load` takes it.
        runtime: As `load` takes it.
        progress: Called while articles are scored.

    Returns:
        One row per mention.

    Raises:
        DataError: the articles cannot be read.
        ModelError: the run is not there, was altered, or the runtime is not installed.
    """
    scorer = load(run, folds=folds, runtime=runtime)
    given = read_articles(articles) if isinstance(articles, Path | str) else articles
    return scorer.score_articles(given, progress=progress)
