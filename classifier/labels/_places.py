"""Which mention of the labelled articles a row is about."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import pandas as pd

from classifier.annotations import AnnotationSet, mention_unit, read_annotations, unit_name
from classifier.annotations.formats import codebook_of
from classifier.articles import Reading, read_articles
from classifier.codebook import Codebook, default_codebook
from classifier.labels._mapping import is_empty
from classifier.labels._rows import short_name
from classifier.mentions import MentionContext, find_mentions
from classifier.predictions import TEXT_HASH, check_same_articles
from classifier.records import UNDETERMINED, Article, Mention, Span

Articles: TypeAlias = AnnotationSet | Reading | Iterable[Article] | Path | str
_ANNOTATIONS = "annotations.jsonl"
_KEPT = 1_000
"""Articles whose zones are kept: rows of one article mostly follow each other."""


@dataclass(frozen=True)
class LabelledArticles:
    """Articles with their known mentions: those that were coded, else those the lexicon finds."""

    articles: Mapping[str, Article]
    coded: Mapping[str, tuple[tuple[Span, str], ...]]
    """Per article with annotations the place and target of each mention, in text order."""
    codebook: Codebook

    def article(self, name: str) -> Article | None:
        """The article of this id, whatever its case and the blanks around it; None if none."""
        return self.articles.get(name) or self.articles.get(self._forgiving.get(_bare(name), ""))

    def mentions(self, article: Article) -> tuple[Mention, ...]:
        """The known mentions of an article, in the order of the text."""
        if article.article_id not in self.coded:
            return tuple(find_mentions(article, self.codebook))
        around = self._around(article)
        language = article.language or UNDETERMINED
        return tuple(
            around.mention(span, target, language)
            for span, target in self.coded[article.article_id]
        )

    def mention(self, article: Article, span: Span, target: str) -> Mention:
        """The mention at a place that is not among the known ones."""
        around = self._around(article)
        return around.mention(span, target, article.language or UNDETERMINED)

    def _around(self, article: Article) -> MentionContext:
        """Zones and reports, kept for the articles that rows named last."""
        found = self._contexts.pop(article.article_id, None)
        self._contexts[article.article_id] = found = found or MentionContext(article, self.codebook)
        if len(self._contexts) > _KEPT:
            del self._contexts[next(iter(self._contexts))]
        return found

    @cached_property
    def _contexts(self) -> dict[str, MentionContext]:
        return {}

    @cached_property
    def targets(self) -> Mapping[str, str]:
        """Target by its name, title and further names, without case and blanks."""
        return {
            _bare(name): target.name
            for target in reversed(self.codebook.targets)
            for name in (*(n for own in target.aliases.values() for n in own), target.title)
        } | {_bare(name): name for name in self.codebook.target_names}

    @cached_property
    def _forgiving(self) -> Mapping[str, str]:
        return {_bare(name): name for name in self.articles}


def labelled_articles(
    articles: Articles | None,
    annotations: AnnotationSet | Path | str | None,
    codebook: Codebook | Path | str | None,
) -> LabelledArticles:
    """Bring articles, annotations and codebook together, each as what it is or as its path.

    Args:
        articles: Articles, or the file or folder they are in; an annotation set is both.
        annotations: Whose mentions are the known ones in the articles it codes.
        codebook: By default that of the annotations, else the shipped one.
    """
    own = None if codebook is None else codebook_of(codebook)
    if isinstance(articles, Path | str):
        is_set = (Path(articles) / _ANNOTATIONS).is_file()
        articles = read_annotations(articles, own) if is_set else read_articles(articles)
    if isinstance(annotations, Path | str):
        annotations = read_annotations(annotations, own)
    sets = [one for one in (articles, annotations) if isinstance(one, AnnotationSet)]
    found = () if articles is None or isinstance(articles, AnnotationSet) else tuple(articles)
    by_id = {a.article_id: a for a in (*found, *(a for one in sets for a in one.articles))}
    if articles is not None and isinstance(annotations, AnnotationSet):
        labelled = articles.articles if isinstance(articles, AnnotationSet) else found
        check_same_articles(_facts(labelled, annotations), annotations, "labelled articles")
    chosen = own or (sets[-1].codebook if sets else default_codebook())
    return LabelledArticles(by_id, _coded(sets), chosen)


def _facts(articles: Iterable[Article], gold: AnnotationSet) -> pd.DataFrame:
    """What tells the articles apart from those of gold that have the same ids."""
    shared = [article for article in articles if article.article_id in gold.article_by_id]
    facts = [(a.article_id, a.source, a.date, a.sha256) for a in shared]
    return pd.DataFrame(facts, columns=["article_id", "source", "date", TEXT_HASH], dtype=object)


def _coded(sets: Iterable[AnnotationSet]) -> dict[str, tuple[tuple[Span, str], ...]]:
    places: dict[str, set[tuple[Span, str]]] = {}
    for one in sets:
        columns = (one.table[name] for name in ("article_id", "start", "end", "target"))
        for article_id, start, end, target in zip(*columns, strict=True):
            places.setdefault(article_id, set()).add((Span(int(start), int(end)), target))
    return {name: tuple(sorted(own)) for name, own in places.items()}


_UNIT = re.compile(r"(?P<article_id>.+):(?P<start>\d+)-(?P<end>\d+):(?P<target>.+)", re.DOTALL)
_SHORT = re.compile(r"m[0-9a-f]{12}")
Kind = Literal["mention", "quote", "article"]
ORDER: Mapping[Kind, int] = {"mention": 0, "quote": 1, "article": 2}
"""Where several rows name a mention, the one that names it most closely counts."""


@dataclass(frozen=True)
class Place:
    """What a row names: an article and mentions in it, or why there are none."""

    article_id: str = ""
    mentions: tuple[Mention, ...] = ()
    article: Article | None = None
    kind: Kind = "mention"
    reason: str = ""
    """Empty where the row is about a mention."""
    is_known: bool = True
    """Whether coders or the lexicon found a mention there too."""
    at: tuple[int, int, str] | None = None
    """Offsets and target where the article is not at hand."""

    @property
    def units(self) -> Iterator[tuple[str, Mention | None]]:
        """The mentions by name."""
        if self.at is not None:
            yield unit_name(self.article_id, *self.at), None
        for one in self.mentions:
            span = one.span
            yield unit_name(self.article_id, span.start, span.end, one.target), one


class _Names(NamedTuple):
    """The words by which a row names its mention."""

    article_id: str
    target: str
    quote: str
    span: tuple[int, int] | None
    occurrence: int | None


class Finder:
    """Finds the mention of each row; the mentions of an article are looked up once."""

    def __init__(self, known: LabelledArticles, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count the quotes, so that as many rows as mentions can be taken in their order."""
        self.known = known
        self._mentions: dict[str, tuple[Mention, ...]] = {}
        self._by_place: dict[str, dict[tuple[int, int], list[Mention]]] = {}
        self._n_quoted = Counter(key for row in rows if (key := _quote_key(row)))
        self._n_met: Counter[tuple[str, ...]] = Counter()

    def of(self, article: Article) -> tuple[Mention, ...]:
        """The known mentions of an article."""
        if article.article_id not in self._mentions:
            self._mentions[article.article_id] = self.known.mentions(article)
        return self._mentions[article.article_id]

    def _standing_at(self, article: Article, place: tuple[int, int]) -> list[Mention]:
        """The known mentions at two offsets."""
        own = self._by_place.get(article.article_id)
        if own is None:
            own = self._by_place[article.article_id] = {}
            for one in self.of(article):
                own.setdefault((one.span.start, one.span.end), []).append(one)
        return own.get(place, [])

    def place(self, row: Mapping[str, Any]) -> Place:
        """What a row names."""
        short = _text(row.get("unit"))
        if _SHORT.fullmatch(short):
            return self._requested(short)
        return self._named(_names(row), row)

    def _named(self, names: _Names, row: Mapping[str, Any]) -> Place:
        if not names.article_id:
            return Place(reason="the row names no article")
        target = self._target(names.target)
        article = self.known.article(names.article_id)
        if article is None:
            return self._elsewhere(names, target)
        if names.target and target is None:
            return Place(article.article_id, reason=f"no target is called {names.target!r}")
        if names.span is not None:
            return self._at(article, names.span, target, names.quote)
        if names.quote:
            return self._quoted(article, names, target, _quote_key(row))
        return self._whole(article, target)

    def _requested(self, short: str) -> Place:
        if short not in self._short:
            return Place(reason=f"no known mention is called {short!r} in requests")
        article, mention = self._short[short]
        return Place(article.article_id, (mention,), article)

    @cached_property
    def _short(self) -> Mapping[str, tuple[Article, Mention]]:
        """The known mentions by their names in requests."""
        return {
            short_name(mention_unit(article, mention)): (article, mention)
            for article in self.known.articles.values()
            for mention in self.of(article)
        }

    def _target(self, name: str) -> str | None:
        if name:
            bare = " ".join(name.split()).casefold()
            own = self.known.targets.get(bare)
            return own or (name if self.known.codebook.any_target else None)
        only = self.known.codebook.target_names
        return only[0] if len(only) == 1 else None

    def _elsewhere(self, names: _Names, target: str | None) -> Place:
        """A mention that is named in full needs no article; other rows do."""
        if names.span is None or target is None:
            return Place(reason=f"no article is called {names.article_id!r}")
        start, end = names.span
        return Place(names.article_id, at=(start, end, target), is_known=False)

    def _at(self, article: Article, span: tuple[int, int], target: str | None, quote: str) -> Place:
        start, end = span
        found = [o for o in self._standing_at(article, span) if target in (None, o.target)]
        if len(found) == 1:
            return Place(article.article_id, tuple(found), article)
        if not 0 <= start < end <= len(article.text):
            return Place(
                article.article_id,
                reason=f"{start}-{end} is no place in {len(article.text)} characters",
            )
        words = article.text[start:end]
        if quote and _bare(quote) != _bare(words):
            return Place(
                article.article_id,
                reason=f"{start}-{end} was to be {quote!r}, but is {words[:60]!r}",
            )
        if target is None:
            return Place(
                article.article_id,
                reason=f"no mention is known at {start}-{end}, and the row has no target",
            )
        mention = self.known.mention(article, Span(start, end), target)
        return Place(article.article_id, (mention,), article, is_known=False)

    def _quoted(
        self, article: Article, names: _Names, target: str | None, key: tuple[str, ...]
    ) -> Place:
        found = _by_quote(article, self.of(article), target, names.quote)
        if not found:
            return Place(article.article_id, reason=f"no mention reads {names.quote!r}")
        if names.occurrence is not None:
            if not 1 <= names.occurrence <= len(found):
                n = len(found)
                return Place(
                    article.article_id,
                    reason=f"{names.quote!r} occurs {n} times, not {names.occurrence}",
                )
            return Place(article.article_id, (found[names.occurrence - 1],), article)
        n_rows = self._n_quoted[key]
        if n_rows == len(found):
            self._n_met[key] += 1
            return Place(article.article_id, (found[self._n_met[key] - 1],), article)
        if n_rows > 1:
            return Place(
                article.article_id,
                reason=f"{names.quote!r} occurs {len(found)} times in {n_rows} rows",
            )
        return Place(article.article_id, found, article, kind="quote")

    def _whole(self, article: Article, target: str | None) -> Place:
        if target is None:
            return Place(article.article_id, reason="the row has neither a target nor a place")
        found = tuple(one for one in self.of(article) if one.target == target)
        if not found:
            return Place(
                article.article_id,
                reason=f"no mention of {target} is known in {article.article_id}",
            )
        return Place(article.article_id, found, article, kind="article")


def _names(row: Mapping[str, Any]) -> _Names:
    match = _UNIT.fullmatch(_text(row.get("unit")))
    unit = match.groupdict() if match else {}
    start, end = (_whole_number(unit.get(name, row.get(name))) for name in ("start", "end"))
    return _Names(
        article_id=unit.get("article_id") or _text(row.get("article_id")),
        target=unit.get("target") or _text(row.get("target")),
        quote=_text(row.get("surface")),
        span=None if start is None or end is None else (start, end),
        occurrence=_whole_number(row.get("occurrence")),
    )


def _by_quote(
    article: Article, mentions: Sequence[Mention], target: str | None, quote: str
) -> tuple[Mention, ...]:
    """The mentions that read so, or else those within the words of a longer quote."""
    own = [one for one in mentions if target in (None, one.target)]
    for same in (str, _bare):
        if found := tuple(one for one in own if same(one.surface) == same(quote)):
            return found
    pattern = r"\s+".join(map(re.escape, quote.split()))
    spans = [Span(*m.span()) for m in re.finditer(pattern, article.text, re.IGNORECASE)]
    return tuple(one for one in own if any(span.contains(one.span) for span in spans))


def _quote_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What rows share that quote the same words and do not say which occurrence."""
    if is_empty(row.get("surface")) or not is_empty(row.get("occurrence")):
        return ()
    names = (_bare(_text(row.get(name))) for name in ("article_id", "target"))
    return (*names, _text(row.get("surface")))


def _text(value: object) -> str:
    if is_empty(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _whole_number(value: object) -> int | None:
    if value is None:
        return None
    try:
        number = float(str(value))
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _bare(words: str) -> str:
    return " ".join(words.split()).casefold()
