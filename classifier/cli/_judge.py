"""Commands that ask for labels and set them side by side: prompt, agreement, evaluate, compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from classifier.cli._output import (
    WRITTEN,
    Adjudication,
    Answer,
    AnswerField,
    Json,
    LabelMap,
    ModelColumns,
    SetAside,
    SetFolder,
    TableFile,
    gold_line,
    gold_set,
    listed,
    map_again,
    new_file,
    parsed,
    problem_lines,
    progress,
    shipped_or,
    show,
    table,
    write_table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from classifier.evaluation import Comparison, Evaluation, Row
    from classifier.records import Problem


def agreement_command(
    folder: SetFolder,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "--measure",
            help="Also: kappa, weighted-kappa, pi, fleiss, ac1, ac2, brennan-prediger, raw, "
            "unitizing; may be repeated.",
        ),
    ] = None,
    table_file: TableFile = None,
    as_json: Json = False,
) -> None:
    """Show how far the annotators agree with each other (Krippendorff's alpha, 95 % intervals)."""
    from classifier.agreement import agreement_words, further_measures, measure_agreement
    from classifier.annotations import read_annotations

    coded = read_annotations(folder)
    report, told = measure_agreement(coded), coded.suggestion_words
    further = further_measures(coded, listed(measures))
    shown = further.paper_table()
    written: list[str | Table] = []
    if further.rows:
        written.append(table(list(shown.columns), shown.cells()))
    written += write_table(further if further.rows else report, table_file)
    who = ", ".join(report.annotators)
    curated = f"curated: {report.n_curated} mentions are gold, and in no figure here"
    more = {"measures": further.to_dict()} if further.rows else {}
    answer = Answer(
        report.to_dict() | more,
        [
            f"annotators: {who or 'none'}",
            *([curated] if report.n_curated else []),
            *([told] if told else []),
            alpha_table(report.to_frame()),
            *agreement_words(report.to_frame()),
            *written,
        ],
        f"classifier train {folder} --out RUN" if who else f"annotate {folder} first",
    )
    show(answer, as_json=as_json)


def evaluate_command(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="[RUN] DIR",
            help="A run (shipped is the scorer that ships) and an annotation set; with "
            "--predictions the set is enough.",
        ),
    ],
    split: Annotated[
        str | None,
        typer.Option(help="Part of the set; default: held out, all with --predictions alone."),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE...", help="Judge these labels: csv, json, jsonl, parquet, …"),
    ] = None,
    mapping: LabelMap = None,
    answer_field: AnswerField = None,
    models: ModelColumns = None,
    baseline: Annotated[bool, typer.Option(help="Fit a linear baseline beside it.")] = True,
    set_aside: SetAside = False,
    adjudication: Adjudication = "majority",
    table_file: TableFile = None,
    as_json: Json = False,
) -> None:
    """Judge a model, or anyone's labels, beside the annotators and the majority class."""
    from classifier.evaluation import EvaluationOptions
    from classifier.pipeline import Reading, evaluate, evaluate_files

    run, folder, files = _what_to_judge(paths, predictions or [])
    data = gold_set(folder, adjudication)
    options = EvaluationOptions(unknown="set aside" if set_aside else "stop")
    problems: Mapping[str, tuple[Problem, ...]] | None = None
    if run is not None and not files:
        with progress("evaluate") as tell:
            result = evaluate(
                run, data, split=split, baseline=baseline, options=options, progress=tell
            )
    else:
        reading = Reading(parsed(mapping), answer_field, listed(models))
        judged = evaluate_files(files, data, run=run, split=split, reading=reading, options=options)
        result, problems = judged.evaluation, judged.problems
    answer = Answer(
        result.to_dict() | ({} if problems is None else {"problems": problems}),
        [
            result.gold,
            *result.warnings,
            accuracy_table(result),
            *agreement_lines(result),
            *interval_lines(result),
            *_about_labels(problems or {}),
            *write_table(result, table_file),
        ],
        f"classifier report {run} {folder} --out report.html"
        if run
        else f"classifier profile {files[0]} --gold {folder}{map_again(mapping)}",
    )
    show(answer, as_json=as_json)


def _about_labels(problems: "Mapping[str, tuple[Problem, ...]]") -> list[str | Table]:
    """What the reader of each file of labels left out or interpreted."""
    lines: list[str | Table] = []
    for name, own in problems.items():
        lines += [f"about the labels of {name}:", *problem_lines(own)] if own else []
    return lines


def _what_to_judge(
    paths: list[Path], predictions: list[Path]
) -> tuple[Path | None, Path, list[Path]]:
    """Run, set and files of labels; files may stand among the folders after --predictions."""
    from classifier.labels import is_label_file

    further = [path for path in paths if predictions and is_label_file(path)]
    folders = [path for path in paths if path not in further]
    if len(folders) == 1 and predictions:
        return None, folders[0], predictions + further
    if len(folders) == 2:
        return shipped_or(folders[0]), folders[1], predictions + further
    raise typer.BadParameter("RUN DIR was required, or DIR --predictions FILE...")


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
    set_aside: SetAside = False,
    chart_file: Annotated[
        Path | None,
        typer.Option(
            "--chart",
            help="Also draw it: .html, .svg or .png.",
            callback=new_file(".html", ".svg", ".png"),
            rich_help_panel=WRITTEN,
        ),
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
    options = EvaluationOptions(unknown="set aside" if set_aside else "stop")
    gold = gold_set(folder, adjudication)
    result = compare(gold, files, run=run, split=split, reading=reading, options=options)
    lines = [*gold_line(gold), *_lines(result)]
    lines += [*_charted(result, chart_file), *write_table(result, table_file)]
    lines += _about_labels(result.problems)
    best = next(iter(result.best.values()))[0]
    file = next((str(file) for file in files if file.stem == best), str(files[0]))
    step = f"classifier profile {file} --gold {folder}{map_again(mapping)}"
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


_AGREEMENT_FIGURES = (
    "alpha_predictor",
    "alpha_annotators",
    "alpha_difference",
    "winning_rate_clustered",
    "advantage_probability",
)
"""Those that a terminal has room for; --json has them all."""
_GLOSSARY = "words such as advantage probability: docs/glossary.md, and the end of a report"


def alpha_table(frame: "pd.DataFrame", title: str = "") -> Table:
    """Alpha per variable and part; the status says why there is no value, or no interval."""
    columns = ["variable", "part", "alpha", "low", "high", "n_items", "n_articles"]
    known = frame[columns].astype(object).where(frame[columns].notna(), None)
    rows = [
        [*row, _why(status, interval)]
        for row, status, interval in zip(
            known.to_numpy().tolist(), frame["status"], frame["interval_status"], strict=True
        )
    ]
    return table([*columns, "status"], rows, title)


def _why(status: str, interval_status: str) -> str:
    has_none = status == "ok" and interval_status != "ok"
    return f"no interval: {interval_status}" if has_none else status


def interval_lines(result: "Evaluation") -> list[str]:
    """Why figures against gold have no interval, where they have none."""
    reasons = {
        figure.interval_status
        for row in result.table("accuracy")
        for figure in row.estimates.values()
        if figure.value is not None and figure.low is None
    }
    return [f"some figures have no interval: {'; '.join(sorted(reasons))}"] if reasons else []


def accuracy_table(result: "Evaluation") -> Table:
    """Every predictor against gold."""
    return _estimate_table([*result.table("accuracy")])


def agreement_lines(result: "Evaluation") -> list[str | Table]:
    """Model-annotator agreement over all mentions; the parts are in the JSON and the report."""
    from classifier.evaluation import (
        GROUPS,
        annotator_test_words,
        majority_passes,
        quality_words,
        variables_judged,
    )
    from classifier.records import ALL

    rows = [
        row
        for row in result.table("agreement")
        if all(row.keys.get(group, ALL) == ALL for group in GROUPS)
    ]
    absent = {
        name: sorted({row.estimates[name].status for row in rows if name in row.estimates})
        for name in _AGREEMENT_FIGURES
        if all(name not in row.estimates or row.estimates[name].value is None for row in rows)
    }
    shown = [name for name in _AGREEMENT_FIGURES if name not in absent]
    reasons = [f"{name.replace('_', ' ')}: {'; '.join(why)}" for name, why in absent.items() if why]
    judged = variables_judged(result)
    if any(majority_passes(result, name) for name in judged):
        shown = [name for name in shown if not name.startswith("winning_rate")]
    said = [quality_words(result, name) for name in judged]
    said += [annotator_test_words(result, name) for name in judged]
    words = [line for line in said if line]
    return [
        *([_estimate_table(rows, shown)] if rows and shown else []),
        *reasons,
        *words,
        *([_GLOSSARY] if words else []),
    ]


def _estimate_table(rows: "Sequence[Row]", chosen: "Sequence[str]" = ()) -> Table:
    """Variable and predictor, then the chosen figures, or all that any of the rows has."""
    names = list(chosen or dict.fromkeys(name for row in rows for name in row.estimates))
    cells = [
        [row.keys["variable"], row.keys["predictor"], *(row.estimates.get(name) for name in names)]
        for row in rows
    ]
    return table(["variable", "predictor", *(name.replace("_", " ") for name in names)], cells)
