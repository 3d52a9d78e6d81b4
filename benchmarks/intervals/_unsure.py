"""Ways to draw by uncertainty, and a world whose model knows its errors. Part of `uncertain.py`."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from benchmarks.intervals._awkward import (
    LEANS,
    Array,
    Mentions,
    drawn_by_uncertainty,
    equal_draw,
    make,
    plain,
)

ARTICLES = 400
Draw = tuple[npt.NDArray[np.bool_], Array | None]
Design = Callable[[Mentions, int, np.random.Generator], Draw]


def leaning(i: int, rng: np.random.Generator) -> Mentions:
    """The model leans one way, and does not know it."""
    return make(plain(ARTICLES, rng), np.full(ARTICLES, LEANS[i % 4]), rng)


def knowing(i: int, rng: np.random.Generator) -> Mentions:
    """The model reads some articles well and some badly, and its chances say so."""
    size = 1 + rng.poisson(4.4, ARTICLES)
    article = np.repeat(np.arange(ARTICLES), size)
    latent = (plain(ARTICLES, rng) - 0.06 * (size - 5.4))[article]
    latent = latent + rng.normal(0, 0.6, len(article))
    spread = np.exp(rng.normal(np.log(0.4), 1, ARTICLES))
    seen = latent + (rng.normal(0, 1, ARTICLES) * spread)[article]
    seen = seen + rng.normal(0, 0.15, len(article))
    # Levels of articles and mentions vary by .64 and .36, together by 1.
    noise = (spread**2 + 0.15**2)[article]
    mean, deviation = seen / (1 + noise), np.sqrt(noise / (1 + noise))
    label = np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))
    low, high = ndtr((-0.6 - mean) / deviation), ndtr((mean - 0.6) / deviation)
    return Mentions(article, label, high - low, low)


WORLDS = {"the model leans": leaning, "the model knows where it errs": knowing}


def random(mentions: Mentions, n: int, rng: np.random.Generator) -> Draw:
    """Equal chances."""
    return equal_draw(ARTICLES, n, rng), None


def by_share(
    share: Callable[[Array, Array, Array], Array], even: float, is_poisson: bool = False
) -> Design:
    """Chances in proportion to a share of mentions, entropy and variance; a part of it is even."""

    def draw(mentions: Mentions, n: int, rng: np.random.Generator) -> Draw:
        low = mentions.chance_of_label
        high = np.clip(mentions.score + low, 0, 1)
        chances = np.column_stack([low, high, np.clip(1 - low - high, 0, 1)])
        entropy = -(chances * np.log(np.maximum(chances, 1e-300))).sum(axis=1)
        columns = [np.ones(len(low)), entropy, low + high - mentions.score**2]
        sums: list[Array] = [
            np.bincount(mentions.article, column).astype(np.float64) for column in columns
        ]
        wanted = share(*sums)
        wanted = even + (1 - even) * wanted / wanted.mean()
        chance = np.minimum(n * wanted / wanted.sum(), 1)
        if is_poisson:
            return rng.random(ARTICLES) < chance, chance
        order = rng.permutation(ARTICLES)
        edges = np.floor(np.cumsum(chance[order]) + rng.random())
        is_coded = np.zeros(ARTICLES, bool)
        is_coded[order[np.diff(edges, prepend=0) > 0]] = True
        return is_coded, chance

    return draw


DESIGNS: dict[str, Design] = {
    "random": random,
    "strata of like reach and score": drawn_by_uncertainty,
    "half even, half by reach": by_share(lambda size, entropy, _: np.sqrt(size * entropy), 0.5),
    "half even, half by reach, Poisson": by_share(
        lambda size, entropy, _: np.sqrt(size * entropy), 0.5, is_poisson=True
    ),
    "by the deviation of errors": by_share(lambda size, _, var: np.sqrt(size * var), 0.2),
    "by the same, errors independent": by_share(lambda size, entropy, var: np.sqrt(var), 0.2),
    "by the root of mentions": by_share(lambda size, entropy, var: np.sqrt(size), 0.0),
}
