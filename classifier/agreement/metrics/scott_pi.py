"""Scott's pi of two annotators, plain, linear or quadratic."""

from classifier.agreement.metrics._factory import metric

ScottPi = metric("ScottPi", __doc__)
