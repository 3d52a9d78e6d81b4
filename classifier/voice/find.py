"""Whose words each stretch of an article is, paragraph by paragraph in the language of its zone."""

from collections.abc import Iterator, Sequence

from classifier.records import Span, Zone, ZoneKind
from classifier.sentences import split_sentences
from classifier.voice.clauses import QUOTE, Found, Sentence
from classifier.voice.cues import Cues, read_cues, telling_words
from classifier.voice.quotations import dialogue, quotation
from classifier.voice.quotes import Quote, find_quotes
from classifier.voice.reports import Report, Reports
from classifier.voice.sources import find_sources, headline_speaker
from classifier.voice.speech import find_speech
from classifier.voice.turkish import find_turkish

_SILENT: frozenset[ZoneKind] = frozenset(("metadata", "boilerplate"))
_NO_CUES = Cues()


def find_reports(text: str, zones: Sequence[Zone]) -> Reports:
    """The quotations and reports of a text; none reaches beyond its paragraph.

    Zones of metadata and boilerplate hold none. Where a zone's language has no cues, quotation
    marks are all there is to go by. Never raises, and takes time linear in the text.

    >>> text = "Volgens de loods wacht Moskou af. “Wij niet”, zei hij."
    >>> reports = find_reports(text, [Zone(Span(0, len(text)), "body", "nl")])
    >>> [(report.kind, report.content.of(text)) for report in reports]
    [('report', 'wacht Moskou af'), ('quotation', 'Wij niet')]
    """
    found: list[Report] = []
    for zone in zones:
        if zone.kind not in _SILENT:
            for paragraph, next_mark in _paragraphs(text, zone.span):
                found.extend(_paragraph_reports(text, paragraph, next_mark, zone.language))
    return Reports(found)


def _paragraphs(text: str, zone: Span) -> Iterator[tuple[Span, str]]:
    """The lines of a zone that hold anything, each with the first character of the next one."""
    start = zone.start
    while start < zone.end:
        newline = text.find("\n", start, zone.end)
        end = newline if newline >= 0 else zone.end
        if not text[start:end].isspace() and end > start:
            yield Span(start, end), text[end : end + 9].lstrip()[:1]
        start = end + 1


def _paragraph_reports(
    text: str, paragraph: Span, next_mark: str, language: str
) -> Iterator[Report]:
    cues = read_cues(language) or _NO_CUES
    spoken = dialogue(text, paragraph, cues)
    if spoken:
        yield from spoken
        return
    quotes = find_quotes(text, paragraph, next_mark)
    for span, inside in _sentences(text, paragraph, quotes, language):
        sentence = Sentence(text, span, inside)
        founds = _founds(sentence, language, cues)
        for found in founds:
            yield from _reports(sentence, found)
        if inside:
            places = [i for i, word in enumerate(sentence.words) if word == QUOTE]
            for place, quote in zip(places, inside, strict=True):
                yield from quotation(sentence, place, quote, cues)


def _sentences(
    text: str, paragraph: Span, quotes: Sequence[Quote], language: str
) -> Iterator[tuple[Span, Sequence[Quote]]]:
    """Sentences, none of which ends inside a quote, each with the quotes that stand in it."""
    next_quote, start, first = 0, paragraph.start, 0
    for sentence in split_sentences(text[paragraph.start : paragraph.end], language):
        end = paragraph.start + sentence.end
        while next_quote < len(quotes) and quotes[next_quote].end <= end:
            next_quote += 1
        cuts_quote = next_quote < len(quotes) and quotes[next_quote].start < end
        if not cuts_quote:
            yield Span(start, end), quotes[first:next_quote]
            start, first = end, next_quote


def _founds(sentence: Sentence, language: str, cues: Cues) -> list[Found]:
    founds: list[Found] = []
    places = _places(sentence.words, telling_words(language))
    if places:
        if language == "tr":
            founds.extend(find_turkish(sentence, places, cues))
        else:
            founds.extend(find_sources(sentence, places, language, cues))
            founds.extend(find_speech(sentence, places, cues))
    if ":" in sentence.words[1:7]:
        headline = headline_speaker(sentence, cues)
        founds.extend([headline] if headline else [])
    return founds


def _places(words: list[str], telling: frozenset[str]) -> list[int]:
    """Where telling words stand; a sentence has few, so each is looked up by itself."""
    places = []
    for word in telling.intersection(words):
        place = -1
        for _ in range(words.count(word)):
            place = words.index(word, place + 1)
            places.append(place)
    return sorted(places)


def _reports(sentence: Sentence, found: Found) -> Iterator[Report]:
    cue = sentence.span(*found.cue)
    speaker = sentence.span(*found.speaker) if found.speaker else None
    for start, end in found.contents:
        content = sentence.span(start, end)
        if content is not None:
            yield Report(content, "report", found.confidence, speaker, cue)
