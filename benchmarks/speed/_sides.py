"""What `scoring.py` scores, and the pipeline that it is measured against."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from classifier.articles import read_articles
from classifier.codebook import default_codebook
from classifier.models import Calibration, TrainOptions, find_base, new_model, write_run
from classifier.models._protocol import Precision
from classifier.models.runtime._torch import best_device, quiet_transformers
from classifier.predictions import Thresholds
from classifier.records import Article
from classifier.score import Scorer
from classifier.text import split_sentences

SAMPLE = Path(__file__).parents[2] / "annotations" / "sample" / "articles.jsonl"
N_MENTIONS = 6
PEER_BATCH = 32
VARIABLES = ("stance", "roles")


def make_run(folder: Path, base: str, precision: Precision) -> Path:
    """A run folder whose heads have learnt nothing."""
    codebook = default_codebook()
    options = TrainOptions(base_model=base, variables=VARIABLES, precision=precision)
    with quiet_transformers():
        model = new_model(tuple(codebook.variable(name) for name in VARIABLES), options)
    folder.mkdir(parents=True)
    record = {
        "options": options.to_dict(),
        "variables": list(VARIABLES),
        "context": options.context,
        "base_languages": list(find_base(base).languages),
        "training_languages": {},
    }
    write_run(folder, model, codebook, (Calibration({}), Thresholds({})), record, {})
    return folder


def make_articles(scorer: Scorer, n: int, n_words: int) -> list[Article]:
    """Articles with about six mentions each, in the languages that the scorer reads.

    With `n_words`, sentences without a mention are put between the others up to that length.
    """
    found = [scorer.find(article) for article in read_articles(SAMPLE)]
    cut = [
        (article, mentions[N_MENTIONS - 1].span.end)
        for article, mentions in found
        if len(mentions) >= N_MENTIONS and article.language in scorer.languages
    ]
    made = []
    for i in range(n):
        article, end = cut[i % len(cut)]
        text = numbered(article, end, i)
        made.append(replace(article, article_id=f"a{i:06d}", text=text))
    return [longer(article, n_words) for article in made] if n_words else made


def numbered(article: Article, end: int, number: int) -> str:
    """The sentences up to that place, each with the number after its first word."""
    spans = split_sentences(article.text, article.language)
    sentences = [span.of(article.text) for span in spans if span.start < end]
    return "".join(sentence.replace(" ", f" {number} ", 1) for sentence in sentences)


def longer(article: Article, n_words: int) -> Article:
    """The article with plain sentences between its own."""
    plain = "The council met again and talked about the bridge until late in the evening. "
    sentences = [span.of(article.text) for span in split_sentences(article.text, article.language)]
    missing = max(0, n_words - len(article.text.split())) // len(plain.split())
    each, rest = divmod(missing, len(sentences))
    text = "".join(s + plain * (each + (i < rest)) for i, s in enumerate(sentences))
    return replace(article, text=text)


def make_peer(
    scorer: Scorer, found: list[Any], base: str, dtype: torch.dtype
) -> Callable[[], None]:
    """One pass per mention through `transformers.pipeline`, over the windows that ours reads."""
    folder = find_base(base).folder
    with quiet_transformers():
        model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
    passages = scorer.preparation.passages(found)
    pairs = [
        {"text": passage.text, "text_pair": mention.span.of(passage.text)}
        for passage in passages
        for mention in passage.mentions
    ]
    classify = pipeline(
        "text-classification",
        model=model.to(dtype),
        tokenizer=AutoTokenizer.from_pretrained(folder),
        device=best_device(),
    )

    def run() -> None:
        with quiet_transformers():
            n = len(classify(pairs, batch_size=PEER_BATCH))
        if n != len(pairs):
            raise SystemExit(f"the pipeline answered {n} of {len(pairs)} mentions")

    return run
