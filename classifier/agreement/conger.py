"""Conger's kappa: chance from what each annotator says, for any number of them."""

import numpy as np
import pandas as pd

from classifier.agreement.coding import DEFAULT_OPTIONS, AgreementOptions, read_coding
from classifier.agreement.distances import Weights, kappa_distances
from classifier.agreement.estimating import Sums, not_estimable, per_article
from classifier.agreement.f1 import ratio
from classifier.agreement.kappas import (
    check_weights,
    corrected,
    of_all_units,
    unit_shares,
    weighted_name,
)
from classifier.codebook import Variable
from classifier.records import Estimate
from classifier.resampling import FloatArray, Statistic


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
    check_weights(weights, variable)
    coding = read_coding(table, variable, options)
    name = weighted_name("Conger's kappa", weights)
    missing = not_estimable(coding, name, options)
    if missing is not None:
        return missing
    similar = 1 - kappa_distances(len(coding.values), weights)
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
