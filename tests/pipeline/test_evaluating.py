"""Evaluations of a run: probabilities before and after temperature scaling."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.evaluation import evaluate as judge
from classifier.models import Calibration
from classifier.models._calibration import ALL_LANGUAGES, Temperature
from classifier.pipeline import compare, evaluate, prompt
from classifier.pipeline._evaluate import uncalibrated
from classifier.prompts import PromptOptions
from classifier.score import Scorer, load
from classifier.training import TEST, read_run_summary


def with_temperatures(scorer: Scorer) -> Scorer:
    """The same, made less sure of stances, and of Dutch roles surer."""
    temperatures = {
        "stance": {ALL_LANGUAGES: Temperature(2.0, "ok", 60)},
        "roles": {ALL_LANGUAGES: Temperature(1.5, "ok", 60), "nl": Temperature(0.5, "ok", 60)},
    }
    return Scorer(replace(scorer.trained, calibration=Calibration(temperatures)))


def probabilities(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("unit").filter(regex="^p_(stance|roles)_").astype(float)


def test_probabilities_before_scaling_come_back_without_scoring(
    scorer: Scorer, toy_set: AnnotationSet
) -> None:
    raw = Scorer(replace(scorer.trained, calibration=Calibration({}))).score_annotations(toy_set)
    hot = with_temperatures(scorer)
    frame = hot.score_annotations(toy_set).to_frame()
    before = probabilities(uncalibrated(frame, hot))
    # Logits are cut at 1e-12, which a temperature of 1/2 takes back to 1e-6.
    pd.testing.assert_frame_equal(before, probabilities(raw.to_frame()), atol=2e-6)
    assert not before.equals(probabilities(frame))


def test_mentions_without_a_score_stay_without(scorer: Scorer, toy_set: AnnotationSet) -> None:
    frame = scorer.score_annotations(toy_set).to_frame()
    frame.loc[0, "status"] = "unsupported language: de"
    frame.loc[0, probabilities(frame).columns] = None
    assert probabilities(uncalibrated(frame, scorer)).iloc[0].isna().all()


def test_calibration_is_shown_before_and_after(scorer: Scorer, toy_set: AnnotationSet) -> None:
    hot = with_temperatures(scorer)
    frame = hot.score_annotations(toy_set).to_frame()
    result = judge(toy_set, frame, uncalibrated=uncalibrated(frame, hot))
    for name in ("calibration", "reliability"):
        named = {row.keys["predictor"] for row in result.table(name)}
        assert named == {"model", "model, uncalibrated"}
    both = [
        result.table("calibration")
        .row(variable="stance", predictor=name, target="all", language="all")["confidence"]
        .value
        for name in ("model", "model, uncalibrated")
    ]
    assert (both[0] or 0) < (both[1] or 0)
    assert {row.keys["predictor"] for row in result.table("accuracy")} == {
        "model",
        "majority class",
    }


def test_the_evaluation_of_a_run_has_both(linear_run: Path, toy_set: AnnotationSet) -> None:
    table = evaluate(linear_run, toy_set).table("calibration")
    assert {row.keys["predictor"] for row in table} == {"model", "model, uncalibrated"}


def test_a_run_is_compared_on_articles_it_was_not_trained_on(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    labels = toy_set.table.drop_duplicates("unit")[["unit", "stance"]]
    made = compare(toy_set, {"theirs": labels}, run=linear_run)
    held_out = set(read_run_summary(linear_run).split[TEST])
    assert set(made.order["stance"]) == {"theirs", linear_run.name}
    assert made.predictors.rows[0].counts["n_articles"] <= len(held_out)


def test_labels_may_not_be_named_like_the_run(linear_run: Path, toy_set: AnnotationSet) -> None:
    labels = toy_set.table.drop_duplicates("unit")[["unit", "stance"]]
    with pytest.raises(DataError, match="labels named other than the run 'linear' were required"):
        compare(toy_set, {"linear": labels}, run=linear_run)


def test_tables_in_memory_need_names(toy_set: AnnotationSet) -> None:
    frame = pd.DataFrame({"unit": [], "stance": []})
    with pytest.raises(DataError, match="labels in memory need names"):
        compare(toy_set, [frame, frame])


def test_requests_have_the_passages_that_a_run_reads(
    linear_run: Path, toy_set: AnnotationSet
) -> None:
    articles = toy_set.articles[:3]
    made = prompt(articles, run=linear_run, options=PromptOptions(batch="text"))
    scorer = load(linear_run)
    found = [scorer.find(article) for article in articles]
    read = [p.text for p in scorer.preparation.passages(found) for _ in p.mentions]
    shown = [str(request["prompt"]).split("Passage:\n")[1] for request in made.requests]
    assert [text.replace("[[", "").replace("]]", "") for text in shown] == read
