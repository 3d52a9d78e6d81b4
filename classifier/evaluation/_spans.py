"""Marked stretches against marked stretches: by label and boundaries, boundaries, characters."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from classifier.agreement import ratio
from classifier.errors import DataError
from classifier.evaluation._figures import Sample, figure
from classifier.evaluation._tables import EvaluationOptions, Row
from classifier.intervals import FloatArray, IntervalOptions
from classifier.records import ALL, Estimate

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

    Recall holds for any annotation set; precision only where annotators marked every mention.
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
