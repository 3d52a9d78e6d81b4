"""Several results shown as one, at a prompt and in a notebook."""

from pathlib import Path

import pandas as pd

from classifier.evaluation import Evaluation
from classifier.pipeline.agreeing import AgreementReport
from classifier.profiles import Profile
from classifier.showing import safe


def results_frame(evaluation: Evaluation, profiles: tuple[Profile, ...]) -> pd.DataFrame:
    """The last profile, which parts most; without one, the figures against gold."""
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
