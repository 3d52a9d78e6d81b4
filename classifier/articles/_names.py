"""The names under which articles' fields come from outside, and a title put before its text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from classifier.errors import DataError

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "source": ("publisher", "outlet", "newspaper", "medium", "domain"),
    "date": ("published", "published_at", "publication_date", "pubDate"),
    "title": ("headline",),
}
"""What else a field may be called. Our own name goes first, then the order here."""
_BY_KEY = {name.casefold(): own for own, others in OTHER_NAMES.items() for name in (own, *others)}
_RANK = {
    name.casefold(): rank
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


def is_other_name(name: object) -> bool:
    """Whether this is one of the names that a field may have."""
    return isinstance(name, str) and name.strip().casefold() in _BY_KEY


def own_names(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with source, date and title under our own names.

    Case does not count. Where several names hold something, the first of `OTHER_NAMES` counts.

    >>> own_names({"Publisher": "The Harbour Post", "domain": "x.example"})["source"]
    'The Harbour Post'
    """
    kept = {name: value for name, value in record.items() if not is_other_name(name)}
    return kept | {own: record[name] for own, name in _taken(record).items()}


def _taken(record: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in record.items():
        key = str(name).strip().casefold()
        own = _BY_KEY.get(key)
        if own is None or is_blank(value):
            continue
        earlier = found.get(own)
        if earlier is None or _RANK[key] < _RANK[str(earlier).strip().casefold()]:
            found[own] = name
    return found


def is_blank(value: object) -> bool:
    """Whether a cell holds nothing: None, nan, or white space only."""
    if isinstance(value, str) or value is None:
        return not (value and value.strip())
    # Not at the top: articles are read without tables too.
    import pandas as pd

    return pd.isna(value) is True


def with_headline(record: Mapping[str, Any]) -> dict[str, Any]:
    r"""The record with its title before its text, where the text does not begin with it already.

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
