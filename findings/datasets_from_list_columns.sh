#!/usr/bin/env bash
# datasets: from_list drops, without a word, every column that the first row lacks.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

from datasets import Dataset

rows = [{"text": "a"}, {"text": "b", "label": "praise"}]
kept = Dataset.from_list(rows).column_names
print("datasets", version("datasets"), "columns of", rows, "->", kept)
assert kept == ["text"], "the behaviour has changed"
PY
