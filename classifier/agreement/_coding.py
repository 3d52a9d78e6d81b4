"""Labels of annotators as a matrix of items and annotators."""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import (
    FloatArray,
    IntArray,
    IntervalOptions,
    Statistic,
    article_totals,
    estimated,
)
from classifier.records import Estimate, counted

COLUMNS = ("unit", "article", "annotator", "label")
Unknown = Literal["stop", "set aside"]
_WITH_UNKNOWN: tuple[str, ...] = get_args(Unknown)
_SHOWN = 5


@dataclass(frozen=True)
class AgreementOptions:
    """What a measure of agreement does with its table."""

    interval: IntervalOptions = field(default_factory=IntervalOptions)
    cluster: str = "article"
    """Column whose values are resampled whole: "article", or "story" where wire copies of one story
    are to count once. Where it is null, the article stands for itself."""
    unknown: Unknown = "stop"
    """What happens to labels that the codebook does not have: the run stops with the list, or they
    are left out and counted in the estimate's notes."""

    def __post_init__(self) -> None:
        """Refuse a way with unknown labels that there is not."""
        if self.unknown not in _WITH_UNKNOWN:
            raise DataError(
                f"unknown labels are met by one of {', '.join(_WITH_UNKNOWN)}; got {self.unknown!r}"
            )


DEFAULT_OPTIONS = AgreementOptions()


@dataclass(frozen=True)
class Coding:
    """A checked table: units x annotators, each cell the place of a label in `values`."""

    codes: IntArray
    """Units x annotators; -1 if not coded."""
    articles: IntArray
    """Per unit, the number of its article (or other cluster), from 0 without gaps."""
    values: tuple[Hashable, ...]
    """Label names in codebook order; for a set variable the distinct sets that occur."""
    units: tuple[str, ...]
    annotators: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def n_labels(self) -> IntArray:
        """How many annotators coded each unit."""
        return np.asarray((self.codes >= 0).sum(axis=1), dtype=np.int64)

    @property
    def n_articles(self) -> int:
        """How many articles the units come from."""
        return int(self.articles.max(initial=-1)) + 1

    @property
    def counts(self) -> FloatArray:
        """Units x values: how many annotators gave each label."""
        counts = np.zeros((len(self.codes), len(self.values)))
        unit, annotator = np.nonzero(self.codes >= 0)
        np.add.at(counts, (unit, self.codes[unit, annotator]), 1)
        return counts

    def select(self, units: IntArray) -> "Coding":
        """The coding of some units, given by their row numbers."""
        _, articles = np.unique(self.articles[units], return_inverse=True)
        return replace(
            self,
            codes=self.codes[units],
            articles=articles.reshape(-1).astype(np.int64),
            units=tuple(self.units[i] for i in units),
        )

    def columns(self, annotators: Iterable[int]) -> "Coding":
        """The coding by some annotators, given by their column numbers."""
        places = list(annotators)
        return replace(
            self,
            codes=self.codes[:, places],
            annotators=tuple(self.annotators[i] for i in places),
        )

    def among(self, units: npt.NDArray[np.bool_]) -> "Coding":
        """The same rows and articles, with nothing coded outside some units."""
        return replace(self, codes=np.where(units[:, None], self.codes, -1))

    def pairable(self) -> "Coding":
        """Only the units that two or more annotators coded: the others cannot disagree."""
        return self.select(np.flatnonzero(self.n_labels >= 2))


def read_coding(table: pd.DataFrame, variable: Variable, options: AgreementOptions) -> Coding:
    """Check a table with the columns unit, article, annotator, label.

    A missing label means "not coded"; an empty set means "coded, nothing found". Identical repeated
    rows are dropped and counted in the notes.

    Raises:
        DataError: a column or an id is missing, a unit lies in two articles, one annotator gave
            one unit two labels, or a label is not in the codebook (unless set aside).
    """
    rows = coded_rows(table, options)
    labels, unknown = _known_labels(rows["label"].tolist(), variable)
    is_known = np.array([label is not None for label in labels], dtype=bool)
    _refuse_unknown(unknown, variable, options, rows[~is_known])
    rows = rows[is_known]
    kept = [label for label in labels if label is not None]
    values = _values(kept, variable)
    place = {value: i for i, value in enumerate(values)}
    coding = _grid(
        rows, np.array([place[label] for label in kept], dtype=np.int64), options.cluster
    )
    n_repeated = len(rows) - int((coding.codes >= 0).sum())
    notes = (
        _note(len(unknown), "labels unknown to the codebook set aside"),
        _note(n_repeated, "identical repeated rows dropped"),
    )
    return replace(coding, values=values, notes=tuple(note for note in notes if note))


def coded_rows(table: pd.DataFrame, options: AgreementOptions) -> pd.DataFrame:
    """The rows with a label; raises `DataError` if a column or an id is missing."""
    required = [*COLUMNS, *({options.cluster} - set(COLUMNS))]
    absent = [column for column in required if column not in table.columns]
    if absent:
        raise DataError(
            f"a table of labels needs the columns {', '.join(required)}; "
            f"got no {', '.join(absent)} among {', '.join(map(str, table.columns))}"
        )
    rows = table[~table["label"].map(is_missing).astype(bool)]
    for column in ("unit", "article", "annotator"):
        n_null = int(rows[column].isna().sum())
        if n_null:
            raise DataError(f"every coded row needs a value in {column!r}; {n_null} rows have none")
    return rows


def is_missing(label: object) -> bool:
    """Whether a label means "not coded": None, nan or pandas' NA, never an empty set.

    >>> [is_missing(label) for label in (None, float("nan"), frozenset(), "neutral")]
    [True, True, False, False]
    """
    return label is None or label is pd.NA or (isinstance(label, float) and label != label)


def _known_labels(
    labels: list[object], variable: Variable
) -> tuple[list[Hashable | None], list[object]]:
    read = _read_set if variable.kind == "set" else _read_name
    names = frozenset(variable.names)
    known: list[Hashable | None] = []
    unknown: list[object] = []
    for label in labels:
        value = read(label, names, variable.name)
        known.append(value)
        if value is None:
            unknown.append(label)
    return known, unknown


def _read_name(label: object, names: frozenset[str], _: str) -> Hashable | None:
    return label if isinstance(label, str) and label in names else None


def _read_set(label: object, names: frozenset[str], name: str) -> Hashable | None:
    if not isinstance(label, set | frozenset | list | tuple | np.ndarray):
        raise DataError(
            f"variable {name!r} is a set: its labels must be sets or lists of names, got {label!r}"
        )
    value = frozenset(str(item) for item in label)
    return value if value <= names else None


def _refuse_unknown(
    unknown: list[object], variable: Variable, options: AgreementOptions, rows: pd.DataFrame
) -> None:
    """Stop at labels that the codebook lacks; `rows` are those that gave them."""
    if unknown and options.unknown == "stop":
        first = rows.iloc[: min(_SHOWN, len(rows))]
        given = zip(first["label"], first["unit"], first["annotator"], strict=True)
        listed = "; ".join(
            f"{label!r} at {unit} by {annotator}" for label, unit, annotator in given
        )
        raise DataError(
            f"variable {variable.name!r} allows the labels {', '.join(variable.names)}; "
            f"{len(unknown)} rows have others, such as {listed}. Mend them, add them to the "
            'codebook, or set them aside with unknown="set aside"'
        )


def label_words(label: object) -> str:
    """A label as people read it; a set is its names."""
    if isinstance(label, set | frozenset | list | tuple | np.ndarray):
        return "+".join(sorted(map(str, label))) or "none"
    return str(label)


def _values(labels: list[Hashable], variable: Variable) -> tuple[Hashable, ...]:
    if variable.kind != "set":
        return variable.names
    sets = {frozenset(label) for label in labels if isinstance(label, frozenset)}
    return tuple(sorted(sets, key=sorted))


def _grid(rows: pd.DataFrame, labels: IntArray, cluster: str) -> Coding:
    unit, units = pd.factorize(rows["unit"].astype(str), sort=True)
    annotator, annotators = pd.factorize(rows["annotator"].astype(str), sort=True)
    _refuse_conflicts(unit * max(1, len(annotators)) + annotator, labels, rows)
    codes = np.full((len(units), len(annotators)), -1, dtype=np.int64)
    codes[unit, annotator] = labels
    articles = _unit_articles(rows, unit, cluster)
    return Coding(codes, articles, (), tuple(units), tuple(annotators))


def _refuse_conflicts(cell: IntArray, labels: IntArray, rows: pd.DataFrame) -> None:
    order = np.lexsort((labels, cell))
    same_cell = cell[order][1:] == cell[order][:-1]
    other_label = labels[order][1:] != labels[order][:-1]
    conflicts = order[1:][same_cell & other_label]
    if conflicts.size:
        earlier = order[:-1][same_cell & other_label]
        columns = ["unit", "annotator", "label"]
        both = zip(
            rows[columns].to_numpy()[conflicts[:_SHOWN]],
            rows["label"].to_numpy()[earlier[:_SHOWN]],
            strict=True,
        )
        pairs = [
            f"{unit} by {annotator}: {label_words(first)} and {label_words(second)}"
            for (unit, annotator, second), first in both
        ]
        raise DataError(
            f"one annotator gives one unit one label; {conflicts.size} differ, "
            f"such as {'; '.join(pairs)}. Keep the label that counts"
        )


def _unit_articles(rows: pd.DataFrame, unit: IntArray, cluster: str) -> IntArray:
    article, articles = pd.factorize(rows["article"].astype(str))
    group = article.astype(np.int64)
    if cluster != "article":
        other, _ = pd.factorize(rows[cluster])
        group = np.where(other >= 0, len(articles) + other, group)
    per_unit = np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.int64)
    per_unit[unit] = group
    strays = np.flatnonzero(per_unit[unit] != group)
    if strays.size:
        first = rows.iloc[strays[0]]["unit"]
        raise DataError(
            f"a unit lies in one {cluster}; {len(np.unique(unit[strays]))} lie in several, "
            f"such as {first!r}"
        )
    _, dense = np.unique(per_unit, return_inverse=True)
    return np.asarray(dense, dtype=np.int64).reshape(-1)


def _note(n: int, what: str) -> str:
    return f"{n} {what}" if n else ""


PREDICTOR = "\x00predictor"
"""A name that no annotator has."""


def coding_with_predictor(
    table: pd.DataFrame,
    answers: Mapping[str, object],
    variable: Variable,
    options: AgreementOptions,
) -> Coding:
    """What annotators and the predictor said of the units that annotators coded.

    The predictor is the first column. Raises `DataError` if annotators coded something and the
    predictor answers none of it.
    """
    answers = {str(unit): label for unit, label in answers.items() if not is_missing(label)}
    rows = coded_rows(table, options)
    rows = rows.assign(unit=rows["unit"].astype(str))
    coding = read_coding(_with_answers(rows, answers), variable, options)
    if not coding.units:
        return coding
    if PREDICTOR not in coding.annotators:
        raise DataError(
            f"the predictor must answer units that annotators coded, such as {coding.units[0]!r}; "
            f"got {counted(len(answers), 'answer')}, "
            f"none of them to one of {counted(len(coding.units), 'unit')}"
        )
    first = coding.annotators.index(PREDICTOR)
    others = [i for i in range(len(coding.annotators)) if i != first]
    return coding.columns([first, *others])


def _with_answers(table: pd.DataFrame, answers: Mapping[str, object]) -> pd.DataFrame:
    """The table with the predictor as one more annotator."""
    rows = table[table["unit"].isin(answers.keys())].drop_duplicates("unit")
    own = rows.assign(
        annotator=PREDICTOR,
        label=pd.Series([answers[unit] for unit in rows["unit"]], index=rows.index, dtype=object),
    )
    return pd.concat([table.astype({"label": object}), own], ignore_index=True)


def ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Elementwise quotient; nan if there is nothing to divide by."""
    below = np.asarray(below)
    empty = np.full(below.shape, np.nan)
    return np.asarray(np.divide(above, below, out=empty, where=below > 1e-12), dtype=np.float64)


def hits(gold: FloatArray, predicted: FloatArray) -> FloatArray:
    """Items x 3 labels: true positives, false positives, false negatives of each label."""
    return np.hstack([gold * predicted, (1 - gold) * predicted, gold * (1 - predicted)])


def f1_by_label(totals: FloatArray) -> FloatArray:
    """2 tp / (2 tp + fp + fn) of each label; nan if the label occurs on neither side."""
    true, false, missed = np.split(totals, 3, axis=-1)
    return ratio(2 * true, 2 * true + false + missed)


def macro_f1(totals: FloatArray) -> FloatArray:
    """Mean F1 over the labels that occur in gold, so that all predictors share a denominator."""
    occurs = in_gold(totals)
    total = np.where(occurs, np.nan_to_num(f1_by_label(totals)), 0).sum(axis=-1)
    return ratio(total, occurs.sum(axis=-1).astype(np.float64))


def macro_f1_of_single(totals: FloatArray) -> FloatArray:
    """Macro-F1 of one label per item; nan if gold has one label only, as repeating it would win."""
    n_occurring = in_gold(totals).sum(axis=-1)
    return np.where(n_occurring < 2, np.nan, macro_f1(totals))


def macro_f1_of_table(
    table: pd.DataFrame, variable: Variable, *, options: AgreementOptions
) -> Estimate:
    """Macro-F1 of the first annotator in the table against the second, the gold labels."""
    coding = read_coding(table, variable, options).pairable()
    missing = not_estimable(coding, "macro-F1", options)
    if missing is not None:
        return missing
    held = [v if isinstance(v, frozenset) else {v} for v in coding.values]  # noqa: PD011
    members = np.array([[name in labels for name in variable.names] for labels in held], float)
    counted = hits(members[coding.codes[:, 1]], members[coding.codes[:, 0]])
    statistic = macro_f1 if variable.kind == "set" else macro_f1_of_single
    sums = Sums(per_article(counted, coding), statistic, "macro-F1", (0.0, 1.0))
    return estimate(coding, sums, options)


def in_gold(totals: FloatArray) -> npt.NDArray[np.bool_]:
    """Which labels occur in gold."""
    true, _, missed = np.split(totals, 3, axis=-1)
    return np.asarray(true + missed > 1e-12)


class Sums(NamedTuple):
    """A measure as a function of article totals."""

    totals: FloatArray
    """Articles x k."""
    statistic: Statistic
    method: str
    bounds: tuple[float, float] = (-math.inf, 1.0)
    """Of the figure. Below -1 lies chance-corrected agreement whose margins also count units with
    one label."""


def estimate(coding: Coding, sums: Sums, options: AgreementOptions) -> Estimate:
    """The figure with its interval, or in words why there is none.

    `coding` holds the pairable units only, in the order in which they were summed.
    """
    n_labels = coding.n_labels
    undefined = Estimate(
        None,
        "undefined: no variation",
        n_items=len(coding.codes),
        n_articles=coding.n_articles,
        n_pairs=int((n_labels * (n_labels - 1) // 2).sum()),
        method=_described(sums.method, options),
        confidence=options.interval.confidence,
        notes=coding.notes,
    )
    return estimated(undefined, sums.totals, sums.statistic, options.interval, bounds=sums.bounds)


def not_estimable(coding: Coding, method: str, options: AgreementOptions) -> Estimate | None:
    """Why these labels say nothing about agreement, or None if they do."""
    n_annotators = int((coding.codes >= 0).any(axis=0).sum())
    if n_annotators >= 2 and (coding.n_labels >= 2).any():
        return None
    reasons = {0: "not estimable: no labels", 1: "not estimable: one annotator"}
    status = reasons.get(n_annotators, "no overlap")
    return Estimate(None, status, method=_described(method, options), notes=coding.notes)


def per_article(values: FloatArray, coding: Coding) -> FloatArray:
    """Sum unit rows by article."""
    return article_totals(values, coding.articles, coding.n_articles)


def _described(method: str, options: AgreementOptions) -> str:
    made = options.interval
    if made.method == "none":
        return method
    draws = f", {made.n_draws} draws" if made.method == "bootstrap" else ", t"
    return f"{method}; {options.cluster} {made.method}{draws}"
