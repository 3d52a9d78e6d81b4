"""Where an article names a target: found by lexicon, and explained entry by entry, rule by rule."""

from classifier._verbs import callable_as
from classifier.mentions._find import (
    Excluded,
    MentionContext,
    MentionsReport,
    Settle,
    VoiceReason,
    explain_mentions,
    find_mentions,
)
from classifier.mentions._lexicon import LEXICON_VERSION
from classifier.mentions._page import write_page

__all__ = [
    "LEXICON_VERSION",
    "Excluded",
    "MentionContext",
    "MentionsReport",
    "Settle",
    "VoiceReason",
    "explain_mentions",
    "find_mentions",
    "write_page",
]

callable_as(__name__, "classifier.mentions._find:explain_mentions")
