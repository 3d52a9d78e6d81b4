#!/usr/bin/env bash
# py3langid: a text without letters gets a language, and a short Bulgarian text passes for Russian or Ukrainian.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check py3langid==0.4.0
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

from py3langid.langid import MODEL_FILE, LanguageIdentifier

identifier = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
digits = identifier.classify("2024 - 2025")
among = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
among.set_languages(["en", "nl", "ru", "tr", "uk"])
bulgarian = among.classify("Времето днес е хубаво.")
print("py3langid", version("py3langid"), "digits:", digits, "Bulgarian among five:", bulgarian)
assert digits[0] not in ("", "und"), "the behaviour has changed"
assert bulgarian[0] in ("ru", "uk"), "the behaviour has changed"
PY
