"""What the metrics share: lists of labels as a long table, an estimate as a metric's result."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from classifier.agreement._coding import AgreementOptions
from classifier.codebook import Label, Variable, VariableKind
from classifier.errors import DataError
from classifier.intervals import IntervalOptions
from classifier.records import Estimate

Given = str | Sequence[str]


def scale(labels: Sequence[str] | None, kind: VariableKind) -> Variable:
    """A variable with these labels, in this order, numbered from 0 where they are ordinal."""
    if not labels:
        raise DataError(
            "a metric needs labels=[...], all labels of the codebook in its order: "
            "those in the data may be fewer"
        )
    if len(set(labels)) < len(labels):
        raise DataError(f"a metric needs every label once, got {', '.join(labels)}")
    numbered = [
        Label(name, name, float(i) if kind == "ordinal" else None) for i, name in enumerate(labels)
    ]
    return Variable("label", kind, "given to a metric", tuple(numbered))


def two_annotators(
    predictions: Sequence[Given], references: Sequence[Given], articles: Sequence[str] | None
) -> pd.DataFrame:
    """Predictions and references as the long table of two annotators."""
    return pd.concat(
        [
            _annotator("prediction", predictions, articles),
            _annotator("reference", references, articles),
        ],
        ignore_index=True,
    )


def many_annotators(
    predictions: Sequence[str],
    references: Sequence[Sequence[str]],
    articles: Sequence[str] | None,
) -> pd.DataFrame:
    """Predictions and, per item, the labels of any number of annotators as a long table."""
    most = max((len(labels) for labels in references), default=0)
    columns = [
        [labels[place] if place < len(labels) else None for labels in references]
        for place in range(most)
    ]
    frames = [_annotator("prediction", predictions, articles)]
    frames += [_annotator(f"reference {i}", column, articles) for i, column in enumerate(columns)]
    return pd.concat(frames, ignore_index=True)


def options(articles: Sequence[str] | None) -> AgreementOptions:
    """Intervals by article where articles are given, else none."""
    return AgreementOptions(IntervalOptions(method="none" if articles is None else "jackknife"))


def result(name: str, figure: Estimate) -> dict[str, Any]:
    """A metric's result: the value under its name, None with the reason where undefined."""
    return {
        name: figure.value,
        "status": figure.status,
        "low": figure.low,
        "high": figure.high,
        "interval_status": figure.interval_status,
        "n_items": figure.n_items,
        "n_articles": figure.n_articles,
    }


def _annotator(
    name: str, labels: Sequence[Given | None], articles: Sequence[str] | None
) -> pd.DataFrame:
    units = [str(i) for i in range(len(labels))]
    if articles is not None and len(articles) != len(labels):
        raise DataError(
            f"one article per item was required: {len(labels)} items, {len(articles)} articles"
        )
    return pd.DataFrame(
        {
            "unit": units,
            "article": units if articles is None else [str(a) for a in articles],
            "annotator": name,
            "label": pd.Series(list(labels), dtype=object),
        }
    )
