"""Gwet's AC1 (plain) or AC2 (linear, quadratic) of any number of annotators."""

from classifier.agreement._kappas import gwet
from classifier.agreement.metrics._factory import metric

GwetAc = metric(
    "GwetAc",
    gwet,
    __doc__,
    references="many",
    description="Gwet's AC1 and AC2; the number of labels is that of the codebook.",
    citation="Gwet 2014, Handbook of inter-rater reliability.",
)
