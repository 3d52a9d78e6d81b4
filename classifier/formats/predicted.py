"""A model's predictions as annotations, to be shown to annotators before they begin."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from classifier.annotations import Annotation, Value
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.records import Span

_COLUMNS = ("article_id", "start", "end", "target", "surface")
_NOBODY = "model"


def predicted_annotations(
    predictions: pd.DataFrame | None, codebook: Codebook
) -> Iterator[tuple[Annotation, float | None]]:
    """Each prediction as an annotation by its `model_id`, with the least sure label's probability.

    Raises `DataError` where the table has not the columns of predictions.
    """
    if predictions is None:
        return
    missing = [name for name in _COLUMNS if name not in predictions]
    if missing:
        raise DataError(f"predictions need the columns {', '.join(_COLUMNS)}; missing: {missing}")
    for row in predictions.to_dict("records"):
        labels = {v.name: _value(row.get(v.name), v) for v in codebook.variables}
        annotation = Annotation(
            article_id=row["article_id"],
            span=Span(int(row["start"]), int(row["end"])),
            target=row["target"],
            surface=row["surface"],
            annotator=str(row.get("model_id") or _NOBODY),
            labels=labels,
        )
        yield annotation, _sureness(row, labels.items())


def _value(value: object, variable: Variable) -> Value:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if variable.kind == "set" and isinstance(value, Iterable):
        return frozenset(map(str, value))
    return str(value)


def _sureness(row: dict[Any, Any], labels: Iterable[tuple[str, Value]]) -> float | None:
    columns = [f"p_{name}_{value}" for name, value in labels if isinstance(value, str)]
    known = [float(row[column]) for column in columns if not pd.isna(row.get(column))]
    return min(known, default=None)
