"""Intervals of shares, which end at 0 and 1 and are lopsided where a label is rare."""

from dataclasses import replace

import numpy as np

from classifier.records import Estimate, counted

_ROUNDING = 1e-12


def share_interval(estimate: Estimate) -> Estimate:
    """The share with Wilson's interval for its effective number of draws, θ(1 - θ) / SE².

    Wilson (1927) with the effective number and a t quantile, as for clustered samples in Franco et
    al. (2019), "Comparative study of confidence intervals for proportions in complex sample
    surveys". It does not leave 0 to 1, and it reaches further on the side where there is more room.
    """
    share, error, freedom = estimate.value, estimate.standard_error, estimate.degrees_of_freedom
    if share is None or not error or freedom is None or not 0 < share < 1:
        return estimate
    from scipy import stats

    t = float(stats.t.ppf((1 + estimate.confidence) / 2, freedom))
    pull = t**2 * error**2 / (share * (1 - share))
    middle = (share + pull / 2) / (1 + pull)
    half = t / (1 + pull) * float(np.sqrt(error**2 * (1 + pull / (4 * share * (1 - share)))))
    return replace(estimate, low=max(middle - half, 0.0), high=min(middle + half, 1.0))


def bounded_share(estimate: Estimate, share: float, n_clusters: float) -> Estimate:
    """A share of 0 or 1 among the coded with the bound that it leaves (Clopper and Pearson 1934).

    Of n independent articles none had the label: the share is at most 1 - (α/2)^(1/n).
    """
    room = 1 - ((1 - estimate.confidence) / 2) ** (1 / n_clusters)
    none = share < _ROUNDING
    found = "no coded mention has it: an upper" if none else "all coded mentions have it: a lower"
    note = f"{found} bound from {counted(round(n_clusters), 'article')}"
    return replace(
        estimate,
        value=0.0 if none else 1.0,
        status="ok",
        low=0.0 if none else 1 - room,
        high=room if none else 1.0,
        interval_status="ok",
        model_weight=None,
        notes=(*estimate.notes, note),
    )


def is_bare(share: float) -> bool:
    """Whether none or all of the coded mentions have the label."""
    return share < _ROUNDING or share > 1 - _ROUNDING
