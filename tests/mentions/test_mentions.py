import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.codebook import Codebook, Target, default_codebook
from classifier.errors import CodebookError
from classifier.mentions import LEXICON_VERSION, explain_mentions, find_mentions
from classifier.mentions._lexicon import expand
from classifier.records import LANGUAGES, Article, DateOrigin

DATA = Path(__file__).parent.parent / "data"
CORPUS = os.environ.get("CLASSIFIER_CORPUS")
ASIA = (
    Target(
        "CN",
        "China",
        aliases={
            "nl": ("China", "Chinees", "Chinese", "Chinezen", "Peking"),
            "en": ("China", "Chinese", "Beijing"),
            "tr": ("Çin", "Pekin"),
            "ru": ("Китай", "китайский", "китаец", "Пекин"),
            "uk": ("Китай", "китайський", "китаєць", "Пекін"),
        },
    ),
    Target(
        "AM",
        "Armenia",
        aliases={
            "nl": ("Armenië", "Armeens", "Armeense", "Armeniër"),
            "en": ("Armenia", "Armenian", "Yerevan"),
            "tr": ("Ermenistan", "Ermeni", "Erivan"),
            "ru": ("Армения", "армянский", "армянин", "Ереван"),
            "uk": ("Вірменія", "вірменський", "вірменин", "Єреван"),
        },
    ),
)


def article(text: str, language: str | None = "nl", date: str | None = None) -> Article:
    return Article("a", text, language=language, date=date)


def surfaces(text: str, language: str | None = "nl", date: str | None = None) -> list[str]:
    return [m.surface for m in find_mentions(article(text, language, date), default_codebook())]


def rules(text: str, language: str = "nl", date: str | None = None) -> dict[str, str]:
    report = explain_mentions(article(text, language, date), default_codebook())
    return {excluded.surface: excluded.rule for excluded in report.excluded}


def codebook(*targets: Target) -> Codebook:
    return Codebook("test", "1", targets, default_codebook().variables)


def gold(language: str) -> list[Mapping[str, Any]]:
    lines = (DATA / f"gold_mentions_{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def spans(row: Mapping[str, Any]) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """Mentions found and mentions wanted in a row of the gold set."""
    found = find_mentions(
        article(row["text"], row["language"], row.get("date")), default_codebook()
    )
    return (
        {(m.span.start, m.span.end, m.target, m.kind) for m in found},
        {(m["start"], m["end"], m["target"], m["kind"]) for m in row["mentions"]},
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_gold_mentions_are_found_exactly(language: str) -> None:
    pairs = [spans(row) for row in gold(language)]
    n_right = sum(len(found & wanted) for found, wanted in pairs)
    n_marked = sum(len(found) + len(wanted) for found, wanted in pairs)
    assert 2 * n_right / n_marked >= 0.98  # F1 on sentences that the rules were written against


@pytest.mark.parametrize("language", LANGUAGES)
def test_gold_traps_are_avoided(language: str) -> None:
    traps = [spans(row) for row in gold(language) if row["trap"]]
    assert len(traps) >= 30
    assert sum(bool(found - wanted) for found, wanted in traps) <= len(traps) / 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_gold_offsets_are_exact(language: str) -> None:
    for row in gold(language):
        for mention in row["mentions"]:
            assert row["text"][mention["start"] : mention["end"]] == mention["surface"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        pytest.param("Türkiye’nin ve Rusya'ya", "tr", ["Türkiye", "Rusya"], id="clitic outside"),
        pytest.param("Ruslands leger, Poetins plan", "nl", ["Ruslands", "Poetins"], id="genitive"),
        pytest.param("Rusyanın limanı", "tr", ["Rusyanın"], id="no apostrophe"),
        pytest.param("TÜRKİYE, RUSYA VE UKRAYNA", "tr", ["TÜRKİYE", "RUSYA", "UKRAYNA"], id="İ"),
        pytest.param("Oekrai\u0308ne-crisis", "nl", ["Oekrai\u0308ne"], id="decomposed"),
        pytest.param(
            "Oek\u00adra\u00adïne wacht", "nl", ["Oek\u00adra\u00adïne"], id="soft hyphen"
        ),
        pytest.param(
            "Росси\u0301я и Украи\u0301на", "ru", ["Росси\u0301я", "Украи\u0301на"], id="stress"
        ),
        pytest.param("🚢🚢 Kiev", "nl", ["Kiev"], id="beyond the basic plane"),
        pytest.param(
            "Recep\u00a0Tayyip\nErdoğan", "en", ["Recep\u00a0Tayyip\nErdoğan"], id="spaces"
        ),
        pytest.param(
            "В. В. Путин и В.Зеленский", "ru", ["В. В. Путин", "Зеленский"], id="initials"
        ),
        pytest.param("de Poetin-Erdogan-top", "nl", ["Poetin", "Erdogan"], id="both halves"),
        pytest.param("Ruslandbeleid en Ruslandgangers", "nl", ["Rusland", "Rusland"], id="solid"),
        pytest.param(
            "антироссийский и проукраинский", "ru", ["российский", "украинский"], id="prefix"
        ),
        pytest.param(
            "росія програє, путін мовчить", "uk", ["росія", "путін"], id="lower on purpose"
        ),
    ],
)
def test_spans(text: str, language: str, expected: list[str]) -> None:
    assert surfaces(text, language) == expected


@pytest.mark.parametrize(
    ("text", "language", "surface", "rule"),
    [
        ("Rusland-deskundige Van Dam", "nl", "Rusland", "person by what they study"),
        ("Wit-Rusland sluit de grens", "nl", "Rusland", "another country"),
        ("een bord Turks fruit", "nl", "Turks", "food"),
        ("a box of Turkish\r\ndelight", "en", "Turkish", "food"),
        ("een doos Turks\u2028fruit – niet veel", "nl", "Turks", "food"),
        ("He carved the turkey.", "en", "turkey", "the bird"),
        ("MOSCOW, March 3 (Reuters) - It rained.", "en", "MOSCOW", "dateline"),
        ("see www.news.example/ukraine-live now", "en", "ukraine", "address"),
        ("Кофе варят в турке.", "ru", "турке", "coffee pot"),
        ("Путина на Камчатке началась.", "ru", "Путина", "fishing season"),
        ("Ahmet Türk konuştu.", "tr", "Türk", "surname"),
        ("Tunnels under the Soviet Union", "en", "Soviet Union", "historical"),
    ],
)
def test_exclusions_name_their_rule(text: str, language: str, surface: str, rule: str) -> None:
    assert rules(text, language) == {surface: rule}
    assert surfaces(text, language) == []


@pytest.mark.parametrize(
    ("date", "found"),
    [
        pytest.param("2016-05-03", True, id="in office"),
        pytest.param("2019-05-20", True, id="last day"),
        pytest.param("2019-05-21", False, id="the day after"),
        pytest.param("2019-05", True, id="month in which he left"),
        pytest.param("2019", True, id="year in which he left"),
        pytest.param("2014-06-06", False, id="the day before"),
        pytest.param(None, True, id="undated: nobody is out of office"),
    ],
)
def test_leaders_count_while_in_office(date: str | None, found: bool) -> None:
    text = "Poroshenko flew home."
    assert surfaces(text, "en", date) == (["Poroshenko"] if found else [])
    assert rules(text, "en", date) == ({} if found else {"Poroshenko": "out of office"})


@pytest.mark.parametrize(("origin", "found"), [(None, 0), ("text", 1)])
def test_nobody_is_out_of_office_by_a_date_that_was_read_in_the_text(
    origin: DateOrigin | None, found: int
) -> None:
    read = Article("a", "Medvedev flew home.", language="en", date="2022-03-01", date_origin=origin)
    assert len(find_mentions(read, default_codebook())) == found


def test_former_leaders_do_not_count_whatever_the_date() -> None:
    text = "Oud-president Porosjenko vertrok."
    assert rules(text, "nl", "2016-05-03") == {"Porosjenko": "out of office"}


def test_historical_states_count_on_request() -> None:
    text = article("De Sovjet-Unie en de Oekraïense SSR bestaan niet meer.")
    mentions = find_mentions(text, default_codebook(), historical=True)
    assert [(m.surface, m.target, m.kind) for m in mentions] == [
        ("Sovjet-Unie", "RU", "historical"),
        ("Oekraïense SSR", "UA", "historical"),
    ]


def test_words_of_another_language_are_read_by_its_lexicon() -> None:
    text = article(
        "De zender noemde het «Росія» en schreef: Ukraine will win, says the Turkish envoy."
    )
    found = find_mentions(text, default_codebook())
    assert [(m.surface, m.language) for m in found] == [
        ("Росія", "uk"),
        ("Ukraine", "en"),
        ("Turkish", "en"),
    ]


def test_short_text_of_unknown_language_is_read_by_all_lexicons() -> None:
    assert surfaces("Kyiv / Moskou / Анкара", None) == ["Kyiv", "Moskou", "Анкара"]


def test_mention_carries_its_evidence() -> None:
    text = "Intro over het weer.\n\n‘Wij vertrouwen Rusland niet’, zei een inwoner van Kiev."
    rusland, kiev = find_mentions(article(text), default_codebook())
    assert (rusland.voice, kiev.voice) == ("quoted", "author")
    assert (rusland.entry, rusland.kind, rusland.zone) == ("nl/RU/rusland", "name", "body")
    assert rusland.lexicon_version == LEXICON_VERSION


def test_voice_is_empty_where_the_codebook_does_not_ask() -> None:
    stance = (default_codebook().variable("stance"),)
    asked = Codebook("test", "1", default_codebook().targets, stance)
    assert [m.voice for m in find_mentions(article("Rusland zwijgt."), asked)] == [""]


def test_report_lists_candidates_for_the_lexicon() -> None:
    text = "Russophobia grows, said the Ukrainian."
    report = explain_mentions(article(text, "en"), default_codebook())
    assert [span.of(text) for span in report.candidates] == ["Russophobia"]
    assert [m.surface for m in report.mentions] == ["Ukrainian"]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (
            "China’s leger, Armeniës grens, het Chinabeleid en de Armeens-Chinese handel",
            "nl",
            ["China", "Armeniës", "China", "Armeens", "Chinese"],
        ),
        ("Fine china for Armenians; Beijing waits.", "en", ["Armenians", "Beijing"]),
        ("Çin'in Ermenistan’a mesajı; Çinliler bekliyor.", "tr", ["Çin", "Ermenistan", "Çinliler"]),
        (
            "Переговоры Китая и Армении: китайцы, армяне, проармянский посредник в Ереване",
            "ru",
            ["Китая", "Армении", "китайцы", "армяне", "армянский", "Ереване"],
        ),
        (
            "Переговори Китаю та Вірменії: китайців, вірменській, у Пекіні",
            "uk",
            ["Китаю", "Вірменії", "китайців", "вірменській", "Пекіні"],
        ),
    ],
)
def test_aliases_inflect_by_the_rules_of_their_language(
    text: str, language: str, expected: list[str]
) -> None:
    assert [m.surface for m in find_mentions(article(text, language), codebook(*ASIA))] == expected


@pytest.mark.parametrize("alias", ["Ruri–Tanië", "Ruri\u2011Tanië", "Ruri-Tanie\u0308"])
def test_an_alias_matches_however_its_signs_are_set(alias: str) -> None:
    codes = codebook(Target("RT", "Ruritania", aliases={"nl": (alias,)}))
    found = find_mentions(article(f"{alias} en Ruri-Tanië wachten."), codes)
    assert [m.surface for m in found] == [alias, "Ruri-Tanië"]


def test_a_target_brings_its_own_lexicon(tmp_path: Path) -> None:
    path = tmp_path / "AM.toml"
    path.write_text(
        """
        [nl.AM.name]
        armenie = "Armenië[s]"
        [nl.AM.demonym]
        armeens = "Armeens[e]|Armeniër[s]"
        [nl.AM.leader]
        pasjinjan = { forms = "Pasjinjan[s]", given = "Nikol", from = "2018-05-08" }
        [ru.AM.name]
        armeniya = "Армени~"
        [nl.exclude]
        food = ["Armeense (cognac|abrikozen)"]
        """,
        encoding="utf-8",
    )
    scheme = codebook(Target("Armenia", "Armenia", lexicon=str(path)))
    text = article("Nikol Pasjinjan schonk Armeense cognac in de Armeense ambassade.")
    report = explain_mentions(text, scheme)
    assert [(m.surface, m.target) for m in report.mentions] == [
        ("Nikol Pasjinjan", "Armenia"),
        ("Armeense", "Armenia"),
    ]
    assert [(e.surface, e.rule) for e in report.excluded] == [("Armeense", "food")]
    assert report.lexicon_version.startswith(f"{LEXICON_VERSION}+")


def test_missing_lexicons_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="lexicon 'XX' has none"):
        find_mentions(article("Rusland"), codebook(Target("X", "X", lexicon="XX")))
    missing = str(tmp_path / "XX.toml")
    with pytest.raises(CodebookError, match="'X' needs a lexicon there"):
        find_mentions(article("Rusland"), codebook(Target("X", "X", lexicon=missing)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[nl.X.name\n", "a lexicon must be UTF-8 TOML"),
        ("[de.X.name]\na = 'A'\n", "may be in nl, en, tr, ru, uk; got 'de'"),
        ("[nl.X.nickname]\na = 'A'\n", "has the kinds name, .*; got 'nickname'"),
        ("[nl.X.name]\na = 3\n", "nl/X/a needs forms .* got 3"),
        ("[nl.X.name]\na = { forms = 'A', till = 'B' }\n", "nl/X/a needs forms .* 'till'"),
        ("[nl.X.name]\na = 'A(b'\n", "nl/X/a: .* does not close it"),
    ],
)
def test_malformed_lexicons_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "X.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CodebookError, match=message):
        find_mentions(article("Rusland"), codebook(Target("X", "X", lexicon=str(path))))


@pytest.mark.parametrize(
    ("notation", "forms"),
    [
        ("Rus[sen]", ["rus", "russen"]),
        ("(a|b)c|d", ["ac", "bc", "d"]),
        ("K<a>", ["k", "ka"]),
        ("Wit(-| |)Rus", ["wit-rus", "wit rus", "witrus"]),
        (r"Dinamo\(Kiev", ["dinamo(kiev"]),
        ("Анни~", ["анни", "аннии"]),
        ("İĞDIR’ın", ["iğdir'in"]),
    ],
)
def test_notation(notation: str, forms: list[str]) -> None:
    found = expand(notation, {"a": ("", "a")}, {"и": ("ии",), "": ("s",)})
    assert sorted(found) == sorted(forms)


@pytest.mark.parametrize(
    ("notation", "message"),
    [
        ("a)b", "closes a bracket that it did not open"),
        ("a[b", "does not close it"),
        ("a<b>", "names no paradigm"),
        ("(1|2|3|4|5|6|7|8|9)" * 5, "20000 forms at most"),
    ],
)
def test_notation_refuses_what_is_malformed(notation: str, message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        expand(notation, {}, {})


PIECES = [
    "Rusland", "Oekraïne", "Türkiye’nin", "TÜRKİYE", "Эрдогана", "Путин", "українською", "Kremlin",
    "Recep Tayyip Erdoğan", "Wit-Rusland", "turkey", "анти", "российский", "-", "’", "'", "‘", "„",
    "“", "”", "«", "»", '"', "\u00ad", "\u0308", "\u200f", "İ", "ı", "\n", "\r\n", " ", ". ",
    "https://x.example/", "@", "zei dat ", "said ", "🚢", "\ud83d", "\x00", "(AP) — ", "MOSCOW",
]  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=30).map("".join))
def test_any_text_gives_exact_ordered_spans(text: str) -> None:
    report = explain_mentions(article(text, None), default_codebook())
    found = [(one.span, one.surface) for one in report.mentions]
    found += [(one.span, one.surface) for one in report.excluded]
    assert all(text[span.start : span.end] == surface for span, surface in found)
    ends = [0, *(m.span.end for m in report.mentions)]
    assert all(m.span.start >= end for m, end in zip(report.mentions, ends, strict=False))
    assert report == explain_mentions(article(text, None), default_codebook())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Rusland " * 20_000, id="a mention every word"),
        pytest.param("rusland" * 20_000, id="one giant word"),
        pytest.param("Rusland-" * 20_000, id="one giant compound"),
        pytest.param("@Rusland/" * 20_000, id="one giant address"),
        pytest.param("Vladimir " * 20_000 + "Putin", id="given names without end"),
        pytest.param("Rusland" + "\u0308\u00ad" * 50_000, id="marks without end"),
        pytest.param("in het Russisch " * 10_000, id="exclusions without end"),
    ],
)
def test_long_texts_take_no_quadratic_time(text: str) -> None:
    # Each takes well under a second; one quadratic step would take minutes.
    explain_mentions(article(text), default_codebook())


@pytest.mark.skipif(CORPUS is None, reason="CLASSIFIER_CORPUS does not name a folder of articles")
def test_real_articles_lose_no_mention() -> None:
    texts = [p.read_bytes().decode() for p in sorted(Path(CORPUS or "").glob("*.txt"))]
    found = [len(find_mentions(article(text, None), default_codebook())) for text in texts]
    assert sum(found) == 231  # counted by eye
