"""What a model may not judge, and what is said where it judges badly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from classifier.records import Article, Mention, Span
from classifier.score import Scorer
from classifier.score._prepare import (
    BOUND,
    FEW,
    language_warnings,
    refusal,
    refusal_of,
    warning_problems,
)
from classifier.text import is_foreign

GERMAN = (
    "Die Regierung der Ukraine wies am Montag alle Vorwürfe zurück und sprach von einer Kampagne, "
    "die sich gegen das ganze Land richte und der im Ausland niemand glauben solle."
)
POLISH = (
    "Rząd w Kijowie odrzucił w poniedziałek wszystkie zarzuty i mówił o kampanii, która jest "
    "wymierzona w cały kraj i której za granicą nikt nie powinien uwierzyć. Ukraine."
)
FRENCH = (
    "Le gouvernement de Kiev a rejeté lundi toutes les accusations et parlé d'une campagne qui "
    "viserait le pays entier et que personne à l'étranger ne devrait croire. Ukraine."
)
BULGARIAN = (
    "Правителството в Киев отхвърли в понеделник всички обвинения и говори за кампания, която е "
    "насочена срещу цялата страна и на която никой в чужбина не бива да вярва. Россия."
)
DUTCH = (
    "De regering van Oekraïne wees maandag alle verwijten van de hand en sprak van een campagne "
    "die tegen het hele land gericht zou zijn en die niemand zou moeten geloven."
)
ENGLISH = (
    "The government of Ukraine rejected all the accusations on Monday and spoke of a campaign "
    "that was aimed at the whole country and that nobody should believe."
)


def at(text: str, surface: str) -> Mention:
    span = Span(text.index(surface), text.index(surface) + len(surface))
    return Mention(span, "UA", surface, "name", "body", "en", "author")


@pytest.mark.parametrize(
    ("language", "told"), [(None, "the language was not recognised"), ("de", "the language is de")]
)
def test_a_name_of_an_unread_language_is_told_to_be_unseen(
    language: str | None, told: str, scorer: Scorer
) -> None:
    text = "Moskau hat den Vertrag gebrochen, sagte der Minister am Montag im Bundestag."
    said = scorer.score(text, language=language)
    assert len(said) == 0
    (problem,) = said.problems
    assert (problem.where, problem.reason) == ("text", "language not read")
    assert problem.detail.startswith(f"no target was seen, and {told}: this scorer reads ")
    assert repr(said) == "Predictions for 0 mentions, 1 problem (language not read: 1)"


def test_a_text_of_a_read_language_without_a_target_is_no_problem(scorer: Scorer) -> None:
    assert scorer.score("The council met on Monday and spoke of the harbour.").problems == ()


@pytest.mark.parametrize("text", [GERMAN, POLISH, FRENCH, BULGARIAN])
def test_a_text_in_a_sixth_language_is_not_judged(text: str, scorer: Scorer) -> None:
    rows = scorer.score(text).to_frame()
    assert len(rows) > 0
    assert set(rows["status"]) == {"unsupported language: und"}
    assert rows["stance"].isna().all()
    assert rows["stance_score"].isna().all()
    assert rows["warning"].isna().all()


def test_a_foreign_paragraph_of_an_article_is_not_judged(scorer: Scorer) -> None:
    text = f"{ENGLISH}\n\n{GERMAN}\n\n{ENGLISH}"
    rows = scorer.score(text).to_frame()
    assert list(rows["status"]) == ["ok", "unsupported language: und", "ok"]
    assert list(rows["stance"].isna()) == [False, True, False]
    assert list(rows["p_stance_neutral"].isna()) == [False, True, False]


def test_a_paragraph_in_another_language_of_ours_is_judged(scorer: Scorer) -> None:
    rows = scorer.score(f"{ENGLISH}\n\n{DUTCH}\n\n{ENGLISH}").to_frame()
    assert list(rows["status"]) == ["ok"] * 3


@pytest.mark.parametrize("text", [DUTCH, ENGLISH])
def test_our_own_languages_are_not_foreign(text: str) -> None:
    assert not is_foreign(text, "nl")


def test_a_short_stretch_is_never_foreign() -> None:
    assert not is_foreign("Wir schaffen das.", "nl")


def test_a_language_that_was_given_for_a_single_paragraph_is_believed() -> None:
    article = Article("a", GERMAN, language="nl")
    assert refusal_of(article, at(GERMAN, "Ukraine"), ("nl",)) is None
    assert refusal(article, ("en",)) == "unsupported language: nl"


def record(n_mentions: int, macro_f1: float | None) -> Mapping[str, Any]:
    figure = {"macro_f1": macro_f1, "n_mentions": n_mentions}
    return {
        "variables": ["stance", "roles"],
        "base_languages": ["nl", "tr"],
        "training_languages": {"nl": 300},
        "languages": {"nl": {"training_mentions": 300, "figures": {"stance": figure}}},
    }


@pytest.mark.parametrize(
    ("n_mentions", "macro_f1", "said"),
    [
        pytest.param(FEW, BOUND, None, id="well enough"),
        pytest.param(FEW, 0.41, f"macro-F1 0.41 on {FEW} held-out mentions", id="badly"),
        pytest.param(52, 0.9, "macro-F1 0.90 on only 52 held-out mentions", id="nobody knows"),
        pytest.param(0, None, "no held-out mentions", id="nothing to judge by"),
    ],
)
def test_a_language_read_badly_is_told_with_its_figure(
    n_mentions: int, macro_f1: float | None, said: str | None
) -> None:
    warning = language_warnings(record(n_mentions, macro_f1)).get("nl")
    assert (warning is None) == (said is None)
    if said is not None:
        assert warning is not None
        assert said in warning
        assert "trained on 300 mentions in this language" in warning
        assert warning.startswith("nl, ")


def test_a_language_that_only_the_base_reads_is_told_so() -> None:
    warning = language_warnings(record(FEW, 0.9))["tr"]
    assert warning.endswith("to judge by; trained on 0 mentions in this language")


def test_warnings_stand_in_the_rows_and_are_counted(scorer: Scorer) -> None:
    found = scorer.score(ENGLISH)
    (warning,) = found.to_frame()["warning"]
    assert warning == scorer.warnings["en"]
    assert [p.detail for p in found.problems] == [f"{warning} (mentions: 1)"]


def test_nothing_to_warn_of_is_no_problem() -> None:
    assert warning_problems({}) == ()


def test_the_record_of_a_run_has_figures_per_language(scorer: Scorer) -> None:
    told = scorer.trained.record["languages"]
    assert set(told) == {"en", "nl"}
    assert told["en"]["training_mentions"] == 36
    assert told["en"]["figures"]["stance"]["n_mentions"] == 6
    assert 0 <= told["en"]["figures"]["stance"]["macro_f1"] <= 1


def test_warnings_survive_the_file(scorer: Scorer, tmp_path: Path) -> None:
    scorer.score(ENGLISH).write(tmp_path / "p.parquet")
    assert pd.read_parquet(tmp_path / "p.parquet")["warning"].notna().all()
