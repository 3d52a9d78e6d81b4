"""Models trained in folds, and that no article is judged by one that has seen it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifier.annotations import AnnotationSet
from classifier.errors import DataError, ModelError, ReplaceError
from classifier.models import FOLDS, FoldedModel, TrainOptions, read_folds
from classifier.pipeline import evaluate
from classifier.predictions import read_predictions
from classifier.profiles import ProfileOptions, profile
from classifier.records import Article
from classifier.score import Scorer, load
from classifier.training import read_run_summary, train
from classifier.training._cross_fitting import deal_folds

LINEAR = TrainOptions(model="linear")
N_FOLDS = 4


@pytest.fixture(scope="module")
def run(toy_set: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "folded"
    return train(toy_set, LINEAR, out, folds=N_FOLDS).path


def folded(run: Path) -> FoldedModel:
    model = read_folds(run).model
    assert isinstance(model, FoldedModel)
    return model


def test_every_article_is_in_one_fold_and_folds_are_alike_in_size(toy_set: AnnotationSet) -> None:
    folds = deal_folds(toy_set, N_FOLDS, LINEAR)
    assert sorted(name for fold in folds for name in fold) == sorted(toy_set.article_by_id)
    assert [len(fold) for fold in folds] == [10, 10, 10, 10]


def test_a_story_stays_in_one_fold(toy_set: AnnotationSet) -> None:
    articles = tuple(replace(a, story_id=f"s{i // 3}") for i, a in enumerate(toy_set.articles))
    for fold in deal_folds(replace(toy_set, articles=articles), N_FOLDS, LINEAR):
        stories = {a.story_id for a in articles if a.article_id in fold}
        assert not stories & {a.story_id for a in articles if a.article_id not in fold}


def test_what_a_publisher_holds_out_is_in_no_fold(toy_set: AnnotationSet) -> None:
    first, *rest = toy_set.articles
    held = replace(toy_set, articles=(replace(first, split="test"), *rest))
    assert first.article_id not in {
        name for fold in deal_folds(held, N_FOLDS, LINEAR) for name in fold
    }


def test_no_model_has_seen_the_fold_that_it_judges(run: Path) -> None:
    model = folded(run)
    for k, member in enumerate(model.members):
        own = {name for name, fold in model.fold_of.items() if fold == k}
        assert own
        assert not own & set(member.parts)


def test_the_last_model_is_trained_on_all(run: Path, toy_set: AnnotationSet) -> None:
    split = read_run_summary(run).split
    assert "test" not in split
    assert sorted(name for part in split.values() for name in part) == sorted(toy_set.article_by_id)


def test_every_coded_article_has_a_prediction_with_its_fold(
    run: Path, toy_set: AnnotationSet
) -> None:
    frame = read_predictions(run / "out_of_fold.parquet")
    assert set(frame["article_id"]) == set(toy_set.article_by_id)
    assert set(frame["part"]) == {f"fold {k + 1} of {N_FOLDS}" for k in range(N_FOLDS)}
    assert frame["model_id"].iloc[0].endswith(", 4 folds")


def test_an_article_is_judged_by_the_model_of_its_fold(run: Path, toy_set: AnnotationSet) -> None:
    frame = read_predictions(run / "out_of_fold.parquet").set_index("unit")
    model = folded(run)
    name = toy_set.articles[7].article_id
    alone = Scorer(model.members[model.fold(name)]).score_annotations(toy_set, [name]).to_frame()
    assert frame.loc[alone["unit"], "stance_score"].tolist() == pytest.approx(
        alone["stance_score"].tolist()
    )


def test_other_articles_are_shared_out_evenly_and_always_alike(run: Path) -> None:
    model = folded(run)
    counts = np.bincount([model.fold(f"new {i}") for i in range(400)])
    # 400 in four even parts: 100 each, with a standard deviation of 8.7.
    assert counts.min() > 70
    assert counts.max() < 130
    text = "Turkey was praised at the harbour."
    first, second = (load(run, folds=True).score(text).to_frame() for _ in range(2))
    assert first["stance_score"].tolist() == second["stance_score"].tolist()
    assert first["part"].tolist() == [None]


def test_coded_articles_correct_the_profile(run: Path, toy_set: AnnotationSet) -> None:
    coded = replace(
        toy_set, articles=tuple(replace(a, sampling_probability=0.5) for a in toy_set.articles)
    )
    more = [replace(a, article_id=f"more {a.article_id}") for a in toy_set.articles]
    scored = load(run, folds=True).score_articles([*toy_set.articles, *more])
    options = ProfileOptions(by=("target",))
    made = profile(scored, gold=coded, options=options)
    assert made.left_out == {}
    row = made.rows[-1]
    assert row.n_coded_articles == 40
    assert row.drawn == (
        "at random, each with chance 0.5; the model was trained on them in folds, and every "
        "article was judged by a model that had not seen it (cross-fitted)"
    )
    assert row.quantity("stance").corrected.method.endswith("; cross-fitted")
    plain = profile(load(run).score_articles(toy_set.articles), gold=coded, options=options)
    assert set(plain.left_out) == {"article the model was trained on"}


def test_a_run_with_folds_is_evaluated_on_them(run: Path, toy_set: AnnotationSet) -> None:
    result = evaluate(run, toy_set)
    assert result.counts["n_articles"] == len(toy_set.articles)


def test_a_run_without_folds_says_so(linear_run: Path) -> None:
    with pytest.raises(ModelError, match="has no folds; train it with them"):
        load(linear_run, folds=True)


def test_folds_of_another_run_are_refused(run: Path, tmp_path: Path) -> None:
    own = shutil.copytree(run, tmp_path / "run")
    (own / FOLDS / "1" / "training.json").unlink()
    with pytest.raises(ModelError, match="the folds are not those of this run"):
        load(own, folds=True)


def test_a_run_replaces_an_older_run_by_force_only(
    run: Path, toy_set: AnnotationSet, tmp_path: Path
) -> None:
    own = shutil.copytree(run, tmp_path / "run")
    with pytest.raises(ReplaceError, match="it holds a finished run with 4 folds of 20"):
        train(toy_set, replace(LINEAR, seed=5), own)
    again = train(toy_set, replace(LINEAR, seed=5), own, force=True)
    assert again.record["seed"] == 5
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_one_fold_is_refused(toy_set: AnnotationSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs at least 2 folds, got 1"):
        train(toy_set, LINEAR, tmp_path / "run", folds=1)


def test_folds_that_are_done_are_kept_when_resuming(toy_set: AnnotationSet, tmp_path: Path) -> None:
    def stop(_done: int, _total: int, word: str) -> None:
        if word.startswith("fold 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(toy_set, LINEAR, tmp_path / "run", folds=2, progress=stop)
    first = tmp_path / ".run.folds" / "1" / "training.json"
    before = first.read_bytes()
    run = train(toy_set, LINEAR, tmp_path / "run", folds=2, resume=True).path
    assert (run / FOLDS / "1" / "training.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert read_folds(run).model_id.endswith(", 2 folds")


def test_resuming_folds_with_other_options_is_refused(
    toy_set: AnnotationSet, tmp_path: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(toy_set, LINEAR, tmp_path / "run", folds=2, progress=stop)
    with pytest.raises(ModelError, match=r"resuming needs what .* seed was 0, is 3: use the same"):
        train(toy_set, replace(LINEAR, seed=3), tmp_path / "run", folds=2, resume=True)


def test_articles_that_nobody_coded_are_in_no_fold(toy_set: AnnotationSet, tmp_path: Path) -> None:
    extra = Article("uncoded", "Turkey was praised.", language="en")
    wider = replace(toy_set, articles=(*toy_set.articles, extra))
    run = train(wider, LINEAR, tmp_path / "run", folds=2).path
    assert "uncoded" not in folded(run).fold_of
    assert "uncoded" not in read_folds(run).parts
