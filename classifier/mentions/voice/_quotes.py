"""Quotation marks of every style, paired within a paragraph. Linear, and never an error."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from classifier.records import Span

_MARK = re.compile("[\"“”„‟«»‘’‚‛'‹›]")
_CLOSES = {
    "“": "”“",
    "„": "“”",
    "‟": "”",
    "”": "”",
    "«": "»",
    "»": "«",
    "‘": "’",
    "‚": "‘’",
    "‛": "’",
    "‹": "›",
    '"': '"”',
    "'": "'",
}
# Typed in a hurry, a straight mark closes a curved one that nothing else closes.
_STAND_INS = {"“": '"', "„": '"'}
_STAND_IN_REACH = 400
# Marks that close as a rule, and open where a word begins: ”Ja”, »Ja«.
_TURNED = frozenset("”»")
# A typewriter's marks are two characters; the second is filled up, so that none moves.
_FILL = "\u2060"
_DOUBLED = re.compile(
    r"(?P<low>(?<!\w),,)(?=\w)|(?P<open>``|(?<!\S)''(?!(?:[stnmkr]|em)\b))(?=\w)|(?P<close>'')"
    r"|(?P<left><<)(?=\S)|(?P<right>(?<=\S)>>)"
)
_SINGLE_FOR = {
    "low": "„" + _FILL,
    "open": "“" + _FILL,
    "close": _FILL + "”",
    "left": "«" + _FILL,
    "right": _FILL + "»",
}
# Left open at the end of a paragraph these still quote: a quotation over several paragraphs is
# closed in the last one only. A single mark left open is an apostrophe.
_MAY_STAY_OPEN = frozenset('“„‟«"')
_SINGLE = frozenset("‘'‚‛")
_APOSTROPHE_WORD = re.compile(r"(?:s|t|n|m|k|r|em|til|twas|cause|tis|ie|\d0s)\b", re.IGNORECASE)
# A Ukrainian apostrophe stands before these, and some type it as a straight mark: п"ять.
_IOTATED = frozenset("яюєїЯЮЄЇ")
_STOP = re.compile(r"[.!?…](?=\s)")
_DASH = re.compile(r"\s*[—–-]\s+(?=\S)")


@dataclass(frozen=True, slots=True)
class Quote:
    """A pair of quotation marks in a text and what stands between them."""

    start: int
    """Of the opening mark."""
    end: int
    """Behind the closing mark, or the end of the paragraph where there is none."""
    content: Span
    is_closed: bool = True


def single_marks(text: str) -> str:
    r"""The text with one character for every mark that stands in two, and no other one moved.

    >>> single_marks(",,Ja'', zei ze").replace("\u2060", "_")
    '„_Ja_”, zei ze'
    """
    text = text.replace("＂", '"')
    if not any(double in text for double in (",,", "``", "''", "<<", ">>")):
        return text
    return _DOUBLED.sub(lambda match: _SINGLE_FOR[match.lastgroup or ""], text)


def find_quotes(text: str, paragraph: Span, next_mark: str = "") -> list[Quote]:
    """The outermost quotes of a paragraph in order; what they hold in turn is left to them.

    Args:
        text: The text the paragraph stands in, with `single_marks`.
        paragraph: Where it stands; no quote leaves it.
        next_mark: First character of the paragraph after it. Where that is the mark that was left
            open here, the quotation goes on there.

    >>> [quote.content.of("‘Ja’, zei ze, ‘’t is foto’s kijken.’") for quote in
    ...     find_quotes("‘Ja’, zei ze, ‘’t is foto’s kijken.’", Span(0, 36))]
    ['Ja', '’t is foto’s kijken.']
    """
    pairs: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []
    for match in _MARK.finditer(text, paragraph.start, paragraph.end):
        mark, at = match.group(), match.start()
        closed = _closed_by(text, at, mark, opened, paragraph)
        if closed is not None:
            pairs.append((opened[closed][1], at))
            del opened[closed:]
        elif _opens(text, at, mark, paragraph):
            opened.append((mark, at))
    left_open = None
    unclosed = _left_open(text, opened, paragraph, next_mark)
    if unclosed is not None:
        mark, at = unclosed
        end = _end_of_open(text, mark, at, paragraph)
        if end > at + 1:
            left_open = Quote(at, end, _inside(text, at + 1, end), is_closed=False)
    return list(_outermost(text, pairs, paragraph.start, left_open))


def _closed_by(
    text: str, at: int, mark: str, opened: list[tuple[str, int]], paragraph: Span
) -> int | None:
    """Which of the open marks this one closes; the innermost one it can."""
    before = text[at - 1] if at > paragraph.start else " "
    after = text[at + 1] if at + 1 < paragraph.end else " "
    if _is_no_closer(mark, before, after):
        return None
    # Marks nest two or three deep in earnest; a bound keeps thousands of openers linear.
    for i in range(len(opened) - 1, max(-1, len(opened) - 5), -1):
        opener, start = opened[i]
        if at == start + 1:
            continue
        if mark not in _CLOSES[opener] and not _stands_in(text, at, mark, opener, paragraph):
            continue
        if opener == "“" == mark and before.isspace():
            continue
        if mark in "’'" and _is_possessive(text, start, at, paragraph):
            return None
        return i
    return None


def _is_no_closer(mark: str, before: str, after: str) -> bool:
    """Whether the mark stands where a word begins, or is an apostrophe."""
    if mark == '"':
        is_apostrophe = before.isalpha() and after in _IOTATED
        return is_apostrophe or (before.isspace() and not after.isspace())
    return mark in "’'" and (after.isalnum() or before.isspace())


def _stands_in(text: str, at: int, mark: str, opener: str, paragraph: Span) -> bool:
    """Whether the mark closes another kind, none of whose own comes before it opens again."""
    if mark not in _STAND_INS.get(opener, ""):
        return False
    limit = min(paragraph.end, at + _STAND_IN_REACH)
    rest = text[at + 1 : limit]
    own = [place for place in map(rest.find, _CLOSES[opener]) if place >= 0]
    again = rest.find(opener)
    return not own or 0 <= again <= min(own)


def _is_possessive(text: str, start: int, at: int, paragraph: Span) -> bool:
    """Whether the mark after an s is a possessive, as in ‘the ministers’ plan’."""
    if text[at - 1] not in "sS" or not text[at + 1 : at + 2].isspace():
        return False
    following = text[at + 2 : at + 3]
    rest = text[at + 1 : min(paragraph.end, at + 200)]
    closer = re.search(r"[\w.,!?…][’'](?!\w)", rest)
    opener = re.search(r"(?<!\w)[‘']\w", rest)
    return bool(
        following.islower() and closer and (opener is None or closer.start() < opener.start())
    )


def _opens(text: str, at: int, mark: str, paragraph: Span) -> bool:
    if mark not in _CLOSES or at + 1 >= paragraph.end:
        return False
    before = text[at - 1] if at > paragraph.start else " "
    if text[at + 1].isspace() and not (
        mark in '"“„'
        and before.isspace()
        and text.find(_CLOSES[mark][0], at + 2, paragraph.end) > 0
    ):
        return False
    if mark in "\"‘'" and before.isalnum():
        return False
    if mark in _TURNED and not ((before.isspace() or before in "([") and text[at + 1].isalnum()):
        return False
    return mark not in "‘'" or not _APOSTROPHE_WORD.match(text, at + 1)


def _left_open(
    text: str, opened: list[tuple[str, int]], paragraph: Span, next_mark: str
) -> tuple[str, int] | None:
    """The first mark that was never closed and yet quotes what follows it, and where it is."""
    for mark, at in opened:
        starts_paragraph = not text[paragraph.start : min(at, paragraph.start + 9)].strip()
        if mark in _MAY_STAY_OPEN or (starts_paragraph and mark == next_mark and mark in _SINGLE):
            return mark, at
    return None


def _end_of_open(text: str, mark: str, at: int, paragraph: Span) -> int:
    """The end of the paragraph; the first full stop, where the same mark opens again later."""
    again = text.find(mark, at + 1, paragraph.end)
    if again < 0:
        return paragraph.end
    stop = _STOP.search(text, at + 1, again)
    return stop.start() + 1 if stop else again


def _outermost(
    text: str, pairs: list[tuple[int, int]], reach: int, left_open: Quote | None
) -> Iterator[Quote]:
    for start, close in sorted(pairs):
        if left_open is not None and start > left_open.start:
            yield left_open
            reach, left_open = max(reach, left_open.end), None
        if start >= reach:
            yield Quote(start, close + 1, _inside(text, start + 1, close))
            reach = close + 1
    if left_open is not None and left_open.start >= reach:
        yield left_open


def _inside(text: str, start: int, end: int) -> Span:
    """What two marks hold, without the second half of a mark in two characters."""
    inner, last = start, end
    while inner < last and (text[inner] == _FILL or text[inner].isspace()):
        inner += 1
    while inner < last and (text[last - 1] == _FILL or text[last - 1].isspace()):
        last -= 1
    return Span(inner, last) if inner < last else Span(start, end)


def dialogue_line(text: str, paragraph: Span) -> Quote | None:
    """The paragraph as a quote, where it opens with the dash of Slavic dialogue."""
    match = _DASH.match(text, paragraph.start, paragraph.end)
    if match is None:
        return None
    return Quote(match.end() - 1, paragraph.end, Span(match.end(), paragraph.end), is_closed=False)
