"""RuOpinionNE-2024: opinions in sentences of Russian news: a holder, a target, a polarity.

The holder becomes the voice: `AUTHOR` is the author, an entity is attributed and named as speaker,
`NULL` is attributed to nobody named. The polar expression becomes the evidence. Several opinions of
one target are one annotation, the first opinion's, with the others in its comment; what they do not
agree on is null. The sentences stand in the order of their documents, which the file does not name:
`story_id` marks blocks of neighbours, cut where the words change most.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.annotations._table import Annotation
from classifier.annotations.formats._foreign import (
    Found,
    Imported,
    imported,
    read_json_lines,
    shipped_codebook,
)
from classifier.codebook import Codebook
from classifier.errors import CodebookError
from classifier.records import Article, Problem, Span

NAME = "ruopinionne"
_AUTHOR, _NULL, _ENTITY = "AUTHOR", "NULL", "entity"
_BLOCK, _SLACK, _NEAR = 40, 10, 3


@dataclass(frozen=True)
class _Opinion:
    target: Span
    polarity: str
    holder: str
    """A code of the variable voice: AUTHOR, NULL or entity."""
    speaker: str | None
    evidence: Span

    def told(self, text: str) -> str:
        """The opinion in words, for a comment."""
        holder = self.speaker or self.holder
        start, end = self.evidence.start, self.evidence.end
        return f"{self.polarity} by {holder}: {start}-{end} {text[start:end]!r}"


def read_ruopinionne(path: Path) -> Imported:
    """Read the publisher's train.jsonl, or the folder that holds it."""
    file = path / "train.jsonl" if path.is_dir() else path
    codebook = shipped_codebook(NAME)
    found: list[Found] = []
    sentences: list[tuple[str, Article, Sequence[Any]]] = []
    for where, line in read_json_lines(file):
        sentence = line if isinstance(line, Problem) else _sentence(line, where, file.stem)
        if isinstance(sentence, Problem):
            found.append(sentence)
        else:
            sentences.append(sentence)
    stories = _stories([article.text for _, article, _ in sentences])
    for (where, article, opinions), story in zip(sentences, stories, strict=True):
        found.append(_in_story(article, story))
        found += _annotations(opinions, where, article, codebook)
    n_opinions = sum(len(opinions) for _, _, opinions in sentences)
    n_silent = sum(not opinions for _, _, opinions in sentences)
    counts = {"opinions": n_opinions, "sentences without opinion": n_silent}
    return imported(found, codebook, counts)


def _sentence(
    line: Mapping[str, Any], where: str, split: str
) -> tuple[str, Article, Sequence[Any]] | Problem:
    number, text, opinions = line.get("sent_id"), line.get("text"), line.get("opinions", [])
    if number is None or not (isinstance(text, str) and isinstance(opinions, list)):
        return Problem(where, "key missing, refused", "sent_id, text and opinions were required")
    return where, Article(f"{NAME}-{number}", text, language="ru", split=split), opinions


def _in_story(article: Article, story: int) -> Article:
    return replace(article, story_id=f"{NAME}-{story}")


def _annotations(
    opinions: Sequence[Any], where: str, article: Article, codebook: Codebook
) -> Iterator[Found]:
    by_target: dict[Span, list[_Opinion]] = defaultdict(list)
    for record in opinions:
        for read in _opinion(record, where, article.text):
            if isinstance(read, Problem):
                yield read
            else:
                by_target[read.target].append(read)
    for target, group in by_target.items():
        try:
            yield from _merged(target, group, where, article, codebook)
        except CodebookError as error:
            yield Problem(where, "unknown polarity, refused", str(error))


def _opinion(record: Mapping[str, Any], where: str, text: str) -> Iterator[_Opinion | Problem]:
    try:
        targets = _spans(record["Target"], text)
        evidence = _spans(record["Polar_expression"], text)
        holder, speaker = _holder(record["Source"], text)
        polarity = str(record["Polarity"])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        yield Problem(where, "opinion broken, refused", str(error))
        return
    if len(targets) > 1:
        detail = f"a mention is one stretch of text, got {record['Target']}"
        yield Problem(where, "target in several parts, refused", detail)
        return
    if len(evidence) > 1:
        detail = f"kept from the first part to the last: {record['Polar_expression']}"
        yield Problem(where, "evidence in several parts, joined", detail)
    joined = Span(min(s.start for s in evidence), max(s.end for s in evidence))
    yield _Opinion(targets[0], polarity, holder, speaker, joined)


def _spans(field: Sequence[Sequence[str]], text: str) -> list[Span]:
    """The spans of a field such as [["word"], ["3:7"]]; raises `ValueError` where one is off."""
    spans = []
    for surface, offsets in zip(field[0], field[1], strict=True):
        start, _, end = offsets.partition(":")
        span = Span(int(start), int(end))
        if span.of(text) != surface:
            raise ValueError(f"characters {offsets} are {span.of(text)!r}, not {surface!r}")
        spans.append(span)
    if not spans:
        raise ValueError("a span was required, got none")
    return spans


def _holder(field: Sequence[Sequence[str]], text: str) -> tuple[str, str | None]:
    if field[0][0] in (_AUTHOR, _NULL):
        return field[0][0], None
    return _ENTITY, " ".join(span.of(text) for span in _spans(field, text))


def _merged(
    target: Span, group: list[_Opinion], where: str, article: Article, codebook: Codebook
) -> Iterator[Found]:
    surface = target.of(article.text)
    stance = {codebook.variable("stance").counterpart(NAME, o.polarity) for o in group}
    voice = {codebook.variable("voice").counterpart(NAME, o.holder) for o in group}
    speakers = {o.speaker for o in group}
    others = [opinion.told(article.text) for opinion in group[1:]]
    for told in others:
        yield Problem(where, "further opinion of one target, in the comment", told)
    if len(stance) > 1:
        detail = f"of {surface!r}: {[o.told(article.text) for o in group]}"
        yield Problem(where, "contradictory opinions of one target, stance null", detail)
    if len(voice) > 1:
        detail = f"of {surface!r}: {[o.holder for o in group]}"
        yield Problem(where, "several kinds of holder, voice null", detail)
    yield Annotation(
        article_id=article.article_id,
        span=target,
        target=surface,
        surface=surface,
        annotator=NAME,
        labels={
            "stance": stance.pop() if len(stance) == 1 else None,
            "voice": voice.pop() if len(voice) == 1 else None,
        },
        comment="; ".join([group[0].told(article.text), *others]) if others else None,
        speaker=speakers.pop() if len(speakers) == 1 else None,
        evidence=group[0].evidence,
    )


def _stories(texts: Sequence[str]) -> list[int]:
    """A block number per sentence: about `_BLOCK` neighbours, cut where few words are shared."""
    words = [{word[:6] for word in re.findall(r"\w{5,}", text.lower())} for text in texts]
    stories: list[int] = []
    while len(stories) < len(texts):
        cut = _cut(words, len(stories) + _BLOCK)
        stories += [stories[-1] + 1 if stories else 0] * (cut - len(stories))
    return stories


def _cut(words: Sequence[set[str]], near: int) -> int:
    if near + _SLACK >= len(words):
        return len(words)

    def shared(cut: int) -> int:
        before = set[str]().union(*words[cut - _NEAR : cut])
        return len(before & set[str]().union(*words[cut : cut + _NEAR]))

    return min(range(near - _SLACK, near + _SLACK), key=shared)
