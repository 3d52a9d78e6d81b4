"""How it was done, in words for a paper, from the results themselves."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import resources

import pandas as pd

from classifier.evaluation import Evaluation
from classifier.predictions import OK
from classifier.profiles import Profile
from classifier.report.document import Section
from classifier.report.evidence import Evidence
from classifier.report.sections import alphas_in_words


def methods_section(
    evaluation: Evaluation | None,
    profiles: Sequence[Profile],
    agreement: pd.DataFrame | None,
    evidence: Evidence | None,
) -> Section:
    """A paragraph on the methods, and the works it rests on as BibTeX."""
    sentences: list[str] = []
    if evidence is not None:
        sentences += _texts(evidence)
    if agreement is not None:
        sentences += [f"Krippendorff's alpha between annotators was {alphas_in_words(agreement)}."]
    if evaluation is not None:
        sentences += _evaluated(evaluation)
    if profiles:
        sentences += _estimated(profiles[-1])
    return Section("Methods", (" ".join(sentences),), bibtex=bibliography())


def bibliography() -> str:
    """The works that the methods rest on, as BibTeX."""
    return resources.files("classifier.report").joinpath("references.bib").read_text("utf-8")


def _texts(evidence: Evidence) -> Iterator[str]:
    frame = evidence.predictions
    sources, articles = frame["source"].nunique(), frame["article_id"].nunique()
    scored = int((frame["status"] == OK).sum())
    yield (
        f"We found {len(frame)} mentions of {_listed(frame['target'].unique())} in {articles} "
        f"articles of {sources} sources, by lexicons on offset-mapped text, and scored {scored} of "
        f"them with the model {_listed(frame.get('model_id', pd.Series(dtype=str)).unique())}, "
        f"by the codebook “{evidence.codebook.name}”, version {evidence.codebook.version}."
    )
    if "voice" in frame:
        shares = frame["voice"].value_counts(normalize=True)
        named = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        yield f"Rules told whose words each mention stands in ({named})."


def _evaluated(evaluation: Evaluation) -> Iterator[str]:
    counts = evaluation.counts
    figures = [
        f"{row.keys['variable']} {row['macro_f1']}"
        for row in evaluation.table("accuracy")
        if row.keys["predictor"] == evaluation.options.predictor and "macro_f1" in row.estimates
    ]
    yield (
        f"On {counts['n_mentions']} mentions in {counts['n_articles']} articles that the model had "
        f"not seen, its macro-F1 against the adjudicated labels was {'; '.join(figures)} "
        "(95 % intervals from resampling articles)."
    )


def _estimated(profile: Profile) -> Iterator[str]:
    yield f"What is estimated: {profile.estimand[0].lower()}{profile.estimand[1:]}"
    coded = [row for row in profile if row.n_coded_articles]
    if not coded:
        yield "No labels corrected these figures for the model's errors."
        return
    method = next((q.corrected.method for row in coded for q in row.quantities), "")
    drawn = _listed({row.drawn for row in coded if row.drawn})
    yield (
        f"Means and shares were corrected for the model's errors with labels of a sample of the "
        f"articles ({method}; Angelopoulos et al. 2023)."
    )
    if drawn:
        yield f"The labelled articles were drawn as follows: {drawn}."


def _listed(names: Iterable[object]) -> str:
    known = sorted(name for name in names if isinstance(name, str))
    return ", ".join(known) or "unknown"
