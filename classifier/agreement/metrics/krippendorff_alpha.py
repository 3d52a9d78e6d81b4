"""Krippendorff's alpha between predictions and any number of annotators."""

from classifier.agreement._krippendorff import alpha
from classifier.agreement.metrics._factory import metric

KrippendorffAlpha = metric(
    "KrippendorffAlpha",
    alpha,
    __doc__,
    references="many",
    description="""Krippendorff's alpha, 1 - D_o / D_e.

Nominal, ordinal, or interval and ratio with labels numbered in their order from 0.
""",
    citation="Krippendorff 2011, Computing Krippendorff's alpha-reliability.",
)
