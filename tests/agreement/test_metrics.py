"""The measures as an `evaluate.Metric`, loaded from their file without a network."""

from collections.abc import Iterator
from typing import Any, Protocol

import evaluate
import pytest

from classifier.agreement import metrics
from classifier.errors import DataError

PREDICTIONS = ["a", "b", "b", "a", "c", "a"]
REFERENCES = ["a", "b", "a", "a", "c", "c"]
LABELS = ["a", "b", "c"]


class Metric(Protocol):
    name: str

    def compute(self, **given: object) -> dict[str, Any]: ...


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("modules")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate.config, "HF_MODULES_CACHE", str(folder))
        yield


def load(name: str) -> Metric:
    metric: Metric = evaluate.load(metrics.__file__, name)
    return metric


@pytest.mark.parametrize("name", metrics.METRICS)
def test_every_metric_loads_under_its_name(name: str) -> None:
    assert load(name).name == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Confusion: aa 2, ba 1, ac 1, bb 1, cc 1 of 6; margins a 3 b 2 c 1 and a 3 b 1 c 2.
        pytest.param("cohen_kappa", (4 / 6 - 13 / 36) / (1 - 13 / 36), id="Cohen"),
        # Joint shares a 6/12, b 3/12, c 3/12: p_e = 54/144.
        pytest.param("scott_pi", (4 / 6 - 0.375) / (1 - 0.375), id="Scott"),
        pytest.param("fleiss_kappa", (4 / 6 - 0.375) / (1 - 0.375), id="Fleiss"),
        # chance is half of 1 - .375
        pytest.param("gwet_ac", (4 / 6 - 0.3125) / (1 - 0.3125), id="AC1"),
        pytest.param("raw_agreement", 4 / 6, id="raw"),
        # F1 of a 2*2/(3+3), of b 2*1/(2+1), of c 2*1/(1+2)
        pytest.param("macro_f1", (2 / 3 + 2 / 3 + 2 / 3) / 3, id="macro-F1"),
        # D_o = 2 / 6, D_e = (144 - 54) / (12 * 11)
        pytest.param("krippendorff_alpha", 1 - (2 / 6) / (90 / 132), id="alpha"),
    ],
)
def test_value(name: str, expected: float) -> None:
    one_each = name in ("cohen_kappa", "macro_f1", "scott_pi")
    references = REFERENCES if one_each else [[label] for label in REFERENCES]
    result = load(name).compute(predictions=PREDICTIONS, references=references, labels=LABELS)
    assert result[name] == pytest.approx(expected)
    assert result["interval_status"] == "not asked for"


def test_sets_with_empty_ones() -> None:
    result = load("masi_alpha").compute(
        predictions=[["a"], [], ["a", "b"]], references=[["a"], [], ["a", "b"]], labels=LABELS
    )
    assert result["masi_alpha"] == 1


def test_macro_f1_of_sets() -> None:
    # a: found in 1 of 2, F1 2/3; b: 1 of 1 with one too many, F1 2/3; c is not in gold.
    result = load("macro_f1").compute(
        predictions=[["a"], ["b"], ["a", "b"][1:]],
        references=[["a"], [], ["a", "b"]],
        labels=LABELS,
    )
    assert result["macro_f1"] == pytest.approx(2 / 3)


def test_macro_f1_of_one_label_in_gold_is_undefined() -> None:
    result = load("macro_f1").compute(predictions=["a", "b"], references=["a", "a"], labels=LABELS)
    assert result["macro_f1"] is None
    assert result["status"] == "undefined: no variation"


def test_articles_give_an_interval() -> None:
    result = load("krippendorff_alpha").compute(
        predictions=PREDICTIONS,
        references=[[label] for label in REFERENCES],
        labels=LABELS,
        articles=list("uvwxyz"),
        level="ordinal",
    )
    assert result["low"] < result["krippendorff_alpha"] < result["high"]
    assert result["n_articles"] == 6


def test_undefined_says_why() -> None:
    result = load("cohen_kappa").compute(
        predictions=["a", "a"], references=["a", "a"], labels=LABELS
    )
    assert result["cohen_kappa"] is None
    assert result["status"] == "undefined: no variation"


def test_labels_of_the_codebook_are_required() -> None:
    with pytest.raises(DataError, match="a metric needs labels"):
        load("gwet_ac").compute(predictions=["a"], references=[["a"]])


def test_one_article_per_item_is_required() -> None:
    with pytest.raises(DataError, match="2 items, 1 articles"):
        load("scott_pi").compute(
            predictions=["a", "b"], references=["a", "b"], labels=LABELS, articles=["x"]
        )


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(DataError, match="got 'gamma'"):
        load("gamma")


def test_a_label_that_comes_twice_is_refused() -> None:
    # Chance in AC1 and the distances of weighted kappa depend on how many labels there are.
    with pytest.raises(DataError, match="every label once, got a, b, b"):
        load("cohen_kappa").compute(
            predictions=["a", "b"], references=["a", "b"], labels=["a", "b", "b"]
        )


def test_one_label_alone_is_undefined_and_no_warning() -> None:
    made = load("gwet_ac").compute(predictions=["a", "a"], references=[["a"], ["a"]], labels=["a"])
    assert (made["gwet_ac"], made["status"]) == (None, "undefined: no variation")
