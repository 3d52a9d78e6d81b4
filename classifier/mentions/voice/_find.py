"""Whose words each stretch of an article is, paragraph by paragraph in the language of its zone."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import overload

from classifier.mentions.voice._asides import (
    colon_manner,
    find_sources,
    headline_speaker,
    headline_tail,
)
from classifier.mentions.voice._cues import Cues, read_cues, read_shared, telling_words
from classifier.mentions.voice._paragraphs import Unit, paragraphs, sentences, turn_names
from classifier.mentions.voice._quotations import Report, Reports, quotation
from classifier.mentions.voice._quotes import single_marks
from classifier.mentions.voice._sentence import (
    QUOTE,
    Found,
    Sentence,
    antecedent,
    fold,
    sentence_end,
    speaker_span,
)
from classifier.mentions.voice._speech import find_speech
from classifier.mentions.voice._turkish import find_turkish
from classifier.records import Span, Zone
from classifier.text import View, plain_view, unfold

_LOOK_BACK = 6
_LONGEST_BACK = 40
_BACK_REACH = 10
_COLON_REACH = 18
# Cues of somebody who was named before.
_OPEN_CUES = frozenset(("zou", "zouden", "naar eigen zeggen", "мол", "мовляв", "дескать"))
_NEAR_START = 2
_NO_REPORTS = Reports(())
_TITLE_WORDS = 6
_SUBJECT_REACH = 12


def find_reports(text: str, zones: Sequence[Zone]) -> "TextReports":
    """The quotations and reports of a text; none reaches beyond its paragraph.

    Zones of metadata and boilerplate hold none. Where a zone's language has no cues, quotation
    marks are all there is to go by. Never raises, and takes time linear in the text; a sentence
    is read when it is first asked about.

    >>> text = "Volgens de loods wacht Moskou af. “Wij niet”, zei hij."
    >>> reports = find_reports(text, [Zone(Span(0, len(text)), "body", "nl")])
    >>> [(report.kind, report.content.of(text)) for report in reports]
    [('report', 'wacht Moskou af'), ('quotation', 'Wij niet')]
    """
    return TextReports(text, zones)


def is_pronoun(word: str) -> bool:
    """Whether a speaker is told by a pronoun, so that another sentence has the name.

    >>> is_pronoun("Zij"), is_pronoun("Ada Salo")
    (True, False)
    """
    return fold(word) in read_shared().pronouns


class TextReports(Sequence[Report]):
    """The reports of a text in order; what was read once is kept."""

    def __init__(self, text: str, zones: Sequence[Zone]) -> None:
        """Find the paragraphs; their sentences are read later."""
        # A cue is a cue with a soft hyphen in it, or with its letters in two characters each.
        self._view = view = plain_view(unfold(text))
        self._text = text = view.string
        self._marked = single_marks(text)
        places = [(zone, _place(view, zone.span)) for zone in zones]
        self._paragraphs = paragraphs(text, self._marked, places)
        self._starts = [paragraph.span.start for paragraph in self._paragraphs]
        self._sentences: dict[int, list[Unit]] = {}
        self._tokens: dict[int, Sentence] = {}
        self._raw: dict[int, Sequence[Report]] = {}
        self._read: dict[int, Reports] = {}

    def at(self, span: Span) -> Report | None:
        """The innermost report whose content holds the whole span; scare quotes are none."""
        start, end = _place(self._view, span)
        place = bisect_right(self._starts, start) - 1
        if place < 0 or start >= end:
            return None
        units = self._units(place)
        i = bisect_right(units, start, key=lambda unit: unit.span.start) - 1
        reports = self._reports(place, i) if i >= 0 else _NO_REPORTS
        found = reports.at(Span(start, end)) if reports else None
        return found and _report_in(self._view, found)

    @overload
    def __getitem__(self, index: int) -> Report: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Report]: ...

    def __getitem__(self, index: int | slice) -> Report | Sequence[Report]:
        """The report at that place in the order."""
        return self._all[index]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    @cached_property
    def _all(self) -> Reports:
        places = ((p, i) for p in range(len(self._paragraphs)) for i in range(len(self._units(p))))
        reports = (report for p, i in places for report in self._reports(p, i))
        return Reports(_report_in(self._view, report) for report in reports)

    @cached_property
    def _turn_names(self) -> frozenset[str]:
        return turn_names(self._text)

    def _units(self, place: int) -> list[Unit]:
        if place not in self._sentences:
            paragraph = self._paragraphs[place]
            self._sentences[place] = list(
                sentences(self._text, self._marked, paragraph, self._turn_names)
            )
        return self._sentences[place]

    def _reports(self, place: int, i: int) -> Reports:
        unit = self._units(place)[i]
        start = unit.span.start
        if start not in self._read:
            found = [
                replace(report, speaker=self._name(report, place, i))
                if _needs_name(report, self._text, start)
                else report
                for report in self._raw_reports(unit)
            ]
            told = self._told_after(place, i)
            found += [told] if told else []
            self._read[start] = Reports(found) if found else _NO_REPORTS
        return self._read[start]

    def _raw_reports(self, unit: Unit) -> Sequence[Report]:
        start = unit.span.start
        if start not in self._raw:
            found = unit.spoken or list(_sentence_reports(self._tokens_of(unit), unit))
            self._raw[start] = tuple(_with_names(found))
        return self._raw[start]

    def _tokens_of(self, unit: Unit) -> Sentence:
        start = unit.span.start
        if start not in self._tokens:
            self._tokens[start] = Sentence(self._text, unit.span, unit.quotes)
        return self._tokens[start]

    def _told_after(self, place: int, i: int) -> Report | None:
        """The sentence as a report, where the one behind it says who said so: "Об этом …"."""
        unit, units = self._units(place)[i], self._units(place)
        if i + 1 < len(units):
            place, i = place, i + 1
        elif place + 1 < len(self._paragraphs):
            place, i = place + 1, 0
            behind = self._paragraphs[place]
            # Most paragraphs do not, and need not be read for it.
            if _looks_back(self._text, behind.span.start, behind.language) is None:
                return None
        else:
            return None
        following = self._units(place)[i : i + 1]
        told = self._told_before(following[0]) if following else None
        if told is None or unit.spoken or unit.is_headline:
            return None
        content = self._tokens_of(unit)
        span = content.span(0, len(content))
        if span is None:
            return None
        report = Report(span, "report", 0.6, *told, "told in the sentence behind it")
        if report.speaker and _needs_name(report, self._text, unit.span.start):
            report = replace(report, speaker=self._name(report, place, i))
        return report

    def _name(self, report: Report, place: int, i: int) -> Span | None:
        """Who speaks where the sentence has a pronoun or nothing: whom the ones before name."""
        before = min(report.content.start, (report.speaker or report.content).start)
        for unit in self._before(place, i):
            name = _named_speaker(self._raw_reports(unit), self._text, before)
            told = None if name else self._told_before(unit)
            if told and told[0] and told[0].end <= before:
                name = told[0]
            if (
                name is None
                and report.cue is not None
                and unit.language == self._units(place)[i].language
            ):
                name = self._subject(unit, before)
            if name is not None:
                return name
        return report.speaker

    def _subject(self, unit: Unit, before: int) -> Span | None:
        return _named_subject(self._tokens_of(unit), before, read_cues(unit.language))

    def _told_before(self, unit: Unit) -> tuple[Span | None, Span] | None:
        """Speaker and cue in a sentence that says who said the one before it; None in another."""
        start = _looks_back(self._text, unit.span.start, unit.language)
        return None if start is None else told_before(self._tokens_of(unit), unit.language, start)

    def _before(self, place: int, i: int) -> Iterator[Unit]:
        """The sentence itself and those before it, in its paragraph and the one before."""
        yield from self._units(place)[i::-1][:_LOOK_BACK]
        if i < _NEAR_START and place:
            yield from self._units(place - 1)[::-1][: _LOOK_BACK - i]


def _place(view: View, span: Span) -> tuple[int, int]:
    """Where a stretch of the source begins and ends in the view; empty where nothing shows."""
    return view.index(span.start), view.index(span.end)


def _report_in(view: View, report: Report) -> Report:
    """The report with its stretches as they lie in the source."""
    if view.string is view.text:
        return report
    content, speaker, cue = (
        Span(*view.source(span.start, span.end)) if span else None
        for span in (report.content, report.speaker, report.cue)
    )
    return replace(report, content=content or report.content, speaker=speaker, cue=cue)


def _sentence_reports(sentence: Sentence, unit: Unit) -> Iterator[Report]:
    cues = read_cues(unit.language)
    if unit.turn:
        yield unit.turn
    reports = _with_first_speaker(
        report
        for found in _founds(sentence, unit, cues)
        for report in _reports(sentence, found, cues)
    )
    yield from reports
    if unit.quotes:
        places = [i for i, word in enumerate(sentence.words) if word == QUOTE]
        for place, quote in zip(places, unit.quotes, strict=True):
            for report in quotation(sentence, place, quote, cues):
                yield _with_speaker(report, reports, unit)


def _with_first_speaker(reports: Iterable[Report]) -> list[Report]:
    """A verb behind the speaker's first one has the same speaker: "X says …, and adds that …"."""
    found: list[Report] = []
    first: Report | None = None
    for report in sorted(reports, key=lambda one: one.cue or one.content):
        is_verb = report.speaker is None and report.rule.startswith("verb")
        if first and is_verb and report.cue and report.cue > (first.cue or first.content):
            report = replace(report, speaker=first.speaker)
        elif report.speaker is None and report.rule == "hearsay":
            around = next((one for one in found if one.content.contains(report.content)), None)
            report = replace(report, speaker=around.speaker if around else None)
        elif report.speaker:
            first = report
        found.append(report)
    return found


def _looks_back(text: str, start: int, language: str) -> str | None:
    """The words "about this" at the start of a sentence; None where it starts otherwise."""
    back = read_cues(language).looks_back
    if not back:
        return None
    head = fold(text[start : start + _LONGEST_BACK]).lstrip()
    # No sentence in a hundred does: one test for all of them first.
    if not head.startswith(back):
        return None
    return next(phrase[:-1] for phrase in back if head.startswith(phrase))


def told_before(sentence: Sentence, language: str, start: str) -> tuple[Span | None, Span] | None:
    """Speaker and cue in a sentence that starts with "about this"; None where it has no verb.

    Args:
        sentence: The sentence to look at.
        language: Its language.
        start: The words "about this" at its start.
    """
    cues = read_cues(language)
    n, words = len(start.split()), sentence.words
    n += "'" in start and words[n - 1 : n] != start.split()[-1:]
    end = sentence_end(sentence, 0)
    verb = sentence.find(cues.verbs, n - 1, min(n + _BACK_REACH, end))
    if cues.bare:
        verb = n - 1
    if verb < 0 or sentence.find(cues.that, n, end) >= 0:
        return None
    if (
        words[verb] in cues.with_particle_after
        and sentence.find(cues.particle_after, verb, end) < 0
    ):
        return None
    cue = sentence.span(verb, verb + 1)
    comma = sentence.find(",", verb, end)
    name = speaker_span(sentence, n, verb, cues) if verb > n else None
    is_name = name and sentence.n_words(n, verb) and not (cues.determiner and verb < n)
    behind = speaker_span(sentence, verb + 1, comma if comma > 0 else end, cues)
    return (name if is_name else behind, cue) if cue else None


def _with_speaker(quoted: Report, reports: Sequence[Report], unit: Unit) -> Report:
    """A quotation that names no speaker has that of the report around it, or of the line before.

    So has one whose speaker is a part of the name in that report.
    """
    for report in reports:
        is_part = quoted.speaker and report.speaker and report.speaker.contains(quoted.speaker)
        if quoted.speaker and not is_part:
            continue
        if report.content.start <= quoted.content.start and quoted.content.end <= (
            report.content.end + 1
        ):
            return replace(quoted, speaker=report.speaker, cue=quoted.cue or report.cue)
    if not quoted.speaker and unit.lead and quoted.content.start <= unit.span.start + 2:
        return replace(quoted, speaker=unit.lead[0], cue=quoted.cue or unit.lead[1])
    return quoted


def _founds(sentence: Sentence, unit: Unit, cues: Cues) -> list[Found]:
    founds: list[Found] = []
    language = unit.language
    places = _places(sentence.words, telling_words(language))
    if places:
        if language == "tr":
            founds.extend(find_turkish(sentence, places, cues))
        else:
            founds.extend(find_sources(sentence, places, language, cues))
            founds.extend(find_speech(sentence, places, cues))
    if ":" in sentence.words[1:_COLON_REACH]:
        headline = headline_speaker(sentence, cues, is_headline=unit.is_headline)
        headline = headline or colon_manner(sentence, cues)
        founds.extend([headline] if headline else [])
    elif unit.is_headline and not founds:
        tail = headline_tail(sentence, cues)
        founds.extend([tail] if tail else [])
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


def _reports(sentence: Sentence, found: Found, cues: Cues) -> Iterator[Report]:
    cue = sentence.span(*found.cue)
    speaker = None
    if found.speaker:
        speaker = speaker_span(sentence, *antecedent(sentence, found.speaker, cues), cues)
    for start, end in found.contents:
        content = sentence.span(start, end)
        if content is not None:
            yield Report(content, "report", found.confidence, speaker, cue, found.rule)


def _needs_name(report: Report, text: str, start: int) -> bool:
    """Whether a report names nobody, and the words before it may.

    Args:
        report: One of the reports of a sentence.
        text: The text it stands in.
        start: Where its sentence starts.
    """
    if report.is_scare:
        return False
    if report.speaker is not None:
        return fold(report.speaker.of(text)) in read_shared().pronouns
    if report.kind == "quotation":
        return report.content.start <= start + 2
    if report.rule == "clause before its verb":
        return True
    return report.cue is not None and fold(report.cue.of(text)) in _OPEN_CUES


def _with_names(reports: Sequence[Report]) -> Iterator[Report]:
    """A quotation that goes on behind its speaker's name, as in “…,” said X, “…”, has that name."""
    last: Report | None = None
    for report in reports:
        is_next = last is not None and report.content.start >= last.content.end
        if is_next and last and report.kind == "quotation" and report.speaker is None:
            named = replace(report, speaker=last.speaker, cue=report.cue or last.cue)
            yield report if report.is_scare else named
            continue
        if report.kind == "quotation" and report.speaker and not report.is_scare:
            last = report
        yield report


def _named_speaker(reports: Sequence[Report], text: str, before: int) -> Span | None:
    """The last speaker whom a report of a sentence names, before a place in the text."""
    pronouns = read_shared().pronouns
    for report in reversed(reports):
        speaker = report.speaker
        if speaker and speaker.end <= before and fold(speaker.of(text)) not in pronouns:
            return speaker
    return None


def _named_subject(sentence: Sentence, before: int, cues: Cues) -> Span | None:
    """The person whom a sentence is about: the first name of two words, with the title before it.

    Args:
        sentence: The sentence to look at.
        before: Place in the text behind which no name counts.
        cues: The cues of its language.
    """
    words, i = sentence.words, 0
    while i < len(words):
        stop = _name_end(sentence, i, cues)
        if stop == i or sum(sentence.is_capital(k) for k in range(i, stop)) == 1:
            i = max(i + 1, stop)
            continue
        if sentence.places[stop - 1][1] > before:
            return None
        start = _title_start(sentence, i, cues)
        is_subject = start == 0 or (start > 0 and words[start - 1] in cues.verbs)
        if is_subject and start < _SUBJECT_REACH:
            return sentence.span(start, stop)
        i = stop
    return None


def _name_end(sentence: Sentence, i: int, cues: Cues) -> int:
    """Behind the capitalised words at `i`, with the small words of a name between them."""
    stop = i
    while sentence.is_word(stop):
        is_name = sentence.is_capital(stop) and sentence.words[stop] not in cues.determiner
        is_between = (
            stop > i
            and sentence.words[stop] in read_shared().particles
            and sentence.is_word(stop + 1)
            and sentence.is_capital(stop + 1)
        )
        if not (is_name or is_between):
            break
        stop += 1
    return stop


def _title_start(sentence: Sentence, i: int, cues: Cues) -> int:
    """Where the title before a name starts; the place of the name where it has none."""
    start = i
    while start and i - start < _TITLE_WORDS and sentence.is_word(start - 1):
        word = sentence.words[start - 1]
        if word == QUOTE or word in cues.title_stops or word.isdigit():
            break
        start -= 1
    return start
