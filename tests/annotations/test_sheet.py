"""Coding sheets: mentions out, labels back in."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from classifier.annotations import (
    AnnotationSet,
    annotation_table,
    read_annotations,
    write_annotations,
)
from classifier.annotations.formats import export, import_annotations
from classifier.codebook import default_codebook
from classifier.errors import DataError
from classifier.files import sheet_rows
from classifier.records import Article
from classifier.sampling import mention_table

HARBOUR = "Moscow broke its word. Kyiv and Ankara, says the mayor, kept theirs."
ARTICLES = (
    Article("h-1", HARBOUR, "De Havenklok", "en", sampling_probability=0.5),
    Article("h-2", "De burgemeester prees Kyiv.", "De Havenklok", "nl", sampling_probability=0.5),
)
COLUMNS = ["article_id", "start", "end", "target", "surface", "sentence", "stance", "roles"]
COLUMNS += ["voice", "not_target", "comment", "annotator"]


Command = Callable[..., tuple[int, str, str]]


def drawn() -> AnnotationSet:
    codebook = default_codebook()
    return AnnotationSet(ARTICLES, annotation_table([], codebook), codebook)


def sheet(path: Path, annotator: str = "") -> Path:
    mentions = mention_table(ARTICLES, default_codebook())
    export("csv", drawn(), path, mentions, annotator=annotator)
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def filled_in(path: Path, labels: dict[str, dict[str, str]]) -> Path:
    """The sheet with the labels of some surfaces written into it, as a spreadsheet saves it."""
    rows = [row | labels.get(row["surface"], {}) for row in rows_of(path)]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_sheet_has_a_row_per_mention_and_no_label(tmp_path: Path) -> None:
    rows = rows_of(sheet(tmp_path / "anna.csv", "anna"))
    assert list(rows[0]) == COLUMNS
    assert [(row["article_id"], row["target"], row["surface"]) for row in rows] == [
        ("h-1", "RU", "Moscow"),
        ("h-1", "UA", "Kyiv"),
        ("h-1", "TR", "Ankara"),
        ("h-2", "UA", "Kyiv"),
    ]
    assert rows[1]["sentence"] == "[[Kyiv]] and Ankara, says the mayor, kept theirs."
    assert {row[name] for row in rows for name in ("stance", "roles", "voice")} == {""}
    assert {row["annotator"] for row in rows} == {"anna"}


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_sheet_comes_back_as_the_annotations_in_it(tmp_path: Path, ending: str) -> None:
    labels = {
        "Moscow": {"stance": "unfavourable", "roles": "deceiver|strong", "voice": "author"},
        "Ankara": {"stance": "neutral", "roles": "none_of_these", "comment": "the capital"},
    }
    path = filled_in(sheet(tmp_path / "anna.csv", "anna"), labels)
    if ending == ".xlsx":
        pd.read_csv(path).to_excel(path := path.with_suffix(".xlsx"), index=False)
    read = import_annotations("csv", path, articles=ARTICLES)
    table = read.annotation_set.table.set_index("surface")
    assert sorted(table.index) == ["Ankara", "Moscow"]
    assert table.loc["Moscow", "stance"] == "unfavourable"
    assert table.loc["Moscow", "roles"] == {"deceiver", "strong"}
    assert table.loc["Moscow", "voice"] == "author"
    assert table.loc["Ankara", "roles"] == frozenset()
    assert table.loc["Ankara", "comment"] == "the capital"
    assert set(table["annotator"]) == {"anna"}
    assert read.annotation_set.articles == ARTICLES
    assert [(p.reason, p.detail) for p in read.problems] == [
        ("mentions not coded yet", "2 of 4 rows have no label yet")
    ]


def test_a_flag_alone_is_an_answer(tmp_path: Path) -> None:
    path = filled_in(sheet(tmp_path / "a.csv", "anna"), {"Moscow": {"not_target": "yes"}})
    table = import_annotations("csv", path, articles=ARTICLES).annotation_set.table
    assert table["not_target"].tolist() == [True]


def test_a_row_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    path = filled_in(sheet(tmp_path / "a.csv"), {"Moscow": {"stance": "neutral"}})
    read = import_annotations("csv", path, articles=ARTICLES)
    assert "no annotator, refused" in {problem.reason for problem in read.problems}
    assert read.annotation_set.table.empty


def test_a_sheet_without_its_articles_says_where_they_are_looked_for(tmp_path: Path) -> None:
    path = sheet(tmp_path / "anna.csv", "anna")
    with pytest.raises(DataError, match=r"texts are required.*--out or --into"):
        import_annotations("csv", path)


def test_a_sheet_shows_nothing_of_what_others_said(tmp_path: Path) -> None:
    first = filled_in(sheet(tmp_path / "a.csv", "anna"), {"Moscow": {"stance": "neutral"}})
    coded = import_annotations("csv", first, articles=ARTICLES).annotation_set
    export("csv", coded, tmp_path / "ben.csv", mention_table(ARTICLES, coded.codebook))
    rows = rows_of(tmp_path / "ben.csv")
    assert len(rows) == 4
    assert {row["stance"] for row in rows} == {""}


def test_a_text_that_looks_like_a_formula_is_text_in_a_workbook(tmp_path: Path) -> None:
    article = Article("=1+1", "Kyiv won.", language="en")
    articles = replace(drawn(), articles=(article,))
    path = tmp_path / "anna.xlsx"
    export("csv", articles, path, mention_table([article], articles.codebook))
    assert [row["article_id"] for _, row in sheet_rows(path)] == ["=1+1"]


def test_a_sheet_without_mentions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs mentions, but these articles name no target"):
        export("csv", drawn(), tmp_path / "anna.csv")


def test_an_annotator_is_named_in_a_sheet_only(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an annotator is named in a coding sheet"):
        export("csv", drawn(), tmp_path / "folder", annotator="anna")


def test_two_sheets_meet_in_one_set(tmp_path: Path, run_command: Command) -> None:
    folder = tmp_path / "coded"
    write_annotations(drawn(), folder)
    for how, name in (("--out", "anna"), ("--into", "ben")):
        path = tmp_path / f"{name}.csv"
        code, out, _ = run_command("export", "csv", folder, "--out", path, "--annotator", name)
        assert code == 0
        assert "column stance: unfavourable, neutral, favourable" in out
        filled_in(path, {"Kyiv": {"stance": "favourable"}})
        assert run_command("import", "csv", path, how, folder)[0] == 0
    coded = read_annotations(folder)
    assert coded.annotators == ("anna", "ben")
    assert len(coded.table) == 4
    assert {article.sampling_probability for article in coded.articles} == {0.5}


def test_a_sheet_with_suggestions_is_refused(tmp_path: Path, run_command: Command) -> None:
    write_annotations(drawn(), tmp_path / "coded")
    words = ("export", "csv", tmp_path / "coded", "--out", tmp_path / "a.csv")
    code, _, err = run_command(*words, "--predictions", tmp_path / "p.parquet")
    assert code == 2
    assert "a coding sheet shows no suggestions" in " ".join(err.split())


def test_an_import_says_where_the_sources_of_a_sheet_came_from(tmp_path: Path) -> None:
    path = filled_in(sheet(tmp_path / "a.csv", "anna"), {"Moscow": {"stance": "neutral"}})
    told = dict(import_annotations("csv", path, articles=ARTICLES).summary)
    assert told["source taken from"] == "the articles of the set"
    assert told["date taken from"] == "nowhere: no article has one"


def test_an_import_without_a_source_says_what_cannot_follow(tmp_path: Path) -> None:
    path = filled_in(sheet(tmp_path / "a.csv", "anna"), {"Moscow": {"stance": "neutral"}})
    known = [replace(article, source=None) for article in ARTICLES]
    told = dict(import_annotations("csv", path, articles=known).summary)
    assert str(told["source taken from"]).endswith("so nothing can be counted by source")
