"""Training: several annotation sets in, one run folder out."""

from classifier.models import TrainOptions
from classifier.training._cross_fitting import train
from classifier.training._fit import (
    Adjust,
    build_examples,
    check_labels,
    fit_model,
    label_array,
    read_run_summary,
)
from classifier.training._record import Run
from classifier.training._splits import (
    CALIBRATION,
    DEVELOPMENT,
    TEST,
    TRAIN,
    Corpora,
    Corpus,
    Data,
    Shares,
    Split,
    SplitBy,
    published_part,
    read_corpora,
    same_text,
    split_articles,
    split_corpora,
)

__all__ = [
    "CALIBRATION",
    "DEVELOPMENT",
    "TEST",
    "TRAIN",
    "Adjust",
    "Corpora",
    "Corpus",
    "Data",
    "Run",
    "Shares",
    "Split",
    "SplitBy",
    "TrainOptions",
    "build_examples",
    "check_labels",
    "fit_model",
    "label_array",
    "published_part",
    "read_corpora",
    "read_run_summary",
    "same_text",
    "split_articles",
    "split_corpora",
    "train",
]
