"""The offset-mapped view: text made easy to match, without ever losing where it stood."""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field, replace

APOSTROPHES = "’‘‛ʼʹʻ´`′‵＇"
_HYPHENS = "‐‑‒–−⁃﹣－"
_SPACES = "\t\v\f\r\x85\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_IGNORABLE = r"\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_MARKS = r"\u0300-\u034e\u0350-\u036f"
_CLUSTER = re.compile(f"([^{_IGNORABLE}{_MARKS}]?)([{_IGNORABLE}{_MARKS}]+)")
_SPECIAL = re.compile(f"[{_IGNORABLE}{_MARKS}]")
_MARK = re.compile(f"[{_MARKS}]")
_FOLDS = (
    *((mark, "'") for mark in APOSTROPHES),
    *((mark, "-") for mark in _HYPHENS),
    *((mark, " ") for mark in _SPACES),
)
_FOLDED = re.compile("[" + re.escape("İ" + "".join(mark for mark, _ in _FOLDS)) + "]")
_ASCII_FOLDS = tuple((mark, plain) for mark, plain in _FOLDS if mark.isascii())
# Russian and Ukrainian readers' stress marks, which are no part of the letter.
_STRESS = dict.fromkeys((0x300, 0x301))


@dataclass(frozen=True, slots=True)
class View:
    """A folded copy of a text, and for each of its characters the place it came from.

    Every index is a code point: "view" ones count in `string`, "source" ones in `text`.
    """

    text: str
    string: str
    """Lower case, letters composed, one kind of apostrophe, hyphen and space, nothing invisible."""
    _at: tuple[int, ...] = field(default=(), repr=False)
    """View index of each character that stands for several of the source, rising."""
    _starts: tuple[int, ...] = field(default=(), repr=False)
    _ends: tuple[int, ...] = field(default=(), repr=False)
    """Source end of that character, trailing invisible characters left out."""
    _nexts: tuple[int, ...] = field(default=(), repr=False)
    """Source index of the character after it."""

    def start(self, index: int) -> int:
        """Source index at which a view character starts."""
        return self._place(index)[0]

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Source indices, half-open, of a half-open stretch of the view that is not empty.

        >>> match_view("de Oekrai\u0308ne!", "nl").source(3, 11)
        (3, 12)
        """
        if not self._at:
            return start, end
        return self._place(start)[0], self._place(end - 1)[1]

    def index(self, offset: int) -> int:
        """View index of the first character that starts at or after a source offset."""
        if not self._at:
            return offset
        after = bisect_right(self._nexts, offset)
        if after < len(self._at) and self._starts[after] < offset:
            return self._at[after] + 1
        if after == 0:
            return offset
        return self._at[after - 1] + 1 + offset - self._nexts[after - 1]

    def is_upper(self, index: int) -> bool:
        """Whether the view character was a capital in the source."""
        return self.text[self._place(index)[0]].isupper()

    def _place(self, index: int) -> tuple[int, int]:
        cluster = bisect_right(self._at, index) - 1
        if cluster < 0:
            return index, index + 1
        if self._at[cluster] == index:
            return self._starts[cluster], self._ends[cluster]
        start = self._nexts[cluster] + index - self._at[cluster] - 1
        return start, start + 1


def match_view(text: str, language: str | None) -> View:
    """Fold a text for matching; free where it holds no combining or invisible character.

    In Turkish "I" becomes "ı"; "İ" becomes "i" everywhere, where `str.lower` would make two
    characters of it and move all that follows.

    >>> match_view("TÜRKİYE’nin", "tr").string
    "türkiye'nin"
    """
    view = plain_view(text)
    return replace(view, string=fold(view.string, language))


def plain_view(text: str) -> View:
    """The text with its letters composed and nothing invisible; else as it is, capitals too.

    >>> plain_view("de Oe\u00adkrai\u0308ne!").string
    'de Oekraïne!'
    """
    if text.isascii() or not _SPECIAL.search(text):
        return View(text, text)
    pieces: list[str] = []
    at, starts, ends, nexts = [], [], [], []
    length = done = 0
    for cluster in _CLUSTER.finditer(text):
        base, marks = cluster.groups()
        piece = text[done : cluster.start()] + _compose(base, marks)
        pieces.append(piece)
        length += len(piece)
        at.append(length - 1)
        starts.append(cluster.start())
        ends.append(cluster.start() + _visible_length(base, marks))
        nexts.append(cluster.end())
        done = cluster.end()
    pieces.append(text[done:])
    return View(text, "".join(pieces), tuple(at), tuple(starts), tuple(ends), tuple(nexts))


def fold(string: str, language: str | None) -> str:
    """The letters and signs of a string as a match view has them, one code point for each."""
    # For each, always: the mapping above depends on it.
    if language == "tr":
        string = string.replace("I", "ı")
    if not _FOLDED.search(string):
        return string.lower()
    if not string.isascii():
        string = string.replace("İ", "i")
        for mark, plain in _FOLDS:
            string = string.replace(mark, plain)
    else:
        for mark, plain in _ASCII_FOLDS:
            string = string.replace(mark, plain)
    return string.lower()


def _compose(base: str, marks: str) -> str:
    """One character for a letter and its marks; nothing where there is no letter."""
    kept = "".join(_MARK.findall(marks))
    if "\u0400" <= base <= "\u04ff":
        kept = kept.translate(_STRESS)
    return unicodedata.normalize("NFC", base + kept)[:1] if base else ""


def _visible_length(base: str, marks: str) -> int:
    last = max((mark.end() for mark in _MARK.finditer(marks)), default=0)
    return len(base) + last
