"""Mentions, voice and speakers on paragraphs as news writes them.

`tests/data/news_voice.md` says which sets there are, who wrote them and by which conventions.
Prints one JSON object.

    python -m benchmarks.reading news
    python -m benchmarks.reading news --set marked
    python -m benchmarks.reading news --set tagged --voice model
    python -m benchmarks.reading news --misses misses.json
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
from classifier.models import VoiceModel, read_voice_model
from classifier.records import LANGUAGES, Article, Mention, Span

DATA = Path(__file__).parents[2] / "tests" / "data"
CONTEXT = 200
SETS = ("blind", "marked", "last", "tagged")
_MARK = re.compile(r"(?P<open>[\[{])(?P<quoted>q?)(?P<number>\d) ?|(?P<close>[\]}])")
_QUOTES = frozenset("\"“„«‘'")
Pair = tuple[dict[str, Any], Mention | None]
Matched = tuple[dict[str, Any], list[Pair], list[Mention]]


def main() -> None:
    """Print the figures of each language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--misses", type=Path, help="a file for every miss, as JSON")
    parser.add_argument("--set", choices=SETS, default="blind", help="which paragraphs to read")
    parser.add_argument("--voice", choices=("rules", "model"), default="rules")
    parser.add_argument("--labeller", type=Path, help="a folder; by default the one that ships")
    options = parser.parse_args()
    folder = (options.labeller,) if options.labeller else ()
    model = read_voice_model(*folder) if options.voice == "model" else None
    read = {language: matches(language, options.set, model) for language in LANGUAGES}
    figures = {language: score(pairs) for language, pairs in read.items()}
    figures["all"] = score([one for pairs in read.values() for one in pairs])
    print(json.dumps(figures, indent=1))
    if options.misses:
        misses = [miss for pairs in read.values() for miss in find_misses(pairs)]
        options.misses.write_text(json.dumps(misses, ensure_ascii=False, indent=1), "utf-8")


def matches(language: str, which: str = "blind", model: VoiceModel | None = None) -> list[Matched]:
    """The paragraphs of a set in one language, each with what the tool found there.

    Args:
        language: Its code.
        which: One of `SETS`.
        model: The labeller of voices and speakers; without one the rules decide alone.
    """
    read = [(item, _mentions(item)) for item in items(language, which)]
    if model:
        asked = [(_article(item), mentions) for item, mentions in read]
        settled = model.settle(asked, default_codebook())
        read = [(item, list(own)) for (item, _), (_, own) in zip(read, settled, strict=True)]
    return [(item, *match(item, mentions)) for item, mentions in read]


def _article(item: dict[str, Any]) -> Article:
    return Article(item["id"], item["text"], language=item["language"])


def _mentions(item: dict[str, Any]) -> list[Mention]:
    return find_mentions(_article(item), default_codebook())


def score(read: Sequence[Matched]) -> dict[str, Any]:
    """The figures of some paragraphs.

    A mention is found if the tool marks the same target on overlapping characters. Precision
    and recall of voice count every marked mention; one that was not found is no hit.
    """
    counts: Counter[str] = Counter()
    for _, pairs, extra in read:
        counts["extra"] += len(extra)
        for marked, mention in pairs:
            _count(counts, marked, mention)
    found, marked_ = counts["found"], counts["marked"]
    figures: dict[str, Any] = {
        "mentions": marked_,
        "mention_precision": _share(found, found + counts["extra"]),
        "mention_recall": _share(found, marked_),
        "mention_exact": _share(counts["exact_span"], marked_),
        "voice_accuracy": _share(counts["voice_right"], found),
    }
    for voice in ("quoted", "attributed", "both"):
        right, said, gold = (counts[f"{voice} {part}"] for part in ("right", "said", "gold"))
        precision, recall = right / max(said, 1), right / max(gold, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        figures[voice] = dict(
            zip("prf", (round(x, 3) for x in (precision, recall, f1)), strict=True)
        )
    for place in ("named", "elsewhere"):
        n = counts[f"{place} n"]
        figures[f"speakers_{place}"] = {"n": n} | {
            part: _share(counts[f"{place} {part}"], n)
            for part in ("exact", "any_name", "overlapping")
        }
    return figures


def match(item: dict[str, Any], mentions: Sequence[Mention]) -> tuple[list[Pair], list[Mention]]:
    """Each marked mention with what the tool found there, and what it found besides."""
    pairs: list[Pair] = []
    left = list(mentions)
    for marked in item["mentions"]:
        hit = next(
            (m for m in left if m.target == marked["target"] and _overlap(m.span, marked)), None
        )
        pairs.append((marked, hit))
        if hit:
            left.remove(hit)
    return pairs, left


def find_misses(read: Sequence[Matched]) -> Iterator[dict[str, Any]]:
    """Every mention, voice or speaker that the tool has otherwise than the set."""
    for item, pairs, extra in read:
        text = item["text"]
        for one in extra:
            yield {"id": item["id"], "fault": "extra", "surface": one.surface, "text": text}
        for marked, mention in pairs:
            fault = _fault(marked, mention)
            if fault:
                yield {
                    "id": item["id"],
                    "fault": fault,
                    "surface": marked["surface"],
                    "voice": [marked["voice"], mention and mention.voice],
                    "speaker": [
                        marked["speaker"] and marked["speaker"]["surface"],
                        mention and mention.speaker,
                    ],
                    "elsewhere": bool(marked["speaker"] and marked["speaker"]["elsewhere"]),
                    "text": text[max(0, marked["start"] - CONTEXT) : marked["start"]]
                    + "[["
                    + text[marked["start"] : marked["end"]]
                    + "]]"
                    + text[marked["end"] : marked["end"] + CONTEXT],
                }


def items(language: str, which: str = "blind") -> Iterator[dict[str, Any]]:
    """The paragraphs of one set in one language, with their mentions."""
    if which == "blind":
        path = DATA / f"news_voice_{language}.jsonl"
        with path.open(encoding="utf-8", newline="") as lines:
            yield from map(json.loads, lines)
        return
    if which == "tagged":
        with (DATA / "news_tagged" / f"{language}.jsonl").open(encoding="utf-8") as lines:
            yield from (_with_mentions(json.loads(line)) for line in lines)
        return
    folder = DATA / ("news" if which == "marked" else "news_last")
    lines_ = (folder / f"{language}.txt").read_text("utf-8").splitlines()
    for i, line in enumerate(lines_, 1):
        yield read_marked(line, f"{language}-{i}", language)


def read_marked(line: str, name: str, language: str) -> dict[str, Any]:
    """A paragraph with `[1 …]` around speaker 1 and `{1 …}` around what this speaker says.

    The last word of a name, where it stands alone, names the speaker too. 0 is nobody;
    `{q1 …}` is a line of dialogue. Mentions are where the tool finds them.
    """
    text, contents, names, opened = "", [], [], []
    at = 0
    for mark in _MARK.finditer(line):
        text += line[at : mark.start()].replace("⏎", "\n")
        at = mark.end()
        if mark["open"]:
            is_quoted = bool(mark["quoted"]) or text[-1:] in _QUOTES or line[at] in _QUOTES
            opened.append((mark["open"], int(mark["number"]), is_quoted, len(text)))
            continue
        kind, number, is_quoted, start = opened.pop()
        if kind == "[":
            names.append((number, start, len(text)))
        else:
            contents.append((start, len(text), number, "quoted" if is_quoted else "attributed"))
    text += line[at:].replace("⏎", "\n")
    names += [
        (number, match.start(), match.end())
        for number, a, b in list(names)
        if text[a:b].split()[-1][0].isupper() and " " in text[a:b]
        for match in re.finditer(rf"\b{re.escape(text[a:b].split()[-1])}\b", text)
        if not a <= match.start() < b
    ]
    item = {"id": name, "text": text, "language": language}
    mentions = [_marked(mention, contents, names, text) for mention in _mentions(item)]
    return {**item, "mentions": mentions}


def _with_mentions(row: dict[str, Any]) -> dict[str, Any]:
    """A paragraph whose reports are marked by offsets, with the mentions that the tool finds.

    Where a pronoun speaks, the name it stands for is the speaker, and the pronoun names it too.
    """
    text = row["text"]
    contents = [
        (*place, number, report["kind"])
        for number, report in enumerate(row["reports"])
        for place in report["content"]
    ]
    names = [
        (number, *report[part])
        for number, report in enumerate(row["reports"])
        for part in ("name", "speaker")
        if report.get(part)
    ]
    mentions = [_marked(mention, contents, names, text) for mention in _mentions(row)]
    return {**row, "mentions": mentions}


def _marked(
    mention: Mention,
    contents: list[tuple[int, int, int, str]],
    names: list[tuple[int, int, int]],
    text: str,
) -> dict[str, Any]:
    """A mention with the voice of the innermost content around it, and its speaker's names."""
    start, end = mention.span.start, mention.span.end
    around = [one for one in contents if one[0] <= start and end <= one[1]]
    inner = min(around, key=lambda one: one[1] - one[0]) if around else None
    places: list[dict[str, Any]] = [
        {"start": a, "end": b, "surface": text[a:b], "elsewhere": False}
        for number, a, b in names
        if inner and number == inner[2]
    ]
    places.sort(key=lambda place: abs(place["start"] - start))
    return {
        "start": start,
        "end": end,
        "surface": mention.surface,
        "target": mention.target,
        "voice": inner[3] if inner else "author",
        "speaker": places[0] | {"also": places[1:]} if places else None,
    }


def _count(counts: Counter[str], marked: dict[str, Any], mention: Mention | None) -> None:
    gold, said = marked["voice"], mention.voice if mention else None
    counts["marked"] += 1
    counts["found"] += mention is not None
    counts["exact_span"] += mention is not None and _is_at(mention.span, marked)
    counts["voice_right"] += said == gold
    for voice, part in ((gold, "gold"), (said, "said"), (gold if gold == said else None, "right")):
        if voice in ("quoted", "attributed"):
            counts[f"{voice} {part}"] += 1
            counts[f"both {part}"] += 1
    if marked["speaker"]:
        place = "elsewhere" if marked["speaker"]["elsewhere"] else "named"
        counts[f"{place} n"] += 1
        for part in _speaker_hits(marked["speaker"], mention):
            counts[f"{place} {part}"] += 1


def _speaker_hits(marked: dict[str, Any], mention: Mention | None) -> Iterator[str]:
    """How the speaker that the tool names agrees with the marked one."""
    span = mention.speaker_span if mention else None
    if span is None:
        return
    names = [marked, *marked.get("also", ())]
    if _is_at(span, marked):
        yield "exact"
    if any(_is_at(span, name) for name in names):
        yield "any_name"
    if any(_overlap(span, name) for name in names):
        yield "overlapping"


def _fault(marked: dict[str, Any], mention: Mention | None) -> str | None:
    if mention is None:
        return "missed"
    if mention.voice != marked["voice"]:
        return f"{marked['voice']} read as {mention.voice}"
    if marked["speaker"] is None:
        return None
    hits = set(_speaker_hits(marked["speaker"], mention))
    if "any_name" in hits:
        return None
    if "overlapping" in hits:
        return "speaker too long or too short"
    return "speaker missing" if mention.speaker_span is None else "another speaker"


def _overlap(span: Span, place: dict[str, Any]) -> bool:
    return bool(span.start < place["end"] and place["start"] < span.end)


def _is_at(span: Span, place: dict[str, Any]) -> bool:
    return bool((span.start, span.end) == (place["start"], place["end"]))


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


if __name__ == "__main__":
    main()
