"""A stranger's columns and labels in the words of the codebook."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

import numpy as np
import pandas as pd

from classifier.annotations import USUAL
from classifier.codebook import Codebook, Variable
from classifier.errors import DataError
from classifier.records import counted

Unknown = Literal["stop", "set aside"]
_NOTHING = ("", "nan", "none", "null", "n/a", "na", "<na>")
_MANY = re.compile(r"[,;|]")


def parse_mapping(pairs: Sequence[str]) -> dict[str, str]:
    """Read pairs as a command takes them.

    >>> parse_mapping(["negative=unfavourable", "pro-*=favourable"])
    {'negative': 'unfavourable', 'pro-*': 'favourable'}

    Raises:
        DataError: a pair has no "=", or nothing on one side of it.
    """
    made = {}
    for pair in pairs:
        theirs, _, ours = (part.strip() for part in pair.rpartition("="))
        if not theirs or not ours:
            raise DataError(
                f"a mapping must look like theirs=ours (negative=unfavourable), got {pair!r}"
            )
        made[theirs] = ours
    return made


def checked_mapping(mapping: Mapping[str, str] | None, codebook: Codebook) -> dict[str, str]:
    """The mapping without case and blanks; raises `DataError` for a label nobody asks for."""
    labels = {word(label): label for v in codebook.variables for label in v.names}
    made = {}
    for theirs, ours in (mapping or {}).items():
        if word(ours) not in labels:
            known = "; ".join(f"{v.name}: {', '.join(v.names)}" for v in codebook.variables)
            raise DataError(f"{theirs}={ours} must lead to a label of the codebook ({known})")
        made[word(theirs)] = labels[word(ours)]
    return made


def word(label: object) -> str:
    """A label without case, blanks and the choice between dash and blank.

    >>> word(" Not_Target ")
    'not target'
    """
    return re.sub(r"[\s_\-]+", " ", str(label).strip().casefold())


def is_empty(value: object) -> bool:
    """Whether a cell says nothing."""
    if isinstance(value, str):
        return value.strip().casefold() in _NOTHING
    if value is None or value is pd.NA:
        return True
    return isinstance(value, float) and math.isnan(value)


def in_our_words(
    column: Sequence[Any], variable: Variable, mapping: Mapping[str, str], unknown: Unknown
) -> list[Any]:
    """The column's labels as the codebook names them.

    Args:
        column: Names, numbers of an ordinal variable, or for a set lists or names with commas.
        variable: The question.
        mapping: From theirs, with wildcards, to ours; as `checked_mapping` returns it.
        unknown: Whether a label that is none stops, or is left as it is for the evaluation.

    Raises:
        DataError: a label is none of the codebook's, unless it is to be set aside.
    """
    is_set = variable.kind == "set"
    cells: list[Any] = list(map(_members, column)) if is_set else _answers(column, variable)
    said = _distinct(cells, is_set=is_set)
    ours = {one: _label(one, variable, mapping) for one in said}
    numbers = _numbers(said, variable)
    ours |= {one: numbers[one] for one in numbers if ours[one] is None}
    if unknown == "stop":
        _refuse(cells, {one for one, label in ours.items() if label is None}, variable)
    heard = {one: one if label is None else label for one, label in ours.items()}
    if is_set:
        return [None if cell is None else sorted({heard[one] for one in cell}) for cell in cells]
    return [None if cell is None else heard[cell] for cell in cells]


def _distinct(cells: Iterable[Any], *, is_set: bool) -> set[str]:
    if is_set:
        return {str(one) for cell in cells if cell is not None for one in cell}
    return {cell for cell in cells if cell is not None}


def _answers(column: Sequence[Any], variable: Variable) -> list[str | None]:
    """The cells as text; what many rows say is read once."""
    known: dict[tuple[type, str], str | None] = {}
    cells = []
    for cell in column:
        key = type(cell), str(cell)
        if key not in known:
            known[key] = _answer(cell, variable)
        cells.append(known[key])
    return cells


def _answer(cell: object, variable: Variable) -> str | None:
    """The cell as text; None where it is blank and no label is called so."""
    is_label = isinstance(cell, str) and word(cell) in map(word, variable.names)
    return None if is_empty(cell) and not is_label else str(cell)


def _members(cell: object) -> list[str] | None:
    """The labels of a set; a blank is no answer, "[]" and "none" an empty one."""
    if isinstance(cell, list | tuple | set | frozenset | np.ndarray):
        return [str(one) for one in cell]
    if isinstance(cell, str) and cell.strip().casefold() == "none":
        return []
    if is_empty(cell):
        return None
    text = str(cell).strip()
    if text.startswith("["):
        try:
            return [str(one) for one in json.loads(text.replace("'", '"'))]
        except (json.JSONDecodeError, TypeError):
            text = text.strip("[]")
    return [one.strip() for one in _MANY.split(text) if one.strip()]


def _label(said: str, variable: Variable, mapping: Mapping[str, str]) -> str | None:
    own = word(said)
    if own in mapping:
        return mapping[own] if mapping[own] in variable.names else None
    for name in variable.names:
        if word(name) == own:
            return name
    for pattern, ours in mapping.items():
        if ours in variable.names and fnmatchcase(own, pattern):
            return ours
    counterparts = {
        label.name
        for label in variable.labels
        if any(own == word(code) for codes in label.counterparts.values() for code in codes)
    }
    is_one = len(counterparts) == 1 and _number(said) is None
    return counterparts.pop() if is_one else None


def _numbers(said: Iterable[str], variable: Variable) -> dict[str, str]:
    """The labels that numbers mean: only where all numbers of the column are labels' numbers.

    Codes 0, 1, 2 of another scheme share numbers with -1, 0, 1 and would be misread.
    """
    if variable.kind != "ordinal":
        return {}
    given = {one: number for one in said if (number := _number(one)) is not None}
    places = dict(zip(variable.numbers, variable.names, strict=True))
    if not set(given.values()) <= set(places):
        return {}
    return {one: places[number] for one, number in given.items()}


def _number(said: str) -> float | None:
    try:
        return float(said.replace("−", "-"))
    except ValueError:
        return None


def _refuse(cells: Sequence[Any], unknown: set[str], variable: Variable) -> None:
    if not unknown:
        return
    is_set = variable.kind == "set"
    n = sum(bool(unknown & _distinct([cell], is_set=is_set)) for cell in cells)
    listed = ", ".join(map(repr, sorted(unknown)[:8]))
    first = min(unknown)
    raise DataError(
        f"variable {variable.name!r} allows the labels {', '.join(variable.names)}; got {listed} "
        f'in {counted(n, "row")}. Say what they mean (--map "{first}={variable.names[0]}"; in '
        f"Python mapping={{{first!r}: {variable.names[0]!r}}}), or set them aside (--set-aside)"
    )


_LABEL = (
    *("label", "prediction", "predicted", "predicted_label", "answer", "class", "category"),
    *("sentiment", "polarity", "response", "output"),
)
"""What a table calls its labels where it does not name the variable."""


def plain(name: object) -> str:
    """A name without case, blanks and dashes.

    >>> plain(" Article-ID ")
    'article_id'
    """
    return re.sub(r"[\s\-.]+", "_", str(name).strip().casefold())


def known_names(frame: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rename the columns to our words.

    Args:
        frame: A stranger's table.
        codebook: Whose variables to look for.

    Returns:
        The table under our names, and a note for every name that had to be interpreted.
    """
    found: dict[str, str] = {}
    for column in frame.columns:
        found.setdefault(plain(column), column)
    names: dict[str, str] = {}
    for ours, usual in USUAL.items():
        given = next((found[name] for name in usual if name in found), None)
        if given is not None and given not in names:
            names[given] = ours
    notes = _variable_names(frame, names, found, codebook)
    taken = set(names.values())
    for name, given in found.items():
        if given not in names and name not in taken:
            names[given] = name if name in _KEPT or given != given.strip() else given
    kept = [column for column in frame.columns if column in names]
    return frame[kept].rename(columns=names), notes


SPENT = ("cost", "seconds", "input_tokens", "output_tokens")
"""What a row took; shared among the mentions it stands for."""
_KEPT = ("source", "language", "date", "story_id", "zone", "kind", "voice", "speaker", "status")


def _variable_names(
    frame: pd.DataFrame,
    names: dict[str, str],
    found: Mapping[str, str],
    codebook: Codebook,
) -> tuple[str, ...]:
    asked = []
    for variable in codebook.variables:
        name = plain(variable.name)
        if name in found:
            names[found[name]] = variable.name
            asked.append(variable.name)
        if plain(f"{variable.name}_score") in found:
            names[found[plain(f"{variable.name}_score")]] = f"{variable.name}_score"
        names |= _probability_names(variable, found, is_first=variable == codebook.variables[0])
    first = codebook.variables[0].name
    others = [found[name] for name in _LABEL if name in found and found[name] not in names]
    if first in asked or not others:
        return ()
    # one of them may be what people said, and the other what a model said
    if len(others) > 1 and len({tuple(map(str, frame[name])) for name in others}) > 1:
        raise DataError(
            f"one column with the labels of {first!r} was required, got {' and '.join(others)}, "
            f"which differ: rename one to {first}, or say --models {others[0]}"
        )
    names[others[0]] = first
    return (f"the column {others[0]!r} was read as {first!r}",)


def _probability_names(
    variable: Variable, found: Mapping[str, str], *, is_first: bool
) -> dict[str, str]:
    """The columns of chances, where there is one for every label."""
    name = variable.name
    patterns = ["p_{name}_{label}", "prob_{name}_{label}", "{name}_{label}"]
    patterns += ["p_{label}", "prob_{label}"] if is_first else []
    for pattern in patterns:
        wanted = {
            plain(pattern.format(name=name, label=label)): f"p_{name}_{label}"
            for label in variable.names
        }
        if set(wanted) <= set(found):
            return {found[given]: ours for given, ours in wanted.items()}
    return {}
