"""Agreement between annotators: measures on a long table of unit, article, annotator, label.

Each measure returns a `records.Estimate`: a value with an interval from resampling articles, or in
words why there is none.
"""

from classifier.agreement.alternative import (
    AlternativeTest,
    AnnotatorTest,
    alternative_annotator_test,
)
from classifier.agreement.breakdown import (
    Breakdown,
    Measure,
    Part,
    by_columns,
    by_label,
    by_pair,
    leave_one_annotator_out,
)
from classifier.agreement.coding import AgreementOptions, is_missing
from classifier.agreement.conger import conger_kappa
from classifier.agreement.distances import Level, Weights, jaccard_distance, masi_distance
from classifier.agreement.kappas import (
    brennan_prediger,
    fleiss_kappa,
    gwet,
    kappa,
    raw_agreement,
    scott_pi,
)
from classifier.agreement.krippendorff import alpha
from classifier.agreement.scoring import TestOptions
from classifier.agreement.unitizing import unitizing_alpha

__all__ = [
    "AgreementOptions",
    "AlternativeTest",
    "AnnotatorTest",
    "Breakdown",
    "Level",
    "Measure",
    "Part",
    "TestOptions",
    "Weights",
    "alpha",
    "alternative_annotator_test",
    "brennan_prediger",
    "by_columns",
    "by_label",
    "by_pair",
    "conger_kappa",
    "fleiss_kappa",
    "gwet",
    "is_missing",
    "jaccard_distance",
    "kappa",
    "leave_one_annotator_out",
    "masi_distance",
    "raw_agreement",
    "scott_pi",
    "unitizing_alpha",
]
