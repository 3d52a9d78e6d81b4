"""Exports that lost labels or gave wrong figures: what went in comes out, or is listed."""

from pathlib import Path

import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import adjudicate
from classifier.annotations.formats import Imported, import_annotations

CASES = Path(__file__).parents[1] / "data" / "formats" / "cases"


def read(format_name: str, name: str) -> Imported:
    return import_annotations(format_name, CASES / name)


def reasons(imported: Imported) -> set[str]:
    return {problem.reason for problem in imported.problems}


@pytest.mark.parametrize(("name", "n_curated"), [("inc_cur", 8), ("inc_nocur", 0)])
def test_a_curator_is_gold_and_in_no_agreement(name: str, n_curated: int) -> None:
    annotation_set = read("inception", name).annotation_set
    report = measure_agreement(annotation_set, by=[()])
    stance = next(entry for entry in report.variables if entry.variable == "stance")
    assert report.annotators == ("anna", "bob")
    assert report.n_curated == n_curated
    assert stance.parts[0].estimate.value == pytest.approx(0.339, abs=0.001)


def test_the_curator_decides_what_the_annotators_left_open() -> None:
    gold = adjudicate(read("inception", "inc_cur").annotation_set).set_index("unit")
    # bob says favourable and anna neutral; the curator took bob's
    assert gold.loc["d1.txt:0-6:TR", "stance"] == "favourable"
    assert set(gold["n_annotators"]) == {2}


def test_a_curator_is_heard_by_a_rule_that_names_one_only_if_named() -> None:
    annotation_set = read("inception", "inc_cur").annotation_set
    by_anna = adjudicate(annotation_set, "annotator:anna").set_index("unit")
    curated = adjudicate(annotation_set, "priority:curated,anna").set_index("unit")
    assert by_anna.loc["d1.txt:0-6:TR", "stance"] == "neutral"
    assert curated.loc["d1.txt:0-6:TR", "stance"] == "favourable"


@pytest.mark.parametrize("name", ["right.json", "reversed.json"])
def test_the_id_in_the_data_is_the_article_id(name: str) -> None:
    annotation_set = read("label-studio", f"dataid2/{name}").annotation_set
    assert all(a.text.endswith(f" {a.article_id}.") for a in annotation_set.articles)


@pytest.mark.parametrize(
    ("format_name", "name"), [("label-studio", "ls_zero/export.json"), ("doccano", "doc_zero")]
)
def test_zero_is_an_article_id(format_name: str, name: str) -> None:
    annotation_set = read(format_name, name).annotation_set
    assert annotation_set.articles[0].article_id == "0"
    assert len(annotation_set.annotators) == 2
    assert (annotation_set.table.groupby("unit").size() == 2).all()


def test_annotations_without_ids_stay_apart() -> None:
    annotation_set = read("label-studio", "ls_noannid/export.json").annotation_set
    assert len(annotation_set.table) == 6
    assert annotation_set.annotators == ("1", "2")


def test_collapsed_blanks_in_the_surface_are_kept() -> None:
    annotation_set = read("label-studio", "ls3078/export.json").annotation_set
    surfaces = annotation_set.table["surface"].tolist()
    assert surfaces == ["Russian  Federation", "Moscow"]


def test_results_without_ids_are_mentions_of_their_own() -> None:
    assert len(read("label-studio", "ls_noresid/export.json").annotation_set.table) == 3


@pytest.mark.parametrize("name", ["ls_reannot", "ls_reannot2"])
def test_the_newest_annotation_of_a_person_counts(name: str) -> None:
    imported = read("label-studio", f"{name}/export.json")
    assert "annotated again, older one left out" in reasons(imported)
    assert "coded twice, first kept" not in reasons(imported)
    if name == "ls_reannot2":
        assert imported.annotation_set.table["surface"].tolist() == ["Moscow"]


def test_two_targets_on_a_region_are_two_mentions() -> None:
    table = read("label-studio", "ls_twolab/export.json").annotation_set.table
    assert table["target"].tolist() == ["RU", "UA"]
    assert table["stance"].tolist() == ["neutral", "neutral"]


def test_user_names_of_older_exports_are_annotators() -> None:
    assert len(read("label-studio", "ls_created/export.json").annotation_set.annotators) == 2


def test_drafts_are_listed_as_drafts() -> None:
    assert "draft, left out" in reasons(read("label-studio", "ls_draft/export.json"))


def test_edge_blanks_are_trimmed_and_listed() -> None:
    imported = read("doccano", "doc_space")
    assert "blanks at the edge, trimmed" in reasons(imported)
    assert (imported.annotation_set.table.groupby("unit").size() == 2).all()


@pytest.mark.parametrize("name", ["inc_zero_xmi", "inc_plain_xmi"])
def test_a_remark_of_no_width_spares_the_labels_beside_it(name: str) -> None:
    imported = read("inception", name)
    assert len(imported.annotation_set.table) == 2
    is_listed = "span without characters, set aside" in reasons(imported)
    assert is_listed == (name == "inc_zero_xmi")


def test_an_odd_span_spares_the_labels_beside_it() -> None:
    imported = read("brat", "brat998b")
    assert "Kyiv" in imported.annotation_set.table["surface"].tolist()
    assert imported.problems


def test_users_of_an_older_doccano_export_are_its_annotators() -> None:
    imported = read("doccano", "doc_annotations/project.jsonl")
    assert imported.counts["no target of the codebook, refused"] == 6


def test_annotators_that_differ_by_form_only_are_named() -> None:
    imported = read("csv", "csv_ann/ann.csv")
    alike = [p for p in imported.problems if p.reason == "annotators differ by form only"]
    assert "'01'" in alike[0].detail
