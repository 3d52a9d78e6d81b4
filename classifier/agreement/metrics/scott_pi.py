"""Scott's pi of two annotators, plain, linear or quadratic."""

from classifier.agreement._kappas import scott_pi
from classifier.agreement.metrics._factory import metric

ScottPi = metric(
    "ScottPi",
    scott_pi,
    __doc__,
    references="one",
    description="Scott's pi; both annotators share one pair of margins.",
    citation="Scott 1955, Reliability of content analysis.",
)
