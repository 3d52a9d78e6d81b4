"""Predictors against humans and gold: how far they agree, and how sure that is.

Blind to what the predictor is: a model, a person, another tool, all are judged by the same code.
"""

from classifier.evaluation._compare import SPENT, Comparison, compare
from classifier.evaluation._disagreements import Disagreement
from classifier.evaluation._evaluate import Evaluation, evaluate, schema
from classifier.evaluation._inputs import MAJORITY
from classifier.evaluation._spans import span_scores
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
    "compare",
    "evaluate",
    "schema",
    "span_scores",
]
