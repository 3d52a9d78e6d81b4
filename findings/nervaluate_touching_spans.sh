#!/usr/bin/env bash
# nervaluate: ends are inclusive, so that half-open spans which only touch count as overlapping.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check nervaluate==1.2.1
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

from nervaluate import Evaluator

true = [[{"label": "RU", "start": 0, "end": 6}]]
found = [[{"label": "RU", "start": 6, "end": 12}]]
results = Evaluator(true, found, tags=["RU"]).evaluate()
overall = results["overall"] if isinstance(results, dict) else results[0]
partial = overall["partial"]
f1 = partial["f1"] if isinstance(partial, dict) else partial.f1
print("nervaluate", version("nervaluate"), "partial F1 of spans 0-6 and 6-12:", f1)
assert f1 == 0.5, "the behaviour has changed"
PY
