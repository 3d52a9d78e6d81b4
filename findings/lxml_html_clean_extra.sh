#!/usr/bin/env bash
# trafilatura: installed by pip 23.2.1 beside lxml 6.1.3 it cannot be imported, and pip check is content.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check pip==23.2.1
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  trafilatura==2.3.1 justext==3.0.2 lxml==6.1.3
"$work/env/bin/python" -m pip --version | cut -d' ' -f1,2
"$work/env/bin/python" -m pip check
if "$work/env/bin/python" -c "import trafilatura" 2>"$work/reason"; then
  echo "the behaviour has changed: trafilatura can be imported"
  exit 1
fi
tail -n 1 "$work/reason"
"$work/env/bin/python" -m pip install --quiet --disable-pip-version-check lxml_html_clean==0.4.6
"$work/env/bin/python" -c "import trafilatura; print('trafilatura', trafilatura.__version__, 'with lxml_html_clean')"
