"""The words of a passage that carry a score, by leaving them out one by one.

Every word is deleted in turn, and the model reads what is left: occlusion, or erasure (Li, Monroe
and Jurafsky 2016). It asks nothing of a model but to be read, so that linear models and encoders
are explained alike, and one batch of passages is all it costs.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import regex
from numpy.typing import NDArray

from classifier.codebook import Variable
from classifier.errors import DataError, ModelError
from classifier.models import Limits, Trained, cut_passages
from classifier.predictions import OK, Explanation, Prediction, Word
from classifier.records import UNDETERMINED, Passage, PassageMention, Span

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
