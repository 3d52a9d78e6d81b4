"""One measure for many parts of a table."""

import json

import numpy as np
import pandas as pd
import pytest

from classifier import agreement
from classifier.codebook import Label, Variable
from classifier.errors import DataError

TOPIC = Variable("topic", "nominal", "", tuple(Label(name, "") for name in ("grain", "ships")))
ROLES = Variable("roles", "set", "", tuple(Label(name, "") for name in ("victim", "partner")))

# Annotators x and y agree, z always says the other thing.
TABLE = pd.DataFrame(
    [
        (f"u{i}", f"a{i}", name, label, "TR" if i < 4 else "UA")
        for i, said in enumerate(["ggs", "ssg", "ggs", "ssg", "ggs", "ssg"])
        for name, label in zip("xyz", ["grain" if s == "g" else "ships" for s in said], strict=True)
    ],
    columns=["unit", "article", "annotator", "label", "target"],
)


def test_by_columns_has_one_part_per_group() -> None:
    made = agreement.by_columns(agreement.alpha, TABLE, TOPIC, ["target"])
    assert [dict(part.group) for part in made] == [{"target": "TR"}, {"target": "UA"}]
    assert [part.estimate.n_items for part in made] == [4, 2]
    alone = agreement.alpha(TABLE[TABLE["target"] == "TR"], TOPIC)
    assert made.parts[0].estimate == alone


def test_by_columns_keeps_what_nobody_named() -> None:
    unnamed = TABLE.assign(target=TABLE["target"].replace("UA", None))
    made = agreement.by_columns(agreement.raw_agreement, unnamed, TOPIC, ["target"])
    assert [part.group["target"] for part in made] == ["TR", None]


def test_by_no_columns_is_the_whole() -> None:
    made = agreement.by_columns(agreement.alpha, TABLE, TOPIC, [])
    assert len(made) == 1
    assert made.parts[0].estimate == agreement.alpha(TABLE, TOPIC)


def test_by_columns_refuses_an_absent_column() -> None:
    with pytest.raises(DataError, match="no columns source to group by"):
        agreement.by_columns(agreement.alpha, TABLE, TOPIC, ["source"])


def test_by_pair_tells_who_agrees_with_whom() -> None:
    made = agreement.by_pair(agreement.kappa, TABLE, TOPIC)
    values = {(part.group["annotator"], part.group["other"]): part.estimate.value for part in made}
    # x and y always agree; with z there is never agreement, and half is expected by chance.
    assert values == {("x", "y"): 1, ("x", "z"): -1, ("y", "z"): -1}


def test_leaving_out_the_odd_one_raises_agreement() -> None:
    made = agreement.leave_one_annotator_out(agreement.alpha, TABLE, TOPIC)
    values = {part.group["without"]: part.estimate.value for part in made}
    assert values["z"] == 1
    assert values["x"] == values["y"]
    assert values["x"] is not None
    assert values["x"] < 0


def test_by_label_asks_whether_each_label_is_there() -> None:
    sets = pd.DataFrame(
        [
            ("u0", "a", "x", ["victim"]),
            ("u0", "a", "y", ["victim", "partner"]),
            ("u1", "b", "x", []),
            ("u1", "b", "y", ["partner"]),
            ("u2", "c", "x", ["victim", "partner"]),
            ("u2", "c", "y", {"victim"}),
            ("u3", "d", "x", None),
            ("u3", "d", "y", ["victim"]),
        ],
        columns=["unit", "article", "annotator", "label"],
    )
    made = agreement.by_label(agreement.raw_agreement, sets, ROLES)
    values = {part.group["label"]: part.estimate.value for part in made}
    assert values == {"victim": 1, "partner": 0}
    assert all(part.estimate.n_items == 3 for part in made)


@pytest.mark.parametrize(
    ("variable", "label"), [(TOPIC, "oil"), (ROLES, ["victim", "villain"]), (ROLES, "victims")]
)
def test_by_label_stops_at_unknown_labels(variable: Variable, label: object) -> None:
    rows = pd.DataFrame([("u", "a", "x", label)], columns=["unit", "article", "annotator", "label"])
    with pytest.raises(DataError, match="1 rows have others"):
        agreement.by_label(agreement.raw_agreement, rows, variable)


def test_parts_become_a_frame_and_json() -> None:
    made = agreement.by_pair(agreement.alpha, TABLE, TOPIC)
    frame = made.to_frame()
    assert list(frame["annotator"]) == ["x", "x", "y"]
    assert {"value", "low", "high", "status", "n_items"} <= set(frame.columns)
    json.dumps(made.to_dict(), allow_nan=False)


def test_annotators_may_be_numbers() -> None:
    # x is 1, y is 2, z is 3: the same figures as by name.
    numbered = TABLE.assign(annotator=TABLE["annotator"].map({"x": 1, "y": 2, "z": 3}))
    for parts in (agreement.by_pair, agreement.leave_one_annotator_out):
        named, counted = (parts(agreement.alpha, rows, TOPIC) for rows in (TABLE, numbered))
        assert [part.estimate for part in counted] == [part.estimate for part in named]
    without = agreement.leave_one_annotator_out(agreement.alpha, numbered, TOPIC)
    assert [part.estimate.value for part in without][2] == 1.0  # x and y agree


def test_by_label_reads_sets_from_parquet() -> None:
    # Parquet brings lists back as arrays.
    sets = [["victim"], ["victim", "partner"], [], ["partner"]]
    rows = [
        (f"u{i}", f"a{i}", annotator, np.array(held, dtype=object))
        for i, held in enumerate(sets)
        for annotator in "xy"
    ]
    table = pd.DataFrame(rows, columns=["unit", "article", "annotator", "label"])
    made = agreement.by_label(agreement.raw_agreement, table, ROLES)
    assert [(part.estimate.value, part.estimate.n_items) for part in made] == [(1.0, 4), (1.0, 4)]
