"""Fleiss' kappa of any number of annotators."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from classifier.agreement._kappas import fleiss_kappa
from classifier.agreement.metrics._factory import many_annotators, options, result, scale

_LABEL = Value("string")
_DESCRIPTION = """Fleiss' kappa of the predictions and the references together."""
_INPUTS = """
Args:
    predictions: one label per item.
    references: per item the labels of any number of other annotators.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""
_CITATION = """Fleiss 1971, Measuring nominal scale agreement among many raters."""


class FleissKappa(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Fleiss' kappa of any number of annotators."""

    def _info(self) -> evaluate.MetricInfo:
        features = Features({"predictions": _LABEL, "references": Sequence(_LABEL)})
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=features,
        )

    def _compute(
        self,
        predictions: Items[Any],
        references: Items[Any],
        labels: Items[str] | None = None,
        articles: Items[str] | None = None,
    ) -> dict[str, Any]:
        table = many_annotators(predictions, references, articles)
        figure = fleiss_kappa(table, scale(labels, "nominal"), options=options(articles))
        return result("fleiss_kappa", figure)
