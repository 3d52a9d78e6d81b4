"""Files as the tools write them; see tests/data/formats."""

import io
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from classifier.annotations.formats import Imported, import_annotations
from classifier.annotations.formats._files import MAX_DEPTH, read_members
from classifier.codebook import Codebook, parse_codebook
from classifier.errors import CodebookError, DataError

_FILES = Path(__file__).parent.parent / "data" / "formats"


def _read(format_name: str, path: str, codebook: Codebook | None = None) -> Imported:
    return import_annotations(format_name, _FILES / path, codebook)


def _rows(imported: Imported, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in imported.annotation_set.table[list(columns)].to_numpy()]


def _reasons(imported: Imported) -> list[str]:
    return [problem.reason for problem in imported.problems]


def _assert_exact(imported: Imported) -> None:
    """Every kept mention stands where it says."""
    articles = imported.annotation_set.article_by_id
    for article_id, start, end, surface in _rows(imported, "article_id", "start", "end", "surface"):
        assert articles[article_id].text[start:end] == surface


_COUNTED = "offsets counted otherwise, repaired"


@pytest.mark.parametrize(
    ("format_name", "path", "n_articles", "n_annotations", "reasons"),
    [
        (
            "label-studio",
            "label-studio/export-2024.json",
            2,
            4,
            ["cancelled annotation, left out", "label of the whole text, left out"],
        ),
        ("label-studio", "label-studio/export-2020.json", 1, 2, [_COUNTED]),
        ("label-studio", "label-studio/hypertext.json", 1, 0, ["no offsets, refused"]),
        ("doccano", "doccano/all.jsonl", 2, 3, ["annotator unknown, named after the file"]),
        ("doccano", "doccano/private", 1, 3, [_COUNTED, _COUNTED]),
        ("doccano", "doccano/relations", 1, 1, ["label not in the codebook, left out"]),
        ("doccano", "doccano/ambiguous", 1, 0, ["offsets fit no counting, refused"]),
        (
            "doccano",
            "doccano/broken",
            1,
            1,
            ["label malformed, refused", "broken JSON", "no text, refused"],
        ),
        ("prodigy", "prodigy/tokens.jsonl", 1, 2, ["answer not accepted, left out"] * 2),
        ("prodigy", "prodigy/highlight-chars.jsonl", 1, 3, []),
        (
            "prodigy",
            "prodigy/broken.jsonl",
            1,
            1,
            [
                "offsets broken, refused",
                "no text, refused",
                "no annotator, named unnamed",
                "offsets fit no counting, refused",
            ],
        ),
        (
            "brat",
            "brat/two",
            2,
            5,
            [
                "line of another kind, left out",
                "discontinuous span, refused",
                "label not in the codebook, left out",
            ],
        ),
        ("brat", "brat/old", 1, 2, [_COUNTED]),
        (
            "brat",
            "brat/broken",
            1,
            0,
            [
                "document unreadable, refused",
                *["malformed line, refused"] * 2,
                "offsets fit no counting, refused",
            ],
        ),
        ("csv", "csv/excel-dutch.csv", 1, 3, []),
        ("csv", "csv/plain.csv", 1, 2, ["no annotator, named after the file", _COUNTED]),
        (
            "csv",
            "csv/broken.csv",
            2,
            1,
            [
                "no annotator, refused",
                "offsets broken, refused",
                "one text under several ids",
                "offsets fit no counting, refused",
                "label not in the codebook, left out",
                "no target of the codebook, refused",
            ],
        ),
        ("semeval2025-entity-framing", "semeval", 2, 4, [_COUNTED]),
        (
            "semeval2025-entity-framing",
            "semeval-broken",
            1,
            0,
            [
                "text missing, refused",
                "wrong number of fields, refused",
                "offsets fit no counting, refused",
            ],
        ),
        ("inception", "inception/project", 1, 3, []),
        ("inception", "inception/entities", 0, 0, ["document unreadable, refused"]),
        ("inception", "inception/no-types", 0, 0, ["document unreadable, refused"]),
        ("inception", "inception/havens.json", 1, 2, ["no annotator, named unnamed"]),
        (
            "inception",
            "inception/nieuws.tsv",
            1,
            4,
            ["no annotator, named unnamed", "no target of the codebook, refused"],
        ),
        ("inception", "inception/broken.tsv", 0, 0, ["document unreadable, refused"]),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else None,
)
def test_a_file_is_accepted_or_refused_as_it_should_be(
    format_name: str, path: str, n_articles: int, n_annotations: int, reasons: list[str]
) -> None:
    imported = _read(format_name, path)
    assert len(imported.annotation_set.articles) == n_articles
    assert len(imported.annotation_set.table) == n_annotations
    assert _reasons(imported) == reasons
    _assert_exact(imported)


@pytest.mark.parametrize(
    ("format_name", "path", "message"),
    [
        ("label-studio", "label-studio/json-min.json", "import JSON-MIN as label-studio-min"),
        ("label-studio", "label-studio/broken.json", "a whole JSON export of Label Studio"),
        ("label-studio", "nowhere.json", "a file was required there, none was found"),
        ("csv", "csv/ragged.csv", r"ragged\.csv:2: 4 cells were required, got 3"),
        ("doccano", "csv", "a file that ends in .json, .jsonl or .ndjson"),
        ("brat", "csv", "keeps each .txt beside its .ann"),
        ("inception", "csv", r"\.xmi, \.json or \.tsv files were required"),
        ("semeval2025-entity-framing", "csv", r"subtask-1-annotations\.txt"),
    ],
)
def test_what_is_no_file_of_the_format_is_refused_whole(
    format_name: str, path: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _read(format_name, path)


def test_label_studio_keeps_coders_comments_nulls_and_empty_sets() -> None:
    imported = _read("label-studio", "label-studio/export-2024.json")
    assert _rows(imported, "surface", "annotator", "stance", "roles", "comment") == [
        (
            "Rusland",
            "noor@redactie.example",
            "unfavourable",
            frozenset({"aggressor"}),
            "graan als wapen",
        ),
        ("Oekraïners", "noor@redactie.example", "neutral", frozenset(), None),
        ("Rusland", "7", "neutral", None, None),
        ("Ankara", "7", None, None, None),
    ]
    assert imported.counts["predictions left out"] == 1
    assert imported.annotation_set.articles[0].source == "De Kade"


@pytest.mark.parametrize(
    ("format_name", "path", "evidence"),
    [
        ("label-studio", "label-studio/export-2020.json", "chantage"),
        ("brat", "brat/two", "lying"),
        ("doccano", "doccano/relations", "broke the truce"),
        ("inception", "inception/project", "liegt"),
    ],
)
def test_a_label_on_words_of_its_own_goes_to_the_target_it_is_joined_with(
    format_name: str, path: str, evidence: str
) -> None:
    imported = _read(format_name, path)
    table = imported.annotation_set.table
    (row,) = table[table["evidence_start"].notna()].to_dict("records")
    text = imported.annotation_set.article_by_id[row["article_id"]].text
    assert text[row["evidence_start"] : row["evidence_end"]] == evidence
    assert (row["target"], row["stance"]) == ("RU", "unfavourable")


def test_doccano_labels_may_join_a_target_and_what_is_said_of_it() -> None:
    imported = _read("doccano", "doccano/all.jsonl")
    assert _rows(imported, "target", "stance", "roles") == [
        ("UA", "favourable", None),
        ("RU", "unfavourable", None),
        ("TR", None, frozenset({"mediator"})),
    ]
    assert set(imported.annotation_set.table["comment"]) == {"check the quote", None}


def test_doccano_counts_a_flag_as_one_where_the_project_counts_graphemes() -> None:
    imported = _read("doccano", "doccano/private")
    assert imported.counts["texts counted by grapheme, end exclusive"] == 2
    assert imported.annotation_set.annotators == ("ayse", "deniz")


def test_prodigy_reads_labels_beside_the_span_and_in_its_name() -> None:
    imported = _read("prodigy", "prodigy/tokens.jsonl")
    assert _rows(imported, "annotator", "target", "stance", "roles") == [
        ("roles-noor", "RU", "neutral", frozenset({"strong"})),
        ("roles-bram", "RU", "unfavourable", None),
    ]


def test_brat_reads_attributes_of_entities_and_events() -> None:
    table = _read("brat", "brat/two").annotation_set.table
    ankara = table[table["surface"] == "Ankara"].iloc[0]
    assert ankara["roles"] == frozenset({"mediator"})
    # the line end inside the span is a space in the .ann file
    assert table["surface"].tolist()[3] == "Turkish\nenvoy"


def test_csv_from_a_dutch_spreadsheet_keeps_nulls_apart_from_empty_sets() -> None:
    imported = _read("csv", "csv/excel-dutch.csv")
    assert _rows(imported, "surface", "stance", "roles", "not_target", "comment") == [
        ("Moskou", "unfavourable", frozenset({"aggressor", "strong"}), False, "=dreigt"),
        ("Kyiv", None, frozenset(), False, None),
        ("Kyiv", "neutral", None, True, None),
    ]


def test_semeval_roles_become_ours_through_the_codebook() -> None:
    imported = _read("semeval2025-entity-framing", "semeval")
    assert _rows(imported, "target", "roles") == [
        ("Ostrava Relief", frozenset({"defender"})),
        ("Grell", frozenset({"aggressor"})),
        ("посредников из Лодена", frozenset({"mediator"})),
        ("Отряд «Грель»", frozenset({"aggressor"})),
    ]
    assert [a.language for a in imported.annotation_set.articles] == ["en", "ru"]
    rule = "UTF-16, end inclusive, line ends counted as CRLF"
    assert imported.counts[f"texts counted by {rule}"] == 1


def test_semeval_needs_a_codebook_that_knows_its_roles() -> None:
    codebook = parse_codebook(
        {
            "name": "toy",
            "version": "1",
            "targets": "any",
            "variables": {
                "tone": {
                    "kind": "nominal",
                    "definition": "?",
                    "labels": [{"name": n, "definition": n} for n in ("warm", "cold")],
                }
            },
        }
    )
    with pytest.raises(CodebookError, match="counterparts 'semeval2025' was required"):
        _read("semeval2025-entity-framing", "semeval", codebook)


def test_webanno_tsv_reads_stacked_and_long_spans_and_parts_of_tokens() -> None:
    imported = _read("inception", "inception/nieuws.tsv")
    assert _rows(imported, "surface", "target", "stance") == [
        ("Rusland", "RU", None),
        ("De regering in Ankara", "TR", "neutral"),
        ("Ankara", "TR", "favourable"),
        ("Kyiv", "UA", None),
    ]
    assert imported.annotation_set.articles[0].text == (
        "🙂 Ruslandbeleid faalt. De regering in Ankara bemiddelt; Kyiv [hoopt]."
    )


def test_inception_reads_several_values_notes_and_who_annotated() -> None:
    imported = _read("inception", "inception/project")
    assert _rows(imported, "surface", "roles", "comment", "annotator") == [
        ("Türkiye", None, "brokers", "alice"),
        ("Moskou", None, None, "alice"),
        ("Kyiv", frozenset({"victim", "weak"}), None, "alice"),
    ]
    assert imported.counts["files without an annotator, left out"] == 1


def test_inception_zips_in_a_project_zip_are_read(tmp_path: Path) -> None:
    folder = _FILES / "inception" / "project" / "annotation" / "havens.txt"
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name in ("alice.xmi", "TypeSystem.xml"):
            archive.write(folder / name, name)
    with zipfile.ZipFile(tmp_path / "project.zip", "w") as archive:
        archive.writestr("annotation/havens.txt/alice.zip", inner.getvalue())
    imported = import_annotations("inception", tmp_path / "project.zip")
    assert imported.problems == ()
    assert _rows(imported, "annotator", "target")[0] == ("alice", "TR")


@pytest.mark.parametrize("format_name", ["doccano", "brat", "semeval2025-entity-framing"])
def test_a_zip_holds_what_its_folder_holds(format_name: str, tmp_path: Path) -> None:
    folder = {"doccano": "doccano/private", "brat": "brat/two"}.get(format_name, "semeval")
    name = shutil.make_archive(str(tmp_path / Path(folder).name), "zip", _FILES / folder)
    zipped, plain = import_annotations(format_name, name), _read(format_name, folder)
    columns = ("unit", "annotator", "target", "comment")
    assert _rows(zipped, *columns) == _rows(plain, *columns)
    assert _reasons(zipped) == _reasons(plain)


@pytest.mark.parametrize("name", ["../outside.jsonl", "/etc/passwd.jsonl", "a/../../b.jsonl"])
def test_a_member_outside_the_zip_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "{}")
    with pytest.raises(DataError, match="members must lie inside the zip"):
        import_annotations("doccano", path)


def test_zips_nested_too_deeply_are_refused(tmp_path: Path) -> None:
    content = b"{}"
    for depth in range(MAX_DEPTH + 2):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a.zip" if depth else "a.jsonl", content)
        content = packed.getvalue()
    path = tmp_path / "deep.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match="zips may lie 2 deep"):
        read_members(path)


def test_a_zip_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.annotations.formats._files.MAX_BYTES", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jsonl", "0" * 100_000)
    assert path.stat().st_size < 1000
    with pytest.raises(DataError, match="1000 bytes are read, it has 1 and 100000"):
        read_members(path)


def test_a_broken_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    path.write_bytes(b"PK\x03\x04 no zip at all")
    with pytest.raises(DataError, match="a zip that can be read was required"):
        read_members(path)


def test_xml_that_nests_without_end_is_refused(tmp_path: Path) -> None:
    source = _FILES / "inception" / "project" / "annotation" / "havens.txt"
    (tmp_path / "TypeSystem.xml").write_bytes((source / "TypeSystem.xml").read_bytes())
    (tmp_path / "deep.xmi").write_text("<a>" * 200 + "</a>" * 200)
    (problem,) = import_annotations("inception", tmp_path).problems
    assert "elements may nest 100 deep" in problem.detail


def test_a_document_of_another_shape_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    good = '{"id": 2, "data": {"text": "Kyiv wacht."}, "annotations": []}'
    path.write_text(f'[{{"id": 1, "data": {{"text": "x"}}, "annotations": [7]}}, {good}]')
    imported = import_annotations("label-studio", path)
    assert _reasons(imported) == ["annotation malformed, refused"]
    assert [a.article_id for a in imported.annotation_set.articles] == ["1", "2"]


def test_a_column_of_coders_is_the_annotator_and_is_said(tmp_path: Path) -> None:
    text = "Turkey was praised."
    rows = ["article_id,text,start,end,target,coder,stance"]
    rows += [f"a,{text},0,6,TR,{who},favourable" for who in ("anna", "bram")]
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    imported = import_annotations("csv", tmp_path / "labels.csv")
    assert imported.annotation_set.annotators == ("anna", "bram")
    details = [problem.detail for problem in imported.problems]
    assert "the column 'coder' was read as annotator" in details
