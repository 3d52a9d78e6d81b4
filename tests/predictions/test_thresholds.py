"""Thresholds: found where F1 is best, borrowed or neutral where too little is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.codebook import Label, Variable
from classifier.predictions import NEUTRAL, Thresholds, f1_by_cut, fit_thresholds
from classifier.predictions._prediction import NONE_CHOSEN, fit_threshold

ROLES = Variable("roles", "set", "", (Label("strong", ""), Label("weak", "")))


def test_the_threshold_lies_between_those_that_it_parts() -> None:
    # 20 with .75 and 20 with .5 have the label, 20 with .25 have not: F1 is 1 between the two
    found = fit_threshold(np.repeat([0.25, 0.5, 0.75], 20), np.repeat([0, 1, 1], 20))
    assert (found.value, found.status, found.f1) == (0.375, "ok", 1.0)


def test_giving_the_label_to_all_can_be_best() -> None:
    # the model is wrong way round: all 40 gives F1 2*20/(40+20) = 2/3, better than any other cut
    found = fit_threshold(np.repeat([0.2, 0.8], 20), np.repeat([1, 0], 20))
    assert found.f1 == pytest.approx(2 / 3)
    assert found.value == pytest.approx(0.1)


def test_mentions_that_were_not_coded_do_not_count() -> None:
    rows, gold = np.repeat([0.25, 0.75], 20), np.repeat([0, 1], 20)
    padded = np.concatenate([rows, np.full(50, 0.6)]), np.concatenate([gold, np.full(50, -1)])
    assert fit_threshold(*padded) == fit_threshold(rows, gold)


def test_too_few_leave_the_neutral_threshold() -> None:
    found = fit_threshold(np.full(100, 0.3), np.repeat([1, 0], [14, 86]))
    assert (found.value, found.status) == (NEUTRAL, "too few: 14 of 100")


def test_a_rare_label_takes_the_threshold_of_all_labels_together() -> None:
    rows = np.stack([np.repeat([0.3, 0.1], [20, 80]), np.repeat([0.3, 0.1], [4, 96])], axis=1)
    labels = np.stack([np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [4, 96])], axis=1)
    chosen = fit_thresholds({"roles": rows}, {"roles": labels}, [ROLES]).chosen["roles"]
    assert chosen["strong"].status == "ok"
    assert chosen["weak"].status == "too few: 4 of 100, so that of all labels together"
    assert chosen["weak"].value == pytest.approx(0.2)


def test_what_was_not_chosen_is_neutral() -> None:
    assert NONE_CHOSEN.of(ROLES).tolist() == [NEUTRAL, NEUTRAL]


def test_thresholds_survive_json() -> None:
    rows = np.stack([np.repeat([0.3, 0.1], 50)] * 2, axis=1)
    labels = np.stack([np.repeat([1, 0], 50)] * 2, axis=1)
    fitted = fit_thresholds({"roles": rows}, {"roles": labels}, [ROLES])
    assert Thresholds.from_dict(fitted.to_dict()) == fitted


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=40, max_size=60))
def test_no_other_threshold_does_better(pairs: list[tuple[float, bool]]) -> None:
    rows = np.array([p for p, _ in pairs])
    gold = np.array([int(is_given) for _, is_given in pairs])
    found = fit_threshold(rows, gold)
    if found.status != "ok":
        return

    def f1(threshold: float) -> float:
        predicted = rows >= threshold
        return float(2 * (predicted & (gold == 1)).sum() / (predicted.sum() + gold.sum()))

    assert found.f1 is not None
    assert max(map(f1, [0.0, *rows])) <= found.f1 + 1e-12


def test_f1_by_cut() -> None:
    # 1 of 1 right of 2: 2*1/(1+2); then 1 of 2: 2*1/(2+2); then 2 of 3: 2*2/(3+2)
    assert f1_by_cut(np.array([1, 0, 1])).tolist() == pytest.approx([2 / 3, 1 / 2, 4 / 5])
