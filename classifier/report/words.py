"""Text of strangers, made safe to read: nothing in it is hidden or turns its direction."""

import re

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


_LONGEST = 300


def brief(text: str) -> str:
    """Text to be read in passing: nobody reads more of a name than this."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def visible(text: str) -> str:
    r"""Text without characters that turn its direction or that no file can hold; each is named.

    >>> visible("a\u202eb")
    'a[U+202E]b'
    """
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
