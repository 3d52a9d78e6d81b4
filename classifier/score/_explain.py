"""The words of a passage that carry a score, by leaving them out one by one.

Every word is deleted in turn, and the model reads what is left: occlusion, or erasure (Li, Monroe
and Jurafsky 2016). It asks nothing of a model but to be read, so that linear models and encoders
are explained alike, and one batch of passages is all it costs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import regex
from numpy.typing import NDArray

from classifier.codebook import Variable
from classifier.errors import DataError, ModelError
from classifier.models import Limits, Trained, cut_passages
from classifier.paper import InPapers, PaperTable
from classifier.predictions import OK, Explanation, Prediction, Word
from classifier.records import UNDETERMINED, Estimate, Passage, PassageMention, Span, counted

METHOD = "occlusion"
BASELINE = "the passage without the word"
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}_]+(?:['’\-‐.][\p{L}\p{M}\p{N}_]+)*")


def explain(
    trained: Trained, prediction: Prediction, variable: str | None = None, label: str | None = None
) -> Explanation:
    """How far each word of the passage moves what the model says about the mention.

    Args:
        trained: The model that made the prediction.
        prediction: What to explain.
        variable: By default the first that the model predicts.
        label: Whose probability to explain; by default the expected value of an ordinal variable,
            else the label that is most probable.

    Raises:
        DataError: the mention was not scored, its article is not here, or there is no such label.
        ModelError: the prediction was made by another model.
    """
    asked = _variable(trained, variable, label)
    passage = passage_of(trained, prediction)
    spans = words_of(passage)
    variants = [without(passage, [span]) for span in spans]
    rows = probabilities_of(trained, [passage, *variants], asked)
    if label is None and asked.kind != "ordinal":
        label = asked.names[int(rows[0].argmax())]
    values = quantity(rows, asked, label)
    words = tuple(
        Word(span.shifted(passage.start), span.of(passage.text), float(values[0] - value))
        for span, value in zip(spans, values[1:], strict=True)
    )
    return Explanation(
        prediction, asked.name, label, float(values[0]), words, METHOD, BASELINE, len(values)
    )


def passage_of(trained: Trained, prediction: Prediction) -> Passage:
    """The passage as the model read it, with the one mention in it."""
    row = prediction.row
    if row["status"] != OK:
        raise DataError(
            f"only what was scored can be explained; {prediction.unit} has the status "
            f"{row['status']!r}"
        )
    if row["model_id"] != trained.model_id:
        raise ModelError(
            f"a prediction is explained by the model that made it, {row['model_id']}; this is "
            f"{trained.model_id}: load that one, or score the article again"
        )
    stretch = prediction.passage
    article = prediction.article
    if article is None:
        raise DataError(f"{prediction.unit}: its article is not here")
    article = replace(article, language=row["language"])
    mention = Span(int(row["start"]), int(row["end"]))
    limits = Limits(trained.model.text_limit, trained.record["context"])
    alone = cut_passages(article, {prediction.unit: mention}, trained.model.token_starts, limits)
    sentence = alone[0].mentions[0].sentence.shifted(alone[0].start)
    sentence = Span(max(sentence.start, stretch.start), min(sentence.end, stretch.end))
    own = PassageMention(
        prediction.unit, mention.shifted(-stretch.start), sentence.shifted(-stretch.start)
    )
    text = stretch.of(article.text)
    language = article.language or UNDETERMINED
    return Passage(article.article_id, stretch.start, text, language, (own,))


def words_of(passage: Passage) -> list[Span]:
    """The words of a passage, without those of its mention.

    >>> mention = PassageMention("u", Span(4, 8), Span(0, 25))
    >>> text = "Did Kyiv's envoy, co-heir, go"
    >>> [s.of(text) for s in words_of(Passage("a", 0, text, "en", (mention,)))]
    ['Did', 'envoy', 'co-heir', 'go']
    """
    found = [Span(*match.span()) for match in _WORD.finditer(passage.text)]
    mentions = [mention.span for mention in passage.mentions]
    return [span for span in found if not any(span.overlaps(mention) for mention in mentions)]


def without(passage: Passage, spans: Sequence[Span], instead: str = "") -> Passage:
    """The passage with some stretches replaced, or left out together with a space beside them.

    >>> mention = PassageMention("u", Span(9, 13), Span(0, 13))
    >>> left = without(Passage("a", 0, "They left Kyiv", "en", (mention,)), [Span(0, 4)])
    >>> left.text, left.mentions[0].span
    (' left Kyiv', Span(start=5, end=9))
    """
    text = passage.text
    mentions = passage.mentions
    for span in sorted(spans, reverse=True):
        start = span.start
        before = text[start - 1 : start]
        if not instead and before == " " and not any(m.span.end == start for m in mentions):
            start -= 1
        text = text[:start] + instead + text[span.end :]
        shift = len(instead) - (span.end - start)
        mentions = tuple(
            PassageMention(
                mention.unit,
                _moved(mention.span, start, span.end, shift),
                _moved(mention.sentence, start, span.end, shift),
            )
            for mention in mentions
        )
    return replace(passage, text=text, mentions=mentions)


def _moved(span: Span, start: int, end: int, shift: int) -> Span:
    """A stretch after a change of what lies from `start` to `end`, which it holds or does not."""
    return Span(
        span.start + shift if span.start >= end else min(span.start, start),
        span.end + shift if span.end >= end else min(span.end, start),
    )


def probabilities_of(
    trained: Trained, passages: Sequence[Passage], variable: Variable
) -> NDArray[np.float64]:
    """Calibrated probabilities, one row per mention."""
    raw = trained.model.predict(passages)
    languages = [passage.language for passage in passages for _ in passage.mentions]
    return trained.calibration.apply(raw, [variable], languages)[variable.name]


def quantity(
    rows: NDArray[np.float64], variable: Variable, label: str | None
) -> NDArray[np.float64]:
    """Per row the label's probability, or the expected value of an ordinal variable."""
    if label is None:
        return np.asarray(rows @ np.array(variable.numbers))
    return rows[:, variable.index(label)]


def _variable(trained: Trained, name: str | None, label: str | None) -> Variable:
    variables = {variable.name: variable for variable in trained.model.variables}
    variable = variables.get(name or next(iter(variables)))
    if variable is None:
        raise DataError(f"this model predicts {', '.join(variables)}; got {name!r}")
    if label is not None and label not in variable.names:
        raise DataError(
            f"{variable.name} has the labels {', '.join(variable.names)}; got {label!r}"
        )
    return variable


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
