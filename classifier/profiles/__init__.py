"""How each source frames each target, and how many articles more would say it better."""

from classifier.profiles.estimates import (
    ALL_VOICES,
    Profile,
    ProfileRow,
    Quantity,
    profile_sources,
)
from classifier.profiles.plan import plan_articles
from classifier.profiles.table import UNKNOWN, ProfileOptions

__all__ = [
    "ALL_VOICES",
    "UNKNOWN",
    "Profile",
    "ProfileOptions",
    "ProfileRow",
    "Quantity",
    "plan_articles",
    "profile_sources",
]
