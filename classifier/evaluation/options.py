"""What an evaluation looks at."""

from dataclasses import dataclass, field, replace
from typing import Literal

from classifier.agreement import AgreementOptions
from classifier.errors import DataError
from classifier.resampling import IntervalOptions

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
    """Columns that part the tables, out of target, language, source and voice. Where any entity
    may be a target, those with target are left out: a row for each would bury the rest."""
    max_groups: int = 60
    """Of a breakdown with more groups the largest are kept, and the others counted."""
    interval: IntervalOptions = field(default_factory=IntervalOptions)
    """For all figures but binned ones, which take the same by bootstrap. The jackknife holds with
    few articles, where the bootstrap is too narrow (benchmarks/intervals.py)."""
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
        """The same without the breakdowns by target."""
        kept = tuple(by for by in self.breakdowns if "target" not in by)
        return replace(self, breakdowns=kept)

    @property
    def binned(self) -> IntervalOptions:
        """By bootstrap: sums of absolute gaps have a kink at 0, where a jackknife fails."""
        if self.interval.method == "none":
            return self.interval
        return replace(self.interval, method="bootstrap")


DEFAULT_OPTIONS = EvaluationOptions()
