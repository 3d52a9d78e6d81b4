"""The words by which news hands over to another voice: one TOML file per language, read once."""

import re
import tomllib
from dataclasses import dataclass, fields
from functools import cache, cached_property
from importlib import resources
from typing import NamedTuple

_PHRASES = ("source", "view", "hearsay")
_ENDINGS = re.compile(r"\{([^}]*)\}")


@dataclass(frozen=True)
class Cues:
    """Cue words of one language, in lower case and with i for ı; each set may be empty."""

    source: frozenset[str] = frozenset()
    """Phrases that name whose view a clause is: "according to"."""
    source_final_only: frozenset[str] = frozenset()
    not_source: frozenset[str] = frozenset()
    view: frozenset[str] = frozenset()
    """Phrases that name a view and its holder in one: "in their eyes"."""
    hearsay: frozenset[str] = frozenset()
    """Phrases that mark their whole clause as hearsay: "naar verluidt"."""
    passive: frozenset[str] = frozenset()
    """Turkish verb forms that report without a speaker: "iddia edildi"."""
    participle: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()
    """Words that follow a report and come before its speaker: "aldus"."""
    would: frozenset[str] = frozenset()
    would_modals: frozenset[str] = frozenset()
    conditional: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    that_only: frozenset[str] = frozenset()
    """Verbs that report only before a `that` word or a colon."""
    final_only: frozenset[str] = frozenset()
    """Verbs that report only behind what they report: "…, weet X"."""
    with_particle: frozenset[str] = frozenset()
    particle: frozenset[str] = frozenset()
    """Verbs of two words: the second is the cue, where the first comes before it: "went on"."""
    with_particle_after: frozenset[str] = frozenset()
    particle_after: frozenset[str] = frozenset()
    """Verbs that report behind their content too, where the particle follows: "laat X weten"."""
    particle_that: frozenset[str] = frozenset()
    """Words one of which a verb of `with_particle_after` needs before "that": "duidelijk dat"."""
    noun_before: frozenset[str] = frozenset()
    """Words that make a noun of a `noun_like` verb before "that": "member states that …"."""
    pointing: frozenset[str] = frozenset()
    passive_before: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()
    """Slavic verbs before "that" which report nothing; all others there do."""
    verb_endings: frozenset[str] = frozenset()
    speakers: frozenset[str] = frozenset()
    """Single words before a colon that name a speaker."""
    bare: frozenset[str] = frozenset()
    """Verbs after which the clause may follow without a `that` word."""
    noun_like: frozenset[str] = frozenset()
    addressed: frozenset[str] = frozenset()
    nouns: frozenset[str] = frozenset()
    naming: frozenset[str] = frozenset()
    naming_unsure: frozenset[str] = frozenset()
    """Those of `naming` that need a word of `naming_needs` behind them."""
    naming_needs: frozenset[str] = frozenset()
    infinitive_after: frozenset[str] = frozenset()
    infinitive_mark: frozenset[str] = frozenset()
    that: frozenset[str] = frozenset()
    weak_that: frozenset[str] = frozenset()
    weak_that_after: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()
    about_after: frozenset[str] = frozenset()
    quote_after: frozenset[str] = frozenset()
    contrast: frozenset[str] = frozenset()
    """Words that end a report where they follow a comma."""
    join: frozenset[str] = frozenset()
    relative: frozenset[str] = frozenset()
    subordinate: frozenset[str] = frozenset()
    negation: frozenset[str] = frozenset()
    like: frozenset[str] = frozenset()
    first_person: frozenset[str] = frozenset()
    """Words before a verb that make it the author's own, or no report: "I", "to", "might"."""
    evidence: frozenset[str] = frozenset()
    """Verbs whose subject may be a fact: after a word of `thing` they report nothing."""
    thing: frozenset[str] = frozenset()
    so_called: frozenset[str] = frozenset()
    label: frozenset[str] = frozenset()
    """Words before a colon that name no speaker: "Photo"."""
    determiner: frozenset[str] = frozenset()
    preposition: frozenset[str] = frozenset()
    pronoun: frozenset[str] = frozenset()
    time: frozenset[str] = frozenset()
    finite: frozenset[str] = frozenset()
    skip_after: frozenset[str] = frozenset()
    speaker_stop: frozenset[str] = frozenset()
    """Words behind the name of a speaker that are no part of it."""
    topics: frozenset[str] = frozenset()
    """Beginnings and ends of words that name a matter, and no speaker, before a colon."""
    topic_after: frozenset[str] = frozenset()
    """Words behind a colon that open a question or a story and no statement."""
    object_start: frozenset[str] = frozenset()
    place_in: frozenset[str] = frozenset()
    """Words of `speaker_stop` that may also lead on to a place in a name."""
    occasion: frozenset[str] = frozenset()
    """Words for where somebody speaks, which are no part of the name."""
    out_of: frozenset[str] = frozenset()
    """Verbs that report what somebody's text says: "uit X blijkt dat"."""
    out_of_words: frozenset[str] = frozenset()
    back: frozenset[str] = frozenset()
    """Words that begin a sentence about who said the one before it: "about this"."""
    manner: frozenset[str] = frozenset()
    """Beginnings of words by which a person's words follow a colon: "puts it bluntly: …"."""
    but: frozenset[str] = frozenset()
    """Adverbs between a verb of saying and "that" which end no report: "zeggen echter dat"."""

    @cached_property
    def infinitive_mark_word(self) -> str:
        """The word before an infinitive; a mark that is no word in a language without."""
        return next((word for word in self.infinitive_mark if word), ".")

    @cached_property
    def pure_relative(self) -> frozenset[str]:
        """Relative pronouns that are no determiners too."""
        return self.relative - self.determiner

    @cached_property
    def strong_contrast(self) -> frozenset[str]:
        """Words of contrast that never stand between a verb of saying and "that"."""
        return self.contrast - self.but

    @cached_property
    def no_subject(self) -> frozenset[str]:
        """Words that begin an adverbial or a clause, and no subject before an aside."""
        return self.no_speaker | self.skip_after

    @cached_property
    def clause_openers(self) -> frozenset[str]:
        """Words that open a clause behind a comma."""
        return self.contrast | self.relative | self.join

    @cached_property
    def speech(self) -> frozenset[str]:
        """Words beside a quote that say that it is somebody's words."""
        return self.verbs | self.final | self.quote_after

    @cached_property
    def noun_stops(self) -> frozenset[str]:
        """Words that begin a clause and no part of the name of an addressee."""
        return self.determiner | self.pronoun | self.finite | self.that

    @cached_property
    def no_clause(self) -> frozenset[str]:
        """Words behind a verb of saying that begin no clause."""
        return self.object_start | self.that

    @cached_property
    def before_speaker(self) -> frozenset[str]:
        """Words before the name of a speaker that are no part of it."""
        words = self.clause_openers | self.subordinate | self.time | self.like | self.that
        return (words | self.verbs | self.speaker_stop | self.finite) - self.determiner

    @cached_property
    def after_speaker(self) -> frozenset[str]:
        """Words that end the name of a speaker."""
        words = self.speaker_stop | self.time | self.finite | self.that | self.final
        return words | (self.verbs - self.noun_like - self.nouns)

    @cached_property
    def no_speaker(self) -> frozenset[str]:
        """Words that cannot begin the name of a speaker."""
        return self.clause_openers | self.subordinate

    @cached_property
    def strong_that(self) -> frozenset[str]:
        """Words of `that` that introduce a clause by themselves."""
        return self.that - self.weak_that

    @cached_property
    def subject_starts(self) -> frozenset[str]:
        """Words in lower case that begin a subject."""
        return self.determiner | self.pronoun

    @cached_property
    def bare_determiner(self) -> frozenset[str]:
        """Determiners that name nobody where they stand alone."""
        return self.determiner - read_shared().pronouns

    @cached_property
    def pronoun_ends(self) -> frozenset[str]:
        """Words behind a pronoun that is a source by itself."""
        return self.negation | self.speaker_stop | self.time

    @cached_property
    def pronoun_stops(self) -> frozenset[str]:
        """Words behind a pronoun that is a speaker by itself."""
        return self.after_speaker | self.negation | self.preposition

    @cached_property
    def name_stops(self) -> frozenset[str]:
        """Words that end the name of a person."""
        return self.preposition | self.speaker_stop

    @cached_property
    def title_stops(self) -> frozenset[str]:
        """Words that are no part of the title before a name."""
        return self.verbs | self.finite | self.time | self.subordinate | self.pronoun

    @cached_property
    def behind_subject(self) -> frozenset[str]:
        """Words behind a verb whose subject stands before it."""
        return self.particle_after | self.that

    @cached_property
    def particles(self) -> frozenset[str]:
        """Second words of a verb of two words."""
        return self.particle_after | self.particle

    @cached_property
    def that_particles(self) -> frozenset[str]:
        """Words one of which a verb of `with_particle_after` needs before "that"."""
        return self.particle_that | self.particle_after

    @cached_property
    def naming_ends(self) -> frozenset[str]:
        """Words one of which a verb of `naming_unsure` needs behind it; a quote (") will do."""
        return self.naming_needs | {'"'}

    @cached_property
    def before_hearsay(self) -> frozenset[str]:
        """Words that open the clause in which a cue of hearsay stands."""
        return self.clause_openers | self.that

    @cached_property
    def behind_hearsay(self) -> frozenset[str]:
        """Words that end the clause in which a cue of hearsay stands."""
        return self.contrast | self.join

    @cached_property
    def labels(self) -> frozenset[str]:
        """Words before a colon that name no speaker, in this language or in any."""
        return self.label | read_shared().labels

    @cached_property
    def endings(self) -> tuple[str, ...]:
        """`verb_endings` as `str.endswith` takes them."""
        return tuple(self.verb_endings)

    @cached_property
    def manners(self) -> tuple[str, ...]:
        """`manner` as `str.startswith` takes it."""
        return tuple(self.manner)

    @cached_property
    def looks_back(self) -> tuple[str, ...]:
        """`back` with the space behind each phrase, as `str.startswith` takes it."""
        return tuple(phrase + " " for phrase in self.back)


@cache
def read_cues(language: str) -> Cues:
    """The cues of a language; without a file for it every set is empty."""
    file = resources.files("classifier.mentions.voice").joinpath("cues", f"{language}.toml")
    if not file.is_file():
        return Cues()
    data = tomllib.loads(file.read_text("utf-8"))
    known = {field.name for field in fields(Cues)}
    return Cues(**{name: _expand(words) for name, words in data.items() if name in known})


@dataclass(frozen=True)
class Shared:
    """Words that count in a text of any language; `cues/shared.toml` says what for."""

    places: frozenset[str]
    labels: frozenset[str]
    statements: frozenset[str]
    abstract: frozenset[str]
    possessives: frozenset[str]
    pronouns: frozenset[str]
    particles: frozenset[str]
    subjects: frozenset[str]
    question: frozenset[str]
    answer: frozenset[str]
    inside: frozenset[str]


@cache
def read_shared() -> Shared:
    """The words that count in a text of any language."""
    file = resources.files("classifier.mentions.voice").joinpath("cues", "shared.toml")
    data = tomllib.loads(file.read_text("utf-8"))
    return Shared(**{name: _expand(words) for name, words in data.items()})


class Phrase(NamedTuple):
    """A cue of one word or more, found by its most telling word."""

    words: tuple[str, ...]
    offset: int
    """Place of the telling word in it."""
    kind: str
    """The field of `Cues` it stands in."""


@cache
def phrases(language: str) -> dict[str, tuple[Phrase, ...]]:
    """The cues of several words by their longest word, longest phrase first."""
    cues = read_cues(language)
    found: dict[str, list[Phrase]] = {}
    pairs = [(phrase, kind) for kind in _PHRASES for phrase in getattr(cues, kind)]
    for phrase, kind in sorted(pairs, key=lambda pair: (-len(pair[0]), pair)):
        words = tuple(phrase.split())
        telling = max(words, key=len)
        found.setdefault(telling, []).append(Phrase(words, words.index(telling), kind))
    return {word: tuple(ways) for word, ways in found.items()}


@cache
def telling_words(language: str) -> frozenset[str]:
    """Words that any cue has: a sentence without one needs no closer look."""
    cues = read_cues(language)
    single = cues.verbs | cues.final | cues.would | cues.nouns | cues.naming
    single |= (cues.that if cues.facts else frozenset()) | cues.out_of
    return single | cues.passive | cues.participle | cues.source | frozenset(phrases(language))


def _expand(words: str | list[str]) -> frozenset[str]:
    forms: set[str] = set()
    for word in [words] if isinstance(words, str) else words:
        match = _ENDINGS.search(word)
        if match is None:
            forms.add(word.replace("ı", "i"))
        else:
            rest = (word[: match.start()] + e + word[match.end() :] for e in match[1].split(","))
            forms |= _expand(list(rest))
    return frozenset(forms)
