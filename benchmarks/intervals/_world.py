"""Simulated sources: stance clusters by article, and so do a model's errors.

The model is right on about four mentions of five, its errors lean a different way in every source,
and long articles are more negative. Part of `coverage.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from classifier.records import Estimate

Array = npt.NDArray[np.float64]
ARTICLES = 400
LEANS = (-0.35, -0.25, 0.25, 0.35)
"""Systematic error of the model per source, on the scale of the latent stance."""
TRUTH_DRAWS = 400_000


class Corpus(NamedTuple):
    """One source's mentions: article, human label and model score per mention."""

    article: npt.NDArray[np.int64]
    label: Array
    score: Array
    confidence: Array


@dataclass(frozen=True)
class World:
    """Where stance and errors come from."""

    lean: float
    """Shift of the model's latent score in this source."""
    article_spread: float = 0.8
    error_spread: float = 0.2

    def draw(self, n_articles: int, generator: np.random.Generator) -> Corpus:
        """A corpus of this source."""
        size = 1 + generator.poisson(4.4, n_articles)
        article = np.repeat(np.arange(n_articles), size)
        level = generator.normal(0, self.article_spread, n_articles) - 0.06 * (size - 5.4)
        latent = level[article] + generator.normal(0, 0.6, len(article))
        error = generator.normal(self.lean, self.error_spread, n_articles)[article]
        seen = latent + error + generator.normal(0, 0.15, len(article))
        return Corpus(article, _stance(latent), *_expected(seen))

    def mean(self, generator: np.random.Generator) -> float:
        """The mention-weighted mean stance of the source, from a very large corpus."""
        return float(self.draw(TRUTH_DRAWS, generator).label.mean())


def _stance(latent: Array) -> Array:
    return np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))


def _expected(seen: Array) -> tuple[Array, Array]:
    """Expected stance and the probability of the likeliest label of a model that sees `seen`."""
    low, high = ndtr((-0.6 - seen) / 0.3), ndtr((seen - 0.6) / 0.3)
    middle = 1 - low - high
    return high - low, np.maximum(np.maximum(low, high), middle)


def ends(estimate: Estimate) -> tuple[float, float]:
    """Low and high of an interval that must be there."""
    if estimate.low is None or estimate.high is None:
        raise SystemExit(f"an interval was expected, got {estimate.interval_status}")
    return estimate.low, estimate.high
