#!/usr/bin/env bash
# krippendorff: a numeric value_domain is used in the order given, so that an ordinal alpha changes with it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check krippendorff==0.9.0
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

import krippendorff

data = [[1, 2, 4, 4, 1, 2], [1, 2, 4, 2, 1, 2]]
alphas = [
    krippendorff.alpha(data, value_domain=domain, level_of_measurement="ordinal")
    for domain in ([1, 2, 4], [2, 1, 4])
]
print("krippendorff", version("krippendorff"), "alpha", [round(a, 3) for a in alphas])
assert alphas[0] - alphas[1] > 0.01, "the behaviour has changed"
PY
