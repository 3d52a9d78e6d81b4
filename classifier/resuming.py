"""What an interrupted run left, and whether another may go on from there."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from classifier.errors import ModelError
from classifier.files import write_text

_LONGEST = 80


def claim(note: Path, wish: Mapping[str, Any], *, resume: bool) -> None:
    """Empty the folder of `note` for a run, or keep what a run with the same wish left there.

    A wish is all that the result depends on, as plain JSON values; `note` keeps it.

    Raises:
        ModelError: `resume` is set, and the run that was interrupted had another wish.
    """
    wanted = json.loads(json.dumps(wish))
    if not (resume and note.is_file()):
        shutil.rmtree(note.parent, ignore_errors=True)
        write_text(note, [json.dumps(wanted, sort_keys=True)])
        return
    found = json.loads(note.read_text(encoding="utf-8"))
    keys = [key for key in sorted({*wanted, *found}) if wanted.get(key) != found.get(key)]
    if keys:
        changes = ", ".join(_change(key, found.get(key), wanted.get(key)) for key in keys)
        raise ModelError(
            f"{note.parent}: resuming needs what the interrupted run was started with; "
            f"{changes}: use the same, or delete that folder and start anew"
        )


def _change(name: str, before: object, now: object) -> str:
    both = f"{name} was {json.dumps(before)}, is {json.dumps(now)}"
    return both if len(both) <= _LONGEST else f"{name} differs"
