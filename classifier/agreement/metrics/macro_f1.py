"""Macro-F1 of predictions against one reference, for single labels and for sets of labels."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
import numpy as np
from datasets import Features, Sequence, Value

from classifier.agreement._coding import read_coding
from classifier.agreement._estimate import (
    Sums,
    estimate,
    hits,
    macro_f1,
    macro_f1_of_single,
    not_estimable,
    per_article,
)
from classifier.agreement.metrics._factory import options, result, scale, two_annotators
from classifier.intervals import FloatArray

_LABEL = Value("string")
_DESCRIPTION = """Mean F1 over the labels that occur in the references.

Labels that only the predictions use lower the others' precision and have no F1 of their own.
"""
_INPUTS = """
Args:
    predictions: one label, or one list of labels, per item.
    references: the gold label, or list of labels, per item.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""


class MacroF1(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Macro-F1 of predictions against one reference, for single labels and for sets of labels."""

    def _info(self) -> evaluate.MetricInfo:
        kinds = (_LABEL, Sequence(_LABEL))
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description=_INPUTS,
            features=[Features({"predictions": kind, "references": kind}) for kind in kinds],
        )

    def _compute(
        self,
        predictions: Items[Any],
        references: Items[Any],
        labels: Items[str] | None = None,
        articles: Items[str] | None = None,
    ) -> dict[str, Any]:
        is_set = any(isinstance(label, list) for label in references)
        variable = scale(labels, "set" if is_set else "nominal")
        made = options(articles)
        coding = read_coding(
            two_annotators(predictions, references, articles), variable, made
        ).pairable()
        missing = not_estimable(coding, "macro-F1", made)
        if missing is not None:
            return result("macro_f1", missing)
        members = _members(coding.values, variable.names)
        counted = hits(members[coding.codes[:, 1]], members[coding.codes[:, 0]])
        statistic = macro_f1 if is_set else macro_f1_of_single
        sums = Sums(per_article(counted, coding), statistic, "macro-F1", (0.0, 1.0))
        return result("macro_f1", estimate(coding, sums, made))


def _members(values: Items[Any], names: Items[str]) -> FloatArray:
    """Values x labels: 1 where the value is, or holds, the label."""
    held = [value if isinstance(value, frozenset) else {value} for value in values]
    return np.array([[name in labels for name in names] for labels in held], dtype=np.float64)
