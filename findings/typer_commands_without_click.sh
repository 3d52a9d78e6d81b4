#!/usr/bin/env bash
# typer: its commands are no click commands any more, even if click is installed; tools that read
# click commands, such as sphinx-click, refuse them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check \
    typer==0.29.2 click==8.5.1 sphinx==8.2.3 sphinx-click==6.1.0
cat > "$work/app.py" <<'PY'
import typer

app = typer.Typer()


@app.command()
def count(path: str) -> None:
    """Count the lines of a file."""


@app.command()
def show(path: str) -> None:
    """Show a file."""


command = typer.main.get_command(app)
PY
cd "$work"
"$work/env/bin/python" - <<'PY'
from importlib.metadata import version

import click
from app import command

found = isinstance(command, click.Command)
print("typer", version("typer"), "with click", version("click"))
print("get_command(app) is a click.Command:", found, "| its class:", type(command).__mro__[1])
assert not found, "the behaviour has changed"
PY
mkdir docs
printf 'extensions = ["sphinx_click"]\n' > docs/conf.py
printf 'Commands\n========\n\n.. click:: app:command\n   :prog: app\n' > docs/index.rst
said=$(PYTHONPATH="$work" "$work/env/bin/sphinx-build" -q docs built 2>&1 || true)
printf 'sphinx-click 6.1.0 says: %s\n' "$(grep -o 'of type .*' <<< "$said" | head -n 1)"
grep -q "is not click.Command" <<< "$said"
