"""The paragraphs of a text and their sentences, with who speaks in them by what stands around."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from classifier.mentions.voice._cues import Cues, read_cues, read_shared
from classifier.mentions.voice._quotations import Report, dialogue
from classifier.mentions.voice._quotes import Quote, find_quotes
from classifier.mentions.voice._sentence import Sentence, fold, speaker_span
from classifier.records import Span, Zone, ZoneKind
from classifier.text import split_sentences

_SILENT: frozenset[ZoneKind] = frozenset(("metadata", "boilerplate"))
_HEADLINES: frozenset[ZoneKind] = frozenset(("headline", "subhead"))
_BULLETS = frozenset("-–—•*▪◦·")
_OPENING = frozenset("\"“„«‘'")
_STOPS = frozenset(".!?…;")
_LEAD_WORDS = 8
_ITEM = re.compile(r"\s*\S\s*(?P<content>\S.*?)\s*\Z", re.DOTALL)
# "20:14. " and "14.12 uur – " before an item of a ticker.
_CLOCK = re.compile(r"\s*\d{1,2}[:.]\d{2}(?: ?(?:uur|u|GMT|CET|МСК))?(?:\s*[.–—:-])?\s")
_NAME = r"(?P<name>[^\W\d_][\w.'’-]*(?: [^\W\d_][\w.'’-]*){0,3})"
_LABEL = re.compile(rf"(?:\A|\n|[.!?…][\"”’»]?\s)\s*(?:[-–—]\s)?{_NAME}\Z")
_LONGEST_NAME = 60
_TURN = re.compile(rf"\s*(?:[-–—]\s)?{_NAME}(?P<colon>:)\s+(?P<content>\S)")
_ASKED = re.compile(r"^[ \t]*[-–—][ \t][^\n]*\?[ \t]*$", re.MULTILINE)
_OFTEN = 2


class Paragraph(NamedTuple):
    """A line of a zone that holds text."""

    span: Span
    next_mark: str
    """First character of the paragraph after it."""
    language: str
    is_headline: bool = False
    lead: Span | None = None
    """The line before a quotation or a list that ends in a colon."""


class Unit(NamedTuple):
    """A sentence, or the whole line of a dialogue."""

    span: Span
    language: str
    quotes: Sequence[Quote] = ()
    spoken: Sequence[Report] = ()
    is_headline: bool = False
    lead: tuple[Span | None, Span] | None = None
    """Speaker and cue of the line before it."""
    turn: Report | None = None
    """The sentence as part of somebody's turn in an interview."""


def paragraphs(
    text: str, marked: str, places: Sequence[tuple[Zone, tuple[int, int]]]
) -> list[Paragraph]:
    """The paragraphs of the zones that hold text, each with the line that introduces it."""
    found = [
        Paragraph(span, next_mark, zone.language, zone.kind in _HEADLINES)
        for zone, place in places
        if zone.kind not in _SILENT
        for span, next_mark in _lines(marked, place)
    ]
    return _with_leads(text, found)


def turn_names(text: str) -> frozenset[str]:
    """Who speaks in an interview: names before a colon that come again, or beside a question."""
    if ":" not in text:
        return frozenset()
    shared, counts = read_shared(), Counter[str]()
    colon = text.find(":")
    while colon >= 0:
        if text[colon + 1 : colon + 2].isspace():
            match = _LABEL.search(text[max(0, colon - _LONGEST_NAME) : colon])
            counts.update([match["name"]] if match else [])
        colon = text.find(":", colon + 1)
    if not counts:
        return frozenset()
    asks = any(fold(name) in shared.question for name in counts) or bool(_ASKED.search(text))
    known = shared.labels | shared.places
    return frozenset(
        name
        for name, n in counts.items()
        if (asks or n >= _OFTEN)
        and all(word[0].isupper() for word in name.split())
        and (asks or fold(name) not in known)
    )


def _turn(text: str, span: Span, names: frozenset[str], before: Report | None) -> Report | None:
    """What somebody says in a sentence of an interview, until the next name or question."""
    match = _TURN.match(text, span.start, span.end)
    content = Span(span.start, span.start + len(text[span.start : span.end].rstrip()))
    if match is None or match["name"] not in names:
        return replace(before, content=content) if before else None
    shared, name = read_shared(), fold(match["name"])
    if name in shared.question or name in shared.labels:
        return None
    speaker = None if name in shared.answer else Span(*match.span("name"))
    content = Span(match.start("content"), content.end)
    return Report(content, "report", 0.6, speaker, Span(*match.span("colon")), "turn of a talk")


def _with_leads(text: str, paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Each quotation and each item of a list with the line before that introduces it."""
    lead, read = None, []
    for paragraph in paragraphs:
        start, end = paragraph.span.start, paragraph.span.end
        opening = text[start : start + 9].lstrip()[:1]
        has_lead = lead is not None and (opening in _BULLETS or opening in _OPENING)
        read.append(paragraph._replace(lead=lead) if has_lead else paragraph)
        if text[max(start, end - 9) : end].rstrip().endswith(":"):
            lead = paragraph.span
        elif not has_lead or opening not in _BULLETS:
            lead = None
    return read


def _lead_of(text: str, paragraph: Paragraph, cues: Cues) -> tuple[Span | None, Span] | None:
    """Speaker and cue in the line that introduces a paragraph; None where nobody speaks there."""
    if paragraph.lead is None:
        return None
    line = Sentence(text, paragraph.lead, ())
    if line.words[0] in cues.topic_after:
        return None
    for i in range(len(line) - 1, max(-1, len(line) - _LEAD_WORDS), -1):
        if line.words[i] in cues.speech:
            first = max((j + 1 for j in range(i) if line.words[j] in _STOPS), default=0)
            comma = line.find(",", first, i)
            name = speaker_span(line, first, comma if comma > first else i, cues)
            cue = line.span(i, i + 1)
            return (name or speaker_span(line, i + 1, len(line), cues), cue) if cue else None
    return None


def _lines(text: str, zone: tuple[int, int]) -> Iterator[tuple[Span, str]]:
    """The lines of a zone that hold anything, each with the first character of the next one."""
    start, zone_end = zone
    while start < zone_end:
        newline = text.find("\n", start, zone_end)
        end = newline if newline >= 0 else zone_end
        if not text[start:end].isspace() and end > start:
            yield Span(start, end), text[end : end + 9].lstrip()[:1]
        start = end + 1


def sentences(
    text: str, marked: str, paragraph: Paragraph, names: frozenset[str]
) -> Iterator[Unit]:
    """Sentences, none of which ends inside a quote, each with the quotes that stand in it."""
    span, language = paragraph.span, paragraph.language
    cues = read_cues(language)
    spoken = dialogue(text, span, cues)
    lead = _lead_of(text, paragraph, cues)
    if lead and not spoken and text[span.start : span.start + 9].lstrip()[:1] in _BULLETS:
        item = _ITEM.match(text, span.start, span.end)
        if item:
            content = Span(*item.span("content"))
            spoken = [Report(content, "report", 0.6, *lead, "item of a list")]
    if spoken:
        yield Unit(span, language, spoken=spoken)
        return
    quotes = find_quotes(marked, span, paragraph.next_mark)
    next_quote, start, first = 0, span.start, 0
    is_headline = paragraph.is_headline or bool(_CLOCK.match(text, span.start, span.end))
    turn: Report | None = None
    for sentence in split_sentences(text[span.start : span.end], language):
        end = span.start + sentence.end
        while next_quote < len(quotes) and quotes[next_quote].end <= end:
            next_quote += 1
        cuts_quote = next_quote < len(quotes) and quotes[next_quote].start < end
        if not cuts_quote:
            if names:
                turn = _turn(text, Span(start, end), names, turn)
            in_it = quotes[first:next_quote]
            yield Unit(Span(start, end), language, in_it, (), is_headline, lead, turn)
            start, first = end, next_quote
