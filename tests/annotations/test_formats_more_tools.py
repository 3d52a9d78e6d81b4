"""Exports of tools whose readers share one notion of a span; see tests/data/formats."""

import gzip
import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import read_annotations, write_annotations
from classifier.annotations.formats import Imported, import_annotations, read_qdc
from classifier.annotations.formats._files import json_items
from classifier.codebook import read_codebook, shipped_annotations, write_codebook
from classifier.errors import DataError
from classifier.files import unpacked
from classifier.labels import labelled_articles
from classifier.predictions import read_predictions
from classifier.records import Article

_FILES = Path(__file__).parent.parent / "data" / "formats"
# Two people, four mentions, one difference: five of eight labels are one, three the other.
# Krippendorff: 1 - (2 / 8) / (2 * 5 * 3 / (8 * 7)).
_ALPHA = 1 - (2 / 8) / (30 / 56)


def _zipped(folder: str, target: Path) -> Path:
    root = _FILES / folder
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(f for f in root.rglob("*") if f.is_file()):
            archive.write(file, file.relative_to(root).as_posix())
    return target


def _given(name: str, tmp_path: Path) -> Path:
    if name.startswith("refi/"):
        return _zipped(name, tmp_path / "project.qdpx")
    if name == "argilla/flat.parquet":
        rows = [json.loads(line) for line in _text("argilla/flat.jsonl").splitlines()]
        pd.DataFrame(rows).to_parquet(tmp_path / "flat.parquet")
        return tmp_path / "flat.parquet"
    if name == "label-studio-min/export.xlsx":
        rows = json.loads(_text("label-studio-min/min.json"))
        book = openpyxl.Workbook()
        book.worksheets[0].append(list(rows[0]))
        for row in rows:
            cells = (json.dumps(v) if isinstance(v, list) else v for v in row.values())
            book.worksheets[0].append(list(cells))
        book.save(tmp_path / "export.xlsx")
        return tmp_path / "export.xlsx"
    return _FILES / name


def _text(name: str) -> str:
    return (_FILES / name).read_bytes().decode("utf-8-sig")


def _reasons(imported: Imported) -> dict[str, int]:
    return dict(Counter(problem.reason for problem in imported.problems))


def _rows(imported: Imported, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in imported.annotation_set.table[list(columns)].to_numpy()]


_WHOLE = "label of the whole text, left out"
_SELECTIONS = "source that is no text, left out"


@pytest.mark.parametrize(
    ("format_name", "name", "reasons"),
    [
        ("label-studio-min", "label-studio-min/min.json", {_WHOLE: 2}),
        ("label-studio-min", "label-studio-min/export.csv", {_WHOLE: 2}),
        ("label-studio-min", "label-studio-min/export.xlsx", {_WHOLE: 2}),
        ("argilla", "argilla/records.json", {_WHOLE: 1}),
        ("argilla", "argilla/flat.jsonl", {"draft response, left out": 1}),
        ("argilla", "argilla/flat.parquet", {"draft response, left out": 1}),
        ("potato", "potato/annotation_output", {}),
        ("potato", "potato/export.jsonl", {_WHOLE: 2}),
        ("refi-qda", "refi/standard", {_SELECTIONS: 1}),
        ("refi-qda", "refi/behind", {_SELECTIONS: 1, "end counted otherwise, repaired": 1}),
    ],
)
def test_every_label_arrives_and_gives_the_agreement_that_it_has(
    format_name: str, name: str, reasons: dict[str, int], tmp_path: Path
) -> None:
    imported = import_annotations(format_name, _given(name, tmp_path))
    assert _reasons(imported) == reasons
    rows = _rows(imported, "article_id", "annotator", "surface", "target", "stance")
    people = {annotator for _, annotator, *_ in rows}
    assert (len(rows), people) == (8, {"anna", "bob"})
    assert {(surface, target) for *_, surface, target, _ in rows} == {
        ("Ankara", "TR"),
        ("Moskou", "RU"),
        ("Kyjiv", "UA"),
    }
    assert {article_id for article_id, *_ in rows} == {"a1"}
    write_annotations(imported.annotation_set, tmp_path / "coded")
    report = measure_agreement(read_annotations(tmp_path / "coded")).to_frame()
    stance = report[report["variable"] == "stance"].iloc[0]
    assert (stance["alpha"], stance["n_items"]) == (pytest.approx(_ALPHA), 4)


@pytest.mark.parametrize(
    ("format_name", "name", "n_labels", "reasons"),
    [
        (
            "label-studio-min",
            "label-studio-min/broken.json",
            1,
            {"label malformed, refused": 2, _WHOLE: 1},
        ),
        (
            "argilla",
            "argilla/broken.json",
            1,
            {
                "label malformed, refused": 2,
                "no text, refused": 1,
                "no annotator, named unnamed": 1,
            },
        ),
        (
            "activetigger",
            "activetigger/broken.csv",
            1,
            {"label malformed, refused": 2, "no text, refused": 1, _WHOLE: 1},
        ),
        (
            "potato",
            "potato/broken.jsonl",
            1,
            {"label malformed, refused": 1, "no text, refused": 1, "broken JSON": 1},
        ),
        (
            "refi-qda",
            "refi/broken",
            1,
            {
                "label malformed, refused": 1,
                "code unknown, set aside": 1,
                "selection without a code, set aside": 1,
                "no text, refused": 1,
                "no annotator, named unnamed": 1,
            },
        ),
    ],
)
def test_what_is_odd_is_set_aside_and_listed(
    format_name: str, name: str, n_labels: int, reasons: dict[str, int], tmp_path: Path
) -> None:
    imported = import_annotations(format_name, _given(name, tmp_path))
    assert len(imported.annotation_set.table) == n_labels
    assert _reasons(imported) == reasons


def test_a_source_under_another_name_comes_along() -> None:
    imported = import_annotations("argilla", _FILES / "argilla" / "records.json")
    assert imported.annotation_set.articles[0].source == "De Kadeklok"


@pytest.mark.parametrize(
    ("format_name", "content", "message"),
    [
        ("label-studio-min", "[]", "it holds none"),
        ("label-studio-min", '[{"id": 1, "body": "x"}]', r"got the keys \['body', 'id'\]"),
        ("label-studio-min", "{", "a JSON-MIN or CSV export .* got no record"),
        ("argilla", '[{"id": 1, "text": "x"}]', r"records of Argilla 2 .* \['id', 'text'\]"),
        ("argilla", "[]", "it holds none"),
        ("potato", '{"a": 1}', "lines with displayed_text were required"),
        ("refi-qda", "<Project/>", "which is a zip"),
        (
            "activetigger",
            "text,labels\nx,y\n",
            "not of all schemes .* text, labels, user; got the keys",
        ),
        ("activetigger", "text,labels,user\nx,neutral,anna\n", "spans were required, the labels"),
        ("activetigger", "text,labels,user\n", "it holds none"),
    ],
)
def test_another_file_is_refused(
    format_name: str, content: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "export.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        import_annotations(format_name, tmp_path / "export.json")


class TestActiveTigger:
    def test_spans_arrive_with_the_person_of_each_text(self) -> None:
        imported = import_annotations("activetigger", _FILES / "activetigger" / "export.csv")
        # what somebody reconciled is curated, and the emoji counts as two in a browser
        assert _rows(imported, "article_id", "annotator", "surface", "target", "stance") == [
            ("A/1", "anna", "Ankara", "TR", "unfavourable"),
            ("A/1", "anna", "Moskou", "RU", "favourable"),
            ("A/2", "curated", "Kyjiv", "UA", "unfavourable"),
            ("A/2", "curated", "Ankara", "TR", "favourable"),
        ]
        assert _reasons(imported) == {"curated labels, read as gold": 1}
        comments = list(imported.annotation_set.table["comment"])
        assert comments == ["not sure", "not sure", None, None]
        assert len(imported.annotation_set.articles) == 3

    def test_parquet_reads_as_the_csv(self, tmp_path: Path) -> None:
        path = _FILES / "activetigger" / "export.csv"
        frame = pd.read_csv(path, index_col=0)
        frame.assign(comment=frame["comment"].astype(object)).to_parquet(tmp_path / "e.parquet")
        found = import_annotations("activetigger", tmp_path / "e.parquet")
        assert found.annotation_set.to_frame().equals(
            import_annotations("activetigger", path).annotation_set.to_frame()
        )


class TestCodebooksOfPrograms:
    def test_codes_below_a_code_are_the_labels_of_a_variable(self) -> None:
        codebook = read_qdc(_FILES / "refi" / "grouped.qdc")
        assert {v.name: (v.kind, v.names) for v in codebook.variables} == {
            "stance": ("ordinal", ("unfavourable", "neutral", "favourable")),
            "Tone": ("set", ("mocking", "urgent")),
            "codes": ("set", ("to read again",)),
        }
        assert codebook.variable("Tone").labels[0].definition == "Makes fun of the target."
        assert codebook.target_names == ("TR", "Rusland")

    def test_what_lies_below_targets_are_the_targets(self, tmp_path: Path) -> None:
        codebook = read_qdc(_FILES / "refi" / "targets.qdc")
        assert (codebook.target_names, codebook.variables[0].kind) == (("Gagauzia",), "set")
        write_codebook(codebook, tmp_path / "codebook.toml")
        assert read_codebook(tmp_path / "codebook.toml").variables == codebook.variables

    def test_a_project_is_read_by_it(self, tmp_path: Path) -> None:
        codebook = read_qdc(_FILES / "refi" / "grouped.qdc")
        project = _zipped("refi/standard", tmp_path / "project.qdpx")
        imported = import_annotations("refi-qda", project, codebook)
        # of its eight labels four name RU and UA, which are no targets of this codebook
        assert list(imported.annotation_set.table["target"]) == ["TR"] * 4
        assert imported.lost["no target of the codebook, refused"] == 4

    def test_labels_and_articles_are_read_by_it(self) -> None:
        path = _FILES / "refi" / "grouped.qdc"
        articles = [Article("7", "Ankara waits.")]
        known = labelled_articles(articles, None, path)
        assert known.codebook == read_qdc(path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("<CodeBook><Codes/></CodeBook>", "codes that are labels were required"),
            ('<!DOCTYPE c [<!ENTITY a "a">]><CodeBook>&a;</CodeBook>', "XML without a DTD"),
        ],
    )
    def test_another_file_is_refused(self, content: str, message: str, tmp_path: Path) -> None:
        (tmp_path / "a.qdc").write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            read_qdc(tmp_path / "a.qdc")
        with pytest.raises(DataError, match="give it as --codebook"):
            import_annotations("refi-qda", tmp_path / "a.qdc")


class TestUnsafeProjects:
    def test_entities_are_refused(self, tmp_path: Path) -> None:
        bomb = '<!DOCTYPE p [<!ENTITY a "aaaa">]><Project>&a;</Project>'
        with zipfile.ZipFile(tmp_path / "a.qdpx", "w") as archive:
            archive.writestr("project.qde", bomb)
        with pytest.raises(DataError, match="XML without a DTD was required"):
            import_annotations("refi-qda", tmp_path / "a.qdpx")

    def test_a_member_outside_the_project_is_refused(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.qdpx", "w") as archive:
            archive.writestr("project.qde", "<Project/>")
            archive.writestr("../evil.txt", "x")
        with pytest.raises(DataError, match="members must lie inside the zip"):
            import_annotations("refi-qda", tmp_path / "a.qdpx")

    def test_a_project_without_texts_is_refused(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.qdpx", "w") as archive:
            archive.writestr("project.qde", "<Project/>")
        with pytest.raises(DataError, match="with text sources was required"):
            import_annotations("refi-qda", tmp_path / "a.qdpx")


def test_codings_that_mark_no_words_are_listed_and_counted(tmp_path: Path) -> None:
    text = "Kyiv waited. Moscow mocked."
    selection = (
        '<PlainTextSelection guid="g" name="Kyiv" startPosition="0" endPosition="3">'
        '<Coding creatingUser="A"><CodeRef targetGUID="1"/></Coding>'
        '<Coding creatingUser="A"/></PlainTextSelection>'
    )
    whole = '<Coding creatingUser="A"><CodeRef targetGUID="1"/></Coding>'
    project = (
        '<Project xmlns="urn:QDA-XML:project:1.0"><Users><User guid="A" name="zoe"/></Users>'
        '<CodeBook><Codes><Code guid="1" name="UA_neutral"/></Codes></CodeBook>'
        f'<Sources><TextSource guid="S" name="0"><PlainTextContent>{text}</PlainTextContent>'
        f"{selection}{whole}</TextSource></Sources>"
        f'<Notes><Note guid="n" name="n">{whole}</Note></Notes></Project>'
    )
    with zipfile.ZipFile(tmp_path / "a.qdpx", "w") as archive:
        archive.writestr("project.qde", project)
    imported = import_annotations("refi-qda", tmp_path / "a.qdpx")
    assert len(imported.annotation_set.table) == 1
    # One coding of the whole source, one in a note, one without a code.
    assert sum(imported.lost.values()) == 3


class TestPackedLabels:
    def test_a_workbook_of_labels_reads_as_its_csv(self, tmp_path: Path) -> None:
        rows = [
            ["article_id", "text", "start", "end", "target", "stance", "annotator", "not_target"],
            ["a1", "Ankara wacht.", 0, 6, "TR", "neutral", "anna", False],
            ["a1", "Ankara wacht.", 0.0, 6.0, "TR", "favourable", "bob", None],
        ]
        book = openpyxl.Workbook()
        for row in rows:
            book.worksheets[0].append(row)
        book.save(tmp_path / "labels.xlsx")
        pd.DataFrame(rows[1:], columns=rows[0]).to_csv(tmp_path / "labels.csv", index=False)
        found = import_annotations("csv", tmp_path / "labels.xlsx")
        assert _rows(found, "annotator", "stance") == [("anna", "neutral"), ("bob", "favourable")]
        assert found.annotation_set.to_frame().equals(
            import_annotations("csv", tmp_path / "labels.csv").annotation_set.to_frame()
        )

    @pytest.mark.parametrize("suffix", [".gz", ".zip"])
    def test_a_packed_export_reads_as_the_plain_one(self, tmp_path: Path, suffix: str) -> None:
        plain = _FILES / "label-studio" / "export-2024.json"
        packed = tmp_path / f"export.json{suffix}"
        if suffix == ".gz":
            packed.write_bytes(gzip.compress(plain.read_bytes()))
        else:
            with zipfile.ZipFile(packed, "w") as archive:
                archive.write(plain, "export.json")
        found = import_annotations("label-studio", packed)
        assert _rows(found, "unit", "annotator") == _rows(
            import_annotations("label-studio", plain), "unit", "annotator"
        )

    def test_a_zip_of_two_files_is_refused(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
            archive.writestr("a.csv", "start,end\n")
            archive.writestr("b.csv", "start,end\n")
        with pytest.raises(DataError, match="a zip with one file was required, got 2"):
            import_annotations("csv", tmp_path / "two.zip")

    def test_one_that_unpacks_too_large_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.json.gz").write_bytes(gzip.compress(b"x" * 2000))
        with pytest.raises(DataError, match="at most 1000 bytes are unpacked"):
            unpacked(tmp_path / "a.json.gz", 1000)

    def test_what_does_not_unpack_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.json.gz").write_bytes(b"no gzip")
        with pytest.raises(DataError, match="a file that unpacks was required"):
            import_annotations("label-studio", tmp_path / "a.json.gz")

    def test_utf_16_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes("start,end,text\n".encode("utf-16"))
        with pytest.raises(DataError, match="UTF-8 was required: it is UTF-16; save it so"):
            import_annotations("csv", tmp_path / "a.csv")


class TestItemsOfALargeFile:
    @pytest.mark.parametrize("chunk", [1, 7, 1000])
    @pytest.mark.parametrize(
        "content",
        ["[]", " [ ] \n", '[{"a": "x]"}, {"b": [1, 22, "🙂é"]}, 333]\r\n', '{"a": 1}', "12345"],
    )
    def test_they_are_those_of_the_whole(
        self, tmp_path: Path, content: str, chunk: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("classifier.annotations.formats._files._CHUNK", chunk)
        (tmp_path / "a.json").write_bytes(content.encode("utf-8-sig"))
        (tmp_path / "a.json.gz").write_bytes(gzip.compress(content.encode()))
        whole = json.loads(content)
        items = whole if isinstance(whole, list) else [whole]
        assert list(json_items(tmp_path / "a.json")) == items
        assert list(json_items(tmp_path / "a.json.gz")) == items

    @pytest.mark.parametrize("content", ["[1", "[1 2]", "[1,]", "[1]x", "", '["a'])
    def test_broken_json_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "a.json").write_text(content, encoding="utf-8")
        with pytest.raises(json.JSONDecodeError):
            list(json_items(tmp_path / "a.json"))

    def test_utf_16_says_what_to_do(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_bytes("[]".encode("utf-16"))
        with pytest.raises(DataError, match="UTF-8 was required: it is UTF-16"):
            list(json_items(tmp_path / "a.json"))


def test_a_csv_where_predictions_are_required_says_what_to_do(tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet"):
        (tmp_path / name).write_text("unit,article_id\n1,2\n", encoding="utf-8")
        with pytest.raises(DataError, match=r"a CSV is not read: write it as \.jsonl"):
            read_predictions(tmp_path / name)


def test_a_codebook_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    text = (shipped_annotations() / "codebook.toml").read_text(encoding="utf-8")
    (tmp_path / "codebook.toml").write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    plain = read_codebook(shipped_annotations() / "codebook.toml")
    assert read_codebook(tmp_path / "codebook.toml").target_names == plain.target_names
