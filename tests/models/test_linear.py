"""The baseline: learns, survives a round trip, and refuses a file that holds anything else."""

from pathlib import Path

import numpy as np
import pytest
import skops.io

from classifier.annotations import AnnotationSet, adjudicate
from classifier.errors import ModelError
from classifier.models import Examples, Limits, TrainOptions, macro_f1
from classifier.models._linear import LinearModel, load_linear
from classifier.models._protocol import quality
from classifier.training import build_examples

OPTIONS = TrainOptions(model="linear")


def examples_of(data: AnnotationSet, model: LinearModel) -> Examples:
    gold = adjudicate(data)
    limits = Limits(model.text_limit, 1)
    return build_examples(data.articles, gold, model.variables, model.token_starts, limits)


@pytest.fixture(scope="module")
def fitted(toy_set: AnnotationSet) -> tuple[LinearModel, Examples]:
    variables = tuple(toy_set.codebook.variable(name) for name in ("stance", "roles"))
    model = LinearModel(variables, OPTIONS)
    examples = examples_of(toy_set, model)
    half = len(examples.passages) // 2
    n = sum(len(p.mentions) for p in examples.passages[:half])
    first = Examples(examples.passages[:half], {k: v[:n] for k, v in examples.labels.items()})
    rest = Examples(examples.passages[half:], {k: v[n:] for k, v in examples.labels.items()})
    model.fit(first, Examples((), {k: v[:0] for k, v in examples.labels.items()}))
    return model, rest


def test_learns_a_task_that_can_be_learnt(fitted: tuple[LinearModel, Examples]) -> None:
    model, unseen = fitted
    assert quality(model.predict(unseen.passages), unseen.labels, model.variables) > 0.95


def test_round_trip_keeps_predictions(fitted: tuple[LinearModel, Examples], tmp_path: Path) -> None:
    model, unseen = fitted
    model.save(tmp_path)
    loaded = load_linear(tmp_path, model.variables, OPTIONS)
    for name, rows in model.predict(unseen.passages).items():
        np.testing.assert_array_equal(loaded.predict(unseen.passages)[name], rows)


def test_a_label_that_never_occurs_is_never_predicted(
    fitted: tuple[LinearModel, Examples],
) -> None:
    model, unseen = fitted
    rows = model.predict(unseen.passages)["roles"]
    mediator = model.variables[1].index("mediator")
    assert (rows[:, mediator] == 0).all()


def test_a_file_with_other_types_is_refused(toy_set: AnnotationSet, tmp_path: Path) -> None:
    skops.io.dump({"weighting": [np.random.default_rng]}, tmp_path / "linear.skops")
    with pytest.raises(ModelError, match="must hold a linear model only"):
        load_linear(tmp_path, toy_set.codebook.variables, OPTIONS)


def test_nothing_is_predicted_before_fitting(
    toy_set: AnnotationSet, fitted: tuple[LinearModel, Examples]
) -> None:
    with pytest.raises(ModelError, match="must be fitted or loaded"):
        LinearModel(toy_set.codebook.variables, OPTIONS).predict(fitted[1].passages)


def test_balanced_weights_favour_the_rare_label(toy_set: AnnotationSet) -> None:
    stance = (toy_set.codebook.variable("stance"),)
    shares = []
    for weights in ("none", "balanced"):
        model = LinearModel(stance, TrainOptions(model="linear", class_weights=weights))
        examples = examples_of(toy_set, model)
        labels = examples.labels["stance"].copy()
        labels[np.flatnonzero(labels == 2)[3:]] = 1
        model.fit(
            Examples(examples.passages, {"stance": labels}), Examples((), {"stance": labels[:0]})
        )
        shares.append(model.predict(examples.passages)["stance"][:, 2].mean())
    assert shares[1] > shares[0]


def test_macro_f1_is_undefined_where_nothing_is_coded() -> None:
    assert macro_f1(np.empty((1, 2)), np.array([-1])) is None


def test_macro_f1_of_sets_is_the_mean_over_their_labels() -> None:
    rows = np.array([[0.9, 0.2, 0.1], [0.8, 0.7, 0.1]])
    labels = np.array([[1, 0, 0], [0, 1, 0]])
    # first label: 1 right of 2 predicted and 1 gold, F1 2/3; second: 1; the third never occurs
    assert macro_f1(rows, labels) == pytest.approx((2 / 3 + 1) / 2)
