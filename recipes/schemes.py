"""Published corpora as labelling schemes: each has a head of its own over shared layers.

NewsMTSC, RuSentNE, RuOpinionNE, GerNTSA and SEntFiN do not call the same thing stance. So each of
them codes a variable of its own, beside the variables of our codebook.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from classifier.annotations import Annotation, AnnotationSet, annotation_table, recode
from classifier.annotations.formats import import_annotations
from classifier.codebook import Codebook, Variable, default_codebook
from classifier.errors import DataError
from classifier.records import Article, Span
from classifier.training import CALIBRATION, DEVELOPMENT, TEST, TRAIN

SCHEMES = {
    "newsmtsc": "Sentiment towards a person or group in English news (Hamborg and Donnay 2021).",
    "rusentne": "Sentiment towards an entity in Russian news (Golubev et al. 2023).",
    "ruopinionne": "Opinion about an entity in Russian news (Loukachevitch et al. 2025).",
    "gerntsa": "Sentiment towards a target in German news (GerNTSA, 2022).",
    "sentfin": "Sentiment towards an entity in an English financial headline (Sinha et al. 2022).",
}
"""Name of each scheme, which is its variable and its folder, with what it asks."""
_LANGUAGES = {"gerntsa": "de", "sentfin": "en"}
_LABELS = {-1: "unfavourable", 0: "neutral", 1: "favourable"}
_TENTHS = {0: TEST, 1: DEVELOPMENT, 2: CALIBRATION}


def scheme_codebook() -> Codebook:
    """The codebook that ships, with a variable for each scheme behind its own."""
    codebook = default_codebook()
    labels = tuple(replace(one, counterparts={}) for one in codebook.variable("stance").labels)
    schemes = tuple(Variable(name, "ordinal", text, labels) for name, text in SCHEMES.items())
    return replace(codebook, variables=(*codebook.variables, *schemes))


def read_scheme(name: str, folder: Path, codebook: Codebook) -> AnnotationSet:
    """One published corpus, coded for the variable of its scheme only.

    Args:
        name: One of `SCHEMES`.
        folder: As its publisher gives it.
        codebook: As `scheme_codebook` makes it.

    Raises:
        DataError: nothing of it is there.
    """
    if name in _LANGUAGES:
        given = _read_lines(name, folder / "train.jsonl", codebook)
    else:
        given = recode(import_annotations(name, folder).annotation_set, codebook).annotation_set
    table = given.table.copy()
    table[name] = table["stance"]
    for variable in codebook.variables:
        if variable.name != name:
            table[variable.name] = pd.Series([None] * len(table), table.index, dtype="object")
    return replace(given, table=table)


def _read_lines(name: str, path: Path, codebook: Codebook) -> AnnotationSet:
    """Lines of text, start, end, surface and label, split by the hash of the text."""
    if not path.is_file():
        raise DataError(f"{path}: the corpus {name} was required, there is no such file")
    articles: dict[str, Article] = {}
    annotations = []
    for row in _rows(path):
        text, span = row["text"], Span(row["start"], row["end"])
        if span.of(text) != row["surface"]:
            raise DataError(f"{path}: {row['surface']!r} was required at {span}")
        key = hashlib.sha256(text.encode()).hexdigest()
        article = articles.setdefault(
            text,
            Article(
                f"{name}-{key[:12]}",
                text,
                language=_LANGUAGES[name],
                split=_TENTHS.get(int(key[:8], 16) % 10, TRAIN),
            ),
        )
        labels = {"stance": _LABELS[row["label"]]}
        surface = row["surface"]
        annotations.append(
            Annotation(article.article_id, span, surface, surface, name, labels=labels)
        )
    return AnnotationSet(
        tuple(articles.values()), annotation_table(annotations, codebook), codebook
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)
