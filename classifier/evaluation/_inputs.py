"""Predictions, gold and annotators on the same mentions, and where they differ."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.agreement import is_missing, masi_distance
from classifier.annotations import AnnotationSet, long_table
from classifier.codebook import Variable
from classifier.errors import DataError, no_number
from classifier.evaluation._tables import GROUPS, EvaluationOptions, Sample
from classifier.intervals import FloatArray, IntArray
from classifier.predictions import named
from classifier.records import Article, counted

_ROUNDING = 0.02
"""How far probabilities may miss 1 in sum: other tools round them."""


def read_probabilities(
    rows: pd.DataFrame, variable: Variable, ok: npt.NDArray[np.bool_], where: str
) -> FloatArray | None:
    """Rows x labels in codebook order, nan if not `ok`; None if there are none.

    Raises `DataError` if they are no probabilities, such as percentages.
    """
    columns = list(variable.probability_columns)
    if not set(columns) <= set(rows.columns):
        return None
    try:
        probabilities = rows[columns].to_numpy(dtype=np.float64, copy=True)
    except (TypeError, ValueError):
        got = no_number(rows[columns].to_numpy().ravel())
        raise DataError(f"{where}: {', '.join(columns)} must be numbers, got {got}") from None
    probabilities[~ok] = np.nan
    has_all = ~np.isnan(probabilities).any(axis=1)
    known = probabilities[has_all]
    is_off = (known < -_ROUNDING) | (known > 1 + _ROUNDING)
    if variable.kind != "set":
        is_off |= np.abs(known.sum(axis=1, keepdims=True) - 1) > _ROUNDING
    if is_off.any():
        place = int(np.flatnonzero(has_all)[is_off.any(axis=1)][0])
        first = f"{_row_name(rows, place)} ({', '.join(f'{p:g}' for p in probabilities[place])})"
        total = "" if variable.kind == "set" else " and sum to 1"
        raise DataError(
            f"{where}: {', '.join(columns)} must lie from 0 to 1{total}; "
            f"{counted(int(is_off.any(axis=1).sum()), 'row')} do not, such as {first}"
        )
    return probabilities if len(known) else None


def _row_name(rows: pd.DataFrame, place: int) -> str:
    """The unit of a row, or else its number."""
    if "unit" in rows:
        return str(rows["unit"].iloc[place])
    return str(rows.index[place]) if rows.index.name == "unit" else f"row {place + 1}"


Answer = str | frozenset[str] | None
"""A label's name, a set of names, or None if there is no answer."""
Mask = npt.NDArray[np.bool_]

MAJORITY = "majority class"
PARTIAL = "some chances missing"
"""Status of a row where some labels have a chance and others none: it is no answer."""
_META: Mapping[str, Callable[[Article], str | None]] = {
    "source": lambda article: article.source,
    "language": lambda article: article.language,
    "date": lambda article: article.date,
    "story": lambda article: article.story_id,
}


@dataclass(frozen=True)
class Answers:
    """What one predictor said of one variable, in the order of the items."""

    labels: tuple[Answer, ...]
    status: tuple[str, ...]
    """"ok", "missed" if it had no row, or the predictor's own reason."""
    probabilities: FloatArray | None = None
    """Items x labels in codebook order; nan if there is no answer."""

    @property
    def given(self) -> Mask:
        """Where there is an answer."""
        return np.array([label is not None for label in self.labels], dtype=bool)


@dataclass(frozen=True)
class Judged:
    """One variable: the mentions that count, their gold, their annotators, their predictors."""

    variable: Variable
    items: pd.DataFrame
    """One row per mention: unit, article, cluster, start, end, surface, target, source, language,
    voice, date, story."""
    gold: tuple[Answer, ...]
    """None if the annotators do not settle it."""
    gold_status: tuple[str, ...]
    """"ok", "tie" or "not coded"."""
    labels: pd.DataFrame
    """What each annotator said: unit, article, story, annotator, label."""
    predictors: Mapping[str, Answers] = field(default_factory=dict)

    @property
    def settled(self) -> Mask:
        """Where there is gold."""
        return np.array([label is not None for label in self.gold], dtype=bool)

    @property
    def common(self) -> Mask:
        """Where there is gold and every predictor has an answer: what predictors compare on."""
        mask = self.settled
        for answers in self.predictors.values():
            mask = mask & answers.given
        return mask

    def clusters(self, mask: Mask) -> IntArray:
        """Number of the article (or story) of each item in the mask, from 0 without gaps."""
        codes, _ = pd.factorize(self.items["cluster"].to_numpy()[mask])
        return np.asarray(codes, dtype=np.int64)

    def keys(self, predictor: str) -> dict[str, str]:
        """What a row of a table is about."""
        return {"variable": self.variable.name, "predictor": predictor}

    def pair(self, predictor: str, mask: Mask) -> tuple[FloatArray, FloatArray]:
        """Gold and a predictor's answers for the items in the mask, each as items x labels."""
        answers = self.predictors[predictor].labels
        return membership(self.gold, self.variable)[mask], membership(answers, self.variable)[mask]

    def sample(self, rows: npt.ArrayLike, mask: Mask, options: EvaluationOptions) -> Sample:
        """Rows for the items in the mask, to be summed by article (or story)."""
        values = np.asarray(rows, dtype=np.float64)
        return Sample(values, self.clusters(mask), options.interval, options.cluster)


def judge(
    annotation_set: AnnotationSet,
    predictions: Mapping[str, pd.DataFrame],
    gold: pd.DataFrame,
    name: str,
    options: EvaluationOptions,
) -> Judged:
    """Everything about one variable.

    Raises:
        DataError: a column is missing, a unit is predicted twice, a label is not in the codebook.
    """
    variable = annotation_set.codebook.variable(name)
    _needs(gold, ("unit", "article_id", "target", name), "gold")
    _once_each(gold["unit"], "gold")
    settled = gold[~gold["not_target"]].reset_index(drop=True)
    items = _items(settled, annotation_set, predictions[options.predictor], options)
    labels = long_table(annotation_set, name)
    labels = labels[labels["unit"].isin(set(items["unit"]))].merge(items[["unit", "story"]])
    answers = _answers(settled[name], variable, "gold", options)
    judged = Judged(variable, items, answers, _gold_status(settled, name, answers), labels)
    predictors = {
        predictor: read_answers(frame, items["unit"], variable, predictor, options)
        for predictor, frame in predictions.items()
        if name in frame.columns
    }
    for predictor, given in predictors.items():
        _refuse_strangers(predictor, given, judged)
    return replace(judged, predictors=_with_majority(judged, predictors))


def read_answers(
    frame: pd.DataFrame,
    units: Sequence[str],
    variable: Variable,
    predictor: str,
    options: EvaluationOptions,
) -> Answers:
    """A predictor's answers at some units; its other rows are not looked at."""
    _needs(frame, ("unit", variable.name), predictor)
    wanted = frame[frame["unit"].isin(set(units))]
    _once_each(wanted["unit"], predictor)
    rows = wanted.set_index("unit").reindex(pd.Index(list(units), name="unit"))
    found = np.asarray(rows.index.isin(wanted["unit"]))
    own = rows["status"] if "status" in rows.columns else pd.Series("ok", index=rows.index)
    given = rows[variable.name]
    labels = _answers(given, variable, predictor, options)
    status = [
        _status(is_found, reason, raw, label)
        for is_found, reason, raw, label in zip(found, own, given, labels, strict=True)
    ]
    probabilities = read_probabilities(rows, variable, np.array(status) == "ok", predictor)
    if probabilities is not None:
        absent = np.isnan(probabilities)
        is_partial = np.asarray(absent.any(axis=1) & ~absent.all(axis=1))
        probabilities[is_partial] = np.nan
        status = [PARTIAL if i else own for own, i in zip(status, is_partial.tolist(), strict=True)]
    kept = tuple(a if s == "ok" else None for a, s in zip(labels, status, strict=True))
    return Answers(kept, tuple(status), probabilities)


def _status(found: bool, reason: object, given: object, label: Answer) -> str:
    if not found:
        return "missed"
    if reason != "ok" and isinstance(reason, str):
        return reason
    if is_missing(given):
        return "no label"
    return "unknown label" if label is None else "ok"


def _gold_status(settled: pd.DataFrame, name: str, answers: Sequence[Answer]) -> tuple[str, ...]:
    column = f"status_{name}"
    if column in settled.columns:
        return tuple(settled[column])
    return tuple("not coded" if answer is None else "ok" for answer in answers)


def _refuse_strangers(predictor: str, answers: Answers, judged: Judged) -> None:
    if judged.settled.any() and not (judged.settled & answers.given).any():
        counts = Counter(answers.status)
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))
        raise DataError(
            f"{predictor}: answers for {judged.variable.name!r} were required at mentions that "
            f"have gold, got none ({reasons}); units are named article_id:start-end:target"
        )


def _items(
    settled: pd.DataFrame,
    annotation_set: AnnotationSet,
    predictions: pd.DataFrame,
    options: EvaluationOptions,
) -> pd.DataFrame:
    articles = [annotation_set.article_by_id.get(key) for key in settled["article_id"]]
    items = pd.DataFrame(
        {
            "unit": settled["unit"],
            "article": settled["article_id"],
            "target": settled["target"].astype(object),
            **{
                column: _objects(read(a) if a is not None else None for a in articles)
                for column, read in _META.items()
            },
            "voice": _voices(settled, predictions),
        }
    )
    for column in ("start", "end", "surface"):
        items[column] = settled[column] if column in settled.columns else None
    cluster = items["story"] if options.cluster == "story" else items["article"]
    items["cluster"] = cluster.where(cluster.notna(), items["article"])
    for column in GROUPS:
        items[column] = named(items[column])
    return items


def _voices(settled: pd.DataFrame, predictions: pd.DataFrame) -> "pd.Series[object]":
    # The predicted voice comes first: it is what profiles part the mentions by.
    found = _objects(None for _ in range(len(settled)))
    if "voice" in predictions.columns:
        known = predictions.drop_duplicates("unit").set_index("unit")["voice"]
        found = settled["unit"].map(known).astype(object)
    if "voice" in settled.columns:
        found = found.where(found.notna(), settled["voice"].astype(object))
    return found


def _objects(values: object) -> "pd.Series[object]":
    return pd.Series(list(values), dtype=object)  # type: ignore[call-overload]


def _answers(
    labels: Sequence[object], variable: Variable, where: str, options: EvaluationOptions
) -> tuple[Answer, ...]:
    names = frozenset(variable.names)
    answers = [_answer(label, variable) for label in labels]
    unknown = [_names(answer) - names for answer in answers]
    if any(unknown) and options.unknown == "stop":
        listed = ", ".join(map(repr, sorted(frozenset().union(*unknown))))
        raise DataError(
            f"{where}: variable {variable.name!r} allows the labels {', '.join(variable.names)}; "
            f'got {listed}. Mend them, or set them aside (unknown="set aside", --set-aside)'
        )
    return tuple(
        None if strange else answer for answer, strange in zip(answers, unknown, strict=True)
    )


def _names(answer: Answer) -> frozenset[str]:
    return frozenset({answer}) if isinstance(answer, str) else answer or frozenset()


def _answer(label: object, variable: Variable) -> Answer:
    if is_missing(label):
        return None
    if variable.kind != "set":
        return str(label)
    if isinstance(label, str) or not isinstance(label, set | frozenset | list | tuple | np.ndarray):
        raise DataError(f"variable {variable.name!r} is a set: a list was required, got {label!r}")
    return frozenset(str(name) for name in label)


def _with_majority(judged: Judged, predictors: Mapping[str, Answers]) -> dict[str, Answers]:
    settled = [label for label in judged.gold if label is not None]
    if not settled or MAJORITY in predictors:
        return dict(predictors)
    top, _ = Counter(settled).most_common(1)[0]
    n = len(judged.items)
    return {**predictors, MAJORITY: Answers((top,) * n, ("ok",) * n)}


def _needs(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise DataError(
            f"{what} needs the columns {', '.join(columns)}; got no {', '.join(absent)}"
        )


def _once_each(units: "pd.Series[str]", what: str) -> None:
    repeated = units[units.duplicated()]
    if len(repeated):
        raise DataError(
            f"{what}: one row per unit was required, {counted(len(repeated), 'row')} too many, "
            f"such as {repeated.iloc[0]!r}"
        )


def membership(answers: Sequence[Answer], variable: Variable) -> FloatArray:
    """Items x labels: 1 if the label was given; a row of zeros for an empty set or no answer."""
    place = {name: i for i, name in enumerate(variable.names)}
    matrix = np.zeros((len(answers), len(place)))
    for row, answer in enumerate(answers):
        for name in _names(answer):
            matrix[row, place[name]] = 1
    return matrix


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
