"""Speed of reading: how many megabytes of text a second, and whether long articles stay linear.

The text is made up here from the sentences below, with about one mention to every 250 characters
(dense news about the targets; most news has fewer). Prints one JSON object last.

    python -m benchmarks.reading speed [--megabytes 5]
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable
from functools import partial

from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
from classifier.mentions._find import judge
from classifier.mentions._matcher import matcher_of
from classifier.records import Article, Span, Zone

LANGUAGE_SENTENCES = {
    "nl": (
        "De gemeenteraad sprak dinsdag urenlang over de nieuwe brug en over wie hem betaalt.",
        "Volgens de havenmeester heeft Turkije genoeg loodsen voor de konvooien van dit najaar.",
        "Bewoners van de kade klagen al jaren over het lawaai, maar de aannemer vraagt geduld.",
        "‘We wachten op een brief uit Moskou’, zei de wethouder, die verder niets kwijt wilde.",
        "In de hal van het station hangt sinds gisteren een lijst met namen van vrijwilligers.",
        "De pro-Russische zender verloor zijn vergunning en de Oekraïense redactie bleef.",
        "Het weer zat mee: het bleef droog, en op het plein stond koffie klaar voor iedereen.",
    ),
    "en": (
        "The council talked for hours on Tuesday about the new bridge and who would pay for it.",
        "According to the harbour office, Turkey has enough pilots for the convoys this autumn.",
        "People who live along the quay have complained about the noise for years, to no avail.",
        "“We are waiting for a letter from Moscow,” said the alderman, who would add no more.",
        "A list with the names of the volunteers has been hanging in the station since Monday.",
        "The pro-Russian channel lost its licence, while the Ukrainian newsroom stayed on air.",
        "The weather helped: it stayed dry, and there was coffee on the square for everybody.",
    ),
}


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=float, default=5.0)
    size = int(parser.parse_args().megabytes * 1_000_000)
    find_mentions(Article("warm-up", "Kiev", language="nl"), default_codebook())
    result = {
        "mentions": {language: mention_speed(language, size) for language in LANGUAGE_SENTENCES},
        "mentions_growth": growth(find_all, size),
        "hundred_thousand_mentions": hundred_thousand(),
    }
    print(json.dumps(result, indent=2))


def mention_speed(language: str, size: int) -> dict[str, float]:
    """Finding mentions in articles of 5,000 characters whose zones are known."""
    articles = list(cut(text_of(language, size), language))
    n_mentions, seconds = timed(lambda: sum(find_all(article) for article in articles))
    n_bytes = sum(len(article.text.encode()) for article in articles)
    return {
        "megabytes_per_second": round(n_bytes / seconds / 1e6, 2),
        "mentions": n_mentions,
        "characters_per_mention": round(size / n_mentions),
    }


def growth(work: Callable[[Article], int], size: int) -> dict[str, float]:
    """Seconds for one article of the whole size and for parts of it; linear work halves in time."""
    seconds = {}
    for part in (4, 2, 1):
        article = Article("long", text_of("nl", size // part), language="nl")
        seconds[str(size // part)] = round(timed(partial(work, article))[1], 3)
    return seconds


def hundred_thousand() -> dict[str, float]:
    """One article with 100,000 mentions, one to every word but two."""
    article = Article("dense", "Rusland en Kiev zwegen. " * 50_000, language="nl")
    n_mentions, seconds = timed(lambda: find_all(article))
    return {"mentions": n_mentions, "seconds": round(seconds, 3)}


def find_all(article: Article) -> int:
    """Number of mentions, the article taken as one zone in its own language."""
    zones = [Zone(Span(0, len(article.text)), "body", article.language or "und")]
    matcher = matcher_of(default_codebook())
    found = judge(article, zones, matcher, historical=False)
    return sum(one.rule is None for one in found)


def text_of(language: str, size: int) -> str:
    """That many characters of running text, in paragraphs of seven sentences."""
    sentences = LANGUAGE_SENTENCES[language]
    paragraph = " ".join(sentences) + "\n\n"
    return (paragraph * (size // len(paragraph) + 1))[:size]


def cut(text: str, language: str, size: int = 5_000) -> Iterable[Article]:
    """Articles of that many characters."""
    for start in range(0, len(text), size):
        yield Article(f"{language}-{start}", text[start : start + size], language=language)


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """What the work returns, and the fewest seconds of processor time out of three runs."""
    runs = []
    for _ in range(3):
        start = time.process_time()
        value = work()
        runs.append((time.process_time() - start, value))
    seconds, value = min(runs)
    return value, seconds
