"""What each paragraph of an article is there for. Zones cover the text; nothing is cut out."""

import re

from classifier.languages import document_language, stretch_language
from classifier.records import Article, Span, Zone

_PARAGRAPH = re.compile(r"[^\n]*\n*")


def find_zones(article: Article) -> list[Zone]:
    """The zones of an article: contiguous, covering its text exactly; none of an empty text."""
    language = article.language or document_language(article.text)
    return [
        Zone(Span(match.start(), match.end()), "body", stretch_language(match.group(), language))
        for match in _PARAGRAPH.finditer(article.text)
        if match.group()
    ]
