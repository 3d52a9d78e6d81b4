"""The labels on real news: stand-off, so that the texts stay with those who publish them.

`annotations/real/articles.jsonl` names each sentence by its corpus and the hash of its text, and
`annotations.jsonl` has the labels by offsets. With the folder of the corpora the texts are found
again.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.annotations.formats import import_annotations
from classifier.codebook import Codebook, shipped_annotations
from classifier.errors import DataError
from classifier.records import Article, Span

REAL = "real"
ARTICLES, ANNOTATIONS = "articles.jsonl", "annotations.jsonl"
ADJUDICATOR = "third-reading"
"""Decides where two passes disagree; its labels are gold and count in no agreement."""
_ORIGINS = ("tatoeba-newstest-tico", "wmt", "stsb")
_IMPORTED = ("newsmtsc", "rusentne", "ruopinionne")


def read_real(data: Path, codebook: Codebook, folder: Path | None = None) -> AnnotationSet:
    """The labels on real news with their texts.

    Args:
        data: Folder of the corpora.
        codebook: What the labels are of; further variables are not coded.
        folder: Where the labels are; by default those that ship.

    Raises:
        DataError: a text is not in the corpora, or is another one there.
    """
    folder = folder or shipped_annotations() / REAL
    texts = {hashlib.sha256(text.encode()).hexdigest(): text for text in texts_of(data)}
    articles = {}
    for row in _lines(folder / ARTICLES):
        text = texts.get(row["text_sha256"])
        if text is None:
            raise DataError(
                f"{data} must hold the sentence with sha256 {row['text_sha256'][:12]}… of "
                f"{row['corpus']}; it does not: take the release that the datasheet names"
            )
        articles[row["article_id"]] = Article(
            row["article_id"],
            text,
            language=row["language"],
            story_id=row["group"],
            split=row["split"],
        )
    rows = settled(list(_lines(folder / ANNOTATIONS)))
    annotations = [_annotation(row, articles) for row in rows]
    return AnnotationSet(
        tuple(articles.values()), annotation_table(annotations, codebook), codebook
    )


def settled(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without those that a third reading overruled."""
    decided = {_place(row) for row in rows if row["annotator"] == ADJUDICATOR}
    return [r for r in rows if r["annotator"] == ADJUDICATOR or _place(r) not in decided]


def _place(row: dict[str, Any]) -> tuple[object, ...]:
    return row["article_id"], row["start"], row["end"], row["target"]


def _annotation(row: dict[str, Any], articles: dict[str, Article]) -> Annotation:
    span = Span(row["start"], row["end"])
    roles = row["roles"]
    return Annotation(
        row["article_id"],
        span,
        row["target"],
        span.of(articles[row["article_id"]].text),
        row["annotator"],
        labels={
            "stance": row["stance"],
            "roles": None if roles is None else frozenset(roles),
            "voice": row["voice"],
        },
        not_target=row["not_target"],
    )


def texts_of(data: Path) -> Iterator[str]:
    """Every sentence of the corpora that was coded from."""
    for path in sorted((data / "parallel").glob("*.tsv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from line.rstrip("\n").split("\t")[:2]
    for name in _IMPORTED:
        for article in import_annotations(name, data / name).annotation_set.articles:
            yield article.text


def parallel_texts(data: Path, held_out: frozenset[str]) -> list[str]:
    """Every sentence of the parallel corpora, but for those with a held-out side.

    A translation of a held-out sentence is held out as well.
    """
    rows = []
    for path in sorted((data / "parallel").glob("*.tsv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows += [tuple(line.rstrip("\n").split("\t")) for line in lines]
    rows = [row for row in rows if row[2] in _ORIGINS]
    pivots = {row[0] for row in rows if held_out & set(row[:2])}
    held = {text for row in rows if row[0] in pivots for text in row[:2]} | held_out
    return sorted({text for row in rows for text in row[:2]} - held)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
