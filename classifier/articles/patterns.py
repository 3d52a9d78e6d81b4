"""The phrases of `patterns.toml` as compiled patterns."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from classifier.articles.fields import calendar_date
from classifier.records import DatePrecision
from classifier.text import fold


@dataclass(frozen=True)
class Patterns:
    """What scraped articles say beside their text; every pattern is held against one line."""

    boilerplate_start: re.Pattern[str]
    """A call or a notice; its group `rest` is what follows it."""
    boilerplate_title: re.Pattern[str]
    boilerplate_within: tuple[str, ...]
    label: re.Pattern[str]
    source_line: re.Pattern[str]
    """"Bron: X", the name in group `agency` where it is one that is known."""
    byline: re.Pattern[str]
    author: re.Pattern[str]
    dateline: re.Pattern[str]
    """"KYIV, 12 March (Reuters) -" and its like, the agency in a group of that name."""
    credit_end: re.Pattern[str]
    credit: re.Pattern[str]
    """A credit that names a known agency, anywhere in a line."""
    credit_words: tuple[str, ...]
    caption_label: re.Pattern[str]
    date: re.Pattern[str]
    months: dict[str, int]
    picture_only: frozenset[str]
    """Agencies that sell pictures: their name is no sign of a wire story."""


@cache
def patterns() -> Patterns:
    """The patterns, compiled once."""
    file = resources.files("classifier.articles").joinpath("patterns.toml")
    data = tomllib.loads(file.read_text("utf-8"))
    agency, credit = _any(data["agency"]), _any(data["credit"])
    months = {
        _undotted(name): number
        for names in data["months"].values()
        for number, name in enumerate(names, 1)
        if name
    }
    return Patterns(
        boilerplate_start=_start(data["boilerplate_start"]),
        boilerplate_title=_start(data["boilerplate_title"]),
        boilerplate_within=tuple(data["boilerplate_within"]),
        label=re.compile(rf"(?:{_any(data['label'])})\s*:\s*(.*)", re.IGNORECASE | re.DOTALL),
        source_line=re.compile(
            rf"(?i:{_any(data['source_label'])}):\s*(?:(?P<agency>{agency})\b"
            rf"(?:\s*/\s*(?:{agency})\b)*(?:\s+\d{{1,4}}\b)?|(?P<other>[^.!?]{{2,60}}\Z))"
        ),
        byline=_byline(data["byline"]),
        author=_byline(data["author_label"]),
        dateline=re.compile(
            rf"(?:[^\W\d_a-zà-ÿа-яёіїєґğşı][^()\n–—]{{1,40}}?)?\s*"
            rf"\((?P<agency>{agency})(?:[/,][^)]{{0,30}})?\)\s*[-–—:.]?\s+(?=\S)"
            rf"|[^\W\d_][^()\n–—]{{1,40}}[–—-]\s*(?P<agency2>{agency})\.\s+(?=\S)"
        ),
        credit_end=re.compile(
            rf"(?:\A|[\s(])(?i:{credit})\b[:.]?\s+[^.!?:]{{1,40}}\)?\s*\Z|©\s*\S[^.!?]{{1,40}}\Z"
        ),
        credit=re.compile(
            rf"(?:\A|(?<=[.!?…\"”’)]\s))(?i:{credit})[: ]\s*(?:{agency})"
            rf"(?:\s*/\s*[\w .]{{1,30}}?)?(?=\s+[^\Wa-z\d_]|\s*\Z)"
        ),
        credit_words=("©", *data["credit"]),
        caption_label=re.compile(rf"(?:{_any(data['caption_label'])}):", re.IGNORECASE),
        date=_date_pattern(months),
        months=months,
        picture_only=frozenset(data["picture_only"]),
    )


def _byline(words: list[str]) -> re.Pattern[str]:
    name = r"(?P<name>[^\W\d_a-zà-ÿа-яёіїєґğşı][^.!?:;,]{2,60})"
    return re.compile(rf"(?i:{_any(words)})(?::\s*|\s+){name}\Z")


def _start(words: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{_any(words)})(?!\w)(?P<rest>.*)", re.DOTALL)


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


def _date_pattern(months: dict[str, int]) -> re.Pattern[str]:
    month = _any(list(months))
    return re.compile(
        rf"(?<!\d)(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<m1>{month})\.?,?\s+(?P<y1>\d{{4}})"
        rf"|(?P<m2>{month})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>\d{{4}})"
        rf"|(?P<y3>\d{{4}})-(?P<m3>\d{{2}})-(?P<d3>\d{{2}})"
        rf"|(?P<d4>\d{{1,2}})[./](?P<m4>\d{{1,2}})[./](?P<y4>\d{{4}})"
        rf"|(?P<m5>{month})\s+(?P<y5>\d{{4}}))(?!\d)",
        re.IGNORECASE,
    )


def _undotted(name: str) -> str:
    """A name in lower case with one kind of i: Kasım is KASIM in capitals, and Ekim EKİM."""
    return fold(name, None).replace("ı", "i")


def agency_in(match: re.Match[str] | None) -> str | None:
    """The known agency in a match of `source_line` or `dateline`; None where there is none."""
    names = match.groupdict() if match else {}
    return names.get("agency") or names.get("agency2")


def date_in(text: str) -> tuple[str, DatePrecision] | None:
    """The first date that stands in a text, and how precise it is.

    Day and month in figures alone are read only where there is one way to read them.

    >>> date_in("dinsdag 17 april 2020"), date_in("December 03, 2021"), date_in("03/04/2021")
    (('2020-04-17', 'day'), ('2021-12-03', 'day'), None)
    """
    for match in patterns().date.finditer(text):
        found = {name[0]: value for name, value in match.groupdict().items() if value}
        month = _undotted(found["m"])
        number = patterns().months.get(month) or (int(month) if month.isdigit() else 0)
        day = int(found["d"]) if "d" in found else None
        is_figures = match.group("m4") is not None
        if is_figures and day is not None and day != number and day <= 12:
            continue
        year = int(found["y"])
        whole = calendar_date([year, number] if day is None else [year, number, day])
        if whole:
            return whole
    return None
