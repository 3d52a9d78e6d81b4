import sys
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.text import match_view, plain_view

SPECIALS = "İIıi\u0307\u0301\u0308\u00ad\u200b\u200f\u202a\ufeff’‘ʼ‑–\u00a0 aZйеЁ🚢\ud83d\n"
TEXTS = st.text(alphabet=st.one_of(st.sampled_from(SPECIALS), st.characters()))


@pytest.mark.parametrize(
    ("text", "view"),
    [
        pytest.param("Turkije’s", "turkije's", id="curly apostrophe"),
        pytest.param("Türkiyeʼnin", "türkiye'nin", id="modifier apostrophe"),
        pytest.param("pro‑Russisch", "pro-russisch", id="non-breaking hyphen"),
        pytest.param("Russia–Ukraine", "russia-ukraine", id="en dash"),
        pytest.param("Kiev — en", "kiev — en", id="an em dash joins nothing"),
        pytest.param("Recep\u00a0Tayyip", "recep tayyip", id="non-breaking space"),
        pytest.param("Oek\u00adra\u00adïne", "oekraïne", id="soft hyphens"),
        pytest.param("Oekrai\u0308ne", "oekraïne", id="decomposed letter"),
        pytest.param("\u200fRus\u200bland", "rusland", id="direction mark first"),
        pytest.param("Росси\u0301я", "россия", id="stress mark"),
        pytest.param("Укра\u0456\u0308на", "укра\u0457на", id="decomposed yi"),
        pytest.param("и\u0306", "й", id="decomposed short i"),
    ],
)
def test_view_folds(text: str, view: str) -> None:
    assert match_view(text, None).string == view


@pytest.mark.parametrize(
    ("language", "view"),
    [("tr", "ırak, istanbul"), ("nl", "irak, istanbul"), (None, "irak, istanbul")],
)
def test_capital_i_is_dotless_in_turkish_alone(language: str | None, view: str) -> None:
    assert match_view("IRAK, İSTANBUL", language).string == view


def test_dotted_capital_moves_no_offset() -> None:
    # str.lower makes two characters of each İ: "Rusya" would be found three places too late.
    text = "İİİ Rusya"
    view = match_view(text, "tr")
    start = view.string.index("rusya")
    assert text[slice(*view.source(start, start + 5))] == "Rusya"


def test_source_takes_in_marks_and_leaves_out_what_is_invisible_after() -> None:
    text = "\ufeffOekrai\u0308ne\u200e's"
    view = match_view(text, "nl")
    assert view.string == "oekraïne's"
    # BOM 0, O 1, e 2, k 3, r 4, a 5, i 6 with its mark 7, n 8, e 9, the direction mark 10.
    assert view.source(0, 8) == (1, 10)
    assert view.source(5, 6) == (6, 8)


def test_index_finds_the_next_view_character() -> None:
    view = match_view("a\u200bi\u0308b", None)
    assert [view.index(offset) for offset in range(6)] == [0, 1, 1, 2, 2, 3]


def test_upper_case_is_kept_beside_the_view() -> None:
    view = match_view("de Oekrai\u0308ne, TÜRKİYE", "tr")
    assert [i for i in range(len(view.string)) if view.is_upper(i)] == [3, *range(13, 20)]


def test_only_one_character_grows_in_lower_case() -> None:
    # The view lowers the whole string at once; that is safe as long as this holds.
    grows = [i for i in range(sys.maxunicode + 1) if len(chr(i).lower()) != 1]
    assert grows == [0x130]


@given(TEXTS, st.sampled_from(["tr", "nl", None]))
def test_every_view_character_has_its_place(text: str, language: str | None) -> None:
    view = match_view(text, language)
    places = [view.source(i, i + 1) for i in range(len(view.string))]
    assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(a[1] <= b[0] for a, b in pairwise(places))
    assert [view.index(start) for start, _ in places] == list(range(len(view.string)))


@given(st.text(alphabet=st.characters(categories=["L", "Nd", "Zs", "P"], max_codepoint=0x52F)))
def test_composed_and_decomposed_text_look_alike(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    if not _is_stressed(composed):
        decomposed = unicodedata.normalize("NFD", composed)
        assert match_view(composed, None).string == match_view(decomposed, None).string


def _is_stressed(text: str) -> bool:
    """Whether a Cyrillic letter bears what the view takes for a stress mark."""
    return any(
        "\u0400" <= parts[0] <= "\u04ff" and ("\u0300" in parts or "\u0301" in parts)
        for parts in (unicodedata.normalize("NFD", letter) for letter in text)
    )


@given(TEXTS)
def test_a_plain_view_differs_from_a_folded_one_in_letters_only(text: str) -> None:
    plain, folded = plain_view(text), match_view(text, None)
    assert len(plain.string) == len(folded.string)
    assert [plain.start(i) for i in range(len(plain.string))] == [
        folded.start(i) for i in range(len(folded.string))
    ]
