"""How many articles more each group needs, and with which chances to draw them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.inference import MINIMUM_CODED, Sampling, articles_needed
from classifier.profiles.table import (
    IS_FALSE,
    ProfileOptions,
    check_columns,
    check_overlap,
    clusters,
    gold_column,
    is_predicted,
    score_column,
    select_mentions,
    with_labels,
)

UNREACHABLE = "not reachable with the articles there are"


def plan_articles(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    *,
    half_width: float,
    options: ProfileOptions | None = None,
) -> list[dict[str, Any]]:
    """Per group, coded articles needed for an interval of this half-width around each mean.

    Each entry has the group, the variable, articles in all, coded, `needed` in all and `more` to
    code (both None where even all would not do), and a `status` that says why nothing could be
    planned. `needed` is for the interval of a random draw with equal chances.
    Raises `DataError` for a half-width that is not positive.
    """
    options = options or ProfileOptions()
    check_columns(predictions, codebook, options)
    check_overlap(predictions, gold)
    if half_width <= 0:
        raise DataError(f"a half-width must be positive, got {half_width}")
    kept, _ = select_mentions(predictions, gold, options)
    table = with_labels(kept, codebook, gold)
    return [
        {
            **dict(zip(options.by, map(str, key), strict=True)),
            **_plan(variable, members, half_width, options),
        }
        for key, members in table.groupby(list(options.by), sort=True)
        for variable in codebook.variables
        if variable.kind == "ordinal" and is_predicted(variable, predictions)
    ]


def planned_chances(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    plan: Sequence[Mapping[str, Any]],
    options: ProfileOptions | None = None,
) -> dict[str, float]:
    """Article id -> chance in a further draw that brings every group what `plan` says it needs.

    An article of several groups takes the largest of their chances, `more` over the articles that
    are not coded yet. A group with too few coded articles to plan gets as many as a correction
    takes; one that cannot reach the width gets none. Those already in `gold` have the chance that
    they would have had, which their combined probability needs.
    """
    options = options or ProfileOptions()
    kept, _ = select_mentions(predictions, None, options)
    is_left = ~kept["article_id"].isin(set(gold["article_id"]))
    wanted = Counter[tuple[str, ...]]()
    for row in plan:
        group = tuple(str(row[name]) for name in options.by)
        wanted[group] = max(wanted[group], _more(row))
    chances: dict[str, float] = {}
    for key, members in kept.groupby(list(options.by), sort=True):
        n_left = members["article_id"][is_left[members.index]].nunique()
        chance = min(wanted[tuple(map(str, key))] / max(n_left, 1), 1.0)
        for name in members["article_id"].unique():
            chances[name] = max(chance, chances.get(name, 0.0))
    return chances


def _more(row: Mapping[str, Any]) -> int:
    if row["more"] is not None:
        return int(row["more"])
    return max(0, MINIMUM_CODED - row["coded"]) if row["status"] != UNREACHABLE else 0


def _plan(
    variable: Variable, members: pd.DataFrame, half_width: float, options: ProfileOptions
) -> dict[str, Any]:
    articles, coded = members["article_id"], members[gold_column(variable, None)]
    sampling = Sampling(cluster=clusters(members), is_false=members[IS_FALSE])
    plan: dict[str, Any] = {
        "variable": variable.name,
        "articles": int(articles.nunique()),
        "coded": int(articles[coded.notna() | members[IS_FALSE]].nunique()),
        "needed": None,
        "more": None,
        "status": "ok",
    }
    scores = members[score_column(variable, None)]
    try:
        needed = articles_needed(
            scores, coded, articles, half_width, sampling=sampling, options=options.inference
        )
    except DataError as error:
        return plan | {"status": str(error)}
    if needed is None:
        return plan | {"status": UNREACHABLE}
    return plan | {"needed": needed, "more": max(0, needed - plan["coded"])}
