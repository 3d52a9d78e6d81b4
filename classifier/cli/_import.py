"""The command that reads annotations of other tools."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.cli._output import (
    Answer,
    CodebookFile,
    Force,
    Json,
    LabelMap,
    own_codebook,
    parsed,
    problem_lines,
    show,
    table,
)

if TYPE_CHECKING:
    from classifier.annotations import AnnotationSet
    from classifier.annotations.formats import Imported
    from classifier.records import Article

_FORMATS = (
    "label-studio, label-studio-min, argilla, potato, activetigger, refi-qda, doccano, inception, "
    "brat, prodigy, csv, semeval2025-entity-framing, newsmtsc, rusentne or ruopinionne."
)
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="THEIRS=OURS",
        help="What a column or field holds: mood=stance, land=target, who=annotator.",
    ),
]


def import_command(
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help=_FORMATS)],
    path: Annotated[Path, typer.Argument(help="File or folder in that format.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the annotation set.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Add these coders to the annotation set in this folder."),
    ] = None,
    codebook: CodebookFile = None,
    columns: Columns = None,
    mapping: LabelMap = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Read annotations of another tool or publisher; every repaired or refused row is listed.

    Exits with 3 if the set is written but labels were lost; problems.jsonl in it lists them.
    Without --codebook, the one in the folder counts, such as `classifier sample` leaves there.
    What its articles say of themselves, such as the chance of being drawn, is kept.
    --into joins coders who worked in several tools on the same articles.
    """
    from classifier.annotations import CODEBOOK
    from classifier.annotations.formats import import_annotations

    if (out is None) == (into is None):
        raise typer.BadParameter("either --out DIR, for a new set, or --into DIR was required")
    out = Path(out or into or "")
    left = out / CODEBOOK
    imported = import_annotations(
        format_name,
        path,
        own_codebook(codebook or (left if left.is_file() else None)),
        columns=parsed(columns),
        mapping=parsed(mapping),
        articles=_articles_in(out),
    )
    imported = replace(imported, annotation_set=_with_drawn(out, imported.annotation_set))
    rows, joined = _written(imported, out, into, force=force)
    accepted = imported.annotation_set.suggestion_words
    answer = Answer(
        {
            "out": out,
            "articles": len(imported.annotation_set.articles),
            "annotations": rows,
            "counts": dict(imported.counts),
            "files": imported.files,
            "annotators": imported.annotation_set.annotators,
            "curated": imported.annotation_set.n_curated,
            "lost": imported.lost,
            "names_taken": imported.names_taken,
            "problems": imported.problems,
        },
        [
            _what_was_read(imported, out) if rows else _nothing_read(path, imported),
            *joined,
            *([accepted] if accepted else []),
            *problem_lines(imported.problems),
            table(["import", ""], imported.summary),
        ],
        f"classifier check {out}" if rows else "",
        failed=not rows,
        lost=imported.lost,
    )
    show(answer, as_json=as_json)


def _written(
    imported: "Imported", out: Path, into: Path | None, *, force: bool
) -> tuple[int, list[str]]:
    """Write the set, and say how many rows came and who is in it now.

    Nothing is written if nothing came: what lies there is worth more.
    """
    from classifier.annotations import (
        PROBLEMS,
        check_nothing_is_lost,
        read_problems,
        write_annotations,
    )
    from classifier.annotations.formats import WITHOUT_LABEL
    from classifier.files import write_json_lines

    read = whole = imported.annotation_set
    joined: list[str] = []
    if into is not None and len(whole.table):
        whole, joined = _with_coders(into, whole)
    if not force:
        check_nothing_is_lost(whole, out)
    lost = imported.lost.keys() & WITHOUT_LABEL
    if not len(read.table) or (lost and not read.has_labels):
        return 0, joined
    earlier = [] if into is None else read_problems(into)
    write_annotations(whole, out, force=force or into is not None)
    if listing := [*earlier, *imported.listing]:
        write_json_lines(out / PROBLEMS, listing)
    return len(read.table), joined


def _what_was_read(imported: "Imported", out: Path) -> str:
    """The first line: what came in, what did not, and what nobody was asked."""
    read = imported.annotation_set
    said = f"{len(read.articles)} articles with {len(read.table)} annotations are in {out}"
    empty = [v.name for v in read.codebook.variables if read.table[v.name].isna().all()]
    lost = sum(imported.lost.values())
    said += (
        f"; labels lost: {lost}, the table says why and problems.jsonl lists them" if lost else ""
    )
    return said + (f"; no label of {', '.join(empty)} came" if empty else "")


def _nothing_read(path: Path, imported: "Imported") -> str:
    n_articles = len(imported.annotation_set.articles)
    predictions = imported.counts.get("predictions left out", 0)
    said = f"; {predictions} predictions are no annotator's labels" if predictions else ""
    return (
        f"{path}: at least one label was required, none of {n_articles} articles has one that is "
        f"in the codebook{said}; nothing is written, the list says why"
    )


def _articles_in(folder: Path) -> "tuple[Article, ...]":
    """The articles of the set in a folder, if there is one."""
    from classifier.articles import read_articles

    drawn = folder / "articles.jsonl"
    return tuple(read_articles(drawn)) if drawn.is_file() else ()


def _with_drawn(folder: Path, new: "AnnotationSet") -> "AnnotationSet":
    """The set with what the folder knows of its articles, such as their chance of being drawn."""
    from classifier.annotations import fill_articles

    known = _articles_in(folder)
    return fill_articles(new, known) if known else new


def _with_coders(folder: Path, new: "AnnotationSet") -> "tuple[AnnotationSet, list[str]]":
    """The set in the folder with more coders, and what it holds now."""
    from classifier.annotations import join_coders, read_annotations

    before = read_annotations(folder)
    whole = join_coders([before, new])
    shared = len(before.articles) + len(new.articles) - len(whole.articles)
    people = ", ".join(whole.annotators)
    lines = [f"{folder} has {len(whole.articles)} articles by {people} now, {shared} of both"]
    if not shared:
        lines.append("No article is in both: ids and texts differ, so these coders never meet.")
    return whole, lines
