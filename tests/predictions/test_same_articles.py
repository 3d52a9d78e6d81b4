"""Gold is compared with the predictions' articles, not only with their ids."""

from dataclasses import replace

import pandas as pd
import pytest

from classifier.annotations import Annotation, AnnotationSet, annotation_table
from classifier.codebook import default_codebook
from classifier.errors import DataError
from classifier.evaluation import evaluate
from classifier.predictions import NOT_COMPARED, check_same_articles, not_compared
from classifier.profiles import plan, profile
from classifier.records import Article, Span

_ARTICLE = Article("1", "Kyiv waited.", source="Alpha", date="2024-05-02", date_precision="day")


def _gold(text: str = _ARTICLE.text) -> AnnotationSet:
    row = Annotation("1", Span(0, 4), "UA", "Kyiv", "ann", {"stance": "neutral"})
    table = annotation_table([row], default_codebook())
    return AnnotationSet((replace(_ARTICLE, text=text),), table, default_codebook())


def _predictions(**other: object) -> pd.DataFrame:
    row = {
        "unit": "1:0-4:UA",
        "article_id": "1",
        "source": "Alpha",
        "date": "2024-05-02",
        "text_sha256": _ARTICLE.sha256,
        "surface": "Kyiv",
        "status": "ok",
        "stance": "neutral",
    }
    return pd.DataFrame([row | other])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"source": "Beta"}, "article '1' has the source 'Beta' there and 'Alpha' in gold"),
        ({"date": "2024-05-03"}, "the date '2024-05-03' there and '2024-05-02' in gold"),
        ({"text_sha256": "0" * 64}, r"article '1' has another text there .*; score the set's own"),
        ({"surface": "Kiev"}, "the words 'Kiev' at 1:0-4:UA there and 'Kyiv' in gold"),
    ],
)
def test_gold_of_another_article_is_refused_by_name(other: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_same_articles(_predictions(**other), _gold())


@pytest.mark.parametrize(
    "other", [{}, {"source": None}, {"source": "unknown"}, {"date": "2024-05"}, {"date": None}]
)
def test_what_one_side_does_not_know_is_not_compared(other: dict[str, object]) -> None:
    check_same_articles(_predictions(**other), _gold())


def test_every_verb_that_needs_gold_refuses_it() -> None:
    moved = _gold(text="Kyiv waited again.")
    with pytest.raises(DataError, match="gold must be about the articles of the"):
        evaluate(moved, _predictions())
    with pytest.raises(DataError, match="gold must be about the articles of the"):
        profile(_predictions(), gold=moved)
    with pytest.raises(DataError, match="gold must be about the articles of the"):
        plan(_predictions(), moved)


def test_labels_of_other_articles_than_golds_are_refused() -> None:
    rows = pd.DataFrame(
        [{"article_id": "1", "start": 0, "end": 4, "target": "UA", "stance": "neutral"}]
    )
    other = [replace(_ARTICLE, source="Beta")]
    with pytest.raises(DataError, match="gold must be about the articles of the labelled articles"):
        profile(rows, gold=_gold(), articles=other)


def test_predictions_without_text_hashes_are_told() -> None:
    older = _predictions().drop(columns="text_sha256")
    check_same_articles(older, _gold(text="Kyiv waited again."))
    (problem,) = not_compared(older)
    assert problem.reason == NOT_COMPARED
    assert not_compared(_predictions()) == ()
