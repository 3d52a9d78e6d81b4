"""Exact text: views for matching, sentences, languages, offsets.

Which languages there are stands in `records.LANGUAGES`; `_languages` tells which one a text is in.
"""

from classifier.text._languages import document_language, is_foreign, stretch_language
from classifier.text._offsets import (
    CODE_POINTS,
    GRAPHEMES,
    RULES,
    UTF_16,
    MarkedSpan,
    OffsetRule,
    Resolution,
    resolve_file,
    resolve_offsets,
)
from classifier.text._sentences import split_sentences
from classifier.text._view import APOSTROPHES, View, fold, match_view, plain_view, unfold

__all__ = [
    "APOSTROPHES",
    "CODE_POINTS",
    "GRAPHEMES",
    "RULES",
    "UTF_16",
    "MarkedSpan",
    "OffsetRule",
    "Resolution",
    "View",
    "document_language",
    "fold",
    "is_foreign",
    "match_view",
    "plain_view",
    "resolve_file",
    "resolve_offsets",
    "split_sentences",
    "stretch_language",
    "unfold",
]
