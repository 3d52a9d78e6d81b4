"""Macro-F1 of predictions against one reference, for single labels and for sets of labels."""

from classifier.agreement._estimate import macro_f1_of_table
from classifier.agreement.metrics._factory import metric

MacroF1 = metric(
    "MacroF1",
    macro_f1_of_table,
    __doc__,
    references="either",
    description="""Mean F1 over the labels that occur in the references.

Labels that only the predictions use lower the others' precision and have no F1 of their own.
""",
)
