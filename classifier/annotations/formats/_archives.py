"""Members of a file, a folder or a zip, read into memory: nothing is ever unpacked to disk."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from classifier.annotations.formats._foreign import MAX_BYTES
from classifier.errors import DataError

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
    def text(self) -> str:
        """The content as UTF-8, line ends untouched; raises `DataError` where it is none."""
        try:
            return self.content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{self.name}: UTF-8 was required: {error}; save it so") from None


def read_members(path: Path) -> list[Member]:
    """All files in a folder or zip, or the one file, sorted by name.

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
