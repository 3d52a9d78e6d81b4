"""Training with the model card written beside the model."""

from pathlib import Path

from classifier.codebook import read_codebook
from classifier.dataset import Data
from classifier.files import write_text
from classifier.models.base import Progress
from classifier.models.folder import CODEBOOK, MODEL_CARD
from classifier.models.ranks import is_first
from classifier.pipeline.cross_fitting import cross_fit
from classifier.report import model_card
from classifier.training import Run, TrainOptions
from classifier.training import train as fit


def train(
    data: Data,
    options: TrainOptions | None = None,
    out: Path | str = Path("runs/run"),
    *,
    folds: int = 0,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Train on an annotation set; the run folder gets the model, its record and its card.

    With folds, that many further models are trained without a fold of the articles each, so that
    these articles can correct profiles too; see `cross_fit`.
    See `classifier.training.train` for what is raised.
    """
    if folds:
        options = options or TrainOptions()
        run = cross_fit(data, options, Path(out), folds, resume=resume, progress=progress)
    else:
        run = fit(data, options, out, resume=resume, progress=progress)
    if is_first():
        card = model_card(run.record, read_codebook(run.path / CODEBOOK))
        write_text(run.path / MODEL_CARD, [card])
    return run
