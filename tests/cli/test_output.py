import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from classifier.cli import _GONE, _refuse_gone, app
from classifier.cli._output import (
    Answer,
    Pace,
    problem_lines,
    progress,
    settings,
    show,
    table,
    to_json,
)
from classifier.models import TrainOptions
from classifier.records import Problem, Span


def test_json_has_no_nan_and_knows_records() -> None:
    data = {"a": float("nan"), "b": np.float64(0.5), "c": Span(1, 2), "d": frozenset({"y", "x"})}
    assert json.loads(to_json(data)) == {
        "a": None,
        "b": 0.5,
        "c": {"start": 1, "end": 2},
        "d": ["x", "y"],
    }


def test_json_output_is_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    show(Answer({"n": 1}, ["text"], "go on"), as_json=True)
    assert json.loads(capsys.readouterr().out) == {"n": 1}


def test_text_output_ends_with_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    show(Answer({}, ["[bold] stays text"], "classifier check x"), as_json=False)
    assert capsys.readouterr().out == "[bold] stays text\nnext: classifier check x\n"


def test_a_failed_answer_exits_with_1() -> None:
    with pytest.raises(SystemExit, match="1"):
        show(Answer({}, failed=True), as_json=True)


def test_problems_are_counted_and_only_their_listing_is_cut() -> None:
    problems = [Problem(f"a.jsonl:{i}", "bad offset", "detail", "mend it") for i in range(25)]
    lines = problem_lines(problems)
    assert lines[1] == "a.jsonl:0: detail (mend it)"
    assert lines[-1] == "... and 5 more; --json lists them all"
    assert len(lines) == 1 + 20 + 1


def test_table_shows_none_as_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    show(Answer({}, [table(["x", "y"], [["a", None], ["b", 0.5]])]), as_json=False)
    assert "a      -" in capsys.readouterr().out


def test_every_fold_is_told_of_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("train") as tell:
        for fold in ("fold 1", "fold 2"):
            for done in range(21):
                tell(done, 20, fold)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "train: 0 of 20 fold 1",
        "train: 20 of 20 fold 1",
        "train: 0 of 20 fold 2",
        "train: 20 of 20 fold 2",
    ]


class Clock:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_work_costs_is_said_once_some_steps_were_measured() -> None:
    clock = Clock()
    pace = Pace("evaluate", clock)
    assert pace.cost(1, 101) == ""
    clock.now = 6.0
    assert pace.cost(3, 101) == ""  # two steps are too few to go by
    clock.now = 9.0
    # 3 steps took 9 seconds: 101 take 303.
    assert pace.cost(4, 101) == "evaluate takes about 5 minutes on this machine, by 3 steps"
    clock.now = 12.0
    assert pace.cost(5, 101) == ""


def test_what_comes_before_the_first_step_ends_is_no_part_of_the_pace() -> None:
    """A minute to load and warm up, then half a second a step: 100 steps are 50 seconds."""
    clock = Clock()
    pace = Pace("train", clock)
    clock.now = 60.0
    assert pace.cost(1, 100) == ""
    told = []
    for step in range(2, 6):
        clock.now += 0.5
        told.append(pace.cost(step, 100, "fold 1 of 5"))
    assert told[-1] == (
        "train, fold 1 of 5, takes at most about 50 seconds on this machine, by 4 steps"
    )


def test_another_fold_is_measured_anew() -> None:
    clock = Clock()
    pace = Pace("evaluate", clock)
    for step in range(4):
        clock.now += 1.0
        pace.cost(step, 100)
    pace.cost(1, 50)
    clock.now += 9.0
    assert pace.cost(4, 50) == "evaluate takes about 2 minutes on this machine, by 3 steps"


def test_what_nobody_knows_the_end_of_says_its_speed_and_what_a_thousand_cost() -> None:
    clock = Clock()
    pace = Pace("score", clock)
    assert pace.line(0, 0, "0 mentions") == "score: 0 articles, 0 mentions"
    clock.now = 6.0
    assert pace.cost(10, 0) == ""  # too few to go by
    clock.now = 18.0
    # 30 articles in 18 seconds: 1,000 in 10 minutes.
    assert pace.cost(30, 0) == (
        "score takes about 10 minutes per 1,000 articles on this machine, by 30 articles"
    )
    clock.now = 60.0
    said = pace.line(1200, 0, "3400 mentions")
    assert said == "score: 1,200 articles, 3400 mentions, 1,200 articles a minute"


def test_what_takes_seconds_says_no_cost() -> None:
    clock = Clock()
    pace = Pace("train", clock)
    pace.cost(0, 100)
    clock.now = 3.0
    assert pace.cost(50, 100) == ""


def test_a_line_a_minute_says_how_long_it_still_takes() -> None:
    clock = Clock()
    pace = Pace("evaluate", clock)
    said = []
    for second in range(0, 301):
        clock.now = float(second)
        said.append(pace.line(second, 300, ""))
    lines = [line for line in said if line]
    assert len(lines) == 6
    assert lines[1] == "evaluate: 60 of 300; about 4 minutes left"
    assert lines[-1] == "evaluate: 300 of 300"


def test_the_time_left_follows_the_latest_steps() -> None:
    """100 steps of 3 seconds, then 200 of 1 second: the last 199 say 1 second a step."""
    clock = Clock()
    pace = Pace("evaluate", clock)
    for step in range(301):
        clock.now += 3.0 if step <= 100 else 1.0
        pace.line(step, 420, "")
    clock.now += 60.0
    assert pace.line(300, 420, "") == "evaluate: 300 of 420; about 2 minutes left"


@pytest.mark.parametrize(
    ("pair", "name", "value"),
    [
        ("batch_size=8", "batch_size", 8),
        ("learning_rate=1e-3", "learning_rate", 0.001),
        ("gradient_checkpointing=true", "gradient_checkpointing", True),
        ("class_weights=balanced", "class_weights", "balanced"),
    ],
)
def test_a_setting_has_the_type_of_its_default(pair: str, name: str, value: object) -> None:
    assert settings([pair], TrainOptions()) == {name: value}


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("batch=8", "one of model, base_model.*got 'batch=8'"),
        ("batch_size", "--set NAME=VALUE was required"),
        ("batch_size=few", "--set batch_size needs a whole number, got 'few'"),
        ("gradient_checkpointing=yes", "needs true or false, got 'yes'"),
    ],
)
def test_a_setting_that_is_none_is_refused(pair: str, told: str) -> None:
    with pytest.raises(typer.BadParameter, match=told):
        settings([pair], TrainOptions())


@pytest.mark.parametrize("given", [["--batch-size", "8"], ["--batch-size=8"]])
def test_an_option_that_was_taken_out_says_what_to_write(given: list[str]) -> None:
    gone = {"--batch-size": "--set batch_size=NUMBER"}
    with pytest.raises(typer.BadParameter, match="--batch-size was taken out: use --set batch"):
        _refuse_gone(["coded", *given], gone)


def _commands() -> dict[str, Any]:
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    return dict(whole.commands)


def test_what_is_named_in_the_place_of_an_option_is_there() -> None:
    """Every `--option` that a message points to is one of that command."""
    for name, gone in _GONE.items():
        known = {option for one in _commands()[name].params for option in one.opts}
        for old, new in gone.items():
            assert old not in known
            assert not new.startswith("--") or new.split()[0] in known


def test_no_command_shows_more_than_ten_options_at_once() -> None:
    for name, command in _commands().items():
        panels = Counter(getattr(one, "rich_help_panel", None) for one in command.params)
        assert max(panels.values()) <= 10, name
