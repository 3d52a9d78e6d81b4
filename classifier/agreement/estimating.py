"""From article totals to an estimate, or to the reason why there is none."""

import math
from typing import NamedTuple

from classifier.agreement.coding import AgreementOptions, Coding
from classifier.records import Estimate
from classifier.resampling import FloatArray, Statistic, article_totals, estimated


class Sums(NamedTuple):
    """A measure as a function of article totals."""

    totals: FloatArray
    """Articles x k."""
    statistic: Statistic
    method: str
    bounds: tuple[float, float] = (-math.inf, 1.0)
    """Of the figure. Below -1 lies chance-corrected agreement whose margins also count units with
    one label."""


def estimate(coding: Coding, sums: Sums, options: AgreementOptions) -> Estimate:
    """The figure with its interval, or in words why there is none.

    `coding` holds the pairable units only, in the order in which they were summed.
    """
    n_labels = coding.n_labels
    undefined = Estimate(
        None,
        "undefined: no variation",
        n_items=len(coding.codes),
        n_articles=coding.n_articles,
        n_pairs=int((n_labels * (n_labels - 1) // 2).sum()),
        method=_described(sums.method, options),
        confidence=options.interval.confidence,
        notes=coding.notes,
    )
    return estimated(undefined, sums.totals, sums.statistic, options.interval, bounds=sums.bounds)


def not_estimable(coding: Coding, method: str, options: AgreementOptions) -> Estimate | None:
    """Why these labels say nothing about agreement, or None where they do."""
    n_annotators = int((coding.codes >= 0).any(axis=0).sum())
    if n_annotators >= 2 and (coding.n_labels >= 2).any():
        return None
    reasons = {0: "not estimable: no labels", 1: "not estimable: one annotator"}
    status = reasons.get(n_annotators, "no overlap")
    return Estimate(None, status, method=_described(method, options), notes=coding.notes)


def per_article(values: FloatArray, coding: Coding) -> FloatArray:
    """Sum unit rows by article."""
    return article_totals(values, coding.articles, coding.n_articles)


def _described(method: str, options: AgreementOptions) -> str:
    made = options.interval
    if made.method == "none":
        return method
    draws = f", {made.n_draws} draws" if made.method == "bootstrap" else ", t"
    return f"{method}; {options.cluster} {made.method}{draws}"
