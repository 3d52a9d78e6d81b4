"""Whose labels they are, and that a lost label is told: other spellings, columns and keys."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from classifier.annotations import check, fix_annotations, lost_labels
from classifier.annotations.formats import Imported, import_annotations
from classifier.errors import DataError
from classifier.labels import read_predictions
from classifier.records import Article

TEXT = "Odesa slept. Moscow woke."
HEAD = "article_id,text,start,end,target,annotator"
ROW = f"7,{TEXT},0,5,UA,ines"


def table(folder: Path, columns: str, cells: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(f"{HEAD},{columns}\n{ROW},{cells}\n")
    return path


def values(imported: Imported, variable: str = "stance") -> list[object]:
    return list(imported.annotation_set.table[variable])


def reasons(imported: Imported) -> list[str]:
    return [problem.reason for problem in imported.problems]


LOOKS = "column that looks like labels, not taken"
NOT_IN_CODEBOOK = "label not in the codebook, left out"


@pytest.mark.parametrize(
    "column",
    ["model_stance", "stance_model", "suggestion", "old_label", "gpt-4o", "predictedStance"],
)
def test_a_column_of_a_program_is_nobodys_label(column: str, tmp_path: Path) -> None:
    imported = import_annotations("csv", table(tmp_path, f"stance,{column}", ",neutral"))
    assert values(imported) == [None]
    assert (reasons(imported), dict(imported.lost)) == ([LOOKS], {})
    assert f"--column {column}=stance" in imported.problems[0].remedy
    assert (LOOKS, column) in imported.summary


def test_a_column_that_is_called_otherwise_is_named_and_counted_as_lost(tmp_path: Path) -> None:
    imported = import_annotations("csv", table(tmp_path, "mood,remark", "neutral,late"))
    assert values(imported) == [None]
    assert dict(imported.lost) == {LOOKS: 1}
    assert reasons(imported) == [LOOKS, "columns not read"]


def test_a_column_that_is_named_is_taken(tmp_path: Path) -> None:
    path = table(tmp_path, "mood", "neutral")
    assert values(import_annotations("csv", path, columns={"mood": "stance"})) == ["neutral"]
    with pytest.raises(DataError, match="a column 'moods' was required"):
        import_annotations("csv", path, columns={"moods": "stance"})
    with pytest.raises(DataError, match="mood=tone must lead to one of stance, roles"):
        import_annotations("csv", path, columns={"mood": "tone"})


def test_a_general_column_fills_no_variable_that_has_its_own(tmp_path: Path) -> None:
    beside = import_annotations("csv", table(tmp_path, "stance,label", ",neutral"))
    alone = import_annotations("csv", table(tmp_path, "label", "neutral"))
    assert (values(beside), values(alone)) == ([None], ["neutral"])


@pytest.mark.parametrize(
    ("columns", "cells", "roles"),
    [
        ("roles_aggressor,roles_weak", "1,0", {"aggressor"}),
        ("roles_1,roles_2", "aggressor,weak", {"aggressor", "weak"}),
        ("Roles", "weak; strong", {"weak", "strong"}),
    ],
)
def test_a_set_may_stand_in_several_columns(
    columns: str, cells: str, roles: set[str], tmp_path: Path
) -> None:
    assert values(import_annotations("csv", table(tmp_path, columns, cells)), "roles") == [roles]


@pytest.mark.parametrize(
    "header",
    [
        "ARTICLE_ID,Text,Start,End,Target,Annotator,Stance",
        "doc_id,text,begin,stop,entity,coder,stance",
        "document,text,start_offset,end_offset,target_name,annotated_by,stance",
    ],
)
def test_columns_by_their_usual_names(header: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"{header}\n{ROW},neutral\n")
    found = import_annotations("csv", tmp_path / "rows.csv").annotation_set.table
    rows = found[["unit", "annotator", "stance"]].to_numpy().tolist()
    assert rows == [["7:0-5:UA", "ines", "neutral"]]


def test_the_country_of_a_newspaper_is_no_target(tmp_path: Path) -> None:
    path = table(tmp_path, "country,stance", "Russia,neutral")
    imported = import_annotations("csv", path)
    assert list(imported.annotation_set.table["target"]) == ["UA"]
    assert reasons(imported) == [LOOKS]


def test_other_words_are_mapped_for_the_import_only(tmp_path: Path) -> None:
    path = table(tmp_path, "stance", "Pro-UA")
    imported = import_annotations("csv", path, mapping={"pro-*": "favourable"})
    assert values(imported) == ["favourable"]
    assert not imported.annotation_set.codebook.counterparts


def test_a_label_on_another_text_of_its_article_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, "stance", "neutral")
    with path.open("a") as file:
        file.write("7,Kazan slept. Odesa woke.,13,18,UA,ines,neutral\n")
    imported = import_annotations("csv", path)
    assert len(imported.annotation_set.table) == 1
    assert dict(imported.lost) == {"label on another text of its article, refused": 1}


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_packed_table_with_a_mark_and_windows_ends(mark: str, tmp_path: Path) -> None:
    lines = [f"{HEAD},stance", f"{ROW},neutral", ""]
    content = "\r\n".join(line.replace(",", mark) for line in lines).encode("utf-8-sig")
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(content))
    assert values(import_annotations("csv", tmp_path / "rows.csv.gz")) == ["neutral"]


def test_na_of_r_is_nothing(tmp_path: Path) -> None:
    path = table(tmp_path, "stance,roles,comment,source,date", "neutral,NA,NA,NA,NA")
    imported = import_annotations("csv", path)
    row = imported.annotation_set.table.iloc[0]
    article = imported.annotation_set.articles[0]
    assert (row["stance"], row["roles"], row["comment"]) == ("neutral", None, None)
    assert (article.source, article.date) == (None, None)
    assert imported.problems == ()


def _workbook(path: Path, titles: list[str]) -> Path:
    book = openpyxl.Workbook()
    for title in titles:
        sheet = book.create_sheet(title)
        sheet.append([*HEAD.split(","), "stance"])
        sheet.append([1.0, TEXT, 0, 5, "UA", title, "neutral"])
    del book["Sheet"]
    book.create_sheet("legend").append(["stance", "what was said"])
    book.save(path)
    return path


def test_a_second_sheet_of_rows_is_not_lost_without_a_word(tmp_path: Path) -> None:
    one = import_annotations("csv", _workbook(tmp_path / "one.xlsx", ["ines"]))
    assert list(one.annotation_set.table["unit"]) == ["1:0-5:UA"]
    two = _workbook(tmp_path / "two.xlsx", ["ines", "jan"])
    with pytest.raises(DataError, match="the sheet 'jan' has the same columns"):
        import_annotations("csv", two)
    with pytest.raises(DataError, match="the sheet 'jan' has the same columns"):
        read_predictions(two)


SPAN = {"start": 0, "end": 5, "label": "UA"}


def lines(folder: Path, *records: dict[str, Any], name: str = "ines.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_an_answer_about_one_span_is_its_label(tmp_path: Path) -> None:
    other = {"start": 13, "end": 19, "label": "RU"}
    one = {"text": TEXT, "spans": [SPAN], "accept": ["neutral"], "_annotator_id": "ines"}
    imported = import_annotations("prodigy", lines(tmp_path, one))
    assert values(imported) == ["neutral"]
    imported = import_annotations("prodigy", lines(tmp_path, one | {"spans": [SPAN, other]}))
    assert values(imported) == [None, None]
    assert dict(imported.lost) == {"label of the whole text, left out": 1}


def test_a_field_that_a_recipe_added_is_no_label(tmp_path: Path) -> None:
    task = {"text": TEXT, "spans": [SPAN | {"tone": "neutral", "spacy_label": "neutral"}]}
    imported = import_annotations("prodigy", lines(tmp_path, task | {"_annotator_id": "ines"}))
    assert (values(imported), reasons(imported)) == ([None], [LOOKS, LOOKS])


def test_spans_under_a_second_key_are_no_labels_of_the_annotator(tmp_path: Path) -> None:
    line = {"text": TEXT, "label": [[0, 5, "UA_neutral"]], "spans": [[13, 19, "RU_neutral"]]}
    imported = import_annotations("doccano", lines(tmp_path, line))
    assert list(imported.annotation_set.table["target"]) == ["UA"]
    assert dict(imported.lost) == {"spans under a second key, left out": 1}


def test_spans_in_an_object_are_read(tmp_path: Path) -> None:
    line = {"text": TEXT, "label": {"0": [0, 5, "UA_neutral"], "1": [13, 19, "RU_neutral"]}}
    imported = import_annotations("doccano", lines(tmp_path, line))
    assert values(imported) == ["neutral", "neutral"]


def test_suggestions_of_argilla_are_no_responses(tmp_path: Path) -> None:
    record = {
        "fields": {"text": TEXT},
        "responses": {},
        "suggestions": {"spans": {"value": [SPAN], "agent": "gpt"}},
    }
    (tmp_path / "records.json").write_text(json.dumps([record]))
    assert len(import_annotations("argilla", tmp_path / "records.json").annotation_set.table) == 0


def test_a_control_for_a_model_is_no_persons_label(tmp_path: Path) -> None:
    value = {"start": 0, "end": 5}
    results = [
        {"from_name": "target", "type": "labels", "value": value | {"labels": ["UA"]}},
        {"from_name": "model_stance", "type": "choices", "value": value | {"choices": ["neutral"]}},
    ]
    task = {"data": {"id": 1.0, "text": TEXT}, "annotations": [{"result": results}]}
    (tmp_path / "tasks.json").write_text(json.dumps([task]))
    imported = import_annotations("label-studio", tmp_path / "tasks.json")
    assert (values(imported), LOOKS in reasons(imported)) == ([None], True)
    assert imported.annotation_set.articles[0].article_id == "1"


Ask = Callable[..., tuple[int, str]]


@pytest.mark.parametrize("label", ["RU", "favorable"])
def test_an_import_of_which_no_label_is_left_fails(label: str, tmp_path: Path, ask: Ask) -> None:
    code, told = ask("import", "csv", table(tmp_path, "stance", label), "--out", tmp_path / "set")
    assert code == 1
    assert "nothing is written, the list says why" in told
    assert not (tmp_path / "set").exists()


def test_an_import_that_loses_labels_says_so_and_so_does_check(tmp_path: Path, ask: Ask) -> None:
    path = table(tmp_path, "stance", "favorable")
    with path.open("a") as file:
        file.write(f"7,{TEXT},13,19,RU,ines,neutral\n")
    code, told = ask("import", "csv", path, "--out", tmp_path / "set")
    assert code == 3
    assert "labels lost: 1, the table says why" in told.splitlines()[0]
    assert "no label of roles, voice came" in told.splitlines()[0]
    assert lost_labels(tmp_path / "set") == {NOT_IN_CODEBOOK: 1}
    code, told = ask("check", tmp_path / "set")
    assert (code, "labels lost before they came" in told, "in order" in told) == (3, True, False)
    assert check(tmp_path / "set") == []
    fix_annotations(tmp_path / "set", tmp_path / "mended")
    assert lost_labels(tmp_path / "mended") == {NOT_IN_CODEBOOK: 1}
    words = ("import", "csv", path, "--out", tmp_path / "set", "--force")
    assert ask(*words, "--map", "favorable=favourable")[0] == 0
    assert ask("check", tmp_path / "set")[0] == 0


def test_mentions_without_a_label_are_kept_beside_what_was_lost(tmp_path: Path, ask: Ask) -> None:
    line = {"text": TEXT, "label": [[0, 5, "UA"]], "marks": [[13, 19, "RU"]]}
    code, told = ask("import", "doccano", lines(tmp_path, line), "--out", tmp_path / "set")
    assert (code, "1 articles with 1 annotations are in" in told) == (3, True)


def test_predictions_alone_are_no_labels(tmp_path: Path, ask: Ask) -> None:
    result = {"from_name": "label", "type": "labels", "value": {"start": 0, "end": 5}}
    tasks = [{"data": {"text": TEXT}, "annotations": [], "predictions": [{"result": [result]}]}]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    code, told = ask("import", "label-studio", tmp_path / "tasks.json", "--out", tmp_path / "set")
    assert (code, "1 predictions are no annotator's labels" in told) == (1, True)


def test_what_annotators_left_out_themselves_is_not_lost(tmp_path: Path, ask: Ask) -> None:
    task = {"text": TEXT, "spans": [SPAN], "_annotator_id": "ines"}
    path = lines(tmp_path, task, task | {"answer": "reject"})
    code, told = ask("import", "prodigy", path, "--out", tmp_path / "set")
    assert (code, "answer not accepted, left out" in told) == (0, True)


ARTICLES = [Article("7", TEXT)]


def test_two_columns_of_labels_that_differ_are_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("article_id,target,label,prediction\n7,UA,neutral,favourable\n")
    with pytest.raises(DataError, match="label and prediction, which differ: rename one"):
        read_predictions(path, articles=ARTICLES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("article_id,target,stance\n7,UA,neutral,x\n", "more cells than the 3 of the header"),
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header 2; a comma inside"),
        ('article_id,target,stance\n7,UA,"x\n', "the quotation mark in line 2 is not closed"),
        ("", "a header was required, the file is empty"),
        ("article_id,target,stance,stance_score\n7,UA,neutral,x\n", r":2: stance_score must be a"),
    ],
)
def test_a_broken_table_is_told_in_plain_words(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        read_predictions(tmp_path / "labels.csv", articles=ARTICLES)


def test_packed_labels_are_read(tmp_path: Path) -> None:
    content = b"article_id,start,end,target,stance\r\n7,0,5,UA,neutral\r\n"
    (tmp_path / "labels.csv.gz").write_bytes(gzip.compress(content))
    read = read_predictions(tmp_path / "labels.csv.gz", articles=ARTICLES)
    assert list(read.to_frame()["stance"]) == ["neutral"]


def test_an_error_repeats_little_of_a_value() -> None:
    error = DataError(f"the annotator's label was required, got {'x' * 500!r}; see 'this'")
    assert len(str(error)) < 160
    assert str(error).endswith("; see 'this'")
