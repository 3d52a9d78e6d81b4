"""The frozen results of profiling, and what a reader may do with them, in words."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from typing import Any

import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.errors import DataError
from classifier.intervals import MINIMUM_CODED, RandomnessTest
from classifier.notebook_html import frame_html, frame_text, short
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.profiles._table import POOLED
from classifier.records import Estimate

ALL_VOICES = "all"
VALID = "valid"
NOT_REFUTED = "not refuted: nobody recorded how the coded articles were drawn"
CROSS_FITTED = "cross-fitted"
"""Ends the method of a figure whose labels also trained the model, fold by fold."""
_ROWS_SHOWN = 100
_RANKED = ("rank", "best", "worst", "corrected", "low", "high", "status")


@dataclass(frozen=True)
class Quantity:
    """One mean or share of a group, estimated three ways, from least to most to trust."""

    variable: str
    label: str | None
    """None for the mean of an ordinal variable, else the label whose share this is."""
    naive: Estimate
    labelled: Estimate
    corrected: Estimate
    pooled: Estimate | None = None
    """The corrected mean drawn towards those of the other sources; None if nothing is pooled: a
    share, groups that are not by source, no coded article, a draw that failed its test."""


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
    verdict: str = "not corrected: no coded article"
    """`VALID` only where the coded articles were drawn with recorded chances and look like it,
    `NOT_REFUTED` where they look like a random draw that nobody recorded; else why that is not so
    or not known. It is about the group, in all voices together."""
    drawn: str = ""
    """How the coded articles were drawn, as far as anybody recorded it."""
    randomness: RandomnessTest | None = None
    """The test behind the verdict; None if there was nothing to test."""

    def quantity(self, variable: str, label: str | None = None) -> Quantity:
        """The estimates of one mean or share; raises `DataError` if the profile has none."""
        for quantity in self.quantities:
            if (quantity.variable, quantity.label) == (variable, label):
                return quantity
        raise DataError(f"the profile has no estimate of {variable} {label or 'mean'}")

    @property
    def is_refuted(self) -> bool:
        """Whether the corrected figures stand against a failed test."""
        return self.verdict.startswith("not valid")


@dataclass(frozen=True)
class Difference:
    """Corrected figure of one group minus that of another, which differs in one column."""

    column: str
    first: str
    second: str
    group: Mapping[str, str]
    """What the two have in common."""
    voice: str
    variable: str
    label: str | None
    estimate: Estimate


@dataclass(frozen=True)
class Ranked:
    """A source among others, with an interval that holds for all of them at once."""

    name: str
    estimate: Estimate
    best: int
    """1 plus the number of others that are certainly higher."""
    worst: int
    """The number of all minus those that are certainly lower."""

    @property
    def rank(self) -> int | None:
        """Its place, highest first; None if its interval overlaps another's."""
        return self.best if self.best == self.worst else None


@dataclass(frozen=True)
class Ranking:
    """Sources by one corrected figure, highest first, as far as they can be told apart."""

    column: str
    group: Mapping[str, str]
    voice: str
    variable: str
    label: str | None
    entries: tuple[Ranked, ...]
    left_out: Mapping[str, str]
    """Those that cannot be ranked, and why."""

    def to_frame(self) -> pd.DataFrame:
        """One row per source, highest first; those that cannot be ranked come last."""
        lines = [
            {
                self.column: entry.name,
                "rank": entry.rank,
                "best": entry.best,
                "worst": entry.worst,
                "corrected": entry.estimate.value,
                "low": entry.estimate.low,
                "high": entry.estimate.high,
                "status": entry.estimate.status,
            }
            for entry in self.entries
        ]
        lines += [{self.column: name, "status": why} for name, why in self.left_out.items()]
        frame = pd.DataFrame(lines, columns=[self.column, *_RANKED])
        return frame.astype(dict.fromkeys(("rank", "best", "worst"), "Int64"))

    def __repr__(self) -> str:
        """Who stands where, as far as that can be told."""
        return frame_text(self.to_frame(), self._caption())

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), self._caption(), _ROWS_SHOWN)

    def _caption(self) -> str:
        what = "mean" if self.label is None else f"share of {self.label}"
        parts = {**self.group, "voice": self.voice}
        within = ", ".join(f"{name} {value}" for name, value in parts.items())
        return f"Ranked by {self.variable}, {what}; {within}"


@dataclass(frozen=True)
class Profile(DeprecatedChart, InPapers):
    """Estimates for every group and voice, and what did not enter them."""

    rows: tuple[ProfileRow, ...]
    estimand: str
    """What the figures are about, in words."""
    left_out: Mapping[str, int]
    """Mentions that entered no estimate, counted by reason."""
    differences: tuple[Difference, ...] = ()
    rankings: tuple[Ranking, ...] = ()
    not_predicted: tuple[str, ...] = ()
    """Variables of the codebook that the predictions know nothing of."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """What people read for the targets: "RU" is "Russia"."""
    gold: str = ""
    """By which rule the labels became gold, and what became of ties; empty without labels."""

    @property
    def is_pooled(self) -> bool:
        """Whether any mean has a pooled figure."""
        found = (quantity.pooled for row in self.rows for quantity in row.quantities)
        return any(pooled is not None and pooled.value is not None for pooled in found)

    def names(self, row: ProfileRow) -> tuple[str, ...]:
        """The row's group as people read it, column by column: ("De Vliet", "Russia").

        Args:
            row: One of the profile's rows.
        """
        return tuple(
            self.titles.get(value, value) if column == "target" else value
            for column, value in row.group.items()
        )

    def __iter__(self) -> Iterator[ProfileRow]:
        """Row by row."""
        return iter(self.rows)

    def to_frame(self) -> pd.DataFrame:
        """One line per group, voice and quantity."""
        return pd.DataFrame(list(self._lines()))

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON, as `schema()` describes it; undefined figures are null."""
        return {
            "estimand": self.estimand,
            "gold": self.gold,
            "left_out": dict(self.left_out),
            "not_predicted": list(self.not_predicted),
            "rows": [_plain(row) for row in self.rows],
            "differences": [_plain(difference) for difference in self.differences],
            "rankings": [
                _plain(ranking)
                | {"entries": [_plain(e) | {"rank": e.rank} for e in ranking.entries]}
                for ranking in self.rankings
            ],
        }

    def __repr__(self) -> str:
        """How many groups there are; the frame has the figures."""
        groups = " and ".join(self.rows[0].group) if self.rows else "nothing"
        told = f" {self.gold}." if self.gold else ""
        return f"Profile of {len(self.rows)} rows by {groups}. {self.estimand}{told}"

    def _repr_html_(self) -> str:
        """Means with their intervals; shares are in the frame."""
        lines = [
            {
                **dict(zip(row.group, self.names(row), strict=True)),
                "voice": row.voice,
                "mentions": row.n_mentions,
                "coded articles": quantity.corrected.n_coded_articles,
                "mean of": quantity.variable,
                "model only": str(quantity.naive),
                "labels only": str(quantity.labelled),
                "corrected": str(quantity.corrected),
                **({"pooled": str(quantity.pooled or "")} if self.is_pooled else {}),
                "verdict": row.verdict,
            }
            for row in self.rows
            for quantity in row.quantities
            if quantity.label is None
        ]
        return frame_html(pd.DataFrame(lines), self.estimand, _ROWS_SHOWN)

    def paper_table(self) -> PaperTable:
        """Means in all voices: the model's, those of the labels, and the corrected ones."""
        records = [
            {
                **row.group,
                "variable": quantity.variable,
                "mentions": row.n_mentions,
                "coded articles": row.n_coded_articles,
                "model only": quantity.naive,
                "labels only": quantity.labelled,
                "corrected": quantity.corrected,
                **({"pooled": quantity.pooled} if self.is_pooled else {}),
            }
            for row in self.rows
            for quantity in row.quantities
            if quantity.label is None and row.voice == ALL_VOICES
        ]
        left = (f"left out: {n} mentions, {why}" for why, n in self.left_out.items())
        told = (self.gold,) if self.gold else ()
        return table_of_records("Profile", records, (self.estimand, *told, *left))

    def _lines(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            for quantity in row.quantities:
                line: dict[str, Any] = {**row.group, "voice": row.voice}
                line |= {"variable": quantity.variable, "label": quantity.label}
                line |= {"n_mentions": row.n_mentions, "n_articles": row.n_articles}
                line |= {"n_coded_articles": row.n_coded_articles, "verdict": row.verdict}
                for name in ("naive", "labelled", "corrected"):
                    estimate: Estimate = getattr(quantity, name)
                    line[name] = estimate.value
                    line[f"{name}_low"], line[f"{name}_high"] = estimate.low, estimate.high
                    line[f"{name}_status"] = estimate.status
                pooled = quantity.pooled
                for name in ("value", "low", "high", "status"):
                    column = "pooled" if name == "value" else f"pooled_{name}"
                    line[column] = None if pooled is None else getattr(pooled, name)
                yield line


def schema() -> dict[str, Any]:
    """The JSON schema of `Profile.to_dict()`."""
    text = resources.files("classifier.profiles").joinpath("schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _plain(record: Any) -> dict[str, Any]:  # noqa: ANN401
    """A record as a dict, with its mappings as plain ones."""
    fields = asdict(record)
    return {k: dict(v) if isinstance(v, Mapping) else v for k, v in fields.items()}


_MANY = 0.5


@dataclass(frozen=True)
class Borne:
    """How many means of a grouping have an interval."""

    by: tuple[str, ...]
    profile: Profile
    n_means: int
    n_intervals: int

    def __str__(self) -> str:
        """One phrase: "by target 3 of 3 means"."""
        name = "all together" if self.by == (POOLED,) else f"by {' and '.join(self.by)}"
        return f"{name} {self.n_intervals} of {self.n_means}"


def borne(result: Profile, again: Callable[[tuple[str, ...]], Profile]) -> tuple[Borne, ...]:
    """The profile and its coarser groupings, if more than half of its means are withheld.

    Args:
        result: What was asked for.
        again: From columns to the profile of the same mentions by these.

    Returns:
        What was asked for, each of its columns alone, and all together; nothing if most means
        have an interval, or if there is no coded article.
    """
    if not result.rows or not any(row.n_coded_articles for row in result):
        return ()
    by = tuple(result.rows[0].group)
    asked = _counted(by, result)
    if asked.n_intervals >= (1 - _MANY) * asked.n_means or by == (POOLED,):
        return ()
    return (asked, *(_counted(own, again(own)) for own in _coarser(by)))


def best_borne(found: tuple[Borne, ...]) -> Borne | None:
    """The first grouping, the finest first, of which most means have an interval."""
    enough = (one for one in found if one.n_intervals and one.n_intervals >= _MANY * one.n_means)
    return next(enough, None)


def _coarser(by: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if len(by) > 1:
        yield from ((name,) for name in by)
    yield (POOLED,)


def _counted(by: tuple[str, ...], profile: Profile) -> Borne:
    means = [
        quantity.corrected
        for row in profile
        if row.voice == ALL_VOICES
        for quantity in row.quantities
        if quantity.label is None
    ]
    return Borne(by, profile, len(means), sum(mean.low is not None for mean in means))


_REFUTED = "not valid: "


def published(row: ProfileRow, quantity: Quantity) -> Estimate | None:
    """The figure that may be published; None if it is withheld or its draw failed the test."""
    return None if quantity.corrected.value is None or row.is_refuted else quantity.corrected


def is_few(figure: Estimate) -> bool:
    """Whether a figure rests on fewer articles than an estimate needs.

    Labelled articles count if there are labels, else all.
    """
    return (figure.n_coded_articles or figure.n_articles) < MINIMUM_CODED


def disagrees(quantity: Quantity) -> bool:
    """Whether the model's figure lies outside the interval that the labels alone give."""
    labelled, naive = quantity.labelled, quantity.naive.value
    if naive is None or labelled.low is None or labelled.high is None or is_few(labelled):
        return False
    return not labelled.low <= naive <= labelled.high


def disagreement_words(profile: Profile, row: ProfileRow, quantity: Quantity) -> str:
    """That model and labels disagree; empty if they do not.

    "Model and labels disagree about Russia (−.20 against +.02): do not use the model's mean."
    """
    model, labels = quantity.naive.value, quantity.labelled.value
    if model is None or labels is None or not disagrees(quantity):
        return ""
    figure = "mean" if quantity.label is None else "share"
    return (
        f"Model and labels disagree about {', '.join(profile.names(row))} "
        f"({short(model)} against {short(labels)}): do not use the model's {figure}."
    )


def verdict_words(profile: Profile, row: ProfileRow, quantity: Quantity) -> str:
    """What a reader may do with a quantity of a row.

    The number of coded articles that it names is that of the row, so that a row with one coded
    article never speaks of another number.

    Args:
        profile: Where the row comes from.
        row: A group in one voice.
        quantity: One of its means or shares.
    """
    if not quantity.corrected.n_coded_articles:
        return "Not corrected: no coded article."
    if quantity.corrected.value is None:
        return _sentence(quantity.corrected.status)
    if row.is_refuted:
        reason = row.verdict.removeprefix(_REFUTED)
        return f"{_sentence(reason).removesuffix('.')}: do not use the corrected figure."
    apart = disagreement_words(profile, row, quantity)
    if row.verdict == VALID:
        return apart or "Valid."
    return f"{_sentence(row.verdict)} {apart}".rstrip()


def gain_words(profile: Profile) -> str:
    """By how much corrected means have narrower intervals than labels only, or wider ones.

    Empty if no mean has both intervals. What is not to be published does not count.
    """
    pairs = [
        (_width(published(row, quantity)), _width(quantity.labelled))
        for row in profile
        for quantity in row.quantities
        if quantity.label is None
    ]
    changes = sorted(ours / labels - 1 for ours, labels in pairs if ours and labels)
    if not changes:
        return ""
    ends = (f"{abs(c):.0%} {'wider' if c > 0 else 'narrower'}" for c in (changes[0], changes[-1]))
    return (
        f"Intervals of corrected means are {' to '.join(dict.fromkeys(ends))} than those of labels "
        "only. The correction pays most if the scores follow the labels and few articles are coded."
    )


def _width(figure: Estimate | None) -> float:
    """How wide an interval is; 0 if there is none."""
    if figure is None or figure.low is None or figure.high is None:
        return 0.0
    return figure.high - figure.low


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
