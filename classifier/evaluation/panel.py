"""Table A: the predictor as one more annotator, beside the annotators among themselves.

The ceiling is computed on the same items and with as many reference annotators: each annotator h is
left out in turn, and h and the predictor are both compared with each of the others on the items
that all three answered. Comparing "predictor with majority" to "annotator with annotator" would
flatter the predictor.
"""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from classifier.agreement.coding import AgreementOptions, Coding
from classifier.agreement.distances import Weights, kappa_distances, usual_level
from classifier.agreement.kappas import cohen_statistic, contingency, gwet_statistic, unit_shares
from classifier.agreement.krippendorff import alpha_sums
from classifier.codebook import Variable
from classifier.evaluation.figures import NO_VARIATION, mean_defined
from classifier.evaluation.inputs import Mask
from classifier.records import Estimate
from classifier.resampling import FloatArray, Statistic, estimated

Sums = tuple[FloatArray, Statistic]
Comparison = Callable[[Coding], Sums]
"""From a coding with two columns to article totals and the figure as a function of them."""

_BOUNDS = (-np.inf, 1.0)
_APART = (-np.inf, np.inf)


class LeaveOneOut(NamedTuple):
    """A figure between predictor and annotators, among annotators, and their paired difference."""

    predictor: Estimate
    annotators: Estimate
    difference: Estimate


def alpha_comparison(variable: Variable) -> tuple[str, Comparison]:
    """Krippendorff's alpha at the variable's level."""
    level = usual_level(variable)
    return f"Krippendorff's alpha, {level}", lambda coding: alpha_sums(coding, variable, level)


def kappa_comparison(variable: Variable) -> tuple[str, Comparison]:
    """Cohen's kappa, with quadratic weights where the labels have an order."""
    weights: Weights = "quadratic" if variable.kind == "ordinal" else "plain"
    apart = kappa_distances(len(variable.labels), weights)
    statistic = cohen_statistic(apart)
    return f"Cohen's kappa, {weights}", lambda coding: (contingency(coding), statistic)


def gwet_comparison(variable: Variable) -> tuple[str, Comparison]:
    """AC2 with quadratic weights where the labels have an order, else AC1."""
    is_ordinal = variable.kind == "ordinal"
    similar = 1 - kappa_distances(len(variable.labels), "quadratic" if is_ordinal else "plain")
    statistic = gwet_statistic(similar)

    def sums(coding: Coding) -> Sums:
        return unit_shares_by_article(coding, similar), statistic

    return "Gwet's AC2, quadratic" if is_ordinal else "Gwet's AC1", sums


def unit_shares_by_article(coding: Coding, similar: FloatArray) -> FloatArray:
    """Sums that AC1 and AC2 are made of."""
    totals = np.zeros((coding.n_articles, 3 + len(similar)))
    np.add.at(totals, coding.articles, unit_shares(coding.counts, similar))
    return totals


def leave_one_out(
    coding: Coding, comparison: tuple[str, Comparison], options: AgreementOptions
) -> LeaveOneOut:
    """Compare predictor (first column) and annotators on the same items.

    With one annotator there is only the predictor's figure.
    """
    method, compare = comparison
    pairs = _pairs(coding)
    if not pairs:
        reason = _no_pair(coding)
        lone = _alone(coding, compare, method, options)
        return LeaveOneOut(lone, _none(reason, method), _none(reason, method))
    coding = coding.select(
        np.flatnonzero(np.any([_common(coding, pair) for pair in pairs], axis=0))
    )
    blocks = [_blocks(coding, pair, compare) for pair in pairs]
    statistic = blocks[0][2]
    both = np.stack([np.stack([first, second]) for first, second, _ in blocks])
    defined = ~np.isnan(statistic(both.sum(axis=2))).any(axis=1)
    if not defined.any():
        missing = _none(NO_VARIATION, method, coding)
        return LeaveOneOut(missing, missing, missing)
    # Articles x pairs x {predictor, annotator} x sums.
    totals = both[defined].transpose(2, 0, 1, 3)
    flat = totals.reshape(len(totals), -1)
    figures = _figures(statistic, totals.shape[1:])
    n_pairs = int(sum(_common(coding, pair).sum() for pair in pairs)) // 2
    made = [
        _estimate(flat, read, (method, bounds), (coding, n_pairs), options)
        for read, bounds in zip(figures, (_BOUNDS, _BOUNDS, _APART), strict=True)
    ]
    return LeaveOneOut(*made)


def _pairs(coding: Coding) -> list[tuple[int, int]]:
    columns = [c for c in range(1, len(coding.annotators)) if (coding.codes[:, c] >= 0).any()]
    return [pair for pair in permutations(columns, 2) if _common(coding, pair).any()]


def _common(coding: Coding, pair: tuple[int, int]) -> Mask:
    return np.asarray((coding.codes[:, [0, *pair]] >= 0).all(axis=1))


def _blocks(
    coding: Coding, pair: tuple[int, int], compare: Comparison
) -> tuple[FloatArray, FloatArray, Statistic]:
    left_out, reference = pair
    same_items = coding.among(_common(coding, pair))
    predictor, statistic = compare(same_items.columns([0, reference]))
    annotator, _ = compare(same_items.columns([left_out, reference]))
    return predictor, annotator, statistic


def _figures(statistic: Statistic, shape: Sequence[int]) -> tuple[Statistic, Statistic, Statistic]:
    def each(totals: FloatArray) -> FloatArray:
        return statistic(totals.reshape(*totals.shape[:-1], *shape))

    return (
        lambda totals: mean_defined(each(totals)[..., 0]),
        lambda totals: mean_defined(each(totals)[..., 1]),
        lambda totals: mean_defined(each(totals)[..., 0] - each(totals)[..., 1]),
    )


def _alone(coding: Coding, compare: Comparison, method: str, options: AgreementOptions) -> Estimate:
    """The predictor against a lone annotator, or against several who share no item."""
    shared = (coding.codes[:, 0] >= 0) & (coding.codes[:, 1:] >= 0).any(axis=1)
    if not shared.any():
        return _none("no overlap", method)
    coding = coding.select(np.flatnonzero(shared))
    blocks = [compare(coding.columns([0, column])) for column in range(1, len(coding.annotators))]
    statistic = blocks[0][1]
    totals = np.stack([totals for totals, _ in blocks], axis=1)
    flat = totals.reshape(len(totals), -1)
    read = _mean_of(statistic, totals.shape[1:])
    if np.isnan(read(flat.sum(axis=0))):
        return _none(NO_VARIATION, method, coding)
    return _estimate(flat, read, (method, _BOUNDS), (coding, int(shared.sum())), options)


def _mean_of(statistic: Statistic, shape: Sequence[int]) -> Statistic:
    return lambda totals: mean_defined(statistic(totals.reshape(*totals.shape[:-1], *shape)))


def _estimate(
    totals: FloatArray,
    statistic: Statistic,
    named: tuple[str, tuple[float, float]],
    counted: tuple[Coding, int],
    options: AgreementOptions,
) -> Estimate:
    method, bounds = named
    coding, n_pairs = counted
    how = f"{method}, mean over left-out annotators; {options.cluster} {options.interval.method}"
    undefined = Estimate(
        None,
        NO_VARIATION,
        n_items=len(coding.codes),
        n_articles=coding.n_articles,
        n_pairs=n_pairs,
        method=how,
    )
    return estimated(undefined, totals, statistic, options.interval, bounds=bounds)


def _no_pair(coding: Coding) -> str:
    n = int((coding.codes[:, 1:] >= 0).any(axis=0).sum())
    return {0: "not estimable: no labels", 1: "not estimable: one annotator"}.get(n, "no overlap")


def _none(status: str, method: str, coding: Coding | None = None) -> Estimate:
    return Estimate(
        None,
        status,
        n_items=len(coding.codes) if coding else 0,
        n_articles=coding.n_articles if coding else 0,
        method=method,
    )
