"""Whether the coded articles look like a random draw from all articles of a source."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.errors import DataError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RandomnessTest:
    """The verdict of a permutation test; a small p means that the draw was not random."""

    p_value: float | None
    status: str
    """"ok", or why nothing could be tested."""
    differences: dict[str, float]
    """Coded minus other articles per feature, in standard deviations."""
    n_coded_articles: int
    n_articles: int
    n_permutations: int
    seed: int

    def is_random(self, level: float = 0.05) -> bool | None:
        """Whether the draw passes at this level; None where it could not be tested."""
        return None if self.p_value is None else self.p_value >= level


def looks_random(
    predicted: npt.ArrayLike,
    is_coded: npt.ArrayLike,
    article: npt.ArrayLike,
    *,
    confidence: npt.ArrayLike | None = None,
    n_permutations: int = 1999,
    seed: int = 0,
) -> RandomnessTest:
    """Compare coded and other articles by score, spread, length and the model's confidence.

    The statistic is the largest standardised difference of the two groups' feature means; its
    distribution comes from reassigning articles, so that the test is exact whatever the features.

    Args:
        predicted: The model's score per mention.
        is_coded: Whether the mention was coded.
        article: The article of each mention; an article with any coded mention counts as coded.
        confidence: The probability of the model's own label per mention, where there is one.
        n_permutations: How many reassignments to draw.
        seed: Seed of those draws.
    """
    features, coded = _article_features(predicted, is_coded, article, confidence)
    n, n_coded = len(coded), int(coded.sum())
    empty = RandomnessTest(None, "", {}, n_coded, n, n_permutations, seed)
    if min(n_coded, n - n_coded) < 2:
        reason = "not testable: fewer than 2 coded or fewer than 2 other articles"
        return RandomnessTest(**{**vars(empty), "status": reason})
    varying = {name: column for name, column in features.items() if np.ptp(column) > 0}
    if not varying:
        reason = "not testable: all articles are alike to the model"
        return RandomnessTest(**{**vars(empty), "status": reason})
    standardised = np.column_stack([(c - c.mean()) / c.std() for c in varying.values()])
    inside = np.vstack([standardised[coded].sum(axis=0), *_redrawn(standardised, empty)])
    # Standardised features sum to zero, so that the mean of the rest follows from the chosen.
    differences = inside / n_coded + inside / (n - n_coded)
    observed, drawn = differences[0], np.abs(differences[1:]).max(axis=1)
    # The observed assignment is one of the possible ones, hence the 1 on both sides.
    exceeding = int((drawn >= np.abs(observed).max() - 1e-12).sum())
    return RandomnessTest(
        p_value=(1 + exceeding) / (1 + n_permutations),
        status="ok",
        differences=dict(zip(varying, map(float, observed), strict=True)),
        n_coded_articles=n_coded,
        n_articles=n,
        n_permutations=n_permutations,
        seed=seed,
    )


def _article_features(
    predicted: npt.ArrayLike,
    is_coded: npt.ArrayLike,
    article: npt.ArrayLike,
    confidence: npt.ArrayLike | None,
) -> tuple[dict[str, Array], npt.NDArray[np.bool_]]:
    scores = np.asarray(predicted, dtype=np.float64)
    names, index = np.unique(np.asarray(article), return_inverse=True)
    marks = np.asarray(is_coded, dtype=bool)
    if not len(scores) == len(index) == len(marks):
        raise DataError(
            f"scores, marks and articles must be equally long, "
            f"got {len(scores)}, {len(marks)} and {len(index)}"
        )
    size = np.bincount(index, minlength=len(names)).astype(np.float64)

    def mean(values: Array) -> Array:
        return np.bincount(index, weights=values, minlength=len(names)) / size

    features = {
        "mean score": mean(scores),
        "distance from the middle": mean(np.abs(scores)),
        "mentions": size,
    }
    if confidence is not None:
        features["confidence"] = mean(np.asarray(confidence, dtype=np.float64))
    return features, np.bincount(index, weights=marks, minlength=len(names)) > 0


def _redrawn(features: Array, test: RandomnessTest) -> Iterator[Array]:
    """Sums of the features over as many articles as were coded, drawn anew each time."""
    generator, n = np.random.default_rng(test.seed), len(features)
    for _ in range(test.n_permutations):
        chosen = generator.choice(n, test.n_coded_articles, replace=False, shuffle=False)
        yield features[chosen].sum(axis=0)
