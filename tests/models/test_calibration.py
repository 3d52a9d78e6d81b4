"""Temperatures: found again where they are known, neutral where too little is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.codebook import Label, Variable
from classifier.errors import DataError
from classifier.models import Calibration, fit_calibration
from classifier.models._calibration import Temperature, fit_temperature, scaled

TONE = Variable("tone", "nominal", "", (Label("cold", ""), Label("warm", "")))
ROLES = Variable("roles", "set", "", (Label("strong", ""), Label("weak", "")))


def overconfident(n: int, variable: Variable) -> tuple[np.ndarray, np.ndarray]:
    """Gold drawn at odds 3 to 1, a model that says 9 to 1, so that its logits are twice too big."""
    rng = np.random.default_rng(0)
    is_right = rng.random((n, 2)) < 0.75
    if variable.kind == "set":
        return np.full((n, 2), 0.9), is_right.astype(np.int64)
    return np.tile([0.9, 0.1], (n, 1)), np.where(is_right[:, 0], 0, 1)


@pytest.mark.parametrize("variable", [TONE, ROLES])
def test_finds_the_temperature_that_made_the_model_too_sure(variable: Variable) -> None:
    probabilities, labels = overconfident(20_000, variable)
    # odds 9 are odds 3 squared: a temperature of 2 takes them back
    fitted = fit_temperature(probabilities, labels, variable)
    assert fitted.status == "ok"
    assert fitted.value == pytest.approx(2.0, abs=0.05)
    assert fitted.loss_after is not None
    assert fitted.loss_before is not None
    assert fitted.loss_after < fitted.loss_before


def test_too_few_mentions_leave_the_model_as_it_is() -> None:
    probabilities, labels = overconfident(49, TONE)
    fitted = fit_temperature(probabilities, labels, TONE)
    assert (fitted.value, fitted.status) == (1.0, "too few: 49 coded mentions")


def test_mentions_that_were_not_coded_do_not_count() -> None:
    probabilities, labels = overconfident(200, TONE)
    padded = np.concatenate([labels, np.full(100, -1)])
    rows = np.concatenate([probabilities, np.full((100, 2), 0.5)])
    assert fit_temperature(rows, padded, TONE) == fit_temperature(probabilities, labels, TONE)


def test_a_language_has_a_temperature_of_its_own_where_data_allow() -> None:
    probabilities, labels = overconfident(400, TONE)
    languages = ["nl"] * 370 + ["en"] * 30
    found = fit_calibration({"tone": probabilities}, {"tone": labels}, [TONE], languages)
    assert set(found.temperatures["tone"]) == {"all", "nl"}


def test_a_language_without_one_takes_the_general_temperature() -> None:
    found = Calibration(
        {"tone": {"all": Temperature(2.0, "ok", 99), "nl": Temperature(1.0, "ok", 99)}}
    )
    rows = found.apply({"tone": np.array([[0.9, 0.1]] * 2)}, [TONE], ["nl", "tr"])["tone"]
    np.testing.assert_allclose(rows, [[0.9, 0.1], [0.75, 0.25]])


def test_a_variable_that_was_never_calibrated_is_left_alone() -> None:
    rows = Calibration({}).apply({"tone": np.array([[0.9, 0.1]])}, [TONE], ["nl"])["tone"]
    np.testing.assert_allclose(rows, [[0.9, 0.1]])


def test_survives_json() -> None:
    probabilities, labels = overconfident(100, TONE)
    found = fit_calibration({"tone": probabilities}, {"tone": labels}, [TONE], ["nl"] * 100)
    assert Calibration.from_dict(found.to_dict()) == found


def test_no_rows_stay_no_rows() -> None:
    assert scaled(np.empty((0, 2)), np.empty((0, 1)), TONE).shape == (0, 2)


@given(
    logits=st.lists(st.tuples(*[st.floats(-30, 30)] * 3), min_size=1, max_size=5),
    temperature=st.floats(0.1, 10),
)
def test_order_and_sum_survive_any_temperature(
    logits: list[tuple[float, float, float]], temperature: float
) -> None:
    three = Variable("v", "nominal", "", (Label("a", ""), Label("b", ""), Label("c", "")))
    weights = np.exp(np.array(logits) - np.max(logits, axis=1, keepdims=True))
    rows = weights / weights.sum(axis=1, keepdims=True)
    changed = scaled(rows, temperature, three)
    np.testing.assert_allclose(changed.sum(axis=1), 1.0)
    best = np.take_along_axis(changed, rows.argmax(axis=1)[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(best, changed.max(axis=1))


def test_no_temperature_where_every_answer_is_right() -> None:
    # The likelihood of 60 right answers rises with every degree colder: 1 it stays, and says why.
    rows = np.tile([0.6, 0.4], (60, 1))
    fitted = fit_temperature(rows, np.zeros(60, dtype=np.int64), TONE)
    assert (fitted.value, fitted.status) == (1.0, "undefined: no coded mention is answered wrong")


def test_a_coded_mention_without_probabilities_is_refused() -> None:
    rows = np.tile([0.6, 0.4], (60, 1))
    rows[7] = np.nan
    labels = np.zeros(60, dtype=np.int64)
    with pytest.raises(DataError, match="1 mention of variable 'tone' have none"):
        fit_temperature(rows, labels, TONE)
    labels[7] = -1
    labels[8] = 1
    assert fit_temperature(rows, labels, TONE).status == "ok"
