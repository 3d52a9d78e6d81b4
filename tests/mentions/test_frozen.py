"""The frozen sentences keep the form that their benchmark reads; they are not scored here."""

import json
from pathlib import Path

import pytest

from classifier.codebook import default_codebook
from classifier.records import LANGUAGES

DATA = Path(__file__).parent.parent / "data"


@pytest.mark.parametrize("language", LANGUAGES)
def test_offsets_and_labels_of_the_frozen_set_hold(language: str) -> None:
    lines = (DATA / f"frozen_mentions_{language}.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    codebook = default_codebook()
    assert len(items) >= 20
    assert sum(item["trap"] for item in items) >= len(items) / 2
    for mention, text in ((m, item["text"]) for item in items for m in item["mentions"]):
        assert text[mention["start"] : mention["end"]] == mention["surface"]
        assert codebook.accepts_target(mention["target"])
        assert mention["voice"] in codebook.variable("voice").names
