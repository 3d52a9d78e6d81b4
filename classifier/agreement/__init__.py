"""Agreement between annotators: measures on a long table of unit, article, annotator, label.

Each measure returns a `records.Estimate`: a value with an interval from resampling articles, or in
words why there is none.
"""

from classifier.agreement._alpha import alpha
from classifier.agreement._breakdown import (
    Breakdown,
    Measure,
    Part,
    by_columns,
    by_label,
    by_pair,
    leave_one_annotator_out,
)
from classifier.agreement._coding import AgreementOptions
from classifier.agreement._distances import jaccard_distance, masi_distance
from classifier.agreement._kappa import fleiss_kappa, gwet, kappa, raw_agreement, scott_pi

__all__ = [
    "AgreementOptions",
    "Breakdown",
    "Measure",
    "Part",
    "alpha",
    "by_columns",
    "by_label",
    "by_pair",
    "fleiss_kappa",
    "gwet",
    "jaccard_distance",
    "kappa",
    "leave_one_annotator_out",
    "masi_distance",
    "raw_agreement",
    "scott_pi",
]
