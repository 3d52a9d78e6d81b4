"""Laws that hold for any table."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from classifier import agreement
from classifier.agreement import AgreementOptions
from classifier.codebook import Label, Variable
from classifier.intervals import IntervalOptions
from classifier.records import Estimate

NO_INTERVAL = AgreementOptions(interval=IntervalOptions(method="none"))
NAMES = ("a", "b", "c")
NOMINAL = Variable("v", "nominal", "", tuple(Label(name, "") for name in NAMES))
ORDINAL = Variable(
    "v", "ordinal", "", tuple(Label(name, "", float(i)) for i, name in enumerate(NAMES))
)
SETS = Variable("v", "set", "", NOMINAL.labels)

Measure = Callable[[pd.DataFrame], Estimate]


def measure(function: Callable[..., Estimate], variable: Variable, **choices: str) -> Measure:
    return lambda table: function(table, variable, options=NO_INTERVAL, **choices)


ALPHAS: Mapping[str, Measure] = {
    "nominal": measure(agreement.alpha, NOMINAL),
    "ordinal": measure(agreement.alpha, ORDINAL),
    "interval": measure(agreement.alpha, ORDINAL, level="interval"),
}
OTHERS: Mapping[str, Measure] = {
    "fleiss": measure(agreement.fleiss_kappa, NOMINAL),
    "AC1": measure(agreement.gwet, NOMINAL),
    "AC2": measure(agreement.gwet, ORDINAL, weights="quadratic"),
    "raw": measure(agreement.raw_agreement, NOMINAL),
}
ANY = {**ALPHAS, **OTHERS}

grids = st.integers(2, 4).flatmap(
    lambda n: st.lists(
        st.lists(st.sampled_from([*NAMES, None]), min_size=n, max_size=n), min_size=1, max_size=12
    )
)


def long(grid: list[list[str | None]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (f"u{u}", f"article {u // 2}", f"annotator {a}", label)
            for u, row in enumerate(grid)
            for a, label in enumerate(row)
        ],
        columns=["unit", "article", "annotator", "label"],
    ).astype({"label": object})


def same(first: Estimate, second: Estimate) -> None:
    assert first.status == second.status
    assert first.value == pytest.approx(second.value, abs=1e-9)


@pytest.mark.parametrize("name", ANY)
@given(grid=grids, seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_order_of_rows_units_and_annotators_does_not_matter(
    name: str, grid: list[list[str | None]], seed: int
) -> None:
    table = long(grid)
    rng = np.random.default_rng(seed)
    shuffled = table.sample(frac=1, random_state=rng)
    renamed = shuffled.assign(annotator=shuffled["annotator"].map(lambda n: n[::-1]))
    same(ANY[name](table), ANY[name](renamed))


@pytest.mark.parametrize("name", ["nominal", "fleiss", "AC1", "raw"])
@given(grid=grids)
@settings(max_examples=30, deadline=None)
def test_relabelling_does_not_matter_without_order(name: str, grid: list[list[str | None]]) -> None:
    table = long(grid)
    renamed = table.assign(label=table["label"].map({"a": "c", "b": "a", "c": "b"}).astype(object))
    same(ANY[name](table), ANY[name](renamed))


@pytest.mark.parametrize("name", ["ordinal", "interval", "AC2"])
@given(grid=grids)
@settings(max_examples=30, deadline=None)
def test_turning_the_scale_around_does_not_matter(name: str, grid: list[list[str | None]]) -> None:
    table = long(grid)
    turned = table.assign(label=table["label"].map({"a": "c", "b": "b", "c": "a"}).astype(object))
    same(ANY[name](table), ANY[name](turned))


def copied(table: pd.DataFrame, times: int) -> pd.DataFrame:
    return pd.concat(
        [
            table.assign(unit=table["unit"] + f"/{k}", article=table["article"] + f"/{k}")
            for k in range(times)
        ]
    )


@pytest.mark.parametrize("name", OTHERS)
@given(grid=grids)
@settings(max_examples=20, deadline=None)
def test_copying_the_corpus_does_not_matter(name: str, grid: list[list[str | None]]) -> None:
    same(OTHERS[name](long(grid)), OTHERS[name](copied(long(grid), 3)))


@pytest.mark.parametrize("name", ALPHAS)
@given(grid=grids)
@settings(max_examples=20, deadline=None)
def test_copying_the_corpus_changes_alpha_by_its_small_sample_term_only(
    name: str, grid: list[list[str | None]]
) -> None:
    # D_e has n (n - 1) below and n^2 above: (1 - alpha) grows by (kn - 1) / (k (n - 1)).
    table = long(grid)
    one, three = ALPHAS[name](table), ALPHAS[name](copied(table, 3))
    assert one.status == three.status
    assume(one.value is not None and three.value is not None)
    coded = table.dropna().groupby("unit")["label"].transform("size")
    n = int((coded >= 2).sum())
    assert one.value is not None
    assert three.value == pytest.approx(1 - (1 - one.value) * (3 * n - 1) / (3 * (n - 1)))


@pytest.mark.parametrize("name", ANY)
@given(labels=st.lists(st.sampled_from(NAMES), min_size=2, max_size=12))
@settings(max_examples=20, deadline=None)
def test_perfect_agreement_is_one(name: str, labels: list[str]) -> None:
    assume(len(set(labels)) > 1)
    assert ANY[name](long([[label, label] for label in labels])).value == pytest.approx(1)


@pytest.mark.parametrize("name", ALPHAS)
@given(grid=grids)
@settings(max_examples=30, deadline=None)
def test_alpha_ignores_units_with_one_label_and_is_at_most_one(
    name: str, grid: list[list[str | None]]
) -> None:
    table = long(grid)
    size = table.dropna().groupby("unit")["label"].transform("size")
    several = table.loc[size[size >= 2].index]
    estimate = ALPHAS[name](table)
    assert estimate.value is None or estimate.value <= 1 + 1e-12
    if len(several):
        same(estimate, ALPHAS[name](several))


@given(sets=st.lists(st.frozensets(st.sampled_from(NAMES)), min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_masi_is_symmetric_and_at_least_jaccard(sets: list[frozenset[str]]) -> None:
    first, second = sets
    masi = agreement.masi_distance(first, second)
    assert masi == agreement.masi_distance(second, first)
    assert agreement.jaccard_distance(first, second) <= masi <= 1
    assert (masi == 0) == (first == second)


@pytest.mark.parametrize("method", ["jackknife", "bootstrap"])
def test_intervals_narrow_as_the_corpus_grows(method: str) -> None:
    rng = np.random.default_rng(5)
    grid = [
        [label if rng.random() < 0.7 else str(rng.choice(NAMES)) for _ in range(3)]
        for label in rng.choice(NAMES, 60)
    ]
    table = long(grid)
    made = IntervalOptions(method="jackknife" if method == "jackknife" else "bootstrap")
    small, large = (
        agreement.alpha(part, NOMINAL, options=AgreementOptions(interval=made))
        for part in (table, copied(table, 9))
    )
    assert small.low is not None
    assert small.high is not None
    assert large.low is not None
    assert large.high is not None
    # Nine times the articles: a third of the width.
    ratio = (large.high - large.low) / (small.high - small.low)
    assert ratio == pytest.approx(1 / 3, rel=0.15)
