"""Cohen's kappa of two annotators, plain, linear or quadratic."""

from classifier.agreement.metrics._factory import metric

CohenKappa = metric("CohenKappa", __doc__)
