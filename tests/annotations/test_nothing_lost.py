"""Exports that lost labels or gave wrong figures: what went in comes out, or is listed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import (
    adjudicate,
    join_coders,
    read_annotations,
    who_decided,
    write_annotations,
)
from classifier.annotations.formats import Imported, import_annotations
from classifier.articles import read_articles
from classifier.profiles import profile, profiled_labels

CASES = Path(__file__).parents[1] / "data" / "formats" / "cases"


def read(format_name: str, name: str) -> Imported:
    return import_annotations(format_name, CASES / name)


def reasons(imported: Imported) -> set[str]:
    return {problem.reason for problem in imported.problems}


@pytest.mark.parametrize(
    ("name", "n_curated"), [("inception-curated", 8), ("inception-uncurated", 0)]
)
def test_a_curator_is_gold_and_in_no_agreement(name: str, n_curated: int) -> None:
    annotation_set = read("inception", name).annotation_set
    report = measure_agreement(annotation_set, by=[()])
    stance = next(entry for entry in report.variables if entry.variable == "stance")
    assert report.annotators == ("ines", "jan")
    assert report.n_curated == n_curated
    # 4 pairs are neutral, 2 favourable, 2 differ: 10 and 6 of 16 values
    expected = 1 - (4 / 16) / (2 * 10 * 6 / (16 * 15))
    assert expected == 0.5
    assert stance.parts[0].estimate.value == pytest.approx(expected)


def test_the_curator_decides_what_the_annotators_left_open() -> None:
    gold = adjudicate(read("inception", "inception-curated").annotation_set).set_index("unit")
    # ines says neutral and jan favourable; the curator took jan's
    assert gold.loc["ferry2.txt:19-25:RU", "stance"] == "favourable"
    assert set(gold["n_annotators"]) == {2}


def test_a_curator_is_heard_by_a_rule_that_names_one_only_if_named() -> None:
    annotation_set = read("inception", "inception-curated").annotation_set
    by_ines = adjudicate(annotation_set, "annotator:ines").set_index("unit")
    curated = adjudicate(annotation_set, "priority:curated,ines").set_index("unit")
    assert by_ines.loc["ferry2.txt:19-25:RU", "stance"] == "neutral"
    assert curated.loc["ferry2.txt:19-25:RU", "stance"] == "favourable"


IDS = CASES / "label-studio-article-ids"


@pytest.mark.parametrize("name", ["same", "reversed"])
def test_the_id_in_the_data_is_the_article_id_up_to_the_corrected_mean(
    name: str, tmp_path: Path
) -> None:
    annotation_set = import_annotations("label-studio", IDS / f"{name}.json").annotation_set
    assert all(a.text.endswith(f" {a.article_id}.") for a in annotation_set.articles)
    write_annotations(annotation_set, tmp_path)
    labels = profiled_labels(
        IDS / "labels.csv", articles=IDS / "articles.jsonl", gold=tmp_path, codebook=None
    )
    means = {
        row.group["source"]: quantity.corrected.value
        for row in profile(labels, gold=tmp_path)
        for quantity in row.quantities
        if quantity.label is None and row.voice == "all"
    }
    # the model says neutral everywhere, which is 0: what remains is the coders' mean
    # 6 favourable, 2 unfavourable and 2 neutral of 10, and the reverse
    assert means == {"Harbour Letter": pytest.approx(0.4), "Pier Review": pytest.approx(-0.4)}
    assert len(read_articles(IDS / "articles.jsonl")) == 24


@pytest.mark.parametrize(
    ("format_name", "name"),
    [("label-studio", "label-studio-zero.json"), ("doccano", "doccano-zero")],
)
def test_zero_is_an_article_id(format_name: str, name: str) -> None:
    annotation_set = read(format_name, name).annotation_set
    assert annotation_set.articles[0].article_id == "0"
    assert len(annotation_set.annotators) == 2
    assert (annotation_set.table.groupby("unit").size() == 2).all()


def test_annotations_without_ids_stay_apart() -> None:
    annotation_set = read("label-studio", "label-studio-no-annotation-ids.json").annotation_set
    assert len(annotation_set.table) == 6
    assert annotation_set.annotators == ("8", "9")


def test_collapsed_blanks_in_the_surface_are_kept() -> None:
    annotation_set = read("label-studio", "label-studio-collapsed-blanks.json").annotation_set
    assert annotation_set.table["surface"].tolist() == ["Kremlin", "Black  Sea  Fleet"]


def test_results_without_ids_are_mentions_of_their_own() -> None:
    table = read("label-studio", "label-studio-no-result-ids.json").annotation_set.table
    assert table["target"].tolist() == ["TR", "RU", "UA"]
    assert table["stance"].tolist() == ["favourable", "neutral", "neutral"]


@pytest.mark.parametrize(
    ("name", "surfaces"),
    [
        ("label-studio-annotated-again", ["Odesa"]),
        ("label-studio-annotated-again-by-address", ["Istanbul", "Kremlin", "Odesa"]),
    ],
)
def test_the_newest_annotation_of_a_person_counts(name: str, surfaces: list[str]) -> None:
    imported = read("label-studio", f"{name}.json")
    assert reasons(imported) == {"annotated again, older one left out"}
    assert imported.annotation_set.table["surface"].tolist() == surfaces
    assert set(imported.annotation_set.table["stance"]) == (
        {"favourable"} if len(surfaces) == 1 else {"neutral"}
    )


def test_two_targets_on_a_region_are_two_mentions() -> None:
    table = read("label-studio", "label-studio-two-targets.json").annotation_set.table
    assert table["target"].tolist() == ["TR", "UA"]
    assert table["stance"].tolist() == ["neutral", "neutral"]


def test_user_names_of_older_exports_are_annotators() -> None:
    annotation_set = read("label-studio", "label-studio-created-username.json").annotation_set
    assert annotation_set.annotators == ("ines@desk.example", "jan@desk.example")
    assert len(annotation_set.table) == 6


def test_drafts_skipped_and_empty_ones_are_three_things() -> None:
    imported = read("label-studio", "label-studio-drafts.json")
    assert imported.counts["draft, left out"] == 1
    assert imported.counts["cancelled annotation, left out"] == 1
    assert imported.counts["submitted without a label"] == 1


def test_an_import_of_nothing_fails_and_writes_nothing(
    ask: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    path = CASES / "label-studio-all-refused.json"
    code, told = ask("import", "label-studio", path, "--out", tmp_path / "set")
    assert code == 1
    assert "offsets fit no counting, refused" in told
    assert "next:" not in told
    assert not (tmp_path / "set").exists()


def test_edge_blanks_are_trimmed_and_listed() -> None:
    imported = read("doccano", "doccano-edge-blank")
    assert reasons(imported) == {"blanks at the edge, trimmed"}
    assert (imported.annotation_set.table.groupby("unit").size() == 2).all()


@pytest.mark.parametrize("name", ["remark", "plain"])
def test_a_remark_of_no_width_spares_the_labels_beside_it(name: str) -> None:
    imported = read("inception", f"inception-xmi-{name}")
    assert imported.annotation_set.table["stance"].tolist() == ["favourable", "neutral"]
    is_listed = "span without characters, set aside" in reasons(imported)
    assert is_listed == (name == "remark")


def test_an_odd_span_spares_the_labels_beside_it() -> None:
    imported = read("brat", "brat-line-end")
    assert imported.annotation_set.table["surface"].tolist() == ["Odesa"]
    assert "offsets fit no counting, refused" in reasons(imported)


def test_users_of_an_older_doccano_export_are_its_annotators() -> None:
    imported = read("doccano", "doccano-annotations-key.jsonl")
    assert imported.annotation_set.annotators == ("8", "9")
    assert len(imported.annotation_set.table) == 6


def test_labels_that_came_as_numbers_are_told() -> None:
    imported = read("doccano", "doccano-annotations-numbers.jsonl")
    assert imported.counts["no target of the codebook, refused"] == 3
    assert "export their names" in imported.problems[0].remedy


def test_annotators_that_differ_by_form_only_are_named() -> None:
    (alike,) = read("csv", "csv-annotator-forms.csv").problems
    assert alike.reason == "annotators differ by form only"
    assert alike.detail.startswith("' 8', '08', '8', '8.0'")


ROWS = "article_id,text,start,end,target,annotator,stance,updated_at\n"
SLEPT = "7,Odesa slept.,0,5,UA,ines"


@pytest.mark.parametrize(
    ("first", "later", "kept"),
    [
        ("2023-05-02", "2023-05-01", "neutral"),
        ("2023-05-01", "2023-05-02", "favourable"),
        ("", "", "favourable"),
    ],
)
def test_of_a_repeated_row_the_newest_counts(
    first: str, later: str, kept: str, tmp_path: Path
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{ROWS}{SLEPT},neutral,{first}\n{SLEPT},favourable,{later}\n")
    imported = import_annotations("csv", path)
    assert imported.annotation_set.table["stance"].tolist() == [kept]
    assert reasons(imported) == {"coded twice, last kept"}


def test_a_task_of_prodigy_that_was_answered_again_counts_once(tmp_path: Path) -> None:
    task = '{"text": "Odesa and Moscow", "_task_hash": 5, "_annotator_id": "ines", "spans": '
    first = task + '[{"start": 0, "end": 5, "label": "UA"}], "_timestamp": 9}'
    later = task + '[{"start": 10, "end": 16, "label": "RU"}], "_timestamp": 8}'
    path = tmp_path / "out.jsonl"
    path.write_text(f"{first}\n{later}\n")
    imported = import_annotations("prodigy", path)
    assert imported.annotation_set.table["target"].tolist() == ["UA"]
    assert reasons(imported) == {"annotated again, older one left out"}


Ask = Callable[..., tuple[int, str]]


def test_an_import_adds_coders_to_a_set(tmp_path: Path, ask: Ask) -> None:
    one, other = (CASES / "doccano-zero" / f"{name}.jsonl" for name in ("ines", "jan"))
    ask("import", "doccano", one, "--out", tmp_path / "set")
    code, told = ask("import", "doccano", other, "--into", tmp_path / "set")
    assert code == 0
    assert "has 3 articles by ines, jan now, 3 of both" in told
    whole = read_annotations(tmp_path / "set")
    assert (whole.table.groupby("unit").size() == 2).all()


def test_articles_that_a_tool_renamed_meet_by_their_text(tmp_path: Path) -> None:
    rows = "article_id,text,start,end,target,annotator,stance\n{},Odesa slept.,0,5,UA,{},neutral\n"
    sets = []
    for name, person in (("night", "ines"), ("night.txt", "jan")):
        path = tmp_path / f"{person}.csv"
        path.write_text(rows.format(name, person))
        sets.append(import_annotations("csv", path).annotation_set)
    joined = join_coders(sets)
    assert [article.article_id for article in joined.articles] == ["night"]
    assert set(joined.table["unit"]) == {"night:0-5:UA"}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("majority", "gold by majority, of 8 mentions; 8 curated labels go first"),
        ("annotator:ines", "8 curated labels are not heard; name curated in the rule"),
        ("priority:ines,curated", "8 curated labels are number 2 in the order"),
    ],
)
def test_the_rule_of_gold_is_told(rule: str, told: str) -> None:
    annotation_set = read("inception", "inception-curated").annotation_set
    assert told in who_decided(replace(annotation_set, adjudication=rule))


TWICE = """article_id,text,start,end,annotator,target,stance
a,Kyiv and Moscow,0,4,ann,UA,favourable
a,Kyiv and Moscow,0,4,ben,UA,neutral
a,Kyiv and Moscow,9,15,ann,RU,neutral
a,Kyiv and Moscow,9,15,ben,RU,neutral
"""


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("majority", "tied, so without gold and in no figure against it: stance 1 of 2"),
        ("unanimous", "not unanimous, so without gold and in no figure against it: stance 1 of 2"),
        (
            "priority:ben,ann",
            "ties between annotators that the rule priority:ben,ann decided: stance 1 of 2",
        ),
    ],
)
def test_ties_are_counted_with_who_decided_them(tmp_path: Path, rule: str, told: str) -> None:
    (tmp_path / "two.csv").write_text(TWICE)
    coded = import_annotations("csv", tmp_path / "two.csv").annotation_set
    assert told in who_decided(replace(coded, adjudication=rule))


def test_a_tie_that_curated_labels_decided_is_no_gap(tmp_path: Path) -> None:
    row = "a,Kyiv and Moscow,0,4,curated,UA,favourable\n"
    (tmp_path / "two.csv").write_text(TWICE + row)
    coded = import_annotations("csv", tmp_path / "two.csv").annotation_set
    told = who_decided(coded)
    assert told.endswith("ties between annotators that curated labels decided: stance 1 of 2")


def test_a_profile_takes_gold_by_the_rule_it_is_given(tmp_path: Path, ask: Ask) -> None:
    gold = import_annotations("label-studio", IDS / "same.json").annotation_set
    write_annotations(gold, tmp_path)
    words = ("profile", IDS / "labels.csv", "--articles", IDS / "articles.jsonl")
    code, told = ask(*words, "--gold", tmp_path, "--adjudication", "annotator:1")
    assert code == 0
    assert "gold by annotator:1, of 20 mentions" in told
    assert ask(*words, "--gold", tmp_path, "--adjudication", "annotator:2")[0] == 1


@pytest.mark.parametrize("command", ["compare", "plan", "regress"])
def test_every_command_with_gold_takes_its_rule(
    command: str, run_command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    gold = import_annotations("label-studio", IDS / "same.json").annotation_set
    write_annotations(gold, tmp_path / "coded")
    labels = tmp_path / "labels.parquet"
    made = profiled_labels(IDS / "labels.csv", articles=IDS / "articles.jsonl")
    made.to_frame().to_parquet(labels)
    copy = labels.with_name("again.parquet")
    made.to_frame().to_parquet(copy)
    words: dict[str, tuple[str | Path, ...]] = {
        "compare": (tmp_path / "coded", "--predictions", labels, copy),
        "plan": (labels, "--gold", tmp_path / "coded"),
        "regress": (labels, "stance ~ target", "--gold", tmp_path / "coded"),
    }
    code, _, err = run_command(command, *words[command], "--adjudication", "annotator:2")
    assert code == 1
    assert "rule 'annotator:2' needs annotators of this set (1)" in " ".join(err.split())


def test_names_of_columns_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "id,Publisher,pubDate,text,start,end,target,annotator,stance\n"
        "0,Quay Post,2023-05-01,Odesa slept.,0,5,UA,ines,neutral\n"
    )
    imported = import_annotations("csv", path)
    assert imported.names_taken == {"source": "Publisher", "date": "pubDate"}
    assert imported.problems == ()
    assert imported.annotation_set.articles[0].article_id == "0"


def test_a_date_and_language_that_no_rule_reads_are_told(tmp_path: Path) -> None:
    row = "0,Odesa slept.,Klingon,3/4/22,{},{},UA,{},neutral\n"
    head = "id,text,lang,published,start,end,target,annotator,stance\n"
    (tmp_path / "rows.csv").write_text(head + row.format(0, 5, "ines") + row.format(0, 5, "jan"))
    imported = import_annotations("csv", tmp_path / "rows.csv")
    assert len(imported.annotation_set.table) == 2
    assert [(p.where, p.reason) for p in imported.problems] == [
        ("0", "date not read"),
        ("0", "language not read"),
    ]


def test_workbooks_in_a_folder_read_as_its_tables_do(tmp_path: Path) -> None:
    tables: dict[str, list[list[object]]] = {
        "articles": [["article_id", "text", "source"], ["7", "Odesa slept.", "Quay Post"]],
        "annotations": [
            ["article_id", "start", "end", "target", "annotator", "stance"],
            ["7", 0, 5, "UA", "ines", "neutral"],
        ],
    }
    for name, rows in tables.items():
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(tmp_path / f"{name}.xlsx")
    imported = import_annotations("csv", tmp_path)
    assert imported.annotation_set.table["unit"].tolist() == ["7:0-5:UA"]
    assert imported.annotation_set.articles[0].source == "Quay Post"
