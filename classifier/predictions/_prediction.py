"""One prediction, the words that carry it, and the thresholds that give it its labels.

A threshold is the probability from which a label of a set is given. It is chosen for the best F1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier._verbs import DeprecatedChart
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.notebook_html import (
    BLUE,
    GREY,
    ORANGE,
    Mark,
    brief,
    marked_html,
    safe,
    shade,
    signed,
)
from classifier.records import Article, Span

NEUTRAL = 0.5
MIN_GIVEN = 15
"""Fewer mentions with a label than this say too little about its threshold."""


@dataclass(frozen=True)
class Threshold:
    """One chosen threshold."""

    value: float
    """A label is given if its probability is at least this."""
    status: str
    """"ok", or where the value comes from instead."""
    n_mentions: int
    n_given: int
    """Coded mentions that have the label."""
    f1: float | None = None
    """F1 with it on the mentions that it was chosen on, which flatters it."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds per set variable and label."""

    chosen: Mapping[str, Mapping[str, Threshold]]

    def of(self, variable: Variable) -> NDArray[np.float64]:
        """One number per label in codebook order, the neutral one if none was chosen."""
        known = self.chosen.get(variable.name, {})
        values = [known[name].value if name in known else NEUTRAL for name in variable.names]
        return np.array(values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            variable: {label: vars(threshold) for label, threshold in by_label.items()}
            for variable, by_label in self.chosen.items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Thresholds":
        """The thresholds that `to_dict` wrote."""
        return cls(
            {
                variable: {label: Threshold(**one) for label, one in by_label.items()}
                for variable, by_label in data.items()
            }
        )


NONE_CHOSEN = Thresholds({})


def fit_thresholds(
    probabilities: Mapping[str, NDArray[np.float64]],
    labels: Mapping[str, NDArray[np.int64]],
    variables: Sequence[Variable],
) -> Thresholds:
    """Choose a threshold for every label of every set.

    A label with too few mentions takes the threshold that serves all labels of its variable
    together best (micro-averaged F1), and the neutral one if all together are too few.
    """
    return Thresholds(
        {
            v.name: _fit_variable(probabilities[v.name], labels[v.name], v)
            for v in variables
            if v.kind == "set"
        }
    )


def _fit_variable(
    rows: NDArray[np.float64], labels: NDArray[np.int64], variable: Variable
) -> dict[str, Threshold]:
    common = fit_threshold(rows.ravel(), labels.ravel())
    chosen = {}
    for column, name in enumerate(variable.names):
        own = fit_threshold(rows[:, column], labels[:, column])
        if own.status != "ok" and common.status == "ok":
            status = f"{own.status}, so that of all labels together"
            own = Threshold(common.value, status, own.n_mentions, own.n_given)
        chosen[name] = own
    return chosen


def fit_threshold(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> Threshold:
    """The threshold with the highest F1 on these mentions; -1 stands for not coded.

    >>> fit_threshold(np.repeat([0.25, 0.5, 0.75], 20), np.repeat([0, 1, 1], 20)).value
    0.375
    """
    coded = labels >= 0
    order = np.argsort(-probabilities[coded], kind="stable")
    rows, gold = probabilities[coded][order], labels[coded][order]
    n_mentions, n_given = len(gold), int((gold == 1).sum())
    if n_given < MIN_GIVEN or n_given == n_mentions:
        return Threshold(NEUTRAL, f"too few: {n_given} of {n_mentions}", n_mentions, n_given)
    f1 = f1_by_cut(gold)
    last_of_equals = np.append(rows[1:] < rows[:-1], True)
    best = int(np.argmax(np.where(last_of_equals, f1, -1.0)))
    below = rows[best + 1] if best + 1 < n_mentions else 0.0
    return Threshold(float((rows[best] + below) / 2), "ok", n_mentions, n_given, float(f1[best]))


def f1_by_cut(gold: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 if the first 1, 2, ... mentions are given the label; gold is 1 or 0, most likely first."""
    right = np.cumsum(gold == 1)
    given = np.arange(1, len(gold) + 1)
    return np.asarray(2 * right / (given + (gold == 1).sum()))


_ENGLISH = """
a an the this that these those of in on at to for from by with into onto over under about as
and or also if than then so there here it its he his him she her hers they their them we our us you
your i my me who whom whose which what when where while is are was were be been being am has
have had having do does did will would shall 's
"""
_DUTCH = """
de het een dit dat deze die van in op aan te tot voor door met naar over onder om bij uit uw
en of ook als dan er daar hier hij zijn hem zij ze haar hun hen wij we ons onze jij je u ik mijn
wie wat welke wanneer waar terwijl is ben bent was waren wordt worden werd werden geworden
heeft heb hebben had hadden zal zullen zou zouden
"""
_TURKISH = """
ve veya ya da de ile için bir bu şu o onun onlar onların biz bizim siz sizin ben benim ki
olarak olan oldu olduğu dir dır gibi kadar sonra önce üzere göre ise
"""
_RUSSIAN = """
и а или в во на к ко с со у о об от до по из за для при над под между что чтобы как это этот
эта эти тот та те который которая которые которого он его ему она её ей они их им мы нас наш
вы вас ваш я меня мой был была было были есть быть будет будут же ли
"""
_UKRAINIAN = """
і й та або в у на до з із зі від по за для при над під між що щоб як це цей ця ці той які який
яка якого він його йому вона її їй вони їх їм ми нас наш ви вас ваш я мене мій був була було
були є бути буде будуть же чи
"""
FUNCTION_WORDS = frozenset(
    word for words in (_ENGLISH, _DUTCH, _TURKISH, _RUSSIAN, _UKRAINIAN) for word in words.split()
)


def is_function_word(surface: str) -> bool:
    """Whether a word only carries grammar, in any of the languages read.

    >>> is_function_word("The"), is_function_word("не"), is_function_word("blamed")
    (True, False, False)
    """
    return surface.strip("\"'“”‘’«».,;:!?()").casefold() in FUNCTION_WORDS


_MOST_SHOWN = 2_400
_LOOKS = {-1: (ORANGE, "▼"), 0: (GREY, "●"), 1: (BLUE, "▲")}


@dataclass(frozen=True)
class Prediction:
    """What a scorer says about one mention. In a notebook it shows its passage."""

    row: Mapping[str, Any]
    """The mention's row of the table."""
    article: Article | None = None
    """Where it stands; None if the table was read without its texts."""
    beside: tuple[Mapping[str, Any], ...] = ()
    """Rows of the other mentions in the same passage."""

    @property
    def unit(self) -> str:
        """Names the mention."""
        return str(self.row["unit"])

    @property
    def passage(self) -> Span:
        """The stretch of the article that the model read.

        Raises `DataError` if it read none, or if the article is not here or another one.
        """
        if self.article is None:
            raise DataError(
                f"{self.unit}: its article is needed to read it, but is not here; "
                f"name it: Prediction(row, article)"
            )
        if not self._was_read:
            raise DataError(f"{self.unit}: no passage was read, status {self.row['status']!r}")
        mention = Span(int(self.row["start"]), int(self.row["end"]))
        if self.article.text[mention.start : mention.end] != self.row["surface"]:
            raise DataError(
                f"{self.unit}: the article must have {self.row['surface'][:80]!r} there, but has "
                f"{self.article.text[mention.start : mention.end][:80]!r}; it is another text"
            )
        return Span(int(self.row["passage_start"]), int(self.row["passage_end"]))

    @property
    def _was_read(self) -> bool:
        start = self.row["passage_start"]
        return start is not None and start == start

    def marks(self) -> list[Mark]:
        """The mentions of the passage, counted from its start, its own first."""
        passage = self.passage
        made = []
        for row in (self.row, *self.beside):
            span = Span(int(row["start"]), int(row["end"])).shifted(-passage.start)
            place, said = verdict(row)
            words = [row["target"], f"{_LOOKS[place][1]} {said}" if said else row["status"]]
            words += [row["voice"]] if row.get("voice") else []
            style = _frame(_LOOKS[place][0], is_own=row is self.row)
            made.append(Mark(span, style, note=" · ".join(words)))
        return made

    def html(self, marks: list[Mark] | None = None) -> str:
        """The passage with its mentions, and whatever else is to be marked; escaped."""
        if self.article is None or not self._was_read:
            return f"<p>{safe(self.row['surface'])} ({safe(self.row['status'])})</p>"
        passage = self.passage
        text = passage.of(self.article.text)
        own = Span(int(self.row["start"]), int(self.row["end"])).shifted(-passage.start)
        window = _window(own, len(text))
        inside = [_cut(mark, window) for mark in (*self.marks(), *(marks or ()))]
        return marked_html(window.of(text), [mark for mark in inside if mark is not None])

    def __repr__(self) -> str:
        """The mention and what is said of it."""
        _, said = verdict(self.row)
        return f"Prediction({self.unit!r}: {said or self.row['status']})"

    def _repr_html_(self) -> str:
        row = self.row
        known = (row["target"], row.get("source"), row.get("date"), row.get("language"))
        head = " · ".join(safe(value) for value in known if value)
        speaker = f" · speaker: {safe(row['speaker'])}" if row.get("speaker") else ""
        return f"<div><small>{head}{speaker}</small>{self.html()}</div>"


def verdict(row: Mapping[str, Any]) -> tuple[int, str]:
    """Where the first ordinal label lies on its scale, -1, 0 or 1, and the label with its score.

    A table without an ordinal variable, or a mention without a score, has place 0 and no label.
    """
    scored = (key.removesuffix("_score") for key in row if key.endswith("_score"))
    name = next((name for name in scored if name in row), None)
    if name is None or row[name] is None or row[name] != row[name]:
        return 0, ""
    prefix = f"p_{name}_"
    labels = [key.removeprefix(prefix) for key in row if key.startswith(prefix)]
    middle = (len(labels) - 1) / 2
    place = labels.index(row[name])
    return (place > middle) - (place < middle), f"{row[name]} {signed(row[f'{name}_score'])}"


def _frame(ink: str, *, is_own: bool) -> str:
    depth, line, weight = (0.4, 2, 700) if is_own else (0.1, 1, 400)
    return (
        f"background:rgba({ink},{depth});outline:{line}px solid rgba({ink},.9);"
        f"border-radius:2px;font-weight:{weight};padding:0 .15em"
    )


def _window(mention: Span, length: int) -> Span:
    """The whole passage, or of a very long one what is around the mention."""
    if length <= _MOST_SHOWN:
        return Span(0, length)
    start = max(0, mention.start - _MOST_SHOWN // 2)
    return Span(start, min(length, max(start + _MOST_SHOWN, mention.start + 1)))


def _cut(mark: Mark, window: Span) -> Mark | None:
    start, end = max(mark.span.start, window.start), min(mark.span.end, window.end)
    if start >= end:
        return None
    return Mark(Span(start, end).shifted(-window.start), mark.style, mark.title, mark.note)


_TOP, _SHADED = 5, 12
_FAINTEST = 0.25
"""Share of the strongest weight."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the passage and how far it moves what is explained."""

    span: Span
    """Offsets into the article."""
    surface: str
    weight: float
    """By how much the value is higher with the word than without it."""


@dataclass(frozen=True)
class Explanation(DeprecatedChart):
    """The words that carry a score. In a notebook it shows them in their passage."""

    prediction: Prediction
    variable: str
    label: str | None
    """Whose probability is explained; None for the expected value of an ordinal variable."""
    value: float
    """What the model says with all words there."""
    words: tuple[Word, ...]
    """In reading order; the words of the mention itself are not among them."""
    method: str
    baseline: str
    """What a word is compared with."""
    n_passes: int
    """Passages that the model had to read."""

    @property
    def quantity(self) -> str:
        """What is explained, as the table of predictions names it."""
        return f"{self.variable}_score" if self.label is None else f"p_{self.variable}_{self.label}"

    def top(self, n: int = _TOP) -> tuple[Word, ...]:
        """The words that move the value most, up or down, strongest first.

        Function words are never among them: they are no reason that a reader can judge.

        Args:
            n: Words at most.
        """
        known = [word for word in self.words if not is_function_word(word.surface)]
        return tuple(sorted(known, key=lambda word: (-abs(word.weight), word.span.start))[:n])

    def shaded(self) -> tuple[Word, ...]:
        """The strongest words, as far as they are strong: shading all would show none."""
        strongest = self.top(_SHADED)
        least = _FAINTEST * abs(strongest[0].weight) if strongest else 0.0
        return tuple(word for word in strongest if word.weight and abs(word.weight) >= least)

    def to_frame(self) -> pd.DataFrame:
        """One row per word, in reading order."""
        columns = {
            "word": [word.surface for word in self.words],
            "start": [word.span.start for word in self.words],
            "end": [word.span.end for word in self.words],
            "weight": [word.weight for word in self.words],
        }
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        """The value and the words that move it most."""
        words = ", ".join(f"{brief(w.surface, 40)} {w.weight:+.3f}" for w in self.top())
        return f"Explanation of {self.quantity} {self.value:+.3f}: {words or 'no words'}"

    def _repr_html_(self) -> str:
        return f"<div>{self.prediction.html(list(self._marks()))}<p>{self._caption()}</p></div>"

    def _marks(self) -> Iterator[Mark]:
        start = self.prediction.passage.start
        strongest = max((abs(word.weight) for word in self.words), default=0.0)
        for word in self.shaded():
            style = shade(word.weight, strongest)
            yield Mark(word.span.shifted(-start), style, signed(word.weight))

    def _caption(self) -> str:
        strongest = self.shaded()[:_TOP]
        up = [w for w in strongest if w.weight > 0]
        down = [w for w in strongest if w.weight < 0]
        parts = [f"<b>{safe(self.quantity)} {signed(self.value)}</b>"]
        for arrow, words in (("▲ up", up), ("▼ down", down)):
            if words:
                named = ", ".join(f"{safe(w.surface, 40)} {signed(w.weight)}" for w in words)
                parts.append(f"{arrow}: {named}")
        return "; ".join(parts) + f" <small>({safe(self.method)}: {safe(self.baseline)})</small>"
