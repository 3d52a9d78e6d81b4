"""Commands on models: train, score, swap, explain, and requests to language models."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, cast

import typer
from rich.table import Table

from classifier.cli._output import (
    SELDOM,
    WRITTEN,
    Adjudication,
    Answer,
    ArticlesPath,
    CodebookFile,
    Force,
    Json,
    NewRun,
    Settings,
    TableFile,
    Voice,
    ends_in,
    free_place,
    gold_line,
    gold_set,
    listed,
    note,
    problem_lines,
    progress,
    settings,
    show,
    table,
    write_table,
)
from classifier.errors import DataError
from classifier.paper import InPapers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from classifier.models import TrainOptions
    from classifier.score import Engine, Scored
    from classifier.training import Corpus, Run


Part: TypeAlias = Literal["article", "story", "source", "date"]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on where it stopped.", rich_help_panel=WRITTEN)
]
Folders = Annotated[
    list[Path],
    typer.Argument(metavar="DIR...", help="Annotation sets; the first one's codebook counts."),
]
Weights = Annotated[
    list[float] | None,
    typer.Option(
        help="How often an epoch reads a set; one for each DIR, in their order.",
        rich_help_panel=SELDOM,
    ),
]
Kind = Annotated[
    Literal["encoder", "linear"],
    typer.Option(help="A transformer to fine-tune; or words and characters, in seconds."),
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="shipped|RUN",
        help="Go on from the scorer that ships, or from a run, instead of the bare base.",
    ),
]
Names = Annotated[list[str] | None, typer.Option(help="Learn only this variable; may be repeated.")]


def _part(name: str) -> str:
    """What is never parted, by its name or a synonym."""
    from classifier.articles import named_column

    try:
        return named_column(name, ("article", "story", "source", "date"))
    except DataError as error:
        raise typer.BadParameter(str(error)) from None


SplitBy = Annotated[
    str,
    typer.Option(
        help="What is never parted: article, story, source or date.",
        callback=_part,
        rich_help_panel=SELDOM,
    ),
]
NFolds = Annotated[
    int,
    typer.Option(min=0, help="Also train this many models without a fold each (for profiles)."),
]
Places = Annotated[
    list[str],
    typer.Argument(
        metavar="[RUN] PATH",
        help="Run folder or Hub id, by default the scorer that ships; articles.",
    ),
]
Predictions = Annotated[
    Path,
    typer.Option(help="Predictions: .parquet or .jsonl.", callback=ends_in(".parquet", ".jsonl")),
]
Folds = Annotated[
    bool,
    typer.Option("--folds", help="Judge each article by a model of the run that never saw it."),
]
EngineName = Annotated[
    str,
    typer.Option(
        metavar="local|ray|ADDRESS",
        help="This process; Ray with all this machine has; or the Ray cluster at an address.",
        rich_help_panel=SELDOM,
    ),
]
RuntimeName: TypeAlias = Literal["auto", "torch", "numpy"]
Runtime = Annotated[
    RuntimeName,
    typer.Option(
        help="What runs an encoder; auto: PyTorch, or NumPy where that is not installed.",
        rich_help_panel=SELDOM,
    ),
]
Scheme = Annotated[
    str,
    typer.Option(
        help="Use the head of a published scheme, such as newsmtsc, by its own codebook.",
        rich_help_panel=SELDOM,
    ),
]
Readers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Processes that read beside the model; by default those that pay.",
        rich_help_panel=SELDOM,
    ),
]


def train_command(
    folders: Folders,
    out: NewRun,
    weight: Weights = None,
    model: Kind = "encoder",
    start: From = "",
    variable: Names = None,
    split_by: SplitBy = "article",
    folds: NFolds = 0,
    adjudication: Adjudication = "majority",
    setting: Settings = None,
    resume: Resume = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a model on one or several annotation sets."""
    from classifier.models import TrainOptions

    options = TrainOptions(
        model=model,
        start=start,
        variables=tuple(variable or ()),
        split_by=cast("Part", split_by),
        adjudication=adjudication,
    )
    options = replace(options, **settings(setting, options))
    how = {"folds": folds, "resume": resume, "force": force}
    if weight and len(weight) != len(folders):
        raise typer.BadParameter(
            f"--weight is given once per DIR ({len(folders)}) or not at all, got {len(weight)}"
        )
    free_place(out, force=force, resume=resume)
    answer = _trained(folders, weight or [1.0] * len(folders), options, out, how)
    if answer is not None:
        show(answer, as_json=as_json)


def _trained(
    folders: list[Path],
    weights: list[float],
    options: "TrainOptions",
    out: Path,
    how: "Mapping[str, Any]",
) -> Answer | None:
    """Train; of several processes that train together, one has something to say."""
    from classifier.models import is_first
    from classifier.training import train

    with progress("train", quiet=not is_first()) as tell:
        data = _weighted(folders, weights)
        run = train(data, options, out, progress=tell, **how)
    if not is_first():
        return None
    answer = _made(run, folders[0])
    gold = [line for f in folders for line in gold_line(gold_set(f, options.adjudication))]
    return replace(answer, lines=[*answer.lines, *gold])


def _made(run: "Run", folder: Path) -> Answer:
    frame = run.to_frame().astype(object)
    frame = frame.where(frame.notna(), None)
    return Answer(
        {"out": run.path, "record": run.record},
        [
            table([str(column) for column in frame.columns], frame.to_numpy().tolist()),
            f"the model is in {run.path}",
            *_few(run),
        ],
        f"classifier evaluate {run.path} {folder}",
    )


_DOZENS = 30
"""Articles below which a model has hardly anything to learn from."""


def _few(run: "Run") -> list[str]:
    """That a model has learnt from few articles, where it has."""
    n = len(run.split.get("train", ()))
    if n >= _DOZENS:
        return []
    return [
        f"It has learnt from {n} articles only. Expect little of it: go on from the scorer that "
        "ships (--from shipped), or use that one until more are coded."
    ]


def _weighted(folders: list[Path], weights: list[float]) -> "list[Corpus]":
    from classifier.annotations import read_annotations
    from classifier.training import Corpus

    return [
        Corpus(read_annotations(folder), folder.resolve().name, weight)
        for folder, weight in zip(folders, weights, strict=True)
    ]


def score_command(
    places: Places,
    out: Predictions,
    folds: Folds = False,
    resume: Resume = False,
    force: Force = False,
    engine: EngineName = "local",
    runtime: Runtime = "auto",
    readers: Readers = None,
    scheme: Scheme = "",
    codebook: CodebookFile = None,
    voice: Voice = "rules",
    as_json: Json = False,
) -> None:
    """Find the targets in articles and score every mention; each mention has a row."""
    from classifier.score import load, score_to_file

    if len(places) > 2:
        raise typer.BadParameter(f"[RUN] PATH are at most two, got {len(places)}")
    run, path = (places[0] if len(places) == 2 else None), places[-1]
    free_place(out, force=force, resume=resume, rows="predictions")
    judge = _engine(engine, runtime, readers)
    scorer = load(run, folds=folds, runtime=runtime, scheme=scheme, codebook=codebook, voice=voice)
    with progress("score") as tell:
        scored = score_to_file(
            scorer, path, out, resume=resume, force=force, progress=tell, engine=judge
        )
    show(_said(scored), as_json=as_json)


def _engine(name: str, runtime: RuntimeName, readers: int | None) -> "Engine":
    from classifier.score import local_engine, ray_engine

    if name == "local":
        return local_engine(readers)
    if readers is not None:
        raise typer.BadParameter("--readers needs --engine local")
    if name != "ray" and ":" not in name:
        raise typer.BadParameter(
            f"--engine is local, ray, or the address of a Ray cluster (HEAD:6379); got {name!r}"
        )
    return ray_engine(None if name == "ray" else name, runtime)


def _said(scored: "Scored") -> Answer:
    n_mentions = sum(scored.statuses.values())
    return Answer(
        {
            "out": scored.path,
            "articles": scored.n_articles,
            "articles_with_mentions": scored.n_with_mentions,
            "mentions": n_mentions,
            "status": scored.statuses,
            "problems": scored.problems,
        },
        [
            f"{n_mentions} mentions in {scored.n_with_mentions} of "
            f"{scored.n_articles} articles are in {scored.path}",
            table(["status", "mentions"], list(scored.statuses.items())),
            *problem_lines(scored.problems),
        ],
        f"classifier profile {scored.path}",
    )


_TOP = 5


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


def _two(prices: str) -> str:
    """Two prices; raises `BadParameter` for anything else."""
    try:
        is_right = not prices or len([float(one) for one in prices.split(",")]) == 2
    except ValueError:
        is_right = False
    if not is_right:
        raise typer.BadParameter(f"two prices were required, as in 1,4; got {prices!r}")
    return prices


def prompt_command(
    path: ArticlesPath,
    out: Annotated[
        Path, typer.Option(help="File for the requests (.jsonl).", callback=ends_in(".jsonl"))
    ],
    batch: Annotated[
        Literal["openai", "anthropic", "text"],
        typer.Option(help="Whose batch interface; text: unit and prompt in each line."),
    ] = "text",
    model: Annotated[str, typer.Option(help="Name of the model; needed but for text.")] = "",
    per: Annotated[
        Literal["mention", "passage"], typer.Option(help="One request for each.")
    ] = "mention",
    variables: Annotated[
        list[str] | None, typer.Option("--variable", help="Ask only this; may be repeated.")
    ] = None,
    manual: Annotated[
        Path | None, typer.Option(help="Decision rules to add: a coding manual, as text.")
    ] = None,
    price: Annotated[
        str,
        typer.Option(
            metavar="READ,WRITTEN", help="Prices of a million tokens: 1,4.", callback=_two
        ),
    ] = "",
    run: Annotated[
        Path | None,
        typer.Option(help="Use the passages that this model reads.", rich_help_panel=SELDOM),
    ] = None,
    codebook: CodebookFile = None,
    as_json: Json = False,
) -> None:
    """Write requests that ask a language model for labels; nothing is sent."""
    from classifier.pipeline import prompt
    from classifier.prompts import PromptOptions

    rules = "" if manual is None else manual.read_text(encoding="utf-8")
    prices = [float(one) for one in price.split(",")] if price else []
    options = PromptOptions(batch, model, per, listed(variables), rules, *prices)
    made = prompt(path, codebook=codebook, run=run, options=options)
    for line in made.lines():
        note(line)  # the price is told before anything is written
    made.write(out)
    data = {
        "requests": len(made.requests),
        "mentions": made.n_mentions,
        "input_tokens": made.input_tokens,
        "output_tokens": made.output_tokens,
        "price": made.price,
        "out": out,
    }
    field = " --answer FIELD" if batch == "text" else ""
    step = f"send them, then classifier evaluate DIR --predictions ANSWERS{field}"
    show(Answer(data, [f"the requests are in {out}"], step), as_json=as_json)
