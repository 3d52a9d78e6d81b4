"""The predictor among the annotators, one left out at a time."""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np

from classifier.agreement import (
    AgreementOptions,
    Coding,
    Weights,
    alpha_sums,
    cohen_statistic,
    contingency,
    gwet_statistic,
    hits,
    kappa_distances,
    unit_shares,
    usual_level,
)
from classifier.codebook import Variable
from classifier.evaluation._inputs import Answer, Mask, membership
from classifier.evaluation._tables import (
    NO_VARIATION,
    EvaluationOptions,
    Sample,
    figure,
    macro_f1_of,
    mean_defined,
)
from classifier.intervals import FloatArray, IntArray, Statistic, estimated
from classifier.records import Estimate

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
    """Cohen's kappa, with quadratic weights if the labels have an order."""
    weights: Weights = "quadratic" if variable.kind == "ordinal" else "plain"
    apart = kappa_distances(len(variable.labels), weights)
    statistic = cohen_statistic(apart)
    return f"Cohen's kappa, {weights}", lambda coding: (contingency(coding), statistic)


def gwet_comparison(variable: Variable) -> tuple[str, Comparison]:
    """AC2 with quadratic weights if the labels have an order, else AC1."""
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

    def read(sums: FloatArray) -> FloatArray:
        return mean_defined(statistic(sums.reshape(*sums.shape[:-1], *totals.shape[1:])))

    if np.isnan(read(flat.sum(axis=0))):
        return _none(NO_VARIATION, method, coding)
    return _estimate(flat, read, (method, _BOUNDS), (coding, int(shared.sum())), options)


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


_METHOD = "macro-F1 against the majority of the other annotators"


def against_others(
    coding: Coding, columns: Sequence[int], variable: Variable, options: EvaluationOptions
) -> LeaveOneOut:
    """Macro-F1 on the same items against the same references.

    A reference is what most of the other annotators say; items where they tie do not count.

    Args:
        coding: The predictor is the first column.
        columns: The annotators to leave out, one at a time; the figures are means over them.
        variable: The question.
        options: Intervals.
    """
    members = value_members(coding, variable)
    blocks = [_block(coding, column, members, variable) for column in columns]
    # A unit that everybody gives the empty set has sums of zero, but counts.
    used = np.flatnonzero(np.any([counts for _, counts in blocks], axis=0))
    kept = [sums[used] for sums, counts in blocks if counts.any()]
    # Units x left-out annotators x {predictor, annotator} x sums.
    sums = np.stack(kept, axis=1) if kept else np.zeros((0, 0, 2, 3))
    _, articles = np.unique(coding.articles[used], return_inverse=True)
    sample = Sample(
        sums.reshape(len(used), sums[:1].size),
        np.asarray(articles, dtype=np.int64).reshape(-1),
        options.interval,
        options.cluster,
    )
    one = (coding.codes[:, 1:] >= 0).any(axis=0).sum() < 2
    reason = "not estimable: one annotator" if one else "no overlap"
    undefined = NO_VARIATION if len(used) else reason
    predictor, annotators, apart = _figures(macro_f1_of(variable), sums.shape[1:])
    how = f"{_METHOD}, predictor minus annotators, paired"
    return LeaveOneOut(
        figure(sample, predictor, _METHOD, undefined=undefined),
        figure(sample, annotators, _METHOD, undefined=undefined),
        figure(sample, apart, how, bounds=(-1.0, 1.0), undefined=undefined),
    )


def value_members(coding: Coding, variable: Variable) -> FloatArray:
    """Values of a coding x labels: which labels a value holds."""
    values: list[Answer] = [v for v in coding.values if isinstance(v, str | frozenset)]
    return membership(values, variable)


def _block(
    coding: Coding, column: int, members: FloatArray, variable: Variable
) -> tuple[FloatArray, Mask]:
    """Sums for one left-out annotator, and which units count."""
    others = coding.codes[:, 1:].copy()
    others[:, column - 1] = -1
    reference, settled = _majority(others, members, variable)
    predictor, own = coding.codes[:, 0], coding.codes[:, column]
    counts = settled & (predictor >= 0) & (own >= 0)
    both = [hits(reference, members[codes]) for codes in (predictor, own)]
    sums = np.asarray(np.stack(both, axis=1) * counts[:, None, None], dtype=np.float64)
    return sums, counts


def _majority(others: IntArray, members: FloatArray, variable: Variable) -> tuple[FloatArray, Mask]:
    given = others >= 0
    counts = (members[others] * given[:, :, None]).sum(axis=1)
    n = given.sum(axis=1)
    if variable.kind == "set":
        is_tied = (2 * counts == n[:, None]).any(axis=1)
        return np.asarray(2 * counts > n[:, None], dtype=np.float64), (n > 0) & ~is_tied
    top = counts.max(axis=1, keepdims=True)
    reference = counts == top
    return reference.astype(np.float64), (n > 0) & (reference.sum(axis=1) == 1)
