"""NewsMTSC: sentences of English news with mentions of people and groups, one file per split.

A sentence is an article of its own. Its `story_id` is the event or, where the publisher knows none,
the document that it comes from, as its gid says: the publisher's splits share events and documents.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
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
from classifier.errors import CodebookError, DataError
from classifier.records import Article, Problem, Span

NAME = "newsmtsc"
_SPLITS = ("train", "devtest_mt", "devtest_rw")
_GID = re.compile(
    r"(?:allsides_\d+_(?P<event>\d+)|polusa_v1_(?P<document>\d+)_-1)_\d+_(?P<entity>.+)_\d+_\d+",
    re.S,
)


def read_newsmtsc(path: Path) -> Imported:
    """Read the folder with the publisher's three files, or one of them.

    The target is the entity as the publisher names it in the gid; further mentions of it go into
    the comment.
    """
    codebook = shipped_codebook(NAME)
    found = [
        record
        for file in _files(path)
        for where, line in read_json_lines(file)
        for record in _sentence(line, where, file.stem, codebook)
    ]
    articles = [record for record in found if isinstance(record, Article)]
    comments = [r.comment for r in found if isinstance(r, Annotation) and r.comment]
    further = sum(comment.count(_FURTHER) for comment in comments)
    found += _shared(articles)
    return imported(found, codebook, {"further mentions": further})


_FURTHER = "also "


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = [path / f"{split}.jsonl" for split in _SPLITS]
    found = [file for file in files if file.is_file()]
    if not found:
        raise DataError(f"{path}: {NAME} is {', '.join(f.name for f in files)}; none was found")
    return found


def _sentence(
    line: dict[str, Any] | Problem, where: str, split: str, codebook: Codebook
) -> Iterator[Found]:
    if isinstance(line, Problem):
        yield line
        return
    gid, text, targets = (line.get(k) for k in ("primary_gid", "sentence_normalized", "targets"))
    if not (gid and isinstance(gid, str) and isinstance(text, str) and isinstance(targets, list)):
        detail = "primary_gid, sentence_normalized and targets were required"
        yield Problem(where, "key missing", detail)
        return
    article = Article(article_id(gid), text, language="en", story_id=_story(gid), split=split)
    if article.story_id is None:
        yield Problem(where, "gid not understood, no story", f"got {gid!r}")
    yield article
    names: dict[tuple[object, ...], int] = defaultdict(int)
    for target in targets:
        try:
            yield _mention(target, where, article, codebook, names)
        except (KeyError, TypeError, AttributeError) as error:
            yield Problem(where, "mention malformed, refused", f"{error}: {target!r:.120}")


def article_id(gid: str) -> str:
    """The publisher's id without the mention that it ends in, which may be a whole sentence.

    Run folders list the articles they were trained on, and may be passed on where texts may not.
    """
    return f"{_story(gid) or NAME}-{hashlib.sha256(gid.encode()).hexdigest()[:12]}"


def _story(gid: str) -> str | None:
    match = _GID.fullmatch(gid)
    if match is None:
        return None
    return f"allsides_{match['event']}" if match["event"] else f"polusa_{match['document']}"


def _mention(
    target: Mapping[str, Any],
    where: str,
    article: Article,
    codebook: Codebook,
    names: dict[tuple[object, ...], int],
) -> Annotation | Problem:
    start, end, surface = target.get("from"), target.get("to"), target.get("mention")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end):
        return Problem(where, "offsets broken, refused", f"from and to: {start!r}, {end!r}")
    if article.text[start:end] != surface:
        detail = f"text[{start}:{end}] is {article.text[start:end]!r}, mention is {surface!r}"
        return Problem(where, "surface does not match, refused", detail)
    code = f"{target.get('polarity'):g}"
    try:
        stance = codebook.variable("stance").counterpart(NAME, code)
    except CodebookError as error:
        return Problem(where, "unknown polarity, refused", str(error))
    entity = _entity(str(target.get("Input.gid", "")), surface)
    names[start, end, entity] += 1
    n = names[start, end, entity]
    return Annotation(
        article_id=article.article_id,
        span=Span(start, end),
        target=entity if n == 1 else f"{entity} ({n})",
        surface=surface,
        annotator=NAME,
        labels={"stance": stance},
        comment=_further(target.get("further_mentions") or []),
    )


def _entity(gid: str, surface: str) -> str:
    """The publisher's name for who is meant; the surface where the gid does not say."""
    match = _GID.fullmatch(gid)
    return match["entity"].strip() or surface if match else surface


def _further(mentions: list[Mapping[str, Any]]) -> str | None:
    parts = [f"{_FURTHER}{m['from']}-{m['to']} {m['mention']!r}" for m in mentions]
    return "; ".join(parts) or None


def _shared(articles: list[Article]) -> Iterator[Problem]:
    """The same sentence in two splits: kept where the publisher put it, but said."""
    first: dict[str, Article] = {}
    for article in articles:
        earlier = first.setdefault(article.text, article)
        if earlier.split != article.split:
            detail = f"{article.article_id} ({article.split}) and {earlier.article_id}"
            yield Problem(
                article.article_id,
                "sentence in two splits, kept in both",
                f"{detail} ({earlier.split})",
                "split anew by story",
            )
