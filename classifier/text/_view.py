"""Views of a text that keep every offset: one to match words in, one without folded lines.

Mail, PDF and OCR fold their lines at a column; `unfold` reads them as paragraphs.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

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
    """Fold a text for matching; free if it holds no combining or invisible character.

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
    """One character for a letter and its marks; nothing if there is no letter."""
    kept = "".join(_MARK.findall(marks))
    if "\u0400" <= base <= "\u04ff":
        kept = kept.translate(_STRESS)
    return unicodedata.normalize("NFC", base + kept)[:1] if base else ""


def _visible_length(base: str, marks: str) -> int:
    last = max((mark.end() for mark in _MARK.finditer(marks)), default=0)
    return len(base) + last


_NARROWEST = 38
_WIDEST = 100
# Of the breaks inside paragraphs, those that a column made; and of these, those within a clause.
_SHARE = 0.5
# Where lines are of uneven length, a break in a clause comes no earlier than this part of a line.
_FULL = 0.6
_MANY = 6
_LINE = re.compile(r"[^\n]*\n?")
_HYPHENATED = re.compile(
    r"(?<=[^\W\d_]{2})(?P<hyphen>[-‐])(?P<end>[ \t]?\r?\n[ \t]*)"
    r"(?!(?:en|of|and|or|to|tot|ve|veya|и|или|та|і|й|або)\b)(?=[^\W\d_]{2})"
)
_WORD_END = re.compile(r"[^\W\d_]+\Z")
_ENDS_CLAUSE = re.compile(r"[.!?…:;][\"'”’»)\]]*\Z")
_LIST_MARK = re.compile(r"\s*(?:[-–—•*#>|]|\d{1,3}[.)])\s")
# A prefix keeps its hyphen at a line end; of any other word the hyphen is the column's.
_PREFIXES = frozenset(
    [
        "pro",
        "anti",
        "non",
        "ex",
        "oud",
        "niet",
        "half",
        "semi",
        "ultra",
        "neo",
        "про",
        "анти",
        "экс",
        "пре",
    ]
)
_JOINED, _INVISIBLE = "\u00ad", "\u200b"


class _Break(NamedTuple):
    """A line end inside a paragraph."""

    at: int
    length: int
    """Characters of the line before it."""
    is_full: bool
    """Whether the next word had found no place in the widest line."""
    is_within: bool
    """Whether a clause goes on behind it."""


@lru_cache(maxsize=64)
def unfold(text: str) -> str:
    r"""The text with the line ends that a column made as spaces; every other character stays.

    The parts of a word that is hyphenated at a line end have invisible characters between them.
    Text with one paragraph a line comes back as it is. No offset moves.

    >>> unfold("De loods wacht in Oekra-\nïne.").replace("\u00ad\u200b", "")
    'De loods wacht in Oekraïne.'
    """
    if "\n" not in text:
        return text
    breaks = _soft_breaks(text)
    if "-\n" in text or "-\r" in text or "‐" in text or "- \n" in text:
        text = _HYPHENATED.sub(_join, text)
    if not breaks:
        return text
    letters = list(text)
    for at in breaks:
        if letters[at] == "\n":
            letters[at] = " "
            if letters[at - 1] == "\r":
                letters[at - 1] = " "
    return "".join(letters)


def _join(match: re.Match[str]) -> str:
    """The same number of characters, with the hyphen where it belongs to the word."""
    text, end = match.string, match["end"]
    first = text[match.end()]
    word = _WORD_END.search(text, max(0, match.start() - 40), match.start())
    before = word[0] if word else ""
    keeps = before.lower() in _PREFIXES or (first.isupper() and not before.isupper())
    return (match["hyphen"] if keeps else _JOINED) + _INVISIBLE * len(end)


def _soft_breaks(text: str) -> list[int]:
    """Places of the line ends that a column made; none if the text is not folded."""
    lines = _lines(text)
    wide = [len(line) for _, line in lines if " " in line]
    width = max(wide, default=0)
    if not _NARROWEST <= width <= _WIDEST:
        return []
    breaks = list(_breaks(lines, width))
    within = [one for one in breaks if one.is_within]
    if not within:
        return []
    full = [one for one in within if one.is_full]
    is_even = len(full) == len(within)
    least = 0 if is_even else _FULL * width
    soft = [one for one in breaks if one.is_full or (one.is_within and one.length >= least)]
    n_within = sum(one.is_within for one in soft)
    # Paragraphs of a line each do not all end where the next word had found no place.
    is_column = len(full) == len(within) and len(soft) == len(breaks) >= _MANY
    if (not is_column and n_within < _SHARE * len(soft)) or len(soft) < _SHARE * len(breaks):
        return []
    return [one.at for one in soft]


def _lines(text: str) -> list[tuple[int, str]]:
    """Each line with the place of its end; what cannot be folded text is left at its first line."""
    lines = []
    for match in _LINE.finditer(text):
        line = match[0].rstrip()
        if len(line) > _WIDEST and " " in line:
            return []
        lines.append((match.start() + len(match[0].rstrip("\n")), line))
    return lines


def _breaks(lines: list[tuple[int, str]], width: int) -> Iterator[_Break]:
    for (at, line), (_, following) in pairwise(lines):
        if not line or not following.strip() or _LIST_MARK.match(following):
            continue
        word = following.split(maxsplit=1)[0]
        is_full = len(line) + 1 + len(word) > width
        is_within = word.lstrip("\"'“‘«(")[:1].islower() and not _ENDS_CLAUSE.search(line)
        yield _Break(at, len(line), is_full, is_within)
