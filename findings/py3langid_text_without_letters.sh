#!/usr/bin/env bash
# py3langid: a text without letters is Serbian, and among five languages Bulgarian is surely Russian.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check py3langid==0.4.0
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

from py3langid.langid import LanguageIdentifier

identifier = LanguageIdentifier.from_model_file("data/model.npz.xz", norm_probs=True)
no_letters = identifier.classify("...")
identifier.set_languages(["en", "nl", "ru", "tr", "uk"])
bulgarian = identifier.classify("Президентът пристигна в София.")
print("py3langid", version("py3langid"), "'...':", no_letters, "Bulgarian among five:", bulgarian)
assert no_letters[0] == "sr" and bulgarian[0] == "ru", "the behaviour has changed"
PY
