"""Means, shares and differences per source, with intervals that hold although the model errs."""

from classifier.inference.clustered import difference, labelled_mean, naive_mean, simultaneous
from classifier.inference.corrected import MINIMUM_CODED, corrected_mean, corrected_terms
from classifier.inference.planning import articles_needed
from classifier.inference.randomness import RandomnessTest, Redraws, looks_random
from classifier.inference.totals import Estimand, InferenceOptions, Population, Sampling

__all__ = [
    "MINIMUM_CODED",
    "Estimand",
    "InferenceOptions",
    "Population",
    "RandomnessTest",
    "Redraws",
    "Sampling",
    "articles_needed",
    "corrected_mean",
    "corrected_terms",
    "difference",
    "labelled_mean",
    "looks_random",
    "naive_mean",
    "simultaneous",
]
