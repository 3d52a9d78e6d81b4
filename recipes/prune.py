"""A run with some of its variables only: the heads that served training stay behind."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from classifier.codebook import Codebook, write_codebook
from classifier.files import write_text
from classifier.models import CODEBOOK, RECORD
from classifier.models._folder import CALIBRATION, THRESHOLDS, sha256

_HEADS, _CONFIG = "heads.safetensors", "config.json"


def prune_run(run: Path, names: Sequence[str], codebook: Codebook, out: Path) -> None:
    """Copy a run whose adapter stands apart, with the heads of some variables only.

    Args:
        run: The run folder.
        names: Variables that stay, in their order.
        codebook: What the copy is of; it has these variables.
        out: Folder to write; it must not be there.
    """
    shutil.copytree(run, out)
    weights = load_file(run / _HEADS)
    kept = {key: value for key, value in weights.items() if key.split(".")[0] in names}
    save_file(kept, out / _HEADS, metadata={"format": "pt"})
    config = _read(run / _CONFIG)
    config["heads"] = {name: config["heads"][name] for name in names}
    _write(out / _CONFIG, config)
    for file in (CALIBRATION, THRESHOLDS):
        own = _read(run / file)
        _write(out / file, {name: value for name, value in own.items() if name in names})
    write_codebook(codebook, out / CODEBOOK)
    record = _read(run / RECORD)
    record["variables"] = list(names)
    record["options"] = {**record["options"], "variables": list(names), "start": ""}
    record["metrics"] = {name: record["metrics"][name] for name in names}
    for language in record["languages"].values():
        language["figures"] = {name: language["figures"][name] for name in names}
    record["files"] = {name: sha256(out / name) for name in record["files"]}
    _write(out / RECORD, record)


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _write(path: Path, data: object) -> None:
    write_text(path, [json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"])
