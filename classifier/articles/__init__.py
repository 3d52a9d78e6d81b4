"""Reading articles from disk, their zones and metadata, and which of them tell one story."""

from classifier.articles.fields import article_from_record, article_record
from classifier.articles.reading import Reading, read_articles, stream_articles, unrepeated
from classifier.articles.stories import with_stories
from classifier.articles.zones import find_zones

__all__ = [
    "Reading",
    "article_from_record",
    "article_record",
    "find_zones",
    "read_articles",
    "stream_articles",
    "unrepeated",
    "with_stories",
]
