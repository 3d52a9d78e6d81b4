"""Rows of labels, whatever holds them: files, tables, answers of language models."""

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from zipfile import BadZipFile, ZipFile

import pandas as pd
import pyarrow.parquet as pq

from classifier.errors import DataError, brief, in_words, why_unread
from classifier.files import MAX_SHEET_BYTES, plain_suffix, sheet_rows, unpacked
from classifier.labels._mapping import SPENT, is_empty, plain
from classifier.records import Problem

Source: TypeAlias = Any
"""A path, a DataFrame, a `datasets.Dataset`, or a list of records."""


@dataclass(frozen=True)
class Rows:
    """Rows of labels with the line of each, to be named in messages."""

    frame: pd.DataFrame
    lines: tuple[int, ...]
    where: str

    def at(self, place: int) -> str:
        """Where a row stands: "labels.csv:17"."""
        return f"{self.where}:{self.lines[place]}"


def is_label_file(path: Path) -> bool:
    """Whether a path names a file of labels, not a folder."""
    return path.is_file() or _kind(path) in _READERS


def _kind(path: Path) -> str:
    """The ending of what a file holds, without that of what packs it."""
    if path.suffix.lower() != ".zip":
        return plain_suffix(path)
    inner = path.with_suffix("").suffix
    if inner or not path.is_file():
        return inner.lower() or ".zip"
    try:
        with ZipFile(path) as archive:
            names = [i.filename for i in archive.infolist() if not i.is_dir()]
    except BadZipFile:
        return ".zip"
    return Path(names[0]).suffix.lower() if len(names) == 1 else ".zip"


def read_rows(source: Source) -> Rows:
    """Read rows from a file or from what is in memory.

    Args:
        source: A path in .csv, .tsv, .json, .jsonl, .ndjson, .parquet or .xlsx; or a DataFrame, a
            `datasets.Dataset`, or a list of records.

    Raises:
        DataError: there is no such file, or it cannot be read as what its name says.
    """
    if isinstance(source, str | Path):
        return _from_file(Path(source))
    if hasattr(source, "to_pandas"):
        source = source.to_pandas()
    if isinstance(source, list | tuple):
        source = pd.DataFrame(list(source))
    if not isinstance(source, pd.DataFrame):
        raise DataError(
            "labels must be a file, a DataFrame, a datasets.Dataset or a list of records; got "
            f"{type(source).__name__}"
        )
    return Rows(source.reset_index(drop=True), tuple(range(1, len(source) + 1)), "row")


def _from_file(path: Path) -> Rows:
    if not path.is_file():
        raise DataError(
            f"{brief(path)}: predictions were required there, nothing was found; classifier score "
            "writes "
            "them, and labels of your own may be .csv, .tsv, .json, .jsonl, .parquet or .xlsx"
        )
    suffix = _kind(path)
    reader = _READERS.get(suffix)
    if reader is None:
        known = ", ".join(_READERS)
        raise DataError(
            f"{path}: a name in {known} was required, alone or in .gz or .zip; got "
            f"{suffix or 'none'!r}"
        )
    try:
        frame, lines = reader(io.BytesIO(unpacked(path, MAX_SHEET_BYTES)))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        kind = suffix.removeprefix(".")
        why = why_unread(error)
        raise DataError(f"{path}: must be labels or predictions in {kind}: {why}") from None
    return Rows(frame.reset_index(drop=True), lines, str(path))


_Read: TypeAlias = tuple[pd.DataFrame, tuple[int, ...]]


def _separated(separators: str) -> Callable[[io.BytesIO], _Read]:
    def read(file: io.BytesIO) -> _Read:
        head = file.readline().decode("utf-8-sig")
        file.seek(0)
        separator = max(separators, key=head.count)
        frame = pd.read_csv(
            file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        # with more cells than names, pandas takes the first column for names of rows
        if frame.index.dtype != "int64":
            n = len(frame.columns)
            raise ValueError(f"the rows have more cells than the {n} of the header; name them all")
        return frame, _from(2, len(frame))

    return read


def _json(file: io.BytesIO) -> _Read:
    text = file.read().decode("utf-8-sig")
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        file.seek(0)
        return _json_lines(file)  # one object a line under another name
    if isinstance(data, Mapping):
        data = _records(data)
    return _frame(data), _from(1, len(data))


def _records(data: Mapping[str, Any]) -> list[Any]:
    """The rows of an object: under a single key, or one under each unit."""
    if len(data) == 1 and isinstance(only := next(iter(data.values())), list):
        return only
    return [
        {"unit": key, **(row if isinstance(row, Mapping) else {"label": row})}
        for key, row in data.items()
    ]


def _json_lines(file: io.BytesIO) -> _Read:
    text = file.read().decode("utf-8-sig")
    if text.lstrip().startswith("["):
        file.seek(0)
        return _json(file)  # a list under another name
    lines = text.split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    rows = []
    for number, line in numbered:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise ValueError(f"line {number} is not a JSON object: {in_words(error)}") from None
    return _frame(rows), tuple(number for number, _ in numbered)


def _frame(rows: Any) -> pd.DataFrame:  # noqa: ANN401
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError("an array of objects, or an object with one under each unit, was required")
    names = dict.fromkeys(name for row in rows for name in row)
    return pd.DataFrame(
        {
            name: _column([row.get(name) for row in rows])  # None stays None in a column of text
            for name in names
        },
        index=range(len(rows)),
    )


def _column(values: list[Any]) -> pd.Series:
    is_number = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return pd.Series(values, dtype=None if is_number else "object")


def _parquet(file: io.BytesIO) -> _Read:
    table = pq.read_table(file)
    frame = table.to_pandas()
    text = {
        name: pd.Series(table[name].to_pylist(), dtype="object")
        for name in frame.columns
        if frame[name].dtype.kind not in "iufb"
    }
    return frame.assign(**text), _from(1, len(frame))


def _excel(file: io.BytesIO) -> _Read:
    rows = list(sheet_rows(file, "the workbook"))
    frame = _frame([cells for _, cells in rows])
    return frame, tuple(number for number, _ in rows)


def _from(first: int, n: int) -> tuple[int, ...]:
    return tuple(range(first, first + n))


_READERS: Mapping[str, Callable[[io.BytesIO], _Read]] = {
    ".csv": _separated(",;\t"),
    ".tsv": _separated("\t"),
    ".tab": _separated("\t"),
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
    ".xlsx": _excel,
}


UNREAD = "answer without labels"
"""Reason of rows whose answer is no JSON object and no single label."""
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
_LONGEST_LABEL = 40
_BATCHES = ("response", "result")
"""Where the batch outputs of OpenAI and of Anthropic hold what came back."""


def short_name(unit: str) -> str:
    """A mention's name for requests: batch interfaces take 64 letters, digits, - and _ at most.

    >>> short_name("a1:0-6:TR")
    'm40f27be7df72'
    """
    return f"m{hashlib.sha256(unit.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def answered_rows(rows: Rows, field: str | None) -> tuple[Rows, tuple[Problem, ...]]:
    """Rows of answers as rows of labels.

    Args:
        rows: Each with an answer; batch outputs of the OpenAI and Anthropic interfaces are known
            by their shape.
        field: The column with the answer, or a path to it ("response.text"); None where the
            columns themselves hold the labels.

    Returns:
        One row per object in the answers, with the other columns repeated, and what could not be
        read.

    Raises:
        DataError: no row has such a field.
    """
    is_batch = "custom_id" in rows.frame and any(name in rows.frame for name in _BATCHES)
    if field is None and not is_batch:
        return rows, ()
    records = rows.frame.to_dict("records")
    if field is not None and all(_at(record, field) is None for record in records):
        raise DataError(
            f"{rows.where}: the field {field!r} with the answers was required; got the columns "
            f"{', '.join(map(str, rows.frame.columns))}"
        )
    made, lines, problems = [], [], []
    for i, record in enumerate(records):
        said, rest = (
            _batch(record) if field is None else (_at(record, field), _without(record, field))
        )
        found = _objects(said)
        made += [{**_shared(rest, len(found)), **one} for one in found]
        lines += [rows.lines[i]] * len(found)
        if not found:
            problems.append(Problem(rows.at(i), UNREAD, _why(said), "left out"))
    names = dict.fromkeys(name for one in made for name in one)
    columns = {name: [one.get(name) for one in made] for name in names}
    frame = pd.DataFrame(columns, index=range(len(made)), dtype=object)
    return Rows(frame, tuple(lines), rows.where), tuple(problems)


def _shared(rest: dict[str, Any], n: int) -> dict[str, Any]:
    """What one answer took, divided among its objects."""
    spent = {name: rest[name] for name in SPENT if isinstance(rest.get(name), int | float)}
    return rest | {name: value / n for name, value in spent.items() if n > 1}


def rows_of_model(rows: Rows, model: str, others: Sequence[str]) -> Rows:
    """The rows as one of several models has them.

    A column `gpt` holds that model's labels; `stance_gpt`, `gpt_stance` and `cost_gpt` are its
    columns `stance` and `cost`. Columns of the other models are left out.

    Raises:
        DataError: no column is the model's.
    """
    every = (*others, model)
    owned = {column: _owner(column, every) for column in rows.frame.columns}
    own = {column: part for column, (whose, part) in owned.items() if whose == model}
    if not own:
        raise DataError(
            f"{rows.where}: a column of the model {model!r} was required, got "
            f"{', '.join(map(str, rows.frame.columns))}"
        )
    shared = [c for c, (whose, _) in owned.items() if not whose and plain(c) not in own.values()]
    frame = rows.frame[[*shared, *own]].rename(columns=own)
    return Rows(frame, rows.lines, rows.where)


def _owner(column: object, models: Sequence[str]) -> tuple[str, str]:
    """Whose column it is and what it holds; of `gpt` and `gpt_4` the longer name counts."""
    found = [(len(model), model, part) for model in models if (part := _part(column, model))]
    return max(found)[1:] if found else ("", "")


def _part(column: object, model: str) -> str:
    """What a model's column holds; empty where it is not the model's."""
    name, own = plain(column), plain(model)
    if name == own:
        return "label"
    if name.startswith(f"{own}_"):
        return name.removeprefix(f"{own}_")
    return name.removesuffix(f"_{own}") if name.endswith(f"_{own}") else ""


def _at(record: Any, path: str) -> Any:  # noqa: ANN401
    """What stands at a column, or at a path of keys and places; None where nothing does."""
    if path in record:
        return None if is_empty(record[path]) else record[path]
    found = record
    for step in path.split("."):
        if isinstance(found, str):
            found = _loaded(found)
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, Sequence) and not isinstance(found, str) and step.isdigit():
            found = found[int(step)] if int(step) < len(found) else None
        else:
            return None
    return found


def _without(record: Mapping[str, Any], field: str) -> dict[str, Any]:
    gone = field if field in record else field.split(".")[0]
    return {str(name): value for name, value in record.items() if name != gone}


def _batch(record: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The text of a batch's line, with the request's name and what it used."""
    reply = next((record[name] for name in _BATCHES if record.get(name) is not None), None)
    reply = _loaded(reply) if isinstance(reply, str) else reply
    body = _first(reply, "body", "message") if isinstance(reply, Mapping) else None
    rest: dict[str, Any] = {"unit": record.get("custom_id")}
    used = _at(body, "usage") if isinstance(body, Mapping) else None
    if isinstance(used, Mapping):
        rest["input_tokens"] = _first(used, "input_tokens", "prompt_tokens")
        rest["output_tokens"] = _first(used, "output_tokens", "completion_tokens")
    return _text(body) if isinstance(body, Mapping) else None, rest


def _text(body: Mapping[str, Any]) -> str | None:
    """What a chat completion, a response or a message says."""
    said = _at(body, "choices.0.message.content")
    if isinstance(said, str):
        return said
    parts = [body, *(body.get("output") or [])]
    blocks = [b for p in parts if isinstance(p, Mapping) for b in p.get("content") or []]
    texts = [b["text"] for b in blocks if isinstance(b, Mapping) and isinstance(b.get("text"), str)]
    return "".join(texts) or None


def _first(record: Mapping[str, Any], *names: str) -> Any:  # noqa: ANN401
    return next((record[name] for name in names if record.get(name) is not None), None)


def _objects(said: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The objects of an answer: one, several, or several under a single key."""
    data = _loaded(said) if isinstance(said, str) else said
    if isinstance(data, Mapping) and len(data) == 1 and isinstance(data[next(iter(data))], list):
        inner = data[next(iter(data))]
        data = inner if inner and all(isinstance(one, Mapping) for one in inner) else data
    if isinstance(data, Mapping):
        return [{str(name): value for name, value in data.items()}]
    if isinstance(data, list | tuple):
        return [dict(one) for one in data if isinstance(one, Mapping)]
    word = str(said).strip(" \n\t.\"'`") if isinstance(said, str) else ""
    return [{"label": word}] if word and len(word) <= _LONGEST_LABEL and "\n" not in word else []


def _loaded(text: str) -> Any:  # noqa: ANN401
    """The JSON in a text, in a fence or among other words; None where there is none."""
    fenced = [found.strip() for found in _FENCE.findall(text)]
    for candidate in (*fenced, text.strip()):
        try:
            data = json.loads(candidate)
        except json.JSONDecodeError:
            continue
        if isinstance(data, Mapping | list):
            return data
    return next(_embedded(text), None)


def _embedded(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    for found in re.finditer(r"[{\[]", text):
        try:
            data, _ = decoder.raw_decode(text, found.start())
        except json.JSONDecodeError:
            continue
        if isinstance(data, Mapping) or (isinstance(data, list) and data):
            yield data


def _why(said: object) -> str:
    return "there is no answer" if said is None else f"no JSON object in {str(said)[:60]!r}"
