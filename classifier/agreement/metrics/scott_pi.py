"""Scott's pi of two annotators, plain, linear or quadratic."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
from datasets import Features, Value

from classifier.agreement._distances import Weights
from classifier.agreement._kappas import scott_pi
from classifier.agreement.metrics._factory import options, result, scale, two_annotators

_LABEL = Value("string")
_DESCRIPTION = """Scott's pi; both annotators share one pair of margins."""
_INPUTS = """
Args:
    predictions: one label per item.
    references: labels of one annotator, one per item.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""
_CITATION = """Scott 1955, Reliability of content analysis."""


class ScottPi(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Scott's pi of two annotators, plain, linear or quadratic."""

    def _info(self) -> evaluate.MetricInfo:
        features = Features({"predictions": _LABEL, "references": _LABEL})
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
        weights: Weights = "plain",
        articles: Items[str] | None = None,
    ) -> dict[str, Any]:
        table = two_annotators(predictions, references, articles)
        variable = scale(labels, "nominal" if weights == "plain" else "ordinal")
        figure = scott_pi(table, variable, weights=weights, options=options(articles))
        return result("scott_pi", figure)
