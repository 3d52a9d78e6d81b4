"""Alpha of sets of labels, and the distances it rests on."""

import pandas as pd
import pytest

from classifier import agreement
from classifier.agreement import AgreementOptions
from classifier.codebook import Label, Variable
from classifier.intervals import IntervalOptions

LETTERS = Variable("v", "set", "", tuple(Label(name, "") for name in "ABC"))
NO_INTERVAL = AgreementOptions(interval=IntervalOptions(method="none"))
SETS = [
    ("", ""),
    ("A", ""),
    ("A", "A"),
    ("A", "B"),
    ("AB", "A"),
    ("AB", "AC"),
    ("ABC", "ABC"),
    ("C", "AC"),
    ("C", "AC"),
]


@pytest.mark.parametrize(("level", "expected"), [("masi", 0.273081), ("jaccard", 0.315620)])
def test_alpha_of_sets(level: agreement.Level, expected: float) -> None:
    # The nine pairs of DKPro's SetAnnotationsTest, which prints .252 for MASI: its measure
    # multiplies the Jaccard distance by 1/3 or 2/3, which is not Passonneau's.
    table = pd.DataFrame(
        [
            {"unit": f"u{i}", "article": f"a{i}", "annotator": name, "label": frozenset(letters)}
            for i, pair in enumerate(SETS)
            for name, letters in zip("xy", pair, strict=True)
        ]
    )
    estimate = agreement.alpha(table, LETTERS, level=level, options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)
    assert estimate.n_items == 9


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("12", "1234", 0.666667), ("XY", "YZ", 0.888889), ("", "", 0), ("", "X", 1)],
)
def test_masi_distance(first: str, second: str, expected: float) -> None:
    distance = agreement.masi_distance(frozenset(first), frozenset(second))
    assert distance == pytest.approx(expected, abs=5e-7)
