"""Agreement between the annotators of a set, variable by variable and part by part."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.agreement._breakdown import Measure, Part, by_columns, by_label, by_pair
from classifier.agreement._kappas import (
    brennan_prediger,
    fleiss_kappa,
    gwet,
    kappa,
    raw_agreement,
    scott_pi,
)
from classifier.agreement._krippendorff import alpha, unitizing_alpha
from classifier.annotations import AnnotationSet, annotation_set_of, flagged, long_table
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.notebook_html import frame_html, frame_text, short
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
        return frame_text(self.paper_table().to_frame())

    def _repr_html_(self) -> str:
        return frame_html(self.paper_table().to_frame())


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


THRESHOLDS = (0.667, 0.8)
"""Krippendorff (2004): tentative conclusions from the first on, safe ones from the second."""
AGREEMENT_BY: tuple[tuple[str, ...], ...] = ((), ("language",), ("target",), ("source",))


@dataclass(frozen=True)
class VariableAgreement:
    """How far the annotators agree on one variable, over all and by part."""

    variable: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class AgreementReport(DeprecatedChart, InPapers):
    """Krippendorff's alpha for every variable of an annotation set."""

    annotators: tuple[str, ...]
    variables: tuple[VariableAgreement, ...]
    n_curated: int = 0
    """Mentions with curated labels: they are gold, and in none of the figures here."""

    def __iter__(self) -> Iterator[VariableAgreement]:
        """Variable by variable."""
        return iter(self.variables)

    @property
    def chart_data(self) -> pd.DataFrame:
        """What `classifier.chart` draws of it."""
        return self.to_frame()

    def to_frame(self) -> pd.DataFrame:
        """One line per variable and part."""
        return pd.DataFrame(
            [
                {
                    "variable": entry.variable,
                    "part": _part_name(part),
                    "alpha": part.estimate.value,
                    "low": part.estimate.low,
                    "high": part.estimate.high,
                    "status": part.estimate.status,
                    "interval_status": part.estimate.interval_status,
                    "n_items": part.estimate.n_items,
                    "n_articles": part.estimate.n_articles,
                    "method": part.estimate.method,
                }
                for entry in self.variables
                for part in entry.parts
            ]
        )

    def __repr__(self) -> str:
        """Alpha over all mentions, variable by variable."""
        return frame_text(self._brief(), self._caption())

    def _repr_html_(self) -> str:
        return frame_html(self._brief(), self._caption())

    def paper_table(self) -> PaperTable:
        """One row per variable and part."""
        records = [
            {
                "variable": entry.variable,
                "part": _part_name(part),
                "alpha": part.estimate,
                "mentions": part.estimate.n_items,
                "articles": part.estimate.n_articles,
            }
            for entry in self.variables
            for part in entry.parts
        ]
        methods = dict.fromkeys(p.estimate.method for e in self.variables for p in e.parts)
        return table_of_records(self._caption(), records, tuple(m for m in methods if m))

    def _caption(self) -> str:
        people = ", ".join(self.annotators) or "nobody"
        curated = f"; {self.n_curated} curated mentions are gold, no annotator's"
        return f"Agreement between {people}" + (curated if self.n_curated else "")

    def _brief(self) -> pd.DataFrame:
        """Alpha and its interval, or why there is none, for every variable."""
        lines = [
            {
                "variable": entry.variable,
                "alpha": str(part.estimate),
                "mentions": part.estimate.n_items,
                "articles": part.estimate.n_articles,
            }
            for entry in self.variables
            for part in entry.parts
            if not part.group
        ]
        return pd.DataFrame(lines)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "annotators": list(self.annotators),
            "n_curated": self.n_curated,
            "variables": [
                {"variable": entry.variable, "parts": [part.to_dict() for part in entry.parts]}
                for entry in self.variables
            ],
        }


def agreement_words(frame: pd.DataFrame) -> list[str]:
    """What alpha over all mentions allows to say, a sentence per variable that has one.

    Thresholds: Krippendorff (2004).

    Args:
        frame: As `AgreementReport.to_frame` gives it.

    >>> agreement_words(pd.DataFrame({"variable": ["roles"], "part": ["all"], "alpha": [-0.05]}))
    ['Annotators agree less than chance about roles (alpha −.05): do not use these labels.']
    """
    overall = frame[(frame["part"] == ALL) & frame["alpha"].notna()]
    pairs = zip(overall["variable"], overall["alpha"], strict=True)
    return [_agreement_verdict(str(variable), float(value)) for variable, value in pairs]


def _agreement_verdict(variable: str, value: float) -> str:
    figure = f"(alpha {short(value, sign=False)})"
    if value <= 0:
        return (
            f"Annotators agree less than chance about {variable} {figure}: do not use these labels."
        )
    if value < THRESHOLDS[0]:
        return f"Annotators agree too little about {variable} for conclusions {figure}."
    if value < THRESHOLDS[1]:
        return f"Annotators agree well enough about {variable} for tentative conclusions {figure}."
    return f"Annotators agree about {variable} {figure}."


def measure_agreement(
    data: Path | str | AnnotationSet, by: Sequence[Sequence[str]] = AGREEMENT_BY
) -> AgreementReport:
    """Alpha between the annotators for every variable, over all, by part and by pair.

    Args:
        data: An annotation set or its folder.
        by: Groupings by columns of articles and mentions (`language`, `source`, `target`, `zone`);
            `()` is everything together.

    Returns:
        Alpha per variable and part, and per pair if there are more than two annotators. Each has
        an interval from resampling articles, or says why there is none.

    Raises:
        DataError: the annotation set is not there or has faults.

    >>> from classifier.codebook import shipped_annotations
    >>> report = measure_agreement(shipped_annotations() / "sample", by=[("language",)])
    >>> [str(part.group["language"]) for part in report.variables[0].parts]
    ['en', 'nl', 'ru', 'tr', 'uk']
    """
    annotation_set = annotation_set_of(data)
    entries = []
    for variable in annotation_set.codebook.variables:
        table = _with_columns(long_table(annotation_set, variable.name), annotation_set)
        empty = {name for name in ("language", "source") if table[name].isna().all()}
        parts = [
            part
            # One annotator agrees with nobody, in every part.
            for columns in (by if len(annotation_set.annotators) > 1 else [()])
            # Where any entity may be a target, a part for each would bury the rest.
            if not (annotation_set.codebook.any_target and "target" in columns)
            # Where nobody knows the source, the part by source is everything once more.
            and not (set(columns) & empty)
            for part in by_columns(alpha, table, variable, columns)
        ]
        if len(annotation_set.annotators) > 2:
            parts += list(by_pair(alpha, table, variable))
        entries.append(VariableAgreement(variable.name, tuple(parts)))
    return AgreementReport(annotation_set.annotators, tuple(entries), annotation_set.n_curated)


def _with_columns(table: pd.DataFrame, annotation_set: AnnotationSet) -> pd.DataFrame:
    articles = annotation_set.article_by_id
    return table.assign(
        target=table["unit"].str.rsplit(":", n=1).str[-1],
        language=[articles[name].language for name in table["article"]],
        source=[articles[name].source for name in table["article"]],
        story=[articles[name].story_id for name in table["article"]],
    )


def _part_name(part: Part) -> str:
    said = (f"no {key}" if value is None else f"{key} {value}" for key, value in part.group.items())
    return ", ".join(said) or ALL
