"""The articles that were labelled, and the mentions in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from classifier.annotations import AnnotationSet, read_annotations
from classifier.articles import Reading, read_articles
from classifier.codebook import Codebook, default_codebook, read_codebook
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
    own = read_codebook(codebook) if isinstance(codebook, Path | str) else codebook
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


def _bare(name: str) -> str:
    return " ".join(name.split()).casefold()
