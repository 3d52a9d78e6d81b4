"""Further measures of agreement for a whole annotation set: kappas, AC1, AC2, unitizing alpha."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.agreement._breakdown import Measure, by_label, by_pair
from classifier.agreement._kappas import (
    brennan_prediger,
    fleiss_kappa,
    gwet,
    kappa,
    raw_agreement,
    scott_pi,
)
from classifier.agreement._unitizing import unitizing_alpha
from classifier.annotations import AnnotationSet, annotation_set_of, flagged, long_table
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.notebook_html import frame_html, frame_text
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.records import ALL, Estimate

UNITIZING = "unitizing"
_OF_TWO: Mapping[str, Measure] = {"kappa": kappa, "pi": scott_pi}
"""Measures of two annotators: with more, one figure for each pair."""
_OF_ANY: Mapping[str, Measure] = {
    "fleiss": fleiss_kappa,
    "ac1": gwet,
    "brennan-prediger": brennan_prediger,
    "raw": raw_agreement,
}
_ORDERED: Mapping[str, Callable[..., Estimate]] = {"weighted-kappa": kappa, "ac2": gwet}
"""With quadratic weights, for labels that have an order."""
MEASURES = (*_OF_TWO, *_OF_ANY, *_ORDERED, UNITIZING)


@dataclass(frozen=True)
class MeasureRow:
    """One figure."""

    measure: str
    variable: str
    part: str
    """"all", a pair of annotators, or a label of a set."""
    estimate: Estimate


@dataclass(frozen=True)
class Measures(InPapers):
    """Figures of several measures on one annotation set."""

    rows: tuple[MeasureRow, ...]

    def to_frame(self) -> pd.DataFrame:
        """One line per figure."""
        return pd.DataFrame(self.to_dict())

    def to_dict(self) -> list[dict[str, Any]]:
        """Ready for JSON."""
        return [
            {
                "measure": row.measure,
                "variable": row.variable,
                "part": row.part,
                **asdict(row.estimate),
                "notes": list(row.estimate.notes),
            }
            for row in self.rows
        ]

    def paper_table(self) -> PaperTable:
        """One row per figure."""
        records = [
            {
                "measure": row.measure,
                "variable": row.variable,
                "part": row.part,
                "figure": row.estimate,
                "items": row.estimate.n_items,
            }
            for row in self.rows
        ]
        methods = dict.fromkeys(row.estimate.method for row in self.rows if row.estimate.method)
        return table_of_records("Agreement between annotators", records, tuple(methods))

    def __repr__(self) -> str:
        """Every figure with its interval."""
        return frame_text(self._brief())

    def _repr_html_(self) -> str:
        return frame_html(self._brief())

    def _brief(self) -> pd.DataFrame:
        table = self.paper_table()
        return pd.DataFrame(table.cells(), columns=list(table.columns))


def further_measures(data: AnnotationSet | Path | str, measures: Sequence[str]) -> Measures:
    """Measures beside alpha, for every variable of an annotation set.

    Args:
        data: An annotation set or its folder.
        measures: Out of `MEASURES`. "kappa" and "pi" are of two annotators and come for each pair;
            "weighted-kappa" and "ac2" have quadratic weights and are for labels with an order; a
            set is measured label by label. "unitizing" is of the places of mentions.

    Raises:
        DataError: there is no such measure.
    """
    unknown = [name for name in measures if name not in MEASURES]
    if unknown:
        raise DataError(f"measures are {', '.join(MEASURES)}; got {', '.join(unknown)}")
    annotation_set = annotation_set_of(data)
    rows = [row for name in measures for row in _rows(name, annotation_set)]
    return Measures(tuple(rows))


def _rows(name: str, annotation_set: AnnotationSet) -> Iterator[MeasureRow]:
    if name == UNITIZING:
        yield from _unitizing(annotation_set)
        return
    for variable in annotation_set.codebook.variables:
        if name in _ORDERED and variable.kind != "ordinal":
            continue
        table = long_table(annotation_set, variable.name)
        for part, estimate in _figures(name, table, variable):
            yield MeasureRow(name, variable.name, part, estimate)


def _figures(name: str, table: pd.DataFrame, variable: Variable) -> Iterator[tuple[str, Estimate]]:
    weighted = {key: partial(own, weights="quadratic") for key, own in _ORDERED.items()}
    measure: Measure = {**_OF_TWO, **_OF_ANY, **weighted}[name]
    of_two = name in _OF_TWO or name == "weighted-kappa"
    if not of_two:
        yield from _parts(measure, table, variable)
    elif table["annotator"].nunique() < 2:
        yield ALL, Estimate(None, "not estimable: one annotator")
    elif table["annotator"].nunique() == 2:
        yield from _parts(measure, table, variable)
    elif variable.kind != "set":
        for part in by_pair(measure, table, variable):
            yield " and ".join(str(who) for who in part.group.values()), part.estimate


def _parts(
    measure: Measure, table: pd.DataFrame, variable: Variable
) -> Iterator[tuple[str, Estimate]]:
    if variable.kind != "set":
        yield ALL, measure(table, variable)
        return
    for part in by_label(measure, table, variable):
        yield str(part.group["label"]), part.estimate


def _unitizing(annotation_set: AnnotationSet) -> Iterator[MeasureRow]:
    """How far annotators mark the same places, over the articles that all of them coded."""
    table = annotation_set.table
    marked = table[~flagged(table)]
    who = annotation_set.annotators
    coders = table.groupby("article_id")["annotator"].nunique()
    read = set(coders[coders == len(who)].index)
    lengths = {a.article_id: len(a.text) for a in annotation_set.articles if a.article_id in read}
    spans = marked[marked["article_id"].isin(read)].rename(
        columns={"article_id": "article", "target": "label"}
    )[["article", "annotator", "start", "end", "label"]]
    yield MeasureRow(UNITIZING, "place of mentions", ALL, unitizing_alpha(spans, lengths, who))
