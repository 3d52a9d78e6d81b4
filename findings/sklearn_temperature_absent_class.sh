#!/usr/bin/env bash
# scikit-learn: temperature calibration fails with an IndexError if the calibration part lacks a class.
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

rng = np.random.default_rng(0)
features, labels = rng.normal(size=(90, 2)), np.repeat([0, 1, 2], 30)
model = FrozenEstimator(LogisticRegression().fit(features, labels))
lacks_class_2 = labels < 2
said = "no error"
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    try:
        CalibratedClassifierCV(model, method="temperature").fit(
            features[lacks_class_2], labels[lacks_class_2]
        )
    except IndexError as error:
        said = f"IndexError: {error}"
print("scikit-learn", sklearn.__version__, [str(w.message)[:60] for w in warned], said)
assert said.startswith("IndexError"), "the behaviour has changed"
PY
