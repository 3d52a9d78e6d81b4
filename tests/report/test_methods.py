"""The paragraph on the methods says what was done and cites what that rests on, no more."""

import re
from dataclasses import replace
from importlib import resources

import pandas as pd

from classifier.agreement import measure_agreement
from classifier.annotations import AnnotationSet
from classifier.evaluation import Evaluation
from classifier.profiles import Profile, ProfileOptions, profile_sources
from classifier.records import FOLD_PART
from classifier.report import Evidence, bibliography, methods_text
from classifier.report._methods import CITATIONS

BY_TARGET = ProfileOptions(by=("target",))


def profiled(toy_set: AnnotationSet, scores: pd.DataFrame, coded: pd.DataFrame) -> Profile:
    return profile_sources(scores, toy_set.codebook, gold=coded, options=BY_TARGET)


def test_cross_fitting_is_told_and_cited_where_it_was_used(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame
) -> None:
    folded = toy_scores.assign(part=f"{FOLD_PART}1 of 3")
    text = methods_text(None, [profiled(toy_set, folded, coded)], None, None)
    assert "cross-fitted: models were trained without one fold" in text
    assert "doi = {10.1073/pnas.2322083121}" in bibliography(text)


def test_cross_fitting_is_not_told_where_the_articles_taught_nothing(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame
) -> None:
    apart = toy_scores.assign(part=None)
    text = methods_text(None, [profiled(toy_set, apart, coded)], None, None)
    assert "Angelopoulos et al. 2023)" in text
    assert "fold" not in text
    assert "zrnic2024" not in bibliography(text)


def test_unequal_chances_are_cited(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame
) -> None:
    chances = [0.5 if i % 2 else 0.9 for i in range(len(coded))]
    by_article = dict(zip(coded["article_id"], chances, strict=True))
    unequal = coded.assign(sampling_probability=coded["article_id"].map(by_article))
    everyone = {name: by_article.get(name, 0.5) for name in toy_scores["article_id"]}
    made = profile_sources(
        toy_scores, toy_set.codebook, gold=unequal, chances=everyone, options=BY_TARGET
    )
    text = methods_text(None, [made], None, None)
    assert "Egami et al. 2023" in text
    assert "at random, with known chances from 0.5 to 0.9" in text


def test_a_profile_that_nothing_could_correct_cites_no_correction(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame
) -> None:
    few = coded[coded["article_id"].isin(["t0", "t1"])]
    text = methods_text(None, [profiled(toy_set, toy_scores, few)], None, None)
    assert "too few labels to correct" in text
    assert bibliography(text) == ""


def test_sets_of_labels_cite_their_distance(toy_set: AnnotationSet) -> None:
    table = toy_set.table
    twice = pd.concat([table, table.assign(annotator="other")], ignore_index=True)
    agreement = measure_agreement(replace(toy_set, table=twice)).to_frame()
    text = methods_text(None, [], agreement, None)
    assert "(Krippendorff 2004 and, for sets of labels, Passonneau 2006)" in text
    assert "stance 1.000 (no interval: ok)" not in text


def test_the_annotator_test_is_told_only_where_there_were_annotators(
    evaluation: Evaluation,
) -> None:
    text = methods_text(evaluation, [], None, None)
    assert "its macro-F1 against the adjudicated labels was stance " in text
    assert "Calderon" not in text
    assert "Guo" not in text


def test_explanations_are_cited_where_there_are_some(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    evidence = Evidence(toy_scores, toy_set.articles)
    assert "Li et al." not in methods_text(None, [], None, evidence)


def test_every_reference_can_be_cited_and_is_cited_by_its_own_year() -> None:
    bib = resources.files("classifier.report").joinpath("references.bib").read_text("utf-8")
    keys = re.findall(r"^@\w+\{(\w+),", bib, flags=re.MULTILINE)
    assert sorted(keys) == sorted(CITATIONS.values())
    for words, key in CITATIONS.items():
        (entry,) = [e for e in re.split(r"^(?=@)", bib, flags=re.MULTILINE) if f"{{{key}," in e]
        assert f"year = {{{words[-4:]}}}" in entry
        assert f"author = {{{words.split()[0]}," in entry


def test_the_bibliography_has_what_is_cited_and_nothing_else() -> None:
    made = bibliography("as in Zrnic and Candès 2024 and Krippendorff 2004")
    assert re.findall(r"^@\w+\{(\w+),", made, flags=re.MULTILINE) == [
        "krippendorff2004",
        "zrnic2024",
    ]
