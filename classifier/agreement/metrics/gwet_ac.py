"""Gwet's AC1 (plain) or AC2 (linear, quadratic) of any number of annotators."""

from classifier.agreement.metrics._factory import metric

GwetAc = metric("GwetAc", __doc__)
