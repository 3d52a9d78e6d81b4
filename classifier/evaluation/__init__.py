"""Predictors against humans and gold: how far they agree, and how sure that is.

Blind to what the predictor is: a model, a person, another tool, all are judged by the same code.
"""

from classifier.evaluation._accuracy import span_scores
from classifier.evaluation._compare import SPENT, Comparison, compare
from classifier.evaluation._evaluate import (
    Evaluation,
    annotator_test_words,
    evaluate,
    is_no_better,
    majority_passes,
    quality_words,
    schema,
    variables_judged,
)
from classifier.evaluation._inputs import MAJORITY, Disagreement
from classifier.evaluation._tables import GROUPS, EvaluationOptions, Row, Table

__all__ = [
    "GROUPS",
    "MAJORITY",
    "SPENT",
    "Comparison",
    "Disagreement",
    "Evaluation",
    "EvaluationOptions",
    "Row",
    "Table",
    "annotator_test_words",
    "compare",
    "evaluate",
    "is_no_better",
    "majority_passes",
    "quality_words",
    "schema",
    "span_scores",
    "variables_judged",
]
