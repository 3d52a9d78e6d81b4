"""Published corpora: NewsMTSC, RuSentNE-2023, RuOpinionNE-2024, SemEval-2025 Task 10.

NewsMTSC: a sentence of English news is an article of its own. Its `story_id` is the event or, where
the publisher knows none, the document, as its gid says: the splits share both.

RuSentNE: sentences that begin with a quotation mark went through a quoting CSV writer twice, so
their offsets do not fit. A row is refused if undoing that does not help. No document is named.

RuOpinionNE: the holder becomes the voice: `AUTHOR` is the author, an entity is attributed and named
as speaker, `NULL` is attributed to nobody. The polar expression becomes the evidence. Several
opinions of one target are one annotation; what they do not agree on is null. The sentences stand
in the order of documents that the file does not name: `story_id` marks blocks of neighbours.

SemEval-2025, entity framing: UTF-16 units with the end inside; some copies have lost their CRLF.
Its roles become ours by the counterparts `semeval2025`; any target is allowed.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier.annotations._table import Annotation
from classifier.annotations.formats._files import Member, read_json_lines, read_members, read_text
from classifier.annotations.formats._foreign import (
    Foreign,
    Found,
    Imported,
    LeftOut,
    Region,
    imported,
    shipped_codebook,
)
from classifier.codebook import Codebook
from classifier.errors import CodebookError, DataError
from classifier.records import LANGUAGES, UNDETERMINED, Article, Problem, Span
from classifier.text import RULES, OffsetRule

NEWSMTSC = "newsmtsc"
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
    codebook = shipped_codebook(NEWSMTSC)
    found = [
        record
        for file in _files(path)
        for where, line in read_json_lines(file)
        for record in _news_sentence(line, where, file.stem, codebook)
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
        raise DataError(f"{path}: {NEWSMTSC} is {', '.join(f.name for f in files)}; none was found")
    return found


def _news_sentence(
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
            yield LeftOut(where, "mention malformed, refused", f"{error}: {target!r:.120}")


def article_id(gid: str) -> str:
    """The publisher's id without the mention that it ends in, which may be a whole sentence.

    Run folders list the articles they were trained on, and may be passed on where texts may not.
    """
    return f"{_story(gid) or NEWSMTSC}-{hashlib.sha256(gid.encode()).hexdigest()[:12]}"


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
        return LeftOut(where, "offsets broken, refused", f"from and to: {start!r}, {end!r}")
    if article.text[start:end] != surface:
        detail = f"text[{start}:{end}] is {article.text[start:end]!r}, mention is {surface!r}"
        return LeftOut(where, "surface does not match, refused", detail)
    code = f"{target.get('polarity'):g}"
    try:
        stance = codebook.variable("stance").counterpart(NEWSMTSC, code)
    except CodebookError as error:
        return LeftOut(where, "unknown polarity, refused", str(error))
    entity = _entity(str(target.get("Input.gid", "")), surface)
    names[start, end, entity] += 1
    n = names[start, end, entity]
    return Annotation(
        article_id=article.article_id,
        span=Span(start, end),
        target=entity if n == 1 else f"{entity} ({n})",
        surface=surface,
        annotator=NEWSMTSC,
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


RUSENTNE = "rusentne"
_COLUMNS = (
    *("sentence", "entity", "entity_tag", "entity_pos_start_rel", "entity_pos_end_rel", "label"),
)
_MAX_QUOTINGS = 2


def read_rusentne(path: Path) -> Imported:
    """Read the publisher's train.tsv, or the folder that holds it."""
    file = path / "train.tsv" if path.is_dir() else path
    header, *lines = read_text(file).split("\n")
    if tuple(header.rstrip("\r").split("\t")) != _COLUMNS:
        raise DataError(f"{file}: the columns {', '.join(_COLUMNS)} were required, got {header!r}")
    codebook = shipped_codebook(RUSENTNE)
    articles: dict[str, Article] = {}
    found: list[Found] = []
    for number, line in enumerate(lines, 2):
        if line.strip():
            row = line.rstrip("\r").split("\t")
            found += _row(row, f"{file.name}:{number}", articles, codebook)
    return imported([*articles.values(), *found], codebook)


def _row(
    row: list[str], where: str, articles: dict[str, Article], codebook: Codebook
) -> Iterator[Found]:
    if len(row) != len(_COLUMNS):
        detail = f"{len(_COLUMNS)} fields were required, got {len(row)}"
        yield LeftOut(where, "wrong number of fields, refused", detail)
        return
    sentence, entity, tag, start, end, code = row
    try:
        span = Span(int(start), int(end))
        stance = codebook.variable("stance").counterpart(RUSENTNE, code)
    except CodebookError as error:
        yield LeftOut(where, "unknown label, refused", str(error))
        return
    except ValueError as error:
        yield LeftOut(where, "offsets broken, refused", str(error))
        return
    fit = _fit(sentence, entity, span)
    if fit is None:
        detail = f"characters {start}-{end} are not {entity!r}, with its quotes undone or not"
        yield LeftOut(where, "surface does not match, refused", detail)
        return
    n, text, surface = fit
    if n:
        detail = f"{n} layers of CSV quoting undone, then characters {start}-{end} are {surface!r}"
        yield Problem(where, "quoting undone, repaired", detail)
    new = Article(f"{RUSENTNE}-{len(articles)}", text, language="ru", split="train")
    article = articles.setdefault(text, new)
    yield Annotation(
        article_id=article.article_id,
        span=span,
        target=surface,
        surface=surface,
        annotator=RUSENTNE,
        labels={"stance": stance},
        comment=f"entity tag {tag}",
    )


def _fit(sentence: str, entity: str, span: Span) -> tuple[int, str, str] | None:
    """Layers of quoting undone, sentence and surface where the span fits; None where none does."""
    for n in range(_MAX_QUOTINGS + 1):
        text = _unquoted(sentence, n)
        surfaces = {_unquoted(entity, m) for m in range(n + 1)}
        if text[span.start : span.end] in surfaces:
            return n, text, text[span.start : span.end]
    return None


def _unquoted(field: str, n: int) -> str:
    for _ in range(n):
        if len(field) < 2 or not field.startswith('"') or not field.endswith('"'):
            return field
        field = field[1:-1].replace('""', '"')
    return field


RUOPINIONNE = "ruopinionne"
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
    codebook = shipped_codebook(RUOPINIONNE)
    found: list[Found] = []
    sentences: list[tuple[str, Article, Sequence[Any]]] = []
    for where, line in read_json_lines(file):
        sentence = line if isinstance(line, Problem) else _opinion_sentence(line, where, file.stem)
        if isinstance(sentence, Problem):
            found.append(sentence)
        else:
            sentences.append(sentence)
    stories = _stories([article.text for _, article, _ in sentences])
    for (where, article, opinions), story in zip(sentences, stories, strict=True):
        found.append(replace(article, story_id=f"{RUOPINIONNE}-{story}"))
        found += _annotations(opinions, where, article, codebook)
    n_opinions = sum(len(opinions) for _, _, opinions in sentences)
    n_silent = sum(not opinions for _, _, opinions in sentences)
    counts = {"opinions": n_opinions, "sentences without opinion": n_silent}
    return imported(found, codebook, counts)


def _opinion_sentence(
    line: Mapping[str, Any], where: str, split: str
) -> tuple[str, Article, Sequence[Any]] | Problem:
    number, text, opinions = line.get("sent_id"), line.get("text"), line.get("opinions", [])
    if number is None or not (isinstance(text, str) and isinstance(opinions, list)):
        return LeftOut(where, "key missing, refused", "sent_id, text and opinions were required")
    return where, Article(f"{RUOPINIONNE}-{number}", text, language="ru", split=split), opinions


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
            yield LeftOut(where, "unknown polarity, refused", str(error))


def _opinion(record: Mapping[str, Any], where: str, text: str) -> Iterator[_Opinion | Problem]:
    try:
        targets = _spans(record["Target"], text)
        evidence = _spans(record["Polar_expression"], text)
        holder, speaker = _holder(record["Source"], text)
        polarity = str(record["Polarity"])
    except (KeyError, TypeError, IndexError, ValueError) as error:
        yield LeftOut(where, "opinion broken, refused", str(error))
        return
    if len(targets) > 1:
        detail = f"a mention is one stretch of text, got {record['Target']}"
        yield LeftOut(where, "target in several parts, refused", detail)
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
    stance = {codebook.variable("stance").counterpart(RUOPINIONNE, o.polarity) for o in group}
    voice = {codebook.variable("voice").counterpart(RUOPINIONNE, o.holder) for o in group}
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
        annotator=RUOPINIONNE,
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


SEMEVAL2025 = "semeval2025"
PROMISED = OffsetRule("UTF-16", is_inclusive=True)
SEMEVAL_RULES = (PROMISED, *(rule for rule in RULES if rule != PROMISED))
_FIELDS = 5
_LIST = re.compile(r"subtask-?1-.*annotations\.txt")


def semeval_codebook(codebook: Codebook) -> Codebook:
    """The variables that have counterparts in the release, for any target.

    Raises `CodebookError` where there are none.
    """
    variables = tuple(
        variable
        for variable in codebook.variables
        if any(SEMEVAL2025 in label.counterparts for label in variable.labels)
    )
    if not variables:
        raise CodebookError(
            f"a variable with counterparts {SEMEVAL2025!r} was required, there is none"
        )
    return replace(codebook, targets=(), variables=variables)


def read_semeval2025(path: Path) -> Foreign:
    """Read the release's folder or zip, of one language or of all."""
    members = read_members(path)
    lists = [m for m in members if _LIST.fullmatch(m.path.name)]
    if not lists:
        raise DataError(
            f"{path}: subtask-1-annotations.txt beside a folder of raw documents was required"
        )
    articles: dict[str, Article] = {}
    found: list[Region | Problem] = []
    for member in lists:
        folder = member.path.parent.as_posix()
        below = [m for m in members if folder == "." or m.name.startswith(f"{folder}/")]
        texts = {m.path.name: m for m in below if m.name.endswith(".txt") and m is not member}
        for number, line in enumerate(member.text.split("\n"), 1):
            if line.strip():
                where = f"{member.name}:{number}"
                found.append(_entity_row(line.rstrip("\r").split("\t"), where, texts, articles))
    return Foreign(
        tuple(articles.values()),
        tuple(r for r in found if isinstance(r, Region)),
        tuple(r for r in found if isinstance(r, Problem)),
    )


def _entity_row(
    row: list[str], where: str, texts: Mapping[str, Member], articles: dict[str, Article]
) -> Region | Problem:
    if len(row) < _FIELDS:
        detail = f"file, entity, start, end, main role and fine roles were required, got {row}"
        return LeftOut(where, "wrong number of fields, refused", detail)
    file, entity, start, end, *roles = row
    if file not in texts:
        return LeftOut(where, "text missing, refused", f"{file} is not among the documents")
    if not (start.isdecimal() and end.isdecimal()):
        return LeftOut(where, "offsets broken, refused", f"got {start!r} and {end!r}")
    article_id = file.removesuffix(".txt")
    if article_id not in articles:
        try:
            prefix = article_id.partition("_")[0].lower()
            language = prefix if prefix in LANGUAGES else UNDETERMINED
            articles[article_id] = Article(article_id, texts[file].text, language=language)
        except DataError as error:
            return LeftOut(where, "text unreadable, refused", str(error))
    return Region(
        where=where,
        key=where,
        article_id=article_id,
        annotator=SEMEVAL2025,
        start=int(start),
        end=int(end),
        surface=entity,
        # the main role is told in the comment, it has no label of ours
        codes=tuple(("", role.strip()) for role in roles[1:] if role.strip()),
        comment=f"main role {roles[0]}",
    )
