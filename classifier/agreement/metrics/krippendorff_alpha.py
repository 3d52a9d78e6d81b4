"""Krippendorff's alpha between predictions and any number of annotators."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from classifier.agreement._distances import Level
from classifier.agreement._krippendorff import alpha
from classifier.agreement.metrics._factory import many_annotators, options, result, scale

_LABEL = Value("string")
_DESCRIPTION = """Krippendorff's alpha, 1 - D_o / D_e.

Nominal, ordinal, or interval and ratio with labels numbered in their order from 0.
"""
_INPUTS = """
Args:
    predictions: one label per item.
    references: per item the labels of any number of other annotators.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""
_CITATION = """Krippendorff 2011, Computing Krippendorff's alpha-reliability."""


class KrippendorffAlpha(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Krippendorff's alpha between predictions and any number of annotators."""

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
        level: Level = "nominal",
        articles: Items[str] | None = None,
    ) -> dict[str, Any]:
        table = many_annotators(predictions, references, articles)
        variable = scale(labels, "nominal" if level == "nominal" else "ordinal")
        figure = alpha(table, variable, level=level, options=options(articles))
        return result("krippendorff_alpha", figure)
