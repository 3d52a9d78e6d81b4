"""Find a scorer: the shipped one, a run folder, or a Hub id."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

from classifier.articles import read_articles
from classifier.codebook import Codebook, read_codebook
from classifier.errors import CodebookError, ModelError
from classifier.files import is_there
from classifier.models import RECORD, Progress, RuntimeName, Trained, fetch, read_folds, read_run
from classifier.predictions import Predictions
from classifier.score._scorer import Articles, Scorer

SHIPPED = Path(__file__).parent.parent / "weights" / "scorer"


def load(
    path: Path | str | None = None,
    *,
    folds: bool = False,
    runtime: RuntimeName = "auto",
    scheme: str = "",
    codebook: Codebook | Path | str | None = None,
) -> Scorer:
    """Load a scorer.

    Args:
        path: a run folder or a Hub id; None for the scorer that ships with the package.
        folds: Whether each article is judged by one of the models of the run's folds that has not
            seen it, so that articles which were trained on can correct a profile.
        runtime: What runs an encoder: "torch", "numpy", or with "auto" PyTorch where it is
            installed and else NumPy. PyTorch computes in integers of eight bits where the
            processor multiplies them (VNNI), else in bfloat16 or float32.
        scheme: A published scheme, such as "newsmtsc", whose own head is applied, under its own
            codebook. What the run itself predicts is left out then.
        codebook: Whose targets to look for, instead of the run's. Its variables must have the
            labels that the scorer gives.

    Returns:
        A scorer; `score_articles` applies it.

    Raises:
        ModelError: it is not there, a file in it is not the one it was saved with, or it was
            trained without folds, or the runtime is not there, or the run keeps no head of that
            scheme.
        CodebookError: the codebook has other labels than the scorer gives.
    """
    if runtime not in get_args(RuntimeName):
        raise ModelError(
            f"an encoder is run by {', '.join(get_args(RuntimeName))}; got {runtime!r}: leave "
            "runtime out, which takes the fastest"
        )
    if scheme and folds:
        raise ModelError(
            f"folds have no heads of schemes, got {scheme!r}: leave one of the two out"
        )
    place = _folder(path)
    trained = read_folds(place, runtime) if folds else read_run(place, runtime, scheme)
    if codebook is not None:
        own = codebook if isinstance(codebook, Codebook) else read_codebook(Path(codebook))
        trained = _looking_for(trained, own)
    return Scorer(trained)


def _looking_for(trained: Trained, codebook: Codebook) -> Trained:
    """The model with the targets of another codebook, which must label as it does."""
    about = f"the scheme {trained.scheme!r}" if trained.scheme else "the scorer"
    known = {variable.name: variable for variable in codebook.variables}
    for own in trained.model.variables:
        other = known.get(own.name)
        if other is not None and (other.kind, other.names) != (own.kind, own.names):
            raise CodebookError(
                f"{about} labels {own.name} {', '.join(own.names)}; the codebook "
                f"{codebook.name!r} has {', '.join(other.names)}: give a codebook with the same "
                "labels, or none"
            )
    named = replace(trained.codebook, targets=codebook.targets)
    return replace(trained, codebook=named)


def _folder(path: Path | str | None) -> Path:
    """The folder of a run, fetched where it is a Hub id."""
    if path is None:
        if not (SHIPPED / RECORD).is_file():
            raise ModelError(
                "no scorer ships with this installation; train one "
                "(classifier train DIR --out RUN) and name its folder"
            )
        return SHIPPED
    folder = Path(path)
    if not is_there(folder) and "/" in str(path) and not str(path).startswith((".", "/", "~")):
        folder = _fetched(str(path))
    if not (is_there(folder) and folder.is_dir()):
        raise ModelError(f"{path} must be a run folder or a Hub id, but there is no such folder")
    return folder


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
    scheme: str = "",
    progress: Progress | None = None,
) -> Predictions:
    """Find the targets in articles and score every mention.

    Args:
        articles: Articles in any form that `Scorer.score_articles` takes, or a file or folder.
        run: A run folder or a Hub id; None for the scorer that ships.
        folds: As `load` takes it.
        runtime: As `load` takes it.
        scheme: As `load` takes it.
        progress: Called while articles are scored.

    Returns:
        One row per mention.

    Raises:
        DataError: the articles cannot be read.
        ModelError: the run is not there, was altered, or the runtime is not installed.
    """
    scorer = load(run, folds=folds, runtime=runtime, scheme=scheme)
    given = read_articles(articles) if isinstance(articles, Path | str) else articles
    return scorer.score_articles(given, progress=progress)
