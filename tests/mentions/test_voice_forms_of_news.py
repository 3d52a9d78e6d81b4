"""The forms in which news quotes and reports, kind by kind, in five languages.

In `tests/data/forms` a line is a text: `[…]` stands around the speaker, `{…}` around each stretch
that is not the author's, and `⏎` for a line end. The sentences are our own.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.mentions.voice import find_reports, voice_at
from classifier.records import LANGUAGES, Span, Zone, ZoneKind

_FOLDER = Path(__file__).parent.parent / "data" / "forms"
_MARKS = re.compile(r"[\[\]{}]")
_WORDS = re.compile(r"\w{3,}")


def _cases() -> Iterator[tuple[str, ZoneKind, str]]:
    for language in LANGUAGES:
        kind: ZoneKind = "body"
        for line in (_FOLDER / f"{language}.txt").read_text("utf-8").splitlines():
            if line.startswith("#"):
                kind = "headline" if line.endswith("(headline)") else "body"
            else:
                yield language, kind, line.replace("⏎", "\n")


def _unmarked(marked: str) -> tuple[str, list[Span], list[Span]]:
    """The text, the stretches that are not the author's, and the speakers."""
    text, contents, speakers, start = "", [], [], {}
    for part in re.split(r"([\[\]{}])", marked):
        if part in "[{" and part:
            start[part] = len(text)
        elif part == "}":
            contents.append(Span(start["{"], len(text)))
        elif part == "]":
            speakers.append(Span(start["["], len(text)))
        else:
            text += part
    return text, contents, speakers


def _faults(language: str, kind: ZoneKind, marked: str) -> list[str]:
    text, contents, speakers = _unmarked(marked)
    reports = find_reports(text, [Zone(Span(0, len(text)), kind, language)])
    names = [span.of(text) for span in speakers]
    faults = []
    for match in _WORDS.finditer(text):
        word = Span(match.start(), match.end())
        report = voice_at(reports, word)
        is_reported = any(content.contains(word) for content in contents)
        if is_reported != (report is not None):
            faults.append(f"{match[0]}: {'the author' if report is None else 'not the author'}")
        elif report is not None and names:
            found = report.speaker.of(text) if report.speaker else None
            if found not in names and f"speaker {found}" not in faults:
                faults.append(f"speaker {found}")
    return faults


@pytest.mark.parametrize(("language", "kind", "marked"), list(_cases()))
def test_whose_words_they_are_and_who_says_them(language: str, kind: ZoneKind, marked: str) -> None:
    assert _faults(language, kind, marked) == []
