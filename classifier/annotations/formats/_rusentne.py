"""RuSentNE-2023: entities in sentences of Russian news, a table separated by tabs and never quoted.

In the publisher's file, sentences that begin with a quotation mark went through a quoting CSV
writer twice: their marks are multiplied and the offsets no longer fit. Undoing that gives back the
sentence that the offsets were counted in. A row where it does not is refused.

The publisher shuffled the sentences and gives no document, so that a sentence is a story of its own
and a split cannot keep the sentences of one document together.
"""

from collections.abc import Iterator
from pathlib import Path

from classifier.annotations._table import Annotation
from classifier.annotations.formats._foreign import (
    Found,
    Imported,
    imported,
    read_text,
    shipped_codebook,
)
from classifier.codebook import Codebook
from classifier.errors import CodebookError, DataError
from classifier.records import Article, Problem, Span

NAME = "rusentne"
_COLUMNS = (
    "sentence",
    "entity",
    "entity_tag",
    "entity_pos_start_rel",
    "entity_pos_end_rel",
    "label",
)
_MAX_QUOTINGS = 2


def read_rusentne(path: Path) -> Imported:
    """Read the publisher's train.tsv, or the folder that holds it."""
    file = path / "train.tsv" if path.is_dir() else path
    header, *lines = read_text(file).split("\n")
    if tuple(header.rstrip("\r").split("\t")) != _COLUMNS:
        raise DataError(f"{file}: the columns {', '.join(_COLUMNS)} were required, got {header!r}")
    codebook = shipped_codebook(NAME)
    articles: dict[str, Article] = {}
    found: list[Found] = []
    for number, line in enumerate(lines, 2):
        if line.strip():
            row = line.rstrip("\r").split("\t")
            found += _row(row, f"{file.name}:{number}", articles, codebook)
    return imported([*articles.values(), *found], codebook)


def _row(
    row: list[str], where: str, articles: dict[str, Article], codebook: Codebook
) -> Iterator[Found]:
    if len(row) != len(_COLUMNS):
        detail = f"{len(_COLUMNS)} fields were required, got {len(row)}"
        yield Problem(where, "wrong number of fields, refused", detail)
        return
    sentence, entity, tag, start, end, code = row
    try:
        span = Span(int(start), int(end))
        stance = codebook.variable("stance").counterpart(NAME, code)
    except CodebookError as error:
        yield Problem(where, "unknown label, refused", str(error))
        return
    except ValueError as error:
        yield Problem(where, "offsets broken, refused", str(error))
        return
    fit = _fit(sentence, entity, span)
    if fit is None:
        detail = f"characters {start}-{end} are not {entity!r}, with its quotes undone or not"
        yield Problem(where, "surface does not match, refused", detail)
        return
    n, text, surface = fit
    if n:
        detail = f"{n} layers of CSV quoting undone, then characters {start}-{end} are {surface!r}"
        yield Problem(where, "quoting undone, repaired", detail)
    article = articles.setdefault(text, _article(text, len(articles)))
    yield Annotation(
        article_id=article.article_id,
        span=span,
        target=surface,
        surface=surface,
        annotator=NAME,
        labels={"stance": stance},
        comment=f"entity tag {tag}",
    )


def _fit(sentence: str, entity: str, span: Span) -> tuple[int, str, str] | None:
    """Layers of quoting undone, sentence and surface where the span fits; None where none does."""
    for n in range(_MAX_QUOTINGS + 1):
        text = _unquoted(sentence, n)
        surfaces = {_unquoted(entity, m) for m in range(n + 1)}
        if text[span.start : span.end] in surfaces:
            return n, text, text[span.start : span.end]
    return None


def _unquoted(field: str, n: int) -> str:
    for _ in range(n):
        if len(field) < 2 or not field.startswith('"') or not field.endswith('"'):
            return field
        field = field[1:-1].replace('""', '"')
    return field


def _article(text: str, number: int) -> Article:
    return Article(f"{NAME}-{number}", text, language="ru", split="train")
