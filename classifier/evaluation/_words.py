"""What an evaluation means for a reader, as sentences."""

from statistics import fmean

from classifier.evaluation._evaluate import Evaluation
from classifier.evaluation._inputs import MAJORITY
from classifier.evaluation._tables import GROUPS, Row
from classifier.notebook_html import short
from classifier.records import ALL

_PASSES = 0.5
"""Winning rate from which the alternative annotator test is passed, as published."""


def variables_judged(evaluation: Evaluation) -> list[str]:
    """The variables that the predictions were judged on, in codebook order."""
    return list(dict.fromkeys(row.keys["variable"] for row in evaluation.table("accuracy")))


def quality_words(evaluation: Evaluation, variable: str) -> str:
    """Whether the predictor beats the majority class on a variable; empty where nobody can say.

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
    answer = _majority(evaluation, variable)
    figures = f"macro-F1 {short(ours.value, sign=False)} against {short(theirs.value, sign=False)}"
    if gap.value < 0 and gap.high is not None and gap.high < 0:
        return f"{variable}: better than always answering {answer} ({figures})."
    return (
        f"{variable}: no better than always answering {answer} ({figures}): do not use the model "
        "for it."
    )


def _beside_every_label(evaluation: Evaluation, variable: str, own: Row) -> str:
    """How the predictor does beside giving every mention every label of a set."""
    ours, n_judged = own["macro_f1"], own.counts["n_judged"]
    n_gold = [
        row.counts["n_gold"]
        for row in evaluation.table("labels")
        if row.keys["variable"] == variable and row.keys["predictor"] == own.keys["predictor"]
    ]
    every = fmean(2 * n / (n_judged + n) for n in n_gold)
    figures = f"macro-F1 {short(ours.value or 0.0, sign=False)} against {short(every, sign=False)}"
    if ours.low is not None and ours.low > every:
        return f"{variable}: better than giving every mention every label ({figures})."
    return (
        f"{variable}: no better than giving every mention every label ({figures}): do not use the "
        "model for it."
    )


def is_no_better(evaluation: Evaluation, variable: str) -> bool:
    """Whether the predictor fails to beat the majority class on a variable."""
    return "no better" in quality_words(evaluation, variable)


def annotator_test_words(evaluation: Evaluation, variable: str) -> str:
    """What the alternative annotator test says of a variable; empty where it was not made.

    It names epsilon, and gives no winning rate where the majority class passes too: then passing
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
    """The labels that the majority class gives; none where most mentions have none of a set."""
    return [
        row.keys["label"]
        for row in evaluation.table("labels")
        if row.keys["variable"] == variable
        and row.keys["predictor"] == MAJORITY
        and row.counts["n_predicted"]
    ]
