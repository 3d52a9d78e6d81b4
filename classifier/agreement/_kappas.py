"""Kappas: Cohen, Fleiss, Scott, Brennan and Prediger, Gwet, Conger."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from classifier.agreement._coding import (
    DEFAULT_OPTIONS,
    AgreementOptions,
    Coding,
    Sums,
    estimate,
    not_estimable,
    per_article,
    ratio,
    read_coding,
)
from classifier.agreement._krippendorff import Weights, kappa_distances
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import FloatArray, Statistic
from classifier.records import Estimate

_TINY = 1e-12


def kappa(
    table: pd.DataFrame,
    variable: Variable,
    *,
    weights: Weights = "plain",
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Cohen's kappa of two annotators, 1 - D_o / D_e with each annotator's own margins.

    Cohen 1960; weighted 1968 by distance in codebook order. Units that one of them left out do not
    count. Raises `DataError` unless there are at most two annotators.
    """
    return _two(table, variable, weights, options, ("Cohen's kappa", cohen_statistic))


def scott_pi(
    table: pd.DataFrame,
    variable: Variable,
    *,
    weights: Weights = "plain",
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Scott's pi of two annotators, who share one pair of margins (Scott 1955)."""
    return _two(table, variable, weights, options, ("Scott's pi", _pi))


def fleiss_kappa(
    table: pd.DataFrame, variable: Variable, *, options: AgreementOptions = DEFAULT_OPTIONS
) -> Estimate:
    """Fleiss' kappa (1971) of any number of annotators.

    Where annotators differ in number between units, margins are means over units of the shares
    within a unit (Gwet 2014), units with one label included.
    """
    coding, same = _weighted(table, variable, "plain", options)
    return _many(coding, same, _fleiss, "Fleiss' kappa", options)


def gwet(
    table: pd.DataFrame,
    variable: Variable,
    *,
    weights: Weights = "plain",
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Gwet's AC1 (plain weights) or AC2 (linear, quadratic).

    p_e = sum(w) / (q (q - 1)) * sum(pi_k (1 - pi_k)) with q from the codebook: labels that nobody
    used count too. Gwet 2014, "Handbook of Inter-Rater Reliability".
    """
    coding, similar = _weighted(table, variable, weights, options)
    name = "Gwet's AC1" if weights == "plain" else f"Gwet's AC2, {weights}"
    return _many(coding, similar, gwet_statistic(similar), name, options)


def brennan_prediger(
    table: pd.DataFrame,
    variable: Variable,
    *,
    weights: Weights = "plain",
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Brennan and Prediger's coefficient (1981): chance is 1 / q of q labels, used or not.

    Weighted p_e = sum(w) / q^2. What annotators mostly say has no influence on chance.
    """
    coding, similar = _weighted(table, variable, weights, options)
    chance = float(similar.mean())
    name = weighted_name("Brennan and Prediger's coefficient", weights)

    def statistic(totals: FloatArray) -> FloatArray:
        agreed, _ = _agreed(totals)
        return corrected(1 - agreed, np.full_like(agreed, 1 - chance))

    return _many(coding, similar, statistic, name, options)


def raw_agreement(
    table: pd.DataFrame, variable: Variable, *, options: AgreementOptions = DEFAULT_OPTIONS
) -> Estimate:
    """Share of pairs of annotators that agree, averaged over units; not corrected for chance.

    Sets agree if they are equal.
    """
    coding = read_coding(table, variable, options)
    same = np.eye(len(coding.values))
    missing = not_estimable(coding, "raw agreement", options)
    if missing is not None:
        return missing
    totals = per_article(unit_shares(coding.counts, same), coding)
    sums = Sums(totals, lambda totals: _agreed(totals)[0], "raw agreement", (0.0, 1.0))
    return of_all_units(coding, sums, options)


def contingency(coding: Coding) -> FloatArray:
    """First annotator x second annotator per article, flattened: `(articles, labels ** 2)`."""
    n = len(coding.values)
    first, second = coding.codes[:, 0], coding.codes[:, 1]
    both = np.flatnonzero((first >= 0) & (second >= 0))
    cells = np.zeros((len(coding.codes), n * n))
    cells[both, first[both] * n + second[both]] = 1
    return per_article(cells, coding)


def _two(
    table: pd.DataFrame,
    variable: Variable,
    weights: Weights,
    options: AgreementOptions,
    measure: tuple[str, Callable[[FloatArray], Statistic]],
) -> Estimate:
    """A measure of two annotators: its name, and from distances to its statistic."""
    check_weights(weights, variable)
    name, statistic_of = measure
    coding = read_coding(table, variable, options)
    if len(coding.annotators) > 2:
        raise DataError(
            f"{name} needs two annotators, got {', '.join(coding.annotators)}; "
            "take two of them, or all pairs with by_pair"
        )
    method = weighted_name(name, weights)
    missing = not_estimable(coding, method, options)
    if missing is not None:
        return missing
    pairable = coding.pairable()
    statistic = statistic_of(kappa_distances(len(coding.values), weights))
    return estimate(pairable, Sums(contingency(pairable), statistic, method, (-1.0, 1.0)), options)


def _weighted(
    table: pd.DataFrame, variable: Variable, weights: Weights, options: AgreementOptions
) -> tuple[Coding, FloatArray]:
    """The coding, and how similar the weights take two labels to be."""
    check_weights(weights, variable)
    coding = read_coding(table, variable, options)
    return coding, 1 - kappa_distances(len(coding.values), weights)


def _many(
    coding: Coding,
    similar: FloatArray,
    statistic: Statistic,
    method: str,
    options: AgreementOptions,
) -> Estimate:
    missing = not_estimable(coding, method, options)
    if missing is not None:
        return missing
    rows = unit_shares(coding.counts, similar)
    return of_all_units(coding, Sums(per_article(rows, coding), statistic, method), options)


def of_all_units(coding: Coding, sums: Sums, options: AgreementOptions) -> Estimate:
    """An estimate to which units with one label contribute, counted by those with more."""
    made, pairable = estimate(coding, sums, options), coding.pairable()
    return replace(made, n_items=len(pairable.codes), n_articles=pairable.n_articles)


def weighted_name(name: str, weights: Weights) -> str:
    """A measure with its weights, if it has some.

    >>> weighted_name("Cohen's kappa", "linear")
    "Cohen's kappa, linear"
    """
    return name if weights == "plain" else f"{name}, {weights}"


def unit_shares(counts: FloatArray, similar: FloatArray) -> FloatArray:
    """Per unit: agreement of its pairs, is pairable, is coded, share of each label."""
    n = counts.sum(axis=1)
    pairs = np.maximum(n * (n - 1), 1)
    agreed = (counts * (counts @ similar - 1)).sum(axis=1) / pairs
    pairable = n >= 2
    shares = counts / np.maximum(n, 1)[:, None]
    return np.column_stack([np.where(pairable, agreed, 0), pairable, n >= 1, shares])


def _agreed(totals: FloatArray) -> tuple[FloatArray, FloatArray]:
    n_pairable, n_coded = totals[..., 1], totals[..., 2]
    agreed = np.divide(
        totals[..., 0], n_pairable, out=np.full_like(n_pairable, np.nan), where=n_pairable > 0
    )
    return agreed, totals[..., 3:] / np.maximum(n_coded, 1)[..., None]


def _fleiss(totals: FloatArray) -> FloatArray:
    agreed, margins = _agreed(totals)
    return corrected(1 - agreed, 1 - (margins**2).sum(axis=-1))


def gwet_statistic(similar: FloatArray) -> Statistic:
    """AC1 or AC2 as a function of summed `unit_shares`."""
    n = len(similar)
    factor = similar.sum() / (n * (n - 1)) if n > 1 else np.nan

    def statistic(totals: FloatArray) -> FloatArray:
        agreed, margins = _agreed(totals)
        chance = factor * (margins * (1 - margins)).sum(axis=-1)
        return corrected(1 - agreed, 1 - chance)

    return statistic


def cohen_statistic(apart: FloatArray) -> Statistic:
    """Cohen's kappa as a function of summed contingency tables."""

    def statistic(totals: FloatArray) -> FloatArray:
        table = totals.reshape(*totals.shape[:-1], len(apart), len(apart))
        return _table_kappa(table, table.sum(axis=-1), table.sum(axis=-2), apart)

    return statistic


def _pi(apart: FloatArray) -> Statistic:
    def statistic(totals: FloatArray) -> FloatArray:
        table = totals.reshape(*totals.shape[:-1], len(apart), len(apart))
        margins = (table.sum(axis=-1) + table.sum(axis=-2)) / 2
        return _table_kappa(table, margins, margins, apart)

    return statistic


def _table_kappa(
    table: FloatArray, first: FloatArray, second: FloatArray, apart: FloatArray
) -> FloatArray:
    n = np.maximum(table.sum(axis=(-2, -1)), 1)
    observed = (table * apart).sum(axis=(-2, -1)) / n
    expected = ((first @ apart) * second).sum(axis=-1) / n**2
    return corrected(observed, expected)


def corrected(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """1 - D_o / D_e; nan if no disagreement is to be expected."""
    observed, expected = np.asarray(observed), np.asarray(expected)
    varies = expected > _TINY
    ratio = np.divide(observed, expected, out=np.full_like(expected, np.nan), where=varies)
    return np.asarray(1 - ratio, dtype=np.float64)


def check_weights(weights: Weights, variable: Variable) -> None:
    """Refuse sets, unknown weights, and weights that need an order the labels do not have."""
    if variable.kind == "set":
        raise DataError(
            f"variable {variable.name!r} is a set: use alpha, or this measure per label (by_label)"
        )
    known = get_args(Weights)
    if weights not in known:
        raise DataError(f"weights are one of {', '.join(known)}; got {weights!r}")
    if weights != "plain" and variable.kind != "ordinal":
        raise DataError(
            f"{weights} weights need an ordinal variable; {variable.name!r} is {variable.kind}"
        )


def conger_kappa(
    table: pd.DataFrame,
    variable: Variable,
    *,
    weights: Weights = "plain",
    options: AgreementOptions = DEFAULT_OPTIONS,
) -> Estimate:
    """Conger's kappa (1980): Cohen's for any number of annotators, each with margins of their own.

    p_e = sum_kl w_kl (p_k p_l - s_kl / r) with means p and covariances s of the r annotators'
    shares (Gwet 2014), each over all units that the annotator coded.
    """
    coding, similar = _weighted(table, variable, weights, options)
    name = weighted_name("Conger's kappa", weights)
    missing = not_estimable(coding, name, options)
    if missing is not None:
        return missing
    own = (coding.codes[:, :, None] == np.arange(len(similar))).reshape(len(coding.codes), -1)
    rows = np.column_stack([unit_shares(coding.counts, similar)[:, :2], own])
    return of_all_units(coding, Sums(per_article(rows, coding), _conger(similar), name), options)


def _conger(similar: FloatArray) -> Statistic:
    """Conger's kappa as a function of summed agreement and counts per annotator and label."""

    def statistic(totals: FloatArray) -> FloatArray:
        agreed = ratio(totals[..., 0], totals[..., 1])
        counts = totals[..., 2:].reshape(*totals.shape[:-1], -1, len(similar))
        n = counts.sum(axis=-1, keepdims=True)
        shares = counts / np.maximum(n, 1)
        n_annotators = (n[..., 0] > 0).sum(axis=-1)
        total = shares.sum(axis=-2)
        # Mean over pairs of different annotators of the chance that they agree.
        all_pairs = ((total @ similar) * total).sum(axis=-1)
        same = ((shares @ similar) * shares).sum(axis=(-2, -1))
        pairs = (n_annotators * (n_annotators - 1)).astype(np.float64)
        return corrected(1 - agreed, 1 - ratio(all_pairs - same, pairs))

    return statistic
