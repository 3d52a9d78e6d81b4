"""The main job on the shipped sample, from agreement to a report page."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from classifier._deprecated import DeprecatedChart
from classifier.agreement import AgreementReport, measure_agreement
from classifier.annotations import AnnotationSet, annotation_set_of, restricted
from classifier.codebook import shipped_annotations
from classifier.evaluation import Evaluation
from classifier.files import refuse_to_replace
from classifier.models import SHIPPED_START, Progress, TrainOptions
from classifier.pipeline._evaluate import evaluate, seen_articles
from classifier.pipeline._report import results_frame, results_html, results_text, with_explanations
from classifier.predictions import Predictions
from classifier.profiles import Profile, ProfileOptions, profile
from classifier.report import Evidence, write_report
from classifier.score import load
from classifier.training import Run, train

Step = Callable[[str], AbstractContextManager[Progress]]
"""Announces a step and shows its progress."""
CODED_SHARE = 0.5
FROM_SHIPPED = TrainOptions(start=SHIPPED_START, epochs=1, context=0, joined=0.0)
"""How the demo trains: as the scorer that ships learnt, single sentences and nothing joined."""
_RUN, _PREDICTIONS, _PAGES = "run", "predictions.parquet", ("report.md", "report.html")


@dataclass(frozen=True)
class Demo(DeprecatedChart):
    """Everything the demo made."""

    run: Run
    agreement: AgreementReport
    evaluation: Evaluation
    predictions: Predictions
    profiles: tuple[Profile, ...]
    report: Path

    @property
    def chart_data(self) -> Profile:
        """What `classifier.chart` draws of it."""
        return self.profiles[0]

    def to_frame(self) -> pd.DataFrame:
        """The profile that parts most: one line per source, target, voice and quantity."""
        return results_frame(self.evaluation, self.profiles)

    def __repr__(self) -> str:
        """Agreement, quality, profiles, and where the page is."""
        return results_text(self.agreement, self.evaluation, self.profiles, self.report)

    def _repr_html_(self) -> str:
        return results_html(self.agreement, self.evaluation, self.profiles, self.report)


@contextmanager
def _silent(_: str) -> Iterator[Progress]:
    yield lambda _done, _total, _word: None


def demo(
    out: Path | str,
    data: Path | str | AnnotationSet | None = None,
    *,
    options: TrainOptions | None = None,
    folds: int = 0,
    force: bool = False,
    step: Step = _silent,
) -> Demo:
    """Agreement, training, evaluation, scoring, profiles and report on an annotation set.

    Training goes on from the scorer that ships, in one pass over the set; with folds it starts
    from the bare base, since the shipped scorer has seen articles that the folds are to judge.

    The profiles are of the articles that were not trained on, or, with folds, of all: each is
    judged by a model that has not seen it. Half of them, drawn at random, lend their labels to the
    correction; the others are treated as if nobody had coded them.

    Args:
        out: Folder for the run, the predictions and the report.
        data: An annotation set or its folder; by default the shipped sample.
        options: How to train.
        folds: Train that many further models, for profiles of more sources in more minutes.
        force: Whether what an earlier demo left in the folder is replaced. A training that was
            interrupted goes on by itself.
        step: Called with the name of each step.

    Returns:
        What each step made, with the path of the report.

    Raises:
        DataError: the annotation set has faults, or is too small to train on.
        ModelError: an option makes no sense, or the base is not there.
        ReplaceError: the folder holds a finished demo, and `force` is not set.
    """
    out = Path(out)
    for name in (_RUN, _PREDICTIONS, *_PAGES):
        refuse_to_replace(out / name, force=force)
    options = options or (TrainOptions() if folds else FROM_SHIPPED)
    annotation_set = annotation_set_of(shipped_annotations() / "sample" if data is None else data)
    with step("agreement"):
        agreement = measure_agreement(annotation_set)
    with step("train") as tell:
        place, resume = out / _RUN, not force
        run = train(
            annotation_set, options, place, folds=folds, resume=resume, force=force, progress=tell
        )
    with step("evaluate") as tell:
        evaluation = evaluate(run, annotation_set, progress=tell)
    seen = set() if folds else seen_articles(run)
    unseen = restricted(annotation_set, set(annotation_set.article_by_id) - seen)
    scorer = load(run.path, folds=bool(folds))
    with step("score") as tell:
        predictions = scorer.score_articles(unseen.articles, progress=tell)
    predictions.write(out / _PREDICTIONS, force=force)
    coded = _coded(unseen, run.record["seed"])
    with step("profile"):
        profiles = _profiles(predictions, coded)
    evidence = Evidence(
        predictions.to_frame(),
        unseen.articles,
        annotation_set,
        frozenset(coded.article_by_id),
        predictions.problems,
    )
    with step("explain") as tell:
        evidence = with_explanations(evidence, profiles[-1], scorer, progress=tell)
    with step("report"):
        report = _report(out, agreement, evaluation, profiles, evidence)
    return Demo(run, agreement, evaluation, predictions, profiles, report)


def _coded(unseen: AnnotationSet, seed: int) -> AnnotationSet:
    """A random half of the articles, as the ones that were coded; each knows its chance."""
    names = sorted(unseen.article_by_id)
    n_coded = int(len(names) * CODED_SHARE)
    drawn = np.random.default_rng(seed).choice(names, n_coded, replace=False)
    coded = restricted(unseen, set(drawn.tolist()))
    chance = n_coded / max(len(names), 1)
    articles = tuple(replace(one, sampling_probability=chance) for one in coded.articles)
    return replace(coded, articles=articles)


def _profiles(predictions: Predictions, gold: AnnotationSet) -> tuple[Profile, ...]:
    groupings = (("target",), ("source", "target"))
    return tuple(profile(predictions, gold=gold, options=ProfileOptions(by=by)) for by in groupings)


def _report(
    out: Path,
    agreement: AgreementReport,
    evaluation: Evaluation,
    profiles: tuple[Profile, ...],
    evidence: Evidence,
) -> Path:
    frame = evidence.predictions
    about = {
        "Data": f"{len(evidence.texts)} articles, annotated by "
        f"{', '.join(agreement.annotators)}. The shipped sample was written and labelled by a "
        "language model for learning the tool and for tests; it is no evidence about anyone.",
        "Model": str(frame["model_id"].iloc[0]) if len(frame) else "no mention was scored",
    }
    for name in _PAGES:
        write_report(
            evaluation,
            profiles,
            out / name,
            agreement=agreement.to_frame(),
            evidence=evidence,
            about=about,
            force=True,
        )
    return out / "report.html"
