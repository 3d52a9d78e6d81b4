"""Commands on labels from elsewhere: compare, prompt."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from classifier.cli._output import (
    Adjudication,
    Answer,
    AnswerField,
    ArticlesPath,
    CodebookFile,
    Json,
    LabelMap,
    ModelColumns,
    TableFile,
    gold_line,
    gold_set,
    listed,
    note,
    parsed,
    problem_lines,
    show,
    table,
    write_table,
)

if TYPE_CHECKING:
    from classifier.evaluation import Comparison


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("compare")(compare_command)
    app.command("prompt")(prompt_command)


def compare_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Annotation set; more labels may follow.")
    ],
    predictions: Annotated[
        list[Path], typer.Option(metavar="FILE...", help="Labels by each predictor.")
    ],
    run: Annotated[Path | None, typer.Option(help="A trained model to compare too.")] = None,
    split: Annotated[str | None, typer.Option(help="Part of the set; default: all.")] = None,
    mapping: LabelMap = None,
    answer_field: AnswerField = None,
    models: ModelColumns = None,
    epsilon: Annotated[
        float,
        typer.Option(help="Head start of the alternative annotator test: .2 expert, .1 crowd."),
    ] = 0.15,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Count unknown labels instead of stopping.")
    ] = False,
    chart_file: Annotated[
        Path | None, typer.Option("--chart", help="Also draw it: .html, .svg or .png.")
    ] = None,
    table_file: TableFile = None,
    adjudication: Adjudication = "majority",
    as_json: Json = False,
) -> None:
    """Compare predictors with gold and the annotators, and say which to use and why."""
    from classifier.evaluation import EvaluationOptions
    from classifier.pipeline import Reading, compare

    folder, files = _set_and_files(paths, predictions)
    reading = Reading(parsed(mapping), answer_field, listed(models))
    options = EvaluationOptions(unknown="set aside" if set_aside else "stop", epsilon=epsilon)
    gold = gold_set(folder, adjudication)
    result = compare(gold, files, run=run, split=split, reading=reading, options=options)
    lines = [*gold_line(gold), *_lines(result)]
    lines += [*_charted(result, chart_file), *write_table(result, table_file)]
    for name, own in result.problems.items():
        lines += [f"about the labels of {name}:", *problem_lines(own)] if own else []
    best = next(iter(result.best.values()))[0]
    file = next((str(file) for file in files if file.stem == best), str(files[0]))
    step = f"classifier profile {file} --gold {folder}"
    show(Answer(result.to_dict() | {"problems": result.problems}, lines, step), as_json=as_json)


def _set_and_files(paths: list[Path], predictions: list[Path]) -> tuple[Path, list[Path]]:
    from classifier.labels import is_label_file

    folders = [path for path in paths if not is_label_file(path)]
    if len(folders) != 1:
        raise typer.BadParameter("DIR --predictions FILE... was required, with one DIR")
    return folders[0], [*predictions, *(path for path in paths if path not in folders)]


def _lines(result: "Comparison") -> list[str | Table]:
    shown = result.paper_table()
    pairs = [
        [*row.keys.values(), row.estimates["difference"], row.numbers.get("p_holm")]
        for row in result.pairs
    ]
    beside = [
        [*row.keys.values(), row.estimates["alpha"], row.counts["n_same"], row.counts["n_items"]]
        for row in result.annotators
    ]
    return [
        result.paragraph,
        table(list(shown.columns), shown.cells()),
        "differences on the same mentions (intervals hold together, by Holm):",
        table(["variable", "measure", "first", "minus", "difference", "p"], pairs),
        "with each annotator:",
        table(["variable", "predictor", "annotator", "alpha", "same label", "of"], beside),
    ]


def _charted(result: "Comparison", path: Path | None) -> list[str]:
    if path is None:
        return []
    from classifier.report import write_chart

    write_chart(result, path)
    return [f"the chart is in {path}"]


def prompt_command(
    path: ArticlesPath,
    out: Annotated[Path, typer.Option(help="File for the requests (.jsonl).")],
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
    input_price: Annotated[
        float | None, typer.Option(help="Price of a million tokens read.")
    ] = None,
    output_price: Annotated[
        float | None, typer.Option(help="Price of a million tokens written.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Use the passages that this model reads.")
    ] = None,
    codebook: CodebookFile = None,
    as_json: Json = False,
) -> None:
    """Write requests that ask a language model for labels; nothing is sent."""
    from classifier.pipeline import prompt
    from classifier.prompts import PromptOptions

    rules = "" if manual is None else manual.read_text(encoding="utf-8")
    options = PromptOptions(batch, model, per, listed(variables), rules, input_price, output_price)
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
    step = f"send them, then classifier evaluate DIR --predictions ANSWERS{_field(batch)}"
    show(Answer(data, [f"the requests are in {out}"], step), as_json=as_json)


def _field(batch: str) -> str:
    return " --answer FIELD" if batch == "text" else ""
