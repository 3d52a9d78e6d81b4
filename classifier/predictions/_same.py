"""Whether gold and predictions are about the same articles, and not only about equal ids."""

from collections.abc import Callable, Iterator, Mapping

import pandas as pd

from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.records import UNKNOWN, Article, Problem, counted

TEXT_HASH = "text_sha256"
"""The column with the SHA-256 of the article's text, in hexadecimal digits."""
NOT_COMPARED = "texts not compared"

_FIELDS: Mapping[str, Callable[[Article], str | None]] = {
    "source": lambda article: article.source,
    "date": lambda article: article.date,
    TEXT_HASH: lambda article: article.sha256,
}


def check_same_articles(
    predictions: pd.DataFrame, annotation_set: AnnotationSet, what: str = "predictions"
) -> None:
    """Refuse gold whose articles are others than those of the same id in the predictions.

    Compared are source, date and text hash, each where both sides have it, and the words of a
    mention that both have. Dates of unequal precision are compared as far as both go.

    Args:
        predictions: One row per mention, as scoring writes it or with fewer columns.
        annotation_set: The articles with gold.
        what: What the message calls the predictions.

    Raises:
        DataError: an article differs; its id, the field and both values are named.
    """
    differences = list(_differences(predictions, annotation_set))
    if differences:
        article, difference = differences[0]
        others = {name for name, _ in differences} - {article}
        more = f"; so have {counted(len(others), 'other article')}" if others else ""
        raise DataError(
            f"gold must be about the articles of the {what}, but article {article!r} has "
            f"{difference}{more}; give both the same article ids, or score these articles again"
        )


def not_compared(predictions: pd.DataFrame, where: str = "predictions") -> tuple[Problem, ...]:
    """A problem where predictions hold no text hash, as those of earlier versions do not."""
    if TEXT_HASH in predictions.columns or predictions.empty:
        return ()
    detail = f"no column {TEXT_HASH}: whether gold has the same texts was not compared"
    return (Problem(where, NOT_COMPARED, detail, "score the articles again"),)


def _differences(
    predictions: pd.DataFrame, annotation_set: AnnotationSet
) -> Iterator[tuple[str, str]]:
    if "article_id" not in predictions.columns:
        return
    known = annotation_set.article_by_id
    shared = predictions[predictions["article_id"].isin(set(known))]
    for field, read in _FIELDS.items():
        if field not in shared.columns:
            continue
        pairs = shared[["article_id", field]].drop_duplicates()
        for article_id, theirs in pairs.itertuples(index=False):
            ours = read(known[article_id])
            if _is_known(theirs) and _is_known(ours) and _differ(field, str(theirs), str(ours)):
                yield str(article_id), f"the {field} {theirs!r} there and {ours!r} in gold"
    yield from _other_words(shared, annotation_set)


def _other_words(shared: pd.DataFrame, annotation_set: AnnotationSet) -> Iterator[tuple[str, str]]:
    if not {"unit", "surface"} <= set(shared.columns):
        return
    table = annotation_set.table
    coded = dict(zip(table["unit"], table["surface"], strict=True))
    columns = shared[["article_id", "unit", "surface"]]
    for article_id, unit, theirs in columns.itertuples(index=False):
        ours = coded.get(unit)
        if isinstance(theirs, str) and ours is not None and theirs != ours:
            yield str(article_id), f"the words {theirs!r} at {unit} there and {ours!r} in gold"


def _is_known(value: object) -> bool:
    return isinstance(value, str) and value.strip() not in ("", UNKNOWN)


def _differ(field: str, theirs: str, ours: str) -> bool:
    theirs, ours = theirs.strip(), ours.strip()
    if field == "date":
        length = min(len(theirs), len(ours))
        return theirs[:length] != ours[:length]
    return theirs != ours
