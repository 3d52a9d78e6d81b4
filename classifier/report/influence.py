"""How far each mention pulls the estimate of its group: what a reader should look at first."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.codebook import Codebook, Variable
from classifier.profiles import ALL_VOICES, Profile, ProfileOptions, ProfileRow
from classifier.profiles.table import (
    CHANCE,
    clusters,
    estimated,
    gold_column,
    score_column,
    select_mentions,
    with_labels,
)
from classifier.records import Estimate

Array = NDArray[np.float64]
_SAME = 1e-6


def pulls(
    predictions: pd.DataFrame, codebook: Codebook, profile: Profile, gold: pd.DataFrame | None
) -> tuple[dict[str, float], dict[str, str]]:
    """Per unit its pull on the mean of its group in all voices, and which estimate that is.

    The pull is the mention's term in the linearised estimator: the estimate would move by about
    that much the other way if the mention were left out. A group whose estimate these rows and
    equal weights per mention do not reproduce has none.

    Args:
        predictions: What the profile was made from.
        codebook: Its first ordinal variable is what is pulled at.
        profile: By whatever columns.
        gold: The labels that the profile was corrected with, if any.
    """
    variable = next((v for v in estimated(codebook) if v.kind == "ordinal"), None)
    if variable is None or not profile.rows or score_column(variable, None) not in predictions:
        return {}, {}
    by = tuple(profile.rows[0].group)
    kept, _ = select_mentions(predictions, gold, ProfileOptions(by=by))
    table = with_labels(kept, codebook, gold)
    rows = {tuple(r.group.values()): r for r in profile if r.voice == ALL_VOICES}
    found: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for key, members in table.groupby(list(by), sort=False):
        row = rows.get(tuple(map(str, key)))
        if row is not None:
            kind, values = _of_group(row, members, variable)
            units = members["unit"].tolist()
            found |= dict(zip(units, values.tolist(), strict=True))
            kinds |= dict.fromkeys(units[: len(values)], kind)
    return found, kinds


def _of_group(row: ProfileRow, members: pd.DataFrame, variable: Variable) -> tuple[str, Array]:
    """The estimate that is pulled at, and a value per member."""
    quantity = row.quantity(variable.name)
    scores = members[score_column(variable, None)].to_numpy(dtype=np.float64)
    labels = members[gold_column(variable, None)].to_numpy(dtype=np.float64)
    if quantity.corrected.value is not None:
        chances = members[CHANCE].to_numpy(dtype=np.float64)
        stories, _ = pd.factorize(clusters(members))
        made = _corrected(scores, labels, chances, stories, quantity.corrected)
        return "corrected", _if_same(quantity.corrected, *made)
    n = max(len(scores), 1)
    return "model only", _if_same(quantity.naive, scores.mean(), (scores - scores.mean()) / n)


def _if_same(figure: Estimate, theta: float, values: Array) -> Array:
    if figure.value is None or abs(theta - figure.value) > _SAME:
        return np.full(len(values), np.nan)
    return values


def _corrected(
    scores: Array, labels: Array, chances: Array, stories: NDArray[np.intp], figure: Estimate
) -> tuple[float, Array]:
    """θ and each mention's term in it, as `classifier.inference` defines them."""
    has_label = ~np.isnan(labels)
    in_coded = np.isin(stories, stories[has_label])
    other = ~in_coded
    weight = figure.model_weight or 0.0
    terms = np.zeros(len(scores))
    known = chances[~np.isnan(chances)]
    if len(np.unique(known)) >= 2:
        return _unequal(scores, labels, np.where(np.isnan(chances), 1.0, chances), weight)
    theta = labels[has_label].mean()
    errors = labels[has_label] - theta
    if other.any():
        shift = scores[other].mean() - scores[has_label].mean()
        theta += weight * shift
        terms[other] = weight * (scores[other] - scores[other].mean()) / other.sum()
        errors = errors - weight * (scores[has_label] - scores[has_label].mean())
    terms[has_label] = errors / has_label.sum()
    return float(theta), terms


def _unequal(scores: Array, labels: Array, chances: Array, weight: float) -> tuple[float, Array]:
    """The Hájek form: λ·mean F over all + Σ_L (y - λf)/π / Σ_L 1/π."""
    has_label = ~np.isnan(labels)
    terms = weight * (scores - scores.mean()) / len(scores)
    inverse = 1 / chances[has_label]
    errors = labels[has_label] - weight * scores[has_label]
    rest = float((errors * inverse).sum() / inverse.sum())
    terms[has_label] += inverse * (errors - rest) / inverse.sum()
    return float(weight * scores.mean() + rest), terms
