"""Further measures for a whole annotation set."""

import pandas as pd
import pytest

from classifier import agreement
from classifier.agreement import AgreementOptions, further_measures, kappa
from classifier.annotations import Annotation, AnnotationSet, annotation_table, long_table
from classifier.codebook import Label, Variable, default_codebook
from classifier.errors import DataError
from classifier.intervals import IntervalOptions
from classifier.records import Article, Span

TEXT = "Turkey met Russia."
SPANS = ((Span(0, 6), "TR"), (Span(11, 17), "RU"))
SAID = {
    "anna": ("favourable", "neutral", "neutral", "unfavourable"),
    "bram": ("favourable", "neutral", "favourable", "unfavourable"),
    "cora": ("neutral", "neutral", "neutral", "unfavourable"),
}


def coded(*names: str) -> AnnotationSet:
    codebook = default_codebook()
    annotations = [
        Annotation(
            f"a{i // 2}",
            SPANS[i % 2][0],
            SPANS[i % 2][1],
            SPANS[i % 2][0].of(TEXT),
            name,
            {"stance": label, "roles": frozenset({"weak"} if i else ())},
        )
        for name in names
        for i, label in enumerate(SAID[name])
    ]
    articles = tuple(Article(f"a{i}", TEXT, language="en") for i in range(2))
    return AnnotationSet(articles, annotation_table(annotations, codebook), codebook)


def test_kappa_of_two_is_one_figure() -> None:
    data = coded("anna", "bram")
    (row,) = [r for r in further_measures(data, ["kappa"]).rows if r.variable == "stance"]
    # They agree on 3 of 4; by chance (1*2 + 2*1 + 1*1) / 16 = 5/16: (12 - 5) / (16 - 5).
    assert row.estimate.value == pytest.approx(7 / 11)
    expected = kappa(long_table(data, "stance"), data.codebook.variable("stance"))
    assert row.estimate == expected


def test_kappa_of_three_comes_for_each_pair() -> None:
    rows = further_measures(coded("anna", "bram", "cora"), ["kappa"]).rows
    pairs = [row.part for row in rows if row.variable == "stance"]
    assert pairs == ["anna and bram", "anna and cora", "bram and cora"]


def test_weights_are_for_labels_with_an_order_and_sets_go_label_by_label() -> None:
    made = further_measures(coded("anna", "bram"), ["ac2", "ac1"])
    assert {row.variable for row in made.rows if row.measure == "ac2"} == {"stance"}
    roles = [row.part for row in made.rows if row.measure == "ac1" and row.variable == "roles"]
    assert "weak" in roles


def test_the_same_places_have_unitizing_alpha_one() -> None:
    (row,) = further_measures(coded("anna", "bram"), ["unitizing"]).rows
    assert row.estimate.value == pytest.approx(1.0)
    assert "place of mentions" in further_measures(coded("anna", "bram"), ["unitizing"]).to_latex()


def test_an_unknown_measure_names_those_that_exist() -> None:
    with pytest.raises(DataError, match=r"measures are kappa, pi, .* got kapa"):
        further_measures(coded("anna", "bram"), ["kapa"])


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
