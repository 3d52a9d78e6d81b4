"""Predictors against humans and gold: how far they agree, and how sure that is.

Blind to what the predictor is: a model, a person, another tool, all are judged by the same code.
"""

from classifier.evaluation.disagreements import Disagreement
from classifier.evaluation.entry import Evaluation, evaluate, schema
from classifier.evaluation.inputs import MAJORITY
from classifier.evaluation.options import EvaluationOptions
from classifier.evaluation.spans import span_scores
from classifier.evaluation.tables import ALL, Row, Table

__all__ = [
    "ALL",
    "MAJORITY",
    "Disagreement",
    "Evaluation",
    "EvaluationOptions",
    "Row",
    "Table",
    "evaluate",
    "schema",
    "span_scores",
]
