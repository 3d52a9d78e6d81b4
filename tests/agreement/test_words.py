"""What the measures say in words instead of numbers, and what they refuse."""

import math
from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from classifier import agreement
from classifier.agreement import AgreementOptions
from classifier.codebook import Label, Variable
from classifier.errors import DataError
from classifier.intervals import IntervalOptions
from classifier.records import Estimate

STANCE = Variable(
    "stance",
    "ordinal",
    "",
    (Label("against", "", -1.0), Label("neither", "", 0.0), Label("for", "", 1.0)),
)
TOPIC = Variable("topic", "nominal", "", (Label("grain", ""), Label("ships", "")))
ROLES = Variable("roles", "set", "", (Label("victim", ""), Label("partner", "")))
SET_ASIDE = AgreementOptions(unknown="set aside")

Rows = Sequence[tuple[str, str, str, object]]
AGREED: Rows = [
    (f"u{i}", f"a{i}", annotator, label)
    for i, label in enumerate(["against", "for", "neither", "for", "against", "neither"])
    for annotator in ("x", "y")
]


def table(rows: Rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["unit", "article", "annotator", "label"])
    return frame.astype({"label": object})


MEASURES = [
    agreement.alpha,
    agreement.kappa,
    agreement.scott_pi,
    agreement.fleiss_kappa,
    agreement.gwet,
    agreement.brennan_prediger,
    agreement.conger_kappa,
    agreement.raw_agreement,
]


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("rows", "status"),
    [
        pytest.param([], "not estimable: no labels", id="empty"),
        pytest.param([("u", "a", "x", None)], "not estimable: no labels", id="nothing coded"),
        pytest.param(
            [("u", "a", "x", "for"), ("v", "a", "x", "for")],
            "not estimable: one annotator",
            id="one annotator",
        ),
        pytest.param([("u", "a", "x", "for"), ("v", "a", "y", "for")], "no overlap", id="apart"),
    ],
)
def test_why_there_is_no_value(
    measure: Callable[[pd.DataFrame, Variable], Estimate], rows: Rows, status: str
) -> None:
    estimate = measure(table(rows), STANCE)
    assert estimate.value is None
    assert estimate.low is None
    assert (estimate.status, estimate.interval_status) == (status, status)


@pytest.mark.parametrize(
    "measure",
    [
        agreement.alpha,
        agreement.kappa,
        agreement.conger_kappa,
        agreement.scott_pi,
        agreement.fleiss_kappa,
    ],
)
def test_one_label_throughout_is_no_variation(
    measure: Callable[[pd.DataFrame, Variable], Estimate],
) -> None:
    rows = [(unit, label, annotator, "for") for unit, label, annotator, _ in AGREED]
    estimate = measure(table(rows), STANCE)
    assert estimate.status == "undefined: no variation"
    assert estimate.n_items == 6


def test_a_second_label_on_a_lone_coding_is_no_variation() -> None:
    # The krippendorff package answers nan here, without a word.
    rows = [("u", "a", "x", "for"), ("u", "a", "y", "for"), ("v", "b", "x", "against")]
    assert agreement.alpha(table(rows), STANCE).status == "undefined: no variation"


def test_gwet_stays_defined_without_variation_but_has_no_interval() -> None:
    rows = [(unit, article, annotator, "for") for unit, article, annotator, _ in AGREED]
    estimate = agreement.gwet(table(rows), STANCE)
    assert estimate.value == 1
    assert estimate.interval_status == "undefined: no variation between articles"


def test_too_few_articles_give_a_value_without_interval() -> None:
    estimate = agreement.alpha(table(AGREED[:8]), STANCE)
    assert estimate.value == 1
    assert estimate.low is None
    assert estimate.interval_status == "too few: 4 articles"


def test_unknown_labels_stop_with_their_items_and_annotators() -> None:
    rows = [*AGREED, ("w", "a9", "x", "Against"), ("w", "a9", "y", 3), ("v", "a9", "y", 3)]
    said = r"3 rows have others, such as 'Against' at w by x; 3 at w by y; 3 at v by y\. Mend them"
    with pytest.raises(DataError, match=said):
        agreement.alpha(table(rows), STANCE)


def test_unknown_labels_are_set_aside_on_request_and_counted() -> None:
    rows = [*AGREED, ("w", "a9", "x", "Against"), ("w", "a9", "y", "for")]
    estimate = agreement.alpha(table(rows), STANCE, options=SET_ASIDE)
    assert estimate.n_items == 6
    assert estimate.notes == ("1 labels unknown to the codebook set aside",)


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA])
def test_missing_is_not_coded(missing: object) -> None:
    rows = [*AGREED, ("w", "a9", "x", missing), ("w", "a9", "y", "for")]
    assert agreement.alpha(table(rows), STANCE) == agreement.alpha(table(AGREED), STANCE)


def test_an_empty_set_is_coded_and_missing_is_not() -> None:
    rows: Rows = [
        ("u", "a", "x", []),
        ("u", "a", "y", frozenset()),
        ("v", "b", "x", ["victim"]),
        ("v", "b", "y", {"victim"}),
        ("w", "c", "x", []),
        ("w", "c", "y", None),
    ]
    estimate = agreement.alpha(table(rows), ROLES)
    assert estimate.value == 1
    assert estimate.n_items == 2


def test_a_set_variable_refuses_a_bare_name() -> None:
    with pytest.raises(DataError, match="must be sets or lists of names, got 'victim'"):
        agreement.alpha(table([("u", "a", "x", "victim")]), ROLES)


def test_a_set_with_an_unknown_name_stops() -> None:
    with pytest.raises(DataError, match=r"1 rows have others, such as \['villain'\] at u by x"):
        agreement.alpha(table([("u", "a", "x", ["villain"])]), ROLES)


def test_identical_repeats_are_dropped_and_counted() -> None:
    estimate = agreement.alpha(table([*AGREED, AGREED[0], AGREED[0]]), STANCE)
    assert estimate.n_pairs == 6
    assert estimate.notes == ("2 identical repeated rows dropped",)


def test_conflicting_repeats_are_refused_with_both_labels() -> None:
    rows = [*AGREED, ("u0", "a0", "x", "for"), ("u1", "a1", "y", "against")]
    both = "(against and for|for and against)"
    with pytest.raises(DataError, match=f"2 differ, such as u0 by x: {both}; u1 by y: {both}"):
        agreement.alpha(table(rows), STANCE)


def test_a_unit_in_two_articles_is_refused() -> None:
    rows = [*AGREED, ("u0", "elsewhere", "z", "for")]
    with pytest.raises(DataError, match="1 lie in several, such as 'u0'"):
        agreement.alpha(table(rows), STANCE)


@pytest.mark.parametrize("column", ["unit", "article", "annotator", "label"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(DataError, match=f"got no {column} among"):
        agreement.alpha(table(AGREED).drop(columns=column), STANCE)


@pytest.mark.parametrize("column", ["unit", "article", "annotator"])
def test_a_coded_row_without_an_id_is_refused(column: str) -> None:
    rows = table(AGREED)
    rows.loc[3, column] = None
    with pytest.raises(DataError, match=f"needs a value in '{column}'; 1 rows have none"):
        agreement.alpha(rows, STANCE)


def test_stories_are_resampled_whole_on_request() -> None:
    # Six articles, of which four carry one wire story: three stories in all.
    rows = table(AGREED).assign(
        story=lambda t: t["article"].map({f"a{i}": "wire" for i in range(4)})
    )
    by_story = AgreementOptions(cluster="story")
    estimate = agreement.alpha(rows, STANCE, options=by_story)
    assert estimate.n_articles == 3
    assert estimate.interval_status == "too few: 3 articles"
    assert estimate.value == agreement.alpha(rows, STANCE).value


def test_clustering_by_an_absent_column_is_refused() -> None:
    with pytest.raises(DataError, match="got no story among"):
        agreement.alpha(table(AGREED), STANCE, options=AgreementOptions(cluster="story"))


@pytest.mark.parametrize("measure", [agreement.kappa, agreement.scott_pi])
def test_measures_of_two_annotators_refuse_three(
    measure: Callable[[pd.DataFrame, Variable], Estimate],
) -> None:
    with pytest.raises(DataError, match="needs two annotators, got x, y, z"):
        measure(table([*AGREED, ("u0", "a0", "z", "for")]), STANCE)


def test_weights_need_an_order() -> None:
    with pytest.raises(DataError, match="quadratic weights need an ordinal variable"):
        agreement.kappa(table([]), TOPIC, weights="quadratic")


@pytest.mark.parametrize("measure", MEASURES[1:-1])
def test_measures_of_single_labels_refuse_sets(
    measure: Callable[[pd.DataFrame, Variable], Estimate],
) -> None:
    with pytest.raises(DataError, match="'roles' is a set: use alpha"):
        measure(table([]), ROLES)


@pytest.mark.parametrize(
    ("variable", "level"),
    [(STANCE, "masi"), (TOPIC, "ordinal"), (TOPIC, "interval"), (ROLES, "ordinal")],
)
def test_a_level_that_the_labels_do_not_have_is_refused(
    variable: Variable, level: agreement.Level
) -> None:
    with pytest.raises(DataError, match=f"is {variable.kind}: its level must be"):
        agreement.alpha(table([]), variable, level=level)


def test_the_ratio_level_needs_numbers_from_0_up() -> None:
    with pytest.raises(DataError, match="variable 'stance' has -1: take interval"):
        agreement.alpha(table(AGREED), STANCE, level="ratio")


def test_jackknife_says_where_variation_hangs_on_one_article() -> None:
    rows = [(unit, article, annotator, "for") for unit, article, annotator, _ in AGREED]
    rows += [("w", "odd", "x", "against"), ("w", "odd", "y", "for")]
    options = AgreementOptions(interval=IntervalOptions(method="jackknife"))
    estimate = agreement.alpha(table(rows), STANCE, options=options)
    assert estimate.value is not None
    assert estimate.interval_status == "undefined without 1 of 7 articles"


def test_low_ends_stay_within_what_a_figure_can_be() -> None:
    # Six articles of two units, of which one agrees: 1/12. Without its article 0/10, without any
    # other 1/10: error sqrt(5/6 (1/12^2 + 5/60^2)) = 1/12, and t(5) = 2.571 puts the low end below
    # 0, where no share is.
    rows = [
        (f"u{a}{i}", f"a{a}", annotator, "for" if annotator == "x" or a + i == 0 else "against")
        for a in range(6)
        for i in range(2)
        for annotator in ("x", "y")
    ]
    share = agreement.raw_agreement(table(rows), STANCE)
    assert share.value == pytest.approx(1 / 12)
    assert share.low == 0.0
    assert share.high == pytest.approx((1 + 2.5706) / 12, abs=1e-4)


def test_a_figure_below_minus_one_lies_in_its_interval() -> None:
    # Eight pairs disagree, p_a = 0; with a hundred units that one annotator called neither the
    # margins are 104/108 neither and 2/108 each other label: p_e = (104^2 + 2 * 2^2) / 108^2 =
    # .92798, and kappa = -p_e / (1 - p_e) = -12.886.
    rows = [(f"s{i}", f"a{i % 8}", "x", "neither") for i in range(100)]
    rows += [(f"p{i}", f"a{i}", "x", "neither") for i in range(8)]
    rows += [(f"p{i}", f"a{i}", "y", "for" if i % 2 else "against") for i in range(8)]
    made = agreement.fleiss_kappa(table(rows), STANCE)
    assert made.value == pytest.approx(-12.886, abs=5e-4)
    assert made.value is not None
    assert made.low is not None
    assert made.high is not None
    assert made.low < made.value < made.high < -1


@pytest.mark.parametrize("measure", [agreement.kappa, agreement.gwet, agreement.conger_kappa])
def test_unknown_weights_are_refused(measure: Callable[..., Estimate]) -> None:
    with pytest.raises(DataError, match="weights are one of plain, linear, quadratic; got 'cubic'"):
        measure(table(AGREED), STANCE, weights="cubic")


def test_unknown_ways_are_refused() -> None:
    with pytest.raises(DataError, match="one of stop, set aside; got 'ignore'"):
        AgreementOptions(unknown="ignore")  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"method is one of jackknife, .*; got 'boot'"):
        IntervalOptions(method="boot")  # type: ignore[arg-type]
