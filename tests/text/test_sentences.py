import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.records import LANGUAGES
from classifier.text import split_sentences

_PIECES = st.sampled_from(
    [
        *'“”‘’"«»\n \u2028\u200f🙂\ud800',
        *(". ", "! ", "? ", "… ", "\r\n", "dr. ", "Kyiv", "Анкара", "İstanbul", "5 mln. "),
        *("e\u0301", "II. ", "— "),
    ]
)
_TEXTS = st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=40).map("".join))


def _split(text: str, language: str | None) -> list[str]:
    return [span.of(text).strip() for span in split_sentences(text, language)]


@settings(max_examples=120, deadline=None)
@given(_TEXTS, st.sampled_from([*LANGUAGES, "und", None]))
def test_spans_are_contiguous_and_cover_the_text(text: str, language: str | None) -> None:
    spans = split_sentences(text, language)
    assert "".join(span.of(text) for span in spans) == text
    assert [span.start for span in spans] == [0, *(span.end for span in spans)][: len(spans)]


@given(_TEXTS)
@settings(max_examples=80, deadline=None)
def test_no_sentence_is_blank_unless_the_text_is(text: str) -> None:
    if text.strip():
        assert all(span.of(text).strip() for span in split_sentences(text, "nl"))


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        pytest.param("nl", ["Het kostte 5 mln. euro.", "Dat is o.a. veel."], id="nl abbreviations"),
        pytest.param("nl", ["Zij sprak prof. dr. A. Wiersema.", "’s Avonds ging zij."], id="nl ’s"),
        pytest.param("nl", ["“Gaan we?” vroeg Haverkort.", "Niemand wist het."], id="nl question"),
        pytest.param("nl", ["Om 17.44 uur was het 3,5 graden.", "Om 17u44 ook."], id="nl figures"),
        pytest.param("nl", ["Appels, peren enz.", "Daarna ging hij."], id="nl enz. ends"),
        pytest.param("nl", ["Het einde.", "Het begin."], id="nl plain"),
        pytest.param("en", ["Gen. Okafor met Mr. Thorn on Jan. 5.", "They left."], id="en titles"),
        pytest.param("en", ["“Is it over?” asked the pilot.", "“No,” he said."], id="en quote"),
        pytest.param(
            "en", ["The U.S. Army left.", "He left at 5 p.m.", "Then he slept."], id="en us"
        ),
        pytest.param(
            "tr", ["II. Ordu geldi.", "Av. Ayşe Hanım ve Doç. Dr. Can Bey de."], id="tr titles"
        ),
        pytest.param("tr", ["3. sırada oturdu.", "1. Ordu geldi."], id="tr ordinals"),
        pytest.param("tr", ["“Gelecek misin?” diye sordu.", "Gitti."], id="tr diye"),
        pytest.param(
            "ru", ["«Почему?» — спросил лоцман.", "Никто не знал."], id="ru reporting clause"
        ),
        pytest.param(
            "ru", ["В 2022 г. порт закрыли.", "Ушло 5 млн. рублей."], id="ru abbreviations"
        ),
        pytest.param("ru", ["Пришёл А. С. Хедегор.", "24 фев. 2022 года."], id="ru initials"),
        pytest.param(
            "uk", ["«Чому?» — запитав лоцман.", "Ніхто не знав."], id="uk reporting clause"
        ),
        pytest.param(
            "uk", ["Це вул. Портова, 5.", "Минуло 24 лют. 2022 року."], id="uk abbreviations"
        ),
    ],
)
def test_hard_boundaries(language: str, sentences: list[str]) -> None:
    assert _split(" ".join(sentences), language) == sentences


def test_a_sentence_glued_to_the_one_before_it_is_split_off() -> None:
    assert _split("Dat was het einde.Het begin kwam later.", "nl") == [
        "Dat was het einde.",
        "Het begin kwam later.",
    ]


def test_a_line_break_ends_a_sentence() -> None:
    assert _split("Een kop zonder punt\nDe haven ging dicht", "nl") == [
        "Een kop zonder punt",
        "De haven ging dicht",
    ]


def test_an_empty_text_has_no_sentences() -> None:
    assert split_sentences("", "nl") == []


@pytest.mark.parametrize("unit", ["“ ", "woord ", "A. ", "“Ja.” ", "\n", ". "])
def test_time_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    # sentencex alone takes minutes for 700,000 opening quotation marks in one piece.
    start = time.process_time()
    split_sentences(unit * 50_000, "nl")
    assert time.process_time() - start < 5
