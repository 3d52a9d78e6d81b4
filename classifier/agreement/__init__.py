"""Agreement between annotators: measures on a long table of unit, article, annotator, label.

Each measure returns a `records.Estimate`: a value with an interval from resampling articles, or in
words why there is none.
"""

from classifier._verbs import callable_as
from classifier.agreement._alternative import (
    AlternativeTest,
    AnnotatorTest,
    TestOptions,
    alternative_annotator_test,
    alternative_test_of,
    holm,
    rejected,
)
from classifier.agreement._breakdown import (
    ABSENT,
    PRESENT,
    Breakdown,
    Measure,
    Part,
    by_columns,
    by_label,
    by_pair,
    leave_one_annotator_out,
    presence,
)
from classifier.agreement._coding import AgreementOptions, Coding, coding_with_predictor, is_missing
from classifier.agreement._estimate import f1_by_label, hits, macro_f1, macro_f1_of_single, ratio
from classifier.agreement._kappas import (
    brennan_prediger,
    cohen_statistic,
    conger_kappa,
    contingency,
    fleiss_kappa,
    gwet,
    gwet_statistic,
    kappa,
    raw_agreement,
    scott_pi,
    unit_shares,
)
from classifier.agreement._krippendorff import (
    Level,
    Weights,
    alpha,
    alpha_of,
    alpha_sums,
    jaccard_distance,
    kappa_distances,
    masi_distance,
    usual_level,
)
from classifier.agreement._measures import MEASURES, Measures, further_measures
from classifier.agreement._report import (
    THRESHOLDS,
    AgreementReport,
    agreement_words,
    measure_agreement,
)
from classifier.agreement._unitizing import unitizing_alpha

__all__ = [
    "ABSENT",
    "MEASURES",
    "PRESENT",
    "THRESHOLDS",
    "AgreementOptions",
    "AgreementReport",
    "AlternativeTest",
    "AnnotatorTest",
    "Breakdown",
    "Coding",
    "Level",
    "Measure",
    "Measures",
    "Part",
    "TestOptions",
    "Weights",
    "agreement_words",
    "alpha",
    "alpha_of",
    "alpha_sums",
    "alternative_annotator_test",
    "alternative_test_of",
    "brennan_prediger",
    "by_columns",
    "by_label",
    "by_pair",
    "coding_with_predictor",
    "cohen_statistic",
    "conger_kappa",
    "contingency",
    "f1_by_label",
    "fleiss_kappa",
    "further_measures",
    "gwet",
    "gwet_statistic",
    "hits",
    "holm",
    "is_missing",
    "jaccard_distance",
    "kappa",
    "kappa_distances",
    "leave_one_annotator_out",
    "macro_f1",
    "macro_f1_of_single",
    "masi_distance",
    "measure_agreement",
    "presence",
    "ratio",
    "raw_agreement",
    "rejected",
    "scott_pi",
    "unit_shares",
    "unitizing_alpha",
    "usual_level",
]

callable_as(__name__, "classifier.agreement._report:measure_agreement")
