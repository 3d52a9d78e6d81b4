"""Share of pairs of annotators that agree, averaged over items."""

from collections.abc import Sequence as Items
from typing import Any

import evaluate
from datasets import Features, Sequence, Value

from classifier.agreement._kappas import raw_agreement
from classifier.agreement.metrics._factory import many_annotators, options, result, scale

_LABEL = Value("string")
_DESCRIPTION = """Raw agreement, not corrected for chance."""
_INPUTS = """
Args:
    predictions: one label per item.
    references: per item the labels of any number of other annotators.
    labels: all labels of the codebook, in its order.
    articles: article of each item, for an interval that resamples articles.
"""


class RawAgreement(evaluate.Metric):  # type: ignore[misc]  # evaluate ships no types
    """Share of pairs of annotators that agree, averaged over items."""

    def _info(self) -> evaluate.MetricInfo:
        features = Features({"predictions": _LABEL, "references": Sequence(_LABEL)})
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
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
        figure = raw_agreement(table, scale(labels, "nominal"), options=options(articles))
        return result("raw_agreement", figure)
