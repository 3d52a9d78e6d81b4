"""Commands that ask a model why: swap, explain."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from classifier.cli._models import Places
from classifier.cli._output import Answer, Json, TableFile, progress, show, table, write_table
from classifier.paper import InPapers

_TOP = 5


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("swap")(swap_command)
    app.command("explain")(explain_command)


def swap_command(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] DIR",
            help="Run folder or Hub id, by default the scorer that ships; annotation set.",
        ),
    ],
    split: Annotated[
        str | None, typer.Option(help="Part of the set; default: what the run was not trained on.")
    ] = None,
    table_file: TableFile = None,
    as_json: Json = False,
) -> None:
    """Put countries in each other's place: how far does the stance score move?"""
    from classifier.pipeline import swap

    run, folder = _run_and_path(places, "DIR")
    result = swap(run, folder, split=split)
    lines = [result.sentence, *_shown(result), *write_table(result, table_file)]
    show(Answer(result.to_dict(), lines), as_json=as_json)


def explain_command(
    places: Places,
    n: Annotated[int, typer.Option("--mentions", min=1, help="Mentions, drawn at random.")] = 20,
    check: Annotated[
        bool,
        typer.Option("--check", help="Take out strong words and random ones: which move more?"),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the draw, and of random words.")] = 0,
    as_json: Json = False,
) -> None:
    """Say which words carry the scores of some mentions, and check that they do."""
    from classifier.pipeline import explain

    run, path = _run_and_path(places, "PATH")
    with progress("explaining") as told:
        result = explain(run, path, n=n, check=check, seed=seed, progress=told)
    rows = [
        [
            one.prediction.unit,
            f"{one.quantity} {one.value:+.2f}",
            ", ".join(f"{word.surface} {word.weight:+.2f}" for word in one.top(_TOP)),
        ]
        for one in result.explanations
    ]
    lines: list[str | Table] = [
        f"{len(rows)} of {result.n_scored} scored mentions",
        table(["mention", "score", "words that move it most"], rows),
    ]
    step = ""
    if result.check is None:
        step = "add --check: do these words move the score more than random ones?"
    else:
        lines += [result.check.sentence, *_shown(result.check)]
    show(Answer(result.to_dict(), lines, step), as_json=as_json)


def _run_and_path(places: list[str], name: str) -> tuple[str | None, Path]:
    if len(places) > 2:
        raise typer.BadParameter(f"[RUN] {name} are at most two, got {len(places)}")
    return (places[0] if len(places) == 2 else None), Path(places[-1])


def _shown(result: InPapers) -> list[str | Table]:
    made = result.paper_table()
    return [table(list(made.columns), made.cells()), *made.notes]
