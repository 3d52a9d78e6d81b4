"""The report of everything, the bundle of files that goes with it, and the demo of both."""

import csv
import hashlib
import io
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.agreement import AgreementReport, measure_agreement
from classifier.annotations import AnnotationSet, annotation_set_of, read_annotations, restricted
from classifier.articles import read_articles
from classifier.codebook import shipped_annotations
from classifier.evaluation import Evaluation
from classifier.files import refuse_to_replace, replacing
from classifier.models import CODEBOOK, FOLDS, RECORD, SHIPPED_START, SPLIT, Progress, TrainOptions
from classifier.notebook_html import safe
from classifier.pipeline._evaluate import evaluate, seen_articles
from classifier.predictions import Prediction, Predictions, not_compared, read_predictions
from classifier.profiles import Profile, ProfileOptions, profile
from classifier.records import Problem
from classifier.report import Evidence, bibliography, methods_text, strongest_units, write_report
from classifier.sampling import FRAME
from classifier.score import Scorer, load
from classifier.training import Run, train


def results_frame(evaluation: Evaluation, profiles: tuple[Profile, ...]) -> pd.DataFrame:
    """The last profile, which has the smallest groups; without one, the figures against gold."""
    return profiles[-1].to_frame() if profiles else evaluation.to_frame()


def results_text(
    agreement: AgreementReport, evaluation: Evaluation, profiles: tuple[Profile, ...], page: Path
) -> str:
    """Agreement, quality, what there are profiles of, and where the page is."""
    shown = [repr(agreement), repr(evaluation), *map(repr, profiles)]
    return "\n\n".join([*shown, f"the report is in {page}"])


def results_html(
    agreement: AgreementReport, evaluation: Evaluation, profiles: tuple[Profile, ...], page: Path
) -> str:
    """Agreement, quality, means per group, and where the page is."""
    shown = [agreement._repr_html_(), evaluation._repr_html_()]
    shown += [profile._repr_html_() for profile in profiles]
    return "".join([*shown, f"<p>the report is in {safe(page)}</p>"])


EXPLAINED = 40
"""Mentions that a report explains unless told otherwise: what a reader looks at, in seconds."""
_PACKAGES = (
    "stance-framing-classifier",
    *("numpy", "scipy", "pandas", "pyarrow", "scikit-learn"),
    *("torch", "transformers", "tokenizers", "sentencex", "py3langid"),
)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""So that the same results make the same bundle, byte for byte."""


@dataclass(frozen=True)
class ReportInputs:
    """What a report is about."""

    run: Path
    data: Path
    """The annotation set: what the run is judged on, and what corrects the profiles."""
    predictions: Path | None = None
    """What `classifier score` wrote, to profile the sources from."""
    articles: Path | None = None
    """The texts that were scored, for the passages."""
    split: str | None = None
    options: ProfileOptions = field(default_factory=ProfileOptions)
    explained: int = EXPLAINED
    """Of how many mentions, those that pull most, to show the words that carry the score."""
    adjudication: str = "majority"
    """The rule that makes gold; see `classifier.annotations.adjudicate`."""


@dataclass(frozen=True)
class Reported:
    """The results that a report shows."""

    annotation_set: AnnotationSet
    agreement: AgreementReport
    evaluation: Evaluation
    profiles: tuple[Profile, ...]
    page: Path
    methods: str = ""
    """What was done, in words that cite what it rests on."""
    problems: tuple[Problem, ...] = ()
    """What could not be compared between predictions and gold."""

    def to_frame(self) -> pd.DataFrame:
        """The profiles, or if nothing was scored, the figures against gold."""
        return results_frame(self.evaluation, self.profiles)

    def __repr__(self) -> str:
        """Agreement, quality, profiles, and where the page is."""
        return results_text(self.agreement, self.evaluation, self.profiles, self.page)

    def _repr_html_(self) -> str:
        return results_html(self.agreement, self.evaluation, self.profiles, self.page)


def _of_another(table: pd.DataFrame, inputs: ReportInputs) -> tuple[Problem, ...]:
    """A problem if the predictions are by another model than the one that is judged."""
    run = inputs.run.resolve().name
    others = sorted({str(i) for i in table.get("model_id", ()) if not str(i).startswith(f"{run}@")})
    if not others:
        return ()
    detail = f"the figures on quality are of {run!r}, the predictions are by {', '.join(others)}"
    remedy = f"score the articles with {inputs.run}, or report on the run that scored them"
    return (Problem(str(inputs.predictions), "predictions of another model", detail, remedy),)


def report(
    inputs: ReportInputs, out: Path, *, force: bool = False, progress: Progress | None = None
) -> Reported:
    """Evaluate a run, profile the sources, and write the page.

    Args:
        inputs: The run, the annotation set, and what else is to be shown.
        out: Where to write the page: HTML, or Markdown if the name ends in `.md`.
        force: Whether a page that is there already is replaced.
        progress: Called while articles are scored.

    Returns:
        The results that the page shows.

    Raises:
        DataError: the annotations, predictions or articles cannot be read or do not fit.
        ModelError: there is no run.
        ReplaceError: a page is there, and `force` is not set.
    """
    refuse_to_replace(out, force=force)
    annotation_set = replace(read_annotations(inputs.data), adjudication=inputs.adjudication)
    evaluation = evaluate(inputs.run, annotation_set, split=inputs.split, progress=progress)
    agreement = measure_agreement(annotation_set)
    evidence, profiles = None, tuple[Profile, ...]()
    unsure: tuple[Problem, ...] = ()
    if inputs.predictions is not None:
        table = read_predictions(inputs.predictions)
        unsure = (*not_compared(table, inputs.predictions.name), *_of_another(table, inputs))
        profiles = (profile(table, gold=annotation_set, options=inputs.options),)
        reading = None if inputs.articles is None else read_articles(inputs.articles)
        texts, problems = (reading.articles, reading.problems) if reading else ((), ())
        evidence = Evidence(table, texts, annotation_set, problems=(*problems, *unsure))
        if inputs.explained:
            scorer = scorer_behind(table, inputs.run)
            evidence = with_explanations(
                evidence, profiles[-1], scorer, inputs.explained, progress=progress
            )
    frame = agreement.to_frame()
    page = write_report(evaluation, profiles, out, agreement=frame, evidence=evidence, force=force)
    methods = methods_text(evaluation, profiles, frame, evidence)
    return Reported(annotation_set, agreement, evaluation, profiles, page, methods, unsure)


def bundle(inputs: ReportInputs, reported: Reported, path: Path, *, force: bool = False) -> Path:
    """Write a zip file from which the figures can be checked and made again.

    It holds the page, every figure as JSON, the predictions, the labels and how articles were
    drawn. The codebook and the record of the training are in it too, and a manifest with versions,
    hashes and the command. Articles are named and hashed. Their texts are in the page's passages
    only. Raises `ReplaceError` if a file is there, and `force` is not set.
    """
    refuse_to_replace(path, force=force)
    files = _files(inputs, reported)
    manifest = {
        "command": ["classifier", *sys.argv[1:]],
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    files["manifest.json"] = _json(manifest)
    with replacing(path) as draft, ZipFile(draft, "w", ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = ZipInfo(name, _LONG_AGO)
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return path


def _files(inputs: ReportInputs, reported: Reported) -> dict[str, bytes]:
    files = {
        reported.page.name: reported.page.read_bytes(),
        "agreement.json": _json(reported.agreement.to_dict()),
        "evaluation.json": _json(reported.evaluation.to_dict()),
        "profiles.json": _json([one.to_dict() for one in reported.profiles]),
        "articles.csv": _articles(reported.annotation_set),
        "references.bib": bibliography(reported.methods).encode(),
    }
    named = [inputs.run / RECORD, inputs.run / CODEBOOK, inputs.run / SPLIT]
    named += [inputs.data / "annotations.jsonl", inputs.data / FRAME]
    if inputs.predictions is not None:
        named.append(inputs.predictions)
    return files | {path.name: path.read_bytes() for path in named if path.is_file()}


def _articles(annotation_set: AnnotationSet) -> bytes:
    """Which articles were labelled, with the chance that each was drawn."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(("article_id", "sha256", "sampling_probability"))
    for article in annotation_set.articles:
        writer.writerow((article.article_id, article.sha256, article.sampling_probability))
    return lines.getvalue().encode("utf-8", "backslashreplace")


def _json(data: Mapping[str, Any] | list[dict[str, Any]]) -> bytes:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2)
    return text.encode("utf-8", "backslashreplace")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def with_explanations(
    evidence: Evidence,
    profile: Profile,
    scorer: Scorer,
    n: int = EXPLAINED,
    *,
    progress: Progress | None = None,
) -> Evidence:
    """The evidence with explanations of the n mentions that pull the profile's means most.

    What another model scored, and what stands in an article that is not here, is left out.
    """
    rows = evidence.predictions.set_index("unit", drop=False)
    explanations = {}
    units = strongest_units(evidence, profile, n)
    for done, unit in enumerate(units):
        row = rows.loc[unit].to_dict()
        article = evidence.texts.get(row["article_id"])
        if article is not None and row.get("model_id") == scorer.trained.model_id:
            explanations[unit] = scorer.explain(Prediction(row, article))
        if progress is not None:
            progress(done + 1, len(units), "explaining scores")
    return replace(evidence, explanations=explanations)


def scorer_behind(predictions: pd.DataFrame, run: Path) -> Scorer:
    """The run's model, or its folds if those made the predictions."""
    scorer = load(run)
    is_other = scorer.trained.model_id not in set(predictions["model_id"])
    return load(run, folds=True) if is_other and (run / FOLDS).is_dir() else scorer


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
        """The profile with the smallest groups: a line per source, target, voice and quantity."""
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
        profiles = tuple(
            profile(predictions, gold=coded, options=ProfileOptions(by=by))
            for by in (("target",), ("source", "target"))
        )
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
