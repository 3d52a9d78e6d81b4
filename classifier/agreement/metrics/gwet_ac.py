"""Gwet's AC1 (plain) or AC2 (linear, quadratic) of any number of annotators."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from classifier.agreement._distances import Weights
from classifier.agreement._kappas import gwet
from classifier.agreement.metrics._factory import many_annotators, options, result, scale

_LABEL = Value("string")
_DESCRIPTION = """Gwet's AC1 and AC2; the number of labels is that of the codebook."""
_INPUTS = """
Args:
    predictions: one label per item.
    references: per item the labels of any number of other annotators.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""
_CITATION = """Gwet 2014, Handbook of inter-rater reliability."""


class GwetAc(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Gwet's AC1 (plain) or AC2 (linear, quadratic) of any number of annotators."""

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
        weights: Weights = "plain",
        articles: Items[str] | None = None,
    ) -> dict[str, Any]:
        table = many_annotators(predictions, references, articles)
        variable = scale(labels, "nominal" if weights == "plain" else "ordinal")
        figure = gwet(table, variable, weights=weights, options=options(articles))
        return result("gwet_ac", figure)
