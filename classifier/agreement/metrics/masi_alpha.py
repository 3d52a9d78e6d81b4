"""Krippendorff's alpha of sets of labels, by MASI or Jaccard distance."""

from classifier.agreement.metrics._factory import metric

MasiAlpha = metric("MasiAlpha", __doc__)
