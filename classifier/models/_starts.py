"""Runs that training starts from: the scorer that ships, or any other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.codebook import Variable
from classifier.errors import ModelError
from classifier.files import is_there
from classifier.models._bases import SHIPPED_SCORER, SHIPPED_START
from classifier.models._folder import RECORD, read_record, read_split, sha256
from classifier.models._options import TrainOptions


@dataclass(frozen=True)
class Start:
    """A run that training starts from, without its weights."""

    name: str
    """"shipped", or the name of its folder."""
    folder: Path
    record: Mapping[str, Any]
    """What its training.json says."""
    split: Mapping[str, list[str]]
    """Part -> article ids; those it has learnt from must not judge what is learnt from there."""
    heads: Mapping[str, Mapping[str, Any]]
    """Per variable its kind and labels."""
    base: Mapping[str, str]
    """Name and hashes of its base."""

    @property
    def model_id(self) -> str:
        """As `Trained.model_id`."""
        return f"{self.folder.resolve().name}@{sha256(self.folder / RECORD)[:12]}"

    def told(self, variables: Sequence[Variable]) -> dict[str, Any]:
        """What a record says of it: which heads are taken over, and which are new."""
        names = [variable.name for variable in variables]
        return {
            "name": self.name,
            "model_id": self.model_id,
            "heads_taken_over": [name for name in names if name in self.heads],
            "heads_new": [name for name in names if name not in self.heads],
        }


def find_start(options: TrainOptions) -> Start | None:
    """The run that these options start from; None where they start from a base.

    Raises:
        ModelError: there is no such run, it is no encoder, or its base is not the one that the
            options name.
    """
    if not options.start:
        return None
    if options.model != "encoder":
        raise ModelError(
            f"only an encoder starts from a run, got a {options.model} model and "
            f"{options.start!r}: leave --from (start) out"
        )
    shipped = options.start == SHIPPED_START
    folder = SHIPPED_SCORER if shipped else Path(options.start)
    if not (is_there(folder) and folder.is_dir()):
        raise ModelError(
            f"training starts from {SHIPPED_START!r} or a run folder, got {options.start!r}, "
            "which is not there: train it first, or leave --from (start) out"
        )
    record = read_record(folder)
    if record["options"]["model"] != "encoder":
        raise ModelError(
            f"training starts from an encoder, {folder} is a linear model: name another run, or "
            "leave --from (start) out"
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    base = config["base"]
    if options.base_model not in ("", base["name"]):
        raise ModelError(
            f"a run brings its base along: {options.start!r} was trained on {base['name']!r}, got "
            f"base_model {options.base_model!r}: leave one of the two out"
        )
    name = SHIPPED_START if shipped else folder.resolve().name
    return Start(name, folder, record, read_split(folder), config["heads"], base)


def check_heads(start: Start, variables: Sequence[Variable]) -> None:
    """Raise `ModelError` where a variable has another kind or other labels in the run."""
    for variable in variables:
        head = start.heads.get(variable.name)
        if head is None:
            continue
        here = f"{variable.kind} with {', '.join(variable.names)}"
        there = f"{head['kind']} with {', '.join(head['labels'])}"
        if here != there:
            raise ModelError(
                f"variable {variable.name!r} must be the same as in {start.name!r}, where it is "
                f"{there}; the codebook has {here}: give it another name to learn it anew, or "
                "leave --from (start) out"
            )
