"""The country swap of benchmarks/quality.py: forms, cases, offsets."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from classifier.records import Article, Span

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def swap(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("quality_swap")


@pytest.fixture
def forms(monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("quality_forms")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The Kremlin mocked Turkey’s army.", "Ankara mocked Russia’s army."),
        ("nl", "Het Kremlin prijst Turkse boeren.", "Ankara prijst Russische boeren."),
        ("tr", "Rusya'nın gemisi Ankara’ya vardı.", "Türkiye'nin gemisi Moskova’ya vardı."),
        ("ru", "Российские суда ушли в Турцию.", "Турецкие суда ушли в Россию."),
        ("uk", "Росією керує не Туреччина.", "Туреччиною керує не Росія."),
    ],
)
def test_countries_change_places_in_the_same_form(
    swap: Any,  # noqa: ANN401
    language: str,
    text: str,
    expected: str,
) -> None:
    assert swap.swap(text, language, swap.exchange("TR", "RU")).text == expected


def test_the_word_before_decides_an_ambiguous_case(swap: Any) -> None:  # noqa: ANN401
    # "России" is genitive, dative and locative: "в" asks for the locative, "к" for the dative.
    text = "Дорога в России, дорога к России, дорога из России"
    done = swap.swap(text, "ru", {"RU": "UA"})
    assert done.text == "Дорога в Украине, дорога к Украине, дорога из Украины"


def test_names_keep_their_spans(swap: Any) -> None:  # noqa: ANN401
    text = "Rusya'nın sözü"
    done = swap.swap(text, "tr", {"RU": "UA"})
    new = done.place(Span(0, 5))
    assert new is not None
    assert new.of(done.text) == "Ukrayna"


def test_swapping_twice_gives_the_text_back(swap: Any) -> None:  # noqa: ANN401
    text = "Turkey warned Ukraine that Russians and Turks had met Putin in Ankara."
    places = swap.exchange("TR", "RU")
    assert swap.swap(swap.swap(text, "en", places).text, "en", places).text == text


def test_other_words_stay(swap: Any) -> None:  # noqa: ANN401
    text = "Turkeys, Kyivstar and a Belarusian"
    assert swap.swap(text, "en", swap.exchange("TR", "UA")).text == text


def test_rows_are_aligned(forms: Any) -> None:  # noqa: ANN401
    for rows in forms.FORMS.values():
        for row in rows:
            assert set(row) == {"TR", "RU", "UA"}
            assert len({len(cell.split("|")) for cell in row.values()}) == 1


def test_an_article_gets_an_id_of_its_own(swap: Any) -> None:  # noqa: ANN401
    article = Article("a", "Ankara sweeg.", language="nl")
    copy, _ = swap.swapped_article(article, {"TR": "UA"})
    assert (copy.article_id, copy.text) == ("a~TRUA", "Kyiv sweeg.")
