"""Leak-safe splits, examples of passages beside their labels, and several sets at once."""

from classifier.dataset.corpora import Corpora, Corpus, Data, read_corpora
from classifier.dataset.examples import build_examples, check_labels, label_array
from classifier.dataset.splits import (
    CALIBRATION,
    DEVELOPMENT,
    TEST,
    TRAIN,
    Shares,
    Split,
    SplitBy,
    published_part,
    same_text,
    split_articles,
    split_corpora,
)

__all__ = [
    "CALIBRATION",
    "DEVELOPMENT",
    "TEST",
    "TRAIN",
    "Corpora",
    "Corpus",
    "Data",
    "Shares",
    "Split",
    "SplitBy",
    "build_examples",
    "check_labels",
    "label_array",
    "published_part",
    "read_corpora",
    "same_text",
    "split_articles",
    "split_corpora",
]
