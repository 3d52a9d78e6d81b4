"""Predictor and annotators against the majority of the other annotators."""

from typing import NamedTuple

import numpy as np

from classifier.agreement.coding import Coding
from classifier.codebook import Variable
from classifier.evaluation.figures import (
    NO_VARIATION,
    Sample,
    figure,
    hits,
    macro_f1_of,
    mean_defined,
)
from classifier.evaluation.inputs import Answer, Mask, membership
from classifier.evaluation.options import EvaluationOptions
from classifier.records import Estimate
from classifier.resampling import FloatArray, IntArray

_METHOD = "macro-F1 against the majority of the other annotators"


class AgainstOthers(NamedTuple):
    """Macro-F1 on the same items against the same references."""

    predictor: Estimate
    annotators: Estimate
    difference: Estimate


def against_others(coding: Coding, variable: Variable, options: EvaluationOptions) -> AgainstOthers:
    """Mean over left-out annotators; items where the others tie are left out."""
    return _against(coding, range(1, len(coding.annotators)), variable, options)


def against_others_of(
    coding: Coding, column: int, variable: Variable, options: EvaluationOptions
) -> AgainstOthers:
    """The same for one left-out annotator."""
    return _against(coding, [column], variable, options)


def _against(
    coding: Coding, columns: "range | list[int]", variable: Variable, options: EvaluationOptions
) -> AgainstOthers:
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
    return _figures(sample, sums.shape[1:], variable, NO_VARIATION if len(used) else reason)


def _figures(
    sample: Sample, shape: tuple[int, ...], variable: Variable, undefined: str
) -> AgainstOthers:
    statistic = macro_f1_of(variable)

    def each(totals: FloatArray) -> FloatArray:
        return statistic(totals.reshape(*totals.shape[:-1], *shape))

    return AgainstOthers(
        figure(
            sample, lambda totals: mean_defined(each(totals)[..., 0]), _METHOD, undefined=undefined
        ),
        figure(
            sample, lambda totals: mean_defined(each(totals)[..., 1]), _METHOD, undefined=undefined
        ),
        figure(
            sample,
            lambda totals: mean_defined(each(totals)[..., 0] - each(totals)[..., 1]),
            f"{_METHOD}, predictor minus annotators, paired",
            bounds=(-1.0, 1.0),
            undefined=undefined,
        ),
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
