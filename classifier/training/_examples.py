"""Examples: passages beside the labels of their mentions."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.annotations import flagged
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.models import Examples, Limits, TokenStarts, cut_passages
from classifier.records import Article, Span


def build_examples(
    articles: Iterable[Article],
    gold: pd.DataFrame,
    variables: Sequence[Variable],
    token_starts: TokenStarts,
    limits: Limits | None = None,
) -> Examples:
    """Cut passages around the gold mentions of these articles and set their labels beside them.

    `gold` has a row per unit, as `annotations.adjudicate` returns it. Left out: spans that are
    no mention after all, and units for which none of the variables has a gold label.
    """
    usable = gold[~flagged(gold)]
    columns = {v.name: _label_column(v, gold) for v in variables}
    coded = usable[list(columns.values())].apply(lambda labels: labels.map(_is_coded))
    usable = usable[coded.any(axis=1)]
    by_article = dict(tuple(usable.groupby("article_id", sort=False)))
    cut = partial(cut_passages, token_starts=token_starts, limits=limits)
    passages = [
        passage
        for article in articles
        if article.article_id in by_article
        for passage in cut(article, _units(by_article[article.article_id]))
    ]
    units = [mention.unit for passage in passages for mention in passage.mentions]
    in_order = usable.set_index("unit").loc[units]
    labels = {v.name: label_array(v, in_order[columns[v.name]]) for v in variables}
    return Examples(tuple(passages), labels)


def _label_column(variable: Variable, gold: pd.DataFrame) -> str:
    """Where gold tells most: of a set, the labels that were settled one by one."""
    settled = f"settled_{variable.name}"
    return settled if settled in gold.columns else variable.name


def _units(rows: pd.DataFrame) -> dict[str, Span]:
    return {row.unit: Span(int(row.start), int(row.end)) for row in rows.itertuples(index=False)}


def _is_coded(label: object) -> bool:
    return isinstance(label, str | frozenset | set | list | tuple | Mapping)


def label_array(variable: Variable, labels: Iterable[Any]) -> NDArray[np.int64]:
    """Labels as places in codebook order, -1 where not coded; a set as a row of 0 and 1.

    A set may be given as its names, or as whether each label applies, without those left open.

    Raises `CodebookError` for a label that the variable does not have.
    """
    values = list(labels)
    if variable.kind != "set":
        places = [variable.index(v) if _is_coded(v) else -1 for v in values]
        return np.array(places, dtype=np.int64)
    rows = np.full((len(values), len(variable.names)), -1, dtype=np.int64)
    for row, value in zip(rows, values, strict=True):
        if isinstance(value, Mapping):
            for name, applies in value.items():
                row[variable.index(name)] = applies
        elif _is_coded(value):
            row[:] = 0
            row[[variable.index(name) for name in value]] = 1
    return rows


def check_labels(labels: Mapping[str, NDArray[np.int64]], variables: Sequence[Variable]) -> None:
    """Raise `DataError` unless each variable shows at least two different answers."""
    for variable in variables:
        rows: NDArray[np.int64] = labels[variable.name]
        coded = rows[(rows if rows.ndim == 1 else rows.max(axis=1)) >= 0]
        if not len(coded):
            raise DataError(
                f"variable {variable.name!r} has no labels in the training articles; "
                "code it, or name the others to learn: --variable NAME (variables= in Python)"
            )
        if len(np.unique(coded, axis=0)) < 2:
            raise DataError(
                f"variable {variable.name!r} has one and the same label on all {len(coded)} "
                "training mentions; a model needs at least two different ones"
            )
