"""Macro-F1 of predictions against one reference, for single labels and for sets of labels."""

from classifier.agreement.metrics._factory import metric

MacroF1 = metric("MacroF1", __doc__)
