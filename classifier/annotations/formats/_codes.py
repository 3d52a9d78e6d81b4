"""What readers and writers of formats share: codes of labels, tables, suggestions of a program."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from classifier.annotations._table import Annotation, Value
from classifier.codebook import Codebook, Variable
from classifier.errors import CodebookError, DataError
from classifier.records import Span

NONE_CODED = "none_of_these"
"""Stands in foreign files for an empty set: coded, and nothing applies."""
MENTION = "mention"
"""The label of a region where any entity may be a target; it says nothing more."""
NOT_TARGET = "not_target"
TARGET = "target"
_YES = {"", "true", "yes", "1", "x", NOT_TARGET}

Code = tuple[str, str]
"""The field that the label stood in, "" where it has no name, and the label."""


@dataclass(frozen=True)
class Decoded:
    """A region's labels in the codebook's words."""

    target: str | None
    labels: dict[str, Value]
    not_target: bool
    others: tuple[str, ...]
    """Further targets, each named by a mention of its own on the same stretch."""
    unknown: tuple[Code, ...]
    """What the codebook has no word for."""


def decode(codes: Iterable[Code], codebook: Codebook, scheme: str) -> Decoded:
    """Read foreign labels.

    A field that is called as a variable holds that variable's labels. A label in any other field
    is looked for among targets and labels. If it holds several, as in `RU:unfavourable`, it is
    looked for in parts. A second label of a variable that takes one is unknown.
    """
    targets: list[str] = []
    labels: dict[str, Value] = {}
    unknown: list[Code] = []
    is_not_target = False
    for code in codes:
        read = _read(code, codebook, scheme)
        if read is None:
            unknown.append(code)
            continue
        for field, value in read:
            if field == NOT_TARGET:
                is_not_target = True
            elif field == TARGET:
                targets.append(value)
            elif not _add(labels, codebook.variable(field), value):
                unknown.append((field, value))
    target, *others = dict.fromkeys(targets) or [None]
    named = tuple(other for other in others if other is not None)
    return Decoded(target, labels, is_not_target, named, tuple(unknown))


def encode_values(value: Value) -> list[str]:
    """A value as the labels a foreign tool shows: none for null, `NONE_CODED` for an empty set."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else sorted(value) or [NONE_CODED]


@lru_cache(maxsize=65_536)
def same_key(name: str) -> str:
    """A name without case and marks, as tools rewrite them.

    >>> same_key("Foreign Adversary") == same_key("foreign_adversary")
    True
    """
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def _add(labels: dict[str, Value], variable: Variable, value: str) -> bool:
    if variable.kind != "set":
        return labels.setdefault(variable.name, value) == value
    earlier = labels.get(variable.name) or frozenset[str]()
    new = frozenset[str]() if value == NONE_CODED else frozenset([value])
    labels[variable.name] = frozenset(earlier) | new
    return True


def _read(code: Code, codebook: Codebook, scheme: str) -> list[Code] | None:
    field, value = code
    key = same_key(field)
    if key in ("", MENTION) and same_key(value) == MENTION:
        return []
    if key == NOT_TARGET:
        return [(NOT_TARGET, "")] if same_key(value) in _YES else []
    if key == TARGET:
        target = _target(value, codebook)
        return None if target is None else [(TARGET, target)]
    for variable in codebook.variables:
        name = same_key(variable.name)
        if key == name or key.startswith(f"{name}_"):
            label = _label(value or key[len(name) + 1 :], variable, scheme)
            return None if label is None else [(variable.name, label)]
    return _guess(value or field, codebook, scheme)


def _guess(value: str, codebook: Codebook, scheme: str) -> list[Code] | None:
    whole = list(_meanings(value, codebook, scheme))
    if len(whole) == 1:
        return whole
    parts = [part for part in re.split(r"[\s:/|;,+.#=_-]+", value) if part]
    if whole or len(parts) < 2:
        return None
    read = [list(_meanings(part, codebook, scheme)) for part in parts]
    return [meanings[0] for meanings in read] if all(len(m) == 1 for m in read) else None


def _meanings(value: str, codebook: Codebook, scheme: str) -> Iterator[Code]:
    if same_key(value) == NOT_TARGET:
        yield NOT_TARGET, ""
    target = None if codebook.any_target else _target(value, codebook)
    if target is not None:
        yield TARGET, target
    for variable in codebook.variables:
        label = None if value == NONE_CODED else _label(value, variable, scheme)
        if label is not None:
            yield variable.name, label


def _target(value: str, codebook: Codebook) -> str | None:
    if codebook.accepts_target(value):
        return value
    names = {t.name: [t.name, t.title, *_all(t.aliases.values())] for t in codebook.targets}
    fits = [name for name, known in names.items() if same_key(value) in map(same_key, known)]
    return fits[0] if len(fits) == 1 and same_key(value) else None


def _label(value: str, variable: Variable, scheme: str) -> str | None:
    if value in variable.names or (variable.kind == "set" and value == NONE_CODED):
        return value
    try:
        return variable.counterpart(scheme, value)
    except CodebookError:
        fits = [name for name in variable.names if same_key(name) == same_key(value)]
        return fits[0] if len(fits) == 1 and same_key(value) else None


def _all(groups: Iterable[Sequence[str]]) -> list[str]:
    return [name for group in groups for name in group]


_COLUMNS = ("article_id", "start", "end", "target", "surface")
_NOBODY = "model"


def predicted_annotations(
    predictions: pd.DataFrame | None, codebook: Codebook
) -> Iterator[tuple[Annotation, float | None]]:
    """Each prediction as an annotation by its `model_id`, with the least sure label's probability.

    Raises `DataError` where the table has not the columns of predictions.
    """
    if predictions is None:
        return
    missing = [name for name in _COLUMNS if name not in predictions]
    if missing:
        raise DataError(f"predictions need the columns {', '.join(_COLUMNS)}; missing: {missing}")
    for row in predictions.to_dict("records"):
        labels = {v.name: _value(row.get(v.name), v) for v in codebook.variables}
        annotation = Annotation(
            article_id=row["article_id"],
            span=Span(int(row["start"]), int(row["end"])),
            target=row["target"],
            surface=row["surface"],
            annotator=str(row.get("model_id") or _NOBODY),
            labels=labels,
        )
        yield annotation, _sureness(row, labels.items())


def _value(value: object, variable: Variable) -> Value:
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return None
    if variable.kind == "set" and isinstance(value, Iterable):
        return frozenset(map(str, value))
    return str(value)


def _sureness(row: dict[Any, Any], labels: Iterable[tuple[str, Value]]) -> float | None:
    columns = [f"p_{name}_{value}" for name, value in labels if isinstance(value, str)]
    known = [float(row[column]) for column in columns if not pd.isna(row.get(column))]
    return min(known, default=None)
