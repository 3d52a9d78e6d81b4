"""How each source frames each target: shares and means with intervals that survive the model."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import pandas as pd

from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.inference import InferenceOptions, corrected_mean, labelled_mean, naive_mean
from classifier.profiles.table import (
    CHANCE,
    ProfileOptions,
    check_columns,
    clusters,
    estimated,
    gold_column,
    labels_of,
    score_column,
    select_mentions,
    with_labels,
)
from classifier.records import Estimate

ALL_VOICES = "all"


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

    def _repr_html_(self) -> str:
        """Means with their intervals; shares are in the frame."""
        lines = [
            {
                **row.group,
                "voice": row.voice,
                "mentions": row.n_mentions,
                "coded articles": row.n_coded_articles,
                "mean of": quantity.variable,
                "model only": str(quantity.naive),
                "labels only": str(quantity.labelled),
                "corrected": str(quantity.corrected),
            }
            for row in self.rows
            for quantity in row.quantities
            if quantity.label is None
        ]
        table: str = pd.DataFrame(lines).to_html(index=False, border=0)
        return f"<p>{escape(self.estimand)}</p>{table}"

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
        gold: Adjudicated labels, one row per unit, for some of the articles; where these were not
            all drawn with the same chance, with the column `sampling_probability`. Without gold
            every figure is the model's alone and marked as such.
        options: Groups, zones, estimand.

    Raises `DataError` where the predictions lack a column.
    """
    options = options or ProfileOptions()
    check_columns(predictions, codebook, options)
    kept, left_out = select_mentions(predictions, gold, options)
    table = with_labels(kept, codebook, gold)
    rows = tuple(
        _row(dict(zip(options.by, map(str, key), strict=True)), voice, group, codebook, options)
        for key, members in table.groupby(list(options.by), sort=True)
        for voice, group in _by_voice(members, codebook)
    )
    return Profile(rows, _estimand(options), left_out)


def _row(
    group: Mapping[str, str],
    voice: str,
    members: pd.DataFrame,
    codebook: Codebook,
    options: ProfileOptions,
) -> ProfileRow:
    quantities = tuple(
        _quantity(variable, label, members, options.inference)
        for variable in estimated(codebook)
        for label in labels_of(variable)
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
    scores = members[score_column(variable, label)]
    coded = members[gold_column(variable, label)]
    stories = clusters(members)
    return Quantity(
        variable.name,
        label,
        naive=naive_mean(scores, stories, options=options),
        labelled=labelled_mean(coded, stories, options=options),
        corrected=corrected_mean(
            scores, coded, stories, probability=_probabilities(members), options=options
        ),
    )


def _probabilities(members: pd.DataFrame) -> pd.Series | None:
    """Chances of being coded, 1 where an article was not; None unless known and different."""
    known = members[CHANCE].dropna()
    if known.nunique() < 2:
        return None
    return members[CHANCE].fillna(1.0)


def _by_voice(members: pd.DataFrame, codebook: Codebook) -> Iterator[tuple[str, pd.DataFrame]]:
    if codebook.has_variable("voice"):
        author = codebook.variable("voice").counterpart("rules", "rest")
        own = members[members["voice"] == author]
        if len(own):
            yield author, own
    yield ALL_VOICES, members


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
