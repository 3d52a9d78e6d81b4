"""Lots of articles, made ready in one process for another, and how they travel between the two."""

import pickle
import struct
from collections.abc import Sequence
from typing import IO

from classifier.models.base import Reader
from classifier.records import Article, Passage
from classifier.score.preparing import Found, Preparation

Prepared = tuple[list[Found], list[Passage]]
_LENGTH = struct.Struct("<Q")
_LONGEST = 1 << 36


def prepared(preparation: Preparation, articles: Sequence[Article]) -> Prepared | None:
    """Mentions and passages of some articles; None if any of them fails.

    The process that asked prepares them again then, and meets the error itself.
    """
    try:
        found = [preparation.find(article) for article in articles]
        passages: Sequence[Passage] = preparation.passages(found)
        if isinstance(preparation.reader, Reader):
            passages = preparation.reader.encode(passages)
    except Exception:
        return None
    return found, list(passages)


def send(pipe: IO[bytes], content: object) -> None:
    """Write a pickle with its length before it."""
    data = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """The pickle that `send` wrote, as bytes; None where the pipe has ended or holds no such."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length) if length <= _LONGEST else b""
    return data if len(data) == length else None
