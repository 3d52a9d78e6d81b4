"""Which mentions enter a profile, and the human numbers beside the model's."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.inference import InferenceOptions
from classifier.records import PROFILE_ZONES

CHANCE = "chance"
"""Column with the chance that a coded mention's article was drawn; nan where not coded."""
UNKNOWN = "unknown"
"""Stands in a profile for a source (or language) that the articles do not name."""


@dataclass(frozen=True)
class ProfileOptions:
    """Which mentions enter a profile, how they are grouped and what is estimated."""

    by: tuple[str, ...] = ("source", "target")
    """Columns of the predictions that part the groups."""
    zones: tuple[str, ...] = PROFILE_ZONES
    inference: InferenceOptions = field(default_factory=InferenceOptions)


def check_columns(predictions: pd.DataFrame, codebook: Codebook, options: ProfileOptions) -> None:
    """Raise `DataError` with the list of columns that the predictions lack."""
    needed = {"unit", "article_id", "status", "zone", "voice", *options.by}
    needed |= {score_column(v, label) for v in estimated(codebook) for label in labels_of(v)}
    missing = sorted(needed - set(predictions.columns))
    if missing:
        raise DataError(
            f"a profile needs the prediction columns {missing}; score again to get them"
        )


def select_mentions(
    predictions: pd.DataFrame, gold: pd.DataFrame | None, options: ProfileOptions
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that enter, and how many of the others there are by reason."""
    scored = predictions["status"] == "ok"
    in_zone = predictions["zone"].isin(options.zones)
    left_out = predictions.loc[~scored, "status"].value_counts().to_dict()
    for zone, n in predictions.loc[scored & ~in_zone, "zone"].value_counts().items():
        left_out[f"zone {zone}"] = int(n)
    keep = scored & in_zone
    if gold is not None:
        false = set(gold.loc[gold["not_target"].fillna(False).astype(bool), "unit"])
        is_false = predictions["unit"].isin(false)
        left_out["not a mention of the target"] = int((keep & is_false).sum())
        keep &= ~is_false
        missed = ~gold["unit"].isin(predictions["unit"]) & ~gold["unit"].isin(false)
        left_out["coded but not found"] = int(missed.sum())
    kept = predictions[keep].copy()
    for column in options.by:
        kept[column] = kept[column].astype(object).where(kept[column].notna(), UNKNOWN)
    return kept, {str(reason): int(n) for reason, n in left_out.items() if n}


def with_labels(kept: pd.DataFrame, codebook: Codebook, gold: pd.DataFrame | None) -> pd.DataFrame:
    """Add per quantity a column of human numbers, nan where not coded."""
    table = kept.reset_index(drop=True)
    found = None if gold is None else gold.drop_duplicates("unit").set_index("unit")
    for variable in estimated(codebook):
        labels = (
            pd.Series(None, index=table.index, dtype=object)
            if found is None or variable.name not in found
            else table["unit"].map(found[variable.name])
        )
        for label in labels_of(variable):
            column = gold_column(variable, label)
            table[column] = [_number(value, variable, label) for value in labels]
    table[CHANCE] = np.nan
    if found is not None and "sampling_probability" in found:
        table[CHANCE] = table["unit"].map(found["sampling_probability"]).astype(float)
    return table


def _number(value: object, variable: Variable, label: str | None) -> float:
    if label is not None:
        return float(label in value) if isinstance(value, frozenset | set | list) else np.nan
    return variable.numbers[variable.index(value)] if isinstance(value, str) else np.nan


def clusters(members: pd.DataFrame) -> pd.Series:
    """The story where it is known, else the article: wire copies are no independent evidence."""
    if "story_id" not in members:
        return members["article_id"]
    return members["story_id"].where(members["story_id"].notna(), members["article_id"])


def estimated(codebook: Codebook) -> list[Variable]:
    """The variables with something to estimate: a mean, or a share per label."""
    return [v for v in codebook.variables if v.kind in ("ordinal", "set")]


def labels_of(variable: Variable) -> Sequence[str | None]:
    """What is estimated of a variable: its mean (None), or the share of each label."""
    return (None,) if variable.kind == "ordinal" else variable.names


def score_column(variable: Variable, label: str | None) -> str:
    """Where the predictions hold the model's number."""
    return f"{variable.name}_score" if label is None else f"p_{variable.name}_{label}"


def gold_column(variable: Variable, label: str | None) -> str:
    """Where the table holds the human number."""
    return f"gold_{variable.name}" + ("" if label is None else f"_{label}")
