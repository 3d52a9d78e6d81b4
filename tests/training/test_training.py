"""From an annotation set to a run folder, and everything that must stop on the way."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet, write_annotations
from classifier.codebook import default_codebook, read_codebook
from classifier.errors import CodebookError, DataError, ModelError
from classifier.models import TrainOptions, read_run
from classifier.models._protocol import suited
from classifier.report import chart
from classifier.text import split_sentences
from classifier.training import read_run_summary, train
from classifier.training._record import data_sha256

LINEAR = TrainOptions(model="linear")
QUICK = TrainOptions(epochs=1, batch_size=8, max_tokens=64)


def test_the_record_says_what_the_model_was_made_of(
    toy_set: AnnotationSet, linear_run: Path
) -> None:
    record = read_run_summary(linear_run).record
    assert record["variables"] == ["stance", "roles"]
    assert record["data"]["articles"] == len(toy_set.articles)
    assert record["training_languages"] == {"en": 36, "nl": 36}
    assert record["versions"]["numpy"]
    assert set(record["metrics"]) == {"stance", "roles"}


def test_the_split_names_every_article_once(toy_set: AnnotationSet, linear_run: Path) -> None:
    run = read_run_summary(linear_run)
    ids = [article_id for part in run.split.values() for article_id in part]
    assert sorted(ids) == sorted(article.article_id for article in toy_set.articles)
    assert list(run.to_frame()["part"]) == list(run.split)


def test_the_codebook_travels_with_the_run(linear_run: Path) -> None:
    assert read_codebook(linear_run / "codebook.toml") == default_codebook()


def test_a_run_says_what_it_is(linear_run: Path) -> None:
    run = read_run_summary(linear_run)
    stance = run.metrics["stance"]["macro_f1"]
    assert repr(run).startswith(f"Run in {linear_run}: linear; macro-F1 on calibration articles: ")
    assert f"stance {stance:.3f}" in repr(run)
    assert "calibration" in run._repr_html_()


def test_a_run_without_epochs_has_no_chart(linear_run: Path) -> None:
    with pytest.raises(DataError, match="a chart needs figures"):
        chart(read_run_summary(linear_run))


def test_nothing_is_left_beside_the_run(linear_run: Path) -> None:
    assert [path.name for path in linear_run.parent.iterdir()] == ["linear"]


def test_a_set_on_disk_trains_like_one_in_memory(
    toy_set: AnnotationSet, linear_run: Path, tmp_path: Path
) -> None:
    write_annotations(toy_set, tmp_path / "set")
    run = train(tmp_path / "set", LINEAR, tmp_path / "run")
    assert run.record["metrics"] == read_run_summary(linear_run).record["metrics"]
    assert run.record["data"] == read_run_summary(linear_run).record["data"]


def test_an_encoder_run_holds_no_pickle(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    run = train(toy_set, replace(QUICK, base_model=str(tiny_bert)), tmp_path / "run")
    names = {path.name for path in run.path.rglob("*")}
    assert {"model.safetensors", "config.json", "tokenizer.json", "calibration.json"} <= names
    assert not [n for n in names if n.endswith((".bin", ".pt", ".pth", ".pkl"))]
    assert set(run.record["files"]) | {"training.json", "README.md"} == names
    assert run.epochs["epoch"].tolist() == [1.0]
    assert "macro-F1" in str(chart(run).to_dict())


def test_a_folder_with_something_else_is_not_overwritten(
    toy_set: AnnotationSet, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("keep me")
    with pytest.raises(ModelError, match="holds something other than a run"):
        train(toy_set, LINEAR, tmp_path)


@pytest.mark.parametrize("name", ["linear.skops", "codebook.toml", "calibration.json"])
def test_an_altered_file_is_refused(name: str, linear_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(linear_run, tmp_path / "run")
    with (run / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ModelError, match=f"{name} is not the file that the run was saved with"):
        read_run(run)


def test_a_missing_file_is_refused(linear_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(linear_run, tmp_path / "run")
    (run / "linear.skops").unlink()
    with pytest.raises(ModelError, match=r"lacks linear\.skops"):
        read_run(run)


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"must be a run folder, but it has no training\.json"):
        read_run(tmp_path)


def test_the_voice_is_learnt_only_when_asked_for(toy_set: AnnotationSet, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'voice' has no labels in the training articles"):
        train(toy_set, replace(LINEAR, variables=("voice",)), tmp_path / "run")


def test_an_unknown_variable_is_refused(toy_set: AnnotationSet, tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="got 'mood'"):
        train(toy_set, replace(LINEAR, variables=("mood",)), tmp_path / "run")


def test_one_class_is_refused(toy_set: AnnotationSet, tmp_path: Path) -> None:
    same = toy_set.table.assign(stance="neutral")
    with pytest.raises(DataError, match="'stance' has one and the same label"):
        train(replace(toy_set, table=same), LINEAR, tmp_path / "run")


def test_fewer_articles_than_parts_are_refused(toy_set: AnnotationSet, tmp_path: Path) -> None:
    few = toy_set.articles[:3]
    table = toy_set.table[toy_set.table["article_id"].isin([a.article_id for a in few])]
    with pytest.raises(DataError, match="needs at least 4 groups of articles"):
        train(AnnotationSet(few, table, toy_set.codebook), LINEAR, tmp_path / "run")


def test_a_flag_makes_other_data(toy_set: AnnotationSet) -> None:
    table = toy_set.table.copy()
    table.loc[0, "not_target"] = True
    assert data_sha256(replace(toy_set, table=table)) != data_sha256(toy_set)


def test_resuming_with_other_options_is_refused(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    options = replace(QUICK, base_model=str(tiny_bert))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(toy_set, options, tmp_path / "run", progress=stop)
    with pytest.raises(ModelError, match=r"resuming needs what .* seed was 0, is 9: use the same"):
        train(toy_set, replace(options, seed=9), tmp_path / "run", resume=True)


def test_an_interrupted_training_goes_on_and_ends_like_an_undisturbed_one(
    toy_set: AnnotationSet, linear_run: Path, tiny_bert: Path, tmp_path: Path
) -> None:
    older = shutil.copytree(linear_run, tmp_path / "stopped")
    before = (older / "training.json").read_bytes()
    options = replace(QUICK, base_model=str(tiny_bert), epochs=3, patience=3)

    def stop(done: int, total: int, _note: str) -> None:
        if done > total * 2 / 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(toy_set, options, older, force=True, progress=stop)
    assert (older / "training.json").read_bytes() == before
    steps: list[int] = []
    stopped = train(
        toy_set, options, older, resume=True, progress=lambda done, *_: steps.append(done)
    ).record
    assert min(steps) > max(steps) / 4
    calm = train(toy_set, options, tmp_path / "calm").record
    assert stopped["files"] == calm["files"]
    assert stopped["history"] == calm["history"]


def test_a_model_reads_neighbours_only_if_it_was_trained_with_them(
    toy_set: AnnotationSet, linear_run: Path, tmp_path: Path
) -> None:
    assert read_run_summary(linear_run).record["context"] == 1
    single, spans = [], {}
    for article in toy_set.articles:
        for sentence in split_sentences(article.text, article.language):
            name = f"{article.article_id}-{sentence.start}"
            text = sentence.of(article.text)
            single.append(replace(article, article_id=name, text=text))
            spans[article.article_id, sentence.start] = name
    table = toy_set.table.copy()
    table["article_id"] = [
        spans[i, start] for i, start in zip(table["article_id"], table["start"], strict=True)
    ]
    table["end"] -= table["start"]
    table["start"] = 0
    table["unit"] = [
        f"{i}:0-{end}:x" for i, end in zip(table["article_id"], table["end"], strict=True)
    ]
    alone = AnnotationSet(tuple(single), table, toy_set.codebook)
    assert train(alone, LINEAR, tmp_path / "run").record["context"] == 0


def test_options_are_checked_once() -> None:
    with pytest.raises(ModelError, match="option epochs must lie between 0 and 1000; got -1"):
        TrainOptions(epochs=-1)
    with pytest.raises(ModelError, match="option model must be one of encoder, linear; got 'tree'"):
        TrainOptions(model="tree")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("n_passages", "batch_size", "epochs", "patience"),
    [
        pytest.param(6900, 32, 4, 2, id="large: 216 steps an epoch"),
        pytest.param(256, 8, 10, 5, id="small: 32 steps an epoch, 10 epochs make 320"),
        pytest.param(20, 4, 60, 30, id="tiny: 5 steps an epoch"),
    ],
)
def test_options_left_open_suit_the_size_of_the_set(
    n_passages: int, batch_size: int, epochs: int, patience: int
) -> None:
    chosen = suited(TrainOptions(), n_passages)
    assert (chosen.batch_size, chosen.epochs, chosen.patience) == (batch_size, epochs, patience)


def test_options_that_were_named_are_kept() -> None:
    named = TrainOptions(epochs=2, batch_size=16, patience=1)
    assert suited(named, 20) == named
