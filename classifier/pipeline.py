"""The stages strung together, for one-call use and for the demo."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.agreement import Part, alpha, by_columns, by_pair
from classifier.annotations import AnnotationSet, adjudicate, long_table, read_annotations
from classifier.codebook import Codebook, default_codebook, read_codebook
from classifier.errors import DataError
from classifier.profiles import Profile, ProfileOptions, plan_articles, profile_sources

AGREEMENT_BY: tuple[tuple[str, ...], ...] = ((), ("language",), ("target",), ("source",))


@dataclass(frozen=True)
class VariableAgreement:
    """How far the annotators agree on one variable, over all and by part."""

    variable: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class AgreementReport:
    """Krippendorff's alpha for every variable of an annotation set."""

    annotators: tuple[str, ...]
    variables: tuple[VariableAgreement, ...]

    def __iter__(self) -> Iterator[VariableAgreement]:
        """Variable by variable."""
        return iter(self.variables)

    def to_frame(self) -> pd.DataFrame:
        """One line per variable and part."""
        return pd.DataFrame(
            [
                {
                    "variable": entry.variable,
                    "part": _part_name(part),
                    "alpha": part.estimate.value,
                    "low": part.estimate.low,
                    "high": part.estimate.high,
                    "status": part.estimate.status,
                    "n_items": part.estimate.n_items,
                    "n_articles": part.estimate.n_articles,
                }
                for entry in self.variables
                for part in entry.parts
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "annotators": list(self.annotators),
            "variables": [
                {"variable": entry.variable, "parts": [part.to_dict() for part in entry.parts]}
                for entry in self.variables
            ],
        }


def measure_agreement(
    data: Path | str | AnnotationSet, by: Sequence[Sequence[str]] = AGREEMENT_BY
) -> AgreementReport:
    """Alpha between the annotators for every variable, over all, by part and by pair.

    Args:
        data: An annotation set or its folder.
        by: Groupings by columns of articles and mentions (`language`, `source`, `target`, `zone`);
            `()` is everything together.
    """
    annotation_set = data if isinstance(data, AnnotationSet) else read_annotations(data)
    entries = []
    for variable in annotation_set.codebook.variables:
        table = _with_columns(long_table(annotation_set, variable.name), annotation_set)
        parts = [
            part
            for columns in by
            # Where any entity may be a target, a part for each would bury the rest.
            if not (annotation_set.codebook.any_target and "target" in columns)
            for part in by_columns(alpha, table, variable, columns)
        ]
        if len(annotation_set.annotators) > 2:
            parts += list(by_pair(alpha, table, variable))
        entries.append(VariableAgreement(variable.name, tuple(parts)))
    return AgreementReport(annotation_set.annotators, tuple(entries))


def profile(
    predictions: pd.DataFrame | Path | str,
    *,
    gold: Path | str | AnnotationSet | None = None,
    codebook: Codebook | Path | None = None,
    options: ProfileOptions | None = None,
) -> Profile:
    """Estimates per source and target from predictions and, where there are any, human labels.

    Args:
        predictions: A table as scoring writes it, or the file it is in.
        gold: Annotations of some of the scored articles, drawn at random.
        codebook: Where the predictions were made under another than the gold's or the default one.
        options: Groups, zones, estimand.
    """
    table = predictions if isinstance(predictions, pd.DataFrame) else read_predictions(predictions)
    annotation_set = _annotation_set(gold)
    if isinstance(codebook, Path):
        codebook = read_codebook(codebook)
    if codebook is None:
        codebook = default_codebook() if annotation_set is None else annotation_set.codebook
    labels = None if annotation_set is None else adjudicate(annotation_set)
    return profile_sources(table, codebook, gold=labels, options=options)


def plan(
    predictions: pd.DataFrame | Path | str,
    gold: Path | str | AnnotationSet,
    *,
    half_width: float = 0.1,
    options: ProfileOptions | None = None,
) -> list[dict[str, Any]]:
    """Per source and target, how many coded articles an interval of this half-width takes."""
    table = predictions if isinstance(predictions, pd.DataFrame) else read_predictions(predictions)
    annotation_set = gold if isinstance(gold, AnnotationSet) else read_annotations(gold)
    labels = adjudicate(annotation_set)
    return plan_articles(
        table, annotation_set.codebook, labels, half_width=half_width, options=options
    )


def read_predictions(path: Path | str) -> pd.DataFrame:
    """A table of predictions from Parquet, JSON Lines or CSV, or a folder of Parquet parts."""
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: predictions were required there, nothing was found")
    readers = {".jsonl": partial(pd.read_json, lines=True), ".csv": pd.read_csv}
    try:
        return readers.get(path.suffix, pd.read_parquet)(path)
    except (ValueError, OSError) as error:
        raise DataError(
            f"{path}: predictions must be Parquet, JSON Lines or CSV: {error}"
        ) from None


def _annotation_set(data: Path | str | AnnotationSet | None) -> AnnotationSet | None:
    return data if isinstance(data, AnnotationSet) or data is None else read_annotations(data)


def _with_columns(table: pd.DataFrame, annotation_set: AnnotationSet) -> pd.DataFrame:
    articles = annotation_set.article_by_id
    return table.assign(
        target=table["unit"].str.rsplit(":", n=1).str[-1],
        language=[articles[name].language for name in table["article"]],
        source=[articles[name].source for name in table["article"]],
        story=[articles[name].story_id for name in table["article"]],
    )


def _part_name(part: Part) -> str:
    return ", ".join(f"{key} {value}" for key, value in part.group.items()) or "all"
