"""Labels in the files that people have become predictions, or an error says what to mend."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import classifier
from classifier.annotations import Annotation, AnnotationSet, annotation_table, write_annotations
from classifier.codebook import default_codebook
from classifier.errors import DataError
from classifier.labels import ABSENT, WHOLE, LabelOptions, parse_mapping
from classifier.records import Article, Span

TEXT = "Turkey praised Russia. Turkey waits."
UNITS = ["a1:0-6:TR", "a1:15-21:RU", "a1:23-29:TR"]
ROWS = pd.DataFrame(
    {
        "article_id": "a1",
        "start": [0, 15, 23],
        "end": [6, 21, 29],
        "target": ["TR", "RU", "TR"],
        "stance": ["favourable", "neutral", "unfavourable"],
    }
)


@pytest.fixture(scope="module")
def coded() -> AnnotationSet:
    article = Article("a1", TEXT, "De Vliet", "en", "2024-05-01", "day", story_id="s1")
    places = ((Span(0, 6), "TR"), (Span(15, 21), "RU"), (Span(23, 29), "TR"))
    codebook = default_codebook()
    annotations = [
        Annotation("a1", span, target, span.of(TEXT), "ann", {"stance": "neutral"})
        for span, target in places
    ]
    return AnnotationSet((article,), annotation_table(annotations, codebook), codebook)


def _lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True)


def _by_unit(frame: pd.DataFrame, path: Path) -> None:
    labels = dict(zip(UNITS, frame["stance"], strict=True))
    path.write_text(json.dumps({unit: {"stance": label} for unit, label in labels.items()}))


WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {
    "labels.csv": lambda frame, path: frame.to_csv(path, index=False),
    "europe.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";"),
    "labels.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "array.json": lambda frame, path: frame.to_json(path, orient="records"),
    "by_unit.json": _by_unit,
    "labels.jsonl": _lines,
    "lines.json": _lines,
    "labels.parquet": lambda frame, path: frame.to_parquet(path),
}


def read(rows: object, coded: AnnotationSet, **options: Any) -> pd.DataFrame:  # noqa: ANN401
    made = classifier.read_predictions(rows, articles=coded, **options)
    frame: pd.DataFrame = made.to_frame().set_index("unit")
    return frame


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_is_read_the_same(
    coded: AnnotationSet, tmp_path: Path, name: str
) -> None:
    WRITERS[name](ROWS, tmp_path / name)
    frame = read(tmp_path / name, coded)
    assert frame["stance"].to_dict() == dict(zip(UNITS, ROWS["stance"], strict=True))


def test_a_data_set_and_a_list_of_records_are_read(coded: AnnotationSet) -> None:
    from datasets import Dataset

    for rows in (Dataset.from_pandas(ROWS), ROWS.to_dict("records"), ROWS):
        assert list(read(rows, coded).index) == UNITS


def test_excel_without_its_package_says_what_to_install(
    coded: AnnotationSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "labels.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"needs the package openpyxl.*or save the sheet as \.csv"):
        read(tmp_path / "labels.xlsx", coded)


def test_what_the_rows_lack_is_filled_from_articles_and_codebook(coded: AnnotationSet) -> None:
    row = read(ROWS, coded).loc["a1:0-6:TR"]
    named = ["source", "language", "date", "story_id", "surface", "voice", "stance_score", "status"]
    assert list(row[named]) == [
        *("De Vliet", "en", "2024-05-01", "s1", "Turkey", "author", 1.0, "ok"),
    ]
    assert isinstance(row["zone"], str)


def test_a_quoted_mention_names_its_place(coded: AnnotationSet) -> None:
    rows = [
        {"article": "a1", "entity": "Russia", "quote": "russia", "label": "neutral"},
        {"article": "a1", "entity": "Turkey", "quote": "Turkey waits", "label": "favourable"},
    ]
    assert list(read(rows, coded).index) == [UNITS[1], UNITS[2]]


def test_the_occurrence_tells_equal_quotes_apart(coded: AnnotationSet) -> None:
    rows = [{"article_id": "a1", "quote": "Turkey", "occurrence": 2, "stance": "neutral"}]
    assert list(read(rows, coded).index) == [UNITS[2]]


def test_as_many_rows_as_equal_quotes_are_taken_in_order(coded: AnnotationSet) -> None:
    rows = pd.DataFrame({"id": "a1", "quote": "Turkey", "stance": ["neutral", "favourable"]})
    frame = read(rows, coded)
    assert frame["stance"].to_dict() == {UNITS[0]: "neutral", UNITS[2]: "favourable"}


def test_a_judgement_of_an_article_stands_for_its_mentions_and_is_said(
    coded: AnnotationSet,
) -> None:
    rows = [{"article_id": "A1 ", "target": "Turkey", "stance": "neutral"}]
    made = classifier.read_predictions(rows, articles=coded)
    assert list(made.table["unit"].to_pylist()) == [UNITS[0], UNITS[2]]
    said = [(p.reason, p.detail) for p in made.problems]
    assert (WHOLE, "stands for 2 mentions of TR in a1") in said
    assert ("mention without a row", "'Russia'") in said


def test_a_row_about_the_mention_counts_before_one_about_the_article(coded: AnnotationSet) -> None:
    rows = [
        {"article_id": "a1", "target": "TR", "stance": "neutral"},
        {"article_id": "a1", "target": "TR", "start": 0, "end": 6, "stance": "favourable"},
    ]
    assert read(rows, coded)["stance"].to_dict() == {UNITS[0]: "favourable", UNITS[2]: "neutral"}


def test_rows_and_articles_that_do_not_meet_are_listed(coded: AnnotationSet) -> None:
    far = pd.concat([ROWS, ROWS.head(1).assign(start=900, end=906)])
    other = [*coded.articles, Article("a2", "Nothing.", "De Vliet", "en")]
    made = classifier.read_predictions(far, articles=other, annotations=coded)
    found = {(p.where, p.reason) for p in made.problems}
    assert found == {("row:4", "row without a mention"), ("a2", ABSENT)}


def test_rows_that_contradict_each_other_are_refused_by_line(
    coded: AnnotationSet, tmp_path: Path
) -> None:
    twice = pd.concat([ROWS, ROWS.head(1).assign(stance="neutral")])
    twice.to_csv(tmp_path / "gpt.csv", index=False)
    message = r"gpt\.csv:2 and .*gpt\.csv:5 on a1:0-6:TR: stance 'favourable' and stance 'neutral'"
    with pytest.raises(DataError, match=message):
        read(tmp_path / "gpt.csv", coded)


def test_identical_rows_are_one_and_counted(coded: AnnotationSet) -> None:
    made = classifier.read_predictions(pd.concat([ROWS, ROWS.head(1)]), articles=coded)
    assert len(made) == len(ROWS)
    assert [p.reason for p in made.problems] == ["identical repeated row"]


def test_case_blanks_and_dashes_of_labels_do_not_matter(coded: AnnotationSet) -> None:
    rows = ROWS.assign(stance=[" Favourable", "NEUTRAL", "un-favourable"])
    with pytest.raises(DataError, match="got 'un-favourable' in 1 row"):
        read(rows, coded)
    frame = read(rows.assign(stance=[" Favourable", "NEUTRAL", "unfavourable "]), coded)
    assert list(frame["stance"]) == ["favourable", "neutral", "unfavourable"]


def test_labels_are_mapped_with_wildcards(coded: AnnotationSet) -> None:
    rows = ROWS.assign(stance=["Pro-Turkish", "Mixed", "Negative"])
    mapping = {"negative": "unfavourable", "pro-*": "favourable", "mixed": "Neutral"}
    assert list(read(rows, coded, mapping=mapping)["stance"]) == [
        *("favourable", "neutral", "unfavourable"),
    ]


def test_an_unknown_label_names_the_option_that_helps(coded: AnnotationSet) -> None:
    rows = ROWS.assign(stance=["negative", "neutral", "neutral"])
    with pytest.raises(DataError, match=r'--map "negative=unfavourable"'):
        read(rows, coded)
    kept = read(rows, coded, options=LabelOptions(unknown="set aside"))
    assert kept["stance"].iloc[0] == "negative"
    assert pd.isna(kept["stance_score"].iloc[0])


def test_numbers_of_labels_are_read_and_other_codes_are_not(coded: AnnotationSet) -> None:
    frame = read(ROWS.assign(stance=[1, 0, -1]), coded)
    assert list(frame["stance"]) == ["favourable", "neutral", "unfavourable"]
    with pytest.raises(DataError, match="got '0', '1', '2' in 3 rows"):
        read(ROWS.assign(stance=[2, 1, 0]), coded)


def test_counterparts_of_the_codebook_are_understood(coded: AnnotationSet) -> None:
    rows = ROWS.assign(roles=["Tyrant; Victim", "", "[]"])
    assert list(read(rows, coded)["roles"]) == [["aggressor", "victim"], None, []]


def test_chances_alone_give_label_and_score(coded: AnnotationSet) -> None:
    rows = ROWS.drop(columns="stance").assign(
        p_unfavourable=0.1, p_neutral=0.2, p_favourable=[0.7, 0.7, 0.7]
    )
    frame = read(rows, coded)
    assert set(frame["stance"]) == {"favourable"}
    assert frame["stance_score"].tolist() == pytest.approx([0.6] * 3)
    assert frame["p_stance_neutral"].tolist() == [0.2] * 3


def test_mentions_are_found_where_nothing_was_coded(coded: AnnotationSet) -> None:
    made = classifier.read_predictions(
        [{"article_id": "a1", "target": "Turkey", "stance": "neutral"}], articles=coded.articles
    )
    assert made.table["unit"].to_pylist() == [UNITS[0], UNITS[2]]


def test_labels_of_other_articles_are_an_error_that_says_so(coded: AnnotationSet) -> None:
    rows = ROWS.drop(columns=["start", "end"]).assign(article_id="b7")
    with pytest.raises(DataError, match=r"none of 3 is; the first, row:1: no article .*'b7'"):
        read(rows, coded)


CHANCES = {
    "p_stance_unfavourable": [0.1, 0.2, 0.8],
    "p_stance_neutral": [0.2, 0.7, 0.1],
    "p_stance_favourable": [0.7, 0.1, 0.1],
}


def test_chances_that_do_not_sum_to_one_name_their_row(coded: AnnotationSet) -> None:
    off = ROWS.assign(**CHANCES | {"p_stance_neutral": [0.2, 0.9, 0.1]})
    with pytest.raises(DataError, match=r"row:2: .* must sum to 1, they sum to 1\.2; 1 row like"):
        read(off, coded)


def test_one_chance_missing_among_three_is_no_answer_and_listed(coded: AnnotationSet) -> None:
    some = ROWS.drop(columns="stance").assign(**CHANCES)
    rows = some.assign(p_stance_neutral=[0.2, None, 0.1])
    made = classifier.read_predictions(rows, articles=coded)
    assert made.table["stance"].to_pylist() == ["favourable", None, "unfavourable"]
    listed = [(p.where, p.reason, p.detail, p.remedy) for p in made.problems]
    told = ("chances incomplete", "no number in p_stance_neutral", "no answer")
    assert (f"{listed[0][0].rpartition(':')[0]}:2", *told) in listed


def test_articles_given_as_labels_are_to_be_scored_first(coded: AnnotationSet) -> None:
    with pytest.raises(DataError, match="articles are scored first, with classifier score"):
        read(pd.DataFrame({"article_id": ["a1"], "text": [TEXT], "source": ["De Vliet"]}), coded)


def test_a_table_without_labels_or_places_says_what_was_required(coded: AnnotationSet) -> None:
    with pytest.raises(DataError, match=r"a row must name its mention by unit, .* got the columns"):
        read(ROWS[["stance"]], coded)
    with pytest.raises(DataError, match="labels of at least one variable was required"):
        read(ROWS.drop(columns="stance"), coded)


def test_a_table_without_a_row_says_so(coded: AnnotationSet) -> None:
    with pytest.raises(DataError, match="rows with labels were required, got none"):
        read(ROWS.head(0), coded)


def test_what_was_read_is_written_and_read_again(coded: AnnotationSet, tmp_path: Path) -> None:
    made = classifier.read_predictions(ROWS, articles=coded)
    made.write(tmp_path / "p.parquet")
    again = classifier.read_predictions(tmp_path / "p.parquet")
    pd.testing.assert_frame_equal(again.to_frame()[list(ROWS)], made.to_frame()[list(ROWS)])


def test_a_folder_of_annotations_serves_as_articles(coded: AnnotationSet, tmp_path: Path) -> None:
    write_annotations(coded, tmp_path)
    made = classifier.read_predictions(ROWS, articles=tmp_path)
    assert made.table["unit"].to_pylist() == UNITS


def test_a_mapping_must_have_two_sides() -> None:
    assert parse_mapping(["a=b=neutral"]) == {"a=b": "neutral"}
    with pytest.raises(DataError, match="must look like theirs=ours"):
        parse_mapping(["negative"])


def test_an_empty_cell_of_a_scored_table_is_no_text(coded: AnnotationSet, tmp_path: Path) -> None:
    scored = classifier.read_predictions(ROWS, articles=coded).to_frame()
    scored["story_id"] = None
    scored.to_csv(tmp_path / "scored.csv", index=False)
    again = classifier.read_predictions(tmp_path / "scored.csv", articles=coded).to_frame()
    assert again["story_id"].isna().all()
