"""Heads of published schemes: kept in the shipped folder, and applied by their own codebook."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from classifier.annotations import AnnotationSet
from classifier.codebook import Codebook, Label, default_codebook
from classifier.errors import CodebookError, ModelError, ReplaceError
from classifier.files import read_json, write_json
from classifier.models import TrainOptions
from classifier.score import Scorer, load
from classifier.training import Corpus, fit_model
from recipes.prune import _keep_seen, prune_run

TEXT = "Turkey was praised at the harbour. Russia was blamed at the market."


@pytest.fixture(scope="module")
def pruned(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A run with a head for a scheme, and its copy that keeps it as one."""
    ours = default_codebook()
    scheme = replace(ours.variable("stance"), name="newsmtsc")
    codebook = replace(ours, variables=(*ours.variables, scheme))
    table = toy_set.table.copy()
    table["newsmtsc"] = table["stance"].map({"favourable": "unfavourable"}).fillna("neutral")
    both = AnnotationSet(toy_set.articles, table, codebook)
    options = TrainOptions(
        base_model=str(tiny_bert),
        variables=("stance", "roles", "newsmtsc"),
        epochs=2,
        batch_size=8,
        max_tokens=32,
        learning_rate=3e-3,
        adapter="separate",
        adapter_from="difference",
    )
    folder = tmp_path_factory.mktemp("pruned")
    run = fit_model([Corpus(both, "newsmtsc")], options, folder / "whole").path
    prune_run(run, ("stance", "roles"), ours, folder / "small", schemes=("newsmtsc",))
    return run, folder / "small"


def _stance(scorer: Scorer) -> NDArray[np.float64]:
    columns = scorer.variables[0].probability_columns
    found: NDArray[np.float64] = (
        scorer.score(TEXT, language="en").to_frame()[list(columns)].to_numpy()
    )
    return found


def test_the_copy_predicts_its_own_variables_only(pruned: tuple[Path, Path]) -> None:
    whole, small = load(pruned[0]), load(pruned[1])
    assert [v.name for v in small.variables] == ["stance", "roles"]
    assert small.codebook == default_codebook()
    assert _stance(small) == pytest.approx(_stance(whole))


def test_a_scheme_is_its_own_head_under_its_own_codebook(pruned: tuple[Path, Path]) -> None:
    scorer = load(pruned[1], scheme="newsmtsc")
    assert [v.name for v in scorer.variables] == ["stance"]
    assert (scorer.codebook.name, scorer.codebook.any_target) == ("newsmtsc", True)
    assert scorer.trained.model_id.endswith(", scheme newsmtsc")
    whole = load(pruned[0]).score(TEXT, language="en").to_frame()
    columns = [f"p_newsmtsc_{name}" for name in scorer.variables[0].names]
    assert _stance(scorer) == pytest.approx(whole[columns].to_numpy())
    assert _stance(scorer) != pytest.approx(_stance(load(pruned[1])))


def test_a_scheme_that_is_not_kept_is_told(pruned: tuple[Path, Path], encoder_run: Path) -> None:
    with pytest.raises(ModelError, match="heads for the schemes: newsmtsc; got 'rusentne'"):
        load(pruned[1], scheme="rusentne")
    with pytest.raises(ModelError, match="heads for the schemes: none; got 'newsmtsc'"):
        load(encoder_run, scheme="newsmtsc")
    with pytest.raises(ModelError, match="folds have no heads of schemes"):
        load(pruned[1], scheme="newsmtsc", folds=True)


def test_a_codebook_gives_the_targets_to_look_for(pruned: tuple[Path, Path]) -> None:
    ours = default_codebook()
    only = replace(ours, targets=tuple(t for t in ours.targets if t.name == "RU"))
    scorer = load(pruned[1], scheme="newsmtsc", codebook=only)
    assert scorer.score(TEXT, language="en").to_frame()["target"].tolist() == ["RU"]


def test_a_codebook_with_other_labels_than_the_scheme_is_refused(
    pruned: tuple[Path, Path],
) -> None:
    stance = default_codebook().variable("stance")
    labels = (Label("against", "", -1.0), Label("for", "", 1.0))
    other = Codebook("mine", "1", (), (replace(stance, labels=labels),))
    with pytest.raises(
        CodebookError,
        match="the scheme 'newsmtsc' labels stance unfavourable, neutral, favourable; the "
        "codebook 'mine' has against, for",
    ):
        load(pruned[1], scheme="newsmtsc", codebook=other)


def test_what_belongs_to_a_scheme_is_guarded_by_its_hash(
    pruned: tuple[Path, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(pruned[1], copy)
    with (copy / "schemes" / "newsmtsc" / "calibration.json").open("a") as file:
        file.write(" ")
    with pytest.raises(ModelError, match="is not the file that the run was saved with"):
        load(copy)


def test_a_pruned_run_replaces_nothing(pruned: tuple[Path, Path]) -> None:
    with pytest.raises(ReplaceError, match="holds a finished run"):
        prune_run(pruned[0], ("stance",), default_codebook(), pruned[1])


def test_what_the_start_had_seen_is_named_among_what_the_copy_has(tmp_path: Path) -> None:
    write_json(tmp_path / "split.json", {"train": ["a"], "calibration": ["b"]})
    write_json(tmp_path / "start_split.json", {"train": ["c"], "development": ["d"]})
    _keep_seen(tmp_path)
    found = read_json(tmp_path / "split.json")
    assert found == {"train": ["a", "c"], "calibration": ["b"], "development": ["d"]}
    assert not (tmp_path / "start_split.json").exists()
