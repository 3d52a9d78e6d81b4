"""One measure for many parts of a table: groups, labels, pairs, and without each annotator."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Protocol

import numpy as np
import pandas as pd

from classifier.agreement._coding import DEFAULT_OPTIONS, AgreementOptions, is_missing
from classifier.codebook import Label, Variable
from classifier.errors import DataError
from classifier.notebook_html import frame_html, frame_text
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.records import Estimate

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
    """Which part: `{"target": "TR", "source": None}`; None if the table does not say."""
    estimate: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Flat and ready for JSON."""
        return {**self.group, **asdict(self.estimate), "notes": list(self.estimate.notes)}


@dataclass(frozen=True)
class Breakdown(InPapers):
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

    def paper_table(self) -> PaperTable:
        """One row per part."""
        records = [
            {**part.group, "figure": part.estimate, "items": part.estimate.n_items}
            for part in self.parts
        ]
        methods = dict.fromkeys(part.estimate.method for part in self.parts)
        return table_of_records("Agreement by part", records, tuple(m for m in methods if m))

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
    annotators = _named(table)
    return Breakdown(
        tuple(
            Part(
                {"annotator": first, "other": second},
                measure(table[annotators.isin([first, second])], variable, options=options),
            )
            for first, second in combinations(sorted(annotators.dropna().unique()), 2)
        )
    )


def leave_one_annotator_out(
    measure: Measure,
    table: pd.DataFrame,
    variable: Variable,
    *,
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Breakdown:
    """The measure without each annotator in turn: a rise shows who disagrees with the rest."""
    annotators = _named(table)
    return Breakdown(
        tuple(
            Part({"without": one}, measure(table[annotators != one], variable, options=options))
            for one in sorted(annotators.dropna().unique())
        )
    )


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


def _named(table: pd.DataFrame) -> pd.Series:
    """Each row's annotator as text, as a coding takes it: annotators may be numbers."""
    annotators = table["annotator"]
    return annotators.astype(str).where(annotators.notna())
