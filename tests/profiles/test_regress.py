import json

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.profiles import regress


def part(whole: AnnotationSet, language: str) -> AnnotationSet:
    """The articles of one language."""
    articles = tuple(a for a in whole.articles if a.language == language)
    table = whole.table[whole.table["article_id"].isin({a.article_id for a in articles})]
    return AnnotationSet(articles, table, whole.codebook)


def test_where_all_is_coded_the_groups_differ_as_their_labels_do(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    number = {"favourable": 1.0, "neutral": 0.0, "unfavourable": -1.0}
    labels = toy_set.table["stance"].map(number)
    source = toy_set.table["article_id"].map({a.article_id: a.source for a in toy_set.articles})
    means = labels.groupby(source).mean()
    made = regress(toy_scores, toy_set, "stance ~ source")
    assert made.references == {"source": "De Vliet"}
    assert made.coefficients["intercept"].value == pytest.approx(means["De Vliet"])
    for name in ("Noordertij", "The Ferry Post"):
        gap = means[name] - means["De Vliet"]
        assert made.coefficients[f"source: {name}"].value == pytest.approx(gap)
    assert (made.n_mentions, made.n_articles, made.n_coded_articles) == (120, 40, 40)


def test_copies_of_one_story_are_counted_apart_from_articles(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    place = {article.article_id: i for i, article in enumerate(toy_set.articles)}
    story = toy_scores["article_id"].map(lambda name: f"s{place[name] // 2}")
    made = regress(toy_scores.assign(story_id=story), toy_set, "stance ~ target")
    assert (made.n_coded_articles, made.n_coded_stories) == (40, 20)
    assert "40 coded articles are 20 stories" in made.notes()


def test_one_label_of_a_set_may_be_the_outcome(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    made = regress(toy_scores, toy_set, "roles=partner ~ target")
    is_partner = toy_set.table["roles"].map(lambda roles: "partner" in roles).astype(float)
    means = is_partner.groupby(toy_set.table["target"]).mean()
    gap = means["UA"] - means["RU"]
    assert made.coefficients["target: UA"].value == pytest.approx(gap)


def test_a_column_of_numbers_enters_as_it_is(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    rows = toy_scores.assign(length=toy_scores["start"].astype(float))
    made = regress(rows, toy_set, "stance ~ length")
    assert list(made.coefficients) == ["intercept", "length"]


def test_a_group_of_few_coded_articles_is_withheld_with_its_reason(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    made = regress(toy_scores, toy_set, "stance ~ month")
    # Forty articles in turn over twelve months: four in the first four months, three in the others.
    few = [e.status for name, e in made if name > "month: 2024-04"]
    assert len(few) == 8
    assert all("8 needed" in status for status in few)


def test_a_group_without_coded_articles_is_refused_by_name(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match=r"coded mentions cannot tell .* others: language: nl;"):
        regress(toy_scores, part(toy_set, "en"), "stance ~ language")


@pytest.mark.parametrize(
    "formula", ["stance", "stance ~", "stance ~ source * month", "~ source", "stance ~ a + a"]
)
def test_a_formula_that_cannot_be_read_is_refused(
    formula: str, toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match="a formula such as"):
        regress(toy_scores, toy_set, formula)


def test_an_unknown_outcome_names_the_known_ones(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match=r"an outcome out of stance, .*roles=partner"):
        regress(toy_scores, toy_set, "mood ~ source")


def test_a_column_of_one_value_parts_nothing(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    with pytest.raises(DataError, match="'zone' must part 2 to 60 groups, got 1; leave it out"):
        regress(toy_scores, toy_set, "stance ~ zone")


def test_the_result_is_a_frame_a_paper_table_and_json(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    made = regress(toy_scores, toy_set, "stance ~ language")
    frame = made.to_frame()
    assert list(frame["coefficient"]) == ["intercept", "language: nl"]
    assert "language: nl" in made.to_markdown()
    assert "language is compared with en" in made.to_markdown()
    plain = json.loads(json.dumps(made.to_dict()))
    assert plain["coefficients"]["intercept"]["value"] == made.coefficients["intercept"].value
    assert "stance ~ language: 120 mentions in 40 articles, 40 coded" in repr(made)
