"""Kinds of mention that a codebook asks for, and kinds that carry a stance."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from classifier.codebook import (
    default_codebook,
    parse_codebook,
    read_codebook,
    shipped_annotations,
    write_codebook,
)
from classifier.errors import CodebookError
from classifier.mentions import explain_mentions, find_mentions
from classifier.records import Article, MentionKind

_ASKED = replace(default_codebook(), mention_kinds=("official", "code"))
_Found = list[tuple[str, str, str]]


def _found(text: str, language: str, date: str | None = None, *, asked: bool = False) -> _Found:
    book = _ASKED if asked else default_codebook()
    mentions = find_mentions(Article("a", text, language=language, date=date), book)
    return [(m.surface, m.target, m.kind) for m in mentions]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("nl", "De Kyivse regering wacht.", [("Kyivse", "UA", "metonym")]),
        ("nl", "Moskouse propaganda hielp niet.", [("Moskouse", "RU", "metonym")]),
        ("nl", "De Kyivse metro reed.", []),
        ("nl", "Duizenden Moskovieten wachtten.", [("Moskovieten", "RU", "demonym")]),
        ("en", "Muscovites queued for bread.", [("Muscovites", "RU", "demonym")]),
        ("en", "The AFU fell back.", [("AFU", "UA", "metonym")]),
        ("tr", "TBMM bugün toplandı.", [("TBMM", "TR", "metonym")]),
        ("tr", "T.C. Dışişleri Bakanlığı yazdı.", [("T.C.", "TR", "name")]),
        ("tr", "T.C. kimlik numarası soruldu.", []),
        ("tr", "Türk Dışişleri açıkladı.", [("Türk", "TR", "demonym")]),
        ("ru", "ВСУ отошли, рф молчит.", [("ВСУ", "UA", "metonym"), ("рф", "RU", "name")]),
        ("ru", "Пропутинский депутат ушёл.", [("путинский", "RU", "compound")]),
        ("uk", "ЗСУ відійшли.", [("ЗСУ", "UA", "metonym")]),
        ("uk", "Ердоганівський суд мовчить.", [("Ердоганівський", "TR", "leader")]),
    ],
)
def test_further_names_are_found(language: str, text: str, expected: _Found) -> None:
    assert _found(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "surface", "target"),
    [
        ("nl", "Weg met de rasjisten!", "rasjisten", "RU"),
        ("en", "Those Russkies again.", "Russkies", "RU"),
        ("tr", "Moskoflar geldi.", "Moskoflar", "RU"),
        ("ru", "Опять эти хохлы.", "хохлы", "UA"),
        ("ru", "Опять эта русня.", "русня", "RU"),
        ("uk", "Знову ці кацапи.", "кацапи", "RU"),
    ],
)
def test_a_slur_is_a_kind_of_its_own(language: str, text: str, surface: str, target: str) -> None:
    assert _found(text, language) == [(surface, target, "slur")]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Укропы посадили рядом с петрушкой.", "herb"),
        ("У птицы вырос яркий хохол.", "bird"),
        ("Вчера приехал Хохлов.", "surname"),
    ],
)
def test_words_that_only_look_like_slurs_are_none(text: str, rule: str) -> None:
    report = explain_mentions(Article("a", text, language="ru"), default_codebook())
    assert (report.mentions, [one.rule for one in report.excluded]) == ((), [rule])


@pytest.mark.parametrize(
    ("language", "text", "surface", "target"),
    [
        ("nl", "Minister Dmytro Koeleba vloog terug.", "Dmytro Koeleba", "UA"),
        ("en", "Sergei Lavrov flew home.", "Sergei Lavrov", "RU"),
        ("tr", "Bakan Hulusi Akar döndü.", "Hulusi Akar", "TR"),
        ("ru", "Вернулась Мария Захарова.", "Мария Захарова", "RU"),
        ("uk", "Повернувся Валерій Залужний.", "Валерій Залужний", "UA"),
    ],
)
def test_officials_count_if_the_codebook_asks(
    language: str, text: str, surface: str, target: str
) -> None:
    assert _found(text, language, "2022-06-01") == []
    assert _found(text, language, "2022-06-01", asked=True) == [(surface, target, "official")]


@pytest.mark.parametrize(
    ("date", "n"), [("2020-03-03", 0), ("2020-03-04", 1), ("2024-09-05", 1), ("2024-09-06", 0)]
)
def test_officials_count_while_in_office(date: str, n: int) -> None:
    assert len(_found("Kuleba flew home.", "en", date, asked=True)) == n


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nl", "Oud-minister Koeleba vertrok."),
        ("en", "Former foreign minister Kuleba left."),
        ("tr", "Eski Dışişleri Bakanı Kuleba ayrıldı."),
        ("ru", "Бывший министр иностранных дел Кулеба ушёл."),
        ("uk", "Колишній міністр закордонних справ Кулеба пішов."),
    ],
)
def test_former_officials_do_not_count_whatever_the_date(language: str, text: str) -> None:
    assert _found(text, language, "2022-06-01", asked=True) == []


@pytest.mark.parametrize("language", ["nl", "en", "tr", "ru", "uk"])
def test_codes_and_flags_count_if_the_codebook_asks(language: str) -> None:
    text = "UKR 2:1 🇹🇷"
    assert _found(text, language) == []
    assert _found(text, language, asked=True) == [("UKR", "UA", "code"), ("🇹🇷", "TR", "code")]


@pytest.mark.parametrize("text", ["Dört tur koştu.", "İLK TUR BİTTİ"])
def test_a_word_is_no_code(text: str) -> None:
    assert _found(text, "tr", asked=True) == []


def test_historical_states_count_if_the_codebook_asks() -> None:
    book = replace(default_codebook(), mention_kinds=("historical",))
    article = Article("a", "The Soviet Union fell.", language="en")
    assert [m.kind for m in find_mentions(article, book)] == ["historical"]


@pytest.mark.parametrize("kinds", [(), ("code",), ("official", "code")])
def test_a_codebook_keeps_its_kinds(kinds: tuple[MentionKind, ...], tmp_path: Path) -> None:
    book = replace(default_codebook(), mention_kinds=kinds)
    write_codebook(book, tmp_path / "codebook.toml")
    assert set(read_codebook(tmp_path / "codebook.toml").mention_kinds) == set(kinds)


def test_a_kind_that_always_counts_is_none_to_ask_for() -> None:
    shipped = (shipped_annotations() / "codebook.toml").read_text(encoding="utf-8")
    with pytest.raises(CodebookError, match="the others always count"):
        parse_codebook({**tomllib.loads(shipped), "mention_kinds": ["name"]})
