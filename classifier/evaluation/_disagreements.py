"""Mentions where predictor and gold differ, the worst first, with what a reader needs to judge."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from classifier.agreement import masi_distance
from classifier.annotations import AnnotationSet
from classifier.codebook import Variable
from classifier.evaluation._inputs import Answer, Judged
from classifier.evaluation._tables import EvaluationOptions


@dataclass(frozen=True)
class Disagreement:
    """One mention that the predictor labels otherwise than gold."""

    variable: str
    unit: str
    article_id: str
    source: str
    language: str
    target: str
    voice: str
    before: str
    surface: str
    after: str
    gold: str | tuple[str, ...]
    predicted: str | tuple[str, ...]
    annotators: Mapping[str, str | tuple[str, ...]]
    """What each annotator said."""
    distance: float
    """0 to 1: of the scale for an ordinal variable, MASI for a set."""
    confidence: float | None
    """Probability of the predicted label; of the least certain label of a set."""
    is_ambiguous: bool
    """The annotators do not agree among themselves either."""

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        record = asdict(self)
        for name in ("gold", "predicted"):
            record[name] = _plain(record[name])
        record["annotators"] = {name: _plain(label) for name, label in self.annotators.items()}
        return record


def disagreements(
    judged: Judged, annotation_set: AnnotationSet, options: EvaluationOptions
) -> tuple[Disagreement, ...]:
    """Largest distance first, then most confident first; what annotators dispute comes last."""
    answers = judged.predictors[options.predictor]
    said = _by_unit(judged.labels)
    differs = [
        i
        for i, (gold, answer) in enumerate(zip(judged.gold, answers.labels, strict=True))
        if gold is not None and answer is not None and gold != answer
    ]
    found = [_disagreement(judged, i, said, annotation_set, options) for i in differs]
    return tuple(
        sorted(found, key=lambda d: (d.is_ambiguous, -d.distance, -(d.confidence or 0), d.unit))
    )


def _disagreement(
    judged: Judged,
    place: int,
    said: Mapping[str, Mapping[str, Answer]],
    annotation_set: AnnotationSet,
    options: EvaluationOptions,
) -> Disagreement:
    item = judged.items.iloc[place]
    gold, predicted = judged.gold[place], judged.predictors[options.predictor].labels[place]
    own = said.get(item["unit"], {})
    before, surface, after = _passage(item, annotation_set, options.context)
    return Disagreement(
        variable=judged.variable.name,
        unit=item["unit"],
        article_id=item["article"],
        source=item["source"],
        language=item["language"],
        target=item["target"],
        voice=item["voice"],
        before=before,
        surface=surface,
        after=after,
        gold=_shown(gold, judged.variable),
        predicted=_shown(predicted, judged.variable),
        annotators={name: _shown(label, judged.variable) for name, label in own.items()},
        distance=_distance(gold, predicted, judged.variable),
        confidence=_confidence(judged, place, options.predictor),
        is_ambiguous=len(set(own.values())) > 1,
    )


def _by_unit(labels: pd.DataFrame) -> dict[str, dict[str, Answer]]:
    said: dict[str, dict[str, Answer]] = {}
    columns = ["unit", "annotator", "label"]
    for unit, annotator, label in labels[columns].itertuples(index=False):
        answer = label if isinstance(label, str) else frozenset(label)
        said.setdefault(unit, {})[annotator] = answer
    return said


def _passage(
    item: "pd.Series[Any]", annotation_set: AnnotationSet, context: int
) -> tuple[str, str, str]:
    article = annotation_set.article_by_id.get(item["article"])
    if article is None or pd.isna(item["start"]) or pd.isna(item["end"]):
        return "", str(item["surface"] or ""), ""
    start, end, text = int(item["start"]), int(item["end"]), article.text
    return text[max(0, start - context) : start], text[start:end], text[end : end + context]


def _shown(answer: Answer, variable: Variable) -> str | tuple[str, ...]:
    if answer is None or isinstance(answer, str):
        return answer or ""
    return tuple(name for name in variable.names if name in answer)


def _plain(shown: str | tuple[str, ...]) -> str | list[str]:
    return shown if isinstance(shown, str) else list(shown)


def _distance(gold: Answer, predicted: Answer, variable: Variable) -> float:
    if isinstance(gold, frozenset) and isinstance(predicted, frozenset):
        return masi_distance(gold, predicted)
    if variable.kind != "ordinal":
        return float(gold != predicted)
    numbers = dict(zip(variable.names, variable.numbers, strict=True))
    apart = abs(numbers[str(gold)] - numbers[str(predicted)])
    return apart / (variable.numbers[-1] - variable.numbers[0])


def _confidence(judged: Judged, place: int, predictor: str) -> float | None:
    answers = judged.predictors[predictor]
    if answers.probabilities is None:
        return None
    p, label = answers.probabilities[place], answers.labels[place]
    if not np.isfinite(p).all():
        return None
    if isinstance(label, str):
        return float(p[judged.variable.index(label)])
    return float(np.maximum(p, 1 - p).min())
