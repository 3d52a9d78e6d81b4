"""Files written whole or not at all, and folders that belong to one process at a time."""

import errno
import gzip
import json
import shutil
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from classifier.errors import DataError, ModelError, ReplaceError, in_words, why_unread


def is_there(path: Path | str) -> bool:
    """Whether a file or folder is there: False too for a text that is too long for a name."""
    try:
        return Path(path).exists()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the place of `path` only on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, parts: Iterable[str]) -> None:
    """Write UTF-8, line ends as they are, atomically."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)


def read_json(path: Path) -> Any:  # noqa: ANN401
    """What a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, data: object) -> None:
    """Write data as indented JSON, atomically; raises `ValueError` for nan."""
    write_text(path, [json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"])


def write_json_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line, atomically."""
    write_text(path, (json_line(record) + "\n" for record in records))


def json_line(record: object) -> str:
    r"""One line of JSON, readable, with a lone surrogate escaped since UTF-8 cannot hold it.

    >>> json_line({"a": "Kyjiv \ud83d"})
    '{"a": "Kyjiv \\ud83d"}'
    """
    line = json.dumps(record, ensure_ascii=False, allow_nan=False)
    if any("\ud800" <= character <= "\udfff" for character in line):
        return json.dumps(record, allow_nan=False)
    return line


def toml_text(table: Mapping[str, Any], prefix: str = "") -> str:
    r"""A table of strings, numbers, lists and tables as TOML; a None is left out.

    >>> print(toml_text({"name": "a", "tone": {"labels": [{"name": "warm", "number": 1.0}]}}))
    name = "a"
    <BLANKLINE>
    [tone]
    <BLANKLINE>
    [[tone.labels]]
    name = "warm"
    number = 1.0
    <BLANKLINE>
    """
    plain = {key: value for key, value in table.items() if not _is_nested(value)}
    lines = [f"{_toml_key(k)} = {_toml_value(v)}\n" for k, v in plain.items() if v is not None]
    for key, value in table.items():
        name = f"{prefix}{_toml_key(key)}"
        if isinstance(value, Mapping):
            lines.append(f"\n[{name}]\n{toml_text(value, f'{name}.')}")
        elif _is_nested(value):
            lines += [f"\n[[{name}]]\n{toml_text(entry, f'{name}.')}" for entry in value]
    return "".join(lines)


def _is_nested(value: object) -> bool:
    is_tables = isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or is_tables


def _toml_key(key: str) -> str:
    return key if key.isascii() and key.replace("-", "_").isidentifier() else _toml_value(key)


def _toml_value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml_value(item) for item in value)}]"
    # JSON and TOML write strings, numbers and truth values alike, but for this one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def refuse_to_replace(path: Path | str, *, force: bool, rows: str = "lines") -> None:
    """Refuse a place that holds something which took work.

    Every function that writes a file or folder asks here before it begins to work. An empty
    file or folder, or none at all, is free.

    Args:
        path: The file or folder to write.
        force: Whether the user said that it may be replaced.
        rows: What the rows of a table are, such as "predictions".

    Raises:
        ReplaceError: it is not free; the message says what is there, and since when.
    """
    path = Path(path)
    if force or not path.exists():
        return
    held = _held_by_folder(path) if path.is_dir() else _held_by_file(path, rows)
    if held:
        raise ReplaceError(
            f"{path} must be free to write to, but it holds {held}: name another place, or "
            "replace it with --force (force=True in Python)"
        )


def _held_by_file(path: Path, rows: str) -> str:
    if not path.stat().st_size:
        return ""
    if path.suffix == ".parquet":
        n_rows = _n_parquet_rows(path)
        what = "a file" if n_rows is None else f"{n_rows} {rows}"
    else:
        what = f"{_n_lines(path)} {rows}" if path.suffix == ".jsonl" else "a finished file"
    return f"{what} of {_written([path])}"


def _held_by_folder(path: Path) -> str:
    files = [file for file in path.rglob("*") if file.is_file()]
    if not files:
        return ""
    if (path / "training.json").is_file():
        n_folds = len(list(path.glob("folds/*/training.json")))
        folds = f" with {n_folds} folds" if n_folds else ""
        return f"a finished run{folds} of {_written([path / 'training.json'])}"
    coded, articles = path / "annotations.jsonl", path / "articles.jsonl"
    if coded.is_file() or articles.is_file():
        counts = f"{_n_lines(articles)} articles and {_n_lines(coded)} annotations"
        return f"{counts} of {_written([coded, articles])}"
    return f"{_files(files)} of {_written(files)}"


def _files(files: Sequence[Path]) -> str:
    return f"{len(files)} file{'s' * (len(files) > 1)}"


def _written(files: Iterable[Path]) -> str:
    """When the newest of these files was written, in local time."""
    newest = max(file.stat().st_mtime for file in files if file.is_file())
    return f"{datetime.fromtimestamp(newest, UTC).astimezone():%Y-%m-%d %H:%M}"


def _n_lines(path: Path) -> int:
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(bool(line.strip()) for line in file)


def _n_parquet_rows(path: Path) -> int | None:
    """Rows of a table; None if it cannot be read, which is no reason to replace it."""
    from pyarrow import ArrowInvalid, parquet

    try:
        return int(parquet.read_metadata(path).num_rows)
    except (ArrowInvalid, OSError):
        return None


_LONGEST = 80


def prepare_folder(
    note: Path, wish: Mapping[str, Any], *, resume: bool, force: bool = False
) -> None:
    """Empty the folder of `note` for a run, or keep what a run with the same wish left there.

    A wish is all that the result depends on, as plain JSON values; `note` keeps it.

    Raises:
        ModelError: `resume` is set, and the run that was interrupted had another wish.
        ReplaceError: neither `resume` nor `force` is set, and an interrupted run left work there.
    """
    wanted = json.loads(json.dumps(wish))
    if note.is_file() and not resume and not force:
        _refuse_to_begin_anew(note)
    if not (resume and note.is_file()):
        shutil.rmtree(note.parent, ignore_errors=True)
        write_text(note, [json.dumps(wanted, sort_keys=True)])
        return
    found = read_json(note)
    keys = [key for key in sorted({*wanted, *found}) if wanted.get(key) != found.get(key)]
    if keys:
        changes = ", ".join(_change(key, found.get(key), wanted.get(key)) for key in keys)
        raise ModelError(
            f"{note.parent}: resuming needs what the interrupted run was started with; "
            f"{changes}: use the same, or delete that folder and start anew"
        )


def _refuse_to_begin_anew(note: Path) -> None:
    left = [file for file in note.parent.rglob("*") if file.is_file() and file != note]
    if left:
        raise ReplaceError(
            f"{note.parent} holds {_files(left)} of an interrupted run of {_written(left)}: go "
            "on with --resume (resume=True in Python), or begin anew with --force (force=True)"
        )


def _change(name: str, before: object, now: object) -> str:
    both = f"{name} was {json.dumps(before)}, is {json.dumps(now)}"
    return both if len(both) <= _LONGEST else f"{name} differs"


def plain_suffix(path: Path) -> str:
    """The ending of a file's name in lower case, without that of gzip.

    >>> plain_suffix(Path("labels.JSON.gz"))
    '.json'
    """
    return _without_gz(path).suffix.lower()


def plain_stem(path: Path) -> str:
    """A file's name without its ending and that of gzip.

    >>> plain_stem(Path("anna.csv.gz"))
    'anna'
    """
    return _without_gz(path).stem


def _without_gz(path: Path) -> Path:
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def unpacked(packed: Path | IO[bytes], limit: int, name: str = "") -> bytes:
    """What a file holds, out of gzip or out of a zip with one file in it.

    Args:
        packed: The file.
        limit: Bytes that it may hold; more is refused before it is all unpacked.
        name: Says how it is packed; by default its path.

    Raises:
        DataError: it holds more, does not unpack, or is a zip of several files.
    """
    name = name or str(packed)
    suffix = Path(name).suffix.lower()
    try:
        if suffix == ".gz":
            with gzip.open(packed) as file:
                content = file.read(limit + 1)
        elif suffix == ".zip":
            content = _only_member(packed, limit, name)
        else:
            return packed.read_bytes() if isinstance(packed, Path) else packed.read()
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, RuntimeError) as error:
        raise DataError(f"{name}: a file that unpacks was required: {in_words(error)}") from None
    if len(content) > limit:
        raise DataError(f"{name}: at most {limit} bytes are unpacked, it holds more")
    return content


def _only_member(packed: Path | IO[bytes], limit: int, name: str) -> bytes:
    with zipfile.ZipFile(packed) as archive:
        names = [i for i in archive.infolist() if not i.is_dir() and "__MACOSX" not in i.filename]
        if len(names) != 1:
            raise DataError(
                f"{name}: a zip with one file was required, got {len(names)}; unpack it"
            )
        with archive.open(names[0]) as member:
            return member.read(limit + 1)


MAX_SHEET_BYTES = 512 * 2**20
"""Bytes that a workbook may have when unpacked; more is refused."""


def sheet_rows(path: Path | IO[bytes], name: str = "") -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and cells of every row of a workbook's first sheet that is not empty.

    The first row names the columns. Whole numbers stay whole, dates are `datetime` objects, a
    formula is the value that was saved with it.

    Args:
        path: The workbook.
        name: How errors name it, by default its own name.

    Raises:
        DataError: it is no .xlsx, is too large, has two columns of one name or two sheets of rows,
            or openpyxl is not installed.
    """
    name = name or Path(getattr(path, "name", "workbook")).name
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DataError(
            f"{name}: reading .xlsx needs the package openpyxl ({error}); install it "
            '(pip install "stance-framing-classifier[excel]"), or save the sheet as .csv'
        ) from None
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > MAX_SHEET_BYTES:
            raise DataError(f"{name}: at most {MAX_SHEET_BYTES} bytes are read, it has {size}")
        book = load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise DataError(f"{name}: an .xlsx workbook was required: {why_unread(error)}") from None
    try:
        first, *others = book.worksheets
        header = next(first.iter_rows(values_only=True), ())
        for sheet in others:
            if header and next(sheet.iter_rows(values_only=True), ()) == header:
                raise DataError(
                    f"{name}: one sheet of rows was required, the sheet {sheet.title!r} has the "
                    "same columns as the first; save each as a file of its own"
                )
        yield from _named_cells(first.iter_rows(values_only=True), name)
    finally:
        book.close()


def write_sheet_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a workbook of one sheet, atomically; the first row stays in view, no text is a formula.

    Raises:
        DataError: openpyxl is not installed.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell
    except ImportError as error:
        raise DataError(
            f"{path.name}: writing .xlsx needs openpyxl ({in_words(error)}): "
            "pip install 'stance-framing-classifier[excel]', or write .csv"
        ) from None
    book = Workbook(write_only=True)
    sheet = book.create_sheet("mentions")
    sheet.freeze_panes = "A2"
    for row in (columns, *rows):
        cells = [WriteOnlyCell(sheet, value=value) for value in row]
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
        sheet.append(cells)
    with replacing(path) as draft:
        book.save(draft)


def _named_cells(
    rows: Iterator[tuple[Any, ...]], name: str
) -> Iterator[tuple[int, dict[str, Any]]]:
    header = [str(cell).strip() if cell is not None else "" for cell in next(rows, ())]
    named = [column for column in header if column]
    if len(set(named)) < len(named):
        raise DataError(f"{name}: the columns must differ, got {named}")
    for number, cells in enumerate(rows, 2):
        if all(cell is None for cell in cells):
            continue
        extra = [cell for column, cell in zip(header, cells, strict=False) if not column]
        if any(cell is not None for cell in (*extra, *cells[len(header) :])):
            raise DataError(f"{name}:{number}: a cell stands in a column without a name")
        yield number, {c: _cell(v) for c, v in zip(header, cells, strict=False) if c}


def _cell(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value
