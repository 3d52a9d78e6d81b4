"""Coverage where the model was trained on the coded articles, by how the articles are judged.

Models that overfit or start at random are trained on a source's coded articles, five folds. Then
coded articles are judged by the model that was trained on them too ("in sample", the negative
control), or by the model of their fold, and the others by the model trained on all coded articles,
by the mean of the fold models (Zrnic and Candès 2024), or by one fold model each, which is what
`classifier score --folds` does. Part of `coverage.py`.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from classifier.intervals import Redraws, corrected_mean, looks_random

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Learner = Callable[[Array, Array, Array, np.random.Generator], Array]
"""From features and labels of the training mentions to scores of other mentions."""
ARTICLES = 400
CODED = (20, 40, 80)
FOLDS = 5
FEATURES = 30
TRUTH_DRAWS = 400_000


def nearest(x: Array, y: Array, new: Array, _: np.random.Generator) -> Array:
    """The label of the nearest training mention: right on every mention it was trained on."""
    apart = (new**2).sum(axis=1)[:, None] + (x**2).sum(axis=1) - 2 * new @ x.T
    return np.asarray(y[apart.argmin(axis=1)])


def ridge(x: Array, y: Array, new: Array, rng: np.random.Generator) -> Array:
    """Least squares with hardly a penalty on many features."""
    return _ridge(x, y, new, np.zeros(FEATURES + 1), 1.0, rng)


def random_start(x: Array, y: Array, new: Array, rng: np.random.Generator) -> Array:
    """Pulled towards weights that are drawn anew at each training, as in a short fine-tuning."""
    start = rng.normal(0, 0.1, FEATURES + 1)
    start[0] *= 4
    return _ridge(x, y, new, start, 60.0, rng)


LEARNERS: dict[str, Learner] = {
    "nearest neighbour": nearest,
    "ridge": ridge,
    "random start": random_start,
}


def trained_on_coded(corpora: int, seed: int) -> dict[str, object]:
    """Coverage and mean width by number of coded articles, learner and way of judging."""
    rng = np.random.default_rng(seed)
    truth = float(_draw(TRUTH_DRAWS, rng)[1].mean())
    made: dict[str, dict[str, list[tuple[bool, float]]]] = {}
    for n_coded in CODED:
        rows = made.setdefault(str(n_coded), {})
        for _ in range(corpora):
            for name, low, high in _intervals(n_coded, rng):
                rows.setdefault(name, []).append((low <= truth <= high, high - low))
    return {
        n_coded: {
            name: {
                "coverage": round(float(np.mean([hit for hit, _ in ends])), 4),
                "width": round(float(np.mean([width for _, width in ends])), 4),
            }
            for name, ends in rows.items()
        }
        for n_coded, rows in made.items()
    }


def false_alarms(corpora: int, seed: int) -> dict[str, float]:
    """How often the randomness test fires on articles drawn at random, judged in folds."""
    rng = np.random.default_rng(seed)
    fired: dict[str, list[bool]] = {}
    for i in range(corpora):
        article, label, features = _draw(ARTICLES, rng)
        fold = _folds(40, rng)[article]
        for name, learn in LEARNERS.items():
            ways = _judged(learn, features, label, fold, (article, rng))
            for way in ("one fold model each", "mean of the fold models"):
                test = looks_random(ways[way], fold >= 0, article, redraws=Redraws(499, seed=i))
                fired.setdefault(f"{name}: {way}", []).append(test.is_random() is False)
    return {name: round(float(np.mean(rows)), 4) for name, rows in fired.items()}


def make_features(n_articles: int, rng: np.random.Generator) -> tuple[Index, Array, Array]:
    """Article, label and features of every mention of a small corpus."""
    return _draw(n_articles, rng)


def judged_in_folds(
    learn: Learner,
    corpus: tuple[Index, Array, Array],
    n_coded: int,
    n_folds: int,
    rng: np.random.Generator,
) -> tuple[Index, Array]:
    """Per mention its fold (-1: not coded) and the score of the model that judges it."""
    article, label, features = corpus
    n = int(article.max()) + 1
    of_article = np.full(n, -1)
    of_article[rng.permutation(n)[:n_coded]] = np.arange(n_coded) % n_folds
    fold = of_article[article]
    judge = np.where(fold >= 0, fold, rng.integers(0, n_folds, n)[article])
    scores = np.zeros(len(article))
    for k in range(n_folds):
        seen = (fold >= 0) & (fold != k)
        own = learn(features[seen], label[seen], features, rng)
        scores[judge == k] = own[judge == k]
    return fold, scores


def _draw(n_articles: int, rng: np.random.Generator) -> tuple[Index, Array, Array]:
    """Article, label and features of every mention; stance and features cluster by article."""
    size = 1 + rng.poisson(4.4, n_articles)
    article = np.repeat(np.arange(n_articles), size)
    level = rng.normal(0, 0.8, n_articles) - 0.06 * (size - 5.4)
    latent = level[article] + rng.normal(0, 0.6, len(article))
    label = np.where(latent < -0.6, -1.0, np.where(latent > 0.6, 1.0, 0.0))
    if n_articles > ARTICLES:
        return article, label, np.zeros((0, FEATURES))
    shared = rng.normal(0, 0.8, (n_articles, FEATURES))[article]
    own = rng.normal(0, 1, (len(article), FEATURES))
    return article, label, latent[:, None] * np.linspace(1, 0, FEATURES) + shared + own


def _folds(n_coded: int, rng: np.random.Generator) -> Index:
    """Per article its fold, -1 if it is not coded."""
    fold = np.full(ARTICLES, -1)
    fold[rng.permutation(ARTICLES)[:n_coded]] = np.arange(n_coded) % FOLDS
    return fold


def _intervals(n_coded: int, rng: np.random.Generator) -> Iterator[tuple[str, float, float]]:
    article, label, features = _draw(ARTICLES, rng)
    fold = _folds(n_coded, rng)[article]
    coded = np.where(fold >= 0, label, np.nan)
    for name, learn in LEARNERS.items():
        for way, scores in _judged(learn, features, label, fold, (article, rng)).items():
            estimate = corrected_mean(scores, coded, article)
            if estimate.low is not None and estimate.high is not None:
                yield f"{name}: {way}", estimate.low, estimate.high


def _judged(
    learn: Learner,
    features: Array,
    label: Array,
    fold: Index,
    others: tuple[Index, np.random.Generator],
) -> dict[str, Array]:
    """Scores of all mentions by each way of judging them."""
    article, rng = others
    is_coded = fold >= 0
    whole = learn(features[is_coded], label[is_coded], features, rng)
    by_fold = np.array(
        [
            learn(features[seen], label[seen], features, rng)
            for seen in (is_coded & (fold != k) for k in range(FOLDS))
        ]
    )
    given = np.where(is_coded, fold, rng.integers(0, FOLDS, ARTICLES)[article])
    own = by_fold[given, np.arange(len(given))]
    return {
        "in sample (negative control)": whole,
        "model of all for the others": np.where(is_coded, own, whole),
        "mean of the fold models": np.where(is_coded, own, by_fold.mean(axis=0)),
        "one fold model each": own,
    }


def _ridge(
    x: Array, y: Array, new: Array, start: Array, penalty: float, _: np.random.Generator
) -> Array:
    inside, outside = (np.column_stack([np.ones(len(rows)), rows]) for rows in (x, new))
    left = inside.T @ inside + penalty * np.eye(len(start))
    weights = start + np.linalg.solve(left, inside.T @ (y - inside @ start))
    return np.asarray(np.clip(outside @ weights, -1, 1))
