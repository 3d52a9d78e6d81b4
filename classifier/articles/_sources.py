"""Files to read articles from: in folders, gzip and zip, without a path that leads outside."""

import gzip
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from classifier.errors import DataError
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

        A packed file that cannot be read whole is a problem in a folder. Raises `DataError` where
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
                self._problems.append(Problem(str(file), "unreadable file", str(error)))
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
            raise DataError(f"{source.name}: a file that unpacks was required: {error}") from None


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
    """The path of a zip's member; raises `DataError` where it leads outside the zip."""
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
