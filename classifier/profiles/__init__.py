"""How each source frames each target, and how many articles more would say it better."""

from classifier.profiles._borne import Borne, best_borne, borne
from classifier.profiles._estimates import profile_sources
from classifier.profiles._extend import Extended, PlanOptions, extend
from classifier.profiles._plan import Plan, plan_articles, planned_chances
from classifier.profiles._profile import plan, profile, profiled_labels
from classifier.profiles._regress import Regression, regress
from classifier.profiles._results import (
    ALL_VOICES,
    CROSS_FITTED,
    NOT_REFUTED,
    VALID,
    Difference,
    Profile,
    ProfileRow,
    Quantity,
    Ranked,
    Ranking,
    schema,
)
from classifier.profiles._table import (
    POOLED,
    TRAINED,
    ProfileOptions,
    clusters,
    estimated,
    gold_column,
    is_predicted,
    score_column,
    select_mentions,
    with_labels,
)
from classifier.profiles._verdict import describe_draw
from classifier.profiles._words import (
    disagreement_words,
    disagrees,
    is_few,
    published,
    verdict_words,
)

__all__ = [
    "ALL_VOICES",
    "CROSS_FITTED",
    "NOT_REFUTED",
    "POOLED",
    "TRAINED",
    "VALID",
    "Borne",
    "Difference",
    "Extended",
    "Plan",
    "PlanOptions",
    "Profile",
    "ProfileOptions",
    "ProfileRow",
    "Quantity",
    "Ranked",
    "Ranking",
    "Regression",
    "best_borne",
    "borne",
    "clusters",
    "describe_draw",
    "disagreement_words",
    "disagrees",
    "estimated",
    "extend",
    "gold_column",
    "is_few",
    "is_predicted",
    "plan",
    "plan_articles",
    "planned_chances",
    "profile",
    "profile_sources",
    "profiled_labels",
    "published",
    "regress",
    "schema",
    "score_column",
    "select_mentions",
    "verdict_words",
    "with_labels",
]
