#!/usr/bin/env bash
# sentencex: a sentence can end between carriage return and line feed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check sentencex==1.0.32
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

import sentencex

found = list(sentencex.segment("en", "It ended.\r\n\r\nIt began."))
print("sentencex", version("sentencex"), found)
assert any(part.endswith("\r") for part in found), "the behaviour has changed"
PY
