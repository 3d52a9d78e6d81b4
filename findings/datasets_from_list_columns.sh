#!/usr/bin/env bash
# datasets: from_list takes its columns from the first row, and drops what only later rows have.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0
"$work/env/bin/python" - <<'PY'
import datasets

rows = [{"text": "a"}, {"text": "b", "label": "neutral"}]
found = datasets.Dataset.from_list(rows)
print("datasets", datasets.__version__, "columns", found.column_names)
assert found.column_names == ["text"], "the behaviour has changed"
PY
