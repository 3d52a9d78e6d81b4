"""Agreement between the annotators of a set, variable by variable and part by part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from classifier._deprecated import DeprecatedChart
from classifier.agreement._coding import DEFAULT_OPTIONS, AgreementOptions, is_missing
from classifier.agreement._krippendorff import alpha
from classifier.annotations import AnnotationSet, annotation_set_of, long_table
from classifier.codebook import Label, Variable
from classifier.errors import DataError
from classifier.notebook_html import frame_html, frame_text
from classifier.records import ALL, Estimate

ABSENT, PRESENT = "absent", "present"


class Measure(Protocol):
    """Any of alpha, kappa, scott_pi, fleiss_kappa, gwet, raw_agreement."""

    def __call__(
        self, table: pd.DataFrame, variable: Variable, *, options: AgreementOptions = ...
    ) -> Estimate:
        """The figure of one table."""


@dataclass(frozen=True)
class Part:
    """One part of a table and its figure."""

    group: Mapping[str, str | None]
    """Which part: `{"target": "TR", "source": None}`; None where the table does not say."""
    estimate: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Flat and ready for JSON."""
        return {**self.group, **asdict(self.estimate), "notes": list(self.estimate.notes)}


@dataclass(frozen=True)
class Breakdown:
    """A measure for every part of a table."""

    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Part]:
        """The parts in order."""
        return iter(self.parts)

    def __len__(self) -> int:
        """How many parts there are."""
        return len(self.parts)

    def to_frame(self) -> pd.DataFrame:
        """One row per part."""
        return pd.DataFrame([part.to_dict() for part in self.parts])

    def __repr__(self) -> str:
        """Every part with its figure in words; the frame has the numbers."""
        return frame_text(self._brief())

    def _repr_html_(self) -> str:
        return frame_html(self._brief())

    def _brief(self) -> pd.DataFrame:
        """A figure and its interval, or why there is none, for every part."""
        lines = [
            {**part.group, "figure": str(part.estimate), "items": part.estimate.n_items}
            for part in self.parts
        ]
        return pd.DataFrame(lines)

    def to_dict(self) -> list[dict[str, Any]]:
        """One entry per part, ready for JSON."""
        return [part.to_dict() for part in self.parts]


def by_columns(
    measure: Measure,
    table: pd.DataFrame,
    variable: Variable,
    columns: Sequence[str],
    *,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Breakdown:
    """The measure for every combination of values in some columns (target, source, voice, ...)."""
    absent = [column for column in columns if column not in table.columns]
    if absent:
        raise DataError(f"the table has no columns {', '.join(absent)} to group by")
    if not columns:
        return Breakdown((Part({}, measure(table, variable, options=options)),))
    parts = []
    for values, rows in table.groupby(list(columns), dropna=False, sort=True, observed=True):
        named = [None if pd.isna(value) else str(value) for value in values]
        group = dict(zip(columns, named, strict=True))
        parts.append(Part(group, measure(rows, variable, options=options)))
    return Breakdown(tuple(parts))


def by_pair(
    measure: Measure,
    table: pd.DataFrame,
    variable: Variable,
    *,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Breakdown:
    """The measure for every pair of annotators."""
    parts = []
    for first, second in combinations(_annotators(table), 2):
        rows = table[_named(table).isin([first, second])]
        group = {"annotator": first, "other": second}
        parts.append(Part(group, measure(rows, variable, options=options)))
    return Breakdown(tuple(parts))


def leave_one_annotator_out(
    measure: Measure,
    table: pd.DataFrame,
    variable: Variable,
    *,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Breakdown:
    """The measure without each annotator in turn: a rise shows who disagrees with the rest."""
    parts = []
    for annotator in _annotators(table):
        rows = table[_named(table) != annotator]
        parts.append(Part({"without": annotator}, measure(rows, variable, options=options)))
    return Breakdown(tuple(parts))


def by_label(
    measure: Measure,
    table: pd.DataFrame,
    variable: Variable,
    *,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Breakdown:
    """The measure for every label of the codebook against all others: is it there or not."""
    parts = []
    for name in variable.names:
        binary = table.assign(label=[_has(label, name, variable) for label in table["label"]])
        asked = presence(variable, name)
        parts.append(Part({"label": name}, measure(binary, asked, options=options)))
    return Breakdown(tuple(parts))


def presence(variable: Variable, label: str) -> Variable:
    """The yes-or-no question whether a label was given."""
    definition = variable.labels[variable.index(label)].definition
    labels = (Label(ABSENT, f"not {label}"), Label(PRESENT, definition))
    return Variable(f"{variable.name}: {label}", "nominal", definition, labels)


def _has(label: object, name: str, variable: Variable) -> object:
    if is_missing(label):
        return None
    if isinstance(label, str):
        if label not in variable.names:
            return label
        return PRESENT if label == name else ABSENT
    if isinstance(label, set | frozenset | list | tuple | np.ndarray):
        unknown = set(label) - set(variable.names)
        if unknown:
            return ", ".join(sorted(map(str, unknown)))
        return PRESENT if name in label else ABSENT
    return label


def _annotators(table: pd.DataFrame) -> list[str]:
    return sorted(_named(table).dropna().unique())


def _named(table: pd.DataFrame) -> pd.Series:
    """Each row's annotator as text, as a coding takes it: annotators may be numbers."""
    annotators = table["annotator"]
    return annotators.astype(str).where(annotators.notna())


AGREEMENT_BY: tuple[tuple[str, ...], ...] = ((), ("language",), ("target",), ("source",))


@dataclass(frozen=True)
class VariableAgreement:
    """How far the annotators agree on one variable, over all and by part."""

    variable: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class AgreementReport(DeprecatedChart):
    """Krippendorff's alpha for every variable of an annotation set."""

    annotators: tuple[str, ...]
    variables: tuple[VariableAgreement, ...]

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

    def _caption(self) -> str:
        return f"Agreement between {', '.join(self.annotators) or 'nobody'}"

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
            "variables": [
                {"variable": entry.variable, "parts": [part.to_dict() for part in entry.parts]}
                for entry in self.variables
            ],
        }


def measure_agreement(
    data: Path | str | AnnotationSet, by: Sequence[Sequence[str]] = AGREEMENT_BY
) -> AgreementReport:
    """Alpha between the annotators for every variable, over all, by part and by pair.

    Args:
        data: An annotation set or its folder.
        by: Groupings by columns of articles and mentions (`language`, `source`, `target`, `zone`);
            `()` is everything together.

    >>> from classifier.codebook import shipped_annotations
    >>> report = measure_agreement(shipped_annotations() / "sample", by=[("language",)])
    >>> [str(part.group["language"]) for part in report.variables[0].parts]
    ['en', 'nl', 'ru', 'tr', 'uk']
    """
    annotation_set = annotation_set_of(data)
    entries = []
    for variable in annotation_set.codebook.variables:
        table = _with_columns(long_table(annotation_set, variable.name), annotation_set)
        parts = [
            part
            for columns in by
            # Where any entity may be a target, a part for each would bury the rest.
            if not (annotation_set.codebook.any_target and "target" in columns)
            for part in by_columns(alpha, table, variable, columns)
        ]
        if len(annotation_set.annotators) > 2:
            parts += list(by_pair(alpha, table, variable))
        entries.append(VariableAgreement(variable.name, tuple(parts)))
    return AgreementReport(annotation_set.annotators, tuple(entries))


def _with_columns(table: pd.DataFrame, annotation_set: AnnotationSet) -> pd.DataFrame:
    articles = annotation_set.article_by_id
    return table.assign(
        target=table["unit"].str.rsplit(":", n=1).str[-1],
        language=[articles[name].language for name in table["article"]],
        source=[articles[name].source for name in table["article"]],
        story=[articles[name].story_id for name in table["article"]],
    )


def _part_name(part: Part) -> str:
    return ", ".join(f"{key} {value}" for key, value in part.group.items()) or ALL
