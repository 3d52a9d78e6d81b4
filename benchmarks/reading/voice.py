"""Speed of sentences, zones and voice, alone and together with mentions; and how it grows.

    python -m benchmarks.reading voice [--megabytes 2]

The same made-up text as `speed.py`. Processor time, the best of three runs; prints one JSON
object.
"""

import argparse
import json
from collections.abc import Callable, Sized
from functools import partial

from benchmarks.reading.speed import LANGUAGE_SENTENCES, cut, growth, text_of, timed
from classifier.articles import find_zones
from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
from classifier.mentions.voice import find_reports
from classifier.records import Article, Span, Zone
from classifier.text import split_sentences


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=2.0)
    size = int(parser.parse_args().megabytes * 1_000_000)
    result = {
        "megabytes_per_second": {name: speeds(name, size) for name in LANGUAGE_SENTENCES},
        "seconds_by_characters": {
            "sentences": growth(lambda a: len(split_sentences(a.text, a.language)), size),
            "voice": growth(lambda a: len(find_reports(a.text, one_zone(a))), size),
        },
        "seconds_for_one_line_of_20000_characters": round(timed(one_line)[1], 3),
    }
    print(json.dumps(result))


def speeds(language: str, size: int) -> dict[str, float]:
    """Megabytes a second of each step, over articles of 5,000 characters."""
    articles = list(cut(text_of(language, size), language))
    n_bytes = sum(len(article.text.encode()) for article in articles)
    zones = {article.article_id: find_zones(article) for article in articles}
    codebook = default_codebook()
    find_mentions(articles[0], codebook)
    steps: dict[str, Callable[[Article], Sized]] = {
        "sentences": lambda a: split_sentences(a.text, a.language),
        "zones": find_zones,
        "voice_with_sentences": lambda a: find_reports(a.text, zones[a.article_id]),
        "mentions_zones_voice_sentences": lambda a: find_mentions(a, codebook),
    }
    seconds = {name: timed(partial(run_all, step, articles))[1] for name, step in steps.items()}
    return {name: round(n_bytes / 1e6 / value, 2) for name, value in seconds.items()}


def run_all(step: Callable[[Article], Sized], articles: list[Article]) -> int:
    """How much the step found in all articles."""
    return sum(len(step(article)) for article in articles)


def one_zone(article: Article) -> list[Zone]:
    """The whole article as body text."""
    return [Zone(Span(0, len(article.text)), "body", article.language or "und")]


def one_line() -> int:
    """Reports in one line of 20,000 characters without a full stop, full of cues."""
    text = ("De loods zei dat Moskou wacht en volgens hem Kiev niet " * 400)[:20_000]
    return len(find_reports(text, [Zone(Span(0, len(text)), "body", "nl")]))
