"""The corrected mean where articles had unequal, known chances π of being coded.

    θ = λ f̄ + Σ_L Y/π / Σ_L m/π - λ Σ_L F/π / Σ_L m/π

is the difference estimator of survey sampling with both ratios in Hájek's form, which weathers
small π better than Horvitz-Thompson; see also Egami et al. (2023), design-based supervised
learning.
"""

import numpy as np

from classifier.inference.totals import Array, InferenceOptions, Totals, cluster_sums


def weighted_fit(totals: Totals, options: InferenceOptions) -> tuple[float, float]:
    """θ and the λ that makes its estimated variance least."""
    label, score = _hajek_terms(totals)
    here, there = _overall_terms(totals)
    kept = np.ones(len(label))
    if options.population == "corpus":
        kept, here, there = 1 - totals.probability * totals.coded_share, 0 * here, 0 * there
    change = score - here
    spread = float((kept * change**2).sum() + (there**2).sum())
    weight = float(np.clip((kept * label * change).sum() / spread, 0, 1)) if spread > 0 else 0.0
    inverse = 1 / totals.probability
    label_mean = (totals.coded_label * inverse).sum() / (totals.coded_label_size * inverse).sum()
    score_mean = (totals.coded_score * inverse).sum() / (totals.coded_size * inverse).sum()
    return float(label_mean + weight * (_overall(totals) - score_mean)), weight


def weighted_variance(
    totals: Totals, weight: float, options: InferenceOptions
) -> tuple[float, float]:
    """Linearised variance and its degrees of freedom; over draws only where the corpus is the aim.

    Every cluster is taken as drawn on its own, which is careful where a number was fixed.
    """
    n = len(np.unique(totals.coded_cluster))
    terms = weighted_terms(totals, weight, options).values()
    return n / (n - 1) * sum(t**2 for t in terms), n - 1


def weighted_terms(totals: Totals, weight: float, options: InferenceOptions) -> dict[object, float]:
    """Each cluster's term in the linearised θ; over draws only where the corpus is the aim."""
    label, score = _hajek_terms(totals)
    if options.population == "corpus":
        kept = 1 - totals.probability * totals.coded_share
        return cluster_sums(np.sqrt(kept) * (label - weight * score), totals.coded_cluster)
    here, there = _overall_terms(totals)
    clusters = np.concatenate([totals.coded_cluster, totals.other_cluster])
    return cluster_sums(np.concatenate([label - weight * (score - here), weight * there]), clusters)


def _overall(totals: Totals) -> float:
    """The mean score over all articles."""
    scores = totals.coded_full_score.sum() + totals.other_score.sum()
    return float(scores / (totals.coded_size.sum() + totals.other_size.sum()))


def _overall_terms(totals: Totals) -> tuple[Array, Array]:
    """Each coded and each other article's term in the mean score over all articles."""
    mean, size = _overall(totals), totals.coded_size.sum() + totals.other_size.sum()
    return (
        (totals.coded_full_score - mean * totals.coded_size) / size,
        (totals.other_score - mean * totals.other_size) / size,
    )


def _hajek_terms(totals: Totals) -> tuple[Array, Array]:
    """Each coded article's linearised term in the two weighted means."""
    inverse = 1 / totals.probability
    pairs = (
        (totals.coded_label, totals.coded_label_size),
        (totals.coded_score, totals.coded_size),
    )
    label, score = (
        inverse
        * (total - (total * inverse).sum() / (size * inverse).sum() * size)
        / (size * inverse).sum()
        for total, size in pairs
    )
    return label, score
