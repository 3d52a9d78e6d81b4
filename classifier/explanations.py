"""Which words of a passage carry a score: the record, and how it shows itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from classifier.prediction import Prediction
from classifier.records import Span
from classifier.showing import Mark, brief, draw, safe, shade, signed

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
class Explanation:
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
        """The words that move the value most, up or down, strongest first."""
        ranked = sorted(self.words, key=lambda word: (-abs(word.weight), word.span.start))
        return tuple(ranked[:n])

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

    def chart(self) -> Any:  # noqa: ANN401
        """The strongest words with their weights."""
        return draw(self)

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
        up = [w for w in self.top() if w.weight > 0]
        down = [w for w in self.top() if w.weight < 0]
        parts = [f"<b>{safe(self.quantity)} {signed(self.value)}</b>"]
        for arrow, words in (("▲ up", up), ("▼ down", down)):
            if words:
                named = ", ".join(f"{safe(w.surface, 40)} {signed(w.weight)}" for w in words)
                parts.append(f"{arrow}: {named}")
        return "; ".join(parts) + f" <small>({safe(self.method)}: {safe(self.baseline)})</small>"
