"""One score from several predictors: the linear combination that predicts the labels best."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from classifier.errors import DataError
from classifier.intervals._totals import (
    Array,
    InferenceOptions,
    Sampling,
    Totals,
    article_totals,
    named,
    numbers,
)
from classifier.intervals._weighted import hajek_terms

FOLDS = 10
_FEW = 2
_TINY = 1e-300
_ALL_SUBSETS_UP_TO = 5


def combined_scores(
    predicted: Mapping[str, npt.ArrayLike],
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    sampling: Sampling | None = None,
    options: InferenceOptions | None = None,
) -> tuple[Array, dict[str, float]]:
    """Combine the scores of several predictors for a corrected mean.

    Every subset of the predictors is a candidate twice: with the weights that minimise the
    estimated variance of the corrected mean (Angelopoulos et al. 2023, "PPI++", with a vector for
    λ), none of them negative, and with equal weights, which cost one parameter only. The candidates
    are averaged by exp(-BIC / 2) (Raftery 1995, "Bayesian model selection in social research"), so
    that few coded articles choose nothing that they cannot tell. The weights sum to 1, or to more
    where the predictors together fall short of the labels; how far to trust the score, the
    corrected mean tunes itself. They are cross-fitted by story: an article is scored with weights
    learnt from the other folds, articles without labels with the mean of all folds' weights (Zrnic
    and Candès 2024).

    Args:
        predicted: By predictor, its score per mention.
        coded: The human label per mention; nan where not coded.
        article: The article of each mention.
        sampling: Unequal chances, clusters of articles, false mentions.
        options: Estimand and population.

    Returns:
        A score per mention, and the mean weight of each predictor.

    Raises:
        DataError: no predictor, or columns that do not fit.
    """
    if not predicted:
        raise DataError("at least one predictor was required, got none")
    sampling, options = sampling or Sampling(), options or InferenceOptions()
    columns = np.column_stack([numbers(c, f"scores of {n}") for n, c in predicted.items()])
    several = [
        article_totals(column, coded, article, sampling, options.estimand) for column in columns.T
    ]
    clusters = named(article if sampling.cluster is None else sampling.cluster, "cluster")
    names, index = np.unique(several[0].coded_cluster, return_inverse=True)
    if len(names) < 2 * _FEW:
        return columns.mean(axis=1), dict.fromkeys(predicted, 1 / len(predicted))
    n_folds = min(FOLDS, len(names))
    # Dealt out at random, but the same each time: neighbours in name may be neighbours in time.
    fold_of = np.random.default_rng(0).permutation(len(names)) % n_folds
    label, score, spread = _terms(several, options)
    weights = np.array(
        [_weights(label, score, spread, fold_of[index] != k) for k in range(n_folds)]
    )
    total = weights.sum(axis=1, keepdims=True)
    is_none = total <= _TINY
    weights = np.where(is_none, 1 / len(columns.T), weights / np.where(is_none, 1, total))
    # One factor for all folds: a scale that changes from fold to fold only adds noise.
    weights *= max(1.0, float(total.mean()))
    mean = weights.mean(axis=0)
    place = np.clip(np.searchsorted(names, clusters), 0, len(names) - 1)
    own = np.where((names[place] == clusters)[:, None], weights[fold_of[place]], mean)
    return (columns * own).sum(axis=1), dict(zip(predicted, map(float, mean), strict=True))


def _terms(several: list[Totals], options: InferenceOptions) -> tuple[Array, Array, Array]:
    """Linearised terms of labels and scores per coded article, and what the others' scores add."""
    pairs = [hajek_terms(totals) for totals in several]
    label, score = pairs[0][0], np.column_stack([score for _, score in pairs])
    others = np.column_stack([t.other_score for t in several])
    size = several[0].other_size
    if options.population == "corpus" or len(size) < _FEW:
        return label, score, np.zeros((score.shape[1], score.shape[1]))
    residual = others - others.sum(axis=0) / size.sum() * size[:, None]
    return label, score, residual.T @ residual / size.sum() ** 2


def _weights(label: Array, score: Array, spread: Array, seen: npt.NDArray[np.bool_]) -> Array:
    """Mean weights of all candidates, each by how likely it is: n log(loss) + k log(n) is BIC."""
    n, k = int(seen.sum()), score.shape[1]
    label, score, spread = label[seen], score[seen], spread * seen.mean()
    sizes = range(1, k + 1) if k <= _ALL_SUBSETS_UP_TO else (1, k)
    made, criteria = [], []
    for chosen in (c for size in sizes for c in combinations(range(k), size)):
        equal = np.isin(np.arange(k), chosen)[:, None] / len(chosen)
        for basis in (np.eye(k)[:, chosen], equal)[: len(chosen)]:
            own, loss = _fitted(label, score @ basis, basis.T @ spread @ basis)
            made.append(basis @ own)
            criteria.append(n * np.log(max(loss, _TINY)) + basis.shape[1] * np.log(n))
    likely = np.exp(-(np.array(criteria) - min(criteria)) / 2)
    return np.asarray(likely @ np.array(made) / likely.sum())


def _fitted(label: Array, score: Array, spread: Array) -> tuple[Array, float]:
    """Non-negative weights w that minimise Σ(y - wf)² + w'Sw, and that minimum."""
    from scipy.optimize import nnls

    scale = np.sqrt((score**2).sum(axis=0))
    scale = np.where(scale > 0, scale, 1.0)
    values, vectors = np.linalg.eigh(spread)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    rows = np.vstack([score, root]) / scale
    weights, error = nnls(rows, np.concatenate([label, np.zeros(len(root))]))
    return weights / scale, float(error) ** 2
