"""Explanations on the report page: of which mentions, and where their words stand."""

from dataclasses import replace

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet
from classifier.pipeline._report import with_explanations
from classifier.predictions import Word
from classifier.profiles import Profile, ProfileOptions, profile_sources
from classifier.records import Article, Span
from classifier.report import Evidence, strongest_units
from classifier.report._evidence import Excerpts, evidence_payload
from classifier.score import Scorer


@pytest.fixture(scope="module")
def scored(scorer: Scorer, toy_set: AnnotationSet) -> pd.DataFrame:
    return scorer.score_articles(toy_set.articles).to_frame()


@pytest.fixture(scope="module")
def profile(scored: pd.DataFrame, toy_set: AnnotationSet) -> Profile:
    return profile_sources(scored, toy_set.codebook, options=ProfileOptions(by=("target",)))


@pytest.fixture(scope="module")
def evidence(scored: pd.DataFrame, toy_set: AnnotationSet) -> Evidence:
    return Evidence(scored, toy_set.articles, toy_set)


def test_the_strongest_units_pull_most(evidence: Evidence, profile: Profile) -> None:
    pulled = dict(
        zip(evidence.predictions["unit"], evidence_payload(evidence, profile)["pull"], strict=True)
    )
    chosen = strongest_units(evidence, profile, 5)
    rest = [abs(pull) for unit, pull in pulled.items() if unit not in chosen and pull is not None]
    assert len(chosen) == 5
    assert min(abs(pulled[unit]) for unit in chosen) >= max(rest)


def test_what_was_not_scored_is_never_among_the_strongest(
    evidence: Evidence, profile: Profile
) -> None:
    strongest = strongest_units(evidence, profile, 1)[0]
    frame = evidence.predictions
    status = frame["status"].where(frame["unit"] != strongest, "unsupported language: xx")
    without = replace(evidence, predictions=frame.assign(status=status))
    assert strongest not in strongest_units(without, profile, len(frame))


def test_the_strongest_are_explained(evidence: Evidence, profile: Profile, scorer: Scorer) -> None:
    told: list[int] = []
    explained = with_explanations(
        evidence, profile, scorer, 3, progress=lambda done, _total, _word: told.append(done)
    )
    units = strongest_units(evidence, profile, 3)
    assert set(explained.explanations) == set(units)
    assert told == [1, 2, 3]
    payload = evidence_payload(explained, profile)
    known = [words is not None for words in payload["excerpts"]["words"]]
    assert sum(known) == 3
    assert payload["explained"] == "stance_score"


def test_what_another_model_scored_is_not_explained(
    evidence: Evidence, profile: Profile, scorer: Scorer
) -> None:
    foreign = evidence.predictions.assign(model_id="another@1")
    explained = with_explanations(replace(evidence, predictions=foreign), profile, scorer, 3)
    assert explained.explanations == {}


def test_an_article_that_is_not_here_is_not_explained(
    scored: pd.DataFrame, profile: Profile, scorer: Scorer
) -> None:
    assert with_explanations(Evidence(scored), profile, scorer, 3).explanations == {}


def test_words_are_placed_in_the_excerpt() -> None:
    """Places count from the excerpt's start, in UTF-16 units: the emoji takes two."""
    text = "😀 They praised Turkey there."
    words = [Word(Span(7, 14), "praised", 0.5), Word(Span(2, 6), "They", 0.0)]
    row = {"article_id": "a", "start": 15, "end": 21, "surface": "Turkey"}
    row |= {"passage_start": 2, "passage_end": len(text)}
    excerpts = Excerpts({"a": Article("a", text)})
    excerpts.add(row, words)
    excerpts.add({**row, "passage_start": 0})
    excerpts.add({**row, "passage_start": 0}, words)
    assert excerpts.columns()["words"] == [[[5, 12, 0.5]], None, [[8, 15, 0.5]]]
