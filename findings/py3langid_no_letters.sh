#!/usr/bin/env bash
# py3langid: a text without letters has a language, and a more likely one than most.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check py3langid==0.4.0
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

from py3langid.langid import MODEL_FILE, LanguageIdentifier

found = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True).classify("12.05 - 3 : 1 ...")
print("py3langid", version("py3langid"), found)
assert found[0] == "sr", "the behaviour has changed"
PY
