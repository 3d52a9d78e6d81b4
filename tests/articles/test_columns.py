"""A column that somebody names is found by its usual names, or the nearest is told."""

from collections.abc import Callable

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet
from classifier.articles import named_column
from classifier.errors import DataError
from classifier.profiles import ProfileOptions, plan, profile_sources, regress

KNOWN = ("source", "target", "language", "sampling_probability")


@pytest.mark.parametrize(
    ("wanted", "column"),
    [
        ("source", "source"),
        ("Source", "source"),
        (" SOURCE ", "source"),
        ("outlet", "source"),
        ("Publisher", "source"),
        ("country", "target"),
        ("Lang", "language"),
        ("Sampling probability", "sampling_probability"),
    ],
)
def test_a_column_is_found_by_case_and_synonym(wanted: str, column: str) -> None:
    assert named_column(wanted, KNOWN) == column


def test_a_column_of_that_very_name_goes_before_a_synonym() -> None:
    assert named_column("outlet", ["source", "outlet"]) == "outlet"


def test_an_unknown_column_is_told_with_those_there_are_and_the_nearest() -> None:
    with pytest.raises(
        DataError,
        match=r"the columns are source, target, .*; got 'sorce'; did you mean source\?",
    ):
        named_column("sorce", KNOWN)


def test_a_column_like_none_has_no_nearest() -> None:
    with pytest.raises(DataError, match=r"got 'mood'$"):
        named_column("mood", KNOWN)


def test_a_profile_takes_the_usual_names(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> None:
    options = ProfileOptions(by=("Outlet", "country"))
    made = profile_sources(toy_scores, toy_set.codebook, options=options)
    assert set(made.rows[0].group) == {"source", "target"}


def test_a_plan_takes_the_usual_names(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> None:
    assert plan(toy_scores, toy_set, options=ProfileOptions(by=("Outlet",))).by == ("source",)


def test_an_unknown_group_is_told_what_one_can_group_by(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    table = toy_scores.assign(part="test", kind="name", zone="body", date="2022-03-01")
    with pytest.raises(DataError, match="got 'mood'") as refused:
        profile_sources(table, toy_set.codebook, options=ProfileOptions(by=("mood",)))
    told = str(refused.value).partition(";")[0].removeprefix("the columns are ").split(", ")
    assert {"source", "target", "zone", "month", "all"} <= set(told)
    technical = {"stance", "stance_score", "roles", "part", "kind", "unit", "start", "status"}
    assert not technical & set(told)


def test_a_formula_takes_the_usual_names(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> None:
    made = regress(toy_scores, toy_set, "stance ~ Outlet")
    assert set(made.references) == {"source"}


@pytest.mark.parametrize(
    "words",
    [
        "sample {corpus} --n 3 --out {out} --by sourse",
        "train {corpus} --out {out} --split-by sourse",
    ],
)
def test_commands_tell_the_nearest_column(
    words: str, corpus: str, tmp_path: str, run_command: Callable[..., tuple[int, str, str]]
) -> None:
    code, _, err = run_command(*words.format(corpus=corpus, out=f"{tmp_path}/out").split())
    assert code != 0
    assert "did you mean source?" in " ".join(err.replace("│", " ").split())
