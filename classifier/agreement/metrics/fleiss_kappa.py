"""Fleiss' kappa of any number of annotators."""

from classifier.agreement.metrics._factory import metric

FleissKappa = metric("FleissKappa", __doc__)
