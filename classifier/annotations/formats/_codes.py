"""What readers and writers of formats share: codes of labels, tables, suggestions of a program."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import chain
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
_YES = {"", "true", "yes", "1", "1_0", "x", NOT_TARGET}
_NO = {"false", "no", "0", "0_0"}

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

    @property
    def says_something(self) -> bool:
        """Whether the codebook has a word for any of it."""
        return bool(self.target or self.labels or self.not_target)


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


def question_of(field: str, codebook: Codebook) -> tuple[str, str] | None:
    """The variable, `TARGET` or `NOT_TARGET` that a field is called after; None if after none.

    The second text is the label that the name ends with, as in `roles_aggressor`, else empty. A
    number may stand behind a variable's name, as in `roles_2`.
    """
    key = same_key(field)
    if key in (TARGET, NOT_TARGET):
        return key, ""
    for variable in sorted(codebook.variables, key=lambda one: -len(one.name)):
        name = same_key(variable.name)
        rest = key.removeprefix(f"{name}_")
        if key == name or (rest != key and rest.isdecimal()):
            return variable.name, ""
        labels = (*variable.names, NONE_CODED)
        if rest != key and rest in map(same_key, labels):
            return variable.name, rest
    return None


def _read(code: Code, codebook: Codebook, scheme: str) -> list[Code] | None:
    field, value = code
    if same_key(field) in ("", MENTION) and same_key(value) == MENTION:
        return []
    asked = question_of(field, codebook)
    if asked is None:
        return _guess(value or field, codebook, scheme)
    name, named = asked
    if name == NOT_TARGET:
        return [(NOT_TARGET, "")] if same_key(value) in _YES else []
    if name == TARGET:
        target = _target(value, codebook)
        return None if target is None else [(TARGET, target)]
    if named and same_key(value) in _NO:
        return []
    is_flag = named and same_key(value) in _YES
    label = _label(named if is_flag else value, codebook.variable(name), codebook, scheme)
    return None if label is None else [(name, label)]


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
        label = None if value == NONE_CODED else _label(value, variable, codebook, scheme)
        if label is not None:
            yield variable.name, label


def _target(value: str, codebook: Codebook) -> str | None:
    if codebook.accepts_target(value):
        return value
    names = {t.name: [t.name, t.title, *chain(*t.aliases.values())] for t in codebook.targets}
    fits = [name for name, known in names.items() if same_key(value) in map(same_key, known)]
    return fits[0] if len(fits) == 1 and same_key(value) else None


def _label(value: str, variable: Variable, codebook: Codebook, scheme: str) -> str | None:
    is_none = variable.kind == "set" and same_key(value) == NONE_CODED
    if value in variable.names or is_none:
        return NONE_CODED if is_none else value
    try:
        return variable.counterpart(scheme, value)
    except CodebookError:
        key = same_key(value)
        fits = [name for name in variable.names if key and same_key(name) == key]
        for theirs, ours in codebook.counterparts.items():
            is_same = key == same_key(theirs) or fnmatchcase(value.casefold(), theirs.casefold())
            if not fits and ours in variable.names and is_same:
                return ours
        return fits[0] if len(fits) == 1 else None


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
