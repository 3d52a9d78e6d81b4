"""The exceptions raised on purpose. Each message says what was required, what came, what to do."""

import errno
import json
import re
import zipfile
from collections.abc import Iterable

LONGEST = 80
"""Characters of a user's text that a message repeats at most."""
_LONGEST_PATH, _LONGEST_MESSAGE = 255, 1200
_QUOTED = re.compile(
    rf"""(?<!\w)(?:'(?:[^'\\]|\\.){{{LONGEST + 1},}}'|"(?:[^"\\]|\\.){{{LONGEST + 1},}}")(?!\w)"""
)
_UNBROKEN = re.compile(rf"\S{{{_LONGEST_PATH + 1},}}")


def brief(value: object) -> str:
    """A value on one line; of a long one only the beginning and the end.

    A path keeps its length, so that it can be found.

    >>> brief("corpus/a.jsonl"), len(brief("Kyiv won. " * 7_200))
    ('corpus/a.jsonl', 81)
    """
    words = " ".join(str(value).split())
    most = LONGEST if " " in words else _LONGEST_PATH
    half = LONGEST // 2
    return words if len(words) <= most else f"{words[:half]}…{words[-half:]}"


def shortened(message: str) -> str:
    """A message whose quoted texts are cut, and that is no page itself.

    >>> len(shortened(f"a date was required, got {'Kyiv won. ' * 7_200!r}"))
    106
    """
    message = _QUOTED.sub(lambda found: f"{found[0][: LONGEST - 1]}…{found[0][0]}", message)
    message = _UNBROKEN.sub(lambda found: brief(found[0]), message)
    if len(message) <= _LONGEST_MESSAGE:
        return message
    return f"{message[: _LONGEST_MESSAGE // 2]} … {message[-_LONGEST_MESSAGE // 4 :]}"


def no_number(values: Iterable[object]) -> str:
    """The first of some values that is no number, in quotes.

    >>> no_number(["0.5", "high"])
    "'high'"
    """
    for value in values:
        try:
            float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return f"{brief(value)!r}"
    return "values of several kinds"


def in_words(error: BaseException) -> str:
    """What went wrong in words that people can use, without the text of another library.

    >>> in_words(json.JSONDecodeError("Expecting value", "{", 1))
    'Expecting value in line 1, character 2'
    """
    library = type(error).__module__.partition(".")[0]
    lines = str(error).strip().splitlines()
    if isinstance(error, ClassifierError):
        words = str(error)
    elif isinstance(error, UnicodeDecodeError):
        words = f"it is not at byte {error.start}"
    elif isinstance(error, json.JSONDecodeError):
        words = f"{error.msg} in line {error.lineno}, character {error.colno}"
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        words = "a path was required, this is too long for one"
    elif isinstance(error, OSError) and error.strerror:
        words = error.strerror
    elif library in _OTHERS or not lines:
        words = "what it holds is damaged or of another kind"
    else:
        words = brief(lines[0])
    return words


_OTHERS = ("pyarrow", "pandas", "numpy", "torch", "safetensors", "transformers", "tokenizers")
"""Libraries whose messages say nothing to a user."""


_COUNTED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
_OPEN_QUOTE = re.compile(r"EOF inside string starting at row (\d+)")


def why_unread(error: Exception) -> str:
    """Why a library could not read a file, and what to do, without the library's own words.

    >>> why_unread(ValueError("Error tokenizing data. C error: Expected 5 fields in line 3, saw 7"))
    'line 3 has 7 cells, the header 5; a comma inside a cell needs quotation marks'
    """
    told = str(error)
    if isinstance(error, UnicodeDecodeError):
        return f"UTF-8 was required, byte {error.start} is none; save it as UTF-8"
    if counted := _COUNTED.search(told):
        wanted, line, came = counted.groups()
        cells = f"line {line} has {came} cells, the header {wanted}"
        return f"{cells}; a comma inside a cell needs quotation marks"
    if quote := _OPEN_QUOTE.search(told):
        return f"the quotation mark in line {int(quote[1]) + 1} is not closed; close or double it"
    is_parquet = type(error).__module__.startswith("pyarrow") or "arquet" in told
    known = {
        "a header was required, the file is empty": "No columns to parse" in told,
        "it is no Parquet file, or not all of it; write it again": is_parquet,
        "it is no workbook, or not all of it; save it as .xlsx again, or as .csv": isinstance(
            error, zipfile.BadZipFile
        ),
    }
    return next((why for why, is_so in known.items() if is_so), in_words(error))


class ClassifierError(ValueError):
    """Something the user can mend: the command line prints it as one sentence and exits with 1."""

    def __init__(self, message: str = "") -> None:
        """Keep the message, with long texts of the user cut."""
        super().__init__(shortened(message))


class RecordError(ClassifierError):
    """A record cannot exist, such as a span whose end lies before its start."""


class CodebookError(ClassifierError):
    """A codebook is malformed, or something was asked of it that it does not define."""


class DataError(ClassifierError):
    """A file or table does not hold what its format promises; names the file and the place."""


class ReplaceError(ClassifierError):
    """Something that took work would be replaced; nothing was changed."""


class ModelError(ClassifierError):
    """A model cannot be found, loaded, fitted or applied."""
