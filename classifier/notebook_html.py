"""How results show themselves in a notebook: text made safe to read, with marks in it, and charts.

Colours are inks with some transparency over whatever the page is made of, so that light and dark
themes both leave the text its own colour; no meaning is in a colour alone.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from classifier.records import Problem, Span, counted

if TYPE_CHECKING:
    import pandas as pd


BLUE, ORANGE, GREY = "0,114,178", "213,94,0", "127,127,127"
"""Blue and vermilion of Okabe and Ito (2008), which everyone can tell apart."""
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LONGEST, _LONGEST_CELL = 300, 100
_BLOCK = "white-space:pre-line;overflow-wrap:anywhere;unicode-bidi:isolate;line-height:1.7"


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a text to be set apart."""

    span: Span
    style: str
    """CSS declarations; never from a user's data."""
    title: str = ""
    """Shown when pointed at."""
    note: str = ""
    """Small text that follows the stretch."""


def brief(text: str, longest: int = _LONGEST) -> str:
    """Text to be read in passing: nobody reads more of a name than this."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def visible(text: str) -> str:
    r"""Text without characters that turn its direction or that no file can hold; each is named.

    >>> visible("a\u202eb")
    'a[U+202E]b'
    """
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def safe(text: object, longest: int = _LONGEST) -> str:
    """Anybody's text for HTML: brief, visible, escaped.

    >>> safe("<script>")
    '&lt;script&gt;'
    """
    return escape(visible(brief(str(text), longest)))


def frame_html(frame: "pd.DataFrame", caption: str = "", most_rows: int = 20) -> str:
    """The first rows of a frame as a table of HTML, every cell safe; a dash for what is missing."""
    shown = frame.head(most_rows).map(_cell)
    table: str = shown.to_html(index=False, border=0, float_format="{:.3f}".format)
    words = _caption(frame, caption, most_rows)
    return f"<p>{safe(words, 1_000)}</p>{table}" if words else table


def frame_text(frame: "pd.DataFrame", caption: str = "", most_rows: int = 20) -> str:
    """The first rows of a frame as plain text; control characters are named."""
    shown = frame.head(most_rows).map(_cell)
    lines = [_caption(frame, caption, most_rows)]
    if len(frame):
        lines.append(shown.to_string(index=False, float_format="{:.3f}".format))
    return visible("\n".join(line for line in lines if line))


def reasons(problems: Iterable[Problem]) -> str:
    """How many problems there are of which kind.

    >>> reasons([Problem("a.txt", "no text", "it is empty")] * 2)
    '2 problems (no text: 2)'
    """
    kinds = Counter(problem.reason for problem in problems)
    named = ", ".join(f"{reason}: {n}" for reason, n in kinds.most_common())
    return counted(kinds.total(), "problem") + (f" ({named})" if named else "")


def _caption(frame: "pd.DataFrame", caption: str, most_rows: int) -> str:
    part = f"the first {most_rows} of {len(frame)} rows:" if len(frame) > most_rows else ""
    return " ".join(words for words in (caption, part) if words)


def _cell(value: Any) -> Any:  # noqa: ANN401
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, list | set | frozenset | tuple):
        value = ", ".join(map(str, sorted(value)))
    return visible(brief(value, _LONGEST_CELL)) if isinstance(value, str) else value


def marked_html(text: str, marks: Sequence[Mark]) -> str:
    """The text as one paragraph of HTML; marks may touch, nest and overlap.

    >>> marked_html("Kyiv & co", [Mark(Span(0, 4), "font-weight:600")]).split(">", 1)[1]
    '<span style="font-weight:600">Kyiv</span> &amp; co</p>'
    """
    edges = {0, len(text)}
    for mark in marks:
        edges |= {mark.span.start, min(mark.span.end, len(text))}
    places = sorted(edges)
    pieces = [_piece(text, Span(start, end), marks) for start, end in pairwise(places)]
    return f'<p dir="auto" style="{_BLOCK}">{"".join(pieces)}</p>'


def _piece(text: str, span: Span, marks: Sequence[Mark]) -> str:
    own = [mark for mark in marks if mark.span.contains(span)]
    html = escape(visible(span.of(text)))
    if own:
        style = ";".join(mark.style for mark in own)
        titles = "; ".join(safe(mark.title) for mark in own if mark.title)
        title = f' title="{titles}"' if titles else ""
        html = f'<span style="{style}"{title}>{html}</span>'
    notes = [mark.note for mark in own if mark.note and mark.span.end == span.end]
    return html + "".join(f" <small>({safe(note)})</small>" for note in notes)


def shade(weight: float, strongest: float) -> str:
    """Style of a word that pushes up (blue, line above) or down (vermilion, dotted line below)."""
    ink, line = (BLUE, "top:2px solid") if weight > 0 else (ORANGE, "bottom:2px dotted")
    depth = 0.08 + 0.42 * abs(weight) / strongest
    return f"background:rgba({ink},{depth:.2f});border-{line} rgba({ink},.9)"


def signed(value: float) -> str:
    """A number with its sign, as printed.

    >>> signed(-0.256)
    '−0.26'
    """
    return f"{value:+.2f}".replace("-", "−")


def short(value: float, *, sign: bool = True) -> str:
    """A figure between -1 and 1 as it stands in a sentence.

    >>> short(-0.2), short(0.023), short(0.5, sign=False), short(-0.001)
    ('−.20', '+.02', '.50', '.00')
    """
    digits = f"{abs(value):.2f}"
    digits = digits.removeprefix("0") if abs(value) < 1 else digits
    if float(digits) == 0:
        return digits
    return ("−" if value < 0 else "+" if sign else "") + digits
