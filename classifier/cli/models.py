"""Commands on models: train, score, distil."""

import typer


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
