"""Krippendorff's alpha between predictions and any number of annotators."""

from classifier.agreement.metrics._factory import metric

KrippendorffAlpha = metric("KrippendorffAlpha", __doc__)
