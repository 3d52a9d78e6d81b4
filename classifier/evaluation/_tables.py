"""What an evaluation is a table of: options, rows, and figures with their intervals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from classifier.agreement import AgreementOptions, macro_f1, macro_f1_of_single, ratio
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import (
    FloatArray,
    IntArray,
    IntervalOptions,
    Statistic,
    article_totals,
    estimated,
)
from classifier.notebook_html import frame_html, frame_text
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.records import ALL, UNKNOWN, Estimate

GROUPS = ("target", "language", "source", "voice")


@dataclass(frozen=True)
class EvaluationOptions:
    """Variables, groups, intervals and thresholds of an evaluation."""

    variables: tuple[str, ...] = ()
    """Variables to evaluate; empty for all that are coded and predicted."""
    breakdowns: tuple[tuple[str, ...], ...] = (
        (),
        *((group,) for group in GROUPS),
        ("source", "target"),
        GROUPS,
    )
    """Columns to group the tables by, out of target, language, source and voice. Where any entity
    may be a target, those with target are left out: a row for each would bury the rest."""
    max_groups: int = 60
    """Of a breakdown with more groups the largest are kept, and the others counted."""
    interval: IntervalOptions = field(default_factory=IntervalOptions)
    """For all figures but binned ones, which take the same by bootstrap. The jackknife holds with
    few articles, where the bootstrap is too narrow (benchmarks/intervals/agreement.py)."""
    cluster: Literal["article", "story"] = "article"
    unknown: Literal["stop", "set aside"] = "stop"
    epsilon: float = 0.15
    """Advantage that the alternative annotator test gives to humans: .2 expert, .15 skilled, .1
    crowd."""
    n_bins: int = 10
    coverages: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)
    """Shares of mentions kept in selective prediction, most confident first."""
    half_width: float = 0.1
    """Wished half-width of an interval, for which the learning curve projects articles."""
    dominance: float = 0.8
    """Above this share of one label a group `is_dominated`: read alpha and AC side by side."""
    context: int = 240
    """Characters shown on each side of a disagreement."""
    predictor: str = "model"
    """What the tables call the predictions under test."""

    def __post_init__(self) -> None:
        """Refuse what gives no bins, no shares of mentions and no width."""
        if self.n_bins < 1 or self.max_groups < 1 or not self.half_width > 0:
            raise DataError(
                "at least 1 bin, 1 group and a half-width above 0 were required, "
                f"got {self.n_bins}, {self.max_groups} and {self.half_width}"
            )
        if not all(0 < share <= 1 for share in self.coverages):
            raise DataError(f"shares of mentions kept lie in (0, 1], got {self.coverages}")

    @property
    def uncalibrated(self) -> str:
        """What the tables call them with the probabilities from before temperature scaling."""
        return f"{self.predictor}, uncalibrated"

    @property
    def agreement(self) -> AgreementOptions:
        """The options of the measures of agreement."""
        return AgreementOptions(self.interval, self.cluster, self.unknown)

    def without_targets(self) -> "EvaluationOptions":
        """The options without the breakdowns by target."""
        kept = tuple(by for by in self.breakdowns if "target" not in by)
        return replace(self, breakdowns=kept)

    @property
    def binned(self) -> IntervalOptions:
        """By bootstrap: sums of absolute gaps have a kink at 0, where a jackknife fails."""
        if self.interval.method == "none":
            return self.interval
        return replace(self.interval, method="bootstrap")


DEFAULT_OPTIONS = EvaluationOptions()


@dataclass(frozen=True)
class Row:
    """One line of a table: what it is about, how much there was, and the figures."""

    keys: Mapping[str, str]
    """Such as `{"variable": "stance", "predictor": "model", "target": "TR"}`."""
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    """What the row stands for where that is a number, such as the edges of a bin."""

    def __getitem__(self, name: str) -> Estimate:
        """The figure of that name; raises `DataError` if the row has none."""
        if name not in self.estimates:
            raise DataError(f"this row has the figures {', '.join(self.estimates)}; got {name!r}")
        return self.estimates[name]

    def flat(self) -> dict[str, Any]:
        """One level deep, for a data frame: value, low, high and status of every figure."""
        flat: dict[str, Any] = {**self.keys, **self.numbers, **self.counts}
        for name, figure in self.estimates.items():
            flat[name] = figure.value
            flat |= {f"{name}_low": figure.low, f"{name}_high": figure.high}
            flat[f"{name}_status"] = figure.status
        return flat

    def to_dict(self) -> dict[str, Any]:
        """Nested, for JSON: no nan, every figure with its status."""
        estimates = {name: estimate_record(figure) for name, figure in self.estimates.items()}
        return {
            "keys": dict(self.keys),
            "numbers": dict(self.numbers),
            "counts": dict(self.counts),
            "estimates": estimates,
        }


@dataclass(frozen=True)
class Table(InPapers):
    """Rows of one kind."""

    name: str
    rows: tuple[Row, ...]

    def __iter__(self) -> Iterator[Row]:
        """The rows in order."""
        return iter(self.rows)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def row(self, **keys: str) -> Row:
        """The one row with these keys; raises `DataError` unless exactly one has them."""
        found = [row for row in self.rows if keys.items() <= dict(row.keys).items()]
        if len(found) != 1:
            raise DataError(
                f"table {self.name!r} has {len(found)} rows with {keys}, 1 was required"
            )
        return found[0]

    def to_frame(self) -> pd.DataFrame:
        """One row per row, one column per key, count and figure."""
        return pd.DataFrame([row.flat() for row in self.rows])

    def __repr__(self) -> str:
        """Every row with its figures in words; the frame has the numbers."""
        return frame_text(self._brief(), self.name)

    def _repr_html_(self) -> str:
        return frame_html(self._brief(), self.name)

    def _brief(self) -> pd.DataFrame:
        """A figure and its interval, or why there is none, in each cell."""
        lines = [
            {**row.keys, **row.numbers, **row.counts}
            | {name: str(figure) for name, figure in row.estimates.items()}
            for row in self.rows
        ]
        return pd.DataFrame(lines)

    def paper_table(self) -> PaperTable:
        """Every row with its figures."""
        records = [{**row.keys, **row.numbers, **row.counts, **row.estimates} for row in self.rows]
        return table_of_records(self.name.replace("_", " ").capitalize(), records)

    def to_dict(self) -> list[dict[str, Any]]:
        """Ready for JSON."""
        return [row.to_dict() for row in self.rows]


def estimate_record(figure: Estimate) -> dict[str, Any]:
    """An estimate as JSON has it."""
    return {**asdict(figure), "notes": list(figure.notes)}


class Group(NamedTuple):
    """Some rows of the items and what they have in common."""

    keys: dict[str, str]
    """Every column of `GROUPS`, `ALL` if the rows are not grouped by it."""
    rows: IntArray


def groups(items: pd.DataFrame, breakdown: Sequence[str], most: int) -> Iterator[Group]:
    """The groups of one breakdown by name, at most so many; none if nothing is known."""
    if not breakdown:
        yield Group(dict.fromkeys(GROUPS, ALL), np.arange(len(items), dtype=np.int64))
        return
    found = _found(items, breakdown)
    largest = sorted(found, key=lambda values: (-len(found[values]), values))[:most]
    for values in sorted(largest):
        keys = dict.fromkeys(GROUPS, ALL) | dict(zip(breakdown, values, strict=True))
        yield Group(keys, found[values])


def n_left_out(items: pd.DataFrame, breakdowns: Sequence[Sequence[str]], most: int) -> int:
    """How many groups `groups` leaves out, over all breakdowns."""
    return sum(max(0, len(_found(items, by)) - most) for by in breakdowns if by)


def _found(items: pd.DataFrame, breakdown: Sequence[str]) -> dict[tuple[str, ...], IntArray]:
    unheard = [column for column in breakdown if column not in GROUPS]
    if unheard:
        raise DataError(f"groups are {', '.join(GROUPS)}; got {', '.join(unheard)}")
    if all((items[column] == UNKNOWN).all() for column in breakdown):
        return {}
    indices = items.groupby(list(breakdown), sort=True, dropna=False).indices
    return {
        tuple(map(str, values if isinstance(values, tuple) else (values,))): np.asarray(
            rows, dtype=np.int64
        )
        for values, rows in indices.items()
    }


NO_VARIATION = "undefined: no variation"
NO_ITEMS = "not estimable: no items"
SHARE = (0.0, 1.0)


class Sample(NamedTuple):
    """Rows to be summed by article, and how intervals are made from the sums."""

    rows: FloatArray
    """Items x k."""
    articles: IntArray
    options: IntervalOptions
    cluster: str = "article"

    @property
    def n_articles(self) -> int:
        """How many articles the items come from."""
        return int(self.articles.max(initial=-1)) + 1


def figure(
    sample: Sample,
    statistic: Statistic,
    method: str,
    *,
    bounds: tuple[float, float] = SHARE,
    undefined: str = NO_VARIATION,
) -> Estimate:
    """The statistic of all articles with its interval; `undefined` says why it may be nan."""
    n_items, n_articles, made = len(sample.rows), sample.n_articles, sample.options
    if not n_items:
        return Estimate(None, NO_ITEMS if undefined == NO_VARIATION else undefined, method=method)
    how = method if made.method == "none" else f"{method}; {sample.cluster} {made.method}"
    blank = Estimate(None, undefined, n_items=n_items, n_articles=n_articles, method=how)
    totals = article_totals(sample.rows, sample.articles, n_articles)
    return estimated(blank, totals, statistic, made, bounds=bounds)


def share(totals: FloatArray) -> FloatArray:
    """First column over second."""
    return ratio(totals[..., 0], totals[..., 1])


def macro_f1_of(variable: Variable) -> Statistic:
    """Macro-F1; for a single label nan if gold is one throughout: repeating it would win."""
    return macro_f1 if variable.kind == "set" else macro_f1_of_single


def micro_f1(totals: FloatArray) -> FloatArray:
    """F1 of all labels taken together."""
    true, false, missed = (part.sum(axis=-1) for part in np.split(totals, 3, axis=-1))
    return ratio(2 * true, 2 * true + false + missed)


def precision(totals: FloatArray) -> FloatArray:
    """Of one label: totals are tp, fp, fn."""
    return ratio(totals[..., 0], totals[..., 0] + totals[..., 1])


def recall(totals: FloatArray) -> FloatArray:
    """Of one label: totals are tp, fp, fn."""
    return ratio(totals[..., 0], totals[..., 0] + totals[..., 2])


def mean_defined(values: FloatArray) -> FloatArray:
    """Mean along the last axis of what is not nan; nan if nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))
