"""How many articles more each group needs, and with which chances to draw them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from classifier._deprecated import DeprecatedChart
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.intervals import MINIMUM_CODED, Sampling, articles_needed
from classifier.notebook_html import frame_html, frame_text
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.profiles._table import (
    IS_FALSE,
    ProfileOptions,
    check_columns,
    check_gold,
    clusters,
    gold_column,
    is_predicted,
    score_column,
    select_mentions,
    with_labels,
)

UNREACHABLE = "not reachable with the articles there are"
_FIGURES = ("variable", "articles", "coded", "needed", "more", "status")
_ROWS_SHOWN = 100


@dataclass(frozen=True)
class Plan(DeprecatedChart, InPapers):
    """How many coded articles every group needs for an interval of a wished half-width."""

    half_width: float
    by: tuple[str, ...]
    """The columns that part the groups."""
    rows: tuple[Mapping[str, Any], ...]
    """Per group and variable: `articles`, `coded`, `needed` in all and `more` to code, which are
    None where `status` says why nothing could be planned or why no number would do."""

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Row by row."""
        return iter(self.rows)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One row per group and variable; a number that is not known is missing."""
        frame = pd.DataFrame(list(self.rows), columns=[*self.by, *_FIGURES])
        return frame.astype({"needed": "Int64", "more": "Int64"})

    def __repr__(self) -> str:
        """Group by group what is needed, or why that is not known."""
        return frame_text(self._brief(), self._caption())

    def _repr_html_(self) -> str:
        return frame_html(self._brief(), self._caption(), _ROWS_SHOWN)

    def _caption(self) -> str:
        return f"Coded articles for an interval of ± {self.half_width:g}"

    def paper_table(self) -> PaperTable:
        """One row per group and variable."""
        records: list[dict[str, Any]] = self._brief().to_dict("records")
        return table_of_records(self._caption(), records)

    @staticmethod
    def _words(row: Mapping[str, Any]) -> dict[str, Any]:
        """The numbers of a row; without them what must be coded first, or why nothing would do."""
        if row["needed"] is not None:
            return {}
        lacking = MINIMUM_CODED - row["coded"]
        if row["status"] == UNREACHABLE or lacking <= 0:
            return {"needed": row["status"], "more": None}
        if row["articles"] < MINIMUM_CODED:
            return {"needed": f"no plan: {row['articles']} articles in all", "more": None}
        return {"needed": f"{MINIMUM_CODED} to plan", "more": f"{lacking} first"}

    def _brief(self) -> pd.DataFrame:
        """What is needed as text, so that a reason can stand where a number cannot."""
        lines = [{**row, **self._words(row)} for row in self.rows]
        shown = [name for name in (*self.by, *_FIGURES) if name != "status"]
        return pd.DataFrame(lines, columns=shown, dtype="object")


def plan_articles(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    *,
    half_width: float,
    options: ProfileOptions | None = None,
) -> Plan:
    """Per group, coded articles needed for an interval of this half-width around each mean.

    `needed` is for the interval of a random draw with equal chances.
    Raises `DataError` for a half-width that is not positive.
    """
    options = options or ProfileOptions()
    check_columns(predictions, codebook, options)
    check_gold(predictions, gold)
    if not half_width > 0:
        raise DataError(f"a half-width must be positive, got {half_width}")
    kept, _ = select_mentions(predictions, codebook, gold, options)
    table = with_labels(kept, codebook, gold)
    rows = (
        {
            **dict(zip(options.by, map(str, key), strict=True)),
            **_plan(variable, members, half_width, options),
        }
        for key, members in table.groupby(list(options.by), sort=True)
        for variable in codebook.variables
        if variable.kind == "ordinal" and is_predicted(variable, predictions)
    )
    return Plan(half_width, tuple(options.by), tuple(rows))


def planned_chances(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame,
    plan: Iterable[Mapping[str, Any]],
    options: ProfileOptions | None = None,
) -> dict[str, float]:
    """Article id -> chance in a further draw that brings every group what `plan` says it needs.

    An article of several groups takes the largest of their chances, `more` over the articles that
    are not coded yet. A group with too few coded articles to plan gets as many as a correction
    takes; one that cannot reach the width gets none. Those already in `gold` have the chance that
    they would have had, which their combined probability needs.
    """
    options = options or ProfileOptions()
    kept, _ = select_mentions(predictions, codebook, gold, options)
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
