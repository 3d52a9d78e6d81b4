"""Share of pairs of annotators that agree, averaged over items."""

from classifier.agreement._kappas import raw_agreement
from classifier.agreement.metrics._factory import metric

RawAgreement = metric(
    "RawAgreement",
    raw_agreement,
    __doc__,
    references="many",
    description="Raw agreement, not corrected for chance.",
)
