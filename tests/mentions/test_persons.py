"""Who is meant by a pronoun, or by a quotation that goes on without a name."""

import pytest

from classifier.codebook import default_codebook
from classifier.mentions import find_mentions
from classifier.records import Article

CODEBOOK = default_codebook()


def speakers(text: str, language: str) -> list[str | None]:
    return [m.speaker for m in find_mentions(Article("a", text, language=language), CODEBOOK)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            "Harbour master Ines Okafor met the crews on Monday. She said Russia would pay.",
            "Harbour master Ines Okafor",
        ),
        (
            "nl",
            "Havenmeester Ineke Haverkort sprak maandag met de bemanning. "
            "Ze zei dat Rusland zou betalen.",
            "Havenmeester Ineke Haverkort",
        ),
        (
            "uk",
            "Речниця порту Олена Гайко зустрілася з екіпажем у понеділок. "
            "Вона сказала, що Росія заплатить.",
            "Речниця порту Олена Гайко",
        ),
    ],
)
def test_a_pronoun_stands_for_the_person_of_the_sentence_before(
    language: str, text: str, expected: str
) -> None:
    assert speakers(text, language)[-1] == expected


def test_a_quotation_that_goes_on_keeps_its_speaker() -> None:
    text = "“We waited,” said pilot Tom Brandt. “Russia never answered.”"
    assert speakers(text, "en")[-1] == "pilot Tom Brandt"


def test_a_pronoun_without_a_name_before_it_stays() -> None:
    assert speakers("She said Russia would pay.", "en") == ["She"]
