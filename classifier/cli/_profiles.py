"""Commands on profiles: profile, plan, regress, report, demo; and their tables."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from classifier.cli._judge import accuracy_table, alpha_table
from classifier.cli._output import (
    SELDOM,
    WRITTEN,
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
    Settings,
    TableFile,
    ends_in,
    free_place,
    gold_line,
    gold_set,
    listed,
    map_again,
    parsed,
    problem_lines,
    progress,
    settings,
    show,
    table,
    write_table,
)

if TYPE_CHECKING:
    from classifier.labels import LabelOptions
    from classifier.profiles import Borne, Extended, Plan, Profile, ProfileOptions, Ranked


Predictions = Annotated[
    Path, typer.Argument(help="What `classifier score` wrote, or labels of your own.")
]
Estimand = Annotated[
    Literal["mention", "article"],
    typer.Option(
        help="What counts the same: every mention, or every article.", rich_help_panel=SELDOM
    ),
]
Population = Annotated[
    Literal["source", "corpus"],
    typer.Option(
        help="What it is about: the source in general, or these articles.", rich_help_panel=SELDOM
    ),
]

GroupedBy = Annotated[
    str, typer.Option(help="Columns to group by: source, target, language, …; year and month too.")
]


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
    codebook: CodebookFile = None,
    articles: Annotated[
        Path | None, typer.Option(help="What was labelled; needed beyond the articles of --gold.")
    ] = None,
    mapping: LabelMap = None,
    answer_field: AnswerField = None,
    models: ModelColumns = None,
    adjudication: Adjudication = "majority",
    setting: Settings = None,
    table_file: TableFile = None,
    as_json: Json = False,
) -> None:
    """Show how each source frames each target, with intervals corrected for the model's errors."""
    from classifier.profiles import borne, profile, profiled_labels

    options = _profile_options(by, estimand, population)
    options = replace(options, **settings(setting, options))
    coded = None if gold is None else gold_set(gold, adjudication)
    known: dict[str, Any] = {"articles": articles, "gold": coded, "codebook": codebook}
    known |= {"mapping": parsed(mapping), "reading": _reading_one(answer_field, listed(models))}
    labels = [profiled_labels(file, **known) for file in predictions]
    problems = tuple(problem for one in labels for problem in one.problems)

    def profile_by(columns: tuple[str, ...]) -> "Profile":
        own = replace(options, by=columns)
        return profile(labels, gold=coded, codebook=codebook, options=own)

    result = profile_by(options.by)
    lines = [
        *borne_lines(borne(result, profile_by)),
        *_profiled(result),
        *([result.gold] if result.gold else []),
        *problem_lines(problems),
        *write_table(result, table_file),
    ]
    if gold is None:
        lines.append("These are the model's means, not corrected for model error: no --gold given.")
    step = (
        f"classifier plan {predictions[0]} --gold {gold}{map_again(mapping)}"
        if gold
        else "classifier sample PATH --n 40 --by source, then --gold DIR"
    )
    data = result.to_dict() | ({"problems": problems} if problems else {})
    show(Answer(data, lines, step), as_json=as_json)


def _profiled(result: "Profile") -> list[str | Table]:
    """The figures, what they are about, and what did not enter them."""
    from classifier.profiles import TRAINED, gain_words

    gain = gain_words(result)
    lines: list[str | Table] = [
        profile_table(result),
        *([gain] if gain else []),
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
    step = f"classifier profile {predictions} --gold {gold}{map_again(mapping)}"
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
    mapping: LabelMap = None,
    adjudication: Adjudication = "majority",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say how many more articles each source needs for a wished width, and draw them."""
    from classifier.profiles import POOLED, PlanOptions, extend, plan, profiled_labels
    from classifier.sampling import write_sample

    if (articles is None) != (out is None):
        raise typer.BadParameter("--articles and --out go together")
    free_place(out, force=force)
    options = _profile_options(by, estimand, population)
    coded = gold_set(gold, adjudication)
    known: dict[str, Any] = {"articles": articles, "gold": coded, "mapping": parsed(mapping)}
    said = profiled_labels(predictions, **known)
    if articles is None or out is None:
        made = plan(said, coded, half_width=half_width, options=options)
        again = f"{predictions} --gold {gold}{map_again(mapping)}"
        answer = _planned(made, f"classifier plan {again} --articles PATH --out DIR draws them")
    else:
        extended = extend(said, coded, articles, PlanOptions(half_width, options))
        write_sample(extended.annotation_set, extended.sample, out, force=force)
        made, answer = extended.plan, _extended(extended, out)
    if made.rows and all(row["needed"] is None for row in made):
        coarser = [*(options.by if len(options.by) > 1 else ()), POOLED]
        coarse = [replace(options, by=(name,)) for name in coarser]
        plans = [plan(said, coded, half_width=half_width, options=o) for o in coarse]
        answer = replace(answer, lines=[*answer.lines, *_coarser_plans(plans)])
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
    out: Annotated[
        Path, typer.Option(help="Page to write: .html or .md.", callback=ends_in(".html", ".md"))
    ],
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
    bundle_to: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            help="Also write all that others need to check it (.zip).",
            rich_help_panel=WRITTEN,
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write agreement, evaluation, profiles and the evidence behind them as one page."""
    from classifier.pipeline import ReportInputs, bundle, report

    for place in (out, bundle_to):
        free_place(place, force=force)
    options = _profile_options(by, "mention", "source")
    inputs = ReportInputs(
        run, folder, predictions, articles, split, options, adjudication=adjudication
    )
    with progress("report") as tell:
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
    from classifier.profiles import gain_words

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
            gain_words(shown.profiles[0]),
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


_MOST_DIFFERENCES_SHOWN = 30


def profile_table(result: "Profile") -> Table:
    """The means of ordinal variables; the shares are in the JSON and in the report."""
    from classifier.profiles import verdict_words

    rows = [
        [
            *result.names(row),
            row.voice,
            quantity.variable,
            row.n_mentions,
            quantity.corrected.n_coded_articles,
            quantity.naive,
            quantity.corrected,
            *([quantity.pooled or "–"] if result.is_pooled else []),
            verdict_words(result, row, quantity),
        ]
        for row in result
        for quantity in row.quantities
        if quantity.label is None
    ]
    groups = list(result.rows[0].group) if result.rows else []
    columns = [*groups, "voice", "variable", "mentions", "coded", "model only", "corrected"]
    pooled = ["pooled"] if result.is_pooled else []
    return table([*columns, *pooled, "verdict"], rows)


def borne_lines(found: "tuple[Borne, ...]") -> list[str | Table]:
    """What few coded articles can say, before what was asked; nothing where that has its means."""
    from classifier.profiles import best_borne

    if not found:
        return []
    lines: list[str | Table] = [
        f"means with an interval: {', '.join(map(str, found))} (8 coded articles are needed)"
    ]
    best = best_borne(found)
    if best is None:
        return [*lines, "The coded articles are too few for any of these; code more at random."]
    how = ",".join(best.by)
    return [*lines, f"what the coded articles can bear (--by {how}):", profile_table(best.profile)]


def withheld_line(result: "Profile", remedy: str) -> list[str]:
    """How many means cannot be told, where there are any, and what helps."""
    from classifier.profiles import ALL_VOICES

    means = [
        quantity.corrected
        for row in result
        if row.voice == ALL_VOICES
        for quantity in row.quantities
        if quantity.label is None
    ]
    withheld = sum(mean.value is None for mean in means)
    if not withheld:
        return []
    groups = " and ".join(result.rows[0].group)
    return [
        f"{withheld} of {len(means)} means by {groups} are withheld for want of labels; {remedy}"
    ]


def comparison_lines(result: "Profile") -> list[str | Table]:
    """Differences and ranks of means in all voices; --json has the author's own voice too."""
    from classifier.profiles import ALL_VOICES

    differences = [
        (", ".join(d.group.values()), d.variable, f"{d.first} minus {d.second}", d.estimate)
        for d in result.differences
        if d.voice == ALL_VOICES and d.label is None
    ]
    ranks = [
        (", ".join(r.group.values()), r.variable, e.name, _place(e), e.estimate)
        for r in result.rankings
        if r.voice == ALL_VOICES and r.label is None and len(r.entries) > 1
        for e in r.entries
    ]
    lines: list[str | Table] = []
    if differences:
        lines.append("corrected differences, each with an interval of its own:")
        columns = ["within", "variable", "difference", "value"]
        lines.append(table(columns, differences[:_MOST_DIFFERENCES_SHOWN]))
    if len(differences) > _MOST_DIFFERENCES_SHOWN:
        rest = len(differences) - _MOST_DIFFERENCES_SHOWN
        lines.append(f"... and {rest} more; --json lists them all")
    if ranks:
        lines.append("ranks, highest first, with intervals that hold for all sources at once:")
        lines.append(table(["within", "variable", "source", "rank", "corrected"], ranks))
    return lines


def _place(entry: "Ranked") -> str:
    return str(entry.rank) if entry.rank else f"none ({entry.best} to {entry.worst})"
