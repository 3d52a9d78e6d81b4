"""A run with some of its variables: heads that served training stay behind, or become schemes.

A scheme is a published way of coding. Its head is kept beside the run's own variables, with its
codebook, calibration and thresholds in `schemes/NAME`, for `classifier.load(scheme=NAME)`.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from classifier.codebook import Codebook, read_codebook, write_codebook
from classifier.files import read_json, refuse_to_replace, write_json
from classifier.models import CODEBOOK, RECORD, SCHEMES, SPLIT, START_SPLIT
from classifier.models._folder import CALIBRATION, THRESHOLDS, sha256

_HEADS, _CONFIG = "heads.safetensors", "config.json"
STANCE = "stance"
"""What the variable of every scheme is called, so that its set can be judged by it."""


def prune_run(
    run: Path, names: Sequence[str], codebook: Codebook, out: Path, schemes: Sequence[str] = ()
) -> None:
    """Copy a run whose adapter stands apart, with the heads of some variables only.

    Args:
        run: The run folder.
        names: Variables that stay, in their order.
        codebook: What the copy is of; it has these variables.
        out: Folder to write; it must not be there.
        schemes: Variables of the run that stay as schemes, each of one language.

    Raises:
        ReplaceError: `out` holds something.
    """
    refuse_to_replace(out, force=False)
    shutil.copytree(run, out, dirs_exist_ok=True)
    heads = (*names, *schemes)
    weights = load_file(run / _HEADS)
    kept = {key: value for key, value in weights.items() if key.split(".")[0] in heads}
    save_file(kept, out / _HEADS, metadata={"format": "pt"})
    config = read_json(run / _CONFIG)
    config["heads"] = {name: config["heads"][name] for name in heads}
    write_json(out / _CONFIG, config)
    for file in (CALIBRATION, THRESHOLDS):
        own = read_json(run / file)
        write_json(out / file, {name: value for name, value in own.items() if name in names})
    write_codebook(codebook, out / CODEBOOK)
    record = read_json(run / RECORD)
    record["schemes"] = {name: _keep_scheme(run, name, record, out) for name in schemes}
    record["variables"] = list(names)
    record["options"] = {**record["options"], "variables": list(names), "start": ""}
    record["metrics"] = {name: record["metrics"][name] for name in names}
    for language in record["languages"].values():
        language["figures"] = {name: language["figures"][name] for name in names}
    record["start"] = None
    _keep_seen(out)
    files = (path for path in sorted(out.rglob("*")) if path.is_file())
    names_of = [path.relative_to(out).as_posix() for path in files]
    record["files"] = {name: sha256(out / name) for name in names_of if name != RECORD}
    write_json(out / RECORD, record)


def _keep_seen(out: Path) -> None:
    """Add the articles that the start of the run has seen to the parts of the run."""
    place = out / START_SPLIT
    if place.is_file():
        split = read_json(out / SPLIT)
        for part, names in read_json(place).items():
            split[part] = [*split.get(part, ()), *names]
        write_json(out / SPLIT, split)
        place.unlink()


def _keep_scheme(run: Path, name: str, record: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write what a scheme needs, and say what the record has to tell of it."""
    place = out / SCHEMES / name
    variable = read_codebook(run / CODEBOOK).variable(name)
    codebook = Codebook(name, "1.0", (), (replace(variable, name=STANCE),))
    write_codebook(codebook, place / CODEBOOK)
    for file in (CALIBRATION, THRESHOLDS):
        own = read_json(run / file)
        write_json(place / file, {STANCE: own[name]} if name in own else {})
    learnt = next(one["training_mentions"] for one in record["corpora"] if one["name"] == name)
    languages = {
        code: {
            "training_mentions": learnt,
            "articles": told["articles"],
            "figures": {STANCE: told["figures"][name]},
        }
        for code, told in record["languages"].items()
        if told["figures"][name]["n_mentions"]
    }
    return {
        "head": name,
        "variables": [STANCE],
        "metrics": {STANCE: record["metrics"][name]},
        "languages": languages,
    }
