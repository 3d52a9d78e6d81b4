"""How many articles more each group needs."""

from typing import Any

import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.inference import articles_needed
from classifier.profiles.table import (
    ProfileOptions,
    check_columns,
    clusters,
    gold_column,
    score_column,
    select_mentions,
    with_labels,
)


def plan_articles(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    *,
    half_width: float,
    options: ProfileOptions | None = None,
) -> list[dict[str, Any]]:
    """Per group, coded articles needed for an interval of this half-width around each mean.

    Each entry has the group, the variable, articles in all, coded, `needed` (None where even all
    would not do) and a `status` that says why nothing could be planned.
    """
    options = options or ProfileOptions()
    check_columns(predictions, codebook, options)
    kept, _ = select_mentions(predictions, gold, options)
    table = with_labels(kept, codebook, gold)
    return [
        {**dict(zip(options.by, key, strict=True)), **_plan(variable, members, half_width, options)}
        for key, members in table.groupby(list(options.by), sort=True)
        for variable in codebook.variables
        if variable.kind == "ordinal"
    ]


def _plan(
    variable: Variable, members: pd.DataFrame, half_width: float, options: ProfileOptions
) -> dict[str, Any]:
    stories = clusters(members)
    coded = members[gold_column(variable, None)]
    plan: dict[str, Any] = {
        "variable": variable.name,
        "articles": int(stories.nunique()),
        "coded": int(stories[coded.notna()].nunique()),
        "needed": None,
        "status": "ok",
    }
    scores = members[score_column(variable, None)]
    try:
        plan["needed"] = articles_needed(
            scores, coded, stories, half_width, options=options.inference
        )
    except DataError as error:
        return plan | {"status": str(error)}
    if plan["needed"] is None:
        plan["status"] = "not reachable with the articles there are"
    return plan
