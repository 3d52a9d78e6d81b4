"""The report: what is known as one page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from classifier.codebook import default_codebook
from classifier.evaluation import Evaluation
from classifier.files import refuse_to_replace
from classifier.profiles import Profile
from classifier.report._document import Document, Section
from classifier.report._evidence import Evidence, evidence_payload
from classifier.report._methods import methods_section, methods_text
from classifier.report._page import write_document
from classifier.report._profile_section import coverage_section, profile_section
from classifier.report._result import result_section
from classifier.report._sections import (
    agreement_section,
    calibration_section,
    evaluation_section,
    time_section,
)

_SUMMARY = "How sources frame countries at every mention: the result, its figures, the evidence."


def write_report(  # noqa: PLR0913 - one for each choice of a user
    evaluation: Evaluation | None,
    profiles: Profile | Sequence[Profile],
    path: Path | str,
    *,
    agreement: pd.DataFrame | None = None,
    evidence: Evidence | None = None,
    about: Mapping[str, str] | None = None,
    force: bool = False,
) -> Path:
    """Write what is known as one page: HTML, or Markdown where the name ends in `.md`.

    The page needs no network and no other file.

    Args:
        evaluation: The model beside the annotators, if it was judged.
        profiles: Profiles of the sources; several groupings may be given. Mentions are sorted by
            their pull on the last one.
        path: Where to write.
        agreement: Agreement between annotators, as `AgreementReport.to_frame` has it.
        evidence: The predictions with their articles and human labels, for what was read and for
            the evidence browser.
        about: Title and value of what else a reader must know: model, data, versions.
        force: Whether a page that is there already is replaced.

    Returns:
        The path of the page.

    Raises:
        DataError: there is nothing to show, or the profiles do not fit the evidence.
        ReplaceError: a page is there, and `force` is not set.
    """
    refuse_to_replace(path, force=force)
    several = [profiles] if isinstance(profiles, Profile) else list(profiles)
    codebook = default_codebook() if evidence is None else evidence.codebook
    titles = {target.name: target.title for target in codebook.targets}
    result = result_section(several, evaluation, agreement, codebook)
    sections = [] if result is None else [result]
    sections += _told_once(profile_section(one, _title(one)) for one in several)
    if evidence is not None:
        through_time = time_section(evidence.predictions, titles)
        sections += [] if through_time is None else [through_time]
    after = max(len(sections) - 1, 0)
    sections += _further(evaluation, agreement, evidence, titles)
    sections.append(methods_section(methods_text(evaluation, several, agreement, evidence)))
    payload = None
    if evidence is not None and Path(path).suffix != ".md":
        payload = evidence_payload(evidence, several[-1] if several else None)
    document = Document(
        "Stance and framing", _SUMMARY, tuple(sections), about or {}, payload, after
    )
    return write_document(document, Path(path))


def _told_once(sections: Iterable[Section]) -> Iterator[Section]:
    """The sections without what an earlier one says already, but for what is estimated."""
    said = set[str]()
    for section in sections:
        first, *rest = section.paragraphs
        yield replace(section, paragraphs=(first, *(words for words in rest if words not in said)))
        said |= set(rest)


def _further(
    evaluation: Evaluation | None,
    agreement: pd.DataFrame | None,
    evidence: Evidence | None,
    titles: Mapping[str, str],
) -> Iterator[Section]:
    if agreement is not None:
        yield agreement_section(agreement, titles)
    if evaluation is not None:
        yield evaluation_section(evaluation)
        yield calibration_section(evaluation)
    if evidence is not None:
        yield coverage_section(evidence.predictions, evidence.articles, evidence.problems)


def _title(profile: Profile) -> str:
    groups = " and ".join(profile.rows[0].group) if profile.rows else "source"
    return f"Profiles by {groups}"
