"""Annotation sets as charts: how often every label and every source occurs, target by target."""

from collections import Counter
from collections.abc import Iterable

import pandas as pd

from classifier.annotations import AnnotationSet
from classifier.codebook import Variable
from classifier.report.drawing import Axis, Dots, Drawing, counted_point, dot_chart

_MOST_SOURCES = 30
_ANY, _UNKNOWN = "any target", "unknown"


def label_count_drawings(annotation_set: AnnotationSet) -> list[Drawing]:
    """One chart per variable that somebody coded, with a row per label."""
    table = _counted(annotation_set)
    several = len(annotation_set.annotators) > 1
    unit = "annotations, each annotator's own" if several else "annotations"
    drawings = []
    for variable in annotation_set.codebook.variables:
        pairs = list(_said(table, variable))
        if pairs:
            caption = f"{variable.name}: {unit}, per label and target"
            drawings.append(_drawing(caption, pairs, variable.names, annotation_set))
    return drawings


def source_count_drawings(annotation_set: AnnotationSet) -> list[Drawing]:
    """Mentions per source and target, the sources with most of them."""
    table = _counted(annotation_set).drop_duplicates("unit")
    articles = annotation_set.article_by_id
    sources = [articles[name].source or _UNKNOWN for name in table["article_id"]]
    counts = Counter(sources)
    shown = [source for source, _ in counts.most_common(_MOST_SOURCES)]
    pairs = list(zip(sources, table["target"], strict=True))
    rest = len(counts) - len(shown)
    caption = "Mentions per source and target" + (f", without {rest} smaller sources" * (rest > 0))
    return [_drawing(caption, pairs, shown, annotation_set)] if pairs else []


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


def _drawing(
    caption: str,
    pairs: Iterable[tuple[str, str]],
    rows: Iterable[str],
    annotation_set: AnnotationSet,
) -> Drawing:
    counts = Counter(pairs)
    targets = annotation_set.codebook.target_names or (_ANY,)
    points = tuple(
        counted_point(row, target, counts[row, target]) for row in rows for target in targets
    )
    return Drawing(caption, f"{caption}.", dot_chart(Dots(points, targets, Axis("how many"))))
