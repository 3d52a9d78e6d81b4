"""Whether the coded articles look like a random draw from all articles of a source."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from classifier.errors import DataError
from classifier.intervals._totals import marks, named, numbers

Array = npt.NDArray[np.float64]
_SHARED_BY = 5
"""Chances that on average this many articles share are those of a stratified draw."""
_ROUNDING = 1e-9
_CELLS = 2**20
"""Draws times articles that are held in memory at once."""


@dataclass(frozen=True)
class RandomnessTest:
    """The verdict of a permutation test; a small p means that the draw was not random."""

    p_value: float | None
    status: str
    """"ok", or why nothing could be tested."""
    differences: dict[str, float]
    """Coded minus all articles per feature, in standard deviations."""
    n_coded_articles: int
    n_articles: int
    n_permutations: int
    seed: int

    def is_random(self, level: float = 0.05) -> bool | None:
        """Whether the draw passes at this level; None if it could not be tested."""
        return None if self.p_value is None else self.p_value >= level


@dataclass(frozen=True)
class Redraws:
    """How often articles are drawn anew to see what chance alone does."""

    n: int = 1999
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.n < 1 or self.seed < 0:
            raise DataError(
                f"at least 1 redraw and a seed from 0 were required, got {self.n} and {self.seed}"
            )


def looks_random(
    predicted: npt.ArrayLike | None,
    is_coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    probability: npt.ArrayLike | None = None,
    others: Mapping[str, npt.ArrayLike] | None = None,
    redraws: Redraws | None = None,
) -> RandomnessTest:
    """Compare coded with all articles by length, score, distance from the middle and `others`.

    Where the model learnt from the coded articles, its scores are left out: each coded article is
    judged by a model that learnt from the other coded ones, so that drawing anew does not say how
    far the scores may vary. What is left owes nothing to the labels, and the test is exact.

    The statistic is the largest standardised difference of the coded articles' feature means, each
    article weighted by 1 / its chance, from those of all. Its distribution comes from drawing as
    many articles anew by the same chances. They are drawn within groups of equal chance, which is
    exact for a stratified draw. If chances hardly repeat, it is by Pareto sampling (Rosén 1997).

    Args:
        predicted: The model's score per mention; None if it learnt from the coded articles.
        is_coded: Whether the mention was coded.
        article: The article of each mention; an article with any coded mention counts as coded.
        probability: The chance of the mention's article to be drawn, known for all articles, the
            others too; None if all had the same.
        others: What else is compared, by name, a number per mention: the probability of the
            model's own label, or the place of the mention in the article.
        redraws: How many, and their seed.

    Raises `DataError` for columns of different length, a missing score, mark or article, and a
    chance that is not in (0, 1].
    """
    redraws = redraws or Redraws()
    features, coded, chances = _article_features(
        (predicted, is_coded, article), others or {}, probability
    )
    n, n_coded = len(coded), int(coded.sum())
    empty = RandomnessTest(None, "", {}, n_coded, n, redraws.n, redraws.seed)
    if min(n_coded, n - n_coded) < 2:
        reason = "not testable: fewer than 2 coded or fewer than 2 other articles"
        return replace(empty, status=reason)
    p_value, differences = _compare(features, coded, chances, redraws)
    if p_value is None:
        return replace(empty, status="not testable: all articles are alike in what is compared")
    return replace(empty, p_value=p_value, status="ok", differences=differences)


def _compare(
    features: dict[str, Array], coded: npt.NDArray[np.bool_], chances: Array, redraws: Redraws
) -> tuple[float | None, dict[str, float]]:
    """The p-value, None if nothing varies, and the standardised differences."""
    values = np.column_stack(list(features.values()))
    deviation = values.std(axis=0)
    # Where articles differ by what arithmetic leaves of zero, they are alike.
    values = (values - values.mean(axis=0)) / np.where(deviation > _ROUNDING, deviation, np.inf)
    observed = _means(values, chances, coded[None])[0]
    drawn = np.vstack([_means(values, chances, some) for some in _draws(coded, chances, redraws)])
    # A feature that the design fixes, such as length where chances go by it, cannot differ.
    spread = np.sqrt((drawn**2).mean(axis=0))
    varies = spread > _ROUNDING
    if not varies.any():
        return None, {}
    apart = np.abs(np.vstack([observed, drawn])[:, varies]) / spread[varies]
    largest = apart.max(axis=1)
    # The observed draw is one of the possible ones, hence the 1 on both sides.
    exceeding = int((largest[1:] >= largest[0] - 1e-9).sum())
    names = [name for name, kept in zip(features, varies, strict=True) if kept]
    differences = dict(zip(names, map(float, observed[varies]), strict=True))
    return (1 + exceeding) / (1 + redraws.n), differences


def _means(values: Array, chances: Array, drawn: npt.NDArray[np.bool_]) -> Array:
    """Per draw, means of standardised features over its articles, weighted by 1 / chance."""
    weight = drawn / chances
    return np.asarray(weight @ values / weight.sum(axis=1, keepdims=True))


def _draws(
    coded: npt.NDArray[np.bool_], chances: Array, redraws: Redraws
) -> Iterator[npt.NDArray[np.bool_]]:
    """Draws of as many articles as were coded, anew by their chances, some rows at a time."""
    generator = np.random.default_rng(redraws.seed)
    _, group = np.unique(np.round(chances, 12), return_inverse=True)
    if (group.max() + 1) * _SHARED_BY > len(chances):
        group, odds = np.zeros_like(group), chances / np.maximum(1 - chances, 1e-12)
    else:
        odds = np.ones(len(chances))
    n, taken = len(chances), np.bincount(group[coded], minlength=group.max() + 1)
    at_once = max(1, _CELLS // n)
    for start in range(0, redraws.n, at_once):
        uniform = generator.random((min(at_once, redraws.n - start), n))
        # The smallest are drawn; where odds are equal, that is any set of its size alike.
        rank = uniform / (1 - uniform) / odds
        drawn = np.zeros(rank.shape, bool)
        for g, k in enumerate(taken):
            own = np.flatnonzero(group == g)
            if k:
                chosen = np.argpartition(rank[:, own], k - 1, axis=1)[:, :k]
                np.put_along_axis(drawn, own[chosen], True, axis=1)
        yield drawn


def _article_features(
    columns: tuple[npt.ArrayLike | None, npt.ArrayLike, npt.ArrayLike],
    others: Mapping[str, npt.ArrayLike],
    probability: npt.ArrayLike | None,
) -> tuple[dict[str, Array], npt.NDArray[np.bool_], Array]:
    is_marked = marks(columns[1], "is_coded")
    names, first, index = np.unique(
        named(columns[2], "article"), return_index=True, return_inverse=True
    )
    chances = np.ones(len(index)) if probability is None else _known(probability, "chances")
    known = dict(others) if columns[0] is None else {"scores": columns[0], **others}
    per_mention = {what: _known(column, what) for what, column in known.items()}
    lengths = {"marks": len(is_marked), "articles": len(index), "chances": len(chances)}
    lengths |= {what: len(column) for what, column in per_mention.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{n} {what}" for what, n in lengths.items())
        raise DataError(f"columns must be equally long, got {found}")
    if np.any(~(chances > 0) | (chances > 1)):
        raise DataError("a sampling probability must lie in (0, 1]")
    size = np.bincount(index, minlength=len(names)).astype(np.float64)

    def mean(values: Array) -> Array:
        return np.bincount(index, weights=values, minlength=len(names)) / size

    features = {"mentions": size}
    for what, column in per_mention.items():
        if what == "scores":
            features["mean score"] = mean(column)
            features["distance from the middle"] = mean(np.abs(column))
        else:
            features[what] = mean(column)
    is_coded = np.bincount(index, weights=is_marked, minlength=len(names)) > 0
    return features, is_coded, chances[first]


def _known(column: npt.ArrayLike, what: str) -> Array:
    """A column of numbers, none of them missing."""
    values = numbers(column, what)
    n_missing = int(np.isnan(values).sum())
    if n_missing:
        raise DataError(f"every mention needs one of the {what}, {n_missing} have none")
    return values
