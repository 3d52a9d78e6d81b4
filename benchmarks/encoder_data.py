"""What `encoder.py` reads: two published corpora, our sample, and pairs held out of training."""

import csv
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier.annotations import adjudicate, read_annotations
from classifier.codebook import default_codebook, shipped_annotations
from classifier.distil import Pair, read_pairs, split_pairs
from classifier.sentences import split_sentences

DATA = Path(os.environ.get("CLASSIFIER_DATA", "data"))
NEGATIVE, NEUTRAL, POSITIVE = range(3)
NEWSMTSC_LABELS = {2.0: NEGATIVE, 4.0: NEUTRAL, 6.0: POSITIVE}
RUSENTNE_LABELS = {"-1": NEGATIVE, "0": NEUTRAL, "1": POSITIVE}
BLOCK = 50
"""Consecutive rows of rusentne that stay on one side of the split: neighbours share documents."""


@dataclass(frozen=True)
class Example:
    """A mention in a sentence, and what is said of it."""

    sentence: str
    start: int
    end: int
    label: int


def newsmtsc(part: str) -> list[Example]:
    """One example per mention."""
    lines = (DATA / "newsmtsc" / f"{part}.jsonl").read_text("utf-8").splitlines()
    return [
        Example(
            record["sentence_normalized"],
            target["from"],
            target["to"],
            NEWSMTSC_LABELS[target["polarity"]],
        )
        for record in map(json.loads, lines)
        for target in record["targets"]
    ]


def rusentne() -> tuple[list[Example], list[Example]]:
    """Train and test: every fifth block of rows is test; a sentence goes where it first stands."""
    sides: tuple[list[Example], list[Example]] = ([], [])
    lines = (DATA / "rusentne" / "train.tsv").read_text("utf-8").splitlines()
    problems: Counter[str] = Counter()
    side_of: dict[str, bool] = {}
    for number, row in enumerate(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)):
        sentence, entity = row["sentence"], row["entity"]
        start, end = int(row["entity_pos_start_rel"]), int(row["entity_pos_end_rel"])
        if sentence[start:end] != entity:
            if sentence.count(entity) != 1:
                problems["offset wrong, mention not unique: dropped"] += 1
                continue
            start = sentence.index(entity)
            end = start + len(entity)
            problems["offset wrong: repaired"] += 1
        example = Example(sentence, start, end, RUSENTNE_LABELS[row["label"]])
        is_test = side_of.setdefault(sentence, number // BLOCK % 5 == 0)
        sides[is_test].append(example)
    print(f"rusentne: {len(sides[0])} train, {len(sides[1])} test, {dict(problems)}")
    return sides


def sample(language: str | None = None, split: str | None = None) -> list[Example]:
    """Mentions of the annotated sample, each in its sentence; all languages or parts for None."""
    annotations = read_annotations(shipped_annotations() / "sample", default_codebook())
    articles = {article.article_id: article for article in annotations.articles}
    numbers = annotations.codebook.variable("stance")
    examples = []
    for row in adjudicate(annotations).itertuples():
        article = articles[row.article_id]
        is_wished = language in (None, article.language) and split in (None, article.split)
        if not is_wished or row.status_stance != "ok" or row.not_target:
            continue
        spans = split_sentences(article.text, article.language)
        own = next(span for span in spans if span.start <= row.start < span.end)
        number = numbers.numbers[numbers.index(row.stance)]
        label = NEUTRAL + int(number > 0) - int(number < 0)
        sentence = article.text[own.start : own.end]
        examples.append(Example(sentence, row.start - own.start, row.end - own.start, label))
    return examples


def held_out() -> dict[str, tuple[Pair, ...]]:
    """The pairs that the shipped base was not trained on."""
    pairs = read_pairs(DATA / "parallel").pairs
    origins = ("wmt", "tatoeba-newstest-tico")
    return split_pairs(pairs, 2000, np.random.default_rng(1), origins, ("dictionary",)).held_out


def passages(pairs: Sequence[Pair], size: int) -> tuple[Pair, ...]:
    """Sentences joined by `size`, as the windows of the classifier hold several."""
    groups = [pairs[n : n + size] for n in range(0, len(pairs), size)]
    return tuple(
        Pair(" ".join(p.english for p in some), " ".join(p.foreign for p in some), "")
        for some in groups
    )
