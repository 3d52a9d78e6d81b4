"""Whether a line that names a channel is a report or a notice is told by its form."""

import tomllib
from pathlib import Path

import pytest

from classifier.articles import find_zones
from classifier.articles._page import read_page
from classifier.records import LANGUAGES, Article

_LINES = tomllib.loads(
    (Path(__file__).parent.parent / "data" / "notices.toml").read_text(encoding="utf-8")
)
_LEAD = "De haven ging maandag dicht, zei de loods.\n\n"


def _is_boilerplate(line: str, language: str) -> bool:
    article = Article("a", _LEAD + line, language=language)
    return find_zones(article)[-1].kind == "boilerplate"


@pytest.mark.parametrize("language", LANGUAGES)
def test_reports_on_a_channel_are_text_and_calls_to_one_are_not(language: str) -> None:
    lines = _LINES[language]
    false = [line for line in lines["report"] if _is_boilerplate(line, language)]
    missed = [line for line in lines["notice"] if not _is_boilerplate(line, language)]
    found = len(lines["notice"]) - len(missed)
    assert found / (found + len(false)) >= 0.95, false
    assert found / len(lines["notice"]) >= 0.90, missed


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("FILE PHOTO: The ferry leaves the port of Odesa in May", "caption"),
        ("(Reporting by Ines Okafor; Editing by Tom Salo)", "metadata"),
        ("Reporting by Ines Okafor in Odesa; editing by Tom Salo", "metadata"),
        (
            "Reporting by the navy was poor, and the port of Odesa was shut for a week on Monday "
            "while the pilots waited for the tugs that Turkey had promised.",
            "body",
        ),
        ("Related Topics", "boilerplate"),
        ("Meer over de haven", "boilerplate"),
        ("Meer over de haven wilde de loods niet kwijt.", "body"),
        ("Other Topics of Interest", "boilerplate"),
        ("Verder lezen? Neem een abonnement of word lid", "boilerplate"),
        ("Skip to content", "boilerplate"),
    ],
)
def test_what_stands_beside_the_text(line: str, kind: str) -> None:
    assert find_zones(Article("a", _LEAD + line, language="en"))[-1].kind == kind


_LEADS = {
    "nl": _LEAD,
    "en": "The port of Odesa was shut on Monday, the pilot said. Turkey sent tugs.\n\n",
    "tr": "Odesa limanı pazartesi kapandı, kılavuz böyle dedi. Türkiye römorkör gönderdi.\n\n",
    "ru": "Порт Одессы закрылся в понедельник, сказал лоцман. Турция прислала буксиры.\n\n",
    "uk": "Порт Одеси закрився в понеділок, сказав лоцман. Туреччина прислала буксири.\n\n",
}


@pytest.mark.parametrize(
    ("language", "line", "kind"),
    [
        ("en", "© Mara Okafor / Selwick Pictures", "caption"),
        ("nl", "© Mara Okafor", "caption"),
        ("tr", "© Selim Kaya", "caption"),
        ("ru", "© Фото: Анна Ким", "caption"),
        ("uk", "Фото: Анна Кім", "caption"),
        ("nl", "ARCHIEFFOTO: de haven van Odesa in mei", "caption"),
        ("tr", "ARŞİV FOTOĞRAFI: Odesa limanı, mayıs", "caption"),
        ("ru", "АРХИВНОЕ ФОТО: порт Одессы в мае", "caption"),
        ("uk", "АРХІВНЕ ФОТО: порт Одеси в травні", "caption"),
        ("en", "SIGN UP FOR OUR DAILY NEWSLETTER", "boilerplate"),
        ("nl", "ABONNEER NU EN LEES VERDER", "boilerplate"),
        ("tr", "HABERİN DEVAMI İÇİN ABONE OLUN", "boilerplate"),
        ("ru", "ПОДПИШИСЬ НА НАШ КАНАЛ", "boilerplate"),
        ("uk", "ПІДПИШІТЬСЯ НА НАШ КАНАЛ", "boilerplate"),
        ("tr", "İçeriğe geç", "boilerplate"),
        ("ru", "Перейти к содержанию", "boilerplate"),
        ("nl", "(ANP)", "metadata"),
        ("en", "(Reuters)", "metadata"),
        ("tr", "(AA)", "metadata"),
        ("ru", "(ТАСС)", "metadata"),
        ("uk", "(Укрінформ)", "metadata"),
    ],
)
def test_what_stands_beside_the_text_in_each_language(language: str, line: str, kind: str) -> None:
    article = Article("a", _LEADS[language] + line, language=language)
    assert find_zones(article)[-1].kind == kind


@pytest.mark.parametrize(
    ("language", "call", "link"),
    [
        ("nl", "Lees ook:", "Turkije sluit de zeestraat voor schepen"),
        ("en", "Read also:", "Turkey closes the strait to all ships"),
        ("tr", "Bunları da oku:", "Türkiye boğazı gemilere kapattı"),
        ("ru", "Читайте также:", "Турция закрыла пролив для судов"),
        ("uk", "Читайте також:", "Туреччина закрила протоку для суден"),
    ],
)
def test_a_link_behind_a_call_to_read_is_no_text(language: str, call: str, link: str) -> None:
    text = f"{_LEADS[language]}{call}\n{link}\n\n{_LEADS[language]}"
    kinds = [zone.kind for zone in find_zones(Article("a", text, language=language))]
    assert kinds == ["body", "boilerplate", "boilerplate", "body"]


@pytest.mark.parametrize(
    ("language", "tag", "headline"),
    [
        ("nl", "Oorlog in Oekraïne", "Haven van Odesa dagenlang dicht door storm"),
        ("en", "WORLD", "Port of Odesa shut for days by storm"),
        ("tr", "DÜNYA", "Odesa limanı günlerce kapalı kaldı"),
        ("ru", "Политика", "Порт Одессы закрыт на несколько дней"),
        ("uk", "Світ", "Порт Одеси закрито на кілька днів"),
    ],
)
def test_a_section_above_the_headline_is_no_headline(
    language: str, tag: str, headline: str
) -> None:
    text = f"{tag}\n{headline}\n\n{_LEADS[language]}"
    kinds = [zone.kind for zone in find_zones(Article("a", text, language=language))]
    assert kinds == ["metadata", "headline", "body"]


def test_a_pages_own_date_goes_before_its_json_ld() -> None:
    page = (
        '<html><head><meta charset="utf-8">'
        '<meta property="article:published_time" content="2023-05-04T10:00:00Z">'
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Port shut", '
        '"datePublished": "2015-01-01"}</script></head><body><article><h1>Port shut</h1>'
        + "<p>The port of Odesa was shut on Monday and the pilots waited for the tugs.</p>" * 5
        + "</article></body></html>"
    )
    assert read_page(page.encode())["date"].startswith("2023-05-04")
