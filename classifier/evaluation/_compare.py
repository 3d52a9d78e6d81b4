"""Several predictors on the same mentions: which of them to use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from classifier.agreement import Coding, TestOptions, alternative_test_of, holm
from classifier.annotations import AnnotationSet, adjudicate
from classifier.errors import DataError
from classifier.evaluation._accuracy import accuracy_rows
from classifier.evaluation._advice import Facts, advice, brief_advice
from classifier.evaluation._annotators import (
    Copied,
    copied_by,
    f1_sums,
    meets_annotators,
    panel_coding,
    shared_labels,
)
from classifier.evaluation._calibration import calibration_rows
from classifier.evaluation._inputs import MAJORITY, Judged, judge, read_answers
from classifier.evaluation._panel import alpha_comparison, leave_one_out
from classifier.evaluation._tables import (
    DEFAULT_OPTIONS,
    NO_VARIATION,
    EvaluationOptions,
    Row,
    Table,
    mean_defined,
)
from classifier.intervals import (
    FloatArray,
    Statistic,
    estimated,
    t_quantile,
)
from classifier.notebook_html import frame_html, frame_text, safe
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.records import Estimate, Problem

SPENT = ("cost", "seconds", "input_tokens", "output_tokens")
"""Columns of predictions that say what a mention took."""
_WITHHELD = "not shown: the majority class passes too"
_SHOWN = ("macro_f1", "alpha", "alpha_difference", "winning_rate", "ece_equal_mass")


@dataclass(frozen=True)
class Comparison(InPapers):
    """Every predictor against gold and the annotators, all on the same mentions.

    predictors: macro-F1 against gold, alpha with the annotators, the annotators' own, the
    alternative annotator test, calibration, what a thousand mentions took.
    annotators: every predictor against each annotator.
    pairs: differences between predictors, with intervals that hold together as Holm's tests do.
    """

    predictors: Table
    annotators: Table
    pairs: Table
    order: Mapping[str, tuple[str, ...]]
    """Per variable the predictors by alpha with the annotators, the best first; those that copy an
    annotator come last."""
    best: Mapping[str, tuple[str, ...]]
    """Per variable the best, and those that cannot be told apart from it."""
    paragraph: str
    """Which to use, and why."""
    counts: Mapping[str, int]
    problems: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)
    """Per predictor what its reader left out or had to interpret."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """All tables."""
        return self.predictors, self.annotators, self.pairs

    def to_frame(self, name: str = "predictors") -> pd.DataFrame:
        """One table as a data frame.

        Args:
            name: "predictors", "annotators" or "pairs".

        Raises:
            DataError: there is no table of that name.
        """
        for table in self.tables:
            if table.name == name:
                return table.to_frame()
        known = ", ".join(table.name for table in self.tables)
        raise DataError(f"a comparison has the tables {known}; got {name!r}")

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "paragraph": self.paragraph,
            "order": {name: list(names) for name, names in self.order.items()},
            "best": {name: list(names) for name, names in self.best.items()},
            "counts": dict(self.counts),
            "tables": {table.name: table.to_dict() for table in self.tables},
        }

    def paper_table(self) -> PaperTable:
        """One row per variable and predictor."""
        records = [
            {**row.keys, "mentions": row.counts["n_items"]}
            | {name: row.estimates[name] for name in _SHOWN if name in row.estimates}
            | {name: _rounded(row.numbers[name]) for name in row.numbers}
            for row in self.predictors
        ]
        return table_of_records("Predictors on the same mentions", records, (self.paragraph,))

    def __repr__(self) -> str:
        """The paragraph, and the figures it rests on."""
        return frame_text(self.paper_table().to_frame(), self.paragraph)

    def _repr_html_(self) -> str:
        figures = frame_html(self.paper_table().to_frame())
        return f"<p>{safe(self.paragraph, 5_000)}</p>{figures}"


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def compare(
    annotation_set: AnnotationSet,
    predictors: Mapping[str, pd.DataFrame],
    *,
    gold: pd.DataFrame | None = None,
    options: EvaluationOptions = DEFAULT_OPTIONS,
) -> Comparison:
    """Compare predictors on the mentions that all of them answered.

    Args:
        annotation_set: Articles, annotators' labels and the codebook.
        predictors: Per name a table with `unit` and a column per variable, and where known
            `p_<variable>_<label>`, `cost`, `seconds`, `input_tokens`, `output_tokens`.
        gold: As `adjudicate` returns it; by default the majority of the annotators.
        options: Variables, intervals, epsilon of the alternative annotator test.

    Raises:
        DataError: fewer than two predictors, or no variable that two of them answer.
    """
    if len(predictors) < 2 or MAJORITY in predictors:
        raise DataError(
            "two or more predictors were required, none of them called "
            f"{MAJORITY!r}; got {', '.join(predictors) or 'none'}"
        )
    settled = adjudicate(annotation_set) if gold is None else gold
    names = _variables(annotation_set, predictors, options)
    compared = [_Compared.of(annotation_set, predictors, settled, n, options) for n in names]
    return Comparison(
        Table("predictors", tuple(row for one in compared for row in one.rows)),
        Table("annotators", tuple(row for one in compared for row in one.beside)),
        Table("pairs", tuple(row for one in compared for row in one.pairs)),
        {one.judged.variable.name: one.order for one in compared},
        {one.judged.variable.name: one.best for one in compared},
        _paragraph([one.facts(options) for one in compared]),
        {"n_annotators": len(annotation_set.annotators), "n_mentions": len(settled)},
    )


def _variables(
    annotation_set: AnnotationSet,
    predictors: Mapping[str, pd.DataFrame],
    options: EvaluationOptions,
) -> list[str]:
    table = annotation_set.table
    found = [
        v.name
        for v in annotation_set.codebook.variables
        if v.name in table.columns
        and table[v.name].notna().any()
        and sum(v.name in frame.columns for frame in predictors.values()) > 1
    ]
    wanted = list(options.variables) or found
    if not wanted or not set(wanted) <= set(found):
        raise DataError(
            "a comparison needs a variable that is coded and answered by two predictors; such "
            f"are: {', '.join(found) or 'none'}; wanted: {', '.join(wanted) or 'any'}"
        )
    return wanted


@dataclass(frozen=True)
class _Same:
    """One variable on the mentions that every predictor answers."""

    judged: Judged
    options: EvaluationOptions
    missed: Mapping[str, int]
    """Per predictor the coded mentions it does not answer."""

    @cached_property
    def codings(self) -> Mapping[str, Coding]:
        """Per predictor that meets annotators its answers, in the first column, beside theirs."""
        return {
            name: panel_coding(self.judged, name, self.options)
            for name in self.judged.predictors
            if meets_annotators(self.judged, name)
        }


@dataclass(frozen=True)
class _Compared:
    """One variable."""

    judged: Judged
    rows: list[Row]
    beside: list[Row]
    pairs: list[Row]
    copied: tuple[Copied, ...]

    @classmethod
    def of(
        cls,
        annotation_set: AnnotationSet,
        predictors: Mapping[str, pd.DataFrame],
        gold: pd.DataFrame,
        name: str,
        options: EvaluationOptions,
    ) -> "_Compared":
        own = {key: frame for key, frame in predictors.items() if name in frame.columns}
        options = replace(options, predictor=next(iter(own)), breakdowns=((),))
        same = _same_mentions(annotation_set, own, gold, name, options)
        beside, copied = _beside(same)
        return cls(same.judged, _predictor_rows(same, own), beside, _pairs(same), copied)

    @property
    def order(self) -> tuple[str, ...]:
        """The predictors by alpha with the annotators, or else by macro-F1; copies come last."""
        copies = {one.predictor for one in self.copied}
        named = [row for row in self.rows if row.keys["predictor"] != MAJORITY]
        ranked = [row.keys["predictor"] for row in sorted(named, key=_merit, reverse=True)]
        return tuple(sorted(ranked, key=lambda name: name in copies))

    @property
    def best(self) -> tuple[str, ...]:
        """The first, and every predictor whose difference from it may be none."""
        first = self.order[0]
        apart = {one.predictor for one in self.copied} | {
            name
            for row in self.pairs
            if row.keys["measure"] == _measure(self.rows) and row.counts["is_apart"]
            for name in (row.keys["first"], row.keys["second"])
            if first in (row.keys["first"], row.keys["second"])
        }
        return (first, *(name for name in self.order[1:] if name not in apart))

    def facts(self, options: EvaluationOptions) -> Facts:
        """What is known of which to use for this variable."""
        return Facts(
            self.judged.variable.name,
            {row.keys["predictor"]: row for row in self.rows},
            self.order,
            self.best,
            tuple(row for row in self.pairs if row.keys["measure"] == _measure(self.rows)),
            self.copied,
            self.judged.labels["annotator"].nunique(),
            options.epsilon,
        )


def _paragraph(facts: list[Facts]) -> str:
    """Which to use for the first variable, and why; in short for the others."""
    others = [brief_advice(one) for one in facts[1:]]
    taken = sum(len(said.split()) for said in others)
    return " ".join([advice(facts[0], taken), *others])


def _merit(row: Row) -> tuple[float, float]:
    values = [row.estimates.get(name) for name in ("alpha", "macro_f1")]
    first, second = (-9.0 if v is None or v.value is None else v.value for v in values)
    return first, second


def _measure(rows: list[Row]) -> str:
    """What predictors are ranked by: alpha if there is any."""
    has_alpha = any(row.estimates["alpha"].value is not None for row in rows)
    return "alpha" if has_alpha else "macro_f1"


def _same_mentions(
    annotation_set: AnnotationSet,
    predictors: Mapping[str, pd.DataFrame],
    gold: pd.DataFrame,
    name: str,
    options: EvaluationOptions,
) -> _Same:
    """Only mentions that every predictor answers, and how many each leaves out."""
    variable = annotation_set.codebook.variable(name)
    if "not_target" in gold.columns:
        gold = gold[~gold["not_target"].fillna(False).astype(bool)]
    gold = gold.assign(not_target=False)
    units = gold["unit"].tolist()
    given = {
        key: read_answers(frame, units, variable, key, options).given
        for key, frame in predictors.items()
    }
    common = np.all(list(given.values()), axis=0)
    if not common.any():
        listed = ", ".join(f"{key} {int(own.sum())}" for key, own in given.items())
        raise DataError(
            f"{name}: mentions that all predictors answer were required, got none; coded "
            f"mentions answered: {listed}"
        )
    judged = judge(annotation_set, predictors, gold[common], name, options)
    return _Same(judged, options, {key: int((~own).sum()) for key, own in given.items()})


def _predictor_rows(same: _Same, predictors: Mapping[str, pd.DataFrame]) -> list[Row]:
    judged, options = same.judged, same.options
    against_gold = {row.keys["predictor"]: row for row in accuracy_rows(judged, options)}
    calibrated = {row.keys["predictor"]: row for row in calibration_rows(judged, options)}
    names = [*predictors, *([MAJORITY] if MAJORITY in judged.predictors else [])]
    panels = {name: _panel(same, name) for name in names}
    majority = panels[MAJORITY]["winning_rate"].value if MAJORITY in panels else None
    passes = majority is not None and majority >= 0.5
    rows = []
    for name in names:
        estimates = {}
        if name in against_gold:
            own = against_gold[name].estimates
            estimates = {k: v for k, v in own.items() if k != "macro_f1_difference"}
        estimates |= panels[name]
        if passes and estimates["winning_rate"].value is not None:
            estimates["winning_rate"] = Estimate(None, _WITHHELD, method="winning rate")
        estimates |= calibrated[name].estimates if name in calibrated else {}
        counts = {
            "n_items": len(judged.items),
            "n_gold": int(judged.settled.sum()),
            "n_articles": int(judged.items["article"].nunique()),
            "n_not_answered": same.missed.get(name, 0),
        }
        keys = judged.keys(name)
        spent = _spent(predictors[name], judged) if name in predictors else {}
        rows.append(Row(keys, estimates, counts, spent))
    return rows


def _panel(same: _Same, name: str) -> dict[str, Estimate]:
    """Alpha beside the annotators', and the alternative annotator test."""
    if name not in same.codings:
        why = "not estimable: no annotator coded these mentions"
        names = ("alpha", "alpha_annotators", "alpha_difference", "winning_rate")
        return {key: Estimate(None, why) for key in (*names, "advantage_probability")}
    judged, options, coding = same.judged, same.options, same.codings[name]
    blocks = _alpha_blocks(same, name)
    beside = leave_one_out(coding, alpha_comparison(judged.variable), options.agreement)
    test = alternative_test_of(coding, judged.variable, TestOptions(epsilon=options.epsilon))
    return {
        "alpha": _estimate(blocks, same, "alpha with the annotators, mean"),
        "alpha_annotators": beside.annotators,
        "alpha_difference": beside.difference,
        "winning_rate": test.winning_rate_clustered,
        "advantage_probability": test.advantage_probability,
    }


_Sums = tuple[FloatArray, Statistic]


def _alpha_blocks(same: _Same, name: str) -> _Sums:
    """Alpha with each annotator, averaged, as a function of article totals."""
    coding = same.codings[name]
    _, compare_two = alpha_comparison(same.judged.variable)
    made = [compare_two(coding.columns([0, c])) for c in range(1, len(coding.annotators))]
    ends = np.cumsum([totals.shape[1] for totals, _ in made])[:-1]

    def statistic(totals: FloatArray) -> FloatArray:
        parts = np.split(totals, ends, axis=-1)
        each = [read(part) for part, (_, read) in zip(parts, made, strict=True)]
        return mean_defined(np.stack(each, axis=-1))

    return np.hstack([totals for totals, _ in made]), statistic


def _estimate(sums: _Sums, same: _Same, method: str) -> Estimate:
    totals, statistic = sums
    blank = Estimate(
        None, NO_VARIATION, n_items=len(same.judged.items), n_articles=len(totals), method=method
    )
    if not len(totals):
        return replace(blank, status="not estimable: no items")
    return estimated(blank, totals, statistic, same.options.interval)


def _beside(same: _Same) -> tuple[list[Row], tuple[Copied, ...]]:
    """Every predictor against each annotator, and who copies whom."""
    alpha_name, compare_two = alpha_comparison(same.judged.variable)
    rows: list[Row] = []
    copied: list[Copied] = []
    for name, coding in same.codings.items():
        if name == MAJORITY:
            continue
        copied += copied_by(name, coding)
        for column in range(1, len(coding.annotators)):
            annotator = coding.annotators[column]
            n_same, n = shared_labels(coding, column)
            sums = compare_two(coding.columns([0, column]))
            keys = same.judged.keys(name)
            estimates = {"alpha": _estimate(sums, same, alpha_name)}
            counts = {"n_items": n, "n_same": n_same}
            rows.append(Row(keys | {"annotator": annotator}, estimates, counts))
    return rows, tuple(copied)


def _pairs(same: _Same) -> list[Row]:
    """Paired differences between all predictors, by article, with Holm's correction."""
    judged, options = same.judged, same.options
    names = [name for name in judged.predictors if name != MAJORITY]
    makers: dict[str, Callable[[str], _Sums]]
    makers = (
        {"macro_f1": lambda name: f1_sums(judged, name, judged.settled)}
        if judged.settled.any()
        else {}
    )
    if set(names) <= set(same.codings):
        makers = {"alpha": lambda name: _alpha_blocks(same, name), **makers}
    rows = []
    for measure, make in makers.items():
        sums = {name: make(name) for name in names}
        pairs = list(combinations(names, 2))
        made = [_difference(sums[one], sums[two], same) for one, two in pairs]
        for (one, two), (figure, p) in zip(pairs, _corrected(made, options), strict=True):
            keys = {"variable": judged.variable.name, "measure": measure}
            counts = {"is_apart": int(p is not None and p < 1 - options.interval.confidence)}
            numbers = {} if p is None else {"p_holm": p}
            rows.append(
                Row(keys | {"first": one, "second": two}, {"difference": figure}, counts, numbers)
            )
    return rows


def _difference(first: _Sums, second: _Sums, same: _Same) -> Estimate:
    end = first[0].shape[1]

    def statistic(totals: FloatArray) -> FloatArray:
        return first[1](totals[..., :end]) - second[1](totals[..., end:])

    both = np.hstack([first[0], second[0]])
    return _estimate((both, statistic), same, "difference, paired, by article")


def _corrected(
    figures: list[Estimate], options: EvaluationOptions
) -> list[tuple[Estimate, float | None]]:
    """Adjusted p-values, and the intervals at the level of each test."""
    # Read only here: it takes a second, and scoring does without it.
    from scipy.special import stdtr

    known = [i for i, figure in enumerate(figures) if figure.standard_error]
    p_values = []
    for figure in (figures[i] for i in known):
        t = abs(figure.value or 0.0) / (figure.standard_error or 1.0)
        p_values.append(2 * float(stdtr(figure.n_articles - 1, -t)))
    made: list[tuple[Estimate, float | None]] = [(figure, None) for figure in figures]
    rate = 1 - options.interval.confidence
    for i, (p, divisor) in zip(known, holm(p_values, rate), strict=True):
        made[i] = _at_level(figures[i], 1 - rate / divisor), p
    return made


def _at_level(figure: Estimate, confidence: float) -> Estimate:
    half = t_quantile(confidence, figure.n_articles - 1) * (figure.standard_error or 0.0)
    value = figure.value or 0.0
    return replace(
        figure,
        low=value - half,
        high=value + half,
        confidence=confidence,
        method=f"{figure.method}; {confidence:.1%} interval, Holm",
    )


def _spent(frame: pd.DataFrame, judged: Judged) -> dict[str, float]:
    """What a thousand of these mentions took, if every one says it."""
    own = frame[frame["unit"].isin(set(judged.items["unit"]))]
    spent = {}
    for name in SPENT:
        if name in own.columns:
            numbers = pd.to_numeric(own[name], errors="coerce")
            if len(numbers) and numbers.notna().all():
                spent[f"{name}_per_thousand"] = 1_000 * float(numbers.mean())
    return spent
