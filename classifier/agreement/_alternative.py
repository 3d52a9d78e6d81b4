"""The alternative annotator test."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from classifier.agreement._coding import AgreementOptions, Coding, coding_with_predictor
from classifier.agreement._krippendorff import distances
from classifier.codebook import Variable
from classifier.errors import DataError
from classifier.intervals import FloatArray, IntArray, IntervalOptions, article_totals, estimated
from classifier.notebook_html import frame_html, frame_text
from classifier.paper import InPapers, PaperTable, table_of_records
from classifier.records import Estimate, counted

Scoring = Literal["accuracy", "rmse", "masi", "jaccard"]
TINY = 1e-12


@dataclass(frozen=True)
class TestOptions:
    """Thresholds of the test; the defaults are the published ones."""

    epsilon: float = 0.15
    scoring: Scoring | None = None
    """How a label is scored against the others' labels; None for rmse on ordinal, masi on set and
    accuracy on nominal variables."""
    cluster: str | None = "article"
    """Column to cluster by for the second p-value; None for the published test alone."""
    false_discovery_rate: float = 0.05
    min_items: int = 30
    min_annotators: int = 2
    """Annotators an item needs, the one left out included."""

    def __post_init__(self) -> None:
        """Refuse thresholds under which there is no test."""
        if not (0 <= self.epsilon < 1 and 0 < self.false_discovery_rate < 1):
            raise DataError(
                "epsilon lies from 0 to 1 and a false discovery rate between them, "
                f"got {self.epsilon} and {self.false_discovery_rate}"
            )
        if self.min_items < 2 or self.min_annotators < 2:
            raise DataError(
                "the test needs at least 2 items and 2 annotators, "
                f"got min_items={self.min_items}, min_annotators={self.min_annotators}"
            )

    __test__ = False


@dataclass(frozen=True)
class Scores:
    """A coding whose first column is the predictor, and how well each label fits each other."""

    coding: Coding
    similar: FloatArray
    """Values x values; higher is better, averaged over the other annotators."""

    def indicators(self, column: int, options: TestOptions) -> tuple[IntArray, FloatArray]:
        """Rows that count for an annotator; whether predictor and annotator do at least as well."""
        codes = self.coding.codes
        humans = codes[:, 1:]
        enough = (humans >= 0).sum(axis=1) >= options.min_annotators
        rows = np.flatnonzero((codes[:, column] >= 0) & (codes[:, 0] >= 0) & enough)
        others = humans[rows].copy()
        others[:, column - 1] = -1
        counts = np.stack([(others == v).sum(axis=1) for v in range(len(self.similar))], axis=1)
        means = counts @ self.similar.T / counts.sum(axis=1, keepdims=True)
        place = np.arange(len(rows))
        predictor, annotator = means[place, codes[rows, 0]], means[place, codes[rows, column]]
        at_least = [predictor >= annotator - TINY, annotator >= predictor - TINY]
        return rows, np.stack(at_least, axis=1).astype(np.float64)


def label_scores(coding: Coding, variable: Variable, scoring: Scoring) -> FloatArray:
    """Values x values, higher is better; raises `DataError` if the scoring does not suit."""
    # The root of a mean rises with the mean, so rmse orders labels as the mean square does.
    if scoring == "accuracy":
        return np.eye(len(coding.values))
    level = "interval" if scoring == "rmse" else scoring
    if (level == "interval") != (variable.kind == "ordinal"):
        raise DataError(f"scoring {scoring!r} does not suit a {variable.kind} variable")
    return -distances(coding.values, level, variable)


def usual_scoring(variable: Variable) -> Scoring:
    """The scoring that a variable's kind calls for."""
    if variable.kind == "set":
        return "masi"
    return "rmse" if variable.kind == "ordinal" else "accuracy"


@dataclass(frozen=True)
class AnnotatorTest:
    """The predictor against one annotator."""

    annotator: str
    status: str
    """"ok", or why the annotator was skipped: "too few: 12 items"."""
    n_items: int = 0
    n_articles: int = 0
    predictor_share: float | None = None
    """Share of items where the predictor scores at least as well."""
    annotator_share: float | None = None
    """Share of items where the annotator scores at least as well."""
    p: float | None = None
    """One-sided, of annotator_share - predictor_share >= epsilon; items taken as independent."""
    p_clustered: float | None = None
    """As `p`, with articles as clusters; None if there are fewer than two."""
    is_won: bool = False
    is_won_clustered: bool = False


@dataclass(frozen=True)
class AlternativeTest(InPapers):
    """The test over all annotators."""

    epsilon: float
    scoring: Scoring
    winning_rate: Estimate
    """Share of annotators the predictor beats, as published; it passes from .5."""
    winning_rate_clustered: Estimate
    """As `winning_rate`, by `p_clustered`, of the annotators who coded two or more articles."""
    advantage_probability: Estimate
    """Chance that the predictor does at least as well as a random annotator, by article."""
    annotators: tuple[AnnotatorTest, ...]

    @property
    def passes(self) -> bool:
        """Whether the predictor beats at least half of the annotators, as published."""
        return (self.winning_rate.value or 0.0) >= 0.5

    @property
    def passes_clustered(self) -> bool:
        """Whether the predictor beats at least half of them by `p_clustered`: the one to trust."""
        return (self.winning_rate_clustered.value or 0.0) >= 0.5

    def to_frame(self) -> pd.DataFrame:
        """One row per annotator."""
        return pd.DataFrame([asdict(test) for test in self.annotators])

    def __repr__(self) -> str:
        """The winning rates, and how the predictor did against each annotator."""
        return frame_text(self.to_frame(), self._rates())

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), self._rates())

    def paper_table(self) -> PaperTable:
        """One row per annotator."""
        records = [
            {
                "annotator": test.annotator,
                "mentions": test.n_items,
                "predictor at least as well": test.predictor_share,
                "annotator at least as well": test.annotator_share,
                "p, by article": test.p_clustered,
                "beaten": "yes" if test.is_won_clustered else "no",
            }
            for test in self.annotators
        ]
        notes = (f"epsilon {self.epsilon:g}, scoring {self.scoring}", self._rates())
        return table_of_records("Alternative annotator test", records, notes)

    def _rates(self) -> str:
        rates = f"published {self.winning_rate}, by article {self.winning_rate_clustered}"
        often = f"{100 * self.epsilon:g} of 100 items"
        words = {
            True: f"passes: further from the other annotators than an annotator is on fewer than "
            f"{often}; not as good as an annotator",
            False: f"does not pass: it may be further from the other annotators than an annotator "
            f"is on {often} or more",
        }
        told = (
            f"{words[self.passes_clustered]}. "
            if self.winning_rate_clustered.value is not None
            else ""
        )
        return (
            f"Epsilon {self.epsilon:g}: {told}Advantage {self.advantage_probability}. "
            f"Winning rate: {rates}. Test the majority class too: where it passes, passing says "
            "nothing"
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        figures = ("winning_rate", "winning_rate_clustered", "advantage_probability")
        return {
            "epsilon": self.epsilon,
            "scoring": self.scoring,
            **{name: asdict(getattr(self, name)) for name in figures},
            "annotators": [asdict(test) for test in self.annotators],
        }


def alternative_annotator_test(
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    variable: Variable,
    *,
    epsilon: float = 0.15,
    cluster: str | None = "article",
    options: TestOptions | None = None,
) -> AlternativeTest:
    """Test whether the predictor may stand in for an annotator.

    Args:
        table: columns unit, article, annotator, label; humans only.
        predictions: columns unit and label (or the variable's name), one row per unit.
        variable: the question.
        epsilon: advantage given to humans for their cost: .2 experts, .15 skilled, .1 crowd.
        cluster: column to cluster the second p-value by.
        options: everything else; overrides epsilon and cluster.
    """
    options = options or TestOptions(epsilon=epsilon, cluster=cluster)
    column = variable.name if variable.name in predictions.columns else "label"
    if not {"unit", column} <= set(predictions.columns):
        raise DataError(
            f"predictions need the columns unit and {variable.name!r} (or 'label'), "
            f"got {', '.join(map(str, predictions.columns))}"
        )
    answers = dict(zip(predictions["unit"], predictions[column], strict=True))
    if len(answers) < len(predictions):
        raise DataError(
            "predictions need one row per unit; "
            f"{len(predictions)} rows are of {len(answers)} units"
        )
    made = AgreementOptions(cluster=options.cluster or "article")
    coding = coding_with_predictor(table, answers, variable, made)
    return alternative_test_of(coding, variable, options)


def alternative_test_of(
    coding: Coding, variable: Variable, options: TestOptions
) -> AlternativeTest:
    """The test on a coding whose first column is the predictor."""
    scoring = options.scoring or usual_scoring(variable)
    scores = Scores(coding, label_scores(coding, variable, scoring))
    tests = [
        _annotator_test(scores, column, options) for column in range(1, len(coding.annotators))
    ]
    won = _rejected([test.p for test in tests], options)
    clustered = _rejected([test.p_clustered for test in tests], options)
    tests = [
        replace(test, is_won=first, is_won_clustered=second)
        for test, first, second in zip(tests, won, clustered, strict=True)
    ]
    return AlternativeTest(
        epsilon=options.epsilon,
        scoring=scoring,
        winning_rate=_winning_rate(tests, options, clustered=False),
        winning_rate_clustered=_winning_rate(tests, options, clustered=True),
        advantage_probability=_advantage(scores, tests, options),
        annotators=tuple(tests),
    )


def rejected(p_values: Sequence[float], rate: float) -> list[bool]:
    """Benjamini-Yekutieli step-up: which hypotheses are rejected at a false discovery rate.

    >>> rejected([0.001, 0.2, 0.015], 0.05)
    [True, False, True]
    """
    p = np.asarray(p_values, dtype=np.float64)
    n = len(p)
    if not n:
        return []
    order = np.argsort(p, kind="stable")
    ranks = np.arange(1, n + 1)
    passing = np.flatnonzero(p[order] <= ranks / n * rate / (1 / ranks).sum())
    result = np.zeros(n, dtype=bool)
    if passing.size:
        result[order[: passing[-1] + 1]] = True
    return result.tolist()


def holm(p_values: Sequence[float], rate: float = 0.05) -> list[tuple[float, int]]:
    """Holm (1979): adjusted p-values, and by how many tests each level was divided.

    A test after the first that is not rejected keeps that one's divisor, so that an interval at
    the level 1 - rate / divisor leaves out 0 exactly if its test is rejected.

    >>> [(round(p, 3), n) for p, n in holm([0.001, 0.2, 0.015])]
    [(0.003, 3), (0.2, 1), (0.03, 2)]
    """
    n = len(p_values)
    made = [(1.0, n)] * n
    highest, kept = 0.0, 0
    for rank, place in enumerate(sorted(range(n), key=lambda i: p_values[i])):
        divisor = kept or n - rank
        highest = max(highest, min(1.0, p_values[place] * divisor))
        if highest >= rate and not kept:
            kept = divisor
        made[place] = highest, divisor
    return made


def _annotator_test(scores: Scores, column: int, options: TestOptions) -> AnnotatorTest:
    name = scores.coding.annotators[column]
    rows, at_least = scores.indicators(column, options)
    articles = scores.coding.articles[rows]
    n_articles = len(np.unique(articles))
    if len(rows) < options.min_items:
        return AnnotatorTest(name, f"too few: {counted(len(rows), 'item')}", len(rows), n_articles)
    apart = at_least[:, 1] - at_least[:, 0]
    clustered = _p_value(apart, articles, options.epsilon) if options.cluster else None
    return AnnotatorTest(
        annotator=name,
        status="ok",
        n_items=len(rows),
        n_articles=n_articles,
        predictor_share=float(at_least[:, 0].mean()),
        annotator_share=float(at_least[:, 1].mean()),
        p=_p_value(apart, np.arange(len(rows)), options.epsilon),
        p_clustered=clustered,
    )


def _p_value(values: FloatArray, clusters: IntArray, epsilon: float) -> float | None:
    """One-sided p of a mean below epsilon; with one row per cluster the usual t test."""
    names, cluster = np.unique(clusters, return_inverse=True)
    n = len(names)
    if n < 2:
        return None
    residuals = article_totals((values - values.mean())[:, None], cluster, n)[:, 0]
    error = math.sqrt(n / (n - 1) * float((residuals**2).sum())) / len(values)
    apart = float(values.mean()) - epsilon
    if error <= TINY:
        return 0.0 if apart < 0 else 1.0
    # Read only here: it takes a second, and scoring does without it.
    from scipy.special import stdtr

    return float(stdtr(n - 1, apart / error))


def _rejected(p_values: Sequence[float | None], options: TestOptions) -> list[bool]:
    known = [i for i, p in enumerate(p_values) if p is not None]
    decisions = rejected([p for p in p_values if p is not None], options.false_discovery_rate)
    won = dict(zip(known, decisions, strict=True))
    return [won.get(i, False) for i in range(len(p_values))]


def _winning_rate(
    tests: Sequence[AnnotatorTest], options: TestOptions, *, clustered: bool
) -> Estimate:
    known = [test.p_clustered is not None if clustered else test.p is not None for test in tests]
    tested = [test for test, is_known in zip(tests, known, strict=True) if is_known]
    if not tested:
        status = _no_test(tests, options, clustered=clustered)
        return Estimate(None, status, method="winning rate")
    won = [test.is_won_clustered if clustered else test.is_won for test in tested]
    return Estimate(
        value=sum(won) / len(tested),
        status="ok",
        interval_status="none: a share of tests",
        n_items=max(test.n_items for test in tested),
        n_articles=max(test.n_articles for test in tested),
        method="winning rate, Benjamini-Yekutieli",
    )


def _no_test(
    tests: Sequence[AnnotatorTest], options: TestOptions, *, clustered: bool = False
) -> str:
    """Why there is no winning rate, or no advantage."""
    if clustered and any(test.status == "ok" for test in tests):
        return f"too few: 1 {options.cluster}" if options.cluster else "not asked for"
    if len(tests) < 2:
        return "not estimable: one annotator" if tests else "not estimable: no labels"
    return f"too few: {counted(max(test.n_items for test in tests), 'item')}"


def _advantage(scores: Scores, tests: Sequence[AnnotatorTest], options: TestOptions) -> Estimate:
    columns = [i + 1 for i, test in enumerate(tests) if test.status == "ok"]
    if not columns:
        status = _no_test(tests, options)
        return Estimate(None, status, method="advantage probability")
    coding = scores.coding
    sums = np.zeros((len(coding.codes), 2 * len(columns)))
    for place, column in enumerate(columns):
        rows, at_least = scores.indicators(column, options)
        sums[rows, 2 * place], sums[rows, 2 * place + 1] = at_least[:, 0], 1
    used = np.flatnonzero(sums.any(axis=1))
    _, articles = np.unique(coding.articles[used], return_inverse=True)
    totals = article_totals(sums[used], articles, int(articles.max()) + 1)
    undefined = Estimate(
        None,
        "undefined: no variation",
        n_items=len(used),
        n_articles=len(totals),
        method="advantage probability; article jackknife, t",
    )
    return estimated(undefined, totals, _mean_share, IntervalOptions(), bounds=(0.0, 1.0))


def _mean_share(totals: FloatArray) -> FloatArray:
    n = totals[..., 1::2]
    shares = np.divide(totals[..., ::2], n, out=np.full(n.shape, np.nan), where=n > 0)
    return np.asarray(shares.mean(axis=-1), dtype=np.float64)
