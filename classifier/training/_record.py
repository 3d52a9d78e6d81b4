"""A run and what its folder says about itself: data, options, parts, versions, languages."""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from classifier._verbs import DeprecatedChart
from classifier.annotations import AnnotationSet
from classifier.codebook import Variable
from classifier.models import Examples, TrainOptions, find_base, find_start
from classifier.notebook_html import frame_html
from classifier.training._splits import TRAIN, Corpora, Split

_VERSIONED = ("numpy", "scikit-learn", "skops", "torch", "transformers", "tokenizers", "peft")


@dataclass(frozen=True)
class Run(DeprecatedChart):
    """A trained model on disk."""

    path: Path
    record: Mapping[str, Any]
    """What training.json says."""
    split: Mapping[str, list[str]]
    """Part -> article ids, so that nobody evaluates on what was trained on."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Macro-F1 per variable on the calibration articles.

        Only temperatures and thresholds were chosen by these.
        """
        metrics: Mapping[str, Any] = self.record["metrics"]
        return metrics

    @property
    def epochs(self) -> pd.DataFrame:
        """One row per epoch with its macro-F1 on the development articles, mean of all variables.

        Sets are judged at their best thresholds. Empty for a linear model, which has no epochs.
        """
        return pd.DataFrame(self.record["history"].get("epochs", []))

    @property
    def chart_data(self) -> pd.DataFrame:
        """What `classifier.chart` draws of it."""
        return self.epochs

    def to_frame(self) -> pd.DataFrame:
        """One row per part: articles, mentions with a gold label if those were read."""
        rows = [{"part": part, **n} for part, n in self.record["parts"].items()]
        frame = pd.DataFrame(rows, columns=["part", "articles", "mentions"])
        return frame.astype({"articles": "Int64", "mentions": "Int64"})

    def __repr__(self) -> str:
        """Where it is, what it is made of, and how well it does on the calibration articles."""
        options = self.record["options"]
        figures = ", ".join(
            f"{name} " + ("undefined" if one["macro_f1"] is None else f"{one['macro_f1']:.3f}")
            for name, one in self.metrics.items()
        )
        made_of = " ".join(word for word in (options["model"], options["base_model"]) if word)
        return f"Run in {self.path}: {made_of}; macro-F1 on calibration articles: {figures}"

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame(), repr(self))


def describe_run(
    corpora: Corpora,
    variables: Iterable[Variable],
    split: Split,
    examples: Mapping[str, Examples],
    options: TrainOptions,
) -> dict[str, Any]:
    """What is known before training: all of training.json but history, metrics and seconds."""
    annotation_set = corpora.annotation_set
    codebook = annotation_set.codebook
    start = find_start(options)
    named = start.base["name"] if start else options.base_model
    base = find_base(named) if options.model == "encoder" else None
    problems = (*split.problems, *corpora.problems)
    return {
        "variables": [v.name for v in variables],
        "codebook": {"name": codebook.name, "version": codebook.version},
        "options": {**options.to_dict(), "base_model": base.name if base else ""},
        "seed": options.seed,
        "base_languages": list(base.languages) if base else [],
        "training_languages": dict(Counter(languages_of(examples[TRAIN])).most_common()),
        "data": {
            "articles": len(annotation_set.articles),
            "annotations": len(annotation_set.table),
            "sha256": data_sha256(annotation_set),
        },
        "corpora": _corpora(corpora, examples[TRAIN]),
        "context": _context(corpora, examples[TRAIN], options),
        "parts": {
            part: {
                "articles": len(ids),
                "mentions": examples[part].n_mentions if part in examples else None,
            }
            for part, ids in split.parts.items()
        },
        "left_out": dict(Counter(problem.reason for problem in problems)),
        "versions": {
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _VERSIONED},
        },
    }


def languages_of(examples: Examples) -> list[str]:
    """The language of each mention."""
    return [passage.language for passage in examples.passages for _ in passage.mentions]


def data_sha256(annotation_set: AnnotationSet) -> str:
    """Hash of the texts and of everything that was coded."""
    digest = hashlib.sha256()
    for article in annotation_set.articles:
        digest.update(f"{article.article_id}\n{article.sha256}\n".encode())
    table, variables = annotation_set.table, [v.name for v in annotation_set.codebook.variables]
    for row in table[["unit", "annotator", *variables]].itertuples(index=False):
        plain = [sorted(value) if isinstance(value, frozenset) else value for value in row]
        digest.update(json.dumps(plain, default=str).encode())
    # Flags come last, so that sets without any keep the hash that older runs recorded.
    for row in table.loc[table["not_target"], ["unit", "annotator"]].itertuples(index=False):
        digest.update(json.dumps([*row, "not_target"]).encode())
    return digest.hexdigest()


def _corpora(corpora: Corpora, training: Examples) -> list[dict[str, Any]]:
    number_of = corpora.corpus_of()
    mentions = Counter[int]()
    for passage in training.passages:
        mentions[number_of[passage.article_id]] += len(passage.mentions)
    return [
        {
            "name": corpus.name,
            "weight": corpus.weight,
            "articles": len(corpus.annotation_set.articles),
            "annotations": len(corpus.annotation_set.table),
            "training_mentions": mentions[number],
            "sha256": data_sha256(corpus.annotation_set),
        }
        for number, corpus in enumerate(corpora.members)
    ]


def _context(corpora: Corpora, training: Examples, options: TrainOptions) -> int:
    """The sentences to read beside a mention's own: none if no corpus mostly had any.

    A model fitted on single sentences of NewsMTSC fell from a macro-F1 of .78 to .64 when it was
    given neighbours to read along.
    """
    number_of = corpora.corpus_of()
    alone, mentions = Counter[int](), Counter[int]()
    for passage in training.passages:
        number, text = number_of[passage.article_id], passage.text
        mentions[number] += len(passage.mentions)
        alone[number] += sum(m.sentence.of(text).strip() == text.strip() for m in passage.mentions)
    return 0 if all(2 * alone[number] > n for number, n in mentions.items()) else options.context
