"""One judge for all: predictions of any origin against gold, by `classifier.evaluation`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.quality._data import Corpus
from classifier.codebook import Variable, default_codebook
from classifier.evaluation import EvaluationOptions, evaluate
from classifier.intervals import IntervalOptions
from classifier.records import Article, Estimate, Passage
from classifier.training import DEVELOPMENT, TEST

TESTS: tuple[tuple[str, str], ...] = (
    ("newsmtsc", "devtest_mt"),
    ("newsmtsc", "devtest_rw"),
    ("rusentne", TEST),
    ("sample", TEST),
    ("sample", "source"),
)
"""What everything is judged on; `source` is an outlet of the sample not seen in training."""
_FURTHER = ("roles", "voice")
_INTERVAL = IntervalOptions()
Frames = Mapping[str, pd.DataFrame]
"""Predictions by the predictor's name."""


@dataclass(frozen=True)
class Tested:
    """A part of a corpus, or some articles of it."""

    corpus: Corpus
    part: str
    group: str | None = None
    ids: frozenset[str] = frozenset()
    """Article ids."""

    @property
    def name(self) -> str:
        """Such as "sample/test/nl"."""
        return "/".join(filter(None, (self.corpus.name, self.part, self.group)))


def tests(corpora: Mapping[str, Corpus]) -> list[Tested]:
    """The parts to judge on; the sample's test stories also by language."""
    found = [
        Tested(corpora[name], part, ids=frozenset(corpora[name].parts.get(part, ())))
        for name, part in TESTS
        if name in corpora
    ]
    if "sample" in corpora:
        found += grouped(corpora["sample"], TEST, lambda article: str(article.language))
    return [one for one in found if one.ids]


def held_out(corpora: Mapping[str, Corpus]) -> list[Tested]:
    """The development articles: what is chosen by them is not chosen by the tests."""
    found = [
        Tested(corpus, DEVELOPMENT, ids=frozenset(corpus.parts.get(DEVELOPMENT, ())))
        for corpus in corpora.values()
    ]
    return [one for one in found if one.ids]


def grouped(corpus: Corpus, part: str, group_of: Callable[[Article], str]) -> list[Tested]:
    """A part of a corpus, group by group."""
    groups: dict[str, set[str]] = {}
    for article in corpus.articles(part):
        groups.setdefault(group_of(article), set()).add(article.article_id)
    return [Tested(corpus, part, name, frozenset(groups[name])) for name in sorted(groups)]


def frame(
    units: Sequence[str],
    probabilities: Mapping[str, NDArray[np.float64]],
    variables: Sequence[Variable],
) -> pd.DataFrame:
    """Predictions as `evaluate` reads them."""
    columns: dict[str, Any] = {"unit": list(units)}
    for variable in variables:
        rows = probabilities[variable.name]
        columns[variable.name] = [_label(row, variable) for row in rows]
        for place, name in enumerate(variable.names):
            columns[f"p_{variable.name}_{name}"] = rows[:, place]
    return pd.DataFrame(columns)


def _label(row: NDArray[np.float64], variable: Variable) -> str | frozenset[str]:
    if variable.kind == "set":
        return frozenset(n for n, p in zip(variable.names, row, strict=True) if p >= 0.5)
    return variable.names[int(row.argmax())]


def units_of(passages: Sequence[Passage]) -> list[str]:
    """The unit of each mention, in passage order."""
    return [mention.unit for passage in passages for mention in passage.mentions]


def judged(
    tested: Tested, frames: Frames, interval: IntervalOptions = _INTERVAL
) -> dict[str, dict[str, Any]]:
    """Per predictor: macro-F1 with interval, F1(P,N), accuracy, ECE; roles and voice if coded.

    F1(P,N) is the mean of the F1 of the two labels that are not neutral. All predictors are
    judged on the mentions that all of them answered.
    """
    ids = tested.ids
    gold = tested.corpus.gold[tested.corpus.gold["article_id"].isin(ids)]
    first, *others = frames
    variables = [v for v in ("stance", *_FURTHER) if all(v in f.columns for f in frames.values())]
    coded = tuple(v for v in variables if v in gold.columns and gold[v].notna().any())
    result = evaluate(
        tested.corpus.only(tested.part, ids),
        frames[first],
        gold=gold,
        baselines={name: frames[name] for name in others},
        options=EvaluationOptions(
            variables=coded, breakdowns=((),), predictor=first, interval=interval
        ),
    )
    figures = {}
    for name in frames:
        row = result.table("accuracy").row(variable="stance", predictor=name)
        figures[name] = {
            "n": row.counts["n_judged"],
            "macro_f1": _ends(row["macro_f1"]),
            "accuracy": _value(row["accuracy"]),
            "f1_pn": _polar(result, name),
            **_calibrated(result, name),
        }
        for variable in coded[1:]:
            row = result.table("accuracy").row(variable=variable, predictor=name)
            figures[name][f"{variable}_macro_f1"] = _ends(row["macro_f1"])
    return figures


def _polar(result: Any, name: str) -> float | None:  # noqa: ANN401
    stance = default_codebook().variable("stance")
    poles = [x for x, number in zip(stance.names, stance.numbers, strict=True) if number]
    rows = [result.table("labels").row(variable="stance", predictor=name, label=x) for x in poles]
    values = [row["f1"].value for row in rows]
    return round(float(np.mean([v or 0.0 for v in values])), 4)


def _calibrated(result: Any, name: str) -> dict[str, float | None]:  # noqa: ANN401
    for row in result.table("calibration"):
        if row.keys["predictor"] == name and row.keys["variable"] == "stance":
            return {"ece": _value(row["ece_equal_width"])}
    return {}


def _value(figure: Estimate) -> float | None:
    return None if figure.value is None else round(figure.value, 4)


def _ends(figure: Estimate) -> list[float | None]:
    ends = (figure.value, figure.low, figure.high)
    return [None if x is None else round(x, 4) for x in ends]
