"""What exports are made of: members of archives, JSON lists and lines, tables."""

import codecs
import csv
import gzip
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from classifier.annotations.formats._foreign import LeftOut
from classifier.errors import DataError, in_words
from classifier.files import sheet_rows, unpacked
from classifier.records import Problem

MAX_MEMBERS = 20_000
MAX_DEPTH = 2
"""Zips within a zip: INCEpTION packs one per annotator into one per project."""


class Member(NamedTuple):
    """A file, named by its path from the root with / between the parts."""

    name: str
    content: bytes

    @property
    def path(self) -> PurePosixPath:
        """The name in parts."""
        return PurePosixPath(self.name)

    @property
    def suffix(self) -> str:
        """The ending of the name, in lower case."""
        return self.path.suffix.lower()

    @property
    def text(self) -> str:
        """The content as UTF-8, line ends untouched; raises `DataError` where it is none."""
        return _decoded(self.content, self.name)

    @property
    def table_text(self) -> str:
        """The text, or that of a workbook as CSV."""
        if self.suffix == ".xlsx":
            return _sheet_text(io.BytesIO(self.content), self.name)
        return self.text


def read_members(path: Path) -> list[Member]:
    """All files in a folder or zip, or the one file, sorted by name, out of gzip.

    Raises:
        DataError: nothing is there; it is too large; a zip is broken, nested too deeply, or names
            a member outside itself.
    """
    found: Iterator[Member]
    if path.is_dir():
        files = [f for f in sorted(path.rglob("*")) if f.is_file() and not _is_hidden(f, path)]
        found = (
            inner
            for file in files
            for inner in _members(file.relative_to(path).as_posix(), _content(file), 0)
        )
    elif path.is_file():
        found = _members(path.name, _content(path), 0)
    else:
        raise DataError(f"{path}: a file or folder was required, nothing is there")
    members: list[Member] = []
    size = 0
    for member in found:
        members.append(member)
        size += len(member.content)
        _cap(path.name, len(members), size)
    return members


JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


def members_of(path: Path, suffixes: Sequence[str]) -> list[Member]:
    """The files of these endings in a folder or zip, or the one file whatever it is called.

    Raises:
        DataError: there is none, or as for `read_members`.
    """
    members = read_members(path)
    if path.is_dir() or path.suffix.lower() == ".zip":
        members = [member for member in members if member.suffix in suffixes]
    if not members:
        kinds = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]])
        raise DataError(f"{path}: a file that ends in {kinds} was required, none was found")
    return members


def read_archive(path: Path) -> list[Member]:
    """All files in a zip, whatever it is called; raises `DataError` like `read_members`."""
    return list(_members(f"{path.name}.zip", _content(path), 0))


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in file.relative_to(root).parts)


def _content(file: Path) -> bytes:
    _cap(file.name, 1, file.stat().st_size)
    return file.read_bytes()


def _cap(name: str, members: int, size: int) -> None:
    if members > MAX_MEMBERS or size > MAX_BYTES:
        raise DataError(
            f"{name}: at most {MAX_MEMBERS} files and {MAX_BYTES} bytes are read, "
            f"it has {members} and {size}"
        )


def _members(name: str, content: bytes, depth: int) -> Iterator[Member]:
    if name.lower().endswith(".gz"):
        content = unpacked(io.BytesIO(content), MAX_BYTES, name)
        name = name[: -len(".gz")]
    if not name.lower().endswith(".zip"):
        yield Member(name, content)
        return
    if depth > MAX_DEPTH:
        raise DataError(f"{name}: zips may lie {MAX_DEPTH} deep in each other; unpack this one")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for inner, data in _unzip(name, archive):
                yield from _members(f"{name.removesuffix('.zip')}/{inner}", data, depth + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise DataError(f"{name}: a zip that can be read was required: {error}") from None


def _unzip(name: str, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    infos = sorted((i for i in archive.infolist() if not i.is_dir()), key=lambda i: i.filename)
    _cap(name, len(infos), sum(info.file_size for info in infos))
    size = 0
    for info in infos:
        inner = info.filename.replace("\\", "/")
        if inner.startswith("/") or ".." in inner.split("/") or ":" in inner.split("/")[0]:
            raise DataError(f"{name}: members must lie inside the zip, got {info.filename!r}")
        if inner.startswith("__MACOSX/"):
            continue
        with archive.open(info) as member:
            # a member may be longer than its header says
            data = member.read(MAX_BYTES + 1)
        size += len(data)
        _cap(name, len(infos), size)
        yield inner, data


_CHUNK = 2**20
_BLANK = " \t\r\n"


def json_items(path: Path) -> Iterator[Any]:
    """The items of a JSON list or of JSON Lines in a file, plain or in gzip.

    An item may be larger than what is read at once. A broken line of JSON Lines is a problem.
    Raises `json.JSONDecodeError` where other JSON is broken, and `DataError` where the file is
    missing, too large or no UTF-8.
    """
    if not path.is_file() or path.suffix.lower() == ".zip":
        yield from text_items(read_text(path), path.name)
        return
    try:
        with _opened(path) as file:
            yield from _list_items(file, path.name)
    except UnicodeDecodeError:
        # says what the file is instead
        read_text(path)
        raise
    except (EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: a file that unpacks was required: {error}") from None


def text_items(text: str, name: str) -> Iterator[Any]:
    """The items of a JSON list or of JSON Lines, as `json_items` gives them."""
    yield from _list_items(io.StringIO(text), name)


def _opened(path: Path) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig", newline="")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path}: at most {MAX_BYTES} bytes are read, it has {path.stat().st_size}")
    return path.open(encoding="utf-8-sig", newline="")


def _list_items(file: IO[str], name: str) -> Iterator[Any]:
    buffer = _Buffer(file)
    if buffer.next_mark() == "{" and buffer.begins_lines():
        yield from _line_items(buffer, name)
        return
    if buffer.next_mark() != "[":
        yield buffer.value()
        while buffer.next_mark():
            yield buffer.value()
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
            raise buffer.broken("Expecting ',' or ']'", buffer.at)
        buffer.skip()
        if mark == "]":
            buffer.end()
            return


def _line_items(buffer: "_Buffer", name: str) -> Iterator[Any]:
    """The record of every line, a broken line as a problem; raises if no line has a record."""
    has_record = False
    for number, line in buffer.lines():
        try:
            record = json.loads(line.rstrip())
        except (ValueError, RecursionError) as error:
            yield _broken(error, f"{name}:{number}")
            continue
        has_record = has_record or isinstance(record, dict)
        yield record if isinstance(record, dict) else _no_object(record, f"{name}:{number}")
    if buffer.error and not has_record:
        raise buffer.error


class _Buffer:
    """The part of a file that was read and not yet used."""

    def __init__(self, file: IO[str]) -> None:
        self.file, self.text, self.at = file, "", 0
        # characters read, line ends before the buffer, and where its first line began
        self.size = self.n_lines = self.line_start = 0
        self.error: Exception | None = None  # why it is no record over several lines
        self.decoder = json.JSONDecoder()

    def more(self) -> bool:
        """Read on, as much again as an item took so far; False at the end."""
        chunk = self.file.read(max(_CHUNK, len(self.text) - self.at))
        if self.size + len(chunk) > MAX_BYTES:
            raise DataError(f"at most {MAX_BYTES} characters are read from a packed file")
        self.n_lines += self.text.count("\n", 0, self.at)
        last = self.text.rfind("\n", 0, self.at)
        self.line_start = self.line_start - self.at if last < 0 else last + 1 - self.at
        self.size += len(chunk)
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
            except json.JSONDecodeError as error:
                place = error.pos - self.at
                if not self.more():
                    raise self.broken(error.msg, self.at + place) from None
                continue
            if end < len(self.text):
                self.at = end
                return found
            # a number may go on in what was not read yet
            length = end - self.at
            if not self.more():
                self.at = length
                return found

    def end(self) -> None:
        """Raise `json.JSONDecodeError` unless only blanks are left."""
        if self.next_mark():
            raise self.broken("Extra data", self.at)

    def broken(self, message: str, at: int) -> json.JSONDecodeError:
        """The error at a place of the buffer, with its line and character in the whole file."""
        error = json.JSONDecodeError(message, self.text, at)
        if error.lineno == 1:
            error.colno = at - self.line_start + 1
        error.lineno += self.n_lines
        return error

    def lines(self) -> Iterator[tuple[int, str]]:
        """Number and text of every line that is left and not blank."""
        number = self.n_lines + self.text.count("\n", 0, self.at)
        while line := self.line():
            number += 1
            if line.strip():
                yield number, line

    def line(self) -> str:
        """The rest of the line and its end; "" at the end of the file."""
        while (end := self.text.find("\n", self.at)) < 0 and self.more():
            pass
        found = self.text[self.at : end + 1] if end >= 0 else self.text[self.at :]
        self.at += len(found)
        return found

    def begins_lines(self) -> bool:
        """Whether records stand one a line, and not over several; nothing is used up."""
        line = self.line()
        self.at -= len(line)
        if _is_object(line):
            return True
        used = self.size - len(self.text) + self.at
        try:
            self.value()
        except (json.JSONDecodeError, RecursionError) as error:
            self.error = error
            return True
        finally:
            self.at = used - self.size + len(self.text)
        return False


MAX_BYTES = 512 * 2**20
"""A larger file is refused: no annotation project reaches this, an attack may."""


def read_text(path: Path) -> str:
    """A UTF-8 file, plain, in gzip or alone in a zip, line ends untouched; a workbook as CSV.

    Raises `DataError` where it is not there, is too large, or is no UTF-8.
    """
    if not path.is_file():
        raise DataError(f"{path}: a file was required there, none was found")
    if path.stat().st_size > MAX_BYTES:
        raise DataError(f"{path}: at most {MAX_BYTES} bytes are read, it has {path.stat().st_size}")
    if path.suffix.lower() == ".xlsx":
        return _sheet_text(path)
    return _decoded(unpacked(path, MAX_BYTES), str(path))


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_wide = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        found = "it is UTF-16" if is_wide else str(error)
        raise DataError(f"{name}: UTF-8 was required: {found}; save it so") from None


def _sheet_text(workbook: Path | IO[bytes], name: str = "") -> str:
    rows = [row for _, row in sheet_rows(workbook, name)]
    columns = list(rows[0]) if rows else []
    return table_text(columns, ([_cell(row[name]) for name in columns] for row in rows))


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, bool) else value


def read_json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every line of a file that is not blank; a broken line is a problem."""
    yield from json_lines(read_text(path), path.name)


def json_records(text: str, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every record of a JSON list, of one JSON object, or of JSON Lines.

    What the text begins with decides, since files are often called by the wrong ending. Raises
    `DataError` where a list is broken.
    """
    begin = text.lstrip()
    try:
        found = None if _is_object(begin.partition("\n")[0]) else json.loads(text)
    except (ValueError, RecursionError) as error:
        if begin.startswith("["):
            raise DataError(f"{name}: a whole JSON list was required: {in_words(error)}") from None
        found = None
    if found is None:
        yield from json_lines(text, name)
        return
    for number, record in enumerate(found if isinstance(found, list) else [found], 1):
        where = f"{name}: record {number}"
        yield where, record if isinstance(record, dict) else _no_object(record, where)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _broken(error: Exception, where: str) -> Problem:
    told = in_words(error)
    if isinstance(error, json.JSONDecodeError):
        told = f"{error.msg}: character {error.colno}"
    return LeftOut(where, "broken JSON", told, "mend the line")


def _no_object(record: object, where: str) -> Problem:
    return LeftOut(where, "not an object", f"an object was required: {record!r:.80}")


def json_lines(text: str, name: str) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Place and object of every line that is not blank; a broken line is a problem."""
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line.rstrip())
        except (ValueError, RecursionError) as error:
            yield where, _broken(error, where)
            continue
        yield where, record if isinstance(record, dict) else _no_object(record, where)


_RISKY = re.compile(r"'*(?:[=+\-@\t\r\n].*)?", re.S)


_MARKED = re.compile(r"'+(?:[=+\-@\t\r\n].*)?", re.S)


_DELIMITERS = ",;\t"


def safe_cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula; `plain_cell` gives it back.

    >>> safe_cell("=1+1"), safe_cell("TR"), safe_cell(None), safe_cell(-3)
    ("'=1+1", 'TR', '', '-3')
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    return f"'{value}" if _RISKY.fullmatch(value) else value


def plain_cell(cell: str) -> str | None:
    """What `safe_cell` was given, as text; an empty cell is None.

    >>> plain_cell("'=1+1"), plain_cell("'t Hart"), plain_cell("")
    ('=1+1', "'t Hart", None)
    """
    if not cell:
        return None
    return cell[1:] if _MARKED.fullmatch(cell) else cell


def table_text(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """A table as CSV with a comma between its cells."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    return sheet.getvalue()


def read_table(text: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and cells of every row; raises `DataError` where the table is broken."""
    # csv caps a cell at 128 KiB unless told otherwise, and only for all readers at once
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        if len(set(header)) < len(header):
            raise DataError(f"{name}: the columns must differ, got {header}")
        for row in reader:
            if not any(row):
                continue
            where = f"{name}:{reader.line_num}"
            if len(row) != len(header):
                raise DataError(
                    f"{where}: {len(header)} cells were required, got {len(row)}; the first line "
                    "must name every column"
                )
            yield where, {c: plain_cell(v) for c, v in zip(header, row, strict=True)}
    except csv.Error as error:
        raise DataError(f"{name}:{reader.line_num}: broken CSV: {error}") from None


def _delimiter(text: str) -> str:
    """The mark that parts the header: spreadsheets in Dutch or Turkish write semicolons."""
    header = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=header.count)
