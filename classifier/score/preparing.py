"""What is done to an article before a model reads it; can be sent to other processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from classifier.annotations import mention_unit
from classifier.codebook import Codebook
from classifier.languages import document_language
from classifier.mentions import find_mentions
from classifier.models.base import TextReader
from classifier.passages import Limits, cut_all
from classifier.records import Article, Mention, Passage
from classifier.score.guard import refusal

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
