"""Sentences whose spans cover the text exactly: `sentencex`, and the rules news needs beside it."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import sentencex

from classifier.records import Span
from classifier.text._view import unfold

# sentencex looks for the end of every open quotation mark: 700,000 of them in one piece took it
# 348 s, so it is handed pieces of this many characters at most.
_LONGEST_PIECE = 2_000
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# A typewriter's opening mark.
_DOUBLE_COMMA = re.compile(r"(?<!\w),,(?=\w)")
_OPENERS = "'\"“„«‘‹(["
_CLOSERS = "'\"”“»’›)]"
_STOPS = ".!?…"
_CUT = re.compile(r"[.!?…][" + re.escape(_CLOSERS) + r"]*\s+")
# Either before white space, or "einde.Het" as scraping leaves it.
_STOP = re.compile(
    r"[.!?…](?:(?=[A-ZÀ-ÖØ-ÞĞİŞА-ЯЁІЇЄҐ][^\W\d_A-Z])|([" + re.escape(_CLOSERS) + r"]*)\s+(?=\S))"
)
_WORD_BEFORE = re.compile(r"[^\W\d_][a-zà-öø-ÿğışа-яёіїєґ]\Z")
_CLITIC_START = re.compile(r"['’‘][stnm]\s+[^\W\d_]", re.IGNORECASE)
_ROMAN = re.compile(r"[IVXLC]{1,6}\Z")
_BEFORE_WORD = _OPENERS + "-–—/"
# A letter or two with a full stop: "o. a.", "т. е."
_SHORT = 3
_TAIL = 40


@dataclass(frozen=True)
class _Abbreviations:
    title: frozenset[str]
    number: frozenset[str]
    closing: tuple[str, ...]


def split_sentences(text: str, language: str | None) -> list[Span]:
    """Sentences of a text, as contiguous spans that cover it exactly; none of an empty text.

    A line break ends a sentence, unless the text is folded at a column; a quotation and the clause
    that reports it are one. The white space after a sentence belongs to it, so no
    span is blank unless the whole text is.

    >>> text = "Het kost 5 mln. euro. “Echt?” vroeg prof. Ahmadi."
    >>> [span.of(text) for span in split_sentences(text, "nl")]
    ['Het kost 5 mln. euro. ', '“Echt?” vroeg prof. Ahmadi.']
    """
    if not text:
        return []
    clean = _SURROGATE.sub("\ufffd", unfold(text))
    if ",," in clean:
        clean = _DOUBLE_COMMA.sub("„„", clean)
    starts = [0]
    line_start, seen_words = 0, False
    for line in clean.splitlines(keepends=True):
        if not line.isspace():
            if seen_words:
                starts.append(line_start)
            seen_words = True
            starts.extend(line_start + offset for offset in _line_boundaries(line, language))
        line_start += len(line)
    return [Span(a, b) for a, b in pairwise([*starts, len(text)])]


def _line_boundaries(line: str, language: str | None) -> Iterator[int]:
    """Where sentences after the first one start, counted from the start of the line."""
    last = 0
    body = line.rstrip()[:-1]
    # A sentence ends at a stop: without one before the last character the line is one sentence.
    if not any(stop in body for stop in _STOPS):
        return
    for boundary in _candidates(line, language):
        moved = _before_opener(line, boundary)
        if moved > last and _is_boundary(line, moved, language) and line[moved:].strip():
            yield moved
            last = moved


def _candidates(line: str, language: str | None) -> list[int]:
    candidates = {
        match.end() for match in _STOP.finditer(line) if _may_end(line, match, language or "")
    }
    for start, end in _pieces(line):
        candidates.add(start)
        for sentence in sentencex.segment(language or "en", line[start:end]):
            start += len(sentence)
            candidates.add(start)
    return sorted(candidates - {0, len(line)})


def _may_end(line: str, match: re.Match[str], language: str) -> bool:
    """Whether a sentence may end at a stop although sentencex does not see it."""
    closers = match.group(1)
    before = line[max(0, match.start() - _TAIL) : match.start()]
    if closers is None:
        return bool(_WORD_BEFORE.search(before[-2:]))
    if line[match.start()] != ".":
        return False
    abbreviations = _abbreviations().get(language)
    return bool(closers) or (
        abbreviations is not None and before.lower().endswith(abbreviations.closing)
    )


def _pieces(line: str) -> Iterator[tuple[int, int]]:
    """Short pieces of a line, cut after a full stop if there is one, else at white space."""
    start = 0
    while len(line) - start > _LONGEST_PIECE:
        window = line[start : start + _LONGEST_PIECE]
        stops = [match.end() for match in _CUT.finditer(window)]
        end = start + (stops[-1] if stops else window.rfind(" ") + 1 or _LONGEST_PIECE)
        yield start, end
        start = end
    yield start, len(line)


def _before_opener(line: str, boundary: int) -> int:
    """A boundary that fell behind an opening quotation mark moves in front of it."""
    opens = line[boundary - 1] in _OPENERS or _CLITIC_START.match(line, boundary - 1)
    return boundary - 1 if opens and boundary > 1 and line[boundary - 2].isspace() else boundary


def _is_boundary(line: str, at: int, language: str | None) -> bool:
    left = line[max(0, at - _TAIL) : at].rstrip()
    right = line[at : at + _TAIL]
    if not left or left.rstrip(_CLOSERS)[-1:] not in _STOPS:
        return False
    first = right.lstrip(_OPENERS + " -–—")
    if first[:1].islower() and not _CLITIC_START.match(right) and not first[1:2].isupper():
        return False
    if left[-1] != ".":
        return True
    return not _is_inside(left.split()[-2:], first, language or "")


def _is_inside(last_words: list[str], following: str, language: str) -> bool:
    """Whether the full stop after the last word belongs to it, as in "dr." or "II. Dünya"."""
    word = last_words[-1][:-1].lstrip(_BEFORE_WORD)
    before = last_words[0] if len(last_words) > 1 and len(last_words[0]) <= _SHORT else ""
    if language == "tr" and (_ROMAN.match(word) or (word.isdigit() and len(word) <= 2)):
        return True
    if len(word) == 1 and word.isupper():
        return True
    abbreviations = _abbreviations().get(language)
    if abbreviations is None:
        return False
    word = word.lower()
    if word in abbreviations.title or f"{before}{word}" in abbreviations.title:
        return True
    return word in abbreviations.number and following[:1].isdigit()


@cache
def _abbreviations() -> dict[str, _Abbreviations]:
    data = tomllib.loads(
        resources.files("classifier.text").joinpath("abbreviations.toml").read_text("utf-8")
    )
    return {
        language: _Abbreviations(
            frozenset(table["title"]),
            frozenset(table["number"]),
            tuple(before + word for word in table["closing"] for before in " (,"),
        )
        for language, table in data.items()
    }
