"""What each paragraph of an article is there for: headline, body, caption, boilerplate."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources

from classifier.articles._fields import calendar_date
from classifier.records import Article, DatePrecision, Span, Zone, ZoneKind
from classifier.text import document_language, fold, stretch_language, unfold


@dataclass(frozen=True)
class Patterns:
    """What scraped articles say beside their text; every pattern is held against one line."""

    boilerplate_start: re.Pattern[str]
    """A call or a notice; its group `rest` is what follows it."""
    boilerplate_heading: re.Pattern[str]
    boilerplate_title: re.Pattern[str]
    boilerplate_within: tuple[str, ...]
    channel: re.Pattern[str]
    """What a publisher reaches readers by, and news reports on as well."""
    call: re.Pattern[str]
    """The start of a sentence that calls upon the reader, or what stands in notices alone."""
    report: re.Pattern[str]
    """Who says so, behind a comma: such a line is a report, although it begins like a call."""
    label: re.Pattern[str]
    source_line: re.Pattern[str]
    """"Bron: X", the name in group `agency` if it is one that is known."""
    byline: re.Pattern[str]
    author: re.Pattern[str]
    dateline: re.Pattern[str]
    """"KYIV, 12 March (Reuters) -" and its like, the agency in a group of that name."""
    credit_end: re.Pattern[str]
    credit: re.Pattern[str]
    """A credit that names a known agency, anywhere in a line."""
    credit_words: tuple[str, ...]
    caption_label: re.Pattern[str]
    caption_start: re.Pattern[str]
    sign_off: re.Pattern[str]
    agency_line: re.Pattern[str]
    """Nothing but the name of an agency, as at the end of a wire story."""
    section: frozenset[str]
    """Names of sections of a site, which stand above a headline."""
    date: re.Pattern[str]
    months: dict[str, int]
    picture_only: frozenset[str]
    """Agencies that sell pictures: their name is no sign of a wire story."""


@cache
def patterns() -> Patterns:
    """The patterns, compiled once."""
    file = resources.files("classifier.articles").joinpath("patterns.toml")
    data = tomllib.loads(file.read_text("utf-8"))
    data |= {name: [_small(word) for word in data[name]] for name in _FOLDED}
    agency, credit = _any(data["agency"]), _any(data["credit"])
    months = {
        _undotted(name): number
        for names in data["months"].values()
        for number, name in enumerate(names, 1)
        if name
    }
    return Patterns(
        boilerplate_start=_start(data["boilerplate_start"]),
        boilerplate_heading=_start(data["boilerplate_heading"]),
        boilerplate_title=_start(data["boilerplate_title"]),
        boilerplate_within=tuple(data["boilerplate_within"]),
        channel=re.compile(rf"(?<!\w)(?:{_any(data['channel'])})"),
        call=_call_pattern(data),
        report=re.compile(rf"[,?!]\s(?:[\w'’-]+\s){{0,4}}(?:{_any(data['report'])})(?!\w)"),
        label=re.compile(rf"(?:{_any(data['label'])})\s*:\s*(.*)", re.IGNORECASE | re.DOTALL),
        source_line=re.compile(
            rf"(?i:{_any(data['source_label'])}):\s*(?:(?P<agency>{agency})\b"
            rf"(?:\s*/\s*(?:{agency})\b)*(?:\s+\d{{1,4}}\b)?|(?P<other>[^.!?]{{2,60}}\Z))"
        ),
        byline=_byline(data["byline"]),
        author=_byline(data["author_label"]),
        dateline=re.compile(
            rf"(?:[^\W\d_a-zà-ÿа-яёіїєґğşı][^()\n–—]{{1,40}}?)?\s*"
            rf"\((?P<agency>{agency})(?:[/,][^)]{{0,30}})?\)\s*[-–—:.]?\s+(?=\S)"
            rf"|[^\W\d_][^()\n–—]{{1,40}}[–—-]\s*(?P<agency2>{agency})\.\s+(?=\S)"
        ),
        credit_end=re.compile(
            rf"(?:\A|[\s(])(?i:{credit})\b[:.]?\s+[^.!?:]{{1,40}}\)?\s*\Z|©\s*\S[^.!?]{{1,40}}\Z"
        ),
        credit=re.compile(
            rf"(?:\A|(?<=[.!?…\"”’)]\s))(?i:{credit})[: ]\s*(?:{agency})"
            rf"(?:\s*/\s*[\w .]{{1,30}}?)?(?=\s+[^\Wa-z\d_]|\s*\Z)"
        ),
        credit_words=("©", *data["credit"]),
        caption_label=re.compile(rf"(?:{_any(data['caption_label'])}):", re.IGNORECASE),
        caption_start=_start(data["caption_start"]),
        sign_off=_start(data["sign_off"]),
        agency_line=re.compile(rf"\W*(?:{agency})(?:\s?[/,]\s?(?:{agency}))*\W*\Z"),
        section=frozenset(data["section"]),
        date=_date_pattern(months),
        months=months,
        picture_only=frozenset(data["picture_only"]),
    )


def _byline(words: list[str]) -> re.Pattern[str]:
    name = r"(?P<name>[^\W\d_a-zà-ÿа-яёіїєґğşı][^.!?:;,]{2,60})"
    return re.compile(rf"(?i:{_any(words)})(?::\s*|\s+){name}\Z")


def _start(words: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{_any(words)})(?!\w)(?P<rest>.*)", re.DOTALL)


def _call_pattern(data: dict[str, list[str]]) -> re.Pattern[str]:
    """A call, a notice, or a channel with its address or the word for whose it is beside it."""
    channel, own = _any(data["channel"]), _any(data["own"])
    call = rf"(?:{_any(data['call'])})(?!\w)|{_any(data['call_stem'])}"
    return re.compile(
        rf"(?:\A|[.!?…:|]\s)[^\w]*(?:{call})|{_any(data['notice'])}"
        rf"|(?<!\w)(?:{own})\s(?:[\w'’-]+\s){{0,3}}(?:{channel})"
        rf"|(?:{channel})[\w'’-]*(?:\s[\w'’-]+){{0,3}}\s(?:{own})(?!\w)"
        rf"|(?:{channel})[^.!?,;]{{0,30}}(?:https?:|t\.me/|@\w)"
        rf"|\A\W*(?:{channel})[\w'’-]*(?:\s[\w'’-]+){{0,2}}\W*\Z"
        rf"|(?:abone ol|takip ed|katil|kaydol|tikla|beğen|indir|kaçirma"
        rf"|dinleyin|paylaşin|açin|yazin|yapin)\w*[.!]*\s*\Z"
    )


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


def _date_pattern(months: dict[str, int]) -> re.Pattern[str]:
    month = _any(list(months))
    return re.compile(
        rf"(?<!\d)(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?(?P<m1>{month})\.?,?\s+(?P<y1>\d{{4}})"
        rf"|(?P<m2>{month})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>\d{{4}})"
        rf"|(?P<y3>\d{{4}})-(?P<m3>\d{{2}})-(?P<d3>\d{{2}})"
        rf"|(?P<d4>\d{{1,2}})[./](?P<m4>\d{{1,2}})[./](?P<y4>\d{{4}})"
        rf"|(?P<m5>{month})\s+(?P<y5>\d{{4}}))(?!\d)",
        re.IGNORECASE,
    )


def _undotted(name: str) -> str:
    """A name in lower case with one kind of i: Kasım is KASIM in capitals, and Ekim EKİM."""
    return fold(name, None).replace("ı", "i")


def _small(text: str) -> str:
    """A line in lower case with one kind of i, as the patterns have it."""
    small = text.replace("İ", "i").lower()
    return small if small.isascii() else small.replace("ı", "i")


def agency_in(match: re.Match[str] | None) -> str | None:
    """The known agency in a match of `source_line` or `dateline`; None if there is none."""
    names = match.groupdict() if match else {}
    return names.get("agency") or names.get("agency2")


def date_in(text: str) -> tuple[str, DatePrecision] | None:
    """The first date that stands in a text, and how precise it is.

    Day and month in figures alone are read only if there is one way to read them.

    >>> date_in("dinsdag 17 april 2020"), date_in("December 03, 2021"), date_in("03/04/2021")
    (('2020-04-17', 'day'), ('2021-12-03', 'day'), None)
    """
    for match in patterns().date.finditer(text):
        found = {name[0]: value for name, value in match.groupdict().items() if value}
        month = _undotted(found["m"])
        number = patterns().months.get(month) or (int(month) if month.isdigit() else 0)
        day = int(found["d"]) if "d" in found else None
        is_figures = match.group("m4") is not None
        if is_figures and day is not None and day != number and day <= 12:
            continue
        year = int(found["y"])
        whole = calendar_date([year, number] if day is None else [year, number, day])
        if whole:
            return whole
    return None


# Longer lines are prose: only what stands at their ends is looked at.
_FOLDED = (
    *("boilerplate_start", "boilerplate_heading", "boilerplate_title", "boilerplate_within"),
    *("channel", "call", "call_stem", "own", "notice", "report"),
    *("caption_start", "sign_off", "section"),
)
_SHORT_LINE = 400
_LONGEST_HEADLINE = 25
_LONGEST_SUBHEAD = 12
_LONGEST_LABEL = 20
_LONGEST_CALL = 25
_LONGEST_NOTICE = 600
_HEAD = 300
_LEAD = 100
_FEW = 3
_CAPTION_WORDS = 45
DATE_PREFIX = re.compile(r"\s*date[ :]\s*(\d{4}(?:-\d{2}){0,2})(?!\d)\s*")
"""A date that a scraper put before the text."""
_INITIALS = re.compile(r"\s\(?([bcdfghjklmnpqrstvwxz]{2,3}|[A-Z]{2,3}/[A-Z]{2,3})\)?\Z")
_LONGEST_INITIALS = 10
_RULE = re.compile(r"[\W_]*\Z")
_EMBED = re.compile(
    r"pic\.twitter\.com/|https?://t\.co/|\(@\w{2,30}\)\s|"
    r"\A(?:https?://\S+|(?:view|bekijk) (?:this|dit) (?:post|bericht) on instagram)\s*\Z",
    re.IGNORECASE,
)
_EMBED_SIGNS = ("http", "(@", "twitter", "nstagram")
_YEAR = re.compile(r"\d{4}")
_CLOCK = re.compile(
    r"(?:om |at |в |о |saat )?\d{1,2}[:.uh]\d{2}(?: ?(?:uur|am|pm|CET|МСК|GMT))?\Z", re.IGNORECASE
)
_MARKDOWN = re.compile(r"\\?\*+|\\?_{2,}|\[|\]\([^)]*\)|`|\A#+\s+|\A>\s+")
_QUOTED = re.compile(r"[«“„\"][^«»“”„\"]*[»”“\"]")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+\Z")
_BIO = re.compile(r"\A\*[^*]+\*\Z")
_ENDS_LOUDLY = re.compile(r"[?!][\"”’»)]*\Z")
_ENDS_SENTENCE = re.compile(r"[.!?…;,:][\"”’»)]*\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """A line of an article or a part of one, with the blank lines after it."""

    start: int
    end: int
    kind: ZoneKind


def find_zones(article: Article) -> list[Zone]:
    r"""The zones of an article: contiguous, covering its text exactly; none of an empty text.

    >>> article = Article("a", "Haven dicht\n\nDe haven ging maandag dicht. Beeld AP")
    >>> [zone.kind for zone in find_zones(article)]
    ['headline', 'caption']
    """
    text = unfold(article.text)
    language = article.language or document_language(text)
    zones = []
    for piece in pieces(article.text, article.title):
        stretch = text[piece.start : piece.end]
        span = Span(piece.start, piece.end)
        zones.append(Zone(span, piece.kind, stretch_language(stretch, language)))
    return zones


@lru_cache(maxsize=1024)
def pieces(text: str, title: str | None = None) -> tuple[Piece, ...]:
    """The zones of a text without their languages.

    Reading an article asks for them and finding its mentions does, many articles later.
    """
    text = unfold(text)
    found: list[Piece] = []
    seen_text = is_link = False
    for start, end in _lines(text):
        is_first = all(piece.kind == "headline" for piece in found[:2])
        for a, b, kind in _split_line(text, start, end, is_first=is_first):
            if kind is None:
                kind = _kind(text[a:b], title, seen_text)
            if kind == "subhead" and found and _leads_to_links(text, found[-1], is_link):
                kind, is_link = "boilerplate", True
            else:
                is_link = False
            seen_text = seen_text or kind in {"headline", "body"}
            found.append(Piece(a, b, kind))
    return tuple(_headline_without_body(found, text))


def _leads_to_links(text: str, before: Piece, is_link: bool) -> bool:
    """Whether the piece is a bare "read also", or a link behind one: what follows is a link."""
    if is_link or before.kind != "boilerplate":
        return is_link
    line = _small(text[before.start : before.end].strip())
    call = patterns().boilerplate_start.match(line)
    return call is not None and not call["rest"].strip(" :…»>")


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Lines with the blank ones after them; blank lines at the start go with the first."""
    start, end, is_blank = 0, 0, True
    for line in text.splitlines(keepends=True):
        if not line.isspace() and not is_blank:
            yield start, end
            start = end
        is_blank = is_blank and line.isspace()
        end += len(line)
    if end > start:
        yield start, end


def _split_line(
    text: str, start: int, end: int, *, is_first: bool
) -> Iterator[tuple[int, int, ZoneKind | None]]:
    """The parts of a line: what is glued to its ends has a kind, the rest has none yet."""
    prefix = DATE_PREFIX.match(text, start, end) if is_first else None
    if prefix and prefix.end() < end:
        yield start, prefix.end(), "metadata"
        start = prefix.end()
    lead = _lead_end(text, start, end)
    if lead > start:
        yield start, lead, "metadata"
        start = lead
    caption = _caption_end(text, start, end)
    if caption > start:
        yield start, caption, "caption"
        start = caption
    line = text[start:end].rstrip()
    tail = max(0, len(line) - _LONGEST_INITIALS)
    initials = _INITIALS.search(line, tail) if len(line) < _SHORT_LINE else None
    if initials and initials.start() > 0:
        yield start, start + initials.start() + 1, None
        yield start + initials.start() + 1, end, "metadata"
    else:
        yield start, end, None


def _lead_end(text: str, start: int, end: int) -> int:
    """Behind "Bron: DPA 0 " or "KYIV (Reuters) - " at the start of a longer line."""
    head = text[start : min(end, start + _LEAD)]
    line = head.lstrip()
    known = patterns()
    lead = known.source_line.match(line) or known.dateline.match(line)
    if lead is None or not agency_in(lead):
        return start
    return _next_word(text, start + len(head) - len(line) + lead.end(), start, end)


def _caption_end(text: str, start: int, end: int) -> int:
    """Behind a caption whose credit runs on into the first sentence."""
    head = text[start : min(end, start + _HEAD)]
    credit = patterns().credit.search(head) if _has_credit(head) else None
    return _next_word(text, start + credit.end(), start, end) if credit else start


def _next_word(text: str, at: int, start: int, end: int) -> int:
    """The next word after `at`; `start` if there is none before `end`."""
    rest = text[at:end]
    return at + len(rest) - len(rest.lstrip()) if rest.strip() else start


def _kind(stretch: str, title: str | None, seen_text: bool) -> ZoneKind:
    line = stretch.strip()
    has_marks = any(mark in line for mark in "*_[`#>")
    plain = _MARKDOWN.sub("", line).strip() if has_marks else line
    if _RULE.match(plain):
        return "boilerplate"
    if title and title.strip() in (line, plain) and not seen_text:
        return "headline"
    beside = _beside_text(line, plain, seen_text)
    if beside is not None:
        return beside
    return _text_kind(line, plain, seen_text) if len(line) <= _SHORT_LINE else "body"


def _beside_text(line: str, plain: str, seen_text: bool) -> ZoneKind | None:
    """What a line is that the article could do without; None for its text."""
    n_words = len(plain.split()) if len(line) <= _SHORT_LINE else _SHORT_LINE
    if _is_boilerplate(line, plain):
        return "boilerplate"
    if line.startswith("![") or _is_caption(plain, n_words):
        return "caption"
    if any(sign in line for sign in _EMBED_SIGNS) and _EMBED.search(line):
        return "embed"
    if not line.startswith("#") and _is_metadata(plain, n_words):
        return "metadata"
    is_bio = seen_text and n_words <= _LONGEST_LABEL and _BIO.match(line)
    return "boilerplate" if is_bio else None


def _is_boilerplate(line: str, plain: str) -> bool:
    known, folded = patterns(), _small(plain[:_LONGEST_NOTICE])
    if _is_call(folded, known):
        return True
    is_short = len(folded.split()) <= _LONGEST_SUBHEAD and not folded.endswith((".", ","))
    if is_short and known.boilerplate_heading.match(folded):
        return True
    titled = known.boilerplate_title.match(folded)
    if titled and (titled["rest"].startswith(":") or _is_title(titled["rest"])):
        return True
    is_short = len(line) < _LONGEST_NOTICE
    if is_short and any(words in folded for words in known.boilerplate_within):
        return True
    return "copyrighted material" in folded or "mailto:" in line or bool(_MAIL.match(plain))


def _is_call(line: str, known: Patterns) -> bool:
    """Whether a line calls upon the reader, and is no report of what somebody said."""
    call = known.boilerplate_start.match(line)
    if call and (call["rest"].startswith(":") or len(line.split()) <= _LONGEST_CALL):
        return not known.report.search(line)
    if len(line) >= _LONGEST_NOTICE or not known.channel.search(line):
        return False
    unquoted = _QUOTED.sub("", line)
    return bool(known.call.search(unquoted)) and not known.report.search(unquoted)


def _is_title(rest: str) -> bool:
    """Whether what follows a title's first word is short and no sentence."""
    return len(rest.split()) <= _FEW and not rest.endswith((".", ","))


def _text_kind(line: str, plain: str, seen_text: bool) -> ZoneKind:
    """Headline, subhead or body, for a short line of the text itself."""
    n_words = len(plain.split())
    if line.startswith("#"):
        return "subhead" if seen_text else "headline"
    if _ENDS_SENTENCE.search(plain) and not _ENDS_LOUDLY.search(plain):
        return "body"
    if not seen_text and n_words <= _LONGEST_HEADLINE:
        return "headline"
    return "subhead" if n_words <= _LONGEST_SUBHEAD and line[0] not in "-–—•*" else "body"


def _is_metadata(plain: str, n_words: int) -> bool:
    known = patterns()
    if n_words <= _LONGEST_CALL and known.sign_off.match(_small(plain).lstrip("( ")):
        return True
    if n_words <= _FEW and (known.agency_line.match(plain) or _small(plain) in known.section):
        return True
    if n_words > _LONGEST_LABEL:
        return False
    if ":" in plain and known.label.match(plain):
        return True
    return bool(known.byline.match(plain) or _CLOCK.match(plain)) or is_date_line(plain)


def is_date_line(plain: str) -> bool:
    """Whether a line holds a date and, beside it, no more than a name or a time."""
    # A year is the one part that every date has, and a search for digits is quick.
    match = patterns().date.search(plain) if _YEAR.search(plain) else None
    if match is None or _ENDS_SENTENCE.search(plain):
        return False
    rest = plain[: match.start()] + plain[match.end() :]
    return len(re.findall(r"[^\W\d_]+", rest)) <= 5


def _is_caption(plain: str, n_words: int) -> bool:
    known = patterns()
    if ":" in plain and known.caption_label.match(plain):
        return True
    if n_words <= _CAPTION_WORDS and known.caption_start.match(_small(plain)):
        return True
    if n_words > _CAPTION_WORDS or not _has_credit(plain):
        return False
    return bool(known.credit_end.search(plain))


def _has_credit(line: str) -> bool:
    folded = line.lower()
    return any(word in folded for word in patterns().credit_words)


def _headline_without_body(found: list[Piece], text: str) -> list[Piece]:
    """A lone sentence is what the article says, even if it asks or shouts."""
    if any(piece.kind == "body" for piece in found):
        return found
    return [_as_body(piece, text) if piece.kind == "headline" else piece for piece in found]


def _as_body(piece: Piece, text: str) -> Piece:
    ends = _ENDS_SENTENCE.search(text[piece.start : piece.end].rstrip())
    return replace(piece, kind="body") if ends else piece
