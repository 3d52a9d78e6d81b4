import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from classifier.annotations import AnnotationSet
from classifier.errors import DataError
from classifier.evaluation import Evaluation
from classifier.intervals import InferenceOptions
from classifier.notebook_html import visible
from classifier.profiles import Profile, ProfileOptions, profile_sources
from classifier.records import Article, Problem
from classifier.report import Evidence, chart, write_report
from classifier.report._document import embedded_json
from classifier.report._evidence import Excerpts, evidence_payload, pulls
from classifier.report._profiles import profile_section
from classifier.report._sections import coverage_section


@pytest.fixture(scope="module")
def profile(toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame) -> Profile:
    options = ProfileOptions(by=("target",))
    return profile_sources(toy_scores, toy_set.codebook, gold=coded, options=options)


@pytest.fixture(scope="module")
def evidence(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> Evidence:
    coded = frozenset(f"t{i}" for i in range(24))
    return Evidence(toy_scores, toy_set.articles, toy_set, coded)


def test_the_page_shows_the_figures_of_evaluation_and_profile(
    evaluation: Evaluation, profile: Profile, tmp_path: Path
) -> None:
    page = write_report(evaluation, profile, tmp_path / "r.html").read_text(encoding="utf-8")
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)">', page)}
    accuracy = json.loads(json.dumps(evaluation.to_dict()))["tables"]["accuracy"]
    wanted = [e["value"] for row in accuracy for e in row["estimates"].values()]
    rows = json.loads(json.dumps(profile.to_dict()))["rows"]
    wanted += [q[n]["value"] for r in rows for q in r["quantities"] for n in ("naive", "corrected")]
    assert len(wanted) > 20
    assert {value for value in wanted if value is not None} <= shown


def test_what_holds_for_two_profiles_is_said_once(profile: Profile, tmp_path: Path) -> None:
    page = write_report(None, [profile, profile], tmp_path / "r.md").read_text(encoding="utf-8")
    assert page.count("Publish “corrected”") == 1
    assert page.count(profile.estimand) >= 2


def test_a_withheld_figure_says_why(toy_set: AnnotationSet, toy_scores: pd.DataFrame) -> None:
    bare = profile_sources(toy_scores, toy_set.codebook, options=ProfileOptions(by=("target",)))
    section = profile_section(bare)
    assert "not corrected for model error" in section.paragraphs[1]
    assert section.tables[0].rows[0][-1] == "Not corrected: no coded article."


def test_profile_tables_lead_to_their_evidence(profile: Profile) -> None:
    means = profile_section(profile).tables[0]
    assert means.links[0] == "#evidence?target=TR&voice=author"
    assert len(means.links) == len(means.rows)


def test_coverage_counts_what_entered_no_estimate(toy_scores: pd.DataFrame) -> None:
    table = toy_scores.assign(status=["unsupported language: fr", *["ok"] * (len(toy_scores) - 1)])
    silent = Article("silent", "Nothing.", source="De Vliet")
    known = [Article(name, "x", source="De Vliet") for name in table["article_id"].unique()]
    section = coverage_section(table, [*known, silent], [Problem("a.txt", "not UTF-8", "")])
    words = " ".join(section.paragraphs)
    assert "120 mentions of the targets were found in 40 articles; 1 of them" in words
    assert "41 articles were read; 1 of them name no target" in words
    by_caption = {table.caption: table.rows for table in section.tables}
    assert ("unsupported language: fr", 1) in by_caption["Mentions by status"]
    assert by_caption["Not read, or repaired on reading"] == (("not UTF-8", 1),)


def test_the_pull_of_a_mention_is_what_leaving_it_out_changes(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    bare = profile_sources(toy_scores, toy_set.codebook, options=ProfileOptions(by=("target",)))
    pulled, kinds = pulls(toy_scores, toy_set.codebook, bare, None)
    scores = toy_scores.loc[toy_scores["target"] == "TR", ["unit", "stance_score"]]
    unit, score = scores.iloc[0]
    rest = scores["stance_score"].iloc[1:].mean()
    # mean - mean without it = (f - mean without it) / n = (f - mean) / (n - 1)
    expected = (scores["stance_score"].mean() - rest) * (len(scores) - 1) / len(scores)
    assert pulled[unit] == pytest.approx(expected)
    assert kinds[unit] == "model only"
    assert score != rest


def test_pulls_on_a_corrected_mean_cancel_out(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame, profile: Profile
) -> None:
    pulled, kinds = pulls(toy_scores, toy_set.codebook, profile, coded)
    assert set(kinds.values()) == {"corrected"}
    assert len(pulled) == len(toy_scores)
    assert not any(np.isnan(value) for value in pulled.values())
    for target in ("TR", "RU", "UA"):
        units = toy_scores.loc[toy_scores["target"] == target, "unit"]
        assert sum(pulled[unit] for unit in units) == pytest.approx(0, abs=1e-9)


def test_pulls_follow_unequal_chances(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame
) -> None:
    chances = np.where(coded["article_id"].str.len() == 2, 0.9, 0.5)
    gold = coded.assign(sampling_probability=chances)
    options = ProfileOptions(by=("target",))
    made = profile_sources(toy_scores, toy_set.codebook, gold=gold, options=options)
    pulled, _ = pulls(toy_scores, toy_set.codebook, made, gold)
    assert not any(np.isnan(value) for value in pulled.values())


def test_an_estimand_that_weighs_articles_has_no_pull_per_mention(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame
) -> None:
    fewer = toy_scores.drop(index=[0, 4, 8, 9]).reset_index(drop=True)
    options = ProfileOptions(by=("source",), inference=InferenceOptions(estimand="article"))
    made = profile_sources(fewer, toy_set.codebook, options=options)
    pulled, _ = pulls(fewer, toy_set.codebook, made, None)
    assert np.isnan(list(pulled.values())).any()


def test_the_evidence_has_an_entry_per_mention(evidence: Evidence, profile: Profile) -> None:
    payload = evidence_payload(evidence, profile)
    n = len(evidence.predictions)
    assert payload["n"] == n
    columns = [payload["pull"], payload["humans"], payload["facets"]["source"]["codes"]]
    columns += [payload["excerpts"]["mention"], payload["predicted"]["roles"]["labels"]]
    assert {len(column) for column in columns} == {n}
    assert [v["name"] for v in payload["variables"]] == ["stance", "roles"]


def test_human_labels_stand_beside_the_models(evidence: Evidence) -> None:
    payload = evidence_payload(evidence, None)
    # The third mention's stance is moved by one place (conftest); its annotator is unmoved.
    assert payload["distance"]["stance"][0] == 0
    assert payload["distance"]["stance"][2] > 0
    assert payload["humans"][0][0][0] == "ann"


def test_the_mention_is_found_in_its_excerpt(evidence: Evidence) -> None:
    excerpts = evidence_payload(evidence, None)["excerpts"]
    for i, surface in enumerate(evidence.predictions["surface"]):
        start, end = excerpts["mention"][i]
        assert excerpts["texts"][excerpts["text"][i]][start:end] == surface


def _excerpt(text: str, surface: str, **row: Any) -> dict[str, Any]:  # noqa: ANN401
    start = text.index(surface)
    found = {"article_id": "a", "start": start, "end": start + len(surface), "speaker": None}
    found |= {"surface": surface, "passage_start": None, "passage_end": None, **row}
    excerpts = Excerpts({"a": Article("a", text, language="en")})
    excerpts.add(found)
    return excerpts.columns()


def test_places_count_as_javascript_counts() -> None:
    made = _excerpt("😀😀 Turkey waited.", "Turkey")
    # Each of the two faces is two UTF-16 units, and then comes a space.
    assert made["mention"] == [[5, 11]]


def test_an_excerpt_of_another_text_is_refused() -> None:
    made = _excerpt("Turkey waited.", "Turkey", start=1)
    assert (made["text"], made["mention"], made["texts"]) == ([-1], ["Turkey"], [])


def test_a_word_of_a_megabyte_is_cut() -> None:
    text = "x" * 1_000_000 + " Turkey " + "y" * 1_000_000
    made = _excerpt(text, "Turkey", passage_start=0, passage_end=len(text))
    assert len(made["texts"][0]) < 3_000


def test_speaker_and_cue_have_their_places() -> None:
    text = "“Turkey kept its word,” said Marit Overdal."
    made = _excerpt(text, "Turkey")
    (start, end), (cue_start, cue_end) = made["speaker_at"][0], made["cue_at"][0]
    assert text[start:end] == "Marit Overdal"
    assert text[cue_start:cue_end] == "said"


def test_only_web_addresses_are_followed(evidence: Evidence, toy_set: AnnotationSet) -> None:
    first = replace(toy_set.articles[0], url="javascript:alert(1)")
    second = replace(toy_set.articles[1], url="https://example.org/a")
    hostile = replace(evidence, articles=(first, second))
    addresses = [one[3] for one in evidence_payload(hostile, None)["articles"]["values"]]
    assert addresses[:3] == [None, "https://example.org/a", None]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("\u202eevil", "[U+202E]evil"), ("\x1b[31m", "[U+001B][31m"), ("Київ\n\tİ", "Київ\n\tİ")],
)
def test_text_that_hides_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["</script><script>", "<!--", "]]>", "\u2028", "\ud83d", "&amp;"])
def test_embedded_json_cannot_leave_its_element(text: str) -> None:
    made = str(embedded_json([text]))
    assert not set("<>&\u2028\ud83d") & set(made)
    assert json.loads(made) == [text]


@pytest.mark.parametrize(
    ("what", "drawn"),
    [
        ("agreement", "model with them"),
        ("labels", "majority class"),
        ("reliability", "confidence"),
        ("confusion", "predicted"),
        ("learning_curve", "half_width"),
    ],
)
def test_an_evaluation_draws_itself(evaluation: Evaluation, what: str, drawn: str) -> None:
    panels = chart(evaluation, what).to_dict()["vconcat"]
    assert [panel["title"].split(":")[0] for panel in panels] == ["stance", "roles"]
    assert drawn in json.dumps(panels)


def test_the_chart_of_an_evaluation_calls_targets_by_their_names(evaluation: Evaluation) -> None:
    points = json.dumps(chart(evaluation, "agreement").to_dict())
    assert '"row": "Turkey"' in points
    assert '"row": "TR"' not in points


def test_an_evaluation_without_figures_has_no_chart(evaluation: Evaluation) -> None:
    bare = replace(evaluation, tables=tuple(replace(t, rows=()) for t in evaluation.tables))
    with pytest.raises(DataError, match="a chart needs figures"):
        chart(bare, "agreement")


@pytest.mark.parametrize("what", ["means", "shares"])
def test_a_profile_draws_itself(profile: Profile, what: str) -> None:
    text = json.dumps(chart(profile, what).to_dict())
    for estimate in ("corrected", "labels only", "model only"):
        assert estimate in text


def test_a_chart_that_is_not_there_is_refused(profile: Profile) -> None:
    with pytest.raises(DataError, match="a profile has the charts means, shares; got 'pie'"):
        chart(profile, "pie")


def test_anything_else_has_no_chart() -> None:
    with pytest.raises(DataError, match=r"a chart needs a Profile, .* got str"):
        chart("profile")


def test_results_show_themselves_in_a_notebook_with_their_text_escaped(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, evaluation: Evaluation
) -> None:
    hostile = toy_scores.assign(source="<script>alert(1)</script>")
    results: list[Any] = [profile_sources(hostile, toy_set.codebook), evaluation]
    table = toy_set.table.assign(comment="<img src=x onerror=alert(1)>")
    results.append(replace(toy_set, table=table))
    shown = [one._repr_html_() for one in results]
    assert not any("<script" in html or "<img" in html for html in shown)
    assert "&lt;script&gt;" in shown[0]
    assert "macro_f1" in shown[1]


def test_an_annotation_set_says_how_much_it_holds(toy_set: AnnotationSet) -> None:
    words = "AnnotationSet: 40 articles, 120 mentions, 120 annotations by ann"
    assert repr(toy_set) == words


def test_pulls_hold_where_articles_are_coded_in_part_and_mentions_are_false(
    toy_set: AnnotationSet, toy_scores: pd.DataFrame, coded: pd.DataFrame
) -> None:
    part = coded.drop(index=[1, 7, 20]).reset_index(drop=True)
    part.loc[part.index[::9], "not_target"] = True
    options = ProfileOptions(by=("target",))
    made = profile_sources(toy_scores, toy_set.codebook, gold=part, options=options)
    moves, estimates = pulls(toy_scores, toy_set.codebook, made, part)
    assert set(estimates.values()) == {"corrected"}
    assert not any(np.isnan(value) for value in moves.values())
    assert sum(moves.values()) == pytest.approx(0, abs=1e-9)
