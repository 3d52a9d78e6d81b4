"""The table of predictions that stands for a stranger's rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from classifier.codebook import Variable
from classifier.labels._articles import LabelledArticles
from classifier.labels._columns import SPENT, USUAL
from classifier.labels._files import Rows
from classifier.labels._mapping import is_empty
from classifier.labels._places import Place
from classifier.predictions import OK, TEXT_HASH, prediction_schema
from classifier.records import Article, Mention

_NO_LABEL = "no label"
_FILLED = ("source", "language", "date", "story_id", "zone", "kind", "voice", "speaker", TEXT_HASH)
"""What a row may say itself, and is filled in where it does not."""


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
