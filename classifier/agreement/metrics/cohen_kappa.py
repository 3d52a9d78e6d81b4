"""Cohen's kappa of two annotators, plain, linear or quadratic."""

from classifier.agreement._kappas import kappa
from classifier.agreement.metrics._factory import metric

CohenKappa = metric(
    "CohenKappa",
    kappa,
    __doc__,
    references="one",
    description="Cohen's kappa; weights by distance in the order of the labels.",
    citation="Cohen 1960, A coefficient of agreement for nominal scales.",
)
