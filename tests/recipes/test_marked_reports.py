"""What the labeller of voices learns from: written paragraphs with marked reports."""

import json
from typing import Any

import pytest

from classifier.codebook import shipped_annotations
from classifier.records import LANGUAGES, Span
from recipes.labeller import KINDS
from recipes.voice import WRITTEN, _marked, written_paragraphs

ROWS = [
    json.loads(line)
    for line in (shipped_annotations() / WRITTEN / "paragraphs.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
TEXT = "Kyiv waits. Ada Roth said: “Moscow lies.” She added that Ankara knew."
QUOTED = {"kind": "quoted", "content": [[28, 40]], "cue": [21, 25], "speaker": [12, 20]}
ADDED = {"kind": "attributed", "content": [[57, 68]], "cue": [46, 51], "speaker": [42, 45]}


def test_every_language_has_paragraphs() -> None:
    assert {row["language"] for row in ROWS} == set(LANGUAGES)
    assert len({row["id"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("part", ["content", "cue", "speaker", "name"])
def test_every_mark_holds_words_of_its_text(part: str) -> None:
    for row in ROWS:
        for report in row["reports"]:
            places = report.get(part) or []
            for start, end in places if part == "content" else filter(None, [places]):
                words = row["text"][start:end]
                assert words.strip() == words != "", (row["id"], part)


def test_paragraphs_are_in_one_part_each() -> None:
    learnt, held = written_paragraphs()
    assert len(learnt) + len(held) == len(ROWS)
    assert not {one.text for one in learnt} & {one.text for one in held}


def test_a_report_has_the_voice_of_its_kind_and_its_speaker() -> None:
    marked = _marked(TEXT, {"language": "en", "reports": [QUOTED]})
    assert marked.voices == ((Span(28, 40), KINDS["quoted"]),)
    assert marked.links[0].speaker == Span(12, 20)
    assert marked.is_whole


def test_the_name_goes_before_the_pronoun_that_stands_for_it() -> None:
    added: dict[str, Any] = {**ADDED, "name": [12, 20]}
    marked = _marked(TEXT, {"language": "en", "reports": [added]})
    assert marked.links[0].speaker == Span(12, 20)
    without = _marked(TEXT, {"language": "en", "reports": [ADDED]})
    assert without.links[0].speaker == Span(42, 45)
