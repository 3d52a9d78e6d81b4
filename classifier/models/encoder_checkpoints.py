"""Which of the trainer's checkpoints an interrupted training can go on from."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME, TRAINER_STATE_NAME

_PREFIX = "checkpoint-"


def last_checkpoint(folder: Path) -> Path | None:
    """The last whole checkpoint; those that a kill left in parts are deleted."""
    places = [place for place in folder.glob(f"{_PREFIX}*") if _steps(place) is not None]
    whole = [place for place in places if _is_whole(place)]
    for place in set(places) - set(whole):
        shutil.rmtree(place)
    return max(whole, key=lambda place: _steps(place) or 0, default=None)


def epochs_if_stopped(checkpoint: Path) -> int | None:
    """The epochs trained if training had stopped there for lack of progress, else None.

    The trainer forgets on resuming that it had stopped, and would train another epoch.
    """
    state = _state(checkpoint)
    control = state.get("stateful_callbacks", {}).get("TrainerControl", {}).get("args", {})
    return round(state["epoch"]) if control.get("should_training_stop") else None


def _steps(place: Path) -> int | None:
    number = place.name.removeprefix(_PREFIX)
    return int(number) if number.isdigit() else None


def _is_whole(place: Path) -> bool:
    """Whether nothing is missing: the trainer writes its state last, and deletes in any order."""
    patterns = ("*.safetensors", "rng_state*", OPTIMIZER_NAME, SCHEDULER_NAME)
    try:
        return bool(_state(place)) and all(any(place.glob(pattern)) for pattern in patterns)
    except (OSError, ValueError):
        return False


def _state(place: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((place / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    return state
