"""The one reader of labels: from rows in any shape to a table of predictions."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from classifier.annotations import USUAL, AnnotationSet, mention_unit
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError, in_words
from classifier.labels._mapping import (
    SPENT,
    Unknown,
    checked_mapping,
    in_our_words,
    is_empty,
    known_names,
)
from classifier.labels._places import (
    ORDER,
    Articles,
    Finder,
    LabelledArticles,
    Place,
    labelled_articles,
)
from classifier.labels._rows import Rows, Source, answered_rows, read_rows, rows_of_model
from classifier.predictions import OK, TEXT_HASH, Predictions, not_compared, prediction_schema
from classifier.records import Article, Mention, Problem, counted

WHOLE = "judgement of the whole article"
"""Reason of rows that stand for all mentions of their target."""
_ROUNDING = 0.02
"""How far from 1 rounded chances may sum to."""
_LEFT_OUT = "left out; give the articles that were labelled (--articles)"
ABSENT = "article without a row"
_OWN = ("unit", "article_id", "start", "end", "target", "source", "zone", "voice", "status")
"""What a table has that scoring wrote."""


@dataclass(frozen=True)
class LabelOptions:
    """How rows of labels are read."""

    unknown: Unknown = "stop"
    """Whether a label that is none of the codebook's stops, or is left as it stands."""
    answer: str | None = None
    """The field that holds a language model's answer: JSON, fenced or not, or a single label. A
    column, or a path to it ("response.text"). Batch outputs are known by their shape."""
    models: tuple[str, ...] = ()
    """The models of a wide table, which has a column for each: `gpt`, or `stance_gpt`."""
    model: str | None = None
    """Which of them to read."""


DEFAULT_OPTIONS = LabelOptions()


@dataclass(frozen=True, repr=False)
class Labelled(Predictions):
    """Predictions that somebody or something else made, and what had to be said about them."""

    variables: tuple[str, ...] = ()
    """Those that the rows answer; other columns were filled in."""


@dataclass(frozen=True)
class Answers:
    """What the rows say of one variable, in their order."""

    variable: Variable
    labels: Sequence[Any]
    """Names, of a set lists of names; None where there is no answer."""
    chances: NDArray[np.float64] | None
    """Rows x labels in codebook order."""
    score: NDArray[np.float64] | None
    """What the rows give as the expected value."""

    def columns(self, rows: Sequence[int]) -> dict[str, Any]:
        """The columns of a table of predictions, a row each."""
        name = self.variable.name
        made: dict[str, Any] = {name: [self.labels[i] for i in rows]}
        if self.chances is not None:
            pairs = zip(self.variable.probability_columns, self.chances[list(rows)].T, strict=True)
            made |= {column: _or_none(values) for column, values in pairs}
        if self.variable.kind == "ordinal":
            made[f"{name}_score"] = _or_none(self._scores()[list(rows)])
        return made

    def _scores(self) -> NDArray[np.float64]:
        """As given; else the expected number; without chances the label's number."""
        numbers = dict(zip(self.variable.names, self.variable.numbers, strict=True))
        scores = np.array([numbers.get(label, np.nan) for label in self.labels], dtype=np.float64)
        if self.chances is not None:
            expected = self.chances @ np.array(self.variable.numbers)
            scores = np.where(np.isnan(expected), scores, expected)
        if self.score is not None:
            scores = np.where(np.isnan(self.score), scores, self.score)
        return scores


def read_predictions(
    source: Source,
    *,
    articles: Articles | None = None,
    annotations: AnnotationSet | Path | str | None = None,
    codebook: Codebook | Path | str | None = None,
    mapping: Mapping[str, str] | None = None,
    options: LabelOptions = DEFAULT_OPTIONS,
) -> Labelled:
    """Read labels, whoever made them.

    A row names its mention by `unit`, by article and offsets, or by article, target and the quoted
    words. If the words come more than once, `occurrence` counts them from 1. A row may also name
    article and target only: then it stands for all mentions of that target in the article.

    What a table of predictions has beside the labels is filled in from the articles and the
    codebook.

    Args:
        source: A file in .csv, .tsv, .json, .jsonl, .parquet or .xlsx, a DataFrame, a
            `datasets.Dataset` or a list of records.
        articles: What was labelled: articles, an annotation set, or the path of either.
        annotations: Whose mentions are the known ones in the articles they code.
        codebook: By default that of the annotations, else the shipped one.
        mapping: Their label to ours; `*` and `?` stand for any letters: `{"pro-*": "favourable"}`.
            Case, blanks and dashes never matter. It goes before the codebook's own
            `[counterparts]`.
        options: Unknown labels, the field with a language model's answer, one model of several.

    Returns:
        One row per mention. Its `problems` list rows without a mention, mentions without a row,
        judgements that stand for a whole article, and whatever else was interpreted.

    Raises:
        DataError: the rows cannot be read, name no mention or no variable, contradict each other,
            or have a label that the codebook lacks.
    """
    if isinstance(source, Predictions):
        source = source.to_frame()
    known = labelled_articles(articles, annotations, codebook)
    rows, unread = _rows(source, options)
    if not mapping and set(_OWN) <= set(rows.frame.columns):
        return _as_it_is(rows, known)
    frame, notes = known_names(rows.frame, known.codebook)
    rows = Rows(frame, rows.lines, rows.where)
    _check_columns(rows)
    theirs = checked_mapping({**known.codebook.counterparts, **(mapping or {})}, known.codebook)
    answers = _answers(rows, known.codebook, theirs, options.unknown)
    records = frame[[name for name in USUAL if name in frame]].to_dict("records")
    finder = Finder(known, records)
    places = [finder.place(record) for record in records]
    _check_places(rows, places)
    chosen, repeated = _chosen(rows, places, answers)
    problems = [
        *(Problem(rows.where, "column interpreted", note) for note in notes),
        *unread,
        *_incomplete(rows, answers),
        *_row_problems(rows, places),
        *repeated,
        *_unlabelled(finder, places, set(chosen)),
    ]
    table = filled_table(rows, chosen, places, answers, known)
    used = {p.article.article_id: p.article for p in places if p.article is not None}
    return Labelled(table, tuple(problems), used, tuple(one.variable.name for one in answers))


def _rows(source: Source, options: LabelOptions) -> tuple[Rows, tuple[Problem, ...]]:
    rows = source if isinstance(source, Rows) else read_rows(source)
    if options.model is not None:
        rows = rows_of_model(rows, options.model, options.models)
    return answered_rows(rows, options.answer)


def _as_it_is(rows: Rows, known: LabelledArticles) -> Labelled:
    names = tuple(v.name for v in known.codebook.variables if v.name in rows.frame)
    # In a CSV an empty cell is an empty text: a story of that name would hold every article.
    frame = rows.frame.replace({"": None})
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        table = pa.table({name: _array(frame[name].tolist(), None) for name in frame})
    problems = not_compared(rows.frame, rows.where) if known.coded else ()
    return Labelled(table, problems, known.articles, names)


def _check_columns(rows: Rows) -> None:
    if rows.frame.empty:
        raise DataError(f"{rows.where}: rows with labels were required, got none")
    names = set(rows.frame.columns)
    if "unit" in names or "article_id" in names:
        return
    raise DataError(
        f"{rows.where}: a row must name its mention by unit, article_id + start + end, article_id "
        "+ target + surface (the quoted words), or article_id + target; got the columns "
        f"{', '.join(map(str, rows.frame.columns)) or 'none'}"
    )


def _answers(
    rows: Rows, codebook: Codebook, mapping: Mapping[str, str], unknown: Unknown
) -> list[Answers]:
    made = []
    for variable in codebook.variables:
        chances = _chances(rows, variable)
        if variable.name in rows.frame:
            column = rows.frame[variable.name].tolist()
            try:
                labels = in_our_words(column, variable, mapping, unknown)
            except DataError as error:
                raise DataError(f"{rows.where}: {in_words(error)}") from None
        elif chances is not None and variable.kind != "set":
            best = np.nan_to_num(chances, nan=-1.0).argmax(axis=1)
            is_given = ~np.isnan(chances).any(axis=1)
            pairs = zip(best, is_given, strict=True)
            labels = [variable.names[i] if given else None for i, given in pairs]
        else:
            continue
        score = _numbers(rows, f"{variable.name}_score")
        made.append(Answers(variable, labels, chances, score))
    if not made:
        known = ", ".join(variable.name for variable in codebook.variables)
        is_text = "text" in rows.frame and "start" not in rows.frame
        remedy = "; articles are scored first, with classifier score" if is_text else ""
        raise DataError(
            f"{rows.where}: a column with the labels of at least one variable was required "
            f"({known}; or label, for the first); got {', '.join(map(str, rows.frame.columns))}"
            f"{remedy}"
        )
    return made


def _chances(rows: Rows, variable: Variable) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    columns = variable.probability_columns
    if not set(columns) <= set(rows.frame.columns):
        return None
    chances = np.column_stack([_numbers(rows, name) for name in columns])
    if variable.kind == "set":
        return chances
    chances[np.isnan(chances).any(axis=1)] = np.nan
    sums = chances.sum(axis=1)
    is_off = np.abs(sums - 1) > _ROUNDING
    if is_off.any():
        i = int(np.flatnonzero(is_off)[0])
        raise DataError(
            f"{rows.at(i)}: {', '.join(columns)} must sum to 1, they sum to {sums[i]:g}; "
            f"{counted(int(is_off.sum()), 'row')} like it"
        )
    return chances


def _incomplete(rows: Rows, answers: Sequence[Answers]) -> Iterator[Problem]:
    """Rows with some chances of a variable and not all of them."""
    for one in answers:
        names = list(one.variable.probability_columns)
        if one.chances is None or one.variable.kind == "set":
            continue
        given = np.column_stack([~np.isnan(_numbers(rows, name)) for name in names])
        for i in np.flatnonzero(given.any(axis=1) & ~given.all(axis=1)).tolist():
            absent = [name for name, has in zip(names, given[i], strict=True) if not has]
            detail = f"no number in {', '.join(absent)}"
            left = "the label counts alone" if one.labels[i] is not None else "no answer"
            yield Problem(rows.at(i), "chances incomplete", detail, left)


def _numbers(rows: Rows, name: str) -> Any:  # noqa: ANN401
    if name not in rows.frame:
        return None
    column = rows.frame[name]
    column = column.where(column.astype(str).str.strip() != "", None)
    numbers = pd.to_numeric(column, errors="coerce")
    is_odd = (numbers.isna() & ~column.map(is_empty)).to_numpy()
    if is_odd.any():
        i = int(np.flatnonzero(is_odd)[0])
        raise DataError(f"{rows.at(i)}: {name} must be a number, got {column.iloc[i]!r}")
    return numbers.to_numpy(dtype=np.float64)


def _check_places(rows: Rows, places: Sequence[Place]) -> None:
    if not places or any(not place.reason for place in places):
        return
    raise DataError(
        f"{rows.where}: rows about mentions were required, but none of {len(places)} is; the "
        f"first, {rows.at(0)}: {places[0].reason}. Give the articles that were labelled "
        "(--articles), and their ids as they stand there"
    )


def _row_problems(rows: Rows, places: Sequence[Place]) -> Iterator[Problem]:
    for i, place in enumerate(places):
        if place.reason:
            remedy = "left out" if place.article_id else _LEFT_OUT
            yield Problem(rows.at(i), "row without a mention", place.reason, remedy)
        elif not place.is_known:
            yield Problem(rows.at(i), "row at no known mention", next(iter(place.units))[0], "kept")
        elif place.kind == "article":
            n, target = len(place.mentions), place.mentions[0].target
            detail = f"stands for {counted(n, 'mention')} of {target} in {place.article_id}"
            yield Problem(rows.at(i), WHOLE, detail)
        elif place.kind == "quote" and len(place.mentions) > 1:
            detail = f"stands for {len(place.mentions)} mentions that read so"
            yield Problem(rows.at(i), "quote of several mentions", detail, "say which occurrence")


def _unlabelled(finder: Finder, places: Sequence[Place], units: set[str]) -> Iterator[Problem]:
    met = {place.article_id for place in places if place.article is not None}
    for name, article in finder.known.articles.items():
        if name not in met:
            yield Problem(name, ABSENT, "none of its mentions is labelled")
            continue
        for mention in finder.of(article):
            unit = mention_unit(article, mention)
            if unit not in units:
                yield Problem(unit, "mention without a row", f"{mention.surface!r}")


def _chosen(
    rows: Rows, places: Sequence[Place], answers: Sequence[Answers]
) -> tuple[dict[str, int], list[Problem]]:
    """Per mention the row that counts; rows that contradict each other are refused by line."""
    chosen: dict[str, int] = {}
    repeated, conflicts = [], []
    for i in sorted(range(len(places)), key=lambda i: ORDER[places[i].kind]):
        for unit, _ in places[i].units:
            first = chosen.setdefault(unit, i)
            if first == i or places[first].kind != places[i].kind:
                continue
            said = _said(answers, first), _said(answers, i)
            if said[0] != said[1]:
                conflicts.append(
                    f"{rows.at(first)} and {rows.at(i)} on {unit}: {said[0]} and {said[1]}"
                )
            else:
                repeated.append(Problem(rows.at(i), "identical repeated row", unit, "left out"))
    if conflicts:
        more = f"; and {len(conflicts) - 3} more" if len(conflicts) > 3 else ""
        raise DataError(
            f"{rows.where}: one answer per mention was required, got "
            f"{'; '.join(conflicts[:3])}{more}. Keep one row of each"
        )
    in_order = dict(sorted(chosen.items(), key=lambda pair: pair[1]))
    return in_order, repeated


def _said(answers: Sequence[Answers], row: int) -> str:
    return ", ".join(f"{one.variable.name} {one.labels[row]!r}" for one in answers)


_NO_LABEL = "no label"
_FILLED = ("source", "language", "date", "story_id", "zone", "kind", "voice", "speaker", TEXT_HASH)
"""What a row may say itself, and is filled in where it does not."""


def filled_table(
    rows: Rows,
    chosen: Mapping[str, int],
    places: Sequence[Place],
    answers: Sequence[Answers],
    known: LabelledArticles,
) -> pa.Table:
    """A table as scoring writes it, one row per mention.

    Args:
        rows: The stranger's rows under our names.
        chosen: Per unit the row that counts.
        places: What each row names.
        answers: What the rows say.
        known: The articles and the codebook.

    Returns:
        Columns of `prediction_schema` as far as they are known, then the stranger's own.
    """
    own = rows.frame.to_dict("list")
    numbers = list(chosen.values())
    at = [(unit, i, dict(places[i].units)[unit]) for unit, i in chosen.items()]
    facts = [_facts(unit, places[i], mention) for unit, i, mention in at]
    columns: dict[str, Any] = (
        {name: [fact[name] for fact in facts] for name in facts[0]} if facts else {}
    )
    for name in _FILLED:
        if name in own and name in columns:
            said = (own[name][i] for i in numbers)
            pairs = zip(said, columns[name], strict=True)
            columns[name] = [fill if is_empty(one) else str(one) for one, fill in pairs]
    for one in answers:
        columns |= one.columns(numbers)
    columns["status"] = _status(own, numbers, answers)
    columns["model_id"] = [Path(rows.where).stem] * len(numbers)
    columns["codebook_version"] = [known.codebook.version] * len(numbers)
    for name in own:
        if name not in columns and name not in USUAL:
            columns[name] = [None if is_empty(own[name][i]) else own[name][i] for i in numbers]
    n_units = Counter(numbers)
    for name in SPENT:
        if name in columns:
            pairs = zip(numbers, columns[name], strict=True)
            columns[name] = [_part_of(value, n_units[i]) for i, value in pairs]
    return _arrow(columns, answers)


def _part_of(value: Any, n: int) -> Any:  # noqa: ANN401
    """A number divided among the mentions of a row."""
    if n == 1 or value is None:
        return value
    try:
        return float(value) / n
    except ValueError:
        return value


def _facts(unit: str, place: Place, mention: Mention | None) -> dict[str, Any]:
    article = place.article or Article(place.article_id, "")
    start, end, target = place.at or (0, 0, "")
    if mention is not None:
        start, end, target = mention.span.start, mention.span.end, mention.target
    return {
        "unit": unit,
        "article_id": article.article_id,
        "source": article.source,
        "language": article.language,
        "date": article.date,
        "story_id": article.story_id,
        "zone": mention.zone if mention else None,
        "target": target,
        "start": start,
        "end": end,
        "surface": mention.surface if mention else None,
        "kind": mention.kind if mention else None,
        "voice": (mention.voice or None) if mention else None,
        "voice_confidence": mention.voice_confidence if mention else None,
        "speaker": mention.speaker if mention else None,
        "passage_start": None,
        "passage_end": None,
        TEXT_HASH: place.article.sha256 if place.article else None,
    }


def _status(
    own: Mapping[str, Sequence[Any]], rows: Sequence[int], answers: Sequence[Answers]
) -> list[str]:
    """The row's own word, or whether it answers anything."""
    said = own.get("status")
    return [
        str(said[i])
        if said is not None and not is_empty(said[i])
        else OK
        if any(one.labels[i] is not None for one in answers)
        else _NO_LABEL
        for i in rows
    ]


def _or_none(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def _arrow(columns: Mapping[str, Any], answers: Sequence[Answers]) -> pa.Table:
    types = {field.name: field.type for field in prediction_schema([a.variable for a in answers])}
    order = [name for name in types if name in columns]
    order += [name for name in columns if name not in types]
    return pa.table({name: _array(columns[name], types.get(name)) for name in order})


def _array(values: Sequence[Any], kind: pa.DataType | None) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if value is None else str(value) for value in values])
