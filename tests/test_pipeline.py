import json
from pathlib import Path

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet, write_annotations
from classifier.errors import DataError
from classifier.models.options import TrainOptions
from classifier.pipeline import (
    Demo,
    DrawOptions,
    demonstrate,
    evaluate,
    evaluate_predictions,
    measure_agreement,
    plan,
    profile,
    sample,
)
from classifier.pipeline.evaluating import select_articles
from classifier.profiles import ProfileOptions


@pytest.fixture(scope="module")
def demo(toy_set: AnnotationSet, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The whole chain, once, on a tiny encoder."""
    options = TrainOptions(base_model=str(tiny_bert), epochs=1, batch_size=8)
    return demonstrate(tmp_path_factory.mktemp("demo"), toy_set, options=options)


def test_the_chain_ends_in_a_report_that_says_what_it_is(demo: Demo) -> None:
    page = demo.report.read_text(encoding="utf-8")
    assert "it is no evidence about anyone" in page
    assert "Profiles by source and target" in page


def test_the_report_is_written_as_markdown_too(demo: Demo) -> None:
    assert demo.report.with_suffix(".md").read_text(encoding="utf-8").startswith("# Stance")


def test_every_found_mention_has_a_prediction(demo: Demo) -> None:
    frame = demo.predictions.to_frame()
    assert len(frame) > 0
    assert set(frame["status"]) == {"ok"}


def test_the_model_is_judged_beside_linear_and_majority(demo: Demo) -> None:
    predictors = {row.keys["predictor"] for row in demo.evaluation.table("accuracy")}
    assert predictors == {"model", "linear", "majority class"}


def test_profiles_are_of_articles_that_were_not_trained_on(demo: Demo) -> None:
    seen = {
        name for part in ("train", "development", "calibration") for name in demo.run.split[part]
    }
    assert not seen & set(demo.predictions.to_frame()["article_id"])


def test_the_run_folder_has_a_model_card(demo: Demo) -> None:
    card = (demo.run.path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card")
    assert "unfavourable" in card


def test_results_are_json_without_nan(demo: Demo) -> None:
    plain = [demo.agreement.to_dict(), demo.evaluation.to_dict()]
    plain += [profile.to_dict() for profile in demo.profiles]
    assert json.loads(json.dumps(plain, allow_nan=False))


def test_evaluation_refuses_a_part_that_is_not_there(demo: Demo, toy_set: AnnotationSet) -> None:
    with pytest.raises(DataError, match="got 'devtest', which has no article here"):
        evaluate(demo.run, toy_set, split="devtest")


def test_the_default_part_is_the_held_out_one(demo: Demo, toy_set: AnnotationSet) -> None:
    assert select_articles(demo.run, toy_set, None) == set(demo.run.split["test"])


def test_a_set_that_was_trained_on_entirely_is_refused(demo: Demo, toy_set: AnnotationSet) -> None:
    seen = demo.run.split["train"]
    articles = tuple(a for a in toy_set.articles if a.article_id in seen)
    trained = AnnotationSet(articles, toy_set.table, toy_set.codebook)
    with pytest.raises(DataError, match="that the run was not trained on"):
        evaluate(demo.run, trained)


def test_anyones_predictions_can_be_judged(toy_set: AnnotationSet) -> None:
    rows = toy_set.table.drop_duplicates("unit")
    perfect = pd.DataFrame({"unit": rows["unit"], "stance": rows["stance"]})
    result = evaluate_predictions(perfect, toy_set)
    row = result.table("accuracy").row(variable="stance", predictor="model")
    assert row["macro_f1"].value == pytest.approx(1.0)


def test_agreement_reports_every_variable(toy_set: AnnotationSet) -> None:
    report = measure_agreement(toy_set)
    assert [entry.variable for entry in report] == ["stance", "roles", "voice"]
    assert {"all", "language en", "language nl"} <= set(report.to_frame()["part"])


def test_a_profile_reads_predictions_from_a_file(demo: Demo, tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    demo.predictions.write(path)
    assert profile(path).to_dict() == profile(demo.predictions).to_dict()


def test_a_plan_has_a_line_per_group(demo: Demo, toy_set: AnnotationSet) -> None:
    rows = plan(demo.predictions, toy_set, options=ProfileOptions(by=("target",)))
    assert [row["target"] for row in rows] == ["RU", "TR", "UA"]


def test_a_drawn_article_carries_its_chance(toy_set: AnnotationSet, tmp_path: Path) -> None:
    write_annotations(toy_set, tmp_path)
    drawn = sample(tmp_path / "articles.jsonl", 10, options=DrawOptions(by=("language",)))
    chances = {article.sampling_probability for article in drawn.annotation_set.articles}
    assert len(drawn.annotation_set.articles) == 10
    assert chances == {0.25}
    assert set(drawn.suggestions["article_id"]) <= {
        article.article_id for article in drawn.annotation_set.articles
    }


def test_drawing_by_uncertainty_needs_predictions(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs a model's predictions, got none"):
        sample(tmp_path, 3, options=DrawOptions(design="uncertainty"))
