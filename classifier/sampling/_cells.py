"""How many coded articles each cell of a draw will have, before anybody codes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from classifier.intervals import MINIMUM_CODED
from classifier.records import counted

_SHOWN = 5


@dataclass(frozen=True)
class Cells:
    """Expected coded articles by source and target, and what would bring enough."""

    table: pd.DataFrame
    """One row per cell: the columns of `by`, `articles`, and `expected` coded articles."""
    by: tuple[str, ...]
    n_needed: int | None
    """Articles to draw so that each cell that has enough articles has enough coded ones."""
    enough_by: tuple[str, ...]
    """Columns by which every group will have enough; empty where not even one does."""

    @property
    def few(self) -> pd.DataFrame:
        """The cells that will have too few, the poorest first."""
        is_few = self.table["expected"] < MINIMUM_CODED
        return self.table[is_few].sort_values("expected", kind="stable")

    def words(self) -> list[str]:
        """What will be too few and what would do; nothing where every cell will have enough."""
        few = self.few
        if few.empty:
            return []
        shown = ", ".join(
            f"{' / '.join(str(row[name]) for name in self.by)} {row['expected']:.1f} "
            f"of {row['articles']}"
            for row in few.head(_SHOWN).to_dict("records")
        )
        more = f", and {len(few) - _SHOWN} more" if len(few) > _SHOWN else ""
        lines = [
            f"{len(few)} of {counted(len(self.table), 'cell')} of {' and '.join(self.by)} will "
            f"have fewer than {MINIMUM_CODED} coded articles, which is too few for an interval: "
            f"{shown}{more}"
        ]
        n_small = int((few["articles"] < MINIMUM_CODED).sum())
        if self.n_needed is not None:
            lines.append(f"--n {self.n_needed} would do" + (" for the others" if n_small else ""))
        if n_small:
            lines.append(
                f"{counted(n_small, 'cell')} {'has' if n_small == 1 else 'have'} fewer than "
                f"{MINIMUM_CODED} articles in all, which no draw can mend: group them"
            )
        if self.enough_by:
            ways = " or ".join(f"--by {name}" for name in self.enough_by)
            lines.append(f"with this draw, profile {ways} will have enough in every group")
        elif self.table["expected"].max() < MINIMUM_CODED:
            lines.append("with this draw no cell will have enough; draw more, or pool the sources")
        return lines


def cells(
    mentions: pd.DataFrame,
    frame: pd.DataFrame,
    redraw: Callable[[int], pd.DataFrame],
    by: Sequence[str] = ("source", "target"),
) -> Cells:
    """Count the coded articles that each cell can expect: the sum of its articles' chances.

    Args:
        mentions: A row per mention with `article_id` and the columns of `by`.
        frame: Every article with its chance, as a draw has it.
        redraw: From a number of articles to the frame of a draw of so many.
        by: What parts the cells.
    """
    known = tuple(name for name in by if name in mentions)
    places = mentions[["article_id", *known]].fillna("").drop_duplicates()
    table = _expected(places, frame, known)
    n_all = len(frame)
    reachable = (table["articles"] >= MINIMUM_CODED).to_numpy()

    def is_enough(n: int) -> bool:
        found = _expected(places, redraw(n), known)["expected"].to_numpy()
        return bool((found[reachable] >= MINIMUM_CODED - 1e-9).all())

    is_short = (table["expected"].to_numpy()[reachable] < MINIMUM_CODED).any()
    enough = tuple(
        name
        for name in known
        if (_expected(places, frame, (name,))["expected"] >= MINIMUM_CODED).all()
    )
    return Cells(table, known, _least(is_enough, n_all) if is_short else None, enough)


def _least(is_enough: Callable[[int], bool], n_all: int) -> int:
    """The smallest number that is enough; drawing all always is."""
    low, high = 1, n_all
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle + 1, high)
    return low


def _expected(places: pd.DataFrame, frame: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """Per cell its articles and their chances' sum."""
    chance = frame.set_index("article_id")["sampling_probability"].astype(float)
    once = places[["article_id", *by]].drop_duplicates()
    once = once.assign(expected=once["article_id"].map(chance).fillna(0.0), articles=1)
    found = once.groupby(list(by), sort=True)[["articles", "expected"]].sum().reset_index()
    return found.assign(expected=np.round(found["expected"].to_numpy(float), 9))
