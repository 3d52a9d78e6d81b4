"""Commands on models: train, score, distil."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.cli.output import Answer, progress, show, table

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("train")(train_command)


def train_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Annotation set.")],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder to write.")],
    model: Annotated[str, typer.Option(help="encoder or linear.")] = "encoder",
    base_model: Annotated[
        str, typer.Option(help="Folder or Hub id of an encoder; empty: the one that ships.")
    ] = "",
    variable: Annotated[
        list[str] | None, typer.Option(help="Learn only this variable; may be repeated.")
    ] = None,
    adapter: Annotated[bool, typer.Option("--adapter", help="Train a LoRA adapter only.")] = False,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data at most.")] = 4,
    batch_size: Annotated[int, typer.Option(min=1)] = 32,
    learning_rate: Annotated[float | None, typer.Option(help="Of the encoder's top layer.")] = None,
    split_by: Annotated[str, typer.Option(help="article, story, source or date.")] = "article",
    class_weights: Annotated[str, typer.Option(help="none or balanced.")] = "none",
    seed: Annotated[int, typer.Option()] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on an annotation set."""
    from classifier.train import TrainOptions, train

    chosen: dict[str, object] = {
        "model": model,
        "base_model": base_model,
        "variables": tuple(variable or ()),
        "adapter": "lora" if adapter else "none",
        "epochs": epochs,
        "batch_size": batch_size,
        "split_by": split_by,
        "class_weights": class_weights,
        "seed": seed,
    }
    if learning_rate is not None:
        chosen["learning_rate"] = learning_rate
    options = TrainOptions(**chosen)  # type: ignore[arg-type]
    with progress("train") as tell:
        run = train(folder, options, out, resume=resume, progress=tell)
    frame = run.to_frame().astype(object)
    answer = Answer(
        {"out": run.path, "record": run.record},
        [
            table([str(column) for column in frame.columns], frame.to_numpy().tolist()),
            f"the model is in {run.path}",
        ],
        f"classifier evaluate {run.path} {folder}",
    )
    show(answer, as_json=as_json)
