#!/usr/bin/env bash
# scikit-learn: temperature calibration fails if a class is absent from the calibration part.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1
"$work/env/bin/python" - <<'PY'
import warnings

import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

x = np.arange(30.0).reshape(-1, 1)
fitted = LogisticRegression().fit(x, np.repeat([0, 1, 2], 10))
calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method="temperature")
seen = "nothing"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    try:
        calibrated.fit(x[:20], np.repeat([0, 1], 10))
    except IndexError as error:
        seen = f"IndexError: {error}"
print("scikit-learn", sklearn.__version__, seen)
assert seen.startswith("IndexError"), "the behaviour has changed"
PY
