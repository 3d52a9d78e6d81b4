"""Whose opinion a sentence holds: speakers beside the holders that people marked in RuOpinionNE.

    python -m benchmarks.reading holders DATA/train.jsonl

DATA is RuOpinionNE-2024 (Loukachevitch et al. 2025), as its publisher gives it. For each marked
opinion, what the tool reads at the words of its target: the author's words, or another's with a
speaker. Holders that are neither a name nor the author ("NULL") are left out and counted. Prints
one JSON object.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from classifier.mentions.voice import find_reports, voice_at
from classifier.records import Span, Zone

AUTHOR, NOBODY = "AUTHOR", "NULL"


def main() -> None:
    """Print precision and recall of another's voice, and how often the holder is the speaker."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="the file of sentences, as JSON Lines")
    counts = count(parser.parse_args().data)
    said, gold, right = (counts[name] for name in ("said", "gold", "right"))
    author, author_right = counts["author"], counts["author_right"]
    n_author_said = counts["opinions"] - said
    print(
        json.dumps(
            {
                **counts,
                "other_precision": share(right, said),
                "other_recall": share(right, gold),
                "author_precision": share(author_right, n_author_said),
                "author_recall": share(author_right, author),
                "holder_exact": share(counts["exact"], gold),
                "holder_overlapping": share(counts["overlapping"], gold),
                "speaker_exact": share(counts["exact"], counts["speakers"]),
                "speaker_overlapping": share(counts["overlapping"], counts["speakers"]),
            },
            indent=1,
        )
    )


def count(path: Path) -> Counter[str]:
    """How many opinions there are, and what the tool reads at their targets."""
    counts: Counter[str] = Counter()
    for text, holder, target in opinions(path):
        if holder == NOBODY:
            counts["left_out"] += 1
            continue
        counts["opinions"] += 1
        reports = find_reports(text, [Zone(Span(0, len(text)), "body", "ru")])
        report = voice_at(reports, target)
        speaker = report.speaker if report else None
        counts["said"] += report is not None
        if not isinstance(holder, Span):
            counts["author"] += 1
            counts["author_right"] += report is None
            continue
        counts["gold"] += 1
        counts["right"] += report is not None
        counts["speakers"] += speaker is not None
        counts["exact"] += speaker == holder
        counts["overlapping"] += speaker is not None and speaker.overlaps(holder)
    return counts


def opinions(path: Path) -> Iterator[tuple[str, Span | str, Span]]:
    """Text, holder and target of each opinion; the first of several places of a name."""
    with path.open(encoding="utf-8", newline="") as lines:
        for row in map(json.loads, lines):
            for opinion in row["opinions"]:
                target = place(opinion["Target"])
                if target is not None:
                    name = opinion["Source"][0][:1]
                    is_word = name in ([AUTHOR], [NOBODY])
                    holder = name[0] if is_word else place(opinion["Source"]) or NOBODY
                    yield row["text"], holder, target


def place(marked: list[list[str]]) -> Span | None:
    """Where a marked name stands; None if the file says nothing."""
    places = [one for one in marked[1] if ":" in one] if len(marked) > 1 else []
    if not places:
        return None
    start, end = map(int, places[0].split(":"))
    return Span(start, end) if start < end else None


def share(part: int, whole: int) -> float | None:
    """The part over the whole; None if there is nothing to count."""
    return round(part / whole, 3) if whole else None


if __name__ == "__main__":
    main()
