"""Text broken at a column, read as paragraphs: mail, PDF and OCR fold their lines."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

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
    """Places of the line ends that a column made; none where the text is not folded."""
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
