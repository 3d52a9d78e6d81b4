"""Means, shares and differences per source, with intervals that hold although the model errs."""

from classifier.inference.clustered import difference, labelled_mean, naive_mean, simultaneous
from classifier.inference.corrected import MINIMUM_CODED, corrected_mean
from classifier.inference.planning import articles_needed
from classifier.inference.randomness import looks_random
from classifier.inference.totals import Estimand, InferenceOptions, Population

__all__ = [
    "MINIMUM_CODED",
    "Estimand",
    "InferenceOptions",
    "Population",
    "articles_needed",
    "corrected_mean",
    "difference",
    "labelled_mean",
    "looks_random",
    "naive_mean",
    "simultaneous",
]
