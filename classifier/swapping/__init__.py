"""Countries in each other's place: a stance must not depend on who it is about."""

from classifier.swapping._forms import FORMS
from classifier.swapping._swap import (
    BOUND,
    EVERY,
    TARGETS,
    Named,
    assignments,
    country_shifts,
    exchange,
    named_mentions,
    names_in,
    passages_of,
    swap,
    swapped_article,
    swapped_copies,
)

__all__ = [
    "BOUND",
    "EVERY",
    "FORMS",
    "TARGETS",
    "Named",
    "assignments",
    "country_shifts",
    "exchange",
    "named_mentions",
    "names_in",
    "passages_of",
    "swap",
    "swapped_article",
    "swapped_copies",
]
