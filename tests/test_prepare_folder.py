from pathlib import Path

import pytest

from classifier.errors import ModelError, ReplaceError
from classifier.files import prepare_folder


def test_what_an_interrupted_run_left_is_kept_for_the_same_wish(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "run" / "wish.json", {"seed": 1, "shape": (2, 3)}, resume=False)
    (tmp_path / "run" / "part").write_text("done")
    prepare_folder(tmp_path / "run" / "wish.json", {"shape": (2, 3), "seed": 1}, resume=True)
    assert (tmp_path / "run" / "part").read_text() == "done"


def test_a_run_that_starts_anew_by_force_empties_the_folder(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "run" / "wish.json", {"seed": 1}, resume=False)
    (tmp_path / "run" / "part").write_text("done")
    prepare_folder(tmp_path / "run" / "wish.json", {"seed": 1}, resume=False, force=True)
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["wish.json"]


def test_what_an_interrupted_run_left_is_not_thrown_away_unasked(tmp_path: Path) -> None:
    note = tmp_path / "run" / "wish.json"
    prepare_folder(note, {"seed": 1}, resume=False)
    (tmp_path / "run" / "part").write_text("done")
    with pytest.raises(ReplaceError, match=r"1 file of an interrupted run .* --resume"):
        prepare_folder(note, {"seed": 1}, resume=False)
    assert (tmp_path / "run" / "part").read_text() == "done"


def test_resuming_without_a_note_empties_the_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "part").write_text("whose?")
    prepare_folder(tmp_path / "run" / "wish.json", {"seed": 1}, resume=True)
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["wish.json"]


def test_another_wish_is_refused_and_told(tmp_path: Path) -> None:
    note = tmp_path / "wish.json"
    prepare_folder(note, {"seed": 1, "data": ["a" * 64], "old": True}, resume=False)
    with pytest.raises(
        ModelError, match="data differs, old was true, is null, seed was 1, is 2: use the same"
    ):
        prepare_folder(note, {"seed": 2, "data": ["b" * 64]}, resume=True)


def test_a_refused_run_leaves_everything_as_it_was(tmp_path: Path) -> None:
    note = tmp_path / "wish.json"
    prepare_folder(note, {"seed": 1}, resume=False)
    before = note.read_bytes()
    with pytest.raises(ModelError, match="resuming needs"):
        prepare_folder(note, {"seed": 2}, resume=True)
    assert note.read_bytes() == before
