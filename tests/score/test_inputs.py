"""Whatever people hand to the scoring function: texts of all kinds, and what is none."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from classifier.errors import DataError
from classifier.records import Article
from classifier.score import Scorer

TEXTS = ["Turkey was praised at the harbour.", "Nobody spoke.", "Russia was blamed there."]
ROWS = [{"id": 7, "text": TEXTS[0]}, {"id": "b", "text": TEXTS[2], "source": "The Ferry Post"}]


def _where(scorer: Scorer, given: object) -> list[tuple[str, str]]:
    texts: Any = given
    frame = scorer.score(texts, language="en").to_frame()
    return list(zip(frame["article_id"], frame["target"], strict=True))


def test_a_list_of_texts_is_scored_in_one_go_and_gets_ids(scorer: Scorer) -> None:
    assert _where(scorer, TEXTS) == [("0", "TR"), ("2", "RU")]


def test_a_generator_is_read_once(scorer: Scorer) -> None:
    assert _where(scorer, (text for text in TEXTS)) == [("0", "TR"), ("2", "RU")]


def test_a_series_keeps_the_labels_of_its_index(scorer: Scorer) -> None:
    assert _where(scorer, pd.Series(TEXTS, index=["x", "y", "z"])) == [("x", "TR"), ("z", "RU")]


def test_dicts_and_articles_keep_their_ids(scorer: Scorer) -> None:
    assert _where(scorer, ROWS) == [("7", "TR"), ("b", "RU")]
    assert _where(scorer, ROWS[0]) == [("7", "TR")]
    assert _where(scorer, [{"text": TEXTS[0]}, Article("own", TEXTS[2])]) == [
        ("0", "TR"),
        ("own", "RU"),
    ]


def test_a_table_needs_no_ids(scorer: Scorer) -> None:
    frame = scorer.score_articles(pd.DataFrame({"text": TEXTS})).to_frame()
    assert frame["article_id"].tolist() == ["0", "2"]


def test_no_texts_are_no_rows(scorer: Scorer) -> None:
    assert len(scorer.score([])) == 0


def test_several_at_once_say_what_one_says(scorer: Scorer) -> None:
    together = scorer.score(TEXTS, language="en").to_frame()["stance_score"]
    alone = [scorer.score(text, language="en").to_frame()["stance_score"] for text in TEXTS]
    assert together.tolist() == pytest.approx(pd.concat(alone).tolist())


def test_targets_in_a_language_that_is_not_read_are_told_of(scorer: Scorer) -> None:
    found = scorer.score(["Turkey rief an.", TEXTS[0]], language="de")
    (problem,) = [p for p in found.problems if p.reason == "language not read"]
    assert problem.detail == (
        "targets were seen (mentions: 2) in the language de, but not scored: "
        "this scorer reads en, nl"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "a text, several of them, articles or a path are required, got None"),
        (3, "are required, got 3"),
        (b"Turkey", "are required, got b'Turkey'"),
        (["Turkey", None], r"1 is None \(NoneType\): leave such rows out first"),
        (pd.Series(["Turkey", np.nan], index=["p", "q"]), r"'q' is nan \(float\)"),
        ([4], r"0 is 4 \(int\)"),
        ([{"id": "a", "text": None}], "of 0 text is None: leave such rows out"),
        (
            [{"id": "a", "body": "Turkey"}],
            "of 0 it has id, body: leave such rows out, or call",
        ),
    ],
)
def test_what_is_no_text_is_told_in_one_sentence(
    scorer: Scorer, given: Iterable[str], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        scorer.score(given)
    assert "\n" not in str(caught.value)


def test_a_path_is_no_text(scorer: Scorer, tmp_path: Path) -> None:
    paths: list[Any] = [tmp_path, str(tmp_path)]
    for path in paths:
        with pytest.raises(DataError, match=r"got the path .* use score_articles"):
            scorer.score(path)


def test_an_empty_text_is_one_without_mentions(scorer: Scorer) -> None:
    assert len(scorer.score("")) == 0


def test_a_text_too_long_for_a_file_name_is_a_text(scorer: Scorer) -> None:
    text = "Россия " + "отвергла все обвинения и " * 8
    assert len(text) < 260
    assert len(text.encode()) > 255
    assert len(scorer.score(text)) == 1
