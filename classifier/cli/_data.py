"""Commands on texts and annotations: export, check, mentions, sample."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from classifier.cli._output import (
    Answer,
    ArticlesPath,
    CodebookFile,
    Force,
    Json,
    SetFolder,
    Voice,
    free_place,
    note,
    own_codebook,
    problem_lines,
    show,
    table,
)
from classifier.records import LANGUAGES, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from classifier.codebook import Codebook
    from classifier.mentions import Excluded, Settle, VoiceReason
    from classifier.records import Mention
    from classifier.sampling import Drawn


_PER_PAGE = 40
"""Mentions that a terminal shows at once."""


def export_command(
    format_name: Annotated[
        str, typer.Argument(metavar="FORMAT", help="label-studio, brat or csv.")
    ],
    folder: SetFolder,
    out: Annotated[
        Path,
        typer.Option(
            help="File or folder to write. csv to a .csv or .xlsx file is a coding sheet: a row "
            "per mention, the labels empty."
        ),
    ],
    predictions: Annotated[
        Path | None, typer.Option(help="Predictions to show as suggestions.")
    ] = None,
    annotator: Annotated[str, typer.Option(help="Who will fill in the coding sheet.")] = "",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write an annotation set for another tool, or as a sheet to code in a spreadsheet."""
    from classifier.annotations import read_annotations
    from classifier.annotations.formats import export, is_sheet
    from classifier.predictions import read_predictions
    from classifier.sampling import mention_table

    free_place(out, force=force)
    annotation_set = read_annotations(folder)
    is_for_coding = format_name == "csv" and is_sheet(out)
    if is_for_coding and predictions is not None:
        raise typer.BadParameter(
            "a coding sheet shows no suggestions, since nobody could tell afterwards which were "
            "left unchanged: leave --predictions out, or export label-studio, which notes them"
        )
    shown = None if predictions is None else read_predictions(predictions)
    if is_for_coding:
        shown = mention_table(annotation_set.articles, annotation_set.codebook)
    export(format_name, annotation_set, out, predictions=shown, annotator=annotator, force=force)
    if is_for_coding:
        lines = _how_to_code(annotation_set.codebook, out, annotator)
        step = f"fill it in, then classifier import csv {out} --out {folder}"
        step += " (a second annotator: --into instead of --out)"
    else:
        lines = [
            f"{len(annotation_set.articles)} articles are in {out}, as {format_name}",
            *(_by_products(out) if format_name == "label-studio" else []),
        ]
        step = f"classifier import {format_name} {out} --out DIR brings them back"
    data = {"out": out, "articles": len(annotation_set.articles), "format": format_name}
    show(Answer(data, lines, step), as_json=as_json)


def _how_to_code(codebook: "Codebook", out: Path, annotator: str) -> list[str]:
    """What an annotator may write into the columns of a coding sheet."""
    from classifier.annotations.formats import NONE_CODED

    lines = [f"the mentions to code are in {out}; the mention stands in [[ ]] in its sentence"]
    for variable in codebook.variables:
        several = f", several with | between, or {NONE_CODED}" if variable.kind == "set" else ""
        lines.append(f"column {variable.name}: {', '.join(variable.names)}{several}")
    lines.append("column not_target: yes, if this is no mention of the target")
    if not annotator:
        lines.append("column annotator: one name in every row that is coded")
    return lines


def check_command(
    folder: SetFolder,
    fix: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write what can be mended here.")
    ] = None,
    codebook: CodebookFile = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Check an annotation set against its codebook; exits with 1 if anything is wrong.

    Exits with 3 if the rows are in order, but labels were lost when they were imported or mended.
    """
    from classifier.annotations import check, fix_annotations, lost_labels

    free_place(fix, force=force)
    own = own_codebook(codebook)
    problems = check(folder, own)
    if fix is None:
        lost = lost_labels(folder)
        answer = Answer(
            {"folder": folder, "problems": problems, "lost": lost},
            [*problem_lines(problems), *_lost_lines(folder, lost)] or [f"{folder} is in order"],
            f"classifier check {folder} --fix OUT"
            if problems
            else f"classifier agreement {folder}",
            failed=bool(problems),
            lost=lost,
        )
        show(answer, as_json=as_json)
        return
    fixed = fix_annotations(folder, fix, own, force=force)
    answer = Answer(
        {"folder": folder, "out": fix, "mended": fixed.mended, "left_out": fixed.left_out},
        [
            f"{len(fixed.mended)} problems were mended in {fix}, {len(fixed.left_out)} left out",
            *problem_lines([*fixed.mended, *fixed.left_out]),
        ],
        f"classifier check {fix}",
    )
    show(answer, as_json=as_json)


def _lost_lines(folder: Path, lost: "Mapping[str, int]") -> list[str | Table]:
    """What import or mending could not keep; nothing where all was kept."""
    from classifier.annotations import PROBLEMS

    if not lost:
        return []
    told = (
        f"labels lost before they came to {folder}: {sum(lost.values())}; {folder / PROBLEMS} "
        "lists them. Import again, or delete that file if you can do without them"
    )
    return [told, table(["lost", "labels"], list(lost.items()))]


def mentions_command(
    path: ArticlesPath,
    page: Annotated[int, typer.Option(min=1, help="Which page of the mentions to show.")] = 1,
    codebook: CodebookFile = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A page of the articles with their voices in colour (HTML)."),
    ] = None,
    voice: Voice = "rules",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Count what was found, by source, target, voice and zone, then show it page by page."""
    from classifier.articles import read_articles
    from classifier.mentions import explain_mentions, write_page

    reading = read_articles(path)
    book = _codebook(codebook)
    settle = _settler(voice, book)
    found, excluded = [], []
    sources = {article.article_id: article.source or UNKNOWN for article in reading}
    voices: list[VoiceReason] = []
    unread = [article.article_id for article in reading if article.language not in LANGUAGES]
    if out is not None:
        write_page(out, reading.articles, book, settle=settle, force=force)
    for article in reading:
        report = explain_mentions(article, book, settle=settle)
        found += [(article.article_id, mention) for mention in report.mentions]
        voices += report.voices
        excluded += [(article.article_id, exclusion) for exclusion in report.excluded]
    rows = [
        (a, m.span.start, m.surface, m.target, m.kind, m.voice, m.zone, m.speaker, m.entry)
        for a, m in found
    ]
    columns = ["article", "at", "surface", "target", "kind", "voice", "zone", "speaker", "entry"]
    answer = Answer(
        {
            "articles": len(reading),
            "mentions": [
                {"article_id": a, "mention": m, "voice": why}
                for (a, m), why in zip(found, voices, strict=True)
            ],
            "out": out,
            "unread": unread,
            "excluded": [{"article_id": a, "exclusion": e} for a, e in excluded],
            "problems": reading.problems,
        },
        [
            f"{len(found)} mentions in {len(reading)} articles",
            *_totals(found, sources),
            *_paged(columns, rows, page),
            *_excluded(excluded, page),
            *(
                f"{article_id}: in none of {', '.join(LANGUAGES)}; names in it are listed, "
                "but whose words they are is known by quotation marks alone"
                for article_id in unread
            ),
            *problem_lines(reading.problems),
        ],
    )
    show(answer, as_json=as_json)


def _settler(voice: str, book: "Codebook") -> "Settle | None":
    """What decides on voices after the rules, if anything does."""
    if voice == "rules":
        return None
    from classifier.models import read_voice_model

    return read_voice_model().settler(book)


def _totals(found: "list[tuple[str, Mention]]", sources: dict[str, str]) -> list[str | Table]:
    """How many mentions by source, target, voice and zone."""
    columns: dict[str, list[str]] = {
        "source": [sources[article] for article, _ in found],
        **{name: [str(getattr(m, name)) for _, m in found] for name in ("target", "voice", "zone")},
    }
    counts = {name: Counter(values) for name, values in columns.items() if values}
    return [
        table([name, "mentions"], [(one, count[one]) for one in sorted(count, key=str.casefold)])
        for name, count in counts.items()
    ]


def _paged(
    columns: list[str], rows: "Sequence[tuple[object, ...]]", page: int
) -> list[str | Table]:
    """The rows of a page, and how to see the next."""
    if not rows:
        return []
    n_pages = -(-len(rows) // _PER_PAGE)
    if page > n_pages:
        raise typer.BadParameter(f"--page was at most {n_pages}, got {page}")
    first = (page - 1) * _PER_PAGE
    shown = rows[first : first + _PER_PAGE]
    lines: list[str | Table] = [table(columns, shown)]
    if n_pages > 1:
        lines.append(
            f"mentions {first + 1} to {first + len(shown)} of {len(rows)}, page {page} of "
            f"{n_pages}; --page N shows another, --json all"
        )
    return lines


def _excluded(excluded: "list[tuple[str, Excluded]]", page: int) -> list[str | Table]:
    """What was excluded, counted by rule, with the first of them; on the first page only."""
    if page > 1 or not excluded:
        return []
    rules = Counter(str(exclusion.rule) for _, exclusion in excluded)
    first = [(a, e.span.start, e.surface, e.rule) for a, e in excluded[:_PER_PAGE]]
    lines: list[str | Table] = [
        table(["excluded by the rule", "n"], rules.most_common()),
        table(["article", "at", "excluded", "rule"], first),
    ]
    if len(excluded) > _PER_PAGE:
        lines.append(f"... and {len(excluded) - _PER_PAGE} more; --json lists them all")
    return lines


def sample_command(
    path: ArticlesPath,
    n: Annotated[int, typer.Option("--n", help="Articles to draw.")],
    out: Annotated[Path, typer.Option(help="Folder for the articles to annotate.")],
    by: Annotated[
        str,
        typer.Option(
            help="Draw evenly from each: out of source, language, target; or uncertainty: more "
            "where a model is unsure. The chances are known."
        ),
    ] = "source",
    predictions: Annotated[
        Path | None, typer.Option(help="Predictions; needed for uncertainty, else suggestions.")
    ] = None,
    label_studio: Annotated[
        Path | None, typer.Option(help="Also write a Label Studio project here (.json).")
    ] = None,
    suggest_labels: Annotated[
        bool, typer.Option("--suggest-labels", help="Show the predicted labels in it, too.")
    ] = False,
    codebook: CodebookFile = None,
    seed: Annotated[int, typer.Option()] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Draw articles to annotate with known chances: evenly, or more where a model is unsure."""
    from classifier.annotations.formats import export
    from classifier.sampling import DrawOptions, sample, write_sample

    free_place(out, force=force)
    free_place(label_studio, force=force)
    options = DrawOptions(tuple(by.split(",")), seed=seed)
    if by == "uncertainty":
        options = DrawOptions(design="uncertainty", seed=seed)
    drawn = sample(path, n, options=options, predictions=predictions, codebook=_codebook(codebook))
    for line in drawn.cells.words() if drawn.cells else []:
        note(line)  # told before anything is written
    write_sample(drawn.annotation_set, drawn.sample, out, force=force)
    if label_studio is not None:
        # who sees a model's labels agrees with the others who see them
        labels = [] if suggest_labels else [v.name for v in drawn.annotation_set.codebook.variables]
        shown = drawn.suggestions.drop(columns=labels, errors="ignore")
        export("label-studio", drawn.annotation_set, label_studio, shown, force=force)
    show(_drawn(drawn, out, label_studio), as_json=as_json)


def _drawn(drawn: "Drawn", out: Path, label_studio: Path | None) -> Answer:
    sample = drawn.sample
    lines: list[str | Table] = [
        f"{len(drawn.annotation_set.articles)} of {sample.n_population} articles are in {out}, "
        f"with the chance of each in sampling.csv"
    ]
    if drawn.n_silent:
        n_read = sample.n_population + drawn.n_silent
        lines.append(f"{drawn.n_silent} of {n_read} articles that were read name no target")
    if label_studio is not None:
        lines += _by_products(label_studio)
    return Answer(
        {
            "out": out,
            "label_studio": label_studio,
            "design": sample.design,
            "n_population": sample.n_population,
            "n_silent": drawn.n_silent,
            "drawn": sample.table.to_dict("records"),
            "problems": drawn.problems,
        },
        [*lines, *problem_lines(drawn.problems)],
        f"annotate (in Label Studio, or in a sheet: classifier export csv {out} --out NAME.xlsx "
        "--annotator NAME), then classifier import",
    )


def _by_products(project: Path) -> list[str]:
    """What was written for Label Studio."""
    config = project.with_suffix(".config.xml")
    return [f"the Label Studio project is in {project}, its labelling interface in {config}"]


def _codebook(path: Path | None) -> "Codebook":
    from classifier.codebook import default_codebook

    return own_codebook(path) or default_codebook()
