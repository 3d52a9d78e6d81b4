"""The news paragraphs keep their form, and voice and speakers on them do not fall."""

import pytest

from benchmarks.reading.news import items, score
from classifier.codebook import default_codebook
from classifier.records import LANGUAGES

# Rounded down from the table in benchmarks/reading/README.md.
FLOORS = {
    "nl": {"voice": 0.86, "both": 0.87, "exact": 0.40, "overlapping": 0.46},
    "en": {"voice": 0.95, "both": 0.96, "exact": 0.51, "overlapping": 0.59},
    "tr": {"voice": 0.93, "both": 0.94, "exact": 0.40, "overlapping": 0.63},
    "ru": {"voice": 0.81, "both": 0.82, "exact": 0.32, "overlapping": 0.45},
    "uk": {"voice": 0.85, "both": 0.86, "exact": 0.33, "overlapping": 0.46},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_offsets_labels_and_speakers_of_the_news_paragraphs_hold(language: str) -> None:
    paragraphs = list(items(language))
    codebook = default_codebook()
    assert len(paragraphs) == 40
    for mention, text in ((m, item["text"]) for item in paragraphs for m in item["mentions"]):
        assert text[mention["start"] : mention["end"]] == mention["surface"]
        assert codebook.accepts_target(mention["target"])
        assert mention["voice"] in codebook.variable("voice").names
        speaker = mention["speaker"]
        assert speaker is None or text[speaker["start"] : speaker["end"]] == speaker["surface"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_voice_and_speakers_do_not_fall(language: str) -> None:
    figures, floors = score(language), FLOORS[language]
    speakers = figures["speakers_named"]
    assert figures["voice_accuracy"] >= floors["voice"]
    assert figures["both"]["f"] >= floors["both"]
    assert speakers["any_name"] >= floors["exact"]
    assert speakers["overlapping"] >= floors["overlapping"]
