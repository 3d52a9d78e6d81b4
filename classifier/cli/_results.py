"""Commands on results: agreement, evaluate, profile, plan, report, shown."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from classifier.cli._output import (
    Adjudication,
    Answer,
    AnswerField,
    CodebookFile,
    Force,
    Json,
    LabelMap,
    ModelColumns,
    RunFolder,
    SetFolder,
    TableFile,
    gold_line,
    gold_set,
    listed,
    parsed,
    problem_lines,
    progress,
    show,
    table,
    write_table,
)
from classifier.cli._tables import (
    accuracy_table,
    agreement_lines,
    alpha_table,
    borne_lines,
    comparison_lines,
    interval_lines,
    profile_table,
    withheld_line,
)

if TYPE_CHECKING:
    from classifier.labels import LabelOptions
    from classifier.profiles import Extended, Plan, Profile, ProfileOptions


Predictions = Annotated[
    Path, typer.Argument(help="What `classifier score` wrote, or labels of your own.")
]
Estimand = Annotated[
    Literal["mention", "article"],
    typer.Option(help="What counts the same: every mention, or every article."),
]
Population = Annotated[
    Literal["source", "corpus"],
    typer.Option(help="What it is about: the source in general, or these articles."),
]

GroupedBy = Annotated[
    str, typer.Option(help="Columns to group by: source, target, language, …; year and month too.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command("agreement")(agreement_command)
    app.command("evaluate")(evaluate_command)
    app.command("profile")(profile_command)
    app.command("plan")(plan_command)
    app.command("regress")(regress_command)
    app.command("report")(report_command)
    app.command("demo")(demo_command)


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
            help="A run and an annotation set; with --predictions the set is enough.",
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
    set_aside: Annotated[
        bool,
        typer.Option(
            "--set-aside", help="Count labels that the codebook lacks instead of stopping."
        ),
    ] = False,
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
    problems: list[str | Table] = []
    found: dict[str, object] = {}
    if run is not None and not files:
        with progress("evaluate") as tell:
            result = evaluate(
                run, data, split=split, baseline=baseline, options=options, progress=tell
            )
    else:
        reading = Reading(parsed(mapping), answer_field, listed(models))
        judged = evaluate_files(files, data, run=run, split=split, reading=reading, options=options)
        result, found = judged.evaluation, {"problems": judged.problems}
        for name, own in judged.problems.items():
            problems += [f"about the labels of {name}:", *problem_lines(own)] if own else []
    problems += write_table(result, table_file)
    step = f"classifier report {run} {folder} --out report.html"
    answer = Answer(
        result.to_dict() | found,
        [
            *gold_line(data),
            *result.warnings,
            accuracy_table(result),
            *agreement_lines(result),
            *interval_lines(result),
            *problems,
        ],
        step if run else f"classifier profile {files[0]} --gold {folder}",
    )
    show(answer, as_json=as_json)


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
        return folders[0], folders[1], predictions + further
    raise typer.BadParameter("RUN DIR was required, or DIR --predictions FILE...")


def profile_command(
    predictions: Annotated[
        list[Path],
        typer.Argument(
            help="What `classifier score` wrote, or labels of your own; several correct together."
        ),
    ],
    gold: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Annotations of some of these articles.")
    ] = None,
    by: GroupedBy = "source,target",
    estimand: Estimand = "mention",
    population: Population = "source",
    compare_shares: Annotated[
        bool, typer.Option("--compare-shares", help="Compare and rank shares too (--json).")
    ] = False,
    codebook: CodebookFile = None,
    articles: Annotated[
        Path | None, typer.Option(help="What was labelled; needed beyond the articles of --gold.")
    ] = None,
    mapping: LabelMap = None,
    answer_field: AnswerField = None,
    models: ModelColumns = None,
    adjudication: Adjudication = "majority",
    table_file: TableFile = None,
    as_json: Json = False,
) -> None:
    """Show how each source frames each target, with intervals corrected for the model's errors."""
    from classifier.profiles import borne, profile, profiled_labels

    options = replace(_profile_options(by, estimand, population), compare_shares=compare_shares)
    reading = _reading_one(answer_field, listed(models))
    coded = None if gold is None else gold_set(gold, adjudication)
    known: dict[str, Any] = {
        "articles": articles,
        "gold": coded,
        "codebook": codebook,
        "reading": reading,
    }
    labels = [profiled_labels(file, mapping=parsed(mapping), **known) for file in predictions]
    problems = tuple(problem for one in labels for problem in one.problems)
    result = profile(labels, gold=coded, codebook=codebook, options=options)
    found = borne(
        result,
        lambda own: profile(
            labels, gold=coded, codebook=codebook, options=replace(options, by=own)
        ),
    )
    lines = [
        *borne_lines(found),
        *_profiled(result),
        *gold_line(coded),
        *problem_lines(problems),
        *write_table(result, table_file),
    ]
    if gold is None:
        lines.append("These are the model's means, not corrected for model error: no --gold given.")
    step = (
        f"classifier plan {predictions[0]} --gold {gold}"
        if gold
        else "classifier sample PATH --n 40 --by source, then --gold DIR"
    )
    data = result.to_dict() | ({"problems": problems} if problems else {})
    show(Answer(data, lines, step), as_json=as_json)


def _profiled(result: "Profile") -> list[str | Table]:
    """The figures, what they are about, and what did not enter them."""
    from classifier.profiles import TRAINED

    lines: list[str | Table] = [
        profile_table(result),
        result.estimand,
        *comparison_lines(result),
        *(f"not predicted, so not estimated: {name}" for name in result.not_predicted),
        *(f"left out: {n} mentions, {reason}" for reason, n in result.left_out.items()),
    ]
    if TRAINED in result.left_out:
        lines.append("Train and score with --folds, and those articles correct the profile too.")
    return lines


def _reading_one(answer: str | None, models: tuple[str, ...]) -> "LabelOptions":
    from classifier.labels import LabelOptions

    if len(models) > 1:
        raise typer.BadParameter("a profile is of one model: --models with one name was required")
    return LabelOptions(answer=answer, models=models, model=models[0] if models else None)


def regress_command(
    predictions: Predictions,
    formula: Annotated[
        str, typer.Argument(help="Such as 'stance ~ source + month', or 'roles=victim ~ target'.")
    ],
    gold: Annotated[Path, typer.Option(metavar="DIR", help="Annotations of some articles.")],
    estimand: Estimand = "mention",
    articles: Annotated[
        Path | None, typer.Option(help="What was labelled; needed beyond the articles of --gold.")
    ] = None,
    mapping: LabelMap = None,
    table_file: TableFile = None,
    adjudication: Adjudication = "majority",
    as_json: Json = False,
) -> None:
    """Regress stance on source, month or other columns, corrected for the model's errors."""
    from classifier.profiles import regress

    coded = gold_set(gold, adjudication)
    made = regress(
        predictions,
        coded,
        formula,
        articles=articles,
        mapping=parsed(mapping),
        options=_profile_options("target", estimand, "source"),
    )
    shown = made.paper_table()
    lines: list[str | Table] = [
        *gold_line(coded),
        made.caption,
        table(list(shown.columns), shown.cells()),
        *made.notes(),
        *write_table(made, table_file),
    ]
    step = f"classifier profile {predictions} --gold {gold}"
    show(Answer(made.to_dict(), lines, step), as_json=as_json)


def plan_command(
    predictions: Predictions,
    gold: Annotated[Path, typer.Option(metavar="DIR", help="Annotations of some articles.")],
    half_width: Annotated[float, typer.Option(help="Wished half-width of the interval.")] = 0.1,
    by: Annotated[str, typer.Option(help="Columns that part the groups.")] = "source,target",
    estimand: Estimand = "mention",
    population: Population = "source",
    articles: Annotated[
        Path | None, typer.Option(help="The articles that were scored; needed with --out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Draw those articles, and write the longer set here.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    adjudication: Adjudication = "majority",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say how many more articles each source needs for a wished width, and draw them."""
    from classifier.files import refuse_to_replace
    from classifier.profiles import POOLED, PlanOptions, extend, plan
    from classifier.sampling import write_sample

    if (articles is None) != (out is None):
        raise typer.BadParameter("--articles and --out go together")
    if out is not None:
        refuse_to_replace(out, force=force)
    options = _profile_options(by, estimand, population)
    coded = gold_set(gold, adjudication)
    if articles is None or out is None:
        made = plan(predictions, coded, half_width=half_width, options=options)
        step = f"classifier plan {predictions} --gold {gold} --articles PATH --out DIR draws them"
        answer = _planned(made, step)
        if made.rows and all(row["needed"] is None for row in made):
            coarser = [*(options.by if len(options.by) > 1 else ()), POOLED]
            coarse = [replace(options, by=(name,)) for name in coarser]
            plans = [plan(predictions, coded, half_width=half_width, options=o) for o in coarse]
            answer = replace(answer, lines=[*answer.lines, *_coarser_plans(plans)])
    else:
        extended = extend(predictions, coded, articles, PlanOptions(half_width, options, seed))
        write_sample(extended.annotation_set, extended.sample, out, force=force)
        answer = _extended(extended, out)
    show(answer, as_json=as_json)


def _planned(plan: "Plan", step: str) -> Answer:
    shown = plan.paper_table()
    return Answer(
        {"half_width": plan.half_width, "groups": list(plan.rows)},
        [table(list(shown.columns), shown.cells())],
        step,
    )


def _coarser_plans(plans: "list[Plan]") -> list[str | Table]:
    """What can be planned by one column alone, or for all mentions together."""
    lines: list[str | Table] = ["No group has enough coded articles to plan from. Coarser groups:"]
    return lines + [line for plan in plans for line in _planned(plan, "").lines]


def _extended(extended: "Extended", out: Path) -> Answer:
    planned = _planned(extended.plan, f"annotate, then classifier check {out}")
    drawn = extended.sample.table.to_dict("records")
    lines = [
        *planned.lines,
        f"{len(drawn)} more articles are in {out}, with those coded so far; each has the "
        "probability that one of the draws took it",
        *problem_lines(extended.problems),
    ]
    data = {**planned.data, "out": out, "drawn": drawn, "problems": extended.problems}
    return replace(planned, data=data, lines=lines)


def report_command(
    run: RunFolder,
    folder: SetFolder,
    out: Annotated[Path, typer.Option(help="Page to write: .html or .md.")],
    predictions: Annotated[
        Path | None, typer.Option(help="Predictions to profile the sources from.")
    ] = None,
    articles: Annotated[
        Path | None, typer.Option(help="The articles that were scored, to show the passages.")
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Part to evaluate on; default: held out.")
    ] = None,
    by: Annotated[str, typer.Option(help="Columns that part the profiles.")] = "source,target",
    adjudication: Adjudication = "majority",
    explain: Annotated[
        int,
        typer.Option(min=0, help="For how many mentions to show the words that carry the score."),
    ] = 40,
    bundle_to: Annotated[
        Path | None,
        typer.Option("--bundle", help="Also write all that others need to check it (.zip)."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write agreement, evaluation, profiles and the evidence behind them as one page."""
    from classifier.files import refuse_to_replace
    from classifier.pipeline import ReportInputs, bundle, report

    for place in (out, bundle_to):
        if place is not None:
            refuse_to_replace(place, force=force)
    options = _profile_options(by, "mention", "source")
    inputs = ReportInputs(run, folder, predictions, articles, split, options, explain, adjudication)
    with progress("evaluate") as tell:
        reported = report(inputs, out, force=force, progress=tell)
    lines = [f"the report is in {reported.page}", *gold_line(reported.annotation_set)]
    if bundle_to is not None:
        written = bundle(inputs, reported, bundle_to, force=force)
        lines.append(f"what others need to check it is in {written}")
    if predictions is None:
        lines.append("It has no profiles and no evidence: no --predictions were given.")
    data = {"out": reported.page, "bundle": bundle_to, "problems": reported.problems}
    told = [*lines, *problem_lines(reported.problems)]
    answer = Answer(data, told, f"open {reported.page}")
    show(answer, as_json=as_json)


def demo_command(
    out: Annotated[Path, typer.Option(help="Folder for all that it makes.")] = Path("demo"),
    folds: Annotated[
        int,
        typer.Option(
            min=0, help="Train so many more models (3, say), so that all articles can be profiled."
        ),
    ] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Do the main job on the shipped sample: agreement to report, in a few minutes."""
    from classifier.pipeline import demo

    shown = demo(out, folds=folds, force=force, step=progress)
    overall = shown.agreement.to_frame().query("part == 'all'")
    remedy = "code more articles" if folds else "--folds 3 trains more models to profile all"
    answer = Answer(
        {
            "report": shown.report,
            "run": shown.run.path,
            "agreement": shown.agreement.to_dict(),
            "evaluation": shown.evaluation.to_dict(),
            "profiles": [profile.to_dict() for profile in shown.profiles],
        },
        [
            "The sample was written and labelled by a language model, to learn the tool and for "
            "tests; it is no evidence about anyone.",
            alpha_table(overall, "agreement between the two passes"),
            accuracy_table(shown.evaluation),
            profile_table(shown.profiles[0]),
            *withheld_line(shown.profiles[-1], remedy),
            f"the report is in {shown.report}",
        ],
        f"open {shown.report}",
    )
    show(answer, as_json=as_json)


def _profile_options(
    by: str, estimand: Literal["mention", "article"], population: Literal["source", "corpus"]
) -> "ProfileOptions":
    from classifier.intervals import InferenceOptions
    from classifier.profiles import ProfileOptions

    inference = InferenceOptions(estimand=estimand, population=population)
    return ProfileOptions(by=tuple(by.split(",")), inference=inference)
