"""Which mentions enter a profile, and the human numbers beside the model's."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.agreement import is_missing
from classifier.annotations import flagged
from classifier.articles import named_column
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.intervals import InferenceOptions, Sampling, combined_scores, numbers
from classifier.predictions import named, prediction_schema
from classifier.records import PROFILE_ZONES, UNKNOWN, ZoneKind, counted

CHANCE = "chance"
"""Column with the chance that a mention's article had to be drawn; nan if nobody knows it."""
IS_FALSE = "is_false"
"""Column that says where a coder found no mention of the target."""
TRAINED_ON = ("train", "development", "calibration")
"""Parts of a run's split whose articles shaped the model; scoring writes the part down."""
TRAINED = "article the model was trained on"
"""Why a mention is left out that nobody may correct with."""
TIMES: Mapping[str, int] = {"year": 4, "month": 7}
"""Columns made from the date, and how much of an ISO date each takes."""
_NO_GROUPS = frozenset(prediction_schema(()).names) - {
    *("source", "language", "zone", "target", "voice", "speaker")
}
"""Columns that every table has and that hardly anybody groups by."""
POOLED = "all"
"""Name for no column at all: every mention is in one group."""
_ROUNDING = 1e-6
_OF = " of predictor "


@dataclass(frozen=True)
class ProfileOptions:
    """Which mentions enter a profile, how they are grouped and what is estimated."""

    by: tuple[str, ...] = ("source", "target")
    """Columns of the predictions that make the groups; also `year` and `month` of the date, and
    `all` for one group of all mentions."""
    zones: tuple[str, ...] = PROFILE_ZONES
    inference: InferenceOptions = field(default_factory=InferenceOptions)
    compare_shares: bool = False
    """Whether shares are compared and ranked like means."""
    seed: int = 0
    """Of the permutations that test how the coded articles were drawn."""

    def __post_init__(self) -> None:
        """Refuse what parts no groups, and zones that there are not."""
        if not self.by:
            raise DataError(f"by must be a tuple of column names, at least one; got {self.by!r}")
        known = get_args(ZoneKind)
        if not self.zones or not set(self.zones) <= set(known):
            raise DataError(f"zones are some of {', '.join(known)}; got {self.zones!r}")


def with_columns(predictions: pd.DataFrame, options: ProfileOptions) -> ProfileOptions:
    """The options with the columns of `by` as the predictions spell them.

    Raises `DataError` for one that is not there.
    """
    known = [name for name in predictions if not str(name).startswith(("p_", "passage_"))]
    known += [*(TIMES if "date" in predictions else ()), POOLED]
    shown = {str(name) for name in known if not _is_result(str(name), predictions)} - _NO_GROUPS
    return replace(options, by=tuple(named_column(name, known, shown) for name in options.by))


def _is_result(name: str, predictions: pd.DataFrame) -> bool:
    """Whether a column holds what is estimated: a score, what was scored, or sets of labels."""
    is_scored = name.endswith("_score") or f"{name}_score" in predictions
    first = list(predictions[name].dropna().head(1)) if name in predictions else []
    return is_scored or any(isinstance(value, list | set | frozenset) for value in first)


def _check_groups(predictions: pd.DataFrame, codebook: Codebook, options: ProfileOptions) -> None:
    named_columns = [name for name in options.by if name != POOLED]
    by = {"date" if name in TIMES else name: name for name in named_columns}
    for column, name in by.items():
        if column not in predictions:
            named_column(name, predictions)
    sets = [
        name
        for column, name in by.items()
        if any(isinstance(value, list | set | frozenset) for value in predictions[column])
    ]
    if sets:
        raise DataError(
            f"groups must be columns of one value a mention; {', '.join(map(repr, sets))} holds "
            "sets of labels, whose shares a profile has without being asked"
        )
    outcomes = {v.name for v in codebook.variables if v.kind in ("ordinal", "set")}
    outcomes |= {f"{name}_score" for name in outcomes}
    outcome = [name for column, name in by.items() if column in outcomes]
    if outcome:
        raise DataError(
            f"groups must not be what is estimated, got {', '.join(map(repr, outcome))}: "
            "a profile of the favourable mentions says nothing of a source"
        )


def check_columns(predictions: pd.DataFrame, codebook: Codebook, options: ProfileOptions) -> None:
    """Raise `DataError` for columns that the predictions lack and scores off their scale."""
    _check_groups(predictions, codebook, options)
    needed = {"unit", "article_id", "status", "zone", "voice"}
    missing = sorted(needed - set(predictions.columns))
    if missing:
        raise DataError(
            f"a profile needs the prediction columns {missing}; score again to get them"
        )
    repeated = predictions["unit"][predictions["unit"].duplicated()]
    if len(repeated):
        raise DataError(
            f"one row per mention was required, {counted(len(repeated), 'row')} too many, such as "
            f"{repeated.iloc[0]!r}; score again, or drop the repeated rows"
        )
    variables = estimated(codebook)
    if len(predictions) and not any(is_predicted(v, predictions) for v in variables):
        columns = [score_column(v, label) for v in variables for label in labels_of(v)]
        raise DataError(
            f"a profile needs the prediction columns of at least one variable out of {columns}; "
            "score again to get them"
        )
    for variable in variables:
        if is_predicted(variable, predictions):
            _check_scores(predictions, variable)


def _check_scores(predictions: pd.DataFrame, variable: Variable) -> None:
    for label in labels_of(variable):
        low, high = scale(variable, label)
        column = score_column(variable, label)
        scores = numbers(predictions[column], column)
        outside = scores[(scores < low - _ROUNDING) | (scores > high + _ROUNDING)]
        if len(outside):
            raise DataError(
                f"{column} must lie from {low:g} to {high:g}; {counted(len(outside), 'row')} "
                f"do not, such as {outside[0]:g}"
            )


def check_gold(predictions: pd.DataFrame, gold: pd.DataFrame | None) -> None:
    """Raise `DataError` if gold cannot correct the predictions.

    It needs one row per unit, and its articles must have been scored.
    """
    if gold is None:
        return
    missing = [name for name in ("unit", "not_target") if name not in gold]
    if missing:
        raise DataError(f"gold needs the columns unit and not_target; got no {', '.join(missing)}")
    repeated = gold["unit"][gold["unit"].duplicated()]
    if len(repeated):
        raise DataError(
            f"gold needs one row per unit, {counted(len(repeated), 'row')} too many, such as "
            f"{repeated.iloc[0]!r}; adjudicate first"
        )
    if gold.empty or "article_id" not in gold:
        return
    coded = set(gold["article_id"])
    if coded.isdisjoint(predictions["article_id"]):
        raise DataError(
            f"the coded articles must be among the scored ones, but none of {len(coded)} is, such "
            f"as {min(coded)!r}; score them too, or give the annotations of these articles"
        )


def is_predicted(variable: Variable, predictions: pd.DataFrame) -> bool:
    """Whether the predictions have every number that is estimated of a variable."""
    return all(score_column(variable, label) in predictions for label in labels_of(variable))


def select_mentions(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame | None,
    options: ProfileOptions,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that enter, and how many of the others there are by reason.

    False mentions stay: their scores are part of what the model says about an article. With gold,
    articles that the model was trained on go: it knows their labels, so its errors there are no
    sample of its errors elsewhere.
    """
    left_out = Counter[str]()
    keep = np.ones(len(predictions), bool)
    for reasons in _reasons(predictions, codebook, gold, options):
        out = keep & reasons.notna().to_numpy()
        left_out.update(reasons[out].astype(str))
        keep &= ~out
    if gold is not None:
        false = set(gold.loc[flagged(gold), "unit"])
        is_false = predictions["unit"].isin(false)
        left_out["not a mention of the target"] = int((keep & is_false).sum())
        missed = ~gold["unit"].isin(predictions["unit"]) & ~gold["unit"].isin(false)
        left_out["coded but not found"] = int(missed.sum())
    kept = predictions[keep].copy()
    if POOLED in options.by:
        kept[POOLED] = "all"
    for column in options.by:
        if column in TIMES:
            dates, length = kept["date"].astype(object), TIMES[column]
            known = dates.notna() & (dates.astype(str).str.len() >= length)
            kept[column] = dates.astype(str).str[:length].astype(object).where(known, UNKNOWN)
        kept[column] = named(kept[column])
    return kept, {reason: n for reason, n in left_out.items() if n}


def _reasons(
    predictions: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame | None,
    options: ProfileOptions,
) -> Iterator[pd.Series]:
    """Per check, why each row does not enter; None if it passes."""
    status, zone = predictions["status"].astype(object), predictions["zone"].astype(object)
    yield status.where(status != "ok", None)
    yield ("zone " + zone.astype(str)).where(~zone.isin(options.zones), None).astype(object)
    if gold is not None and "part" in predictions:
        seen = predictions["part"].isin(TRAINED_ON)
        yield seen.map({True: TRAINED})
    known = [v for v in estimated(codebook) if is_predicted(v, predictions)]
    scores = [score_column(variable, label) for variable in known for label in labels_of(variable)]
    empty = predictions[scores].isna().any(axis=1)
    yield empty.map({True: "no score"})


def with_labels(
    kept: pd.DataFrame,
    codebook: Codebook,
    gold: pd.DataFrame | None,
    chances: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Add per quantity a column of human numbers, nan if not coded, and what coders said.

    `chances` has those of articles that were not coded too, by article id, if they are known.
    """
    table = kept.reset_index(drop=True)
    found = None if gold is None else gold.set_index("unit")
    is_false = pd.Series(False, index=table.index)
    if found is not None:
        false = found.index[flagged(found)]
        is_false = table["unit"].isin(set(false))
    table[IS_FALSE] = is_false
    for variable in estimated(codebook):
        labels = pd.Series(None, index=table.index, dtype=object)
        if found is not None and variable.name in found:
            labels = table["unit"].map(found[variable.name]).where(~is_false, None)
        for label in labels_of(variable):
            column = gold_column(variable, label)
            table[column] = [_number(value, variable, label) for value in labels]
    table[CHANCE] = _chances(table, found, chances or {})
    return table


def _chances(
    table: pd.DataFrame, found: pd.DataFrame | None, chances: Mapping[str, float]
) -> pd.Series:
    """Per mention its article's chance: as its labels say, else as `chances` do."""
    own = pd.Series(np.nan, index=table.index)
    if found is not None and "sampling_probability" in found:
        own = table["unit"].map(found["sampling_probability"]).astype(float)
    # Chances belong to articles: mentions that nobody coded have that of their neighbours.
    if not ((own > 0) & (own <= 1) | own.isna()).all():
        raise DataError("a sampling probability must lie in (0, 1]")
    by_article = own.groupby(table["article_id"]).transform("max")
    return by_article.fillna(table["article_id"].map(chances).astype(float))


def _number(value: object, variable: Variable, label: str | None) -> float:
    if label is None:
        return variable.numbers[variable.index(value)] if isinstance(value, str) else np.nan
    if is_missing(value):
        return np.nan
    if not isinstance(value, frozenset | set | list | tuple | np.ndarray):
        raise DataError(f"variable {variable.name!r} is a set: a list was required, got {value!r}")
    unknown = set(value) - set(variable.names)
    if unknown:
        variable.index(str(min(unknown, key=str)))
    return float(label in value)


def clusters(members: pd.DataFrame) -> pd.Series:
    """The story if it is known, else the article: wire copies are no independent evidence."""
    if "story_id" not in members:
        return members["article_id"]
    is_known = members["story_id"].notna() & (members["story_id"] != "")
    return members["story_id"].where(is_known, members["article_id"])


def estimated(codebook: Codebook) -> list[Variable]:
    """The variables with something to estimate: a mean, or a share per label."""
    return [v for v in codebook.variables if v.kind in ("ordinal", "set")]


def labels_of(variable: Variable) -> Sequence[str | None]:
    """What is estimated of a variable: its mean (None), or the share of each label."""
    return (None,) if variable.kind == "ordinal" else variable.names


def scale(variable: Variable, label: str | None) -> tuple[float, float]:
    """Between which numbers a mean, or a share, lies."""
    return (0.0, 1.0) if label else (min(variable.numbers), max(variable.numbers))


def score_column(variable: Variable, label: str | None) -> str:
    """Where the predictions hold the model's number."""
    return column_of_scores(variable.name, label)


def gold_column(variable: Variable, label: str | None) -> str:
    """Where the table holds the human number."""
    return column_of_gold(variable.name, label)


def column_of_scores(variable: str, label: str | None) -> str:
    """Where the predictions hold the model's number of a variable of this name."""
    return f"{variable}_score" if label is None else f"p_{variable}_{label}"


def column_of_gold(variable: str, label: str | None) -> str:
    """Where the table holds the human number of a variable of this name."""
    return f"gold_{variable}" + ("" if label is None else f"_{label}")


def beside(tables: Sequence[pd.DataFrame], codebook: Codebook) -> pd.DataFrame:
    """The first predictor's table with the others' scores of the same mentions beside its own.

    Raises `DataError` if there is no table, or another predictor lacks a mention or a column.
    """
    if not tables:
        raise DataError("the predictions of at least one predictor were required, got none")
    table = tables[0]
    known = [v for v in estimated(codebook) if is_predicted(v, table)]
    columns = [score_column(variable, label) for variable in known for label in labels_of(variable)]
    for number, other in enumerate(tables[1:], 2):
        missing = sorted({"unit", *columns} - set(other.columns))
        if missing:
            raise DataError(
                f"every predictor needs the columns of the first; no. {number} lacks {missing}"
            )
        scores = other.drop_duplicates("unit").set_index("unit")[columns]
        n_missing = int((~table["unit"].isin(scores.index)).sum())
        if n_missing:
            raise DataError(
                f"every predictor must judge every mention of the first; no. {number} lacks "
                f"{n_missing} of {len(table)}"
            )
        table = table.join(scores.add_suffix(f"{_OF}{number}"), on="unit")
    return table


def n_predictors(table: pd.DataFrame) -> int:
    """How many predictors' scores stand beside each other."""
    return 1 + len({str(name).rpartition(_OF)[2] for name in table if _OF in str(name)})


def scores_of(
    members: pd.DataFrame,
    name: tuple[str, str | None],
    sampling: Sampling,
    options: InferenceOptions,
) -> npt.NDArray[np.float64]:
    """What corrects a variable's mean or share: one predictor's scores, or several combined."""
    own = column_of_scores(*name)
    others = [str(column) for column in members if str(column).startswith(own + _OF)]
    if not others:
        return np.asarray(members[own], dtype=np.float64)
    predicted = {column: np.asarray(members[column], np.float64) for column in (own, *others)}
    coded = members[column_of_gold(*name)]
    return combined_scores(
        predicted, coded, members["article_id"], sampling=sampling, options=options
    )[0]
