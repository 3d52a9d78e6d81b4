"""Forms of quotation and report as news has them, with who speaks; the sentences are our own."""

import pytest

from classifier.mentions.voice import Report, find_reports
from classifier.records import Span, Zone, ZoneKind


def _reports(text: str, language: str, kind: ZoneKind = "body") -> list[Report]:
    found = find_reports(text, [Zone(Span(0, len(text)), kind, language)])
    return [report for report in found if not report.is_scare]


def _read(text: str, language: str, kind: ZoneKind = "body") -> list[tuple[str | None, str]]:
    """Speaker and content of every report."""
    return [
        (report.speaker.of(text) if report.speaker else None, report.content.of(text))
        for report in _reports(text, language, kind)
    ]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Bakan Demir, “Liman yarın sabah açılacak” dedi.", "Bakan Demir"),
        ("Vali Kaya, “Liman yarın sabah açılacak” ifadelerini kullandı.", "Vali Kaya"),
        ("Sözcü Aksoy, “Limanı biz kapatmadık” demişti.", "Sözcü Aksoy"),
        ("“Liman yarın sabah açılacak” diyen Selim Kaya sustu.", "Selim Kaya"),
        (
            "Limanın açılması gerektiğini belirten Kremlin Sözcüsü Petrov sustu.",
            "Kremlin Sözcüsü Petrov",
        ),
    ],
)
def test_turkish_speakers(text: str, speaker: str) -> None:
    assert [found for found, _ in _read(text, "tr")] == [speaker]


@pytest.mark.parametrize("verb", ["kaydetmişti", "belirtmişti", "açıklamıştı", "duyurmuştu"])
def test_turkish_pluperfects_report(verb: str) -> None:
    assert _read(f"Vali Kaya, Rusya'nın limanı kapattığını {verb}.", "tr") == [
        ("Vali Kaya", "Rusya'nın limanı kapattığını")
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("De loods heeft laten weten dat Rusland wacht.", ("De loods", "Rusland wacht")),
        ("De haven gaat dicht, laat loods Okafor weten.", ("loods Okafor", "De haven gaat dicht")),
        ("De reder maakte bekend dat Rusland wacht.", ("De reder", "Rusland wacht")),
        ("De minister heeft gezegd dat Rusland wacht.", ("De minister", "Rusland wacht")),
        (
            "Volgens Kyiv 120 drones neergehaald boven zee.",
            ("Kyiv", "120 drones neergehaald boven zee"),
        ),
        ("De reder is bezorgd dat Rusland wacht.", ("De reder", "Rusland wacht")),
    ],
)
def test_dutch_reports(text: str, read: tuple[str, str]) -> None:
    assert _read(text, "nl") == [read]


@pytest.mark.parametrize(
    ("text", "language", "speaker"),
    [
        ("Ковальчук: порт відкриється завтра вранці", "uk", "Ковальчук"),
        ("Demir: Liman yarın sabah açılıyor", "tr", "Demir"),
        ("LIVE | Okafor: de haven gaat morgen weer open", "nl", "Okafor"),
        ("Порт відкриється завтра вранці, – Ковальчук", "uk", "Ковальчук"),
        ("Порт откроется завтра утром — Петров", "ru", "Петров"),
    ],
)
def test_headlines_that_name_their_speaker(text: str, language: str, speaker: str) -> None:
    assert [found for found, _ in _read(text, language, "headline")] == [speaker]


@pytest.mark.parametrize(
    "text", ["Oekraïne: drie doden bij brand in haven", "Foto: de haven in brand vanmorgen"]
)
def test_headlines_that_name_their_place_have_no_speaker(text: str) -> None:
    assert _read(text, "nl", "headline") == []


@pytest.mark.parametrize(
    ("text", "language", "speaker"),
    [
        ("Лоцман Петров сказал, что «Россия закрыла порт до самой весны».", "ru", "Лоцман Петров"),
        ("Лоцман Коваль сказав, що «Росія закрила порт до самої весни».", "uk", "Лоцман Коваль"),
        ("По его словам, Россия закрыла порт.", "ru", "его"),
        ("За його словами, Росія закрила порт.", "uk", "його"),
    ],
)
def test_slavic_speakers(text: str, language: str, speaker: str) -> None:
    assert speaker in [found for found, _ in _read(text, language)]


@pytest.mark.parametrize(
    "text",
    [
        "Member states that provide Ukraine with ships met again.",
        "The envoy ruled that out for Ukraine on Monday.",
    ],
)
def test_english_verbs_that_report_nothing(text: str) -> None:
    assert _read(text, "en") == []


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        (
            "The pilot blamed the mayor, saying “the port was shut without a word to us.”",
            "The pilot",
        ),
        ("The U.S. Treasury said that Russia would pay.", "The U.S. Treasury"),
        ("The harbour master underscored that Russia would pay.", "The harbour master"),
    ],
)
def test_english_speakers(text: str, speaker: str) -> None:
    assert [found for found, _ in _read(text, "en")] == [speaker]
