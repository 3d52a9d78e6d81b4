"""The labeller of voices: windows, what it points at, and who decides."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from classifier.codebook import default_codebook
from classifier.errors import ModelError
from classifier.models import VoiceModel, VoiceReading, read_voice_model
from classifier.models._voice import Bars, Pointed, Window, _cut, _pointed, decide
from classifier.records import Article, Mention, Span

LABELS = ("author", "attributed", "quoted")
BARS = Bars(report=0.6, keep=0.3, speaker=0.5, no_speaker=0.2)
TEXT = "Salo said Moscow waits"
NAME, OTHER = Span(0, 4), Span(5, 9)
NOBODY = Pointed(None, 0.0, 1.0)


def mention(voice: str = "author", speaker: Span | None = None) -> Mention:
    return Mention(
        Span(10, 16),
        "RU",
        "Moscow",
        "metonym",
        "body",
        "en",
        voice,
        speaker=speaker.of(TEXT) if speaker else None,
        speaker_span=speaker,
    )


def decided(
    one: Mention, reported: float, speaker: Pointed = NOBODY, cue: Pointed = NOBODY
) -> Mention:
    reading = VoiceReading((1 - reported, reported, 0.0), speaker, cue)
    return decide(one, reading, LABELS, BARS, Article("a", TEXT))


def test_the_labeller_finds_a_report_only_above_its_bar() -> None:
    assert decided(mention(), 0.6) == mention()
    found = decided(mention(), 0.7, Pointed(NAME, 0.9, 0.1), Pointed(OTHER, 0.8, 0.1))
    assert (found.voice, found.voice_by, found.voice_confidence) == ("attributed", "model", 0.7)
    assert (found.speaker, found.speaker_span, found.speaker_by) == ("Salo", NAME, "model")
    assert found.cue_span == OTHER


def test_a_report_of_the_rules_stays_unless_the_labeller_is_sure() -> None:
    by_rules = mention("attributed", NAME)
    assert decided(by_rules, 0.4) == by_rules
    taken = decided(by_rules, 0.25)
    assert (taken.voice, taken.voice_by, taken.voice_confidence) == ("author", "model", 0.75)
    assert (taken.speaker, taken.speaker_span) == (None, None)


def test_quotation_marks_stay_with_the_rules() -> None:
    by_rules = mention("quoted", NAME)
    assert decided(by_rules, 0.0) == by_rules


@pytest.mark.parametrize(("chance", "expected"), [(0.4, OTHER), (0.6, NAME)])
def test_a_speaker_of_the_rules_gives_way_only_above_the_bar(chance: float, expected: Span) -> None:
    told = decided(mention("attributed", OTHER), 0.9, Pointed(NAME, chance, 0.1))
    assert told.speaker_span == expected


def test_where_the_rules_name_nobody_a_lower_bar_holds() -> None:
    told = decided(mention("attributed"), 0.9, Pointed(NAME, 0.3, 0.1))
    assert (told.speaker, told.speaker_by) == ("Salo", "model")


def test_nobody_is_named_where_nobody_is_more_probable() -> None:
    told = decided(mention("attributed"), 0.9, Pointed(NAME, 0.3, 0.6))
    assert (told.speaker, told.speaker_by) == (None, "rules")


def test_a_pronoun_does_not_take_the_place_of_a_name() -> None:
    text = "Salo waits. She said Moscow waits"
    named = replace(mention("attributed", NAME), span=Span(21, 27))
    reading = VoiceReading((0.1, 0.9, 0.0), Pointed(Span(12, 15), 0.9, 0.1), NOBODY)
    assert decide(named, reading, LABELS, BARS, Article("a", text)) == named


def test_a_mention_is_not_its_own_speaker() -> None:
    told = decided(mention("attributed"), 0.9, Pointed(Span(10, 16), 0.9, 0.0))
    assert told.speaker is None


def test_pointers_take_the_best_pair_that_ends_behind_its_start() -> None:
    # Tokens: one before the text, three words, one behind it.
    places = [(0, 0), (0, 4), (5, 9), (10, 16), (0, 0)]
    starts = np.log(np.array([0.1, 0.2, 0.6, 0.05, 0.05], dtype=np.float32))
    ends = np.log(np.array([0.1, 0.5, 0.2, 0.15, 0.05], dtype=np.float32))
    found = _pointed(starts, ends, places)
    # Start 2 with end 2 has .6 · .2 = .12; the pair 2 and 1, which has .30, runs backwards.
    assert found.span == Span(5, 9)
    assert found.chance == pytest.approx(0.12, abs=1e-6)
    assert found.nobody == pytest.approx(0.01, abs=1e-6)


def test_a_window_is_a_paragraph_with_what_stands_before_it() -> None:
    text = "one two\nthree four"
    places = [(0, 3), (4, 7), (8, 13), (14, 18)]
    (window,) = _cut(text, [Span(14, 18)], (1, [5, 6, 7, 8], 2), places, 3)
    assert window == Window((1, 5, 6, 7, 8, 2), ((0, 0), *places, (0, 0)), ((3, (4, 5)),))


def test_a_long_paragraph_is_read_around_each_mention() -> None:
    n = 1000
    places = [(2 * i, 2 * i + 1) for i in range(n)]
    spans = [Span(0, 1), Span(1000, 1001)]
    first, second = _cut("a " * n, spans, (1, list(range(n)), 2), places, 0)
    assert (first.ids[1], first.ids[-2], first.owners) == (0, 127, ((0, (1, 2)),))
    # The mention is token 500: 128 tokens before it, itself, and 127 behind it.
    assert (second.ids[1], second.ids[-2], second.owners) == (372, 627, ((1, (129, 130)),))


class Fixed:
    """An encoder whose vector of a token is the row of a table."""

    runtime = "table"

    def __init__(self, table: NDArray[np.float32]) -> None:
        self.table = table

    def __call__(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self.table[np.concatenate([np.asarray(p) for p in passages])]
        return rows

    def side_by_side(self, work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        return map(work, items)


WORDS = {"[S]": 0, "[E]": 1, "Salo": 2, "said": 3, "Moscow": 4, "waits": 5, "Kyiv": 6}


def tiny() -> VoiceModel:
    """Reads Moscow as a report of Salo by "said", and Kyiv as the author's."""
    tokenizer = Tokenizer(WordLevel(WORDS, unk_token="[E]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[S] $A [E]", special_tokens=[("[S]", 0), ("[E]", 1)]
    )
    width = len(WORDS)
    voice = np.zeros((3, width), dtype=np.float32)
    voice[0] = 5
    voice[0, 4], voice[1, 4] = 0, 5
    query = np.zeros((8, width), dtype=np.float32)
    query[:, 4] = 4
    key = np.zeros((8, width), dtype=np.float32)
    # Two numbers for each of the four ends: Salo for the speaker, "said" for the cue.
    key[[0, 1, 2, 3], 2] = key[[4, 5, 6, 7], 3] = 4
    heads = {
        name: weight
        for stem, own in (("voice", voice), ("query", query), ("key", key))
        for name, weight in (
            (f"{stem}.weight", own),
            (f"{stem}.bias", np.zeros(len(own), dtype=np.float32)),
        )
    }
    return VoiceModel(Fixed(np.eye(width, dtype=np.float32)), tokenizer, heads, BARS)


def test_mentions_are_settled_with_speaker_and_cue() -> None:
    article = Article("a", TEXT)
    ((_, (settled,)),) = tiny().settle([(article, [mention()])], default_codebook())
    assert (settled.voice, settled.voice_by) == ("attributed", "model")
    assert settled.speaker == "Salo"
    assert settled.cue_span is not None
    assert settled.cue_span.of(TEXT) == "said"


def test_readings_come_in_the_order_of_texts_and_stretches() -> None:
    texts = [("Kyiv waits", [Span(0, 4)]), ("waits", []), (TEXT, [Span(0, 4), Span(10, 16)])]
    assert [reading.reported > 0.5 for reading in tiny().read(texts)] == [False, False, True]


def test_boilerplate_is_not_read() -> None:
    notice = replace(mention(), zone="boilerplate")
    ((_, settled),) = tiny().settle([(Article("a", TEXT), [notice])], default_codebook())
    assert settled == (notice,)


def test_a_labeller_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="read voices by rules"):
        read_voice_model(tmp_path, "numpy")
