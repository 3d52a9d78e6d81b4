#!/usr/bin/env bash
# label-studio-sdk: a task with annotations ends validate_task in a TypeError, valid or not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check label-studio-sdk==2.1.2
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

from label_studio_sdk.label_interface import LabelInterface

interface = LabelInterface(
    '<View><Labels name="target" toName="text"><Label value="TR"/></Labels>'
    '<Text name="text" value="$text"/></View>'
)
value = {"start": 0, "end": 6, "text": "Ankara", "labels": ["TR"]}
mark = {"id": "r1", "from_name": "target", "to_name": "text", "type": "labels", "value": value}
task = {"data": {"text": "Ankara waits."}, "annotations": [{"result": [mark]}]}
print("label-studio-sdk", version("label-studio-sdk"))
print("its annotation alone:", interface.validate_annotation(task["annotations"][0]))
try:
    print("the task:", interface.validate_task(task))
except TypeError as error:
    print("the task: TypeError:", error)
else:
    raise SystemExit("the behaviour has changed")
PY
