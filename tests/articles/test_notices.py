"""Whether a line that names a channel is a report or a notice is told by its form."""

import tomllib
from pathlib import Path

import pytest

from classifier.articles import find_zones
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
