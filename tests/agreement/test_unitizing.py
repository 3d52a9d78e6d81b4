"""Unitizing alpha: the published examples, and words where there is no value."""

import pandas as pd
import pytest

from classifier import agreement
from classifier.agreement import AgreementOptions
from classifier.agreement._krippendorff import disagreement
from classifier.errors import DataError
from classifier.intervals import IntervalOptions

COLUMNS = ["article", "annotator", "start", "end", "label"]


def spans(*rows: tuple[str, str, int, int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


# Krippendorff 2004, p. 254: a continuum from 150 to 450, here from 0.
BOTH_K = [("text", name, start, end, "k") for name in "ij" for start, end in ((30, 90), (150, 200))]
KRIPPENDORFF_2004 = spans(
    ("text", "i", 75, 145, "c"),
    ("text", "i", 220, 250, "c"),
    ("text", "j", 70, 150, "c"),
    ("text", "j", 205, 225, "c"),
    ("text", "j", 250, 270, "c"),
    *BOTH_K,
)


def test_published_disagreements() -> None:
    c = disagreement(KRIPPENDORFF_2004, {"text": 300}, ["i", "j"], "c")
    k = disagreement(KRIPPENDORFF_2004, {"text": 300}, ["i", "j"], "k")
    assert c is not None
    assert k is not None
    assert [f"{value:.4f}" for value in c] == ["0.0144", "0.0532"]
    assert [f"{value:.4f}" for value in k] == ["0.0000", "0.0490"]


@pytest.mark.parametrize(
    ("label", "expected"), [("c", "0.7286"), ("k", "1.0000"), (None, "0.8587")]
)
def test_published_alpha(label: str | None, expected: str) -> None:
    estimate = agreement.unitizing_alpha(KRIPPENDORFF_2004, {"text": 300}, ["i", "j"], label=label)
    assert f"{estimate.value:.4f}" == expected
    assert estimate.interval_status == "too few: 1 article"


def test_krippendorff_1995_stretched() -> None:
    # Bertha and Bill; the paper's continuous formula is the limit of fine cuts.
    fine = 50_000
    marked = spans(
        ("text", "Bertha", 2 * fine, 10 * fine, "A"),
        ("text", "Bertha", 14 * fine, 20 * fine, "A"),
        ("text", "Bill", 4 * fine, 8 * fine, "A"),
        ("text", "Bill", 15 * fine, 17 * fine, "A"),
    )
    lengths, names = {"text": 24 * fine}, ["Bertha", "Bill"]
    parts = disagreement(marked, lengths, names, "A")
    assert parts is not None
    assert f"{parts.observed:.5f} {parts.expected:.4f}" == "0.03125 0.0699"
    assert f"{agreement.unitizing_alpha(marked, lengths, names).value:.3f}" == "0.553"


def test_annotator_without_spans_found_nothing() -> None:
    # One unit of 2 in a text of 10, wholly in the other's gap: D_o = 2 * 2^2 / (2 * 10^2) = .04.
    # D_e = 2/10 * [4 * ((8 - ... gaps of 4, 4 and 10)] / (20 * 19 - 2 * 1):
    # 4 * ((4 - 2 + 1) + (4 - 2 + 1) + (10 - 2 + 1)) = 60; .2 * 60 / 378 = .031746
    parts = disagreement(spans(("text", "x", 4, 6, "A")), {"text": 10}, ["x", "y"], "A")
    assert parts is not None
    assert parts.observed == pytest.approx(0.04)
    assert parts.expected == pytest.approx(12 / 378)


def test_interval_leaves_out_articles() -> None:
    marked = spans(
        *(
            (f"text {i}", name, 10 + (i if name == "y" else 0), 20, "A")
            for i in range(6)
            for name in "xy"
        )
    )
    lengths = {f"text {i}": 100 for i in range(6)}
    estimate = agreement.unitizing_alpha(marked, lengths, ["x", "y"])
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < estimate.value < estimate.high <= 1
    assert (estimate.n_items, estimate.n_articles) == (12, 6)


@pytest.mark.parametrize(
    ("lengths", "annotators", "status"),
    [
        pytest.param({"text": 9}, ["x"], "not estimable: one annotator", id="one annotator"),
        pytest.param({}, ["x", "y"], "not estimable: no articles", id="no articles"),
        pytest.param({"text": 9}, ["x", "y"], "undefined: no variation", id="no spans"),
    ],
)
def test_why_there_is_no_value(lengths: dict[str, int], annotators: list[str], status: str) -> None:
    estimate = agreement.unitizing_alpha(spans(), lengths, annotators)
    assert (estimate.value, estimate.status) == (None, status)


def test_no_interval_when_not_asked_for() -> None:
    options = AgreementOptions(interval=IntervalOptions(method="none"))
    estimate = agreement.unitizing_alpha(
        KRIPPENDORFF_2004, {"text": 300}, ["i", "j"], options=options
    )
    assert estimate.interval_status == "not asked for"


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        pytest.param(spans(("other", "x", 0, 2, "A")), "1 in articles without", id="article"),
        pytest.param(spans(("text", "x", 5, 5, "A")), "1 inverted", id="empty span"),
        pytest.param(spans(("text", "x", 5, 12, "A")), "1 that end after", id="too long"),
        pytest.param(spans(("text", "z", 5, 6, "A")), r"got \['z'\]", id="stranger"),
        pytest.param(
            spans(("text", "x", 1, 5, "A"), ("text", "x", 4, 6, "A")),
            "may not overlap; 'x' has one that starts at 4",
            id="overlap",
        ),
        pytest.param(spans().drop(columns="label"), "got no label", id="column"),
    ],
)
def test_bad_spans_are_refused(marked: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        agreement.unitizing_alpha(marked, {"text": 9}, ["x", "y"])


def test_nobody_marked_anything() -> None:
    spans = pd.DataFrame(columns=["article", "annotator", "start", "end", "label"])
    made = agreement.unitizing_alpha(spans, {"a": 300}, ["i", "j"])
    assert made.status == "undefined: no variation"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": None}, "every span needs a label; 1 have none"),
        ({"start": 10.5}, "whole numbers from 0; got 10.5"),
        ({"start": "10"}, "whole numbers from 0; got '10'"),
        ({"end": float("nan")}, "whole numbers from 0; got nan"),
    ],
)
def test_offsets_that_count_no_characters_are_refused(
    change: dict[str, object], message: str
) -> None:
    row = {"article": "a", "annotator": "i", "start": 10, "end": 20, "label": "c"} | change
    with pytest.raises(DataError, match=message):
        agreement.unitizing_alpha(pd.DataFrame([row]), {"a": 300}, ["i", "j"])


def test_a_length_below_0_is_refused() -> None:
    row = {"article": "a", "annotator": "i", "start": 10, "end": 20, "label": "c"}
    with pytest.raises(DataError, match="whole numbers from 0; got -5"):
        agreement.unitizing_alpha(pd.DataFrame([row]), {"a": 300, "b": -5}, ["i", "j"])
