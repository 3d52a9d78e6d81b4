"""Lexicons: which forms name a target, and which only look as if they did."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from classifier.mentions.notation import Endings
from classifier.records import MentionKind


@dataclass(frozen=True, slots=True)
class Entry:
    """Forms that name a target, and what else must hold where one stands."""

    language: str
    target: str
    name: str
    kind: MentionKind
    forms: tuple[str, ...]
    lower: str | None = None
    """Rule by which the form is no mention without a capital; None where it is one all the same."""
    given: frozenset[str] = frozenset()
    """Given names and initials that belong to the mention where they precede it."""
    held_from: str | None = None
    """First day in office, ISO 8601; None where the entry is no leader."""
    held_to: str | None = None
    is_city: bool = False
    following: tuple[str, ...] = ()
    """Word beginnings, one of which must follow; () where anything may."""
    is_half: bool = False
    """Whether it is a mention only as the first half of a compound: "Russo-Turkish"."""
    is_surname: bool = False
    """Whether people are called so: then a capitalised word before it is their given name."""
    is_solid: bool = False
    """Whether it heads solid words, although its kind does not in this language."""

    @property
    def path(self) -> str:
        """Where a reader finds it: "language/target/entry"."""
        return f"{self.language}/{self.target}/{self.name}"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Forms that contain a name of a target and do not name it."""

    language: str
    rule: str
    forms: tuple[str, ...]
    near: tuple[str, ...] = ()
    """Word beginnings, one of which must stand close by for the rule to hold; () for always."""
    stop: bool = False
    """Only where no further word follows that it could describe."""
    capital: bool = False
    """Only with a capital that neither a sentence start nor capitals throughout explain."""
    upper: bool = False
    """Only with a capital, explained or not."""
    title: bool = False
    """Only with a capital on every word of three letters or more."""
    initial: bool = False
    """Only at the start of a sentence."""

    @property
    def is_conditional(self) -> bool:
        """Whether more than the form decides."""
        conditions = (self.near, self.stop, self.capital, self.upper, self.title, self.initial)
        return any(conditions)


@dataclass(frozen=True)
class Language:
    """What all targets share in one language."""

    name: str
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paradigms: Endings = field(default_factory=dict)
    inflection: Endings = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()

    def setting(self, name: str) -> tuple[str, ...]:
        """The folded forms of a setting; () where the language does without."""
        return self.settings.get(name, ())


@dataclass(frozen=True)
class Lexicon:
    """Everything a matcher needs, for the targets of one codebook."""

    version: str
    languages: Mapping[str, Language]
    entries: tuple[Entry, ...]
    exclusions: tuple[Exclusion, ...]

    def has(self, setting: str, entry: Entry) -> bool:
        """Whether a language lists an entry's kind under a setting."""
        return entry.kind in self.languages[entry.language].setting(setting)

    @cached_property
    def roles(self) -> frozenset[str]:
        """Words that make a name before them a field of study: "Rusland-deskundige"."""
        return self._union("roles")

    @cached_property
    def former(self) -> frozenset[str]:
        """Titles that say that the leader after them has left office."""
        return self._union("former")

    @cached_property
    def between(self) -> frozenset[str]:
        """What may stand between the names of two languages: "in Turkish and Russian"."""
        return self._union("between")

    @cached_property
    def no_noun(self) -> re.Pattern[str]:
        """What follows a word that describes no noun: a clause end, a function word, a list."""
        word = r" [^\W\d_]{1,40}"
        between, closed = (_any_of(self._union(name)) for name in ("between", "closed"))
        listed = rf",(?!{word}(?:,{word}){{0,5}},? {between}{word} [^\W\d_])"
        end = rf" *(?:$|[^\w («“„\"',-]|{listed})"
        return re.compile(rf"{end}|(?:,? {between}{word}){{1,2}}{end}| {closed}(?!\w)")

    def _union(self, setting: str) -> frozenset[str]:
        return frozenset(f for one in self.languages.values() for f in one.setting(setting))


def _any_of(forms: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(form) for form in sorted(forms, key=len, reverse=True))})"
