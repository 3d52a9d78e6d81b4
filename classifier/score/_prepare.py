"""Articles read and made ready to be judged: mentions, passages, languages that are supported."""

import pickle
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeAlias

import pandas as pd

from classifier.annotations import mention_unit
from classifier.articles import article_from_record, stream_articles, unrepeated, with_headline
from classifier.codebook import Codebook
from classifier.errors import DataError
from classifier.mentions import find_mentions
from classifier.models import Limits, Reader, TextReader, cut_all
from classifier.records import UNDETERMINED, Article, Mention, Passage, Problem
from classifier.text import document_language, is_foreign

Articles: TypeAlias = (
    Iterable[Article | Mapping[str, Any] | str] | pd.DataFrame | pd.Series | Path | str
)
"""Articles, texts, a table or `datasets.Dataset` of them, or a file or folder."""
BOUND = 0.6
"""A macro-F1 below this on held-out mentions is told beside every score in that language."""
FEW = 100
"""Fewer held-out mentions than this do not say how well a language is read."""
_UNSUPPORTED = "unsupported language: "


def languages_read(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The languages that a run's base reads or that it was trained on."""
    return tuple(sorted({*record["base_languages"], *record["training_languages"]}))


def refusal(article: Article, languages: tuple[str, ...]) -> str | None:
    """Why the article's language cannot be scored, if it cannot."""
    return None if article.language in languages else f"{_UNSUPPORTED}{article.language}"


def refusal_of(article: Article, mention: Mention, languages: tuple[str, ...]) -> str | None:
    """Why a mention cannot be scored: for its article, or for the paragraph it stands in.

    The language of a text of one paragraph is the article's, and is not asked again.
    """
    whole = refusal(article, languages)
    paragraph = _paragraph(article.text, mention)
    if whole or article.language is None or paragraph.strip() == article.text.strip():
        return whole
    return f"{_UNSUPPORTED}{UNDETERMINED}" if is_foreign(paragraph, article.language) else None


def language_warnings(record: Mapping[str, Any]) -> dict[str, str]:
    """What to say beside scores, by language; nothing where a language is read well enough.

    Told of is the first variable: the figures of all are in the record.
    """
    first = record["variables"][0]
    known = record.get("languages", {})
    warnings = {}
    for code in languages_read(record):
        said = _warning(first, known.get(code, {}))
        if said:
            warnings[code] = f"{code}, {said}"
    return warnings


def warning_problems(warnings: Mapping[str, int]) -> tuple[Problem, ...]:
    """One problem per warning, with how many mentions it holds for."""
    return tuple(
        Problem("scores", _reason(warning), f"{warning} (mentions: {n})", _REMEDY)
        for warning, n in warnings.items()
    )


def refusal_problems(statuses: Mapping[str, int], languages: Sequence[str]) -> list[Problem]:
    """One problem per language that is not read, with how many mentions were found in it."""
    read = f"this scorer reads {', '.join(languages)}"
    remedy = "train on articles in that language, or leave these articles out"
    problems = []
    for status, n in statuses.items():
        code = status.removeprefix(_UNSUPPORTED)
        if code == status:
            continue
        told = (
            "a language that was not recognised" if code == UNDETERMINED else f"the language {code}"
        )
        detail = f"targets were seen (mentions: {n}) in {told}, but not scored: {read}"
        problems.append(Problem("articles", "language not read", detail, remedy))
    return problems


def unread_problems(found: "Sequence[Found]", languages: Sequence[str]) -> tuple[Problem, ...]:
    """One problem per article in which no target was seen and whose language is not read.

    Names are known in the languages that are read only, so that such an article may name a target.
    """
    read = f"this scorer reads {', '.join(languages)}"
    remedy = "check that the text is what you meant, or leave it out"
    problems = []
    for article, mentions in found:
        if mentions or not languages or article.language in languages:
            continue
        known = article.language not in (None, UNDETERMINED)
        told = f"the language is {article.language}" if known else "the language was not recognised"
        detail = f"no target was seen, and {told}: {read}"
        problems.append(Problem(article.article_id, "language not read", detail, remedy))
    return tuple(problems)


_REMEDY = "code some articles in this language, and train or correct profiles with them"


_NOT_JUDGED, _HARDLY = "no held-out mentions", " only"


def _reason(warning: str) -> str:
    """What is wrong: a bad figure is not the same as one from a handful of mentions."""
    if _NOT_JUDGED in warning:
        return "language not judged"
    return "language hardly judged" if f"on{_HARDLY} " in warning else "language read badly"


def _warning(variable: str, told: Mapping[str, Any]) -> str | None:
    figure = told.get("figures", {}).get(variable, {})
    value, n_mentions = figure.get("macro_f1"), figure.get("n_mentions", 0)
    trained = f"trained on {told.get('training_mentions', 0)} mentions in this language"
    if value is None or not n_mentions:
        return f"{variable}: {_NOT_JUDGED} in this language to judge by; {trained}"
    if value >= BOUND and n_mentions >= FEW:
        return None
    only = _HARDLY if n_mentions < FEW else ""
    return f"{variable}: macro-F1 {value:.2f} on{only} {n_mentions} held-out mentions; {trained}"


def _paragraph(text: str, mention: Mention) -> str:
    start = text.rfind("\n", 0, mention.span.start) + 1
    end = text.find("\n", mention.span.end)
    return text[start : end if end >= 0 else len(text)]


Found: TypeAlias = tuple[Article, Sequence[Mention]]
"""An article with its language, and the mentions in it."""


@dataclass(frozen=True)
class Preparation:
    """How a scorer finds mentions, and cuts the passages that its model reads."""

    targets: Codebook
    languages: tuple[str, ...]
    context: int
    reader: TextReader

    def find(self, article: Article) -> Found:
        """The article with its language, and the mentions in it."""
        article = with_language(article)
        return article, find_mentions(article, self.targets)

    def passages(self, found: Sequence[Found]) -> list[Passage]:
        """The passages of some articles, without those whose language is refused."""
        limits = Limits(self.reader.text_limit, self.context)
        with_units = (
            (article, {mention_unit(article, mention): mention.span for mention in mentions})
            for article, mentions in found
            if mentions and not refusal(article, self.languages)
        )
        return cut_all(with_units, self.reader.token_starts, limits)


def with_language(article: Article) -> Article:
    """The article with its language, found out where nobody looked yet."""
    if article.language is not None:
        return article
    return replace(article, language=document_language(article.text))


def as_articles(articles: Articles, problems: list[Problem]) -> Iterator[Article]:
    """Articles from wherever they are; what cannot be read is added to the problems.

    Raises `DataError` if the input is nothing that articles can be taken from.
    """
    if isinstance(articles, Path | str):
        yield from stream_articles(articles, problems)
        return
    if isinstance(articles, bytes) or not isinstance(articles, Iterable):
        raise DataError(
            f"a text, several of them, articles or a path are required, got {articles!r:.60}"
        )
    items: Iterable[tuple[object, object]] = enumerate(articles)
    if isinstance(articles, pd.DataFrame):
        items = enumerate(articles.to_dict("records"))
    elif isinstance(articles, pd.Series):
        items = articles.items()
    problems += getattr(articles, "problems", ())
    made = (_as_article(name, item) for name, item in items)
    yield from unrepeated(made, set(), "articles", problems)


def _as_article(name: object, item: object) -> Article:
    """An article from one of several; `name` is its id where it brings none."""
    if isinstance(item, Article):
        return item
    if isinstance(item, str):
        return Article(str(name), item)
    if not isinstance(item, Mapping):
        raise DataError(
            f"every text must be a string, a dict with text, or an article; {name!r} is "
            f"{item!r:.60} ({type(item).__name__}): leave such rows out first"
        )
    if not isinstance(item.get("text"), str):
        found = f"text is {item['text']!r:.60}" if "text" in item else f"it has {', '.join(item)}"
        raise DataError(
            f"every article needs its text as a string; of {name!r} {found}: leave such rows out, "
            "or call the column with the text text"
        )
    own = item.get("article_id", item.get("id", name))
    row = {**item, "article_id": str(name) if own is None else own}
    return article_from_record(with_headline(row))


Prepared = tuple[list[Found], list[Passage]]
_LENGTH = struct.Struct("<Q")
_LONGEST = 1 << 36


def prepared(preparation: Preparation, articles: Sequence[Article]) -> Prepared | None:
    """Mentions and passages of some articles; None if any of them fails.

    The process that asked prepares them again then, and meets the error itself.
    """
    try:
        found = [preparation.find(article) for article in articles]
        passages: Sequence[Passage] = preparation.passages(found)
        if isinstance(preparation.reader, Reader):
            passages = preparation.reader.encode(passages)
    except Exception:
        return None
    return found, list(passages)


def send(pipe: IO[bytes], content: object) -> None:
    """Write a pickle with its length before it."""
    data = pickle.dumps(content, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """The pickle that `send` wrote, as bytes; None where the pipe has ended or holds no such."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length) if length <= _LONGEST else b""
    return data if len(data) == length else None
