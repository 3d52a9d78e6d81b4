"""How each source frames each target, and how many articles more would say it better."""

from classifier.profiles.estimates import profile_sources
from classifier.profiles.plan import Plan, plan_articles, planned_chances
from classifier.profiles.results import (
    ALL_VOICES,
    CROSS_FITTED,
    VALID,
    Difference,
    Profile,
    ProfileRow,
    Quantity,
    Ranked,
    Ranking,
    schema,
)
from classifier.profiles.table import ProfileOptions

__all__ = [
    "ALL_VOICES",
    "CROSS_FITTED",
    "VALID",
    "Difference",
    "Plan",
    "Profile",
    "ProfileOptions",
    "ProfileRow",
    "Quantity",
    "Ranked",
    "Ranking",
    "plan_articles",
    "planned_chances",
    "profile_sources",
    "schema",
]
