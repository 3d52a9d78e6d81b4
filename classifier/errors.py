"""The exceptions raised on purpose. Each message says what was required, what came, what to do."""

import re
import zipfile

_LONGEST_VALUE = 80
_QUOTED = re.compile(rf"""(?<!\w)(['"])((?:(?!\1).){{{_LONGEST_VALUE},}})\1(?!\w)""", re.DOTALL)


def with_short_values(text: str) -> str:
    """The text with every quoted value cut to 80 characters.

    >>> with_short_values(f"a label was required, got {'x' * 200!r}").count("x")
    79
    """
    cut = _LONGEST_VALUE - 1
    return _QUOTED.sub(lambda found: f"{found[1]}{found[2][:cut]}…{found[1]}", text)


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
    short = with_short_values(told)[: 4 * _LONGEST_VALUE]
    return next((why for why, is_so in known.items() if is_so), short)


class ClassifierError(ValueError):
    """Something the user can mend: the command line prints it as one sentence and exits with 1."""

    def __init__(self, message: str = "") -> None:
        """Keep the message, with long values cut."""
        super().__init__(with_short_values(message))


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
