"""Each label as a yes-or-no question: agreement with and among annotators, and how common it is."""

from dataclasses import replace

import numpy as np

from classifier.agreement.breakdown import ABSENT, PRESENT, presence
from classifier.agreement.coding import Coding
from classifier.agreement.krippendorff import alpha_of
from classifier.evaluation.figures import Sample, figure, share
from classifier.evaluation.inputs import Judged
from classifier.evaluation.options import EvaluationOptions
from classifier.evaluation.others import value_members
from classifier.evaluation.panel import alpha_comparison, gwet_comparison, leave_one_out
from classifier.evaluation.tables import Row
from classifier.evaluation.versus_annotators import meets_annotators, panel_coding


def label_agreement_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """One row per label: alpha and AC1 of its presence, predictor beside annotators."""
    if not meets_annotators(judged, predictor):
        return []
    coding = panel_coding(judged, predictor, options)
    members = value_members(coding, judged.variable)
    rows = []
    for place, label in enumerate(judged.variable.names):
        binary = replace(
            coding,
            codes=np.where(coding.codes >= 0, members[coding.codes, place], -1).astype(np.int64),
            values=(ABSENT, PRESENT),
        )
        keys = {"variable": judged.variable.name, "predictor": predictor, "label": label}
        rows.append(_row(keys, binary, judged, options))
    return rows


def _row(keys: dict[str, str], binary: Coding, judged: Judged, options: EvaluationOptions) -> Row:
    asked = presence(judged.variable, keys["label"])
    humans = binary.columns(range(1, len(binary.annotators)))
    estimates = {"alpha_all": alpha_of(humans, asked, "nominal", options.agreement)}
    comparisons = {"alpha": alpha_comparison(asked), "ac": gwet_comparison(asked)}
    for name, comparison in comparisons.items():
        made = leave_one_out(binary, comparison, options.agreement)
        estimates |= {f"{name}_{part}": value for part, value in made._asdict().items()}
    counts = humans.counts
    cells = np.column_stack([counts[:, 1], counts.sum(axis=1)])
    sample = Sample(cells, humans.articles, options.interval, options.cluster)
    estimates["share_annotators"] = figure(sample, share, "share of annotators' labels")
    return Row(keys, estimates, {"n_items": len(binary.codes), "n_articles": binary.n_articles})
