#!/usr/bin/env bash
# justext asks for lxml[html_clean], which lxml spells html-clean now: pip 23.2.1 only warns, and trafilatura cannot be imported.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pip==23.2.1
"$work/env/bin/pip" install --quiet --disable-pip-version-check trafilatura==2.3.1 justext==3.0.2 lxml==6.1.3 2>&1 | grep -i "extra" || true
"$work/env/bin/pip" check
seen=$("$work/env/bin/python" -c "import trafilatura" 2>&1 | tail -n 1 || true)
echo "trafilatura 2.3.1, justext 3.0.2, lxml 6.1.3, pip 23.2.1: ${seen:-imported}"
case "$seen" in *ImportError*|*ModuleNotFoundError*) ;; *) echo "the behaviour has changed"; exit 1 ;; esac
