"""The items of a large JSON list one by one, so that the file's text is never in memory whole."""

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from classifier.annotations.formats._foreign import MAX_BYTES, read_text
from classifier.errors import DataError

_CHUNK = 2**20
_BLANK = " \t\r\n"


def json_items(path: Path) -> Iterator[Any]:
    """The items of a JSON list in a file, plain or in gzip; anything else is one item.

    An item may be larger than what is read at once. Raises `json.JSONDecodeError` where the JSON
    is broken, and `DataError` where the file is missing, too large or no UTF-8.
    """
    if not path.is_file() or path.suffix.lower() == ".zip":
        yield from _of(json.loads(read_text(path)))
        return
    try:
        with _opened(path) as file:
            yield from _items(file)
    except UnicodeDecodeError:
        # says what the file is instead
        read_text(path)
        raise
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: a file that unpacks was required: {error}") from None


def text_items(text: str) -> Iterator[Any]:
    """The items of a JSON list; anything else is one item. Raises `json.JSONDecodeError`."""
    yield from _of(json.loads(text))


def _of(found: object) -> Iterator[object]:
    if isinstance(found, list):
        yield from found
    else:
        yield found


def _opened(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path}: at most {MAX_BYTES} bytes are read, it has {path.stat().st_size}")
    return path.open(encoding="utf-8-sig", newline="")


def _items(file: IO[str]) -> Iterator[Any]:
    buffer = _Buffer(file)
    if buffer.next_mark() != "[":
        yield json.loads(buffer.rest())
        return
    buffer.skip()
    if buffer.next_mark() == "]":
        buffer.skip()
        buffer.end()
        return
    while True:
        yield buffer.value()
        mark = buffer.next_mark()
        if mark not in (",", "]"):
            raise json.JSONDecodeError("Expecting ',' or ']'", buffer.text, buffer.at)
        buffer.skip()
        if mark == "]":
            buffer.end()
            return


class _Buffer:
    """The part of a file that was read and not yet used."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.text, self.at = file, "", 0
        self.size = 0
        self.decoder = json.JSONDecoder()

    def more(self) -> bool:
        """Read on, as much again as an item took so far; False at the end."""
        chunk = self.file.read(max(_CHUNK, len(self.text) - self.at))
        self.size += len(chunk)
        if self.size > MAX_BYTES:
            raise DataError(f"at most {MAX_BYTES} characters are read from a packed file")
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)

    def next_mark(self) -> str:
        """The next character that is not blank, which stays; "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _BLANK:
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self.more():
                return ""

    def skip(self) -> None:
        self.at += 1

    def value(self) -> Any:  # noqa: ANN401 - JSON may hold anything
        """The next value; what ends with the buffer is read again with more behind it."""
        self.next_mark()
        while True:
            try:
                found, end = self.decoder.raw_decode(self.text, self.at)
            except json.JSONDecodeError:
                if not self.more():
                    raise
                continue
            if end < len(self.text):
                self.at = end
                return found
            # a number may go on in what was not read yet
            length = end - self.at
            if not self.more():
                self.at = length
                return found

    def rest(self) -> str:
        """Everything that is left."""
        while self.more():
            pass
        return self.text[self.at :]

    def end(self) -> None:
        """Raise `json.JSONDecodeError` unless only blanks are left."""
        if self.next_mark():
            raise json.JSONDecodeError("Extra data", self.text, self.at)
