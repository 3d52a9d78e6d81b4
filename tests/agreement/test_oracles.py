"""Equal to other people's implementations on random tables with missing labels."""

import math
import warnings

import krippendorff
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from nltk.metrics.agreement import AnnotationTask
from nltk.metrics.distance import jaccard_distance, masi_distance
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats import inter_rater

from classifier import agreement
from classifier.agreement import AgreementOptions
from classifier.codebook import Label, Variable
from classifier.intervals import IntervalOptions

NO_INTERVAL = AgreementOptions(interval=IntervalOptions(method="none"))
N_TABLES = 60
NAMES = ("one", "two", "three", "four")
ORDINAL = Variable(
    "v", "ordinal", "", tuple(Label(name, "", float(i)) for i, name in enumerate(NAMES))
)
SETS = Variable("v", "set", "", tuple(Label(name, "") for name in NAMES))

Grid = npt.NDArray[np.float64]


def random_grid(seed: int, n_annotators: int | None = None, missing: float = 0.3) -> Grid:
    """Annotators x units, nan where not coded; some tables small, some one-sided."""
    rng = np.random.default_rng(seed)
    n = n_annotators or int(rng.integers(2, 6))
    n_units, n_labels = int(rng.integers(3, 25)), int(rng.integers(1, 5))
    truth = rng.integers(0, n_labels, n_units)
    grid = np.where(rng.random((n, n_units)) < 0.6, truth, rng.integers(0, n_labels, (n, n_units)))
    return np.where(rng.random((n, n_units)) < missing, np.nan, grid)


def long(grid: Grid) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (f"u{u}", f"a{u}", f"annotator {a}", None if math.isnan(x) else NAMES[int(x)])
            for a, row in enumerate(grid)
            for u, x in enumerate(row)
        ],
        columns=["unit", "article", "annotator", "label"],
    ).astype({"label": object})


def varies(grid: Grid) -> bool:
    """Whether units coded twice or more hold two different labels."""
    pairable = grid[:, (~np.isnan(grid)).sum(axis=0) >= 2]
    return len(np.unique(pairable[~np.isnan(pairable)])) > 1


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_krippendorff(level: agreement.Level) -> None:
    n_compared = 0
    for seed in range(N_TABLES):
        grid = random_grid(seed)
        ours = agreement.alpha(long(grid), ORDINAL, level=level, options=NO_INTERVAL)
        if not varies(grid):
            # The package raises, or answers nan when it is given a value domain; we say why.
            assert ours.status in ("undefined: no variation", "no overlap") or (
                ours.status.startswith("not estimable")
            )
            continue
        theirs = krippendorff.alpha(
            reliability_data=grid, level_of_measurement=level, value_domain=[0.0, 1.0, 2.0, 3.0]
        )
        assert ours.value == pytest.approx(theirs, abs=1e-9)
        n_compared += 1
    assert n_compared > 36


def test_krippendorff_answers_nan_without_variation_where_we_say_so() -> None:
    grid = np.array([[1.0, 1, 2], [1, 1, np.nan]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = krippendorff.alpha(
            reliability_data=grid, level_of_measurement="nominal", value_domain=[0.0, 1.0, 2.0]
        )
    assert math.isnan(theirs)
    assert agreement.alpha(long(grid), ORDINAL).status == "undefined: no variation"


def test_nltk_answers_one_without_variation_where_we_say_so() -> None:
    rows = [("x", "u", "one"), ("y", "u", "one"), ("x", "v", "one"), ("y", "v", "one")]
    assert AnnotationTask(rows).alpha() == 1
    table = pd.DataFrame([(u, u, a, name) for a, u, name in rows])
    table.columns = pd.Index(["unit", "article", "annotator", "label"])
    assert agreement.alpha(table, ORDINAL).status == "undefined: no variation"


def random_sets(seed: int) -> list[tuple[str, str, frozenset[str]]]:
    rng = np.random.default_rng(seed)
    rows = []
    for unit in range(int(rng.integers(3, 20))):
        usual = rng.random(4) < 0.4
        for annotator in range(3):
            if rng.random() < 0.3:
                continue
            holds = usual ^ (rng.random(4) < 0.2)
            names = frozenset(name for name, held in zip(NAMES, holds, strict=True) if held)
            rows.append((f"annotator {annotator}", f"u{unit}", names))
    return rows


def guarded_masi(first: frozenset[str], second: frozenset[str]) -> float:
    # nltk divides by zero between two empty sets, which agree.
    return float(masi_distance(first, second)) if first | second else 0.0


def guarded_jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    return float(jaccard_distance(first, second)) if first | second else 0.0


@pytest.mark.parametrize(
    ("level", "distance"), [("masi", guarded_masi), ("jaccard", guarded_jaccard)]
)
def test_alpha_of_sets_is_that_of_nltk(level: agreement.Level, distance: object) -> None:
    n_compared = 0
    for seed in range(N_TABLES):
        rows = random_sets(seed)
        table = pd.DataFrame(
            [(unit, unit, annotator, names) for annotator, unit, names in rows],
            columns=["unit", "article", "annotator", "label"],
        )
        ours = agreement.alpha(table, SETS, level=level, options=NO_INTERVAL)
        if ours.value is None:
            continue
        theirs = AnnotationTask(rows, distance=distance).alpha()
        assert ours.value == pytest.approx(theirs, abs=1e-9)
        n_compared += 1
    assert n_compared > 57


def test_nltk_divides_by_zero_between_empty_sets() -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        masi_distance(frozenset(), frozenset())
    assert agreement.masi_distance(frozenset(), frozenset()) == 0


@pytest.mark.parametrize(
    ("weights", "theirs"), [("plain", None), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_kappa_is_that_of_scikit_learn(weights: agreement.Weights, theirs: str | None) -> None:
    n_compared = 0
    for seed in range(N_TABLES):
        grid = random_grid(seed, n_annotators=2)
        both = grid[:, ~np.isnan(grid).any(axis=0)].astype(int)
        ours = agreement.kappa(long(grid), ORDINAL, weights=weights, options=NO_INTERVAL)
        if not both.size or len(np.unique(both)) == 1:
            # scikit-learn answers nan; we say why.
            assert ours.value is None
            continue
        expected = cohen_kappa_score(both[0], both[1], labels=[0, 1, 2, 3], weights=theirs)
        assert ours.value == pytest.approx(expected, abs=1e-9)
        n_compared += 1
    assert n_compared > 36


def test_kappa_is_that_of_statsmodels() -> None:
    for seed in range(50):
        grid = random_grid(seed, n_annotators=2)
        both = grid[:, ~np.isnan(grid).any(axis=0)].astype(int)
        ours = agreement.kappa(long(grid), ORDINAL, options=NO_INTERVAL)
        if ours.value is None:
            continue
        cells = np.zeros((4, 4))
        np.add.at(cells, (both[0], both[1]), 1)
        theirs = inter_rater.cohens_kappa(cells, return_results=False)
        assert ours.value == pytest.approx(theirs, abs=1e-9)


def test_fleiss_kappa_is_that_of_statsmodels() -> None:
    # With gaps statsmodels raises, or counts nan as a label of its own: complete tables only.
    n_compared = 0
    for seed in range(N_TABLES):
        grid = random_grid(seed, missing=0)
        ours = agreement.fleiss_kappa(long(grid), ORDINAL, options=NO_INTERVAL)
        if len(np.unique(grid)) == 1:
            assert ours.status == "undefined: no variation"
            continue
        counts, _ = inter_rater.aggregate_raters(grid.T.astype(int), n_cat=4)
        assert ours.value == pytest.approx(inter_rater.fleiss_kappa(counts), abs=1e-9)
        n_compared += 1
    assert n_compared > 36
