"""What metadata.csv says about the articles beside it and in the folders below."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from classifier.articles._names import Names, is_blank, own_names
from classifier.articles._rows import ROW_READERS
from classifier.articles._sources import Source
from classifier.records import Problem

METADATA_FILES = frozenset({"metadata.csv", "metadata.xlsx"})
_FILE_KEYS = ("file", "filename", "file_name")


@dataclass
class _Entry:
    where: str
    record: Mapping[str, Any]
    is_used: bool = False


@dataclass
class _Table:
    """One metadata.csv."""

    source: Source
    folder: PurePosixPath
    entries: list[_Entry] = field(default_factory=list)
    by_id: dict[str, _Entry] = field(default_factory=dict)
    by_file: dict[str, _Entry] = field(default_factory=dict)

    def find(self, article_id: str, file: Source, shared: Mapping[str, int]) -> _Entry | None:
        """The article's row: by its id, else by its file's name, unless files share that name."""
        if not file.relative.is_relative_to(self.folder):
            return None
        inner = file.relative.relative_to(self.folder)
        names = [inner.as_posix(), inner.with_suffix("").as_posix()]
        names += [name for name in (file.name, file.stem) if shared[name] < 2]
        found = [self.by_id.get(name) for name in (article_id, *names)]
        found += [self.by_file.get(name) for name in names]
        return next((entry for entry in found if entry is not None), None)


@dataclass
class Metadata:
    """All the tables under a path, the nearest to an article first."""

    tables: list[_Table]
    shared: Mapping[str, int]
    is_folder: bool
    without_row: list[str] = field(default_factory=list)

    def about(self, article_id: object, file: Source, where: str) -> dict[str, Any]:
        """What the tables say about an article under our own names; the nearest table wins."""
        values: dict[str, Any] = {}
        is_expected = found_any = False
        for table in self.tables:
            is_expected = is_expected or file.relative.is_relative_to(table.folder)
            entry = table.find(str(article_id), file, self.shared)
            if entry is not None:
                found_any = entry.is_used = True
                more = {k: v for k, v in own_names(entry.record).items() if not is_blank(v)}
                values = more | values
        if is_expected and not found_any and self.is_folder:
            self.without_row.append(where)
        return values

    def problems(self) -> Iterator[Problem]:
        """Rows without an article and articles without a row, once all articles were read."""
        if not self.is_folder:
            return
        for entry in (e for table in self.tables for e in table.entries if not e.is_used):
            known = [entry.record.get(key) for key in ("article_id", "id", *_FILE_KEYS)]
            named = next((value for value in known if not is_blank(value)), None)
            yield Problem(
                entry.where,
                "metadata without an article",
                f"no article has the id or the file name {named!r}",
                "give the row the article's id, or the name of its file",
            )
        for where in self.without_row:
            yield Problem(
                where,
                "article without metadata",
                "no row of the metadata table has its id or its file's name",
                "add a row with its article_id",
            )


def read_metadata(
    sources: Iterable[Source], files: Iterable[Source], problems: list[Problem], *, is_folder: bool
) -> Metadata:
    """The tables among `sources`, for the articles in `files`.

    Rows without a key and keys that come twice are problems.
    """
    tables = [_table(source, problems) for source in sources]
    names = [name for file in files for name in {file.name, file.stem}]
    deepest = sorted(tables, key=lambda table: -len(table.folder.parts))
    return Metadata(deepest, Counter(names), is_folder)


def _table(source: Source, problems: list[Problem]) -> _Table:
    table = _Table(source, source.relative.parent)
    names = Names()
    for row in ROW_READERS[source.suffix](source, problems):
        entry = _Entry(row.where, {k: v for k, v in row.record.items() if k != "line"})
        names.note(entry.record)
        keys = [(table.by_id, entry.record.get(key)) for key in ("article_id", "id")]
        keys += [(table.by_file, entry.record.get(key)) for key in _FILE_KEYS]
        known = [(place, _name(key)) for place, key in keys if not is_blank(key)]
        if not known:
            detail = f"a row of {source.name} needs an article_id or a file"
            problems.append(Problem(row.where, "no article_id", detail, "give it one"))
            continue
        if any(place.setdefault(key, entry) is not entry for place, key in known):
            detail = f"{known[0][1]!r} had a row before; the first counts"
            problems.append(Problem(row.where, "repeated metadata", detail, "keep one row"))
            continue
        table.entries.append(entry)
    if names.others:
        problems.append(Problem(source.shown, "column under another name", f"{names.others}: read"))
    return table


def _name(key: object) -> str:
    """An id or a file's name as one spelling: with /, and without ./ before it."""
    plain = str(key).strip().replace("\\", "/")
    return plain.removeprefix("./")
