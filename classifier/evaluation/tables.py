"""What an evaluation consists of: tables of figures, each figure an `Estimate`."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from classifier.errors import DataError
from classifier.records import Estimate
from classifier.showing import frame_html, frame_text

ALL = "all"
"""Stands for "not parted by this": every source, every target."""


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
class Table:
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
            {**row.keys, **row.numbers, **row.counts, **_in_words(row.estimates)}
            for row in self.rows
        ]
        return pd.DataFrame(lines)

    def to_dict(self) -> list[dict[str, Any]]:
        """Ready for JSON."""
        return [row.to_dict() for row in self.rows]


def _in_words(figures: Mapping[str, Estimate]) -> dict[str, str]:
    return {name: str(figure) for name, figure in figures.items()}


def estimate_record(figure: Estimate) -> dict[str, Any]:
    """An estimate as JSON has it."""
    return {**asdict(figure), "notes": list(figure.notes)}
