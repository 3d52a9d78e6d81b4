"""What annotators said of each mention, and how far the model is from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from classifier.agreement.distances import masi_distance
from classifier.annotations import AnnotationSet
from classifier.codebook import Variable

Label = str | list[str]


@dataclass(frozen=True)
class Said:
    """One annotator's answer at one mention."""

    annotator: str
    labels: Mapping[str, Label]
    """Per variable that was coded: a name, or the names of a set in codebook order."""
    is_not_target: bool
    comment: str | None


def human_labels(annotation_set: AnnotationSet) -> dict[str, list[Said]]:
    """Answers by unit, annotators in alphabetical order."""
    variables = [v for v in annotation_set.codebook.variables if v.name in annotation_set.table]
    said: dict[str, list[Said]] = {}
    for row in annotation_set.table.sort_values("annotator", kind="stable").to_dict("records"):
        labels = {
            v.name: label for v in variables if (label := label_of(row[v.name], v)) is not None
        }
        comment = row["comment"] if isinstance(row["comment"], str) else None
        flag = row["not_target"]
        one = Said(
            str(row["annotator"]), labels, bool(flag) if not pd.isna(flag) else False, comment
        )
        said.setdefault(row["unit"], []).append(one)
    return said


def distances(
    frame: pd.DataFrame, variable: Variable, said: Mapping[str, Sequence[Said]]
) -> list[float | None]:
    """Per mention the mean distance, 0 to 1, between the model's label and each annotator's.

    Of the scale for an ordinal variable, MASI for a set; None where nobody coded the mention.
    """
    return [
        _mean_distance(predicted, variable, said.get(unit, ()))
        for unit, predicted in zip(frame["unit"], frame[variable.name], strict=True)
    ]


def _mean_distance(predicted: object, variable: Variable, said: Sequence[Said]) -> float | None:
    ours = label_of(predicted, variable)
    theirs = [one.labels[variable.name] for one in said if variable.name in one.labels]
    if ours is None or not theirs:
        return None
    apart = [_distance(ours, label, variable) for label in theirs]
    return round(sum(apart) / len(apart), 4)


def _distance(a: Label, b: Label, variable: Variable) -> float:
    if variable.kind == "set":
        return masi_distance(frozenset(a), frozenset(b))
    if variable.kind == "ordinal":
        numbers = dict(zip(variable.names, variable.numbers, strict=True))
        return abs(numbers[str(a)] - numbers[str(b)]) / (
            max(numbers.values()) - min(numbers.values())
        )
    return float(a != b)


def label_of(value: object, variable: Variable) -> Label | None:
    """A label as plain values; None where not coded or not in the codebook."""
    if variable.kind != "set":
        return value if isinstance(value, str) and value in variable.names else None
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return None
    names = set(value)
    return [name for name in variable.names if name in names]
