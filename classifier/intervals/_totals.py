"""What is estimated, the sums per article behind it, and whether a draw of articles was random."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.errors import DataError, no_number
from classifier.intervals._resampling import t_quantile
from classifier.records import Estimate, counted

Array = npt.NDArray[np.float64]
Names = npt.NDArray[np.generic]
Estimand = Literal["mention", "article"]
Population = Literal["source", "corpus"]
_ESTIMANDS: tuple[Estimand, ...] = ("mention", "article")
_POPULATIONS: tuple[Population, ...] = ("source", "corpus")


_ROUNDING = 1e-24
"""A variance below this is what arithmetic leaves of zero, for scores of the order of one."""
_NEARLY = 1e-12
"""A share this near to 0 or 1 is one."""
_SHARED_BY = 5
"""Chances that on average this many articles share are those of a stratified draw."""
_ALIKE = 1e-9
_CELLS = 2**20
"""Draws times articles that are held in memory at once."""


@dataclass(frozen=True)
class InferenceOptions:
    """What is estimated and how sure the interval shall be."""

    estimand: Estimand = "mention"
    """ "mention": every mention counts alike; "article": every article counts alike."""
    population: Population = "source"
    """ "source": what the source writes in general; "corpus": these very articles."""
    confidence: float = 0.95
    is_share: bool = False
    """Whether a share from 0 to 1 is estimated: its interval is lopsided near the ends, and where
    no coded mention has the label there is an upper bound."""

    def __post_init__(self) -> None:
        """Refuse what is no estimand, no population or no confidence."""
        for value, known in ((self.estimand, _ESTIMANDS), (self.population, _POPULATIONS)):
            if value not in known:
                raise DataError(f"one of {', '.join(known)} was required, got {value!r}")
        if not 0 < self.confidence < 1:
            raise DataError(f"confidence must lie between 0 and 1, got {self.confidence}")


@dataclass(frozen=True)
class Sampling:
    """What is known of how articles came to be coded; in every column one entry per mention."""

    probability: npt.ArrayLike | None = None
    """Chance, 0 < p <= 1, with which the article was drawn; None if all had the same."""
    cluster: npt.ArrayLike | None = None
    """What is independent of the rest, such as the story of a wire copy; None: the article."""
    is_false: npt.ArrayLike | None = None
    """Where a coder said that this is no mention of the target; None: nowhere."""


class Totals(NamedTuple):
    """Sums per article, coded articles apart from the others; one entry per article.

    In an article coded in part, the coded mentions stand for all of it: sums over them are
    inflated by mentions / coded mentions.
    """

    coded_size: Array
    """Mentions found, false ones too."""
    coded_label_size: Array
    """Mentions that are none of the false ones: what the labels are a mean over."""
    coded_label: Array
    coded_score: Array
    """Scores of the mentions that a coder saw."""
    coded_full_score: Array
    """Scores of all mentions of the article."""
    coded_share: Array
    """How much of the article was coded, 0 to 1."""
    probability: Array
    coded_cluster: Names
    other_size: Array
    other_score: Array
    other_cluster: Names


def article_totals(
    predicted: npt.ArrayLike,
    coded: npt.ArrayLike,
    article: npt.ArrayLike,
    sampling: Sampling,
    estimand: Estimand,
) -> Totals:
    """Sums per article; for the article-weighted estimand every article has size 1.

    Raises `DataError` for columns of different length, a missing score, label or name that is none,
    a probability that is not in (0, 1], and an article with several probabilities or clusters.
    """
    scores, labels = numbers(predicted, "scores"), numbers(coded, "labels")
    names = named(article, "article")
    chances, clusters, is_false = _columns(sampling, names)
    _check_columns(scores, labels, chances, clusters, is_false, names)
    _, first, index = np.unique(names, return_index=True, return_inverse=True)
    _check_articles(first, index, chances, clusters)
    has_label = ~np.isnan(labels) & ~is_false
    seen = has_label | is_false
    size, n_seen, n_labels = (_sums(index, x) for x in (np.ones(len(index)), seen, has_label))
    is_coded = n_seen > 0
    scale = np.divide(size, n_seen, out=np.ones_like(size), where=is_coded)
    columns = {
        "size": size,
        "label_size": n_labels * scale,
        "label": _sums(index, np.where(has_label, labels, 0.0)) * scale,
        "score": _sums(index, np.where(seen, scores, 0.0)) * scale,
        "full_score": _sums(index, scores),
    }
    if estimand == "article":
        columns = _means(columns)
    return Totals(
        coded_size=columns["size"][is_coded],
        coded_label_size=columns["label_size"][is_coded],
        coded_label=columns["label"][is_coded],
        coded_score=columns["score"][is_coded],
        coded_full_score=columns["full_score"][is_coded],
        coded_share=n_seen[is_coded] / size[is_coded],
        probability=chances[first][is_coded],
        coded_cluster=clusters[first][is_coded],
        other_size=columns["size"][~is_coded],
        other_score=columns["full_score"][~is_coded],
        other_cluster=clusters[first][~is_coded],
    )


def _means(sums: dict[str, Array]) -> dict[str, Array]:
    """The same with every article, and every article's labels, of size one."""
    size, label_size = sums["size"], sums["label_size"]
    has_label = label_size > 0
    return {
        "size": np.ones_like(size),
        "label_size": has_label.astype(np.float64),
        "label": np.divide(sums["label"], label_size, out=np.zeros_like(size), where=has_label),
        "score": sums["score"] / size,
        "full_score": sums["full_score"] / size,
    }


def with_interval(estimate: Estimate, variance: float, freedom: float) -> Estimate:
    """The estimate with its t interval; without one if the variance is not positive."""
    if estimate.value is None or not variance > _ROUNDING or not freedom > 0:
        return replace(estimate, interval_status="undefined: no variation between articles")
    error = float(np.sqrt(variance))
    half = t_quantile(estimate.confidence, freedom) * error
    return replace(
        estimate,
        low=estimate.value - half,
        high=estimate.value + half,
        standard_error=error,
        degrees_of_freedom=float(freedom),
        interval_status="ok",
    )


def exact(estimate: Estimate) -> Estimate:
    """The estimate of what is known in full: an interval without width."""
    value = estimate.value
    return replace(estimate, low=value, high=value, standard_error=0.0, interval_status="ok")


def satterthwaite(variances: list[float], freedoms: list[float]) -> float:
    """(Σv)² / Σ(v²/df)."""
    bottom = sum(v**2 / df for v, df in zip(variances, freedoms, strict=True))
    return sum(variances) ** 2 / bottom if bottom > 0 else 0.0


def cluster_sums(values: Array, clusters: Names) -> dict[object, float]:
    """Sum of the values per cluster."""
    names, index = np.unique(clusters, return_inverse=True)
    return dict(zip(names.tolist(), _sums(index, values).tolist(), strict=True))


def clustered_variance(residuals: Array, clusters: Names) -> tuple[float, int]:
    """Variance of a mean whose residuals sum to zero, and its degrees of freedom.

    c/(c-1) · Σ(Σ_cluster r)² / n², which for c = n is the usual s²/n.
    """
    sums = np.array(list(cluster_sums(residuals, clusters).values()))
    if len(sums) < 2:
        return 0.0, 0
    n_clusters = len(sums)
    factor = n_clusters / (n_clusters - 1)
    return float(factor * (sums**2).sum() / len(residuals) ** 2), n_clusters - 1


def numbers(column: npt.ArrayLike, what: str) -> Array:
    """A column of numbers; raises `DataError` if it is no column or holds something else."""
    try:
        values = np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        got = no_number(np.ravel(np.asarray(column, dtype=object)))
        raise DataError(f"{what} must be numbers, got {got}") from None
    if values.ndim != 1 or np.isinf(values).any():
        raise DataError(f"{what} must be a column of finite numbers, one per mention")
    return values


def named(column: npt.ArrayLike, what: str) -> Names:
    """A column of names; raises `DataError` if one is missing."""
    names = np.asarray(column)
    n_missing = int(np.sum(pd.isna(names)))
    if names.ndim != 1 or n_missing:
        raise DataError(f"every mention needs its {what}, {n_missing} of {names.size} have none")
    return names.astype(str) if names.dtype == object else names


def marks(column: npt.ArrayLike, what: str) -> npt.NDArray[np.bool_]:
    """A column of yes and no; raises `DataError` for anything else, a missing mark included."""
    values = np.asarray(column)
    if values.ndim != 1 or not np.isin(values, (False, True)).all():
        raise DataError(f"{what} must be True or False for every mention")
    return values.astype(bool)


def _columns(sampling: Sampling, names: Names) -> tuple[Array, Names, npt.NDArray[np.bool_]]:
    n = len(names)
    chances, is_false = sampling.probability, sampling.is_false
    return (
        np.ones(n) if chances is None else numbers(chances, "sampling probabilities"),
        names if sampling.cluster is None else named(sampling.cluster, "cluster"),
        np.zeros(n, bool) if is_false is None else marks(is_false, "is_false"),
    )


def _sums(index: npt.NDArray[np.intp], values: npt.ArrayLike) -> Array:
    return np.asarray(np.bincount(index, weights=np.asarray(values)), dtype=np.float64)


def _check_articles(
    first: npt.NDArray[np.int64], index: npt.NDArray[np.int64], chances: Array, clusters: Names
) -> None:
    for column, what in ((chances, "sampling probability"), (clusters, "cluster")):
        if np.any(column != column[first][index]):
            raise DataError(f"one {what} per article was required, some articles have several")


def _check_columns(
    scores: Array, labels: Array, chances: Array, *others: npt.NDArray[np.generic]
) -> None:
    lengths = {len(scores), len(labels), len(chances), *map(len, others)}
    if len(lengths) > 1:
        raise DataError(f"scores, labels and articles must be equally long, got {sorted(lengths)}")
    missing = int(np.isnan(scores).sum())
    if missing:
        raise DataError(f"every mention needs a score, {missing} of {len(scores)} have none")
    if np.any(~(chances > 0) | (chances > 1)):
        raise DataError("a sampling probability must lie in (0, 1]")


def share_interval(estimate: Estimate) -> Estimate:
    """The share with Wilson's interval for its effective number of draws, θ(1 - θ) / SE².

    Wilson (1927) with the effective number and a t quantile, as for clustered samples in Franco et
    al. (2019), "Comparative study of confidence intervals for proportions in complex sample
    surveys". It does not leave 0 to 1, and it reaches further on the side where there is more room.
    """
    share, error, freedom = estimate.value, estimate.standard_error, estimate.degrees_of_freedom
    if share is None or not error or freedom is None or not 0 < share < 1:
        return estimate
    t = t_quantile(estimate.confidence, freedom)
    pull = t**2 * error**2 / (share * (1 - share))
    middle = (share + pull / 2) / (1 + pull)
    half = t / (1 + pull) * float(np.sqrt(error**2 * (1 + pull / (4 * share * (1 - share)))))
    return replace(estimate, low=max(middle - half, 0.0), high=min(middle + half, 1.0))


def bounded_share(estimate: Estimate, share: float, n_clusters: float) -> Estimate:
    """A share of 0 or 1 among the coded with the bound that it leaves (Clopper and Pearson 1934).

    Of n independent articles none had the label: the share is at most 1 - (α/2)^(1/n).
    """
    room = 1 - ((1 - estimate.confidence) / 2) ** (1 / n_clusters)
    none = share < _NEARLY
    found = "no coded mention has it: an upper" if none else "all coded mentions have it: a lower"
    note = f"{found} bound from {counted(round(n_clusters), 'article')}"
    return replace(
        estimate,
        value=0.0 if none else 1.0,
        status="ok",
        low=0.0 if none else 1 - room,
        high=room if none else 1.0,
        interval_status="ok",
        model_weight=None,
        notes=(*estimate.notes, note),
    )


def is_bare(share: float) -> bool:
    """Whether none or all of the coded mentions have the label."""
    return share < _NEARLY or share > 1 - _NEARLY


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
    values = (values - values.mean(axis=0)) / np.where(deviation > _ALIKE, deviation, np.inf)
    observed = _centres(values, chances, coded[None])[0]
    drawn = np.vstack([_centres(values, chances, some) for some in _draws(coded, chances, redraws)])
    # A feature that the design fixes, such as length where chances go by it, cannot differ.
    spread = np.sqrt((drawn**2).mean(axis=0))
    varies = spread > _ALIKE
    if not varies.any():
        return None, {}
    apart = np.abs(np.vstack([observed, drawn])[:, varies]) / spread[varies]
    largest = apart.max(axis=1)
    # The observed draw is one of the possible ones, hence the 1 on both sides.
    exceeding = int((largest[1:] >= largest[0] - 1e-9).sum())
    names = [name for name, kept in zip(features, varies, strict=True) if kept]
    differences = dict(zip(names, map(float, observed[varies]), strict=True))
    return (1 + exceeding) / (1 + redraws.n), differences


def _centres(values: Array, chances: Array, drawn: npt.NDArray[np.bool_]) -> Array:
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
