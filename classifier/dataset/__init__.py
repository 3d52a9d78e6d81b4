"""Leak-safe splits of articles, and examples: passages beside the labels of their mentions."""

from classifier.dataset.examples import build_examples, check_labels, label_array
from classifier.dataset.splits import (
    CALIBRATION,
    DEVELOPMENT,
    TEST,
    TRAIN,
    Shares,
    Split,
    SplitBy,
    same_text,
    split_articles,
    split_corpora,
)

__all__ = [
    "CALIBRATION",
    "DEVELOPMENT",
    "TEST",
    "TRAIN",
    "Shares",
    "Split",
    "SplitBy",
    "build_examples",
    "check_labels",
    "label_array",
    "same_text",
    "split_articles",
    "split_corpora",
]
