import json

import numpy as np
import pandas as pd
import pytest

from classifier.codebook import Codebook, parse_codebook
from classifier.errors import DataError
from classifier.inference import InferenceOptions
from classifier.profiles import ProfileOptions, plan_articles, profile_sources

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
    assert quantity.corrected.status == "undefined: no variation among the coded labels"


def test_mentions_without_a_score_are_left_out_and_counted() -> None:
    rows = predictions()
    rows.loc[0, "status"] = "unsupported language: de"
    rows.loc[0, "tone_score"] = np.nan
    profile = profile_sources(rows, codebook())
    assert profile.left_out == {"unsupported language: de": 1, "zone caption": 1}
    assert profile.rows[1].n_mentions == 10


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
    assert naive.n_articles == 6


def test_the_profile_is_json_without_nan() -> None:
    text = json.dumps(profile_sources(predictions(), codebook()).to_dict(), allow_nan=False)
    assert "every mention counting alike" in text


def test_the_frame_has_a_line_per_voice_and_quantity() -> None:
    frame = profile_sources(predictions(), codebook()).to_frame()
    assert len(frame) == 2 * 2
    assert {"source", "target", "naive", "corrected_status"} <= set(frame.columns)


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match=r"prediction columns \['tone_score'\]; score again"):
        profile_sources(predictions().drop(columns="tone_score"), codebook())


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
