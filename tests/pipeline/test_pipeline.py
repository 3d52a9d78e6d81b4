import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import AnnotationSet, read_annotations, write_annotations
from classifier.errors import DataError
from classifier.evaluation import evaluate as judge
from classifier.intervals import InferenceOptions
from classifier.models import TrainOptions
from classifier.pipeline import Demo, demo, evaluate
from classifier.pipeline._evaluate import select_articles
from classifier.pipeline._report import scorer_behind
from classifier.profiles import PlanOptions, ProfileOptions, extend, plan, profile
from classifier.sampling import DrawOptions, read_frame, sample
from classifier.sampling._draw import write_frame


@pytest.fixture(scope="module")
def made(toy_set: AnnotationSet, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The whole chain, once, on a tiny encoder."""
    options = TrainOptions(base_model=str(tiny_bert), epochs=1, batch_size=8)
    return demo(tmp_path_factory.mktemp("demo"), toy_set, options=options)


def test_the_chain_ends_in_a_report_that_says_what_it_is(made: Demo) -> None:
    page = made.report.read_text(encoding="utf-8")
    assert "it is no evidence about anyone" in page
    assert "Profiles by source and target" in page


def test_the_report_is_written_as_markdown_too(made: Demo) -> None:
    assert made.report.with_suffix(".md").read_text(encoding="utf-8").startswith("# Stance")


def test_every_found_mention_has_a_prediction(made: Demo) -> None:
    frame = made.predictions.to_frame()
    assert len(frame) > 0
    assert set(frame["status"]) == {"ok"}


def test_the_model_is_judged_beside_linear_and_majority(made: Demo) -> None:
    predictors = {row.keys["predictor"] for row in made.evaluation.table("accuracy")}
    assert predictors == {"model", "linear", "majority class"}


def test_profiles_are_of_articles_that_were_not_trained_on(made: Demo) -> None:
    seen = {
        name for part in ("train", "development", "calibration") for name in made.run.split[part]
    }
    assert not seen & set(made.predictions.to_frame()["article_id"])


def test_the_run_folder_has_a_model_card(made: Demo) -> None:
    card = (made.run.path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Model card")
    assert "unfavourable" in card


def test_results_are_json_without_nan(made: Demo) -> None:
    plain = [made.agreement.to_dict(), made.evaluation.to_dict()]
    plain += [profile.to_dict() for profile in made.profiles]
    assert json.loads(json.dumps(plain, allow_nan=False))


def test_a_demo_shows_all_that_it_made(made: Demo) -> None:
    for shown in (repr(made), made._repr_html_()):
        assert "Agreement between ann" in shown
        assert "macro_f1" in shown
        assert "Mean over all mentions" in shown
        assert str(made.report) in shown
    assert made.to_frame().equals(made.profiles[-1].to_frame())


def test_evaluation_refuses_a_part_that_is_not_there(made: Demo, toy_set: AnnotationSet) -> None:
    with pytest.raises(DataError, match="got 'devtest', which has no article here"):
        evaluate(made.run, toy_set, split="devtest")


def test_the_default_part_is_the_held_out_one(made: Demo, toy_set: AnnotationSet) -> None:
    assert select_articles(made.run, toy_set, None) == set(made.run.split["test"])


def test_a_set_that_was_trained_on_entirely_is_refused(made: Demo, toy_set: AnnotationSet) -> None:
    seen = made.run.split["train"]
    articles = tuple(a for a in toy_set.articles if a.article_id in seen)
    trained = AnnotationSet(articles, toy_set.table, toy_set.codebook)
    with pytest.raises(DataError, match="that the run was not trained on"):
        evaluate(made.run, trained)


def test_anyones_predictions_can_be_judged(toy_set: AnnotationSet) -> None:
    rows = toy_set.table.drop_duplicates("unit")
    perfect = pd.DataFrame({"unit": rows["unit"], "stance": rows["stance"]})
    result = judge(toy_set, perfect)
    row = result.table("accuracy").row(variable="stance", predictor="model")
    assert row["macro_f1"].value == pytest.approx(1.0)


def _coded_twice(one: AnnotationSet) -> AnnotationSet:
    table = pd.concat([one.table, one.table.assign(annotator="ben")], ignore_index=True)
    return replace(one, table=table)


def test_agreement_reports_every_variable(toy_set: AnnotationSet) -> None:
    report = measure_agreement(_coded_twice(toy_set))
    assert [entry.variable for entry in report] == ["stance", "roles", "voice"]
    assert {"all", "language en", "language nl"} <= set(report.to_frame()["part"])


def test_agreement_has_no_part_by_a_source_that_nobody_knows(toy_set: AnnotationSet) -> None:
    articles = tuple(replace(article, source=None) for article in toy_set.articles)
    coded = _coded_twice(replace(toy_set, articles=articles))
    parts = set(measure_agreement(coded).to_frame()["part"])
    assert {"all", "language en"} <= parts
    assert not any("source" in part for part in parts)
    some = (replace(articles[0], source="Post"), *articles[1:])
    parts = set(measure_agreement(replace(coded, articles=some)).to_frame()["part"])
    assert "no source" in parts


def test_a_profile_reads_predictions_from_a_file(made: Demo, tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    made.predictions.write(path)
    assert profile(path).to_dict() == profile(made.predictions).to_dict()


def test_a_plan_has_a_line_per_group(made: Demo, toy_set: AnnotationSet) -> None:
    rows = plan(made.predictions, toy_set, options=ProfileOptions(by=("target",)))
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


PLANNED = PlanOptions(
    0.2, ProfileOptions(by=("source",), inference=InferenceOptions(population="corpus"))
)
"""In a fixed corpus every width can be reached."""


@pytest.fixture(scope="module")
def half_coded(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty of the toy set's forty articles, drawn by language and coded."""
    root = tmp_path_factory.mktemp("plan")
    write_annotations(toy_set, root / "all")
    drawn = sample(root / "all" / "articles.jsonl", 20, options=DrawOptions(by=("language",)))
    chosen = {a.article_id for a in drawn.annotation_set.articles}
    table = toy_set.table[toy_set.table["article_id"].isin(chosen)]
    write_annotations(replace(drawn.annotation_set, table=table), root / "coded")
    write_frame(drawn.sample.frame, root / "coded")
    return root


def test_what_a_plan_asks_for_is_drawn_around_the_coded(
    half_coded: Path, toy_scores: pd.DataFrame
) -> None:
    made = extend(toy_scores, half_coded / "coded", half_coded / "all" / "articles.jsonl", PLANNED)
    # Too few to plan from: as many as a correction takes.
    more = {
        row["source"]: 8 - row["coded"] if row["more"] is None else row["more"] for row in made.plan
    }
    new = made.annotation_set.articles[20:]
    assert 0 < len(new) == len(made.sample.table)
    for source, wanted in more.items():
        assert sum(a.source == source for a in new) == wanted
    # Half were drawn first; of those left, `more`: 1/2 + 1/2 * more / left, coded or not.
    for article in made.annotation_set.articles:
        source = str(article.source)
        n_coded = sum(a.source == source for a in made.annotation_set.articles[:20])
        n_left = int((toy_scores.groupby("source")["article_id"].nunique())[source]) - n_coded
        expected = 0.5 + 0.5 * min(more[source] / n_left, 1)
        assert article.sampling_probability == pytest.approx(expected)
    assert len(made.annotation_set.table) == 60
    assert len(made.to_frame()) == len(new)
    assert f"of which new Sample: {len(new)} of" in repr(made)
    assert "interval of ± 0.2" in made._repr_html_()


def test_without_a_frame_the_chances_are_those_of_the_source(
    half_coded: Path, toy_scores: pd.DataFrame, tmp_path: Path
) -> None:
    coded = read_annotations(half_coded / "coded")
    write_annotations(coded, tmp_path / "coded")
    articles = half_coded / "all" / "articles.jsonl"
    with_frame = extend(toy_scores, half_coded / "coded", articles, PLANNED)
    without = extend(toy_scores, tmp_path / "coded", articles, PLANNED)
    assert without.annotation_set.articles[:20] == with_frame.annotation_set.articles[:20]


def test_drawing_around_articles_of_unknown_chance_is_refused(
    half_coded: Path, toy_set: AnnotationSet, toy_scores: pd.DataFrame, tmp_path: Path
) -> None:
    write_annotations(toy_set, tmp_path / "set")
    with pytest.raises(DataError, match="the chance that every article had must be known"):
        extend(toy_scores, tmp_path / "set", half_coded / "all" / "articles.jsonl")


def test_the_texts_of_what_is_drawn_are_required(
    half_coded: Path, toy_scores: pd.DataFrame
) -> None:
    coded = half_coded / "coded"
    with pytest.raises(DataError, match="those drawn are not there"):
        extend(toy_scores, coded, coded / "articles.jsonl", PLANNED)


def test_a_profile_reads_everyones_chances_beside_the_annotations(
    half_coded: Path, toy_scores: pd.DataFrame
) -> None:
    # By target both languages come together, and with other chances for one of them the draw is
    # unequal: only the frame says what chance the articles had that were not drawn.
    coded = read_annotations(half_coded / "coded")
    tilted = tuple(
        replace(a, sampling_probability=0.5 if a.language == "nl" else 0.45) for a in coded.articles
    )
    write_annotations(replace(coded, articles=tilted), half_coded / "tilted")
    options = ProfileOptions(by=("target",))
    untested = profile(toy_scores, gold=half_coded / "tilted", options=options).rows[-1]
    assert untested.verdict.endswith("chances of articles that were not drawn are not known")
    frame = read_frame(half_coded / "coded")
    assert frame is not None
    write_frame(frame, half_coded / "tilted")
    tested = profile(toy_scores, gold=half_coded / "tilted", options=options).rows[-1]
    assert tested.randomness is not None
    assert tested.randomness.p_value is not None


def test_drawing_by_uncertainty_needs_predictions(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs a model's predictions, got none"):
        sample(tmp_path, 3, options=DrawOptions(design="uncertainty"))


_EXPLAINED = '"explained":"stance_score"'


@pytest.fixture(scope="module")
def folded(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(
        tmp_path_factory.mktemp("folded"), toy_set, options=TrainOptions(model="linear"), folds=3
    )


def test_its_page_shows_words_that_carry_scores(made: Demo) -> None:
    assert _EXPLAINED in made.report.read_text(encoding="utf-8")


def test_with_folds_every_article_is_profiled(folded: Demo, toy_set: AnnotationSet) -> None:
    frame = folded.predictions.to_frame()
    assert set(frame["article_id"]) == set(toy_set.article_by_id)
    assert set(frame["status"]) == {"ok"}


def test_with_folds_fewer_means_are_withheld(made: Demo, folded: Demo) -> None:
    known = [
        sum(row.quantities[0].corrected.value is not None for row in each.profiles[-1])
        for each in (made, folded)
    ]
    assert known[1] > known[0]


def test_with_folds_scores_are_explained_too(folded: Demo) -> None:
    assert _EXPLAINED in folded.report.read_text(encoding="utf-8")
    assert Path(folded.run.path / "folds").is_dir()


def test_the_scorer_behind_predictions_is_found(made: Demo, folded: Demo) -> None:
    for each in (made, folded):
        frame = each.predictions.to_frame()
        assert scorer_behind(frame, each.run.path).trained.model_id == frame["model_id"].iloc[0]
