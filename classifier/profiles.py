"""How each source frames each target: shares and means with intervals that survive the model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.inference import (
    InferenceOptions,
    corrected_mean,
    labelled_mean,
    naive_mean,
)
from classifier.records import PROFILE_ZONES, Estimate

UNKNOWN = "unknown"
"""Stands in a profile for a source (or language) that the articles do not name."""
ALL_VOICES = "all"


@dataclass(frozen=True)
class ProfileOptions:
    """Which mentions enter a profile, how they are grouped and what is estimated."""

    by: tuple[str, ...] = ("source", "target")
    """Columns of the predictions that part the groups."""
    zones: tuple[str, ...] = PROFILE_ZONES
    inference: InferenceOptions = field(default_factory=InferenceOptions)


@dataclass(frozen=True)
class Quantity:
    """One mean or share of a group, estimated three ways, from least to most to trust."""

    variable: str
    label: str | None
    """None for the mean of an ordinal variable, else the label whose share this is."""
    naive: Estimate
    labelled: Estimate
    corrected: Estimate


@dataclass(frozen=True)
class ProfileRow:
    """One group, such as a source and a target, in one voice."""

    group: Mapping[str, str]
    voice: str
    """A label of the variable `voice`, or `ALL_VOICES`."""
    n_mentions: int
    n_articles: int
    n_coded_articles: int
    quantities: tuple[Quantity, ...]

    def quantity(self, variable: str, label: str | None = None) -> Quantity:
        """The estimates of one mean or share; raises `DataError` if the profile has none."""
        for quantity in self.quantities:
            if (quantity.variable, quantity.label) == (variable, label):
                return quantity
        raise DataError(f"the profile has no estimate of {variable} {label or 'mean'}")


@dataclass(frozen=True)
class Profile:
    """Estimates for every group and voice, and what did not enter them."""

    rows: tuple[ProfileRow, ...]
    estimand: str
    """What the figures are about, in words."""
    left_out: Mapping[str, int]
    """Mentions that entered no estimate, counted by reason."""

    def __iter__(self) -> Iterator[ProfileRow]:
        """Row by row."""
        return iter(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One line per group, voice and quantity."""
        return pd.DataFrame(list(self._lines()))

    def to_dict(self) -> dict[str, Any]:
        """The whole profile as plain values for JSON; undefined figures are null with a status."""
        return {
            "estimand": self.estimand,
            "left_out": dict(self.left_out),
            "rows": [asdict(row) | {"group": dict(row.group)} for row in self.rows],
        }

    def _lines(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            for quantity in row.quantities:
                line: dict[str, Any] = {**row.group, "voice": row.voice}
                line |= {"variable": quantity.variable, "label": quantity.label}
                line |= {"n_mentions": row.n_mentions, "n_articles": row.n_articles}
                line["n_coded_articles"] = row.n_coded_articles
                for name in ("naive", "labelled", "corrected"):
                    estimate: Estimate = getattr(quantity, name)
                    line[name] = estimate.value
                    line[f"{name}_low"], line[f"{name}_high"] = estimate.low, estimate.high
                    line[f"{name}_status"] = estimate.status
                yield line


def profile_sources(
    predictions: pd.DataFrame,
    codebook: Codebook,
    *,
    gold: pd.DataFrame | None = None,
    options: ProfileOptions | None = None,
) -> Profile:
    """Estimate the mean of each ordinal variable and the share of each role, per group and voice.

    Args:
        predictions: One row per mention, columns as scoring writes them.
        codebook: The codebook under which they were made.
        gold: Adjudicated labels, one row per unit, for some of the articles. Without it every
            figure is the model's alone and marked as such.
        options: Groups, zones, estimand.

    Raises `DataError` where the predictions lack a column.
    """
    options = options or ProfileOptions()
    _check(predictions, codebook, options)
    kept, left_out = _select(predictions, gold, options)
    table = _with_labels(kept, codebook, gold)
    rows = tuple(
        _row(dict(zip(options.by, map(str, key), strict=True)), voice, group, codebook, options)
        for key, members in table.groupby(list(options.by), sort=True)
        for voice, group in _by_voice(members, codebook)
    )
    return Profile(rows, _estimand(options), left_out)


def _select(
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


def _with_labels(kept: pd.DataFrame, codebook: Codebook, gold: pd.DataFrame | None) -> pd.DataFrame:
    """Add per quantity a column of human numbers, nan where not coded."""
    table = kept.reset_index(drop=True)
    found = None if gold is None else gold.drop_duplicates("unit").set_index("unit")
    for variable in _estimated(codebook):
        labels = (
            pd.Series(None, index=table.index, dtype=object)
            if found is None or variable.name not in found
            else table["unit"].map(found[variable.name])
        )
        for label in _labels(variable):
            column = _gold_column(variable, label)
            table[column] = [_number(value, variable, label) for value in labels]
    return table


def _number(value: object, variable: Variable, label: str | None) -> float:
    if label is not None:
        return float(label in value) if isinstance(value, frozenset | set | list) else np.nan
    return variable.numbers[variable.index(value)] if isinstance(value, str) else np.nan


def _row(
    group: Mapping[str, str],
    voice: str,
    members: pd.DataFrame,
    codebook: Codebook,
    options: ProfileOptions,
) -> ProfileRow:
    quantities = tuple(
        _quantity(variable, label, members, options.inference)
        for variable in _estimated(codebook)
        for label in _labels(variable)
    )
    return ProfileRow(
        group,
        voice,
        n_mentions=len(members),
        n_articles=members["article_id"].nunique(),
        n_coded_articles=max(q.corrected.n_coded_articles for q in quantities),
        quantities=quantities,
    )


def _quantity(
    variable: Variable, label: str | None, members: pd.DataFrame, options: InferenceOptions
) -> Quantity:
    scores = members[_score_column(variable, label)]
    coded = members[_gold_column(variable, label)]
    clusters = _clusters(members)
    return Quantity(
        variable.name,
        label,
        naive=naive_mean(scores, clusters, options=options),
        labelled=labelled_mean(coded, clusters, options=options),
        corrected=corrected_mean(
            scores, coded, clusters, probability=_probabilities(members), options=options
        ),
    )


def _clusters(members: pd.DataFrame) -> pd.Series:
    """The story where it is known, else the article: wire copies are no independent evidence."""
    if "story_id" not in members:
        return members["article_id"]
    return members["story_id"].where(members["story_id"].notna(), members["article_id"])


def _probabilities(members: pd.DataFrame) -> pd.Series | None:
    """Chances of being coded where they are known and differ; None where all were alike."""
    if "sampling_probability" not in members:
        return None
    chances = members["sampling_probability"]
    if chances.isna().any() or chances.nunique() < 2:
        return None
    return chances


def _by_voice(members: pd.DataFrame, codebook: Codebook) -> Iterator[tuple[str, pd.DataFrame]]:
    if codebook.has_variable("voice"):
        author = codebook.variable("voice").counterpart("rules", "rest")
        own = members[members["voice"] == author]
        if len(own):
            yield author, own
    yield ALL_VOICES, members


def _estimated(codebook: Codebook) -> list[Variable]:
    return [v for v in codebook.variables if v.kind in ("ordinal", "set")]


def _labels(variable: Variable) -> Sequence[str | None]:
    return (None,) if variable.kind == "ordinal" else variable.names


def _score_column(variable: Variable, label: str | None) -> str:
    return f"{variable.name}_score" if label is None else f"p_{variable.name}_{label}"


def _gold_column(variable: Variable, label: str | None) -> str:
    return f"gold_{variable.name}" + ("" if label is None else f"_{label}")


def _check(predictions: pd.DataFrame, codebook: Codebook, options: ProfileOptions) -> None:
    needed = {"unit", "article_id", "status", "zone", "voice", *options.by}
    needed |= {_score_column(v, label) for v in _estimated(codebook) for label in _labels(v)}
    missing = sorted(needed - set(predictions.columns))
    if missing:
        raise DataError(
            f"a profile needs the prediction columns {missing}; score again to get them"
        )


def _estimand(options: ProfileOptions) -> str:
    weight = "mention" if options.inference.estimand == "mention" else "article"
    population = (
        "in what the source writes in general"
        if options.inference.population == "source"
        else "in exactly these articles"
    )
    return (
        f"Mean over all mentions found in {', '.join(options.zones)}, "
        f"every {weight} counting alike, "
        f"{population}."
    )
