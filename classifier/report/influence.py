"""How far each mention pulls the estimate of its group: what a reader should look at first."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.codebook import Codebook, Variable
from classifier.inference import Sampling
from classifier.profiles import ALL_VOICES, Profile, ProfileOptions, ProfileRow
from classifier.profiles.table import (
    estimated,
    gold_column,
    is_predicted,
    score_column,
    select_mentions,
    with_labels,
)
from classifier.profiles.verdict import describe_draw
from classifier.records import Estimate

Array = NDArray[np.float64]
_SAME = 1e-6


class Pulls(NamedTuple):
    """What each mention adds to the mean of its group, by unit."""

    moves: dict[str, float]
    """Nan where these rows do not reproduce the estimate."""
    estimates: dict[str, str]
    """Which estimate of the group is pulled at."""


def pulls(
    predictions: pd.DataFrame, codebook: Codebook, profile: Profile, gold: pd.DataFrame | None
) -> Pulls:
    """The pull of every mention on the mean of its group in all voices.

    It is the mention's term in the linearised estimator: without the mention the estimate would
    move by about as much the other way. Where every article counts alike, whatever its number of
    mentions, there is none.

    Args:
        predictions: What the profile was made from.
        codebook: Its first ordinal variable is what is pulled at.
        profile: By whatever columns.
        gold: The labels that the profile was corrected with, if any.
    """
    variables = [v for v in estimated(codebook) if is_predicted(v, predictions)]
    variable = next((v for v in variables if v.kind == "ordinal"), None)
    found = Pulls({}, {})
    if variable is None or not profile.rows:
        return found
    by = list(profile.rows[0].group)
    kept, _ = select_mentions(predictions, codebook, gold, ProfileOptions(by=tuple(by)))
    table = with_labels(kept, codebook, gold)
    rows = {tuple(r.group.values()): r for r in profile if r.voice == ALL_VOICES}
    for key, members in table.groupby(by, sort=False):
        row = rows.get(tuple(map(str, key)))
        if row is not None:
            sampling = describe_draw(members, variables).sampling(members)
            kind, values = _of_group(row, members, variable, sampling)
            units = members["unit"].tolist()
            found.moves.update(zip(units, values.tolist(), strict=True))
            found.estimates.update(dict.fromkeys(units, kind))
    return found


def _of_group(
    row: ProfileRow, members: pd.DataFrame, variable: Variable, sampling: Sampling
) -> tuple[str, Array]:
    """The estimate that is pulled at, and a value per member."""
    quantity = row.quantity(variable.name)
    scores = members[score_column(variable, None)].to_numpy(dtype=np.float64)
    is_false = np.asarray(sampling.is_false, dtype=bool)
    if quantity.corrected.value is None:
        mean, terms = _mean_terms(scores, (~is_false).astype(np.float64))
        return "model only", _if_same(quantity.naive, mean, terms)
    labels = members[gold_column(variable, None)].to_numpy(dtype=np.float64)
    seen = ~np.isnan(labels) | is_false
    articles = members["article_id"]
    # In an article coded in part, the coded mentions stand for all of it.
    share = pd.Series(seen).groupby(articles.to_numpy()).transform("mean").to_numpy()
    chance = 1.0 if sampling.probability is None else np.asarray(sampling.probability)
    inflated = np.divide(seen, share * chance, out=np.zeros(len(seen)), where=seen)
    others = np.ones(len(seen)) if sampling.probability is not None else (share == 0) * 1.0
    label_mean, label_terms = _mean_terms(labels, np.where(np.isnan(labels), 0.0, inflated))
    score_mean, score_terms = _mean_terms(scores, inflated)
    other_mean, other_terms = _mean_terms(scores, others)
    weight = (quantity.corrected.model_weight or 0.0) * bool(others.any())
    theta = label_mean + weight * (other_mean - score_mean)
    terms = label_terms + weight * (other_terms - score_terms)
    return "corrected", _if_same(quantity.corrected, theta, terms)


def _mean_terms(values: Array, weights: Array) -> tuple[float, Array]:
    """A weighted mean and every value's term in it, w (x - mean) / Σw."""
    used = weights > 0
    total = weights.sum()
    if not total:
        return 0.0, np.zeros(len(values))
    mean = float((weights[used] * values[used]).sum() / total)
    return mean, np.where(used, weights * (np.where(used, values, mean) - mean) / total, 0.0)


def _if_same(figure: Estimate, theta: float, values: Array) -> Array:
    if figure.value is None or abs(theta - figure.value) > _SAME:
        return np.full(len(values), np.nan)
    return values
