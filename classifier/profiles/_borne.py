"""What few coded articles can say: by all that was asked, by one column of it, or all together."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from classifier.profiles._results import ALL_VOICES, Profile
from classifier.profiles._table import POOLED

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
    """The profile and its coarser groupings, where more than half of its means are withheld.

    Args:
        result: What was asked for.
        again: From columns to the profile of the same mentions by these.

    Returns:
        What was asked for, each of its columns alone, and all together; nothing where most means
        have an interval, or where there is no coded article.
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
