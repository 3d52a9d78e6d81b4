"""Mentions and voice on sentences that the rules were never fitted to.

The sentences in `tests/data/frozen_mentions_*.jsonl` were written by someone who had not seen the
rules, after the rules were frozen; they are scored, never tuned on. Prints one JSON object last.

    python -m benchmarks.reading frozen
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
from classifier.records import LANGUAGES, Article, Mention

DATA = Path(__file__).parents[2] / "tests" / "data"
Gold = dict[tuple[int, int, str], str]


def main() -> None:
    """Print exact-match F1, traps sprung and voice accuracy per language."""
    figures = {language: score(language) for language in LANGUAGES}
    print(json.dumps(figures, indent=2))


def score(language: str) -> dict[str, Any]:
    """The figures of one language, with every error."""
    found = right = marked = traps = sprung = 0
    voices: list[tuple[bool, bool]] = []
    errors: list[str] = []
    for item in items(language):
        gold: Gold = {(m["start"], m["end"], m["target"]): m["voice"] for m in item["mentions"]}
        mentions = {(m.span.start, m.span.end, m.target): m for m in find(item)}
        both = gold.keys() & mentions.keys()
        found, right, marked = found + len(mentions), right + len(both), marked + len(gold)
        extra = mentions.keys() - gold.keys()
        if item["trap"]:
            traps, sprung = traps + 1, sprung + bool(extra)
        errors += [f"{item['id']} extra {item['text'][k[0] : k[1]]} {k[2]}" for k in sorted(extra)]
        errors += [
            f"{item['id']} missed {item['text'][k[0] : k[1]]} {k[2]}"
            for k in sorted(gold.keys() - mentions.keys())
        ]
        for key in sorted(both):
            voices.append((mentions[key].voice == gold[key], marks_only(item, key) == gold[key]))
            if not voices[-1][0]:
                errors.append(f"{item['id']} {mentions[key].surface}: {mentions[key].voice}")
    precision, recall = right / max(found, 1), right / max(marked, 1)
    return {
        "items": sum(1 for _ in items(language)),
        "mentions": marked,
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / (precision + recall), 3),
        "traps": traps,
        "traps_sprung": sprung,
        "voice_accuracy": round(sum(a for a, _ in voices) / len(voices), 3),
        "quotation_marks_only": round(sum(b for _, b in voices) / len(voices), 3),
        "errors": errors,
    }


def items(language: str) -> Iterator[dict[str, Any]]:
    """The set of one language."""
    path = DATA / f"frozen_mentions_{language}.jsonl"
    with path.open(encoding="utf-8", newline="") as lines:
        yield from map(json.loads, lines)


def find(item: dict[str, Any]) -> list[Mention]:
    """What the tool finds in an item."""
    date = item["date"]
    precision = {10: "day", 7: "month", 4: "year"}[len(date)] if date else None
    article = Article(
        item["id"],
        item["text"],
        language=item["language"],
        date=date,
        date_precision=precision,  # type: ignore[arg-type]
    )
    return find_mentions(article, default_codebook())


def marks_only(item: dict[str, Any], key: tuple[int, int, str]) -> str:
    """The baseline: quoted between any pair of quotation marks of a paragraph, else author."""
    start = item["text"].rfind("\n\n", 0, key[0]) + 1
    before = item["text"][start : key[0]]
    opened = sum(before.count(mark) for mark in "“„«") - sum(before.count(mark) for mark in "”»")
    return "quoted" if opened > 0 or before.count('"') % 2 else "author"
