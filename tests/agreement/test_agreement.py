"""Published values, each to the last printed digit, on the published data."""

import numpy as np
import pandas as pd
import pytest

from classifier import agreement
from classifier.agreement import AgreementOptions
from classifier.codebook import Label, Variable, VariableKind
from classifier.intervals import IntervalOptions

NO_INTERVAL = AgreementOptions(interval=IntervalOptions(method="none"))


def scale(labels: str, kind: VariableKind = "ordinal") -> Variable:
    numbers = range(len(labels.split()))
    return Variable(
        "v",
        kind,
        "",
        tuple(
            Label(name, "", float(number) if kind == "ordinal" else None)
            for name, number in zip(labels.split(), numbers, strict=True)
        ),
    )


def by_annotator(rows: str) -> pd.DataFrame:
    """One line per annotator, one column per unit, a dot where not coded."""
    return pd.DataFrame(
        [
            {
                "unit": f"u{unit:02}",
                "article": f"a{unit:02}",
                "annotator": f"annotator {annotator}",
                "label": None if label == "." else label,
            }
            for annotator, line in enumerate(rows.strip().splitlines())
            for unit, label in enumerate(line.split())
        ]
    )


def by_unit(rows: list[list[int]]) -> pd.DataFrame:
    """One row per unit: how many annotators gave label 1, 2, ..."""
    return by_annotator(
        "\n".join(
            " ".join(column)
            for column in np.array(
                [[str(label + 1) for label, n in enumerate(row) for _ in range(n)] for row in rows]
            ).T
        )
    )


def two_annotators(cells: list[list[int]]) -> pd.DataFrame:
    """Contingency table: rows the first annotator's labels, columns the second's."""
    pairs = [
        (str(i + 1), str(j + 1))
        for i, row in enumerate(cells)
        for j, n in enumerate(row)
        for _ in range(n)
    ]
    return by_annotator("\n".join(" ".join(side) for side in zip(*pairs, strict=True)))


KRIPPENDORFF_2011 = by_annotator(
    """
    1 2 3 3 2 1 4 1 2 . . .
    1 2 3 3 2 2 4 1 2 5 . 3
    . 3 3 3 2 3 4 2 2 5 1 .
    1 2 3 3 2 4 4 1 2 5 1 .
    """
)
WIKIPEDIA_ALPHA = by_annotator(
    """
    . . . . . 3 4 1 2 1 1 3 3 . 3
    1 . 2 1 3 3 4 3 . . . . . . .
    . . 2 1 3 4 4 . 2 1 1 3 3 . 4
    """
)
KRIPPENDORFF_2004 = by_annotator("1 1 0 0 0 0 0 0 0 0\n0 1 1 0 0 1 0 1 0 0")
COHEN_1960_P45 = two_annotators([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
COHEN_1960_P37 = two_annotators([[25, 12, 3], [13, 2, 15], [12, 16, 2]])
FLEISS_1971 = by_annotator(
    """
    4 2 2 5 2 1 3 1 1 5 1 1 2 1 2 3 1 1 2 1 5 2 2 1 1 2 1 2 1 5
    4 2 3 5 2 1 3 1 1 5 4 2 2 4 2 3 1 1 2 3 5 4 2 1 4 2 1 2 3 5
    4 2 3 5 2 3 3 3 4 5 4 4 2 4 4 3 1 1 4 3 5 4 4 4 4 2 1 4 3 5
    4 5 3 5 4 3 3 3 4 5 4 4 3 4 4 3 4 1 4 5 5 4 5 4 4 2 1 4 3 5
    4 5 3 5 4 3 5 3 4 5 4 4 3 4 4 3 5 1 4 5 5 4 5 4 4 2 5 4 3 5
    4 5 5 5 4 3 5 4 4 5 4 4 3 4 5 5 5 2 4 5 5 4 5 4 5 4 5 4 3 5
    """
)
WIKIPEDIA_FLEISS = by_unit(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
GWET_SIX_RATERS = by_unit(
    [
        [0, 0, 0, 6, 0],
        [0, 3, 0, 0, 3],
        [0, 1, 4, 0, 1],
        [0, 0, 0, 0, 6],
        [0, 3, 0, 3, 0],
        [2, 0, 4, 0, 0],
        [0, 0, 4, 0, 2],
        [2, 0, 3, 1, 0],
        [2, 0, 0, 4, 0],
        [0, 0, 0, 0, 6],
        [1, 0, 0, 5, 0],
        [1, 1, 0, 4, 0],
        [0, 3, 3, 0, 0],
        [1, 0, 0, 5, 0],
        [0, 2, 0, 3, 1],
    ]
)
# Gwet's copy of Krippendorff's table has the last unit's only label with the third rater.
GWET_FOUR_RATERS = by_annotator(
    """
    1 2 3 3 2 1 4 1 2 . . .
    1 2 3 3 2 2 4 1 2 5 . .
    . 3 3 3 2 3 4 2 2 5 1 3
    1 2 3 3 2 4 4 1 2 5 1 .
    """
)
GWET_ABSTRACTORS = two_annotators([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
PARADOX = two_annotators([[80, 7], [8, 5]])
FOUR_LABELS = two_annotators([[20, 5, 1, 0], [4, 15, 6, 1], [0, 5, 18, 4], [0, 1, 3, 12]])
ARTSTEIN_POESIO_2008 = two_annotators([[46, 0, 0], [6, 32, 6], [0, 0, 10]])


@pytest.mark.parametrize(
    ("table", "labels", "level", "expected"),
    [
        pytest.param(KRIPPENDORFF_2011, "1 2 3 4 5", "nominal", 0.743421, id="2011 nominal"),
        pytest.param(KRIPPENDORFF_2011, "1 2 3 4 5", "ordinal", 0.815388, id="2011 ordinal"),
        pytest.param(KRIPPENDORFF_2011, "1 2 3 4 5", "interval", 0.849107, id="2011 interval"),
        pytest.param(KRIPPENDORFF_2011, "0 1 2 3 4 5", "ratio", 0.797403, id="2011 ratio"),
        pytest.param(WIKIPEDIA_ALPHA, "1 2 3 4", "nominal", 0.691358, id="Wikipedia nominal"),
        pytest.param(WIKIPEDIA_ALPHA, "1 2 3 4", "interval", 0.810845, id="Wikipedia interval"),
        pytest.param(KRIPPENDORFF_2004, "0 1", "nominal", 0.095238, id="2004 jon and han"),
        pytest.param(GWET_ABSTRACTORS, "1 2 3", "nominal", 0.797258, id="Gwet abstractors"),
        pytest.param(GWET_SIX_RATERS, "1 2 3 4 5", "nominal", 0.420438, id="Gwet six raters"),
        pytest.param(ARTSTEIN_POESIO_2008, "1 2 3", "nominal", 0.800535, id="Artstein, Poesio"),
    ],
)
def test_alpha(table: pd.DataFrame, labels: str, level: agreement.Level, expected: float) -> None:
    estimate = agreement.alpha(table, scale(labels), level=level, options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "labels", "weights", "expected"),
    [
        pytest.param(COHEN_1960_P45, "1 2 3", "plain", 0.491525, id="Cohen p. 45"),
        pytest.param(COHEN_1960_P45, "1 2 3", "linear", 0.473684, id="Cohen p. 45 linear"),
        pytest.param(COHEN_1960_P45, "1 2 3", "quadratic", 0.454545, id="Cohen p. 45 quadratic"),
        pytest.param(COHEN_1960_P37, "1 2 3", "plain", -0.092308, id="Cohen p. 37"),
        pytest.param(GWET_ABSTRACTORS, "1 2 3", "plain", 0.796409, id="Gwet abstractors"),
        pytest.param(PARADOX, "1 2", "plain", 0.314442, id="paradox"),
        pytest.param(FOUR_LABELS, "1 2 3 4", "quadratic", 0.814815, id="four labels"),
        pytest.param(ARTSTEIN_POESIO_2008, "1 2 3", "plain", 0.801325, id="Artstein, Poesio"),
    ],
)
def test_kappa(
    table: pd.DataFrame, labels: str, weights: agreement.Weights, expected: float
) -> None:
    estimate = agreement.kappa(table, scale(labels), weights=weights, options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "labels", "expected"),
    [
        pytest.param(COHEN_1960_P45, "1 2 3", 0.487179, id="Cohen p. 45"),
        pytest.param(GWET_ABSTRACTORS, "1 2 3", 0.796240, id="Gwet abstractors"),
        pytest.param(ARTSTEIN_POESIO_2008, "1 2 3", 0.799532, id="Artstein, Poesio"),
    ],
)
def test_scott_pi(table: pd.DataFrame, labels: str, expected: float) -> None:
    estimate = agreement.scott_pi(table, scale(labels), options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param(FLEISS_1971, 0.430245, id="Fleiss 1971"),
        pytest.param(WIKIPEDIA_FLEISS, 0.209931, id="Wikipedia"),
        pytest.param(GWET_SIX_RATERS, 0.413926, id="Gwet six raters"),
        pytest.param(KRIPPENDORFF_2011, 0.761169, id="Krippendorff 2011, labels missing"),
    ],
)
def test_fleiss_kappa(table: pd.DataFrame, expected: float) -> None:
    estimate = agreement.fleiss_kappa(table, scale("1 2 3 4 5"), options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "labels", "weights", "expected"),
    [
        pytest.param(KRIPPENDORFF_2011, "1 2 3 4 5", "plain", 0.775444, id="Krippendorff 2011"),
        pytest.param(COHEN_1960_P45, "1 2 3", "plain", 0.575972, id="Cohen p. 45"),
        pytest.param(COHEN_1960_P45, "1 2 3", "quadratic", 0.638554, id="Cohen p. 45 AC2"),
        pytest.param(COHEN_1960_P37, "1 2 3", "plain", -0.047970, id="Cohen p. 37"),
        pytest.param(COHEN_1960_P37, "1 2 3", "quadratic", 0.183099, id="Cohen p. 37 AC2"),
        pytest.param(GWET_SIX_RATERS, "1 2 3 4 5", "plain", 0.444801, id="Gwet six raters"),
        pytest.param(GWET_ABSTRACTORS, "1 2 3", "plain", 0.849331, id="Gwet abstractors"),
        pytest.param(PARADOX, "1 2", "plain", 0.808000, id="paradox"),
        pytest.param(FOUR_LABELS, "1 2 3 4", "plain", 0.580461, id="four labels"),
        pytest.param(FOUR_LABELS, "1 2 3 4", "quadratic", 0.840283, id="four labels AC2"),
    ],
)
def test_gwet(
    table: pd.DataFrame, labels: str, weights: agreement.Weights, expected: float
) -> None:
    estimate = agreement.gwet(table, scale(labels), weights=weights, options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "labels", "weights", "expected"),
    [
        pytest.param(GWET_FOUR_RATERS, "1 2 3 4 5", "plain", 0.762817, id="labels missing"),
        # Of two annotators it is Cohen's kappa.
        pytest.param(COHEN_1960_P45, "1 2 3", "plain", 0.491525, id="Cohen p. 45"),
        pytest.param(COHEN_1960_P45, "1 2 3", "quadratic", 0.454545, id="Cohen p. 45 quadratic"),
    ],
)
def test_conger_kappa(
    table: pd.DataFrame, labels: str, weights: agreement.Weights, expected: float
) -> None:
    estimate = agreement.conger_kappa(table, scale(labels), weights=weights, options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("table", "labels", "expected"),
    [
        pytest.param(KRIPPENDORFF_2011, "1 2 3 4 5", 0.772727, id="Krippendorff 2011"),
        pytest.param(GWET_ABSTRACTORS, "1 2 3", 0.835, id="Gwet abstractors"),
    ],
)
def test_brennan_prediger(table: pd.DataFrame, labels: str, expected: float) -> None:
    estimate = agreement.brennan_prediger(table, scale(labels), options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


def test_brennan_prediger_by_distance() -> None:
    # Weights 1 - d^2 / 4 of three labels: mean (3 + 4 * .75) / 9 = 2/3 for chance. Of 200 pairs
    # 140 agree, 40 lie one apart and 20 two: p_a = (140 + 30) / 200 = .85.
    estimate = agreement.brennan_prediger(
        COHEN_1960_P45, scale("1 2 3"), weights="quadratic", options=NO_INTERVAL
    )
    assert estimate.value == pytest.approx((0.85 - 2 / 3) / (1 - 2 / 3))


@pytest.mark.parametrize(
    ("table", "labels", "expected"),
    [
        pytest.param(KRIPPENDORFF_2011, "1 2 3 4 5", 0.818182, id="Krippendorff 2011"),
        pytest.param(FLEISS_1971, "1 2 3 4 5", 0.555556, id="Fleiss 1971"),
        pytest.param(GWET_ABSTRACTORS, "1 2 3", 0.89, id="Gwet abstractors"),
        pytest.param(PARADOX, "1 2", 0.85, id="paradox"),
    ],
)
def test_raw_agreement(table: pd.DataFrame, labels: str, expected: float) -> None:
    estimate = agreement.raw_agreement(table, scale(labels), options=NO_INTERVAL)
    assert estimate.value == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize(
    ("measure", "table", "expected"),
    [
        pytest.param(agreement.kappa, GWET_ABSTRACTORS, 0.0589, id="Cohen"),
        pytest.param(agreement.scott_pi, GWET_ABSTRACTORS, 0.0591, id="Scott"),
        pytest.param(agreement.gwet, GWET_ABSTRACTORS, 0.0432, id="AC1"),
        pytest.param(agreement.kappa, COHEN_1960_P45, 0.0510, id="Cohen p. 45"),
    ],
)
def test_linearised_standard_errors_are_the_analytic_ones(
    measure: agreement.Measure, table: pd.DataFrame, expected: float
) -> None:
    # The printed ones divide by the n units; ours by n - 1, as articles are few.
    linearised = AgreementOptions(interval=IntervalOptions(method="linearised"))
    estimate = measure(table, scale("1 2 3"), options=linearised)
    assert estimate.standard_error is not None
    n = estimate.n_items
    assert estimate.standard_error * ((n - 1) / n) ** 0.5 == pytest.approx(expected, abs=5e-5)


def test_the_number_of_labels_comes_from_the_codebook() -> None:
    # A label that nobody used still lowers the chance agreement of AC1: with 40 of 50 in one label
    # p_e = 2 * .8 * .2 / 1 = .32 of two labels, and half of that, .16, of three.
    table = two_annotators([[40, 0], [0, 10]])
    disagreeing = two_annotators([[40, 5], [0, 5]])
    assert agreement.gwet(table, scale("1 2"), options=NO_INTERVAL).value == 1
    two, three = (
        agreement.gwet(disagreeing, scale(labels), options=NO_INTERVAL).value
        for labels in ("1 2", "1 2 3")
    )
    # pi_1 = (45 + 40) / 100 = .85, p_a = .9: p_e = 2 * .85 * .15 / (q - 1)
    assert two == pytest.approx((0.9 - 0.255) / (1 - 0.255))
    assert three == pytest.approx((0.9 - 0.1275) / (1 - 0.1275))


def test_kind_chooses_the_level() -> None:
    ordinal = agreement.alpha(KRIPPENDORFF_2011, scale("1 2 3 4 5"), options=NO_INTERVAL)
    nominal = agreement.alpha(KRIPPENDORFF_2011, scale("1 2 3 4 5", "nominal"), options=NO_INTERVAL)
    assert ordinal.value == pytest.approx(0.815388, abs=5e-7)
    assert nominal.value == pytest.approx(0.743421, abs=5e-7)
    assert "ordinal" in ordinal.method


def test_estimate_says_what_it_rests_on() -> None:
    estimate = agreement.alpha(KRIPPENDORFF_2011, scale("1 2 3 4 5"))
    # The last unit has one label, which no other can contradict.
    labels = KRIPPENDORFF_2011.dropna().groupby("unit").size()
    pairable = labels[labels >= 2]
    assert estimate.n_items == len(pairable) == 11
    assert estimate.n_articles == 11
    assert estimate.n_pairs == int((pairable * (pairable - 1) / 2).sum())
    assert estimate.method == "Krippendorff's alpha, ordinal; article jackknife, t"
