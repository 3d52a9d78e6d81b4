"""The command that makes the scorer that ships; for those who work on the package."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.cli.arguments import Json, NewRun
from classifier.cli.output import Answer, note, progress, show, table


def register(app: typer.Typer) -> None:
    """Add it to the program, but not to its help."""
    app.command("make-scorer", hidden=True)(make_scorer_command)


def make_scorer_command(
    data: Annotated[Path, typer.Argument(help="Folder of newsmtsc, rusentne and ruopinionne.")],
    out: NewRun,
    first: Annotated[
        int, typer.Option(min=0, help="Only so many articles a part, to try the way with.")
    ] = 0,
    epochs: Annotated[int, typer.Option(min=0, help="Instead of the number that ships.")] = 0,
    base_model: Annotated[str, typer.Option(help="Instead of the base that ships.")] = "",
    as_json: Json = False,
) -> None:
    """Train and judge the scorer that ships from the published corpora and the sample."""
    from dataclasses import replace

    from classifier.pipeline.shipping import OPTIONS, make_scorer, read_shipping_data

    shipped = read_shipping_data(data)
    note(f"read {len(shipped.corpora)} corpora and {len(shipped.tests)} tests")
    options = replace(OPTIONS, base_model=base_model, epochs=epochs or OPTIONS.epochs)
    with progress("train") as tell:
        run = make_scorer(shipped.first(first) if first else shipped, out, options, progress=tell)
    shown = [
        (f["test"], f["language"] or "all", f["variable"], f["n_mentions"], f["macro_f1"][0])
        for f in run.record["figures"]
        if f["predictor"] == "scorer"
    ]
    columns = ["test", "language", "variable", "mentions", "macro-F1"]
    answer = Answer(
        {"out": run.path, "record": run.record},
        [table(columns, shown), f"the scorer is in {run.path}; its README.md has all figures"],
        f"classifier score {run.path} PATH --out predictions.parquet",
    )
    show(answer, as_json=as_json)
