"""Fleiss' kappa of any number of annotators."""

from classifier.agreement._kappas import fleiss_kappa
from classifier.agreement.metrics._factory import metric

FleissKappa = metric(
    "FleissKappa",
    fleiss_kappa,
    __doc__,
    references="many",
    description="Fleiss' kappa of the predictions and the references together.",
    citation="Fleiss 1971, Measuring nominal scale agreement among many raters.",
)
