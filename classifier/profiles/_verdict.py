"""How the coded articles of a group were drawn, and whether they look like it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier.codebook import Variable
from classifier.intervals import MINIMUM_CODED, RandomnessTest, Redraws, Sampling, looks_random
from classifier.profiles._results import NOT_REFUTED, VALID
from classifier.profiles._table import (
    CHANCE,
    IS_FALSE,
    clusters,
    gold_column,
    labels_of,
    score_column,
)
from classifier.records import FOLD_PART, counted

LEVEL = 0.05
"""Of the test of randomness: one honest draw in twenty fails it."""
_SAME_CHANCE = 1e-9
_ALIKE = 1.5
"""Chances that differ by a smaller factor are about the same."""
_UNSEEN = 0.1
"""Share of articles outside the chances of the coded ones that no estimate can speak for."""


@dataclass(frozen=True)
class Draw:
    """How the coded articles of a group were drawn."""

    words: str
    chances: pd.Series | None = None
    """Per mention, 1 if its article was not coded; None if all had the same chance."""
    problem: str = ""
    """Why no corrected figure can rest on this draw; empty if one can."""
    is_recorded: bool = False
    """Whether somebody wrote down how the coded articles were drawn."""
    is_cross_fitted: bool = False
    """Whether models were trained on coded articles, each of which another model judged."""

    def sampling(self, members: pd.DataFrame) -> Sampling:
        """What the estimators need to know, for some members of the group."""
        chances = None if self.chances is None else self.chances.loc[members.index].to_numpy()
        return Sampling(chances, clusters(members).to_numpy(), members[IS_FALSE].to_numpy())


def describe_draw(members: pd.DataFrame, variables: list[Variable]) -> Draw:
    """What is recorded of the chances with which a group's coded articles were drawn."""
    coded = members[_is_coded(members, variables)].drop_duplicates("article_id")
    if coded.empty:
        return Draw("no article is coded")
    draw = _recorded(coded, members)
    parts = coded["part"].astype(object) if "part" in coded else []
    n_folded = sum(isinstance(part, str) and part.startswith(FOLD_PART) for part in parts)
    if "part" not in members:
        words = f"{draw.words}; whether the model was trained on them is not recorded"
    elif n_folded:
        which = "them" if n_folded == len(coded) else "some of them"
        words = (
            f"{draw.words}; the model was trained on {which} in folds, and every article "
            "was judged by a model that had not seen it (cross-fitted)"
        )
    else:
        words = draw.words
    return replace(draw, words=words, is_cross_fitted=n_folded > 0)


def _recorded(coded: pd.DataFrame, members: pd.DataFrame) -> Draw:
    """What is recorded of the chances themselves."""
    known = coded[CHANCE].dropna()
    if known.empty:
        return Draw("nobody recorded how; taken as a random draw with equal chances")
    n_without = members.loc[members[CHANCE] == 0, "article_id"].nunique()
    if n_without:
        words = f"no chance of being drawn for {counted(n_without, 'article')}"
        return Draw(words, problem=f"not estimable: {words}")
    n_unknown = len(coded) - len(known)
    if n_unknown:
        unknown = counted(n_unknown, "coded article")
        problem = f"not estimable: no known chance of being drawn for {unknown}"
        return Draw(f"for {n_unknown} of {len(coded)} nobody recorded how", problem=problem)
    low, high = float(known.min()), float(known.max())
    others = members[~members["article_id"].isin(set(coded["article_id"]))]
    left = others.drop_duplicates("article_id")[CHANCE]
    problem = _impossible(low, left) or _unseen((low, high), left, len(coded))
    if problem:
        return Draw(problem, problem=f"not estimable: {problem}", is_recorded=True)
    if high - low < _SAME_CHANCE and (left.isna() | ((left - low).abs() < _SAME_CHANCE)).all():
        return Draw(f"at random, each with chance {low:.3g}", is_recorded=True)
    everyones = members[CHANCE].dropna()
    low, high = float(everyones.min()), float(everyones.max())
    words = f"at random, with known chances from {low:.3g} to {high:.3g}"
    return Draw(words, members[CHANCE].fillna(1.0), is_recorded=True)


def _impossible(low: float, left: pd.Series) -> str:
    """What contradicts a chance of 1; empty if nothing does."""
    n_left = int(left.isna().sum())
    if low < 1 - _SAME_CHANCE or not n_left:
        return ""
    return (
        "the coded articles are recorded with chance 1, but "
        f"{counted(n_left, 'article')} without a chance {'was' if n_left == 1 else 'were'} "
        "not drawn: a chance of 1 draws all"
    )


def _unseen(drawn: tuple[float, float], left: pd.Series, n_coded: int) -> str:
    """What is missing if many articles had chances that no coded one had; else empty."""
    known = left.dropna()
    # Where chances hardly repeat, a coded article speaks for those of about its chance.
    outside = known[(known < drawn[0] / _ALIKE) | (known > drawn[1] * _ALIKE)]
    if len(outside) <= _UNSEEN * (n_coded + len(left)):
        return ""
    low, high = float(outside.min()), float(outside.max())
    chances = f"{low:.3g}" if high - low < _SAME_CHANCE else f"{low:.3g} to {high:.3g}"
    return (
        f"none of {counted(len(outside), 'article')} with chance {chances} is coded, so that the "
        "coded ones do not speak for them"
    )


def judge_draw(
    members: pd.DataFrame, variables: list[Variable], draw: Draw, seed: int
) -> tuple[str, RandomnessTest | None]:
    """Whether corrected figures of the group deserve the word valid, and the test behind that."""
    coded = _is_coded(members, variables)
    n = members.loc[coded, "article_id"].nunique()
    obstacle = _obstacle(n, draw)
    if obstacle:
        return obstacle, None
    chances = None if draw.chances is None else everyones_chances(members)
    if draw.chances is not None and chances is None:
        return "not tested: the chances of articles that were not drawn are not known", None
    if n == members["article_id"].nunique():
        return "not tested: every article is coded", None
    variable = next((v for v in variables if v.kind == "ordinal"), variables[0])
    learnt = draw.is_cross_fitted
    test = looks_random(
        None if learnt else members[score_column(variable, labels_of(variable)[0])],
        coded,
        members["article_id"],
        probability=chances,
        others=_places(members) if learnt else _confidence(members, variable),
        redraws=Redraws(seed=seed),
    )
    if test.p_value is None:
        return f"not tested: {test.status.removeprefix('not testable: ')}", test
    if test.is_random(LEVEL):
        return (VALID if draw.is_recorded else NOT_REFUTED), test
    most_apart = max(test.differences, key=lambda name: abs(test.differences[name]))
    reason = (
        f"not valid: the coded articles do not look like a random draw (p = {test.p_value:.4f}); "
        f"they differ most in {most_apart}"
    )
    return reason, test


def _places(members: pd.DataFrame) -> dict[str, pd.Series]:
    """Per mention what is known of it without a model: where it stands, and when."""
    places = {}
    if "start" in members and members["start"].notna().all():
        places["place in the article"] = members["start"].astype(float)
    if "date" in members:
        days = pd.to_datetime(members["date"], errors="coerce", format="ISO8601", utc=True)
        if days.notna().all():
            first = days.min()
            places["date"] = (days - first).dt.total_seconds() / 86_400
    return places


def _obstacle(n_coded: int, draw: Draw) -> str:
    """Why nothing can be tested; empty if it can."""
    if n_coded == 0:
        return "not corrected: no coded article"
    if n_coded < MINIMUM_CODED:
        return f"not corrected: {counted(n_coded, 'coded article')}, {MINIMUM_CODED} needed"
    return draw.problem


def everyones_chances(members: pd.DataFrame) -> pd.Series | None:
    """Every article's chance to be drawn; None if some cannot be known.

    Where nobody recorded those of articles that were not drawn, and all drawn ones of a source had
    one chance, it was that source's.
    """
    chances = members[CHANCE]
    if "source" in members and chances.isna().any():
        by_source = chances.groupby(members["source"].astype(str))
        is_one = by_source.transform("max") - by_source.transform("min") < _SAME_CHANCE
        chances = chances.fillna(by_source.transform("max").where(is_one))
    return None if chances.isna().any() else chances


def _is_coded(members: pd.DataFrame, variables: list[Variable]) -> npt.NDArray[np.bool_]:
    columns = [gold_column(v, label) for v in variables for label in labels_of(v)]
    has_label = members[columns].notna().any(axis=1)
    return np.asarray(has_label | members[IS_FALSE], dtype=bool)


def _confidence(members: pd.DataFrame, variable: Variable) -> dict[str, pd.Series]:
    columns = list(variable.probability_columns)
    if not set(columns) <= set(members.columns) or members[columns].isna().to_numpy().any():
        return {}
    return {"confidence": members[columns].max(axis=1)}
