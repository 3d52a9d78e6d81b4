import textwrap
from pathlib import Path

import pytest

from classifier.articles import find_zones, read_articles
from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
from classifier.records import Article, Span
from classifier.text import split_sentences, unfold

_SAMPLE = Path(__file__).parents[2] / "annotations" / "sample" / "articles.jsonl"
_PROSE = (
    "The pilots in the port of Odesa waited all of Monday for the Turkish convoy, which "
    "had left Istanbul two days earlier.\n\n“Nobody told us anything”, said the harbour "
    "master on the quay of the northern basin. “We wait for Russia to move first.”"
)


def _fold(text: str, width: int) -> str:
    """The text with lines of at most `width`, which keeps the place of every character."""
    return "\n".join(
        "\n".join(textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False))
        for line in text.split("\n")
    )


def _reading(article: Article) -> list[object]:
    mentions = [
        (m.span, m.target, m.voice, m.zone, m.speaker_span, m.language)
        for m in find_mentions(article, default_codebook())
    ]
    zones = [(zone.span, zone.kind, zone.language) for zone in find_zones(article)]
    return [mentions, zones, split_sentences(article.text, article.language)]


@pytest.mark.parametrize("width", [60, 72, 80, 90])
def test_folding_an_article_changes_nothing_that_is_read(width: int) -> None:
    articles = list(read_articles(_SAMPLE).articles)
    for article in articles[width % 7 :: 7]:
        folded = _fold(article.text, width)
        assert len(folded) == len(article.text)
        other = Article("b", folded, language=article.language, date=article.date)
        plain = Article("b", article.text, language=article.language, date=article.date)
        assert _reading(other) == _reading(plain)


@pytest.mark.parametrize("width", range(60, 91, 3))
def test_folded_text_is_told_and_read_as_paragraphs(width: int) -> None:
    assert unfold(_fold(_PROSE, width)) == _PROSE


def test_windows_line_ends_are_told_as_well() -> None:
    folded = _fold(_PROSE, 72).replace("\n", "\r\n")
    assert unfold(folded).count("\r\n") == 2


@pytest.mark.parametrize(
    "text",
    [
        "Haven dicht\nDoor onze redactie\nDe haven van Odesa ging maandag dicht.\nEind.",
        "Arrivals of the day in the port of Odesa:\n- the ferry from Istanbul\n- a tug from Varna",
        _PROSE,
        _PROSE.replace("\n\n", "\n"),
    ],
)
def test_text_with_a_paragraph_a_line_stays_as_it_is(text: str) -> None:
    assert unfold(text) == text


@pytest.mark.parametrize(
    ("text", "language", "surface"),
    [
        ("De loods wachtte tevergeefs in Oekra-\nïne op een sleepboot.", "nl", "Oekra-\nïne"),
        ("The pilot waited in vain for Ukrai-\nnian tugs and left.", "en", "Ukrai-\nnian"),
        ("Лоцман ждал буксира из Укра-\nины до самого вечера.", "ru", "Укра-\nины"),
        ("Лоцман чекав буксира з Туреч-\nчини до самого вечора.", "uk", "Туреч-\nчини"),
        ("Kılavuz kaptan akşama kadar Ukray-\nna römorkörünü bekledi.", "tr", "Ukray-\nna"),
    ],
)
def test_a_word_hyphenated_at_a_line_end_is_found_whole(
    text: str, language: str, surface: str
) -> None:
    (mention,) = find_mentions(Article("a", text, language=language), default_codebook())
    assert mention.surface == surface
    assert mention.span == Span(text.index(surface), text.index(surface) + len(surface))


def test_a_hyphen_of_the_word_itself_stays() -> None:
    assert unfold("a pro-\nrussian mayor").startswith("a pro-")
    assert "-" in unfold("de grens van Russisch-\nKarelië")
    assert unfold("voor-\nen tegenstanders") == "voor-\nen tegenstanders"
