"""Annotation sets as charts: how often every label and every source occurs, target by target."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from classifier.annotations import AnnotationSet
from classifier.codebook import Variable
from classifier.records import UNKNOWN
from classifier.report.drawing import Axis, Chart, Dots, Drawing, counted_point, dot_chart

_MOST_SOURCES = 30
_ANY = "any target"


def label_count_drawings(annotation_set: AnnotationSet) -> list[Drawing]:
    """One chart per variable that somebody coded, with a row per label."""
    table = _counted(annotation_set)
    said = [(v, Counter(_said(table, v))) for v in annotation_set.codebook.variables]
    caption = "annotations per label and target"
    return [
        Drawing(
            f"{variable.name}: {caption}",
            f"How many {caption}, each annotator's own.",
            _chart(counts, variable.names, annotation_set, "annotations"),
        )
        for variable, counts in said
        if counts
    ]


def source_count_drawings(annotation_set: AnnotationSet) -> list[Drawing]:
    """Mentions per source and target, the sources with most of them."""
    table = _counted(annotation_set).drop_duplicates("unit")
    articles = annotation_set.article_by_id
    sources = [articles[name].source or UNKNOWN for name in table["article_id"]]
    if not sources:
        return []
    largest = [source for source, _ in Counter(sources).most_common(_MOST_SOURCES)]
    rest = len(set(sources)) - len(largest)
    caption = "Mentions per source and target" + (f", without {rest} smaller sources" * (rest > 0))
    counts = Counter(zip(sources, table["target"], strict=True))
    return [Drawing(caption, f"{caption}.", _chart(counts, largest, annotation_set, "mentions"))]


def _counted(annotation_set: AnnotationSet) -> pd.DataFrame:
    """The annotations of true mentions; targets that no codebook lists are one."""
    table = annotation_set.table[~annotation_set.table["not_target"].astype(bool)]
    return table.assign(target=_ANY) if annotation_set.codebook.any_target else table


def _said(table: pd.DataFrame, variable: Variable) -> Iterable[tuple[str, str]]:
    """Every label that was given, with its target; a set gives all of its names."""
    for labels, target in zip(table[variable.name], table["target"], strict=True):
        if isinstance(labels, str):
            yield labels, target
        elif isinstance(labels, frozenset):
            yield from ((label, target) for label in labels)


def _chart(
    counts: Counter[tuple[str, str]],
    rows: Iterable[str],
    annotation_set: AnnotationSet,
    title: str,
) -> Chart:
    targets = annotation_set.codebook.target_names or (_ANY,)
    points = tuple(
        counted_point(row, target, counts[row, target]) for row in rows for target in targets
    )
    return dot_chart(Dots(points, targets, Axis(title)))
