"""The labeller of voices and speakers: `python -m recipes.voice DATA --out build/voice`.

The matrices of the small base learn, with three heads, whose words each token is and where the
speaker and the cue of a report stand. Of the change an adapter keeps what its rank can hold. Texts
to learn from: sentences of real news whose reports were marked (`annotations/real/reports.jsonl`),
the labels of voice on real news, the sample and the contrast sentences, whose opinion RuOpinionNE
marks, written paragraphs of news (`annotations/reports`), and, with less weight, what the rules
read in sentences without labels.
"""

import argparse
import gzip
import hashlib
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.reading.holders import AUTHOR, opinions
from classifier.annotations import AnnotationSet, adjudicate, read_annotations
from classifier.annotations.formats import import_annotations
from classifier.codebook import default_codebook, shipped_annotations
from classifier.errors import ClassifierError, DataError
from classifier.mentions.voice import Report, find_reports
from classifier.records import LANGUAGES, Span, Zone
from classifier.training import TRAIN
from recipes.corpora import CONTRAST, OPINIONS, dealt
from recipes.labeller import KINDS, Link, MarkedText, join_texts, make_labeller
from recipes.real import REAL, parallel_texts, read_real, texts_of

REPORTS = "reports.jsonl"
WRITTEN = "reports"
"""Folder of the written paragraphs."""
STEPS = (400, 1000)
"""Batches of 2,048 tokens: of texts as they are, then of texts that were put together."""
_TEST, _DEVELOPMENT = 15, 25
_HELD = 12
"""Written paragraphs by hundredths: below it they serve development."""
"""Groups of marked sentences by hundredths: below the first for the test, then to choose bars."""
_WITH_REPORTS, _WITHOUT = 400, 150
"""Sentences a language that the rules mark, with and without a report."""
_BY_RULES = 0.5
"""Weight of what the rules read, and of holders of opinions, who need not speak."""
_TOLD, _OWN = 1500, 800
"""Labelled sentences that are learnt first, with another's words and without."""
_SIZES = ((1, 2), (2, 3, 4), (3, 4, 5))
"""How many marked sentences are put together, each time they are learnt."""
_BEGINNING = 400
"""Characters from which on a stretch of a story is cut at the next paragraph."""
_HASH_DIGITS = 8


def read_reports(data: Path, folder: Path | None = None) -> tuple[list[MarkedText], ...]:
    """The sentences with marked reports: those to learn from, for development, and for the test.

    A group, which holds a sentence and its translations, is in one part. A sentence that the
    labels on real news hold out is in neither.

    Raises:
        DataError: a text is not in the corpora.
    """
    folder = folder or shipped_annotations() / REAL
    rows = _lines(folder / REPORTS)
    texts = {hashlib.sha256(t.encode()).hexdigest(): t for t in texts_of(data)}
    held = {r["text_sha256"] for r in _lines(folder / "articles.jsonl") if r["split"] != TRAIN}
    held_groups = {row["group"] for row in rows if row["text_sha256"] in held}
    parts: tuple[list[MarkedText], ...] = ([], [], [])
    for row in rows:
        if row["group"] in held_groups:
            continue
        if row["text_sha256"] not in texts:
            raise DataError(
                f"{data} must hold the sentence with sha256 {row['text_sha256'][:12]}… of "
                f"{row['corpus']}; it does not: take the release that the datasheet names"
            )
        place = _hundredth(row["group"])
        part = 2 if place < _TEST else int(place < _DEVELOPMENT)
        parts[part].append(_marked(texts[row["text_sha256"]], row))
    return parts


def _marked(text: str, row: Mapping[str, Any]) -> MarkedText:
    def size(report: Mapping[str, Any]) -> int:
        return sum(end - start for start, end in report["content"])

    def named(report: Mapping[str, Any]) -> Span | None:
        """The name that a pronoun stands for, if it is marked, else who is named."""
        place = report.get("name") or report["speaker"]
        return Span(*place) if place else None

    reports = sorted(row["reports"], key=size, reverse=True)
    links = tuple(
        Link(
            tuple(Span(*one) for one in report["content"]),
            named(report),
            Span(*report["cue"]) if report["cue"] else None,
        )
        for report in reports
    )
    voices = tuple(
        (span, KINDS[report["kind"]])
        for report, link in zip(reports, links, strict=True)
        for span in link.content
    )
    return MarkedText(text, row["language"], voices, links, is_whole=True)


def written_paragraphs() -> tuple[list[MarkedText], list[MarkedText]]:
    """Paragraphs that were written with their reports: to learn from, and for development."""
    parts: tuple[list[MarkedText], list[MarkedText]] = ([], [])
    for row in _lines(shipped_annotations() / WRITTEN / "paragraphs.jsonl"):
        parts[_hundredth(row["id"]) < _HELD].append(_marked(row["text"], row))
    return parts


def _hundredth(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:_HASH_DIGITS], 16) % 100


def labelled_sentences(real: AnnotationSet) -> list[MarkedText]:
    """The training part of the labels of voice on real news, and the contrast sentences."""
    contrast = read_annotations(shipped_annotations() / CONTRAST)
    return [MarkedText(*coded) for one in (real, contrast) for coded in _coded(one)]


def held_opinions(data: Path) -> list[MarkedText]:
    """The training part of RuOpinionNE: the author's own opinions, and who holds the others."""
    folder = data / OPINIONS
    one, _ = dealt(*[import_annotations(OPINIONS, folder).annotation_set] * 2)
    learnt = {article.text for article in one.articles if article.split == TRAIN}
    marked = [row for row in opinions(folder / "train.jsonl") if row[0] in learnt]
    sentences = []
    for text, rows in groupby(marked, key=lambda row: row[0]):
        voices, links = [], []
        for _, holder, target in rows:
            if isinstance(holder, Span):
                links.append(Link((target,), holder, None))
            elif holder == AUTHOR:
                voices.append((target, KINDS["author"]))
        sentences.append(MarkedText(text, "ru", tuple(voices), tuple(links), weight=_BY_RULES))
    return sentences


def story_stretches() -> list[MarkedText]:
    """The training stories of the sample in stretches of some paragraphs.

    Whose words a mention is comes from the labels, who says them from the rules.
    """
    one = read_annotations(shipped_annotations() / "sample")
    stretches = []
    for text, language, voices in _coded(one):
        for part in _paragraphs(text):
            inside = tuple(
                (Span(span.start - part.start, span.end - part.start), voice)
                for span, voice in voices
                if part.contains(span)
            )
            if inside:
                own = part.of(text)
                links = tuple(_link(r) for r in _reports(own, language) if r.speaker)
                stretches.append(MarkedText(own, language, inside, links))
    return stretches


def _coded(one: AnnotationSet) -> Iterator[tuple[str, str, tuple[tuple[Span, int], ...]]]:
    gold = adjudicate(one)
    gold = gold[gold["voice"].notna() & ~gold["not_target"].astype(bool)]
    for name, rows in gold.groupby("article_id"):
        article = one.article_by_id[str(name)]
        if article.split in (TRAIN, None):
            voices = tuple((Span(r.start, r.end), KINDS[r.voice]) for r in rows.itertuples())
            yield article.text, article.language or "", voices


def _paragraphs(text: str) -> Iterator[Span]:
    start = at = 0
    while at < len(text):
        end = text.find("\n", at)
        at = len(text) if end < 0 else end + 1
        if at - start >= _BEGINNING or at == len(text):
            yield Span(start, at)
            start = at


def rule_sentences(data: Path, held: frozenset[str], seed: int = 1) -> list[MarkedText]:
    """Sentences of the parallel corpora as the rules read them, one to three in a text."""
    rng = random.Random(seed)
    languages = _languages(data)
    pools: dict[tuple[str, bool], list[MarkedText]] = {}
    texts = [text for text in parallel_texts(data, held) if 40 < len(text) < 900]
    rng.shuffle(texts)
    for text in texts:
        language = languages[text]
        if _is_full(pools, language):
            continue
        reports = _reports(text, language)
        pool = pools.setdefault((language, bool(reports)), [])
        if len(pool) < (_WITH_REPORTS if reports else _WITHOUT):
            pool.append(_by_rules(text, language, reports))
    pooled = [text for pool in pools.values() for text in pool]
    return _together(pooled, (1, 1, 2, 3), rng)


def _is_full(pools: Mapping[tuple[str, bool], Sequence[MarkedText]], language: str) -> bool:
    sizes = [len(pools.get((language, kind), ())) for kind in (True, False)]
    return sizes[0] >= _WITH_REPORTS and sizes[1] >= _WITHOUT


def _reports(text: str, language: str) -> list[Report]:
    zones = [Zone(Span(0, len(text)), "body", language)]
    return [report for report in find_reports(text, zones) if not report.is_scare]


def _by_rules(text: str, language: str, reports: Sequence[Report]) -> MarkedText:
    voices = tuple(
        (r.content, KINDS["quoted" if r.kind == "quotation" else "attributed"])
        for r in sorted(reports, key=lambda r: r.content.start - r.content.end)
    )
    links = tuple(_link(r) for r in reports if r.speaker or r.cue)
    return MarkedText(text, language, voices, links, is_whole=True, weight=_BY_RULES)


def _link(report: Report) -> Link:
    # The rules miss many speakers: that they name nobody says little.
    known = report.speaker is not None
    return Link((report.content,), report.speaker, report.cue, is_speaker_known=known)


def _languages(data: Path) -> dict[str, str]:
    """The language of each sentence of the parallel corpora."""
    languages: dict[str, str] = {}
    for path in sorted((data / "parallel").glob("*.tsv.gz")):
        sides = path.name.split(".")[0].split("-")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                languages |= zip(line.rstrip("\n").split("\t")[:2], sides, strict=True)
    return languages


def read_all(data: Path) -> tuple[list[MarkedText], ...]:
    """What to learn from first and then, and the marked sentences for development and the test.

    News has paragraphs of several sentences, of which only one may be a report. So sentences are
    put together for the second part.

    Args:
        data: Folder of the corpora.
    """
    marked, development, test = read_reports(data)
    written, held_paragraphs = written_paragraphs()
    real = read_real(data, default_codebook())
    held = frozenset(a.text for a in real.articles if a.split != TRAIN)
    held |= {one.text for one in (*development, *test)}
    labelled, stories = labelled_sentences(real), story_stretches()
    opinion, ruled = held_opinions(data), rule_sentences(data, held)
    rng = random.Random(1)
    rng.shuffle(labelled)
    told = [one for one in labelled if any(voice for _, voice in one.voices)]
    own = [one for one in labelled if not any(voice for _, voice in one.voices)]
    first = [*3 * marked, *2 * written, *told[:_TOLD], *own[:_OWN], *stories, *opinion, *ruled]
    then = [
        *4 * written,
        *(text for sizes in _SIZES for text in _together(marked, sizes, rng)),
        *_together([*told, *own[: 3 * _OWN]], (1, 2, 3, 4), rng),
        *2 * stories,
        *opinion,
        *_together(ruled, (1, 2, 3), rng),
    ]
    return first, then, [*development, *held_paragraphs], test


def _together(
    texts: Sequence[MarkedText], sizes: Sequence[int], rng: random.Random
) -> list[MarkedText]:
    """The texts of each language in random order, so many of them put together."""
    joined = []
    for language in LANGUAGES:
        own = [text for text in texts if text.language == language]
        rng.shuffle(own)
        while own:
            n = rng.choice(sizes)
            joined.append(join_texts(own[:n]))
            own = own[n:]
    return joined


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the labeller of voices and speakers."""
    parser = argparse.ArgumentParser(prog="python -m recipes.voice", description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder of the published corpora")
    parser.add_argument("--out", type=Path, required=True, help="folder for the labeller")
    given = parser.parse_args(arguments)
    try:
        first, then, *_ = read_all(given.data)
        stages = zip((first, then), STEPS, (1.0, 0.8), strict=True)
        make_labeller(list(stages), given.out, progress=_tell)
    except ClassifierError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"the labeller is in {given.out}\n")
    return 0


def _tell(done: int, total: int, note: str) -> None:
    if done == total or done % 20 == 0:
        sys.stderr.write(f"{note}: {done} of {total}\n")


if __name__ == "__main__":
    raise SystemExit(main())
