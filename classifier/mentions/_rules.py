"""Where a form of the lexicon is no mention after all. Every rule has a name, and is reported."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from classifier.mentions._lexicon import Entry, Exclusion, Lexicon, fold_form
from classifier.mentions._matcher import Blocked, Hit, Matcher
from classifier.records import UNDETERMINED, MentionKind, Span
from classifier.text import View

Rule = str
LANGUAGE: Rule = "language"
"""The lexicons' rule against names of languages; it carries over: "in Turkish and Russian"."""
_LONGEST_EXCLUSION = 120
_OTHER_LANGUAGE = "another language"
_NEAR = 60
_CODE = 3
"""Letters of a country's code."""
_LOOK_BACK = 48
_LONGEST_TITLE = 6
"""Words of the longest title that says that somebody has left office."""
_NEXT_WORD = re.compile(r"([ -]?)([^\W\d_]+)")
_SHARED_HEAD = re.compile(r"- [^\W\d_]+ ([^\W\d_]+)")
"""The rest of "Rusland- en Oekraïnekenner" after the first name."""
_WORDS = re.compile(r"\w+")
_DATELINE = re.compile(
    r"\W*(?:date \d{4}-\d\d )?(?P<place>[^\W\d_][^\n—()-]{1,40}?)"
    r"(?: ?\((?P<agency>[^()\n]{2,24})\))? ?[-—] "
)
_DATELINE_DAY = re.compile(
    r"\W*(?P<place>[^\W\d_][^\n—().,-]{1,40}?)[,.] \d{1,2} [^\W\d_]+\.?,? ?[-—]? ?"
    r"/?(?P<agency>[^\W\d_][\w -]{2,24}?)(?:/\.?|[/.]) "
)
"""As in "КИЇВ. 12 березня. УНІАН." and "МОСКВА, 12 марта. /ТАСС/."."""
_LONGEST_DATELINE = 80
_ADDRESS_NEIGHBOURS = frozenset("@/.:=&?_#-")
_DELIMITERS = " \n()[]<>\"'"
_LONGEST_ADDRESS = 200
_TOKEN = re.compile(r"[^ \n()\[\]<>\"']{1,400}")
_ADDRESS = re.compile(
    r"://|@|^www\.|\w\.(?:com|org|net|info|news|gov|example|nl|be|ru|ua|tr|eu|рф|укр)(?:/|$)"
)
_OPENING = " '\"«»“”„‘’([{*_>#—-…"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an article in one language, in view indices."""

    view: View
    start: int
    end: int
    language: str
    paragraphs: tuple[int, ...]
    """View index at which each zone of the stretch starts."""
    date: str | None
    """None if it is unknown or uncertain: then nobody is out of office."""
    historical: bool


class Judged(NamedTuple):
    """A form that was found, and the rule by which it is no mention; None if it is one."""

    span: Span
    entry: Entry
    kind: MentionKind
    language: str
    rule: Rule | None


def judge_stretch(stretch: Stretch, matcher: Matcher) -> Iterator[Judged]:
    """Decide on every form of the lexicon in a stretch, in the order of its text."""
    hits, blocked = matcher.search(stretch.view.string, stretch.start, stretch.end)
    shadows = _Shadows(blocked, stretch, matcher.lexicon)
    language_name: Hit | None = None
    for hit in hits:
        rule = shadows.over(hit)
        if language_name and _carries_over(language_name, hit, stretch, matcher.lexicon):
            rule = rule or LANGUAGE
        language_name = hit if rule == LANGUAGE else None
        yield _judged(hit, rule, stretch, matcher.lexicon)


class _Shadows:
    """Where the exclusions of a stretch hold, and the rule of the one that covers a hit."""

    def __init__(self, blocked: Sequence[Blocked], stretch: Stretch, lexicon: Lexicon) -> None:
        self._blocked = blocked
        self._rules = [
            next((e.rule for e in one.exclusions if _holds(e, one, stretch, lexicon)), None)
            for one in blocked
        ]
        self._starts = [one.start for one in blocked]

    def over(self, hit: Hit) -> Rule | None:
        """The rule of an exclusion that covers part of the hit and is no shorter; None if none."""
        index = bisect_left(self._starts, hit.end) - 1
        while index >= 0 and self._starts[index] > hit.start - _LONGEST_EXCLUSION:
            start, end, _ = self._blocked[index]
            if self._rules[index] and end > hit.start and end - start >= hit.end - hit.start:
                return self._rules[index]
            index -= 1
        return None


def _judged(hit: Hit, rule: Rule | None, stretch: Stretch, lexicon: Lexicon) -> Judged:
    entry = _choose(hit, stretch, lexicon)
    if entry is None:
        entry, rule = hit.entries[0], rule or _OTHER_LANGUAGE
    rule = rule or _refusal(hit, entry, stretch, lexicon)
    start = hit.start if rule else _mention_start(hit, entry, stretch)
    return Judged(
        span=Span(*stretch.view.source(start, hit.end)),
        entry=entry,
        kind=_kind_of(hit, entry, stretch.view.string),
        language=_language(hit, entry, stretch),
        rule=rule,
    )


def _language(hit: Hit, entry: Entry, stretch: Stretch) -> str:
    """The stretch's language, or the entry's where a word of another one stands in it."""
    is_known = any(other.language == stretch.language for other in hit.entries)
    return stretch.language if is_known else entry.language


def _choose(hit: Hit, stretch: Stretch, lexicon: Lexicon) -> Entry | None:
    """The entry of a hit that holds in the stretch's language; None where the word is another's."""
    entries = hit.entries
    if stretch.view.string[hit.end : hit.end + 1].isalpha():
        entries = tuple(
            e
            for e in entries
            if stretch.language in (e.language, UNDETERMINED)
            and (e.is_solid or lexicon.has("solid", e))
        )
    for entry in entries:
        if entry.language == stretch.language:
            return entry
    for entry in entries:
        if stretch.language not in lexicon.languages or lexicon.has("abroad", entry):
            return entry
    return None


def _mention_start(hit: Hit, entry: Entry, stretch: Stretch) -> int:
    """Where the mention starts: at the form, or at the given names and initials before it."""
    start, string = hit.start, stretch.view.string
    while entry.given and start > stretch.start and string[start - 1] in " \n":
        word_start = _word_before(string, start - 1, stretch.start)
        word = fold_form(string[word_start : start - 1])
        if word not in entry.given and not all(w in entry.given for w in word.split("-")):
            break
        start = word_start
    return start


def _refusal(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> Rule | None:
    """The rule by which a form is no mention, whatever stands around it; None if it is one."""
    if entry.lower and not stretch.view.is_upper(hit.start):
        return entry.lower
    for rule, holds in _REFUSALS:
        if holds(hit, entry, stretch, lexicon):
            return rule
    return None


def _carries_over(earlier: Hit, hit: Hit, stretch: Stretch, lexicon: Lexicon) -> bool:
    """Whether a form continues a list of languages that an earlier form belongs to."""
    string = stretch.view.string
    if hit.start - earlier.end > _LOOK_BACK or not lexicon.no_noun.match(
        string, hit.end, stretch.end
    ):
        return False
    between = string[earlier.end : hit.start].strip(" ,")
    return not between or between in lexicon.between


def _kind_of(hit: Hit, entry: Entry, string: str) -> MentionKind:
    """`compound` where the form is only a part of a word, else the entry's own kind."""
    before, after = string[hit.start - 1 : hit.start], string[hit.end : hit.end + 2]
    if hit.joined or (before == "-" and string[hit.start - 2 : hit.start - 1].isalnum()):
        return "compound"
    is_first_half = after[:1] == "-" and (after[1:].isalnum() or after[1:] == " ")
    return "compound" if is_first_half else entry.kind


def _holds(exclusion: Exclusion, blocked: Blocked, stretch: Stretch, lexicon: Lexicon) -> bool:
    view, start, end = stretch.view, blocked.start, blocked.end
    fails = (
        (exclusion.stop and not lexicon.no_noun.match(view.string, end, stretch.end))
        or (exclusion.upper and not view.is_upper(start))
        or (exclusion.title and not _is_title(blocked, stretch))
        or (exclusion.capital and not _is_proper(start, stretch))
        or (exclusion.initial and not _starts_sentence(view.string, start, stretch.start))
    )
    return not fails and (not exclusion.near or _is_near(exclusion.near, blocked, stretch))


def _is_near(beginnings: tuple[str, ...], blocked: Blocked, stretch: Stretch) -> bool:
    low = max(stretch.start, blocked.start - _NEAR)
    high = min(stretch.end, blocked.end + _NEAR)
    words = _WORDS.findall(stretch.view.string, low, high)
    return any(word.startswith(beginnings) for word in words)


def _is_title(blocked: Blocked, stretch: Stretch) -> bool:
    words = _WORDS.finditer(stretch.view.string, blocked.start, blocked.end)
    return all(stretch.view.is_upper(word.start()) for word in words if len(word[0]) > 2)


def _is_proper(start: int, stretch: Stretch) -> bool:
    """Whether a capital stands there that neither the sentence nor a headline accounts for."""
    view = stretch.view
    if not view.is_upper(start) or view.is_upper(start + 1):
        return False
    return not _starts_sentence(view.string, start, stretch.start)


def _starts_sentence(string: str, start: int, limit: int) -> bool:
    index = start - 1
    while index >= limit and string[index] in _OPENING:
        index -= 1
    return index < limit or string[index] in ".!?:;\n"


def _names_a_role(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    if entry.kind == "demonym":
        return False
    string = stretch.view.string
    shared = _SHARED_HEAD.match(string, hit.end)
    if shared:
        return fold_form(shared[1]).endswith(tuple(lexicon.roles))
    following = _NEXT_WORD.match(string, hit.end)
    if following is None or not (hit.joined or following[1]):
        return False
    return fold_form(following[2]) in lexicon.roles


def _lacks_its_noun(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    if not entry.following or hit.joined:
        return False
    following = _NEXT_WORD.match(stretch.view.string, hit.end)
    return following is None or not following[2].startswith(entry.following)


def _lacks_its_half(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    return entry.is_half and stretch.view.string[hit.end : hit.end + 1] != "-"


def _is_surname(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    string = stretch.view.string
    if not entry.is_surname or string[hit.start - 1 : hit.start] != " ":
        return False
    start = _word_before(string, hit.start - 1, stretch.start)
    return string[start : hit.start - 1].isalpha() and _is_proper(start, stretch)


def _is_historical(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    return entry.kind == "historical" and not stretch.historical


def _is_address(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    string = stretch.view.string
    before, after = string[hit.start - 1 : hit.start], string[hit.end : hit.end + 1]
    if before == "@":
        return True
    if before not in _ADDRESS_NEIGHBOURS and after not in _ADDRESS_NEIGHBOURS:
        return False
    low = max(stretch.start, hit.start - _LONGEST_ADDRESS)
    start = max(string.rfind(mark, low, hit.start) for mark in _DELIMITERS) + 1
    token = _TOKEN.match(string, max(low, start))
    return token is not None and _ADDRESS.search(token[0]) is not None


def _is_dateline(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    paragraph = stretch.paragraphs[bisect_right(stretch.paragraphs, hit.start) - 1]
    if entry.kind not in ("name", "metonym") or hit.start - paragraph > _LONGEST_DATELINE:
        return False
    string = stretch.view.string
    line = _DATELINE.match(string, paragraph, stretch.end) or _DATELINE_DAY.match(
        string, paragraph, stretch.end
    )
    if line is None or hit.end > line.end("place"):
        return False
    rest = line["place"][hit.end - line.start("place") :]
    in_capitals = stretch.view.is_upper(hit.end - 1)
    if line["agency"] and (rest[:1] in ("", ",", "/") or any(map(str.isdigit, rest))):
        return in_capitals or stretch.view.is_upper(line.start("agency"))
    if not entry.is_city or hit.start != line.start("place") or rest[:1] not in ("", ","):
        return False
    return in_capitals or (line.end() < stretch.end and stretch.view.is_upper(line.end()))


def _is_out_of_office(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    if entry.held_from is None:
        return False
    start = _mention_start(hit, entry, stretch)
    before = fold_form(stretch.view.string[max(stretch.start, start - _LOOK_BACK) : start])
    words = before.rstrip("-").split()[-_LONGEST_TITLE:]
    if any(" ".join(words[i:]) in lexicon.former for i in range(len(words))):
        return True
    date = stretch.date
    if not date:
        return False
    low, high = date + "0000-01-01"[len(date) :], date + "9999-12-31"[len(date) :]
    return high < entry.held_from or (entry.held_to or low) < low


def _is_word_in_capitals(hit: Hit, entry: Entry, stretch: Stretch, lexicon: Lexicon) -> bool:
    """Whether a code is no code: not in capitals, or in a line that is in capitals throughout."""
    if not entry.is_capitals:
        return False
    view, string = stretch.view, stretch.view.string
    if not all(view.is_upper(index) for index in range(hit.start, hit.end)):
        return True
    low, high = max(stretch.start, hit.start - _NEAR), min(stretch.end, hit.end + _NEAR)
    before = [word for word in _WORDS.finditer(string, low, hit.start) if len(word[0]) > _CODE]
    after = [word for word in _WORDS.finditer(string, hit.end, high) if len(word[0]) > _CODE]
    beside = (*before[-1:], *after[:1])
    return any(view.is_upper(word.end() - 1) and word[0].isalpha() for word in beside)


def _word_before(string: str, end: int, limit: int) -> int:
    start = end
    while start > max(limit, end - _LOOK_BACK) and not string[start - 1].isspace():
        start -= 1
    return start


_REFUSALS: tuple[tuple[Rule, Callable[[Hit, Entry, Stretch, Lexicon], bool]], ...] = (
    ("historical", _is_historical),
    ("another noun", _lacks_its_noun),
    ("another word", _lacks_its_half),
    ("surname", _is_surname),
    ("word in capitals", _is_word_in_capitals),
    ("person by what they study", _names_a_role),
    ("address", _is_address),
    ("dateline", _is_dateline),
    ("out of office", _is_out_of_office),
)
