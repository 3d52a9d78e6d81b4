"""Countries swapped in texts and annotations: forms, cases, offsets."""

import numpy as np
import pytest

from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import default_codebook
from classifier.records import Article, Span
from classifier.swapping import FORMS, exchange, swap, swapped_article, swapped_copies


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "The Kremlin mocked Turkey’s army.", "Ankara mocked Russia’s army."),
        ("nl", "Het Kremlin prijst Turkse boeren.", "Ankara prijst Russische boeren."),
        ("tr", "Rusya'nın gemisi Ankara’ya vardı.", "Türkiye'nin gemisi Moskova’ya vardı."),
        ("ru", "Российские суда ушли в Турцию.", "Турецкие суда ушли в Россию."),
        ("uk", "Росією керує не Туреччина.", "Туреччиною керує не Росія."),
    ],
)
def test_countries_change_places_in_the_same_form(
    language: str,
    text: str,
    expected: str,
) -> None:
    assert swap(text, language, exchange("TR", "RU")).text == expected


def test_the_word_before_decides_an_ambiguous_case() -> None:
    # "России" is genitive, dative and locative: "в" asks for the locative, "к" for the dative.
    text = "Дорога в России, дорога к России, дорога из России"
    done = swap(text, "ru", {"RU": "UA"})
    assert done.text == "Дорога в Украине, дорога к Украине, дорога из Украины"


def test_names_keep_their_spans() -> None:
    text = "Rusya'nın sözü"
    done = swap(text, "tr", {"RU": "UA"})
    new = done.place(Span(0, 5))
    assert new is not None
    assert new.of(done.text) == "Ukrayna"


def test_swapping_twice_gives_the_text_back() -> None:
    text = "Turkey warned Ukraine that Russians and Turks had met Putin in Ankara."
    places = exchange("TR", "RU")
    assert swap(swap(text, "en", places).text, "en", places).text == text


def test_other_words_stay() -> None:
    text = "Turkeys, Kyivstar and a Belarusian"
    assert swap(text, "en", exchange("TR", "UA")).text == text


def test_rows_are_aligned() -> None:
    for rows in FORMS.values():
        for row in rows:
            assert set(row) == {"TR", "RU", "UA"}
            assert len({len(cell.split("|")) for cell in row.values()}) == 1


def test_an_article_gets_an_id_of_its_own() -> None:
    article = Article("a", "Ankara sweeg.", language="nl")
    copy, _ = swapped_article(article, {"TR": "UA"})
    assert (copy.article_id, copy.text) == ("a~TRUA", "Kyiv sweeg.")


def _set(*annotations: Annotation) -> AnnotationSet:
    text = "Moscow lied to Ukraine, said the mayor of Ankara."
    article = Article("a", text, language="en", story_id="s")
    other = Article("b", "Nobody came.", language="en")
    codebook = default_codebook()
    table = annotation_table(annotations, codebook)
    return AnnotationSet((article, other), table, codebook)


def test_copies_keep_labels_and_story() -> None:
    said = {"stance": "unfavourable"}
    one = Annotation("a", Span(0, 6), "RU", "Moscow", "ann", said, evidence=Span(7, 11))
    copies = swapped_copies(_set(one), {"a", "b"}, np.random.default_rng(0))
    article, row = copies.articles[0], copies.table.iloc[0]
    assert len(copies.articles) == 1  # the other article names no country
    assert article.story_id == "s"
    assert article.text != "Moscow lied to Ukraine, said the mayor of Ankara."
    assert article.text[row["start"] : row["end"]] == row["surface"]
    assert article.text[row["evidence_start"] : row["evidence_end"]] == "lied"
    assert row["stance"] == "unfavourable"


def test_a_mention_that_is_cut_through_is_left_out() -> None:
    one = Annotation("a", Span(3, 11), "RU", "cow lied", "ann", {"stance": "neutral"})
    copies = swapped_copies(_set(one), {"a"}, np.random.default_rng(0))
    assert copies.table.empty
