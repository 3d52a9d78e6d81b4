"""Results as tables, a page and a model card."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from classifier.evaluation import Evaluation
from classifier.profiles import Profile
from classifier.report.card import model_card
from classifier.report.document import Document, Section, write_document
from classifier.report.sections import (
    agreement_section,
    evaluation_section,
    profile_section,
    reading_section,
)

__all__ = ["model_card", "write_report"]


def write_report(
    evaluation: Evaluation | None,
    profiles: Profile | Sequence[Profile],
    path: Path | str,
    *,
    agreement: pd.DataFrame | None = None,
    predictions: pd.DataFrame | None = None,
    about: Mapping[str, str] | None = None,
) -> Path:
    """Write what is known as one page: HTML, or Markdown where the name ends in `.md`.

    Args:
        evaluation: The model beside the annotators, if it was judged.
        profiles: Profiles of the sources; several groupings may be given.
        path: Where to write.
        agreement: Agreement between annotators, as `AgreementReport.to_frame` has it.
        predictions: The table the profiles were made from, to say what was read.
        about: Title and value of what else a reader must know: model, data, versions.
    """
    several = [profiles] if isinstance(profiles, Profile) else list(profiles)
    sections: list[Section] = []
    if about:
        sections.append(Section("About", tuple(f"{key}: {value}" for key, value in about.items())))
    if predictions is not None:
        sections.append(reading_section(predictions, {}))
    if agreement is not None:
        sections.append(agreement_section(agreement))
    if evaluation is not None:
        sections.append(evaluation_section(evaluation))
    sections += [profile_section(profile, _title(profile)) for profile in several]
    summary = (
        "How sources frame countries at every mention, how far the model and the annotators agree, "
        "and what that allows to say about each source."
    )
    return write_document(Document("Stance and framing", summary, tuple(sections)), Path(path))


def _title(profile: Profile) -> str:
    groups = " and ".join(profile.rows[0].group) if profile.rows else "source"
    return f"Profiles by {groups}"
