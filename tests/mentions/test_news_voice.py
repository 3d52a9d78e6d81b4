"""The news paragraphs keep their form, and voice and speakers on them do not fall."""

import pytest

from benchmarks.reading.news import items, matches, read_marked, score
from classifier.codebook import default_codebook
from classifier.records import LANGUAGES

# Rounded down from the table in benchmarks/reading/README.md.
FLOORS = {
    "blind": {
        "nl": {"voice": 0.89, "both": 0.90, "exact": 0.61, "overlapping": 0.69},
        "en": {"voice": 0.96, "both": 0.96, "exact": 0.76, "overlapping": 0.85},
        "tr": {"voice": 0.97, "both": 0.97, "exact": 0.68, "overlapping": 0.78},
        "ru": {"voice": 0.92, "both": 0.92, "exact": 0.65, "overlapping": 0.79},
        "uk": {"voice": 0.90, "both": 0.91, "exact": 0.70, "overlapping": 0.79},
    },
    "marked": {
        "nl": {"voice": 0.95, "both": 0.96, "exact": 0.82, "overlapping": 0.84},
        "en": {"voice": 0.94, "both": 0.95, "exact": 0.78, "overlapping": 0.89},
        "tr": {"voice": 0.98, "both": 0.98, "exact": 0.92, "overlapping": 0.93},
        "ru": {"voice": 0.95, "both": 0.96, "exact": 0.88, "overlapping": 0.92},
        "uk": {"voice": 0.98, "both": 0.98, "exact": 0.88, "overlapping": 0.93},
    },
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
@pytest.mark.parametrize("which", ["blind", "marked"])
def test_voice_and_speakers_do_not_fall(which: str, language: str) -> None:
    figures, floors = score(matches(language, which)), FLOORS[which][language]
    speakers = figures["speakers_named"]
    assert figures["voice_accuracy"] >= floors["voice"]
    assert figures["both"]["f"] >= floors["both"]
    assert speakers["any_name"] >= floors["exact"]
    assert speakers["overlapping"] >= floors["overlapping"]


def test_marks_say_whose_words_they_are() -> None:
    line = "[1 Ada Salo] zei dat {1 Rusland wacht}. “{1 Kiev niet}”, zei Salo. Turkije zweeg."
    read = read_marked(line, "a", "nl")
    assert read["text"] == "Ada Salo zei dat Rusland wacht. “Kiev niet”, zei Salo. Turkije zweeg."
    assert [m["voice"] for m in read["mentions"]] == ["attributed", "quoted", "author"]
    speakers = [m["speaker"] and m["speaker"]["surface"] for m in read["mentions"]]
    assert speakers == ["Ada Salo", "Salo", None]
