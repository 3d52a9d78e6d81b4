"""Krippendorff's alpha of sets of labels, by MASI or Jaccard distance."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from classifier.agreement._distances import Level
from classifier.agreement._krippendorff import alpha
from classifier.agreement.metrics._factory import options, result, scale, two_annotators

_LABEL = Value("string")
_DESCRIPTION = """Krippendorff's alpha of sets of labels.

An empty set is an answer like any other.
"""
_INPUTS = """
Args:
    predictions: one label per item.
    references: labels of one annotator, one per item.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""
_CITATION = """Passonneau 2006, Measuring agreement on set-valued items (MASI)."""


class MasiAlpha(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Krippendorff's alpha of sets of labels, by MASI or Jaccard distance."""

    def _info(self) -> evaluate.MetricInfo:
        features = Features({"predictions": Sequence(_LABEL), "references": Sequence(_LABEL)})
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
        level: Level = "masi",
        articles: Items[str] | None = None,
    ) -> dict[str, Any]:
        table = two_annotators(predictions, references, articles)
        variable = scale(labels, "set")
        figure = alpha(table, variable, level=level, options=options(articles))
        return result("masi_alpha", figure)
