"""Reading articles from disk, their zones and metadata, and which of them tell one story.

`_page` makes plain text of a web page; `_zones` tells its body from boilerplate.
"""

from classifier.articles._fields import (
    OTHER_NAMES,
    article_from_record,
    article_record,
    given_id,
    is_other_name,
    named_column,
    noted_names,
    with_headline,
)
from classifier.articles._reading import Reading, read_articles, stream_articles, unrepeated
from classifier.articles._stories import with_stories
from classifier.articles._zones import find_zones

__all__ = [
    "OTHER_NAMES",
    "Reading",
    "article_from_record",
    "article_record",
    "find_zones",
    "given_id",
    "is_other_name",
    "named_column",
    "noted_names",
    "read_articles",
    "stream_articles",
    "unrepeated",
    "with_headline",
    "with_stories",
]
