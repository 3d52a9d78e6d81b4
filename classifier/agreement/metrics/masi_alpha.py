"""Krippendorff's alpha of sets of labels, by MASI or Jaccard distance."""

from classifier.agreement._krippendorff import alpha
from classifier.agreement.metrics._factory import metric

MasiAlpha = metric(
    "MasiAlpha",
    alpha,
    __doc__,
    references="sets",
    description="""Krippendorff's alpha of sets of labels.

An empty set is an answer like any other.
""",
    citation="Passonneau 2006, Measuring agreement on set-valued items (MASI).",
)
