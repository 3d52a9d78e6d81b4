"""Predictions: one row a mention, the words that carry a score, thresholds."""

from classifier.predictions._prediction import Explanation, Prediction, Word
from classifier.predictions._table import (
    NOT_COMPARED,
    OK,
    TEXT_HASH,
    Judged,
    Judgement,
    Predictions,
    check_name,
    check_same_articles,
    named,
    not_compared,
    prediction_schema,
    prediction_table,
    read_predictions,
    write_json_rows,
)
from classifier.predictions._thresholds import NEUTRAL, Thresholds, f1_by_cut, fit_thresholds

__all__ = [
    "NEUTRAL",
    "NOT_COMPARED",
    "OK",
    "TEXT_HASH",
    "Explanation",
    "Judged",
    "Judgement",
    "Prediction",
    "Predictions",
    "Thresholds",
    "Word",
    "check_name",
    "check_same_articles",
    "f1_by_cut",
    "fit_thresholds",
    "named",
    "not_compared",
    "prediction_schema",
    "prediction_table",
    "read_predictions",
    "write_json_rows",
]
