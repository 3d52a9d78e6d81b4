"""The files that articles come in, and the articles in each as they came."""

import codecs
import csv
import gzip
import json
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

from classifier.articles._page import PageReader
from classifier.errors import DataError, in_words, why_unread
from classifier.files import sheet_rows
from classifier.records import Problem

MAX_UNPACKED = 4 * 2**30
"""Bytes that one packed file may hold in all; more is refused."""
MAX_MEMBERS = 100_000
_PACKED = (".gz", ".zip")
_CHUNK = 2**20


@dataclass(frozen=True)
class Source:
    """A file to read: where it lies, and what it is called."""

    path: Path
    """Where its bytes are, in a folder of our own if they came packed."""
    relative: PurePosixPath
    """From the root of what was given."""
    shown: str
    """How problems name it."""

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.relative.name

    @property
    def suffix(self) -> str:
        """The ending in lower case."""
        return self.relative.suffix.lower()

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return self.relative.stem


def is_packed(path: Path) -> bool:
    """Whether this is a name of gzip or zip."""
    return path.suffix.lower() in _PACKED


class Sources(AbstractContextManager["Sources"]):
    """The files under a path; what was packed lies in a folder that goes with the block."""

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        """Take note of the path; nothing is read yet."""
        self._path, self._problems = path, problems
        self._stack = ExitStack()

    def __exit__(self, *_: object) -> None:
        """Remove what was unpacked."""
        self._stack.close()

    def files(self) -> list[Source]:
        """All files, sorted; hidden ones are left out.

        A packed file that cannot be read whole is a problem in a folder. Raises `DataError` if
        it is all that was given.
        """
        if self._path.is_file():
            plain = Source(self._path, PurePosixPath(self._path.name), str(self._path))
            return list(self._unpacked(plain, is_root=True)) if is_packed(self._path) else [plain]
        found: list[Source] = []
        for file in sorted(self._path.rglob("*")):
            relative = PurePosixPath(file.relative_to(self._path).as_posix())
            if file.is_dir() or any(part.startswith(".") for part in relative.parts):
                continue
            source = Source(file, relative, str(file))
            if not is_packed(file):
                found.append(source)
                continue
            try:
                found += self._unpacked(source, is_root=False)
            except DataError as error:
                self._problems.append(Problem(str(file), "unreadable file", in_words(error)))
        return found

    def _unpacked(self, source: Source, *, is_root: bool) -> Iterator[Source]:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            if source.suffix == ".gz":
                inner = source.relative.with_suffix("")
                target = folder / "0"
                with gzip.open(source.path) as packed:
                    _copy(packed, target, source.name, MAX_UNPACKED)
                yield Source(target, inner, source.shown)
            else:
                yield from _unzipped(source, folder, is_root=is_root)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
            raise DataError(
                f"{source.name}: a file that unpacks was required: {in_words(error)}"
            ) from None


def _unzipped(source: Source, folder: Path, *, is_root: bool) -> Iterator[Source]:
    """The members as files that we name ourselves, whatever the zip calls them."""
    left = MAX_UNPACKED
    root = PurePosixPath() if is_root else source.relative.with_suffix("")
    with zipfile.ZipFile(source.path) as archive:
        infos = sorted((i for i in archive.infolist() if not i.is_dir()), key=lambda i: i.filename)
        if len(infos) > MAX_MEMBERS:
            raise DataError(
                f"{source.name}: at most {MAX_MEMBERS} files are read, it has {len(infos)}"
            )
        for number, info in enumerate(infos):
            inner = safe_member(source.name, info.filename)
            if any(part.startswith((".", "__MACOSX")) for part in inner.parts):
                continue
            target = folder / str(number)
            with archive.open(info) as member:
                left -= _copy(member, target, source.name, left)
            yield Source(target, root / inner, f"{source.shown}/{inner}")


def safe_member(name: str, member: str) -> PurePosixPath:
    """The path of a zip's member; raises `DataError` if it leads outside the zip."""
    inner = PurePosixPath(member.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in inner.parts[0]:
        raise DataError(f"{name}: members must lie inside the zip, got {member!r}")
    return inner


def _copy(packed: IO[bytes] | gzip.GzipFile, target: Path, name: str, limit: int) -> int:
    """Write what a packed file holds, and say how much; more than the limit is refused."""
    size = 0
    with target.open("wb") as file:
        while chunk := packed.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise DataError(f"{name}: at most {MAX_UNPACKED} bytes are unpacked, it holds more")
            file.write(chunk)
    return size


@dataclass(frozen=True)
class Row:
    """An article as its file has it, not checked yet."""

    where: str
    record: Mapping[str, Any]


RowReader = Callable[[Source, list[Problem]], Iterator[Row]]


def text_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """The file as one article; a byte order mark is no part of it."""
    try:
        text = file.path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(_unreadable(file, error))
        return
    yield Row(file.shown, {"text": text})


def jsonl_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per line; a broken line is a problem of its own."""
    try:
        with file.path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                where = f"{file.shown}:{number}"
                if not line.strip():
                    continue
                if number == 1 and line.startswith(_UTF_16):
                    line.decode("utf-8")
                try:
                    values = _json_object(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                except UnicodeDecodeError as error:
                    detail = f"{file.name} must be UTF-8, this line is not: {in_words(error)}"
                    problems.append(Problem(where, "broken JSON line", detail, _REMEDY))
                except (ValueError, RecursionError) as error:
                    problems.append(Problem(where, "broken JSON line", in_words(error)))
                else:
                    yield Row(where, {"line": number} | values)
    except (OSError, UnicodeDecodeError) as error:
        problems.append(_unreadable(file, error))


def _json_object(line: str) -> dict[str, Any]:
    values = json.loads(line)
    if not isinstance(values, dict):
        raise DataError(f"an object was required, got {values!r:.80}")
    return values


def csv_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per row; what follows a row that cannot be read is left out."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with file.path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            header = list(reader.fieldnames or [])
            other = _other_delimiter(header)
            if other:
                detail = f"{file.name}: commas between the cells are required, it has {other}"
                remedy = "save it as CSV with commas, or as .xlsx"
                problems.append(Problem(file.shown, "not parted by commas", detail, remedy))
                return
            for number, values in enumerate(reader, 1):
                named = {key: value for key, value in values.items() if key is not None}
                yield Row(f"{file.shown}:{reader.line_num}", {"line": number} | named)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(_unreadable(file, error))


def _other_delimiter(header: list[str]) -> str:
    """What stands between the cells of a header without commas; "" if nothing does."""
    if len(header) != 1:
        return ""
    return next(
        (name for mark, name in ((";", "semicolons"), ("\t", "tabs")) if mark in header[0]), ""
    )


def parquet_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per row, a few rows at a time."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        number = 0
        with parquet.ParquetFile(file.path) as table:
            for batch in table.iter_batches(batch_size=64):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{file.shown}:{number}", {"line": number} | values)
    except (OSError, pa.ArrowException) as error:
        with file.path.open("rb") as content:
            is_parquet = content.read(4) == b"PAR1"
        remedy = "" if is_parquet else "give it the ending that it has, such as .csv"
        problems.append(replace(_unreadable(file, error), remedy=remedy))


def excel_rows(file: Source, problems: list[Problem]) -> Iterator[Row]:
    """One article per row of the first sheet."""
    try:
        for number, values in sheet_rows(file.path, file.name):
            yield Row(f"{file.shown}:{number}", {"line": number - 1} | values)
    except (OSError, DataError) as error:
        problems.append(Problem(file.shown, "unreadable file", in_words(error)))


def page_rows(pages: PageReader, file: Source, problems: list[Problem]) -> Iterator[Row]:
    """The article on a web page."""
    try:
        yield Row(file.shown, pages.read(file.path))
    except (OSError, DataError) as error:
        problems.append(Problem(file.shown, "unreadable page", f"{file.name}: {in_words(error)}"))


_REMEDY = "save it as UTF-8"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _unreadable(file: Source, error: Exception) -> Problem:
    if isinstance(error, UnicodeDecodeError):
        with file.path.open("rb") as content:
            is_wide = content.read(2) in _UTF_16
        looks = "it is UTF-16" if is_wide else f"it is not at byte {error.start}"
        detail = f"{file.name} must be UTF-8, {looks}"
        return Problem(file.shown, "not UTF-8", detail, _REMEDY)
    return Problem(file.shown, "unreadable file", f"{file.name}: {why_unread(error)}")


ROW_READERS: dict[str, RowReader] = {
    ".txt": text_rows,
    ".md": text_rows,
    ".jsonl": jsonl_rows,
    ".csv": csv_rows,
    ".parquet": parquet_rows,
    ".xlsx": excel_rows,
}
