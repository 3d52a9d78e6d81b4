"""A model beside the annotators: evaluate it, and say in words how good it is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from statistics import fmean
from typing import Any

import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.annotations import AnnotationSet, adjudicate, flagged, who_decided
from classifier.errors import DataError
from classifier.evaluation._accuracy import (
    accuracy_rows,
    bias_rows,
    confusion_rows,
    label_rows,
    mention_rows,
)
from classifier.evaluation._advice import copied_words
from classifier.evaluation._annotators import (
    agreement_rows,
    annotator_rows,
    copies,
    curve_rows,
    label_agreement_rows,
    pair_rows,
)
from classifier.evaluation._calibration import calibration_rows, reliability_rows, selective_rows
from classifier.evaluation._inputs import MAJORITY, Disagreement, Judged, disagreements, judge
from classifier.evaluation._tables import (
    DEFAULT_OPTIONS,
    GROUPS,
    EvaluationOptions,
    Row,
    Table,
    n_left_out,
)
from classifier.notebook_html import short
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.predictions import check_same_articles
from classifier.records import ALL, Estimate

_BESIDE = ("alpha_predictor", "alpha_annotators", "alpha_difference")


@dataclass(frozen=True)
class Evaluation(DeprecatedChart, InPapers):
    """All tables of an evaluation.

    accuracy, labels, confusion: predictors against gold on the mentions all of them answered.
    agreement, label_agreement, annotators, annotator_pairs: beside the annotators.
    calibration, reliability, selective: what the probabilities are worth.
    bias: predicted minus gold by group. learning_curve: width of intervals by coded articles.
    mentions: how well mentions are found.
    """

    tables: tuple[Table, ...]
    counts: Mapping[str, int]
    disagreements: tuple[Disagreement, ...] = ()
    options: EvaluationOptions = DEFAULT_OPTIONS
    titles: Mapping[str, str] = field(default_factory=dict)
    """What people read for the targets."""
    warnings: tuple[str, ...] = ()
    """What must be known before a figure is used: a predictor that repeats an annotator."""
    gold: str = ""
    """By which rule gold was made, and what became of ties; empty where gold was given."""

    def table(self, name: str) -> Table:
        """The table of that name.

        Args:
            name: Such as "accuracy", "agreement", "labels", "calibration" or "confusion".

        Raises:
            DataError: there is none; the message lists those there are.
        """
        for table in self.tables:
            if table.name == name:
                return table
        known = ", ".join(table.name for table in self.tables)
        raise DataError(f"an evaluation has the tables {known}; got {name!r}")

    def to_frame(self, name: str = "accuracy") -> pd.DataFrame:
        """One table as a data frame.

        Args:
            name: As `table` takes it.

        Raises:
            DataError: there is none of that name.
        """
        return self.table(name).to_frame()

    def __repr__(self) -> str:
        """The figures against gold, in plain text."""
        head = f"Evaluation of {self.counts['n_mentions']} mentions"
        told = [self.gold] if self.gold else []
        return "\n".join([head, *told, *self.warnings, repr(self._brief())])

    def _repr_html_(self) -> str:
        return self._brief()._repr_html_()

    def paper_table(self) -> PaperTable:
        """Every predictor: its figures against gold, and its agreement beside the annotators'."""
        beside = {
            (row.keys["variable"], row.keys["predictor"]): row.estimates
            for row in self.table("agreement")
            if all(row.keys.get(group, ALL) == ALL for group in GROUPS)
        }
        records = []
        for row in self._brief():
            own = beside.get((row.keys["variable"], row.keys["predictor"]), {})
            shown = {name: own[name] for name in _BESIDE if name in own}
            records.append({**row.keys, **row.estimates, **shown})
        note = ", ".join(f"{name.removeprefix('n_')} {n}" for name, n in self.counts.items())
        told = [note.replace("_", " "), *([self.gold] if self.gold else [])]
        return table_of_records("Evaluation", records, tuple(told))

    def _brief(self) -> Table:
        """Accuracy over all mentions without its counts."""
        table = self.table("accuracy")
        return replace(table, rows=tuple(replace(row, counts={}) for row in table))

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON, as `schema()` describes it."""
        return {
            "counts": dict(self.counts),
            "gold": self.gold,
            "warnings": list(self.warnings),
            "tables": {table.name: table.to_dict() for table in self.tables},
            "disagreements": [one.to_dict() for one in self.disagreements],
        }


def evaluate(
    annotation_set: AnnotationSet,
    predictions: pd.DataFrame,
    *,
    gold: pd.DataFrame | None = None,
    baselines: Mapping[str, pd.DataFrame] | None = None,
    uncalibrated: pd.DataFrame | None = None,
    options: EvaluationOptions = DEFAULT_OPTIONS,
) -> Evaluation:
    """Judge predictions by the annotators' labels and by gold.

    Any predictor will do: predictions need the column `unit` and one column per variable, and may
    have `status`, `voice` and `p_<variable>_<label>`.

    Args:
        annotation_set: articles, annotators' labels and the codebook.
        predictions: what is under test.
        gold: as `adjudicate` returns it, where a blank `not_target` is no flag; by default the
            majority of the annotators.
        baselines: further predictors by name, judged on the same mentions.
        uncalibrated: the predictions with the probabilities they had before temperature scaling;
            they stand beside the others in the tables on calibration.
        options: variables, groups, intervals, thresholds.

    Raises:
        DataError: no variable is both coded and predicted, a unit is predicted twice, a label is
            not in the codebook, `not_target` is neither True nor False, or an article has another
            source, date or text than the one of its id in the predictions.
    """
    if annotation_set.codebook.any_target:
        options = options.without_targets()
    named = _named(predictions, baselines or {}, options)
    names = _variables(annotation_set, predictions, options)
    for name, frame in named.items():
        check_same_articles(frame, annotation_set, name)
    if gold is None:
        settled = adjudicate(annotation_set)
    else:  # A blank says that nobody flagged the mention.
        settled = gold.assign(not_target=flagged(gold) if "not_target" in gold.columns else False)
    judged = [judge(annotation_set, named, settled, name, options) for name in names]
    before = _before(annotation_set, uncalibrated, settled, names, options)
    mentions = Table("mentions", tuple(mention_rows(settled, predictions, options)))
    return Evaluation(
        tables=(*_tables(judged, before, options), mentions),
        counts=_counts(annotation_set, settled, judged, options),
        disagreements=tuple(
            one for each in judged for one in disagreements(each, annotation_set, options)
        ),
        options=options,
        titles={target.name: target.title for target in annotation_set.codebook.targets},
        warnings=tuple(copied_words(c) for one in judged for c in copies(one, options)),
        gold=who_decided(annotation_set, settled) if gold is None else "",
    )


def schema() -> dict[str, Any]:
    """The JSON schema of `Evaluation.to_dict()`."""
    text = resources.files("classifier.evaluation").joinpath("schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _before(
    annotation_set: AnnotationSet,
    uncalibrated: pd.DataFrame | None,
    gold: pd.DataFrame,
    names: list[str],
    options: EvaluationOptions,
) -> list[Judged]:
    """The predictions as they were before calibration, under a name of their own."""
    if uncalibrated is None:
        return []
    name = options.uncalibrated
    own = replace(options, predictor=name)
    return [judge(annotation_set, {name: uncalibrated}, gold, each, own) for each in names]


def _tables(
    judged: list[Judged], before: list[Judged], options: EvaluationOptions
) -> tuple[Table, ...]:
    makers: Mapping[str, Callable[[Judged], list[Row]]] = {
        "accuracy": lambda one: accuracy_rows(one, options),
        "labels": lambda one: label_rows(one, options),
        "confusion": lambda one: confusion_rows(one, options),
        "agreement": lambda one: _for_predictors(one, options),
        "label_agreement": lambda one: label_agreement_rows(one, options.predictor, options),
        "annotators": lambda one: annotator_rows(one, options.predictor, options),
        "annotator_pairs": lambda one: pair_rows(one, options),
        "calibration": lambda one: calibration_rows(one, options),
        "reliability": lambda one: reliability_rows(one, options),
        "selective": lambda one: selective_rows(one, options),
        "bias": lambda one: bias_rows(one, options.predictor, options),
        "learning_curve": lambda one: curve_rows(one, options.predictor, options),
    }
    told = {"calibration": [*judged, *before], "reliability": [*judged, *before]}
    return tuple(
        Table(name, tuple(row for one in told.get(name, judged) for row in make(one)))
        for name, make in makers.items()
    )


def _for_predictors(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """Every group for the predictions under test, all mentions together for the others."""
    rows = []
    for name in judged.predictors:
        own = options if name == options.predictor else replace(options, breakdowns=((),))
        rows += agreement_rows(judged, name, own)
    return rows


def _named(
    predictions: pd.DataFrame, baselines: Mapping[str, pd.DataFrame], options: EvaluationOptions
) -> dict[str, pd.DataFrame]:
    taken = {options.predictor, MAJORITY} & set(baselines)
    if taken:
        raise DataError(f"baselines need names of their own, got {', '.join(sorted(taken))}")
    return {options.predictor: predictions, **baselines}


def _variables(
    annotation_set: AnnotationSet, predictions: pd.DataFrame, options: EvaluationOptions
) -> list[str]:
    table = annotation_set.table
    coded = [
        variable.name
        for variable in annotation_set.codebook.variables
        if variable.name in table.columns and table[variable.name].notna().any()
    ]
    found = [name for name in coded if name in predictions.columns]
    predicted = [v.name for v in annotation_set.codebook.variables if v.name in predictions.columns]
    wanted = list(options.variables) or found
    lacking = [name for name in wanted if name not in found]
    if lacking or not wanted:
        raise DataError(
            "evaluation needs a variable that is both coded and predicted; coded: "
            f"{', '.join(coded) or 'none'}; predicted: {', '.join(predicted) or 'none'}; "
            f"wanted: {', '.join(wanted) or 'any'}"
        )
    return wanted


def _counts(
    annotation_set: AnnotationSet,
    gold: pd.DataFrame,
    judged: list[Judged],
    options: EvaluationOptions,
) -> dict[str, int]:
    left_out = [n_left_out(one.items, options.breakdowns, options.max_groups) for one in judged]
    return {
        "n_articles": int(gold["article_id"].nunique()),
        "n_annotators": len(annotation_set.annotators),
        "n_mentions": len(gold),
        "n_not_target": int(gold["not_target"].sum()),
        "n_groups_left_out": max(left_out),
    }


_PASSES = 0.5
"""Winning rate from which the alternative annotator test is passed, as published."""


def variables_judged(evaluation: Evaluation) -> list[str]:
    """The variables that the predictions were judged on, in codebook order."""
    return list(dict.fromkeys(row.keys["variable"] for row in evaluation.table("accuracy")))


def quality_words(evaluation: Evaluation, variable: str) -> str:
    """Whether the predictor beats the majority class on a variable; empty if nobody can say.

    It is the difference in macro-F1 that decides, with its interval from resampling articles. Where
    the majority class is to give no label at all, its macro-F1 is 0 and says nothing; then it is
    giving every mention every label, which has F1 = 2p / (1 + p) for a label of a share p of them.
    """
    predictor = evaluation.options.predictor
    own, other = (_overall(evaluation, "accuracy", variable, n) for n in (predictor, MAJORITY))
    if own is None or other is None or "macro_f1_difference" not in other.estimates:
        return ""
    ours, theirs, gap = own["macro_f1"], other["macro_f1"], other["macro_f1_difference"]
    if ours.value is None or theirs.value is None or gap.value is None:
        return ""
    if not _answers(evaluation, variable):
        return _beside_every_label(evaluation, variable, own)
    # the gap is the majority class's figure less ours
    is_better = None if gap.high is None else gap.high < 0
    answer = f"always answering {_majority(evaluation, variable)}"
    return _beside(variable, answer, ours, theirs.value, is_better=is_better)


def _beside_every_label(evaluation: Evaluation, variable: str, own: Row) -> str:
    """How the predictor does beside giving every mention every label of a set."""
    ours, n_judged = own["macro_f1"], own.counts["n_judged"]
    n_gold = [
        row.counts["n_gold"]
        for row in evaluation.table("labels")
        if row.keys["variable"] == variable and row.keys["predictor"] == own.keys["predictor"]
    ]
    every = fmean(2 * n / (n_judged + n) for n in n_gold)
    is_better = None if ours.low is None else ours.low > every
    return _beside(variable, "giving every mention every label", ours, every, is_better=is_better)


def _beside(
    variable: str, rival: str, ours: Estimate, theirs: float, *, is_better: bool | None
) -> str:
    """Whether a predictor beats a rival that reads nothing; None where there is no interval."""
    own = ours.value or 0.0
    figures = f"macro-F1 {short(own, sign=False)} against {short(theirs, sign=False)}"
    if is_better:
        return f"{variable}: better than {rival} ({figures})."
    if own <= theirs:
        return f"{variable}: no better than {rival} ({figures}): do not use the model for it."
    why = f"no interval: {ours.interval_status}" if is_better is None else "which may be chance"
    return (
        f"{variable}: cannot be told from {rival} ({figures}; {why}): code more articles before "
        "you use the model for it."
    )


def is_no_better(evaluation: Evaluation, variable: str) -> bool:
    """Whether the predictor is not shown to beat the majority class on a variable."""
    words = quality_words(evaluation, variable)
    return "no better" in words or "cannot be told" in words


def annotator_test_words(evaluation: Evaluation, variable: str) -> str:
    """What the alternative annotator test says of a variable; empty if it was not made.

    It names epsilon, and gives no winning rate if the majority class passes too: then passing
    takes no reading.

    Args:
        evaluation: Of the predictions.
        variable: Name of the question.
    """
    own = _overall(evaluation, "agreement", variable, evaluation.options.predictor)
    if own is None or own["winning_rate_clustered"].value is None:
        return ""
    epsilon = evaluation.options.epsilon
    head = f"{variable}: alternative annotator test, epsilon {short(epsilon, sign=False)}: "
    told = f"Advantage {own['advantage_probability']}."
    if _passes(_overall(evaluation, "agreement", variable, MAJORITY)):
        answer = _majority(evaluation, variable)
        return f"{head}says nothing here, because always answering {answer} passes too. {told}"
    often = f"{100 * epsilon:g} of 100 mentions"
    if not _passes(own):
        return (
            f"{head}does not pass: it may be further from the other annotators than an annotator "
            f"is on {often} or more. {told}"
        )
    return (
        f"{head}passes: further from the other annotators than an annotator is on fewer than "
        f"{often}; not as good as an annotator. {told}"
    )


def majority_passes(evaluation: Evaluation, variable: str) -> bool:
    """Whether always giving the most frequent label passes the alternative annotator test too."""
    return _passes(_overall(evaluation, "agreement", variable, MAJORITY))


def _passes(row: Row | None) -> bool:
    if row is None or "winning_rate_clustered" not in row.estimates:
        return False
    return (row["winning_rate_clustered"].value or 0.0) >= _PASSES


def _overall(evaluation: Evaluation, table: str, variable: str, predictor: str) -> Row | None:
    """The row over all mentions."""
    for row in evaluation.table(table):
        is_theirs = row.keys["variable"] == variable and row.keys["predictor"] == predictor
        if is_theirs and all(row.keys.get(group, ALL) == ALL for group in GROUPS):
            return row
    return None


def _majority(evaluation: Evaluation, variable: str) -> str:
    """What the majority class answers, in words."""
    return ", ".join(_answers(evaluation, variable)) or "none"


def _answers(evaluation: Evaluation, variable: str) -> list[str]:
    """The labels that the majority class gives; none if most mentions have none of a set."""
    return [
        row.keys["label"]
        for row in evaluation.table("labels")
        if row.keys["variable"] == variable
        and row.keys["predictor"] == MAJORITY
        and row.counts["n_predicted"]
    ]
