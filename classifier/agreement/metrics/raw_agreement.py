"""Share of pairs of annotators that agree, averaged over items."""

from classifier.agreement.metrics._factory import metric

RawAgreement = metric("RawAgreement", __doc__)
