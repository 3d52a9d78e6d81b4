"""Commands on results: agreement, evaluate, profile, plan, report, demo."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.cli.output import Answer, show, table

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("agreement")(agreement_command)


def agreement_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Annotation set.")],
    as_json: Json = False,
) -> None:
    """Show how far the annotators agree with each other (Krippendorff's alpha, 95 % intervals)."""
    from classifier.pipeline import measure_agreement

    report = measure_agreement(folder)
    columns = ["variable", "part", "alpha", "low", "high", "n_items", "n_articles", "status"]
    rows = [list(row) for row in report.to_frame()[columns].astype(object).itertuples(index=False)]
    answer = Answer(
        report.to_dict(),
        [f"annotators: {', '.join(report.annotators)}", table(columns, rows)],
        f"classifier train {folder} --out RUN",
    )
    show(answer, as_json=as_json)
