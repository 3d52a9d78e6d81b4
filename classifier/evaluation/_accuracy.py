"""Accuracy against gold: of labels, and of the mentions that were found."""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from classifier.agreement import f1_by_label, hits, macro_f1, ratio
from classifier.errors import DataError
from classifier.evaluation._inputs import Answers, Judged, Mask, membership
from classifier.evaluation._tables import (
    NO_VARIATION,
    EvaluationOptions,
    Group,
    Row,
    Sample,
    figure,
    groups,
    micro_f1,
    precision,
    recall,
    share,
)
from classifier.intervals import FloatArray, IntervalOptions
from classifier.records import ALL, Estimate

NO_LABEL = "no label"
"""What a confusion table calls an empty set."""


def accuracy_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per predictor: accuracy, macro-F1, and what it lacks against the first predictor."""
    mask = judged.common
    first = next(iter(judged.predictors), None)
    rows = []
    for name in judged.predictors:
        estimates = _scores(judged, name, mask, options)
        if name != first and first is not None:
            estimates["macro_f1_difference"] = _difference(judged, (first, name), mask, options)
        rows.append(Row(judged.keys(name), estimates, _coverage(judged, name, mask)))
    return rows


def label_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per predictor and label: precision, recall, F1, share in gold and in predictions."""
    mask = judged.common
    gold = membership(judged.gold, judged.variable)[mask]
    rows = []
    for name, answers in judged.predictors.items():
        predicted = membership(answers.labels, judged.variable)[mask]
        for place, label in enumerate(judged.variable.names):
            pair = gold[:, [place]], predicted[:, [place]]
            estimates = _label_scores(judged.sample(hits(*pair), mask, options), *pair)
            counts = {"n_gold": int(pair[0].sum()), "n_predicted": int(pair[1].sum())}
            rows.append(Row({**judged.keys(name), "label": label}, estimates, counts))
    return rows


def confusion_rows(judged: Judged, options: EvaluationOptions) -> list[Row]:
    """One row per predictor, gold label and predicted label: how often, and as share of the gold.

    For a set variable: of the mentions that have the gold label, the share where the predictor
    gives the other label as well; an empty set counts as a label of its own.
    """
    mask = judged.common
    gold = _with_empty(judged, membership(judged.gold, judged.variable)[mask])
    names = [*judged.variable.names, *([NO_LABEL] if judged.variable.kind == "set" else [])]
    rows = []
    for name, answers in judged.predictors.items():
        predicted = _with_empty(judged, membership(answers.labels, judged.variable)[mask])
        for i, label in enumerate(names):
            for j, other in enumerate(names):
                cells = np.column_stack([gold[:, i] * predicted[:, j], gold[:, i]])
                estimate = figure(
                    judged.sample(cells, mask, options),
                    share,
                    "share of the gold label",
                    undefined="undefined: not in gold",
                )
                keys = {**judged.keys(name), "label": label, "predicted": other}
                rows.append(Row(keys, {"share": estimate}, {"n": int(cells[:, 0].sum())}))
    return rows


def _scores(
    judged: Judged, name: str, mask: Mask, options: EvaluationOptions
) -> dict[str, Estimate]:
    gold, predicted = judged.pair(name, mask)
    same = (gold == predicted).all(axis=1)
    right = judged.sample(np.column_stack([same, np.ones(len(same))]), mask, options)
    counted = judged.sample(hits(gold, predicted), mask, options)
    if judged.variable.kind == "set":
        return {
            "exact_match": figure(right, share, "share of sets predicted exactly"),
            "macro_f1": figure(
                counted, macro_f1, "macro-F1", undefined="undefined: no label in gold"
            ),
            "micro_f1": figure(
                counted, micro_f1, "micro-F1", undefined="undefined: no label on either side"
            ),
        }
    return {
        "accuracy": figure(right, share, "accuracy"),
        "macro_f1": (
            _unvaried(counted, "macro-F1")
            if _has_one_label(gold)
            else figure(counted, macro_f1, "macro-F1")
        ),
    }


def _has_one_label(gold: FloatArray) -> bool:
    """Whether gold is one label throughout: any predictor that repeats it would score 1."""
    return bool(len(gold)) and int((gold.sum(axis=0) > 0).sum()) < 2


def _unvaried(sample: Sample, method: str) -> Estimate:
    return Estimate(
        None,
        NO_VARIATION,
        n_items=len(sample.rows),
        n_articles=sample.n_articles,
        method=method,
    )


def _difference(
    judged: Judged, names: tuple[str, str], mask: Mask, options: EvaluationOptions
) -> Estimate:
    gold, _ = judged.pair(names[0], mask)
    both = [hits(*judged.pair(name, mask)) for name in names]

    def difference(totals: FloatArray) -> FloatArray:
        first, second = np.split(totals, 2, axis=-1)
        apart: FloatArray = macro_f1(second) - macro_f1(first)
        return apart

    sample = judged.sample(np.hstack(both), mask, options)
    method = f"macro-F1 minus that of {names[0]}, paired"
    if judged.variable.kind != "set" and _has_one_label(gold):
        return _unvaried(sample, method)
    return figure(sample, difference, method, bounds=(-1.0, 1.0))


def _label_scores(counted: Sample, gold: FloatArray, predicted: FloatArray) -> dict[str, Estimate]:
    ones = np.ones_like(gold)
    in_gold = counted._replace(rows=np.hstack([gold, ones]))
    in_predicted = counted._replace(rows=np.hstack([predicted, ones]))
    return {
        "precision": figure(counted, precision, "precision", undefined="undefined: not predicted"),
        "recall": figure(counted, recall, "recall", undefined="undefined: not in gold"),
        "f1": figure(
            counted,
            lambda totals: f1_by_label(totals)[..., 0],
            "F1",
            undefined="undefined: on neither side",
        ),
        "share_gold": figure(in_gold, share, "share of mentions, gold"),
        "share_predicted": figure(in_predicted, share, "share of mentions, predicted"),
    }


def _with_empty(judged: Judged, matrix: FloatArray) -> FloatArray:
    if judged.variable.kind != "set":
        return matrix
    return np.column_stack([matrix, matrix.sum(axis=1) == 0])


def _coverage(judged: Judged, name: str, mask: Mask) -> dict[str, int]:
    status = Counter(judged.predictors[name].status)
    lacking = {
        f"n_{reason}".replace(" ", "_"): n for reason, n in sorted(status.items()) if reason != "ok"
    }
    unsettled = Counter(judged.gold_status)
    return {
        "n_mentions": len(judged.items),
        "n_gold": int(judged.settled.sum()),
        "n_gold_tie": unsettled["tie"],
        "n_judged": int(mask.sum()),
        "n_answered": status["ok"],
        **lacking,
    }


def bias_rows(judged: Judged, predictor: str, options: EvaluationOptions) -> list[Row]:
    """Predicted minus gold, per group of every breakdown.

    For an ordinal variable its mean number (label "all"); for every variable the share of each
    label. Expected values if there are probabilities, else the labels given.
    """
    answers = judged.predictors[predictor]
    apart = _apart(judged, answers)
    judgeable = judged.settled & answers.given
    rows = []
    for breakdown in options.breakdowns:
        for group in groups(judged.items, breakdown, options.max_groups):
            mask = np.zeros(len(judged.items), dtype=bool)
            mask[group.rows] = True
            mask &= judgeable
            if mask.any():
                rows += [
                    _row(judged, (predictor, label), values[mask], (group, mask), options)
                    for label, values in apart.items()
                ]
    return rows


def _row(
    judged: Judged,
    named: tuple[str, str],
    values: FloatArray,
    where: tuple[Group, Mask],
    options: EvaluationOptions,
) -> Row:
    predictor, label = named
    group, mask = where
    sample = judged.sample(np.column_stack([values, np.ones(len(values))]), mask, options)
    keys = {**judged.keys(predictor), "label": label, **group.keys}
    bias: Estimate = figure(sample, share, "mean of predicted - gold", bounds=(-np.inf, np.inf))
    return Row(keys, {"bias": bias}, {"n_items": len(values)})


def _apart(judged: Judged, answers: Answers) -> dict[str, FloatArray]:
    variable = judged.variable
    gold = membership(judged.gold, variable)
    predicted = membership(answers.labels, variable)
    if answers.probabilities is not None:
        known = np.isfinite(answers.probabilities).all(axis=1)
        predicted[known] = answers.probabilities[known]
    apart = {label: (predicted - gold)[:, i] for i, label in enumerate(variable.names)}
    if variable.kind == "ordinal":
        apart = {ALL: (predicted - gold) @ np.array(variable.numbers), **apart}
    return apart


COLUMNS = ("article", "start", "end", "label")
_NEITHER = "undefined: no spans on either side"


def span_scores(
    gold: pd.DataFrame,
    predicted: pd.DataFrame,
    articles: Iterable[str],
    options: IntervalOptions,
) -> dict[str, Estimate]:
    """Precision, recall and F1 of spans with columns article, start, end, label.

    Ends are half-open, so touching spans share nothing. `strict` asks for start, end and label,
    `boundary` for start and end, `character` compares the characters under each label.

    Args:
        gold: the spans that should be found, repeats counted once.
        predicted: the spans that were found; labels that gold lacks count as errors.
        articles: all articles that were searched, with spans or without.
        options: how intervals are made.
    """
    names = list(dict.fromkeys(articles))
    sides = [_by_article(side) for side in (gold, predicted)]
    strays = (sides[0].keys() | sides[1].keys()) - set(names)
    if strays:
        raise DataError(f"spans lie in articles that were not searched, such as {min(strays)!r}")
    rows = np.array(
        [_counts(sides[0].get(name, set()), sides[1].get(name, set())) for name in names]
    ).reshape(len(names), 9)
    # Articles without any span weigh nothing in a ratio of sums.
    rows = rows[rows.any(axis=1)]
    estimates: dict[str, Estimate] = {}
    for place, kind in enumerate(("strict", "boundary", "character")):
        part = rows[:, 3 * place : 3 * place + 3].astype(np.float64)
        sample = Sample(part, np.arange(len(part), dtype=np.int64), options)
        estimates |= _figures(sample, kind)
    return estimates


def mention_rows(
    gold: pd.DataFrame, predictions: pd.DataFrame, options: EvaluationOptions
) -> list[Row]:
    """How well mentions are found, over all targets and per target.

    Recall holds for any annotation set; precision only if annotators marked every mention.
    """
    needed = {"article_id", "start", "end", "target"}
    if not needed <= set(predictions.columns) or not needed <= set(gold.columns):
        return []
    wanted, found = _mentions(gold[~gold["not_target"]]), _mentions(predictions)
    searched = sorted(set(gold["article_id"]))
    found = found[found["article"].isin(searched)]
    labels = pd.concat([wanted["label"], found["label"]])
    frequent = labels.value_counts().head(options.max_groups)
    targets = [ALL, *(sorted(frequent.index) if ("target",) in options.breakdowns else [])]
    rows = []
    for target in targets:
        sides = [s if target == ALL else s[s["label"] == target] for s in (wanted, found)]
        estimates = span_scores(sides[0], sides[1], searched, options.interval)
        counts = {"n_gold": len(sides[0]), "n_found": len(sides[1]), "n_articles": len(searched)}
        rows.append(Row({"predictor": options.predictor, "target": target}, estimates, counts))
    return rows


def _mentions(frame: pd.DataFrame) -> pd.DataFrame:
    renamed = {"article_id": "article", "target": "label"}
    return frame[["article_id", "start", "end", "target"]].rename(columns=renamed)


def _by_article(spans: pd.DataFrame) -> dict[str, set[tuple[int, int, str]]]:
    absent = [column for column in COLUMNS if column not in spans.columns]
    if absent:
        raise DataError(f"spans need the columns {', '.join(COLUMNS)}; got no {', '.join(absent)}")
    grouped: dict[str, set[tuple[int, int, str]]] = {}
    for article, start, end, label in spans[list(COLUMNS)].itertuples(index=False):
        if pd.isna(label) or not (0 <= start < end and start % 1 == 0 == end % 1):
            raise DataError(
                "every span needs a label and whole numbers 0 <= start < end, "
                f"got {label!r}, {start} and {end} in {article!r}"
            )
        grouped.setdefault(article, set()).add((int(start), int(end), str(label)))
    return grouped


def _counts(gold: set[tuple[int, int, str]], found: set[tuple[int, int, str]]) -> list[int]:
    """Shared, gold and found: spans with labels, spans without, characters."""
    bare = {span[:2] for span in gold}, {span[:2] for span in found}
    characters = _characters(gold), _characters(found)
    return [
        *(len(gold & found), len(gold), len(found)),
        *(len(bare[0] & bare[1]), len(bare[0]), len(bare[1])),
        *(len(characters[0] & characters[1]), len(characters[0]), len(characters[1])),
    ]


def _characters(spans: set[tuple[int, int, str]]) -> set[tuple[int, str]]:
    return {(place, label) for start, end, label in spans for place in range(start, end)}


def _figures(sample: Sample, kind: str) -> dict[str, Estimate]:
    def f1(totals: FloatArray) -> FloatArray:
        return ratio(2 * totals[..., 0], totals[..., 1] + totals[..., 2])

    def precision(totals: FloatArray) -> FloatArray:
        return ratio(totals[..., 0], totals[..., 2])

    def recall(totals: FloatArray) -> FloatArray:
        return ratio(totals[..., 0], totals[..., 1])

    return {
        f"{kind}_f1": figure(sample, f1, f"{kind} F1", undefined=_NEITHER),
        f"{kind}_precision": figure(
            sample, precision, f"{kind} precision", undefined="undefined: nothing found"
        ),
        f"{kind}_recall": figure(
            sample, recall, f"{kind} recall", undefined="undefined: nothing in gold"
        ),
    }
