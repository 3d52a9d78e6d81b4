"""The table of predictions, one row per mention, and whether gold is about the same articles."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from classifier._verbs import DeprecatedChart
from classifier.annotations import AnnotationSet, mention_unit
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError, brief, why_unread
from classifier.files import json_line, refuse_to_replace, replacing
from classifier.notebook_html import frame_html, reasons
from classifier.predictions._prediction import NONE_CHOSEN, Prediction, Thresholds
from classifier.records import UNKNOWN, Article, Mention, Passage, Problem, counted

TEXT_HASH = "text_sha256"
"""The column with the SHA-256 of the article's text, in hexadecimal digits."""
NOT_COMPARED = "texts not compared"
OK = "ok"
_PLUMBING = (
    *("unit", "story_id", "start", "end", "kind", "voice_confidence"),
    *("passage_start", "passage_end", "part", "text_sha256", "model_id", "codebook_version"),
)
"""What a reader of the table needs last."""
_NEAR = 60
"""More mentions than one passage holds."""
_BEFORE = {
    "unit": pa.string(),
    "article_id": pa.string(),
    "source": pa.string(),
    "language": pa.string(),
    "date": pa.string(),
    "story_id": pa.string(),
    "zone": pa.string(),
    "target": pa.string(),
    "start": pa.int64(),
    "end": pa.int64(),
    "surface": pa.string(),
    "kind": pa.string(),
    "voice": pa.string(),
    "voice_confidence": pa.float64(),
    "speaker": pa.string(),
    "passage_start": pa.int64(),
    "passage_end": pa.int64(),
}
_AFTER = {
    "status": pa.string(),
    "warning": pa.string(),
    "part": pa.string(),
    TEXT_HASH: pa.string(),
    "model_id": pa.string(),
    "codebook_version": pa.string(),
}
_KNOWN = (*_BEFORE, "status", "warning")
"""What is known of a mention without its probabilities."""


@dataclass(frozen=True)
class Predictions(DeprecatedChart):
    """What a scorer says about every mention, and what could not be read."""

    table: pa.Table
    """Columns as `prediction_schema` lists them."""
    problems: tuple[Problem, ...] = ()
    articles: Mapping[str, Article] = field(default_factory=dict)
    """Those with a mention, by id, to read the passages in."""

    def __getitem__(self, which: int | str) -> Prediction:
        """One prediction, by its place or its unit; raises `DataError` for an unknown unit."""
        place = self._place(which) if isinstance(which, str) else which
        row = self.table.slice(range(len(self))[place], 1).to_pylist()[0]
        return Prediction(row, self.articles.get(row["article_id"]), self._beside(place, row))

    def __iter__(self) -> Iterator[Prediction]:
        """The predictions, in the order of the table."""
        return (self[place] for place in range(len(self)))

    def __len__(self) -> int:
        """Number of mentions, scored or not."""
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        """How many mentions there are; the frame has the rest."""
        return f"Predictions for {counted(len(self), 'mention')}, {reasons(self.problems)}"

    def _place(self, unit: str) -> int:
        place: int = self.table["unit"].index(unit).as_py()
        if place < 0:
            raise DataError(f"no prediction has the unit {unit!r}; units are in to_frame()['unit']")
        return place

    def _beside(self, place: int, row: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
        """The other rows of its passage, which stand around it."""
        around = self.table.slice(max(0, place - _NEAR), 2 * _NEAR + 1).to_pylist()
        same = ("article_id", "passage_start", "passage_end")
        return tuple(
            other
            for other in around
            if other["unit"] != row["unit"] and all(other[key] == row[key] for key in same)
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per mention; a set of labels is a list of names."""
        return _frame(self.table)

    def write(self, path: Path | str, *, force: bool = False) -> None:
        """Write .parquet or .jsonl, atomically.

        Args:
            path: The file; its name ends in .parquet or .jsonl.
            force: Whether predictions that are there already are replaced.

        Raises:
            DataError: the name ends otherwise.
            ReplaceError: predictions are there already, and `force` is not set.
        """
        path = Path(path)
        check_name(path)
        refuse_to_replace(path, force=force, rows="predictions")
        with replacing(path) as draft:
            if path.suffix == ".jsonl":
                write_json_rows(draft, [self.table])
            else:
                pq.write_table(self.table, draft)

    def _repr_html_(self) -> str:
        frame = self.to_frame()
        least = [*_PLUMBING, *(name for name in frame if name.startswith("p_"))]
        return frame_html(frame.drop(columns=least, errors="ignore"), repr(self))


@dataclass(frozen=True)
class Judgement:
    """What a model says about one mention."""

    passage: Passage
    probabilities: Mapping[str, NDArray[np.float64]]
    """Per variable one number per label, in codebook order."""


@dataclass(frozen=True)
class Judged:
    """A mention of an article with what a model says about it, or why it says nothing."""

    article: Article
    mention: Mention
    status: str = OK
    judgement: Judgement | None = None
    warning: str | None = None
    """What to mind about a score, such as how badly its language is read."""

    @property
    def unit(self) -> str:
        """Names the mention, as in the annotation table."""
        return mention_unit(self.article, self.mention)


def prediction_schema(variables: Sequence[Variable]) -> pa.Schema:
    """Columns and their types.

    A variable has its label, or list of labels, and a probability per label,
    `p_<variable>_<label>`; an ordinal one also the expected value of its numbers,
    `<variable>_score`. Where rules find a variable as well, the label is theirs, and the model's
    probabilities stand beside it.
    """
    fields = dict(_BEFORE)
    for variable in variables:
        label = pa.list_(pa.string()) if variable.kind == "set" else pa.string()
        fields.setdefault(variable.name, label)
        if variable.kind == "ordinal":
            fields[f"{variable.name}_score"] = pa.float64()
        fields |= dict.fromkeys(variable.probability_columns, pa.float64())
    return pa.schema(list((fields | _AFTER).items()))


def prediction_table(
    judged: Iterable[Judged],
    variables: Sequence[Variable],
    codebook: Codebook,
    model_id: str,
    parts: Mapping[str, str] | None = None,
    thresholds: Thresholds = NONE_CHOSEN,
) -> pa.Table:
    """The rows as a table; labels follow from the probabilities, of a set by their thresholds.

    `parts` names the part of the training run's split that an article is in. So nobody takes what
    the model learnt from for a test of it. It is null for articles that the run has never seen.
    """
    rows, parts = list(judged), parts or {}
    known = [_plain(one) for one in rows]
    columns: dict[str, Any] = {name: [row[name] for row in known] for name in _KNOWN}
    said = [one.judgement for one in rows if one.judgement is not None]
    places = None if len(said) == len(rows) else _places(rows)
    for variable in variables:
        for name, values in _answers(variable, said, thresholds).items():
            columns.setdefault(name, values if places is None else values.take(places))
    columns["part"] = [parts.get(one.article.article_id) for one in rows]
    articles = {one.article.article_id: one.article for one in rows}
    hashes = {name: article.sha256 for name, article in articles.items()}
    columns[TEXT_HASH] = [hashes[one.article.article_id] for one in rows]
    columns["model_id"] = [model_id] * len(rows)
    columns["codebook_version"] = [codebook.version] * len(rows)
    schema = prediction_schema(variables)
    return pa.table([_column(columns[field.name], field.type) for field in schema], schema)


def _column(values: Any, kind: pa.DataType) -> pa.Array:  # noqa: ANN401
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _places(rows: Sequence[Judged]) -> pa.Array:
    """The number of each row's judgement; null if there is none."""
    numbers = count()
    places = [None if one.judgement is None else next(numbers) for one in rows]
    return pa.array(places, pa.int64())


def _plain(one: Judged) -> dict[str, Any]:
    article, mention = one.article, one.mention
    passage = one.judgement.passage if one.judgement else None
    return {
        "unit": one.unit,
        "article_id": article.article_id,
        "source": article.source,
        "language": article.language,
        "date": article.date,
        "story_id": article.story_id,
        "zone": mention.zone,
        "target": mention.target,
        "start": mention.span.start,
        "end": mention.span.end,
        "surface": mention.surface,
        "kind": mention.kind,
        "voice": mention.voice or None,
        "voice_confidence": mention.voice_confidence,
        "speaker": mention.speaker,
        "passage_start": passage.start if passage else None,
        "passage_end": passage.end if passage else None,
        "status": one.status,
        "warning": one.warning,
    }


def _answers(
    variable: Variable, said: Sequence[Judgement], thresholds: Thresholds
) -> dict[str, pa.Array]:
    """The variable's columns, one row per judgement."""
    names = variable.names
    rows = np.array([one.probabilities[variable.name] for one in said]).reshape(-1, len(names))
    pairs = zip(variable.probability_columns, rows.T, strict=True)
    answers = {column: pa.array(values) for column, values in pairs}
    if variable.kind == "set":
        chosen = (rows >= thresholds.of(variable)).tolist()
        given = [list(compress(names, row)) for row in chosen]
        return {variable.name: pa.array(given, pa.list_(pa.string())), **answers}
    best = [names[i] for i in rows.argmax(axis=1)]
    answers[variable.name] = pa.array(best, pa.string())
    if variable.kind == "ordinal":
        expected = (rows * np.array(variable.numbers)).sum(axis=1)
        answers[f"{variable.name}_score"] = pa.array(expected)
    return answers


def check_name(path: Path) -> None:
    """Raise `DataError` unless predictions can be written under this name."""
    if path.suffix not in {".parquet", ".jsonl"}:
        raise DataError(f"{path}: a name in .parquet or .jsonl is required for predictions")


def write_json_rows(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write the rows of some tables as JSON Lines."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for table in tables:
            file.writelines(json_line(row) + "\n" for row in table.to_pylist())


def _frame(table: pa.Table) -> pd.DataFrame:
    """Text as Python objects, None if missing: pandas' own strings would turn None into nan."""
    text = {
        field.name: pd.Series(table[field.name].to_pylist(), dtype="object")
        for field in table.schema
        if pa.types.is_string(field.type) or pa.types.is_list(field.type)
    }
    return table.to_pandas().assign(**text)


def named(groups: pd.Series) -> pd.Series:
    """The groups of rows, `UNKNOWN` if the metadata left them empty."""
    is_named = groups.notna() & (groups.astype(str).str.strip() != "")
    return groups.astype(object).where(is_named, UNKNOWN)


def _is_text(path: Path) -> bool:
    """Whether a file that is no Parquet begins with text, as a CSV does."""
    with path.open("rb") as file:
        head = file.read(100)
    return path.suffix.lower() == ".csv" or (not head.startswith(b"PAR1") and b"," in head)


def read_predictions(path: Path | str) -> pd.DataFrame:
    """Read what `Predictions.write` wrote; raises `DataError` if it is no such file."""
    path = Path(path)
    try:
        if path.suffix == ".jsonl":
            lines = path.read_text(encoding="utf-8-sig").split("\n")
            rows = [json.loads(line) for line in lines if line.strip()]
            frame = pd.DataFrame(rows, columns=None if rows else prediction_schema(()).names)
        else:
            frame = _frame(pq.read_table(path))
    except FileNotFoundError:
        raise DataError(
            f"{brief(path)}: predictions were required there, nothing was found; classifier score "
            "writes "
            "them"
        ) from None
    except (OSError, ValueError) as error:
        remedy = "; a CSV is not read: write it as .jsonl, or score again" if _is_text(path) else ""
        raise DataError(
            f"{path}: must be Parquet or JSON Lines of predictions: {why_unread(error)}{remedy}"
        ) from None
    missing = [name for name in ("unit", "article_id", "status") if name not in frame]
    if missing:
        raise DataError(f"{path}: predictions need the columns {', '.join(missing)}")
    return frame


_FIELDS: Mapping[str, Callable[[Article], str | None]] = {
    "source": lambda article: article.source,
    "date": lambda article: article.date,
    TEXT_HASH: lambda article: article.sha256,
}


def check_same_articles(
    predictions: pd.DataFrame, annotation_set: AnnotationSet, what: str = "predictions"
) -> None:
    """Refuse gold whose articles are others than those of the same id in the predictions.

    Compared are source, date and text hash, each if both sides have it, and the words of a
    mention that both have. Dates of unequal precision are compared as far as both go.

    Args:
        predictions: One row per mention, as scoring writes it or with fewer columns.
        annotation_set: The articles with gold.
        what: What the message calls the predictions.

    Raises:
        DataError: an article differs; its id, the field and both values are named.
    """
    differences = list(_differences(predictions, annotation_set))
    if differences:
        article, difference = differences[0]
        others = {name for name, _ in differences} - {article}
        more = f"; so have {counted(len(others), 'other article')}" if others else ""
        remedy = (
            "score the set's own articles (its articles.jsonl), or code those that were scored"
            if difference == _OTHER_TEXT
            else "give both the same article ids, or score these articles again"
        )
        raise DataError(
            f"gold must be about the articles of the {what}, but article {article!r} has "
            f"{difference}{more}; {remedy}"
        )


def not_compared(predictions: pd.DataFrame, where: str = "predictions") -> tuple[Problem, ...]:
    """A problem if predictions hold no text hash, as those of earlier versions do not."""
    if TEXT_HASH in predictions.columns or predictions.empty:
        return ()
    detail = f"no column {TEXT_HASH}: whether gold has the same texts was not compared"
    return (Problem(where, NOT_COMPARED, detail, "score the articles again"),)


_OTHER_TEXT = "another text there than in gold (a headline put before it counts)"


def _differences(
    predictions: pd.DataFrame, annotation_set: AnnotationSet
) -> Iterator[tuple[str, str]]:
    if "article_id" not in predictions.columns:
        return
    known = annotation_set.article_by_id
    shared = predictions[predictions["article_id"].isin(set(known))]
    for name, read in _FIELDS.items():
        if name not in shared.columns:
            continue
        pairs = shared[["article_id", name]].drop_duplicates()
        for article_id, theirs in pairs.itertuples(index=False):
            ours = read(known[article_id])
            if _is_known(theirs) and _is_known(ours) and _differ(name, str(theirs), str(ours)):
                other = f"the {name} {theirs!r} there and {ours!r} in gold"
                yield str(article_id), _OTHER_TEXT if name == TEXT_HASH else other
    yield from _other_words(shared, annotation_set)


def _other_words(shared: pd.DataFrame, annotation_set: AnnotationSet) -> Iterator[tuple[str, str]]:
    if not {"unit", "surface"} <= set(shared.columns):
        return
    table = annotation_set.table
    coded = dict(zip(table["unit"], table["surface"], strict=True))
    columns = shared[["article_id", "unit", "surface"]]
    for article_id, unit, theirs in columns.itertuples(index=False):
        ours = coded.get(unit)
        if isinstance(theirs, str) and ours is not None and theirs != ours:
            yield str(article_id), f"the words {theirs!r} at {unit} there and {ours!r} in gold"


def _is_known(value: object) -> bool:
    return isinstance(value, str) and value.strip() not in ("", UNKNOWN)


def _differ(name: str, theirs: str, ours: str) -> bool:
    theirs, ours = theirs.strip(), ours.strip()
    if name == "date":
        length = min(len(theirs), len(ours))
        return theirs[:length] != ours[:length]
    return theirs != ours
