"""What an interrupted training can go on from, and when it had ended already."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.annotations import AnnotationSet
from classifier.errors import ModelError
from classifier.models import TrainOptions
from classifier.models.encoder._fit import PassageTrainer, epochs_if_stopped, last_checkpoint
from classifier.training import train

NAMES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth")


def write_checkpoint(folder: Path, steps: int, *, stop: bool = False) -> Path:
    place = folder / f"checkpoint-{steps}"
    place.mkdir(parents=True)
    for name in NAMES:
        (place / name).write_bytes(b"x")
    callbacks = {"TrainerControl": {"args": {"should_training_stop": stop}}}
    state = {"epoch": 2.0, "stateful_callbacks": callbacks}
    (place / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    return place


def test_the_last_of_whole_checkpoints_counts_by_number(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, 9)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-9"
    write_checkpoint(tmp_path, 10)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


def test_nothing_to_go_on_from_is_none(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path / "nowhere") is None


@pytest.mark.parametrize("name", [*NAMES, "trainer_state.json"])
def test_a_checkpoint_that_lacks_a_file_is_deleted(name: str, tmp_path: Path) -> None:
    whole, part = write_checkpoint(tmp_path, 10), write_checkpoint(tmp_path, 20)
    (part / name).unlink()
    assert last_checkpoint(tmp_path) == whole
    assert not part.exists()


def test_a_state_that_was_cut_off_is_no_state(tmp_path: Path) -> None:
    part = write_checkpoint(tmp_path, 20)
    (part / "trainer_state.json").write_text('{"epoch": 2', encoding="utf-8")
    assert last_checkpoint(tmp_path) is None


def test_a_training_that_had_stopped_is_known(tmp_path: Path) -> None:
    assert epochs_if_stopped(write_checkpoint(tmp_path, 20, stop=True)) == 2
    assert epochs_if_stopped(write_checkpoint(tmp_path, 30)) is None


def test_a_training_that_had_stopped_early_is_not_trained_on(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TrainOptions(base_model=str(tiny_bert), batch_size=16, max_tokens=32)

    # Nothing is learnt at this rate, so no epoch is better than the first.
    options = replace(options, epochs=5, patience=1, learning_rate=1e-8, head_learning_rate=1e-8)
    calm = train(toy_set, options, tmp_path / "calm").record
    assert len(calm["history"]["epochs"]) == 2

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(PassageTrainer, "_finalize_training", stop)
        with pytest.raises(KeyboardInterrupt):
            train(toy_set, options, tmp_path / "run")
    resumed = train(toy_set, options, tmp_path / "run", resume=True).record
    assert resumed["history"] == calm["history"]
    assert resumed["files"] == calm["files"]


def test_a_checkpoint_without_room_says_what_to_do(
    toy_set: AnnotationSet, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TrainOptions(base_model=str(tiny_bert), epochs=1, batch_size=16, max_tokens=32)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("transformers.Trainer._save_optimizer_and_scheduler", full)
        with pytest.raises(ModelError, match=r"No space left on device.*again with --resume"):
            train(toy_set, options, tmp_path / "run")
    resumed = train(toy_set, options, tmp_path / "run", resume=True).record
    assert resumed["files"] == train(toy_set, options, tmp_path / "calm").record["files"]
