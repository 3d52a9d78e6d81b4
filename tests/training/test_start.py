"""Training that goes on from a run instead of a base."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet
from classifier.codebook import Variable, default_codebook
from classifier.errors import DataError, ModelError
from classifier.models import RECORD, TrainOptions, find_start, read_run
from classifier.training import read_run_summary, train

QUICK = TrainOptions(epochs=1, batch_size=8, max_tokens=32)


def _stance(**changes: object) -> Variable:
    return replace(default_codebook().variable("stance"), **changes)  # type: ignore[arg-type]


def _coded(toy_set: AnnotationSet, variables: tuple[Variable, ...]) -> AnnotationSet:
    """The toy set with the stance coded under these variables instead, label by place."""
    codebook = replace(default_codebook(), variables=variables)
    table, old = toy_set.table.copy(), default_codebook().variable("stance")
    for variable in variables:
        places = [old.names.index(label) % len(variable.names) for label in toy_set.table["stance"]]
        table[variable.name] = [variable.names[place] for place in places]
    return AnnotationSet(toy_set.articles, table, codebook)


def test_the_record_and_the_card_say_what_it_started_from(
    toy_set: AnnotationSet, encoder_run: Path, tmp_path: Path
) -> None:
    mixed = _coded(toy_set, (_stance(), _stance(name="tone")))
    run = train(mixed, replace(QUICK, start=str(encoder_run)), tmp_path / "run")
    start = run.record["start"]
    assert start["name"] == "encoder"
    assert start["model_id"] == read_run(encoder_run).model_id
    assert (start["heads_taken_over"], start["heads_new"]) == (["stance"], ["tone"])
    card = (run.path / "README.md").read_text(encoding="utf-8")
    assert "training started from the run “encoder”" in card
    assert "its heads of tone are new" in card


def test_what_the_start_has_seen_keeps_its_part(
    toy_set: AnnotationSet, encoder_run: Path, tmp_path: Path
) -> None:
    before = read_run_summary(encoder_run).split
    run = train(toy_set, replace(QUICK, start=str(encoder_run), seed=5), tmp_path / "run")
    assert {p: set(ids) for p, ids in run.split.items()} == {p: set(i) for p, i in before.items()}


def test_what_only_the_start_has_seen_is_told_of_by_the_run(
    toy_set: AnnotationSet, encoder_run: Path, tmp_path: Path
) -> None:
    renamed = tuple(replace(a, article_id=f"own-{a.article_id}") for a in toy_set.articles)
    table = toy_set.table.assign(
        article_id="own-" + toy_set.table["article_id"], unit="own-" + toy_set.table["unit"]
    )
    own = AnnotationSet(renamed, table, toy_set.codebook)
    run = train(own, replace(QUICK, start=str(encoder_run)), tmp_path / "run")
    parts = read_run(run.path).parts
    seen = read_run_summary(encoder_run).split
    assert all(parts[name] == part for part, names in seen.items() for name in names)
    assert sum(name.startswith("own-") for name in parts) == len(toy_set.articles)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels": default_codebook().variable("stance").labels[:2]},
            "where it is ordinal with unfavourable, neutral, favourable; the codebook has ordinal "
            "with unfavourable, neutral:",
        ),
        ({"kind": "nominal"}, "the codebook has nominal with unfavourable, neutral, favourable:"),
    ],
)
def test_a_variable_must_be_the_same_as_in_the_run(
    toy_set: AnnotationSet,
    encoder_run: Path,
    tmp_path: Path,
    changes: dict[str, object],
    message: str,
) -> None:
    other = _coded(toy_set, (_stance(**changes),))
    with pytest.raises(ModelError, match=message):
        train(other, replace(QUICK, start=str(encoder_run)), tmp_path / "run")


def test_another_base_is_refused(encoder_run: Path) -> None:
    options = replace(QUICK, start=str(encoder_run), base_model="elsewhere")
    with pytest.raises(ModelError, match=r"brings its base along: .* got base_model 'elsewhere'"):
        find_start(options)


def test_a_base_that_changed_is_refused(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_bert, base)
    first = train(toy_set, replace(QUICK, base_model=str(base)), tmp_path / "first").path
    file = base / "tokenizer.json"
    file.write_text(file.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(ModelError, match=r"'first' was trained on a base .* install the version"):
        train(toy_set, replace(QUICK, start=str(first)), tmp_path / "run")


def test_a_start_that_is_not_there_or_is_none_is_told(
    linear_run: Path, encoder_run: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="from 'shipped' or a run folder, got 'nowhere'"):
        find_start(replace(QUICK, start="nowhere"))
    with pytest.raises(ModelError, match=f"must be a run folder, but it has no {RECORD}"):
        find_start(replace(QUICK, start=str(tmp_path)))
    with pytest.raises(ModelError, match="is a linear model"):
        find_start(replace(QUICK, start=str(linear_run)))
    with pytest.raises(ModelError, match="only an encoder starts from a run, got a linear"):
        find_start(TrainOptions(model="linear", start=str(encoder_run)))


def test_folds_do_not_judge_what_their_start_has_seen(
    toy_set: AnnotationSet, encoder_run: Path, tmp_path: Path
) -> None:
    options = replace(QUICK, start=str(encoder_run))
    with pytest.raises(DataError, match=r"'encoder' has seen \d+ of these 40, such as 't"):
        train(toy_set, options, tmp_path / "run", folds=2)
