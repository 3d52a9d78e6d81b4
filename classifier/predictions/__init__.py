"""Predictions: one row a mention, the words that carry a score, thresholds."""

from classifier.predictions._prediction import Explanation, Prediction, Word
from classifier.predictions._table import (
    OK,
    Judged,
    Judgement,
    Predictions,
    check_name,
    named,
    prediction_schema,
    prediction_table,
    read_predictions,
    write_json_rows,
)
from classifier.predictions._thresholds import NEUTRAL, Thresholds, f1_by_cut, fit_thresholds

__all__ = [
    "NEUTRAL",
    "OK",
    "Explanation",
    "Judged",
    "Judgement",
    "Prediction",
    "Predictions",
    "Thresholds",
    "Word",
    "check_name",
    "f1_by_cut",
    "fit_thresholds",
    "named",
    "prediction_schema",
    "prediction_table",
    "read_predictions",
    "write_json_rows",
]
