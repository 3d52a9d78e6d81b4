"""How many articles more each group needs."""

from typing import Any

import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.inference import Sampling, articles_needed
from classifier.profiles.table import (
    IS_FALSE,
    ProfileOptions,
    check_columns,
    clusters,
    gold_column,
    is_predicted,
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

    Each entry has the group, the variable, articles in all, coded, `needed` in all and `more` to
    code (both None where even all would not do), and a `status` that says why nothing could be
    planned. `needed` is for the interval of a random draw with equal chances.
    """
    options = options or ProfileOptions()
    check_columns(predictions, codebook, options)
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
        return plan | {"status": "not reachable with the articles there are"}
    return plan | {"needed": needed, "more": max(0, needed - plan["coded"])}
