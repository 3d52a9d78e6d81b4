"""Wire copies: which articles tell one story in the same words."""

from collections.abc import Iterable
from dataclasses import replace

from classifier.records import Article


def with_stories(articles: Iterable[Article]) -> list[Article]:
    """The articles, with a `story_id` shared by those that have the same text."""
    seen: dict[str, str] = {}
    return [
        replace(
            article,
            story_id=article.story_id or seen.setdefault(article.sha256, article.article_id),
        )
        for article in articles
    ]
