"""Fields of articles: under which names they come, how they are checked and how written."""

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from email.utils import parsedate
from functools import lru_cache
from typing import Any

from classifier.errors import DataError
from classifier.records import (
    LANGUAGES,
    UNDETERMINED,
    Article,
    DateOrigin,
    DatePrecision,
    Problem,
)

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "source": ("publisher", "outlet", "newspaper", "medium", "domain"),
    "date": ("published", "published_at", "publication_date", "pubDate"),
    "title": ("headline",),
    "language": ("lang", "language_code"),
}
"""What else a field may be called. Our own name goes first, then the order here."""
_OWN = {
    name.casefold(): (own, rank)
    for own, others in OTHER_NAMES.items()
    for rank, name in enumerate((own, *others))
}
_NEAR_START = 3
"""Lines among which a title counts as part of its text."""
_LONGER = 40
"""Characters that such a line may have besides the title: a mark, an outlet, a date."""


@dataclass
class Names:
    """Which columns of a file gave which fields."""

    taken: dict[str, list[str]] = field(default_factory=dict)
    """Field to the columns' names as the file spells them."""
    unread: list[Problem] = field(default_factory=list)
    """Values that no rule reads."""

    def note(self, record: Mapping[str, Any]) -> None:
        """Add what a row of the file gives."""
        for own, name in _taken(record).items():
            names = self.taken.setdefault(own, [])
            if name not in names:
                names.append(name)

    @property
    def others(self) -> str:
        """The fields that came under another name than ours, in words; "" if there are none."""
        found = [
            f"{own} from {' and '.join(names)}"
            for own, names in self.taken.items()
            if any(name != own for name in names)
        ]
        return ", ".join(found)


_NOTED: ContextVar[Names | None] = ContextVar("names noted", default=None)


@contextmanager
def noted_names() -> Iterator[Names]:
    """Collects which names gave the fields of all articles that are read inside the block.

    The readers of foreign formats pass their records on one by one, so nothing else sees them all.
    """
    names = Names()
    token = _NOTED.set(names)
    try:
        yield names
    finally:
        _NOTED.reset(token)


def note_names(record: Mapping[str, Any]) -> None:
    """Add what a record gives to the block it is read in, if there is one."""
    names = _NOTED.get()
    if names is not None:
        names.note(record)
        about = str(given_id(record) or "article")
        names.unread += [not_read(about, name, value) for name, value in unread(record).items()]


def is_other_name(name: object) -> bool:
    """Whether this is one of the names that a field may have."""
    return isinstance(name, str) and _own(name) is not None


@lru_cache(maxsize=4096)
def _own(name: str) -> tuple[str, int] | None:
    """Our name for it, and its place among those that a field may have."""
    return _OWN.get(name.strip().casefold())


_COLUMN_NAMES = {
    "country": "target",
    "lang": "language",
    "article": "article_id",
    "id": "article_id",
}
"""Names of columns that tables of mentions have, and articles do not."""


def named_column(wanted: str, known: Iterable[object], shown: Collection[str] | None = None) -> str:
    """The column that somebody means, whatever the case, by its name or a usual synonym.

    Args:
        wanted: As it was written: "Source", "outlet", "sampling probability".
        known: The columns there are.
        shown: Those that a message names; by default all.

    Raises:
        DataError: there is none; the message names those there are, and the nearest.

    >>> named_column("Outlet", ["source", "target"])
    'source'
    """
    names = {_plain_name(name): str(name) for name in known}
    plain = _plain_name(wanted)
    own = _own(wanted)
    for name in (plain, own[0] if own else "", _COLUMN_NAMES.get(plain, "")):
        if name in names:
            return names[name]
    near = get_close_matches(plain, names, 1)
    meant = f"; did you mean {names[near[0]]}?" if near else ""
    told = ", ".join(name for name in names.values() if shown is None or name in shown) or "none"
    raise DataError(f"the columns are {told}; got {wanted!r}{meant}")


def _plain_name(name: object) -> str:
    return "_".join(str(name).casefold().replace("-", " ").split())


def own_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with source, date, title and language under our own names.

    Case does not count. Where several names hold something, the first of `OTHER_NAMES` counts.

    >>> own_names({"Publisher": "The Harbour Post", "domain": "x.example"})["source"]
    'The Harbour Post'
    """
    kept = {name: value for name, value in record.items() if not is_other_name(name)}
    return kept | {own: record[name] for own, name in _taken(record).items()}


def _taken(record: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, tuple[int, str]] = {}
    for name, value in record.items():
        known = _own(str(name))
        if known is None or is_blank(value):
            continue
        own, rank = known
        if own not in found or rank < found[own][0]:
            found[own] = rank, name
    return {own: name for own, (_, name) in found.items()}


def is_blank(value: object) -> bool:
    """Whether a cell holds nothing: None, nan, or white space only."""
    if isinstance(value, str) or value is None:
        return not (value and value.strip())
    # Not at the top: articles are read without tables too.
    import pandas as pd

    return pd.isna(value) is True


def with_headline(record: Mapping[str, Any]) -> dict[str, Any]:
    r"""The record with its title before its text, if the text does not begin with it already.

    Offsets then count from the title: title, blank line, text. A record with `sha256` is whole as
    it is, since its labels were made on that text.

    >>> with_headline({"title": "Grain deal", "text": "It was signed."})["text"]
    'Grain deal\n\nIt was signed.'
    """
    values = own_names(record)
    title, text = values.get("title"), values.get("text")
    if not (isinstance(title, str) and isinstance(text, str)) or not text.strip():
        return values
    title = " ".join(title.split())
    if not title or not is_blank(values.get("sha256")) or begins_with(text, title):
        return values
    return values | {"title": title, "text": f"{title}\n\n{text}"}


def begins_with(text: str, title: str) -> bool:
    r"""Whether the title is one of a text's first lines, perhaps with a mark or date beside it.

    >>> begins_with("# Grain deal\n\nIt was signed.", "Grain deal"), begins_with("Rain.", "Sun")
    (True, False)
    """
    key = _key(title)
    head = text.lstrip()[: 4 * len(title) + 1000]
    lines = [line for line in head.splitlines() if line.strip()][:_NEAR_START]
    return any(key in _key(line) and len(line) <= len(title) + _LONGER for line in lines)


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def no_text(columns: Iterable[object]) -> DataError:
    """What to say of a record without a text: which columns it has instead."""
    names = [str(name) for name in columns if name != "line"]
    return DataError(
        f"a column named text is required; found: {', '.join(names) or 'none'}; "
        "rename the one that holds the articles' texts to text"
    )


FIELDS = (
    "article_id",
    "source",
    "language",
    "date",
    "date_precision",
    "date_origin",
    "title",
    "author",
    "url",
    "agency",
    "republisher",
    "story_id",
    "split",
    "sampling_probability",
    "text",
)
HASH = "sha256"
PRECISIONS: tuple[DatePrecision, ...] = ("year", "month", "day")
"""How precise a date of one, two or three parts is."""
_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*\Z")
_FEED_DATE = re.compile(r"(?:[A-Z][a-z]{2},\s*)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\b")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ].*)?)?)?")


def article_record(article: Article) -> dict[str, Any]:
    """The article as one line of `articles.jsonl`: every field, what is unknown as null.

    >>> article_record(Article("a", "Tekst"))["source"] is None
    True
    """
    return {name: getattr(article, name) for name in FIELDS} | {HASH: article.sha256}


def article_from_record(record: Mapping[str, Any]) -> Article:
    """An article from a line of `articles.jsonl`; empty strings, nan, NaT and NA count as unknown.

    Some fields may have any of `OTHER_NAMES`. A date or language under another name than ours that
    no rule reads counts as unknown, since nobody promised it was one of ours. Fields that are none
    of ours are left aside. Raises `DataError` if the id or the text is missing, if a field
    holds what it cannot, or if the text does not have the hash `sha256`.
    """
    note_names(record)
    record = own_names(record) | dict.fromkeys(unread(record))
    # R writes NA where nothing is known
    given = {name: _known(record.get(name)) for name in FIELDS}
    values = {name: None if value == "NA" else value for name, value in given.items()}
    text = record.get("text")
    article_id = given_id(record)
    if not isinstance(text, str):
        raise (
            no_text(record) if text is None else DataError(f"an article needs a text, got {text!r}")
        )
    if isinstance(article_id, bool) or not isinstance(article_id, str | int) or article_id == "":
        raise DataError(f"an article needs an article_id, got {article_id!r}")
    strings = {name: _string(name, values[name]) for name in _STRINGS}
    strings["language"] = _language(strings["language"])
    day, precision = read_date(strings.pop("date"))
    article = Article(
        article_id=str(article_id),
        text=text,
        date=day,
        date_precision=_narrower(strings.pop("date_precision"), precision),
        date_origin=_origin(strings.pop("date_origin")),
        sampling_probability=_probability(values["sampling_probability"]),
        **strings,
    )
    _check(article, _known(record.get(HASH)))
    return replace(article, date=_cut_date(article.date, article.date_precision))


def given_id(record: Mapping[str, Any]) -> object:
    """The id that a record gives its article: `article_id`, else `id`; None if both are blank.

    Zero is an id, a text stays as it is, and a whole number read as 12.0 is 12.

    >>> given_id({"article_id": "", "id": 0}), given_id({"article_id": "007", "id": 1})
    ('0', '007')
    """
    for key in ("article_id", "id"):
        value = _known(record.get(key))
        if isinstance(value, float) and value.is_integer():
            return str(int(value))
        if value is not None:
            return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return None


_STRINGS = tuple(f for f in FIELDS if f not in {"article_id", "sampling_probability", "text"})


def read_date(value: str | None) -> tuple[str | None, DatePrecision | None]:
    """A date in ISO 8601, or as feeds write it (RFC 2822), and how precise it is.

    Raises `DataError` for any other notation: 03/04/2022 is two days.

    >>> read_date("2022-03"), read_date("2022-03-17T09:30:00+03:00")
    (('2022-03', 'month'), ('2022-03-17', 'day'))
    >>> read_date("Thu, 17 Mar 2022 09:30:00 +0300")
    ('2022-03-17', 'day')
    """
    if value is None:
        return None, None
    value = value.strip()
    match = _DATE.fullmatch(value)
    parts = [int(part) for part in match.groups() if part] if match else []
    if _FEED_DATE.match(value):
        day = parsedate(value)
        parts = list(day[:3]) if day else []
    found = calendar_date(parts) if parts else None
    if found is None:
        raise DataError(f"a date must be ISO 8601 (2022-03-17, 2022-03 or 2022), got {value!r}")
    return found


def unread(record: Mapping[str, Any]) -> dict[str, str]:
    """The date and language that came under another name than ours and that no rule reads."""
    found: dict[str, str] = {}
    for name, read in (("date", read_date), ("language", _language)):
        value = own_names(record).get(name) if is_blank(record.get(name)) else None
        try:
            read(value if isinstance(value, str) and value != "NA" else None)
        except DataError:
            found[name] = str(value)
    return found


_REMEDIES = {
    "date": ("is not ISO 8601", "write it as 2022-03-17"),
    "language": (
        "is no code and no name we know",
        "write its code, such as en or nl-BE, or leave it empty: it is recognised then",
    ),
}


def not_read(where: str, name: str, value: str) -> Problem:
    """What to say of a value that `unread` found."""
    why, remedy = _REMEDIES[name]
    detail = f"the {name} {value!r} {why}; the article was read without it"
    return Problem(where, f"{name} not read", detail, remedy)


def calendar_date(parts: Sequence[int]) -> tuple[str, DatePrecision] | None:
    """Year, month and day, or the first of them, as a date; None if the calendar has none such.

    >>> calendar_date([2022, 6, 30]), calendar_date([2022, 6, 31])
    (('2022-06-30', 'day'), None)
    """
    try:
        whole = date(*parts, *[1] * (len(PRECISIONS) - len(parts))).isoformat()
    except ValueError:
        return None
    return "-".join(whole.split("-")[: len(parts)]), PRECISIONS[len(parts) - 1]


def _known(value: object) -> object:
    return None if is_blank(value) else value


def _string(name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise DataError(f"{name} must be a text, got {value!r}")


_LANGUAGE_NAMES = {
    name: code
    for code, names in (
        ("nl", "dutch nld dut"),
        ("en", "english eng"),
        ("tr", "turkish tur"),
        ("ru", "russian rus"),
        ("uk", "ukrainian ukr"),
    )
    for name in names.split()
}
"""Our languages by their English name and three letters."""


def _language(value: str | None) -> str | None:
    """One of ours for "en", "en-GB" and "English"; any other code is a language we do not read."""
    if value is None:
        return None
    plain = value.strip().lower()
    code = _CODE.match(_LANGUAGE_NAMES.get(plain, plain))
    if code is None:
        raise DataError(
            "language must be a code such as en or nl-BE, or Dutch, English, Turkish, Russian or "
            f"Ukrainian, got {value!r}; write its code, or leave it empty: it is recognised then"
        )
    return code[1] if code[1] in LANGUAGES else UNDETERMINED


def _probability(value: object) -> float | None:
    if value is None:
        return None
    try:
        probability = float(str(value))
    except ValueError:
        probability = math.nan
    if not 0 < probability <= 1:
        raise DataError(f"sampling_probability must lie above 0 and up to 1, got {value!r}")
    return probability


def _narrower(named: str | None, found: DatePrecision | None) -> DatePrecision | None:
    """The precision that was named, if the date is at least that precise."""
    if named is None or found is None:
        return found
    for precision in PRECISIONS[: PRECISIONS.index(found) + 1]:
        if precision == named:
            return precision
    raise DataError(f"date_precision must fit the date ({found}), got {named!r}")


def _origin(named: str | None) -> DateOrigin | None:
    if named in (None, "text"):
        return "text" if named else None
    raise DataError(f'date_origin is "text" or nothing, got {named!r}')


def _cut_date(day: str | None, precision: DatePrecision | None) -> str | None:
    if day is None or precision is None:
        return None
    return "-".join(day.split("-")[: PRECISIONS.index(precision) + 1])


def _check(article: Article, sha256: object) -> None:
    if sha256 is not None and sha256 != article.sha256:
        raise DataError(
            f"the text does not have the hash it came with ({sha256}); fetch it as it was, or take "
            f"{HASH} out if the change is meant"
        )
