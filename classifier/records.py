"""The frozen records that travel between the parts. Offsets are code points into the exact text."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Literal

from classifier.errors import RecordError, shortened

LANGUAGES = ("nl", "en", "tr", "ru", "uk")
UNDETERMINED = "und"
ALL = "all"
"""Stands in a column that figures are not grouped by."""
UNKNOWN = "unknown"
"""Group of those whose metadata do not name one: a source, a language, a year."""

DatePrecision = Literal["day", "month", "year"]
DateOrigin = Literal["text"]
ZoneKind = Literal["headline", "subhead", "body", "caption", "embed", "metadata", "boilerplate"]
PROFILE_ZONES: tuple[ZoneKind, ...] = ("headline", "subhead", "body")
FOLD_PART = "fold "
"""Begins the part of an article that was judged by a model trained without its fold."""
MentionKind = Literal[
    "name", "demonym", "metonym", "leader", "slur", "compound", "historical", "official", "code"
]
Decider = Literal["rules", "model"]
"""Who decided on a voice or on a speaker: rules, or a labeller that learnt it."""
OPTIONAL_KINDS: tuple[MentionKind, ...] = ("historical", "official", "code")
"""Kinds that are no mention unless the codebook asks for them in `mention_kinds`."""


def counted(n: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "article"), counted(3, "article")
    ('1 article', '3 articles')
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of an article, as half-open code-point offsets.

    >>> Span(0, 6).of("Turkije zwijgt")
    'Turkij'
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse an empty or inverted span."""
        if not 0 <= self.start < self.end:
            raise RecordError(f"a span needs 0 <= start < end, got {self.start} and {self.end}")

    def of(self, text: str) -> str:
        """The stretch itself; raises `RecordError` if the text ends before the span does."""
        if self.end > len(text):
            raise RecordError(f"span {self.start}-{self.end} ends after the text ({len(text)})")
        return text[self.start : self.end]

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share at least one character."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "Span") -> bool:
        """Whether the other lies wholly inside this one."""
        return self.start <= other.start and other.end <= self.end

    def shifted(self, by: int) -> "Span":
        """The same stretch, counted from an origin `by` characters earlier."""
        return Span(self.start + by, self.end + by)


@dataclass(frozen=True)
class Article:
    """A published text. What is not known is None, never a guess."""

    article_id: str
    text: str
    source: str | None = None
    """Who published it: the outlet, not the agency and not the republisher."""
    language: str | None = None
    """One of `LANGUAGES`, `UNDETERMINED`, or None if nobody looked yet."""
    date: str | None = None
    """ISO 8601, as far as `date_precision` goes: "2022-03-17", "2022-03" or "2022"."""
    date_precision: DatePrecision | None = None
    date_origin: DateOrigin | None = None
    """"text" if the date was read in the text, where it may be another day's; else None."""
    title: str | None = None
    author: str | None = None
    url: str | None = None
    agency: str | None = None
    republisher: str | None = None
    story_id: str | None = None
    """Shared by wire copies of one story."""
    split: str | None = None
    """The part its publisher put it in, such as "train"; None if there is no such decision."""
    sampling_probability: float | None = None
    """Known chance of being drawn for annotation; None if it was not drawn at random."""

    def __post_init__(self) -> None:
        """Refuse an article without an id."""
        if not self.article_id:
            raise RecordError("an article needs a non-empty article_id")

    def __repr__(self) -> str:
        """Which article it is, and how long."""
        known = (self.source, self.date, self.language)
        words = [f"{name!r}" for name in (self.article_id, *known) if name is not None]
        return f"Article({', '.join(words)}; {len(self.text)} characters)"

    @cached_property
    def sha256(self) -> str:
        """Hash of the exact text, UTF-8; lone surrogates are kept as they are."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the input that was repaired, left out or refused: counted, never lost."""

    where: str
    """File, and line or row where there is one: "corpus/articles.jsonl:17"."""
    reason: str
    """Short and the same for all problems of one kind, so that they can be counted."""
    detail: str
    """What was required, what came."""
    remedy: str = ""
    """What the user can do about it."""

    def __post_init__(self) -> None:
        """Cut long texts of the user."""
        for name in ("where", "detail"):
            object.__setattr__(self, name, shortened(getattr(self, name)))


@dataclass(frozen=True, slots=True)
class Zone:
    """A paragraph of an article and what it is there for. Zones cover an article without gaps."""

    span: Span
    kind: ZoneKind
    language: str = UNDETERMINED


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where an article names a target, and whose words those are."""

    span: Span
    target: str
    surface: str
    kind: MentionKind
    zone: ZoneKind
    language: str
    """Language of the stretch it stands in, which need not be the article's."""
    voice: str
    """A label of the codebook's variable `voice`."""
    voice_confidence: float = 1.0
    """From 0 to 1: how far the rule is to be trusted, or the chance that the labeller gives."""
    speaker: str | None = None
    speaker_span: Span | None = None
    cue_span: Span | None = None
    entry: str | None = None
    """The lexicon entry that matched, "language/target/entry"."""
    lexicon_version: str | None = None
    voice_by: Decider = "rules"
    """Who decided on the voice: the rules, or the labeller that was asked beside them."""
    speaker_by: Decider = "rules"


@dataclass(frozen=True, slots=True)
class PassageMention:
    """A mention as a model meets it; both spans count from the start of the passage."""

    unit: str
    """Names the mention across files: "article_id:start-end:target", offsets into the article."""
    span: Span
    sentence: Span
    """The sentence around the mention, or what of it fits a passage."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The text window a model reads in one pass, with the mentions it is to judge there."""

    article_id: str
    start: int
    """Where the window begins in the article."""
    text: str
    language: str
    mentions: tuple[PassageMention, ...]

    @property
    def end(self) -> int:
        """Where the window ends in the article."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with everything a reader needs to believe it."""

    value: float | None
    """None unless `status` is "ok"."""
    status: str
    """"ok", or in words why there is no value: "undefined: no variation"."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval at `confidence`, from resampling articles; None if not estimable."""
    interval_status: str = "ok"
    """"ok", or why there is no interval: "too few: 3 articles"; without a value, `status`."""
    n_items: int = 0
    n_articles: int = 0
    n_pairs: int = 0
    n_coded_articles: int = 0
    """Articles with human labels that entered; 0 for a figure that needs none."""
    model_weight: float | None = None
    """λ, 0 to 1: how far the model's scores were trusted beside the labels; None if unused."""
    standard_error: float | None = None
    degrees_of_freedom: float | None = None
    method: str = ""
    confidence: float = 0.95
    seed: int | None = None
    notes: tuple[str, ...] = ()
    """What was set aside on the way, counted: "2 identical repeated rows dropped"."""

    def __post_init__(self) -> None:
        """Refuse a value without "ok" and an "ok" without a value, which has no interval either."""
        if (self.value is None) == (self.status == "ok"):
            raise RecordError(
                f'an estimate has a value exactly when its status is "ok", '
                f"got {self.value!r} with status {self.status!r}"
            )
        if self.value is None and self.interval_status == "ok":
            object.__setattr__(self, "interval_status", self.status)

    def __str__(self) -> str:
        """One line: value and interval, or the reason why there is none."""
        if self.value is None:
            return self.status
        if self.low is None or self.high is None:
            return f"{self.value:z.3f} (no interval: {self.interval_status})"
        return f"{self.value:z.3f} [{self.low:z.3f}, {self.high:z.3f}]"

    def __repr__(self) -> str:
        """The figure in words, and how many items and articles it rests on."""
        return f"Estimate({self}; {self.n_items} items, {self.n_articles} articles)"

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))} <small>{escape(self.method)}</small></p>"
