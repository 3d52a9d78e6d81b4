import json

import jsonschema
import numpy as np
import pandas as pd
import pytest

from classifier.codebook import Codebook, parse_codebook
from classifier.errors import CodebookError, DataError
from classifier.intervals import InferenceOptions
from classifier.profiles import (
    NOT_REFUTED,
    Profile,
    ProfileOptions,
    best_borne,
    borne,
    plan_articles,
    planned_chances,
    profile_sources,
    schema,
)
from classifier.profiles._table import beside, clusters
from classifier.report._profiles import profile_section

LABELS = ("cold", "mild", "warm")


def codebook() -> Codebook:
    """One ordinal variable, one set, and voice as the rules find it."""

    def label(name: str, **more: object) -> dict[str, object]:
        return {"name": name, "definition": f"{name}.", **more}

    def rule(name: str, outcome: str) -> dict[str, object]:
        return label(name, counterparts={"rules": [outcome]})

    return parse_codebook(
        {
            "name": "toy",
            "version": "1",
            "targets": {"X": {"title": "X", "aliases": {"en": ["X"]}}},
            "variables": {
                "tone": {
                    "kind": "ordinal",
                    "definition": "Tone.",
                    "labels": [label(n, number=i - 1) for i, n in enumerate(LABELS)],
                },
                "parts": {"kind": "set", "definition": "Parts.", "labels": [label("hero")]},
                "voice": {
                    "kind": "nominal",
                    "definition": "Voice.",
                    "labels": [rule("own", "rest"), rule("told", "report")],
                },
            },
        }
    )


def predictions(n_articles: int = 12) -> pd.DataFrame:
    """Source A, one mention an article, alternating scores 1 and 0; the last one is a caption."""
    rows = pd.DataFrame({"article_id": [f"a{i:02d}" for i in range(n_articles)]})
    rows["unit"] = rows["article_id"] + ":0-1:X"
    rows["source"] = "A"
    rows["target"] = "X"
    rows["zone"] = ["body"] * (n_articles - 1) + ["caption"]
    rows["voice"] = ["own", "told"] * (n_articles // 2)
    rows["status"] = "ok"
    rows["tone_score"] = [1.0, 0.0] * (n_articles // 2)
    rows["p_parts_hero"] = 0.25
    return rows


def gold(rows: pd.DataFrame, n: int) -> pd.DataFrame:
    """The first n units coded: warm where the model says 1, mild where it says 0."""
    coded = rows.head(n)
    return pd.DataFrame(
        {
            "unit": coded["unit"],
            "not_target": False,
            "tone": np.where(coded["tone_score"] == 1, "warm", "mild"),
            "parts": [frozenset({"hero"})] * n,
        }
    )


def test_the_authors_own_voice_comes_first_and_all_voices_beside_it() -> None:
    profile = profile_sources(predictions(), codebook())
    assert [row.voice for row in profile] == ["own", "all"]
    assert [row.n_mentions for row in profile] == [6, 11]


def test_the_naive_mean_counts_only_headline_subhead_and_body() -> None:
    # 11 body mentions, six of them with score 1.
    profile = profile_sources(predictions(), codebook())
    assert profile.rows[1].quantity("tone").naive.value == pytest.approx(6 / 11)
    assert profile.left_out == {"zone caption": 1}


def test_without_labels_nothing_is_corrected_and_the_reason_stands_there() -> None:
    quantity = profile_sources(predictions(), codebook()).rows[1].quantity("tone")
    assert quantity.corrected.status == "not corrected: no coded article"
    assert quantity.labelled.status == "undefined: no mention"
    assert "not corrected for model error" in quantity.naive.method


def test_labels_correct_the_mean() -> None:
    # A model that is right on all eight coded articles, its share weighted into the rest.
    rows = predictions()
    options = ProfileOptions(inference=InferenceOptions(population="corpus"))
    profile = profile_sources(rows, codebook(), gold=gold(rows, 8), options=options)
    row = profile.rows[1]
    assert row.n_coded_articles == 8
    assert row.quantity("tone").labelled.value == pytest.approx(0.5)
    assert row.quantity("tone").corrected.value == pytest.approx(6 / 11)


def test_role_shares_come_from_probabilities_and_from_sets() -> None:
    rows = predictions()
    quantity = (
        profile_sources(rows, codebook(), gold=gold(rows, 8)).rows[1].quantity("parts", "hero")
    )
    assert quantity.naive.value == pytest.approx(0.25)
    assert quantity.labelled.value == pytest.approx(1.0)
    # All 8 coded articles have it, so that a lower bound is left: .025^(1/8).
    assert (quantity.corrected.value, quantity.corrected.high) == (1.0, 1.0)
    assert quantity.corrected.low == pytest.approx(0.025 ** (1 / 8))


def test_mentions_without_a_score_are_left_out_and_counted() -> None:
    rows = predictions()
    rows.loc[0, "status"] = "unsupported language: de"
    rows.loc[0, "tone_score"] = np.nan
    profile = profile_sources(rows, codebook())
    assert profile.left_out == {"unsupported language: de": 1, "zone caption": 1}
    assert profile.rows[1].n_mentions == 10


@pytest.mark.parametrize(
    ("column", "left_out"), [("ease_score", {}), ("p_parts_hero", {"no score": 1})]
)
def test_the_scores_that_count_are_those_of_the_variables(
    column: str, left_out: dict[str, int]
) -> None:
    rows = predictions().assign(ease_score=1.0, zone="body")
    rows.loc[0, column] = np.nan
    assert profile_sources(rows, codebook()).left_out == left_out


def test_false_and_missed_mentions_are_counted() -> None:
    rows = predictions()
    labels = gold(rows, 8)
    labels.loc[0, "not_target"] = True
    missed = labels.tail(1).assign(unit="a07:5-6:X")
    profile = profile_sources(rows, codebook(), gold=pd.concat([labels, missed]))
    assert profile.left_out["not a mention of the target"] == 1
    assert profile.left_out["coded but not found"] == 1


def test_an_unknown_source_is_a_group_of_its_own() -> None:
    rows = predictions()
    rows["source"] = [None] * 6 + ["A"] * 6
    profile = profile_sources(rows, codebook())
    assert {row.group["source"] for row in profile} == {"A", "unknown"}


def test_wire_copies_count_as_one_story() -> None:
    rows = predictions()
    rows["story_id"] = ["s"] * 6 + [None] * 6
    naive = profile_sources(rows, codebook()).rows[1].quantity("tone").naive
    # 11 body articles, six of them one story.
    assert naive.n_articles == 11
    assert naive.notes == ("11 articles are 6 stories",)
    assert naive.degrees_of_freedom == 5


def test_the_profile_is_json_without_nan() -> None:
    text = json.dumps(profile_sources(predictions(), codebook()).to_dict(), allow_nan=False)
    assert "every mention counting alike" in text


def test_the_frame_has_a_line_per_voice_and_quantity() -> None:
    frame = profile_sources(predictions(), codebook()).to_frame()
    assert len(frame) == 2 * 2
    assert {"source", "target", "naive", "corrected_status"} <= set(frame.columns)


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match=r"prediction columns \['zone'\]; score again"):
        profile_sources(predictions().drop(columns="zone"), codebook())
    with pytest.raises(DataError, match=r"one variable out of \['tone_score', 'p_parts_hero'\]"):
        profile_sources(predictions().drop(columns=["tone_score", "p_parts_hero"]), codebook())


def test_a_column_of_sets_parts_no_groups() -> None:
    rows = predictions()
    rows["parts"] = [["hero"]] * len(rows)
    with pytest.raises(DataError, match="one value a mention; 'parts' holds sets of labels"):
        profile_sources(rows, codebook(), options=ProfileOptions(by=("source", "parts")))


def test_what_is_estimated_parts_no_groups() -> None:
    options = ProfileOptions(by=("tone_score",))
    with pytest.raises(DataError, match="must not be what is estimated, got 'tone_score'"):
        profile_sources(predictions(), codebook(), options=options)


def test_articles_without_a_story_are_not_one_story() -> None:
    rows = pd.DataFrame({"article_id": ["a", "b", "c"], "story_id": ["", None, "s"]})
    assert clusters(rows).tolist() == ["a", "b", "s"]


def test_an_unknown_group_is_named() -> None:
    options = ProfileOptions(by=("sources", "target"))
    with pytest.raises(DataError, match=r"the columns are .*got 'sources'; did you mean source\?"):
        profile_sources(predictions(), codebook(), options=options)
    with pytest.raises(DataError, match=r"the columns are .*; got 'year'"):
        profile_sources(predictions(), codebook(), options=ProfileOptions(by=("year",)))


def test_a_mention_that_was_scored_twice_is_refused() -> None:
    rows = pd.concat([predictions(), predictions().head(1)])
    with pytest.raises(DataError, match="1 row too many, such as 'a00:0-1:X'"):
        profile_sources(rows, codebook())


def test_labels_of_other_articles_are_refused() -> None:
    rows = predictions()
    labels = gold(rows, 8).assign(article_id=[f"elsewhere{i}" for i in range(8)])
    with pytest.raises(DataError, match="none of 8 is, such as 'elsewhere0'"):
        profile_sources(rows, codebook(), gold=labels)
    with pytest.raises(DataError, match="none of 8 is"):
        plan_articles(rows, codebook(), labels, half_width=0.1)


def test_a_plan_for_no_width_is_refused() -> None:
    rows = predictions()
    with pytest.raises(DataError, match="half-width must be positive, got 0"):
        plan_articles(rows, codebook(), gold(rows, 8), half_width=0)


def test_a_variable_that_the_model_does_not_know_is_left_out() -> None:
    profile = profile_sources(predictions().drop(columns="p_parts_hero"), codebook())
    assert profile.not_predicted == ("parts",)
    assert [q.variable for q in profile.rows[0].quantities] == ["tone"]


def test_an_estimate_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="no estimate of mood mean"):
        profile_sources(predictions(), codebook()).rows[0].quantity("mood")


def test_the_plan_says_how_many_articles_a_width_takes() -> None:
    rows = predictions(40)
    labels = gold(rows, 12)
    labels.loc[0, "tone"] = "mild"
    (plan,) = plan_articles(rows, codebook(), labels, half_width=0.25)
    assert (plan["articles"], plan["coded"], plan["status"]) == (39, 12, "ok")
    assert 8 <= plan["needed"] <= 39


def test_a_plan_without_enough_labels_says_why() -> None:
    rows = predictions()
    (plan,) = plan_articles(rows, codebook(), gold(rows, 3), half_width=0.1)
    assert plan["needed"] is None
    assert "too few: 3 coded articles, 8 needed" in plan["status"]


def test_articles_that_the_model_was_trained_on_are_not_drawn() -> None:
    # Ten are wanted, and ten are left that are neither coded nor trained on.
    rows = predictions(40).assign(zone="body", part=[None] * 20 + ["train"] * 20)
    labels = gold(rows, 10).assign(article_id=rows["article_id"].head(10))
    plan = [{"source": "A", "target": "X", "more": 10}]
    chances = planned_chances(rows, codebook(), labels, plan)
    assert chances == {f"a{i:02d}": 1.0 for i in range(20)}


def test_a_chance_that_nobody_knows_is_no_chance_of_one() -> None:
    rows = predictions(40)
    labels = gold(rows, 20).assign(sampling_probability=[0.5] * 9 + [0.1] * 10 + [np.nan])
    row = profile_sources(rows, codebook(), gold=labels).rows[1]
    expected = "not estimable: no known chance of being drawn for 1 coded article"
    assert row.quantity("tone").corrected.status == expected
    assert row.verdict == expected


def test_articles_that_could_not_be_drawn_leave_nothing_to_correct() -> None:
    # Twelve were drawn by two chances; ten more were scored later, and nobody drew from those.
    rows = predictions(40).assign(zone="body")
    labels = gold(rows, 12).assign(sampling_probability=[0.4] * 6 + [0.3] * 6)
    chances = {name: 0.3 if i < 30 else 0.0 for i, name in enumerate(rows["article_id"])}
    row = profile_sources(rows, codebook(), gold=labels, chances=chances).rows[1]
    assert row.verdict == "not estimable: no chance of being drawn for 10 articles"
    assert row.quantity("tone").corrected.status == row.verdict


def sources(means: dict[str, int], n_articles: int = 200, n_coded: int = 40) -> pd.DataFrame:
    """Per source that many of 10 mentions are warm, the others mild; the first are coded."""
    parts = []
    for name, warm in means.items():
        rows = predictions(n_articles).assign(source=name, zone="body")
        rows["tone_score"] = [float(i % 10 < warm) for i in range(n_articles)]
        rows["article_id"] = name + rows["article_id"]
        rows["unit"] = rows["article_id"] + ":0-1:X"
        parts.append(rows.assign(is_coded=rows.index < n_coded))
    return pd.concat(parts, ignore_index=True)


def coded(rows: pd.DataFrame) -> pd.DataFrame:
    """Gold for what is marked as coded, with an error in each fourth article."""
    chosen = rows[rows["is_coded"]].reset_index(drop=True)
    labels = gold(chosen, len(chosen))
    labels.loc[::4, "tone"] = "mild"
    return labels


def test_sources_whose_intervals_overlap_are_not_ranked() -> None:
    rows = sources({"low": 1, "mid": 2, "top": 9})
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    (ranking,) = [r for r in profile.rankings if r.voice == "all"]
    assert [(e.name, e.best, e.worst, e.rank) for e in ranking.entries] == [
        ("top", 1, 1, 1),
        ("mid", 2, 3, None),
        ("low", 2, 3, None),
    ]
    assert ranking.entries[0].estimate.method.endswith("simultaneous")


def test_sources_with_few_coded_articles_have_a_pooled_mean() -> None:
    rows = sources({f"S{i}": 3 + i for i in range(5)}, n_articles=60, n_coded=5)
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    quantities = [row.quantity("tone") for row in profile if row.voice == "all"]
    assert all(quantity.corrected.status.startswith("too few: 5 coded") for quantity in quantities)
    assert all(quantity.pooled is not None for quantity in quantities)
    frame = profile.to_frame()
    means = frame[(frame["voice"] == "all") & frame["label"].isna()]
    assert means["pooled"].between(means["pooled_low"], means["pooled_high"]).all()
    assert "pooled" in profile.paper_table().to_markdown()
    (table,) = [one for one in profile_section(profile).tables if one.caption == "Means"]
    assert table.columns[-2:] == ("pooled", "verdict")
    assert quantities[0].pooled in [row[-2] for row in table.rows]


def test_four_sources_are_not_pooled_and_the_reason_stands_there() -> None:
    rows = sources({f"S{i}": 3 + i for i in range(4)}, n_articles=60, n_coded=5)
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    assert profile.rows[0].quantity("tone").pooled is not None
    assert set(profile.to_frame()["pooled_status"].dropna()) == {
        "too few to pool: 4 sources with 3 coded articles, 5 needed"
    }
    assert not profile.is_pooled


def test_groups_that_are_not_by_source_are_not_pooled() -> None:
    rows = sources({f"S{i}": 3 + i for i in range(5)}, n_articles=60, n_coded=5)
    options = ProfileOptions(by=("target",))
    profile = profile_sources(rows, codebook(), gold=coded(rows), options=options)
    assert profile.rows[0].quantity("tone").pooled is None


def test_a_source_without_corrected_mean_is_not_ranked_and_the_reason_stands_there() -> None:
    rows = sources({"A": 2, "B": 8})
    rows.loc[rows["source"] == "B", "is_coded"] = False
    (ranking,) = [
        r for r in profile_sources(rows, codebook(), gold=coded(rows)).rankings if r.voice == "all"
    ]
    assert ranking.left_out == {"B": "not corrected: no coded article"}


def test_sources_that_are_coded_in_full_are_ranked() -> None:
    rows = sources({"A": 2, "B": 8}, n_articles=20, n_coded=20)
    options = ProfileOptions(inference=InferenceOptions(population="corpus"))
    labels = gold(rows, 40)
    profile = profile_sources(rows, codebook(), gold=labels, options=options)
    (ranking,) = [r for r in profile.rankings if r.voice == "all"]
    # Two and eight of ten mentions are warm, 1, the others mild, 0.
    assert [(e.name, e.rank) for e in ranking.entries] == [("B", 1), ("A", 2)]
    assert [e.estimate.low for e in ranking.entries] == pytest.approx([0.8, 0.2])


def test_the_difference_of_two_sources_by_hand() -> None:
    rows = sources({"A": 2, "B": 8})
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    first, second = (row.quantity("tone").corrected for row in profile if row.voice == "all")
    (found,) = [d for d in profile.differences if d.voice == "all"]
    assert (found.column, found.first, found.second) == ("source", "A", "B")
    assert (first.value, second.value) != (None, None)
    assert found.estimate.value == pytest.approx((first.value or 0) - (second.value or 0))
    assert found.estimate.standard_error == pytest.approx(
        np.hypot(first.standard_error or 0, second.standard_error or 0)
    )


def test_shares_are_compared_on_request() -> None:
    rows = sources({"A": 2, "B": 8})
    labels = coded(rows)
    labels["parts"] = [frozenset({"hero"}) if i % 3 else frozenset[str]() for i in labels.index]
    options = ProfileOptions(compare_shares=True)
    profile = profile_sources(rows, codebook(), gold=labels, options=options)
    assert {d.label for d in profile.differences} == {None, "hero"}
    assert {r.label for r in profile.rankings} == {None, "hero"}


def test_sources_that_print_the_same_stories_differ_more_surely() -> None:
    # Two sources with the same text throughout: their means move together, so that their
    # difference is known although neither mean is.
    rows = sources({"A": 4, "B": 4}, n_coded=60)
    rows["story_id"] = "s" + rows["article_id"].str[2:]
    apart = profile_sources(rows.drop(columns="story_id"), codebook(), gold=coded(rows))
    together = profile_sources(rows, codebook(), gold=coded(rows))
    assert apart.differences[0].estimate.standard_error
    shared = together.differences[0].estimate
    assert shared.value == 0
    assert (shared.standard_error or 0) < 0.4 * apart.differences[0].estimate.standard_error
    assert "overlapping" in together.differences[0].estimate.method


def test_years_are_compared_with_the_year_before() -> None:
    rows = sources({"A": 2, "B": 5, "C": 8})
    years = {"A": "2020-05-01", "B": "2021", "C": "2022-01"}
    rows = rows.assign(date=rows["source"].map(years), source="paper")
    options = ProfileOptions(by=("source", "target", "year"))
    profile = profile_sources(rows, codebook(), gold=coded(rows), options=options)
    pairs = [(d.first, d.second) for d in profile.differences if d.voice == "all"]
    assert pairs == [("2021", "2020"), ("2022", "2021")]
    assert all((d.estimate.low or 0) > 0 for d in profile.differences if d.voice == "all")


def test_an_unknown_date_is_no_period() -> None:
    rows = predictions().assign(date=[None] * 6 + ["2020"] * 6)
    options = ProfileOptions(by=("target", "month"))
    profile = profile_sources(rows, codebook(), options=options)
    assert {row.group["month"] for row in profile} == {"unknown"}


def test_a_random_draw_that_nobody_recorded_is_not_refuted() -> None:
    rows = sources({"A": 4})
    row = profile_sources(rows, codebook(), gold=coded(rows)).rows[-1]
    assert row.verdict == "not refuted: nobody recorded how the coded articles were drawn"
    assert row.drawn == (
        "nobody recorded how; taken as a random draw with equal chances; "
        "whether the model was trained on them is not recorded"
    )


def test_coding_the_warm_articles_takes_the_word_valid_away() -> None:
    rows = sources({"A": 4, "B": 4})
    rows["is_coded"] |= rows["source"].eq("A") & rows["tone_score"].eq(1)
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    first, second = (row for row in profile if row.voice == "all")
    assert first.verdict.startswith("not valid: the coded articles do not look like a random draw")
    assert first.verdict in first.quantity("tone").corrected.notes
    assert second.verdict == NOT_REFUTED
    assert profile.differences == ()
    assert all(set(ranking.left_out) == {"A"} for ranking in profile.rankings)


def test_articles_that_the_model_was_trained_on_correct_nothing() -> None:
    rows = sources({"A": 4})
    rows["part"] = ["train"] * 35 + ["test"] * 5 + [None] * 160
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    assert profile.left_out == {"article the model was trained on": 35}
    assert profile.rows[-1].verdict == "not corrected: 5 coded articles, 8 needed"
    assert profile_sources(rows, codebook()).left_out == {}


def test_a_share_stays_between_its_ends() -> None:
    # One hero among ten coded articles: a symmetric t interval would begin below 0.
    rows = predictions(40).assign(zone="body")
    labels = gold(rows, 10).assign(parts=[frozenset({"hero"})] + [frozenset[str]()] * 9)
    labelled = profile_sources(rows, codebook(), gold=labels).rows[1].quantity("parts", "hero")
    assert labelled.labelled.value == pytest.approx(0.1)
    assert labelled.labelled.low is not None
    assert 0 < labelled.labelled.low < 0.1


def test_the_profile_validates_against_its_schema() -> None:
    rows = sources({"A": 4, "B": 4, "C": 9})
    rows.loc[rows["source"] == "C", "is_coded"] = False
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    record = json.loads(json.dumps(profile.to_dict(), allow_nan=False))
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(record, schema())
    record["rows"][0]["quantities"][0]["corrected"]["value"] = None
    with pytest.raises(jsonschema.ValidationError, match="None is not of type 'number'"):
        jsonschema.validate(record, schema())


def test_unequal_chances_are_undone() -> None:
    # Ten warm mentions drawn with chance 1/2 and ten mild ones with chance 1/10, no use in the
    # scores: Hájek gives (10 / .5) / (10 / .5 + 10 / .1) = 1/6.
    rows = predictions(40).assign(tone_score=0.0, zone="body")
    labels = gold(rows, 20).assign(
        tone=["warm"] * 10 + ["mild"] * 10, sampling_probability=[0.5] * 10 + [0.1] * 10
    )
    quantity = profile_sources(rows, codebook(), gold=labels).rows[1].quantity("tone")
    assert quantity.corrected.value == pytest.approx(1 / 6)
    assert "Hájek" in quantity.corrected.method


def test_an_unequal_draw_is_tested_where_everyones_chance_is_known() -> None:
    rows = predictions(80).assign(zone="body")
    labels = gold(rows, 20).assign(sampling_probability=[0.25, 0.3] * 10)
    row = profile_sources(rows, codebook(), gold=labels).rows[1]
    assert row.verdict == "not tested: the chances of articles that were not drawn are not known"
    chances = dict(zip(rows["article_id"], [0.25, 0.3] * 40, strict=True))
    tested = profile_sources(rows, codebook(), gold=labels, chances=chances).rows[1]
    assert tested.verdict == "valid"


def test_articles_picked_by_hand_have_no_chance_of_one() -> None:
    rows = predictions(80).assign(zone="body")
    labels = gold(rows, 20).assign(sampling_probability=1.0)
    row = profile_sources(rows, codebook(), gold=labels).rows[1]
    assert row.quantity("tone").corrected.status == (
        "not estimable: the coded articles are recorded with chance 1, but 60 articles without a "
        "chance were not drawn: a chance of 1 draws all"
    )


def test_coded_articles_do_not_speak_for_articles_of_another_chance() -> None:
    rows = predictions(100).assign(zone="body")
    labels = gold(rows, 10).assign(sampling_probability=0.5)
    chances = dict(zip(rows["article_id"], [0.5] * 20 + [0.02] * 80, strict=True))
    row = profile_sources(rows, codebook(), gold=labels, chances=chances).rows[1]
    assert row.verdict == (
        "not estimable: none of 80 articles with chance 0.02 is coded, so that the coded ones do "
        "not speak for them"
    )


def test_articles_of_a_source_share_the_chance_that_its_coded_ones_had() -> None:
    rows = sources({"A": 4, "B": 5}).drop(columns="is_coded").assign(target="X")
    is_coded = rows.index.isin([*range(40), *range(200, 220)])
    chosen = rows[is_coded].reset_index(drop=True)
    labels = gold(chosen, 60).assign(sampling_probability=[0.2] * 40 + [0.1] * 20)
    labels.loc[::4, "tone"] = "mild"
    options = ProfileOptions(by=("target",))
    row = profile_sources(rows, codebook(), gold=labels, options=options).rows[1]
    assert row.verdict == "valid"
    assert row.drawn.startswith("at random, with known chances from 0.1 to 0.2")


def test_articles_judged_in_folds_are_not_left_out() -> None:
    rows = sources({"A": 4})
    rows["part"] = [f"fold {i % 5 + 1} of 5" for i in range(40)] + [None] * 160
    profile = profile_sources(rows, codebook(), gold=coded(rows))
    row = profile.rows[-1]
    assert profile.left_out == {}
    assert row.drawn.endswith("was judged by a model that had not seen it (cross-fitted)")
    assert row.quantity("tone").corrected.method.endswith("; cross-fitted")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"tone": "tepid"}, "labels cold, mild, warm; got 'tepid'", id="label"),
        pytest.param({"parts": [["villain"]] * 8}, "labels hero; got 'villain'", id="set"),
        pytest.param({"parts": "hero"}, "a list was required, got 'hero'", id="no set"),
        pytest.param({"sampling_probability": 7.0}, r"must lie in \(0, 1\]", id="chance"),
        pytest.param({"unit": "a00:0-1:X"}, "one row per unit, 7 rows too many", id="repeated"),
    ],
)
def test_gold_that_would_quietly_mislead_is_refused(
    change: dict[str, object], message: str
) -> None:
    rows = predictions()
    with pytest.raises((DataError, CodebookError), match=message):
        profile_sources(rows, codebook(), gold=gold(rows, 8).assign(**change))


@pytest.mark.parametrize("column", ["unit", "not_target"])
def test_gold_without_a_column_is_refused(column: str) -> None:
    rows = predictions()
    with pytest.raises(DataError, match=f"got no {column}"):
        profile_sources(rows, codebook(), gold=gold(rows, 8).drop(columns=column))


def test_sets_from_parquet_are_labels_too() -> None:
    # Parquet brings lists back as arrays; eight of eight mentions have the part.
    rows = predictions()
    arrays = gold(rows, 8).assign(parts=[np.array(["hero"], dtype=object)] * 8)
    quantity = profile_sources(rows, codebook(), gold=arrays).rows[1].quantity("parts", "hero")
    assert quantity.labelled.value == 1.0


@pytest.mark.parametrize(("column", "value"), [("tone_score", 5.0), ("p_parts_hero", 25.0)])
def test_scores_off_their_scale_are_refused(column: str, value: float) -> None:
    # Clipped to the scale, a score in per cent would stand as a mean of 1.
    with pytest.raises(DataError, match=f"{column} must lie from .* 12 rows do not"):
        profile_sources(predictions().assign(**{column: value}), codebook())


@pytest.mark.parametrize(
    ("options", "message"),
    [({"by": ()}, "at least one; got"), ({"zones": ("lead",)}, "zones are some of headline")],
)
def test_options_that_part_nothing_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ProfileOptions(**options)  # type: ignore[arg-type]


def test_rankings_stay_on_the_scale() -> None:
    # One of twelve coded articles has the part: a t interval around so low a share reaches
    # below 0, where no share is.
    sources = []
    for name in "AB":
        rows = predictions(40).assign(source=name, zone="body")
        rows["article_id"] = name + rows["article_id"]
        sources.append(rows.assign(unit=rows["article_id"] + ":0-1:X"))
    rows = pd.concat(sources, ignore_index=True)
    coded = pd.concat([gold(one, 12) for one in sources], ignore_index=True)
    coded["parts"] = [frozenset({"hero"} if i % 12 == 5 else ()) for i in range(24)]
    profile = profile_sources(
        rows, codebook(), gold=coded, options=ProfileOptions(compare_shares=True)
    )
    ranking = next(r for r in profile.rankings if r.label == "hero" and r.voice == "all")
    assert len(ranking.entries) == 2
    for entry in ranking.entries:
        assert entry.estimate.low == 0.0
        assert entry.estimate.value is not None
        assert entry.estimate.high is not None
        assert 0 < entry.estimate.value < entry.estimate.high < 1


def test_a_source_without_a_name_is_unknown() -> None:
    rows = predictions().assign(source=["", "  ", None] * 4)
    profile = profile_sources(rows, codebook())
    assert {row.group["source"] for row in profile} == {"unknown"}


def test_a_second_predictor_that_is_right_corrects_beside_a_useless_one() -> None:
    rows = sources({"A": 4})
    labels = coded(rows)
    useless = rows.assign(tone_score=0.0)
    options = ProfileOptions(by=("source",))
    both = beside([useless, rows], codebook())
    weights = [
        profile_sources(table, codebook(), gold=labels, options=options)
        .rows[-1]
        .quantity("tone")
        .corrected.model_weight
        for table in (useless, both)
    ]
    assert weights[0] == 0
    assert weights[1] is not None
    assert weights[1] > 0.5


def test_a_predictor_that_lacks_a_mention_is_refused() -> None:
    rows = sources({"A": 4})
    with pytest.raises(DataError, match=r"no\. 2 lacks 1 of 200"):
        beside([rows, rows.head(199)], codebook())


def two_sources() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sources A and B of 12 articles, six of each coded."""
    rows = pd.concat([predictions(), predictions().assign(source="B")], ignore_index=True)
    rows["article_id"] = [f"a{i:02d}" for i in range(24)]
    rows["unit"] = rows["article_id"] + ":0-1:X"
    rows["zone"] = "body"
    labels = pd.concat([gold(rows.iloc[:12], 6), gold(rows.iloc[12:], 6)], ignore_index=True)
    return rows, labels


def test_all_is_one_group_of_all_mentions() -> None:
    rows, labels = two_sources()
    made = profile_sources(rows, codebook(), gold=labels, options=ProfileOptions(by=("all",)))
    assert [(row.group, row.n_coded_articles) for row in made if row.voice == "all"] == [
        ({"all": "all"}, 12)
    ]


def test_where_most_means_are_withheld_the_coarser_groups_are_counted() -> None:
    rows, labels = two_sources()

    def by(columns: tuple[str, ...]) -> Profile:
        options = ProfileOptions(by=columns)
        return profile_sources(rows, codebook(), gold=labels, options=options)

    found = borne(by(("source", "target")), by)
    phrases = ["by source and target 0 of 2", "by source 0 of 2", "by target 1 of 1"]
    assert [str(one) for one in found] == [*phrases, "all together 1 of 1"]
    best = best_borne(found)
    assert best is not None
    assert best.by == ("target",)


def test_where_most_means_have_an_interval_nothing_coarser_is_made() -> None:
    rows, labels = two_sources()
    made = profile_sources(rows, codebook(), gold=labels, options=ProfileOptions(by=("target",)))
    assert borne(made, lambda _: pytest.fail("nothing coarser was asked for")) == ()


def test_a_plan_says_what_to_code_first_instead_of_a_dash() -> None:
    rows, labels = two_sources()
    options = ProfileOptions(by=("source",))
    plan = plan_articles(rows, codebook(), labels, half_width=0.1, options=options)
    shown = plan.paper_table()
    needed, more = (shown.columns.index(name) for name in ("needed", "more"))
    assert [(row[needed], row[more]) for row in shown.cells()] == [("8 to plan", "2 first")] * 2
