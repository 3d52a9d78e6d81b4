"""Are explanations faithful? Words that they call strong must move the score, others must not.

Of every mention the k words that are said to push hardest in one direction are taken out of its
passage, and k words drawn at random (comprehensiveness, DeYoung et al., ACL 2020, against chance).
Taking out is done twice: by deleting a word, which is how occlusion finds its weights, and by an
ellipsis in its place, which no method has seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.errors import DataError
from classifier.models import Trained
from classifier.paper import InPapers, PaperTable
from classifier.predictions import Explanation
from classifier.records import Estimate, counted
from classifier.score._explain import passage_of, probabilities_of, quantity, without, words_of

SIZES = (1, 3, 5)
WAYS: Mapping[str, str] = {"deleted": "", "ellipsis": "…"}
DRAWS = 10
FEWEST_WORDS = 8
"""With fewer words the strongest five are nearly all, and random ones the same."""


@dataclass(frozen=True)
class Moved:
    """How far one mention's score moves when k words are taken out."""

    way: str
    k: int
    article: str
    by_top: float
    by_random: float
    """Mean over draws."""


@dataclass(frozen=True)
class Faithful:
    """What taking out k words does, over all mentions."""

    way: str
    k: int
    by_top: float
    """Mean size of the move, of a score from -1 to 1 or of a probability."""
    by_random: float
    difference: Estimate
    """Its interval is clustered by story, or else by article."""
    top_moves_more: float
    """Share of the mentions."""


@dataclass(frozen=True)
class Faithfulness(InPapers):
    """Whether the words that explanations call strong move the score more than others do."""

    rows: tuple[Faithful, ...]
    n_mentions: int
    n_short: int
    """Mentions left out since fewer than 8 words stand around them."""
    seed: int

    @property
    def sentence(self) -> str:
        """What the figures say."""
        return faithful_words(self.rows)

    def paper_table(self) -> PaperTable:
        """A row per way and number of words."""
        rows = tuple(
            (one.way, one.k, one.by_top, one.by_random, one.difference, one.top_moves_more)
            for one in self.rows
        )
        columns = ("taken out", "words", "strongest", "random", "difference", "strongest more")
        left = f"; {self.n_short} left out, fewer than {FEWEST_WORDS} words" if self.n_short else ""
        notes = (f"{counted(self.n_mentions, 'mention')}{left}. Seed {self.seed}.",)
        return PaperTable("How far a score moves without words", columns, rows, notes)


def faithful_words(rows: Sequence[Faithful]) -> str:
    """What the figures say, in a sentence."""
    unseen = [one for one in rows if one.way == "ellipsis"]
    held = [one.k for one in unseen if one.difference.low is not None and one.difference.low > 0]
    if len(held) == len(unseen):
        return "Faithful here: words called strong move the score more than random words do."
    if not held:
        return (
            "Not shown to be faithful: words called strong do not move the score clearly more than "
            "random words do. Do not read reasons into them."
        )
    named = " and ".join(str(k) for k in held)
    return f"Faithful in part: only with {named} words taken out is the difference clear."


def faithfulness(
    trained: Trained, explanations: Sequence[Explanation], *, seed: int = 0
) -> Faithfulness:
    """Take the strongest words out of each passage, and random ones, and compare the moves.

    Args:
        trained: The model that was explained.
        explanations: Of its predictions.
        seed: Of the random words.

    Raises:
        DataError: no explanation has at least 8 words.
    """
    rng = np.random.default_rng(seed)
    moved: list[Moved] = []
    long = [one for one in explanations if len(one.words) >= FEWEST_WORDS]
    for one in long:
        weights = np.array([word.weight for word in one.words])
        moved += moves(trained, one, weights, random_places(len(weights), rng))
    if not moved:
        raise DataError(
            f"a check needs mentions with at least {FEWEST_WORDS} words around them; "
            f"{counted(len(explanations), 'mention')} explained, none has"
        )
    n_short = len(explanations) - len(long)
    return Faithfulness(tuple(summarised(moved)), len(long), n_short, seed)


def random_places(n: int, rng: np.random.Generator) -> dict[int, list[NDArray[np.int64]]]:
    """Per size the places of randomly drawn words, once for each draw."""
    return {k: [rng.permutation(n)[:k] for _ in range(DRAWS)] for k in SIZES}


def moves(
    trained: Trained,
    explained: Explanation,
    weights: NDArray[np.float64],
    by_random: Mapping[int, Sequence[NDArray[np.int64]]],
) -> Iterator[Moved]:
    """Every way and size for one mention.

    `weights` has one number a word, in reading order; it may be by another method than
    `explained`, of which only the mention and what is explained are taken.
    """
    passage = passage_of(trained, explained.prediction)
    variable = next(v for v in trained.model.variables if v.name == explained.variable)
    spans = words_of(passage)
    cases = [
        (way, places)
        for way in WAYS
        for k in SIZES
        for places in (strongest(weights, k), *by_random[k])
    ]
    variants = [without(passage, [spans[i] for i in places], WAYS[way]) for way, places in cases]
    rows = probabilities_of(trained, [passage, *variants], variable)
    values = quantity(rows, variable, explained.label)
    shifts = np.abs(values[1:] - values[0]).reshape(len(WAYS), len(SIZES), 1 + DRAWS)
    row = explained.prediction.row
    article = str(row["story_id"] or row["article_id"])
    for w, way in enumerate(WAYS):
        for s, k in enumerate(SIZES):
            top, others = shifts[w, s, 0], shifts[w, s, 1:].mean()
            yield Moved(way, k, article, float(top), float(others))


def strongest(weights: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    """Places of the k words that push hardest up, or down if those push harder together.

    >>> strongest(np.array([0.1, -0.4, 0.2]), 2)
    array([2, 0])
    >>> strongest(np.array([0.1, -0.4, 0.2]), 1)
    array([1])
    """
    up, down = np.argsort(-weights, kind="stable")[:k], np.argsort(weights, kind="stable")[:k]
    return up if weights[up].sum() >= -weights[down].sum() else down


def summarised(moved: Sequence[Moved]) -> Iterator[Faithful]:
    """Means per way and size, and their difference with its interval."""
    # Statistics need SciPy, which a machine that only scores may lack.
    from classifier.intervals import naive_mean

    for way, k in sorted({(one.way, one.k) for one in moved}):
        own = [one for one in moved if (one.way, one.k) == (way, k)]
        gains = [one.by_top - one.by_random for one in own]
        yield Faithful(
            way,
            k,
            float(np.mean([one.by_top for one in own])),
            float(np.mean([one.by_random for one in own])),
            naive_mean(gains, [one.article for one in own]),
            float(np.mean([gain > 0 for gain in gains])),
        )
