"""Where an article names a target: found by lexicon, and explained entry by entry, rule by rule."""

from classifier.mentions.find import Excluded, MentionsReport, explain_mentions, find_mentions
from classifier.mentions.surroundings import Surroundings
from classifier.mentions.tables import LEXICON_VERSION

__all__ = [
    "LEXICON_VERSION",
    "Excluded",
    "MentionsReport",
    "Surroundings",
    "explain_mentions",
    "find_mentions",
]
