"""The demo explains its strongest scores, and with folds profiles every article."""

from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet
from classifier.models import TrainOptions
from classifier.pipeline import Demo, demo
from classifier.pipeline._report import scorer_behind

LINEAR = TrainOptions(model="linear")
EXPLAINED = '"explained":"stance_score"'


@pytest.fixture(scope="module")
def plain(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("demo"), toy_set, options=LINEAR)


@pytest.fixture(scope="module")
def folded(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return demo(tmp_path_factory.mktemp("folded"), toy_set, options=LINEAR, folds=3)


def test_its_page_shows_words_that_carry_scores(plain: Demo) -> None:
    assert EXPLAINED in plain.report.read_text(encoding="utf-8")


def test_with_folds_every_article_is_profiled(folded: Demo, toy_set: AnnotationSet) -> None:
    frame = folded.predictions.to_frame()
    assert set(frame["article_id"]) == set(toy_set.article_by_id)
    assert set(frame["status"]) == {"ok"}


def test_with_folds_fewer_means_are_withheld(plain: Demo, folded: Demo) -> None:
    known = [
        sum(row.quantities[0].corrected.value is not None for row in made.profiles[-1])
        for made in (plain, folded)
    ]
    assert known[1] > known[0]


def test_with_folds_scores_are_explained_too(folded: Demo) -> None:
    assert EXPLAINED in folded.report.read_text(encoding="utf-8")
    assert Path(folded.run.path / "folds").is_dir()


def test_the_scorer_behind_predictions_is_found(plain: Demo, folded: Demo) -> None:
    for made in (plain, folded):
        frame = made.predictions.to_frame()
        assert scorer_behind(frame, made.run.path).trained.model_id == frame["model_id"].iloc[0]
