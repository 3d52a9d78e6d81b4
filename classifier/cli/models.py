"""Commands on models: train, score, distil."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from classifier.cli.output import Answer, note, problem_lines, progress, show, table

if TYPE_CHECKING:
    from classifier.dataset import Corpus

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("train")(train_command)
    app.command("score")(score_command)
    app.command("distil")(distil_command)


def train_command(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Annotation sets; the first one's codebook counts."),
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="Run folder to write.")],
    weight: Annotated[
        list[float] | None,
        typer.Option(help="How often an epoch reads the set; once per DIR, in their order."),
    ] = None,
    model: Annotated[Literal["encoder", "linear"], typer.Option()] = "encoder",
    base_model: Annotated[
        str, typer.Option(help="Folder or Hub id of an encoder; empty: the one that ships.")
    ] = "",
    variable: Annotated[
        list[str] | None, typer.Option(help="Learn only this variable; may be repeated.")
    ] = None,
    adapter: Annotated[bool, typer.Option("--adapter", help="Train a LoRA adapter only.")] = False,
    epochs: Annotated[
        int, typer.Option(min=0, help="Passes over the data at most; 0 chooses by its size.")
    ] = 0,
    batch_size: Annotated[int, typer.Option(min=0, help="Passages per step; 0 chooses.")] = 0,
    learning_rate: Annotated[float | None, typer.Option(help="Of the encoder's top layer.")] = None,
    split_by: Annotated[
        Literal["article", "story", "source", "date"], typer.Option(help="What is never parted.")
    ] = "article",
    class_weights: Annotated[Literal["none", "balanced"], typer.Option()] = "none",
    folds: Annotated[
        int,
        typer.Option(min=0, help="Also train this many models without a fold each (for profiles)."),
    ] = 0,
    gradient_checkpointing: Annotated[
        bool,
        typer.Option("--gradient-checkpointing", help="Less memory, more time."),
    ] = False,
    seed: Annotated[int, typer.Option()] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on one or several annotation sets."""
    from classifier.models.ranks import is_first
    from classifier.pipeline import train
    from classifier.training import TrainOptions

    chosen: dict[str, object] = {
        "model": model,
        "base_model": base_model,
        "variables": tuple(variable or ()),
        "adapter": "merged" if adapter else "none",
        "epochs": epochs,
        "batch_size": batch_size,
        "split_by": split_by,
        "class_weights": class_weights,
        "gradient_checkpointing": gradient_checkpointing,
        "seed": seed,
    }
    if learning_rate is not None:
        chosen["learning_rate"] = learning_rate
    options = TrainOptions(**chosen)  # type: ignore[arg-type]
    with progress("train", quiet=not is_first()) as tell:
        data = _weighted(folders, weight or [])
        run = train(data, options, out, folds=folds, resume=resume, progress=tell)
    if not is_first():
        return
    frame = run.to_frame().astype(object)
    frame = frame.where(frame.notna(), None)
    answer = Answer(
        {"out": run.path, "record": run.record},
        [
            table([str(column) for column in frame.columns], frame.to_numpy().tolist()),
            f"the model is in {run.path}",
        ],
        f"classifier evaluate {run.path} {folders[0]}",
    )
    show(answer, as_json=as_json)


def _weighted(folders: list[Path], weights: list[float]) -> "list[Corpus]":
    from classifier.annotations import read_annotations
    from classifier.dataset import Corpus

    if weights and len(weights) != len(folders):
        raise typer.BadParameter(
            f"--weight is given once per DIR ({len(folders)}) or not at all, got {len(weights)}"
        )
    return [
        Corpus(read_annotations(folder), folder.resolve().name, weight)
        for folder, weight in zip(folders, weights or [1.0] * len(folders), strict=True)
    ]


def score_command(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] PATH",
            help="Run folder or Hub id, by default the scorer that ships; articles.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Predictions: .parquet or .jsonl.")],
    folds: Annotated[
        bool,
        typer.Option("--folds", help="Judge each article by a model of the run that never saw it."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This process, or Ray with all it has.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster; without, one is started here.")
    ] = None,
    runtime: Annotated[
        Literal["auto", "torch", "openvino"],
        typer.Option(help="What runs an encoder; auto: OpenVINO where it is installed and gains."),
    ] = "auto",
    readers: Annotated[
        int | None,
        typer.Option(
            min=0, help="Processes that read beside the model; by default those that pay."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the targets in articles and score every mention; each mention has a row."""
    from classifier.score import load, local_engine, ray_engine, score_to_file

    if readers is not None and engine != "local":
        raise typer.BadParameter("--readers needs --engine local")
    if address is not None and engine != "ray":
        raise typer.BadParameter("an --address needs --engine ray")
    if len(places) > 2:
        raise typer.BadParameter(f"[RUN] PATH are at most two, got {len(places)}")
    run, path = (places[0] if len(places) == 2 else None), places[-1]
    judge = ray_engine(address, runtime) if engine == "ray" else local_engine(readers)
    scorer = load(run, folds=folds, runtime=runtime)
    with progress("score") as tell:
        scored = score_to_file(scorer, path, out, resume=resume, progress=tell, engine=judge)
    answer = Answer(
        {
            "out": scored.path,
            "articles": scored.n_articles,
            "articles_with_mentions": scored.n_with_mentions,
            "mentions": sum(scored.statuses.values()),
            "status": scored.statuses,
            "problems": scored.problems,
        },
        [
            f"{sum(scored.statuses.values())} mentions in {scored.n_with_mentions} of "
            f"{scored.n_articles} articles are in {out}",
            table(["status", "mentions"], list(scored.statuses.items())),
            *problem_lines(scored.problems),
        ],
        f"classifier profile {out}",
    )
    show(answer, as_json=as_json)


def distil_command(
    parallel: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of en-<language>.tsv[.gz] pairs.")
    ],
    out: Annotated[Path, typer.Option(metavar="BASE", help="Folder for the new base.")],
    teacher: Annotated[
        str, typer.Option(help="Folder, known name or Hub id.")
    ] = "sentence-transformers/all-MiniLM-L6-v2",
    vocabulary: Annotated[int, typer.Option(help="Rows of the token table.")] = 30_464,
    teacher_pieces: Annotated[
        int, typer.Option(help="Of these, how many are the teacher's own, for English.")
    ] = 0,
    start: Annotated[
        Path | None, typer.Option(metavar="BASE", help="A finished base to go on from.")
    ] = None,
    english: Annotated[
        list[Path] | None, typer.Option(help="Plain English text, a sentence a line.")
    ] = None,
    notes: Annotated[
        Path | None, typer.Option(help="Markdown for the model card: data and terms.")
    ] = None,
    held_out_origin: Annotated[
        list[str] | None, typer.Option(help="Origin to draw the held-out pairs from, best first.")
    ] = None,
    words: Annotated[
        bool, typer.Option(help="Train on rows of origin `dictionary` too, not only align.")
    ] = False,
    varied: Annotated[
        int, typer.Option(help="English sentences read again with rarer words in them.")
    ] = 0,
    passages: Annotated[
        int, typer.Option(help="Passages a language, joined from its sentences.")
    ] = 0,
    epochs: Annotated[float, typer.Option(help="Passes over the pairs.")] = 2.0,
    cooldown: Annotated[
        int, typer.Option(help="Steps over which the learning rate falls at the end.")
    ] = 300,
    lr_embeddings: Annotated[float, typer.Option(help="Peak rate of the token table.")] = 1e-3,
    lr_body: Annotated[float, typer.Option(help="Peak rate of everything else.")] = 2e-4,
    max_minutes: Annotated[float | None, typer.Option(help="Stop training after this.")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
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
    base = distil(options, note)
    answer = Answer(
        {"out": base},
        [f"the base is in {base}; its README.md has the figures"],
        f"classifier train DIR --base-model {base} --out RUN",
    )
    show(answer, as_json=as_json)
