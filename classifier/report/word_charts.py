"""The words that carry a score, as bars."""

import altair as alt

from classifier.explanations import Explanation
from classifier.report.drawing import PALETTE, Chart, Drawing
from classifier.showing import brief, visible

_MOST, _LONGEST = 15, 30
_BAR = 18


def word_drawings(explanation: Explanation) -> list[Drawing]:
    """The strongest words, those that push up first; none where the passage has no other words."""
    words = sorted(explanation.top(_MOST), key=lambda word: -word.weight)
    if not words:
        return []
    seen: dict[str, int] = {}
    bars = []
    for word in words:
        name = visible(brief(word.surface, _LONGEST))
        seen[name] = seen.get(name, 0) + 1
        again = f" ({seen[name]})" if seen[name] > 1 else ""
        bars.append({"word": name + again, "weight": word.weight})
    mention = visible(brief(str(explanation.prediction.row["surface"]), _LONGEST))
    return [
        Drawing(
            f"{explanation.quantity} {explanation.value:+.2f} at “{mention}”",
            f"How far each word moves it, against {explanation.baseline}.",
            _chart(bars),
        )
    ]


def _chart(bars: list[dict[str, object]]) -> Chart:
    colour = alt.condition("datum.weight > 0", alt.value(PALETTE[0]), alt.value(PALETTE[1]))
    names = [str(bar["word"]) for bar in bars]
    drawn = alt.Chart(alt.Data(values=bars)).mark_bar()
    return drawn.encode(
        x=alt.X("weight:Q", title="higher with the word than without it"),
        y=alt.Y("word:N", sort=names, title=None),
        color=colour,
        tooltip=["word:N", alt.Tooltip("weight:Q", format="+.3f")],
    ).properties(height=_BAR * len(bars))
