"""The command that teaches a small encoder further languages."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.cli.arguments import Json
from classifier.cli.output import Answer, note, show

Parallel = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder of en-<language>.tsv[.gz] pairs.")
]
NewBase = Annotated[Path, typer.Option(metavar="BASE", help="Folder for the new base.")]
Teacher = Annotated[str, typer.Option(help="Folder, known name or Hub id.")]
Vocabulary = Annotated[int, typer.Option(help="Rows of the token table.")]
TeacherPieces = Annotated[
    int, typer.Option(help="Of these, how many are the teacher's own, for English.")
]
Start = Annotated[Path | None, typer.Option(metavar="BASE", help="A finished base to go on from.")]
English = Annotated[list[Path] | None, typer.Option(help="Plain English text, a sentence a line.")]
Notes = Annotated[Path | None, typer.Option(help="Markdown for the model card: data and terms.")]
HeldOutOrigins = Annotated[
    list[str] | None, typer.Option(help="Origin to draw the held-out pairs from, best first.")
]
Words = Annotated[
    bool, typer.Option(help="Train on rows of origin `dictionary` too, not only align.")
]
Varied = Annotated[int, typer.Option(help="English sentences read again with rarer words in them.")]
Passages = Annotated[int, typer.Option(help="Passages a language, joined from its sentences.")]
Epochs = Annotated[float, typer.Option(help="Passes over the pairs.")]
Cooldown = Annotated[int, typer.Option(help="Steps over which the learning rate falls at the end.")]
EmbeddingsRate = Annotated[float, typer.Option(help="Peak rate of the token table.")]
BodyRate = Annotated[float, typer.Option(help="Peak rate of everything else.")]
MaxMinutes = Annotated[float | None, typer.Option(help="Stop training after this.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]


def register(app: typer.Typer) -> None:
    """Add it to the program."""
    app.command("distil")(distil_command)


def distil_command(
    parallel: Parallel,
    out: NewBase,
    teacher: Teacher = "sentence-transformers/all-MiniLM-L6-v2",
    vocabulary: Vocabulary = 30_464,
    teacher_pieces: TeacherPieces = 0,
    start: Start = None,
    english: English = None,
    notes: Notes = None,
    held_out_origin: HeldOutOrigins = None,
    words: Words = False,
    varied: Varied = 0,
    passages: Passages = 0,
    epochs: Epochs = 2.0,
    cooldown: Cooldown = 300,
    lr_embeddings: EmbeddingsRate = 1e-3,
    lr_body: BodyRate = 2e-4,
    max_minutes: MaxMinutes = None,
    device: Device = "cpu",
    seed: Annotated[int, typer.Option()] = 1,
    as_json: Json = False,
) -> None:
    """Teach a small encoder further languages from parallel sentences; goes on where it stopped."""
    from classifier.distil import DistilOptions, distil

    options = DistilOptions(
        parallel,
        out,
        teacher,
        tuple(english or ()),
        start=start,
        notes=notes.read_text("utf-8").strip() if notes else "",
        vocabulary=vocabulary,
        teacher_pieces=teacher_pieces,
        held_out_origins=tuple(held_out_origin or ()),
        alignment_only=() if words else DistilOptions.alignment_only,
        varied=varied,
        passages=passages,
        epochs=epochs,
        cooldown_steps=cooldown,
        lr_embeddings=lr_embeddings,
        lr_body=lr_body,
        max_minutes=max_minutes,
        device=device,
        seed=seed,
    )
    show(_made(distil(options, note)), as_json=as_json)


def _made(base: Path) -> Answer:
    return Answer(
        {"out": base},
        [f"the base is in {base}; its README.md has the figures"],
        f"classifier train DIR --base-model {base} --out RUN",
    )
