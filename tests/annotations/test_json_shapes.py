"""JSON of other tools as a list, as lines and as one object; plain, packed and in folders."""

import gzip
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from classifier.annotations.formats import import_annotations
from classifier.errors import DataError
from classifier.labels import read_rows

_Record = Mapping[str, Any]
_SPAN = {"start": 0, "end": 4, "label": "UA_neutral"}


def _text(number: int) -> str:
    return f"Kyiv waited for the grain. No {number}."


def _label_studio(number: int, person: str, stance: str = "neutral") -> _Record:
    value = {"start": 0, "end": 4, "text": "Kyiv", "labels": [f"UA_{stance}"]}
    result = {"id": "r", "from_name": "l", "to_name": "t", "type": "labels", "value": value}
    return {
        "id": number,
        "data": {"text": _text(number)},
        "annotations": [{"completed_by": {"email": person}, "result": [result]}],
    }


def _min(number: int, person: str, stance: str = "neutral") -> _Record:
    span = {"start": 0, "end": 4, "text": "Kyiv", "labels": [f"UA_{stance}"]}
    own = {"id": number, "text": _text(number), "annotator": person}
    return {**own, "annotation_id": number, "label": [span]}


def _argilla(number: int, person: str, stance: str = "neutral") -> _Record:
    response = {"user_id": person, "status": "submitted"}
    answer = {**response, "value": [{**_SPAN, "label": f"UA_{stance}"}]}
    fields = {"text": _text(number)}
    return {"id": str(number), "fields": fields, "responses": {"spans": [answer]}}


def _potato(number: int, person: str, stance: str = "neutral") -> _Record:
    spans = {"scheme": [{**_SPAN, "label": f"UA_{stance}"}]}
    own = {"instance_id": str(number), "displayed_text": _text(number), "user_id": person}
    return {**own, "span_annotations": spans}


def _doccano(number: int, person: str, stance: str = "neutral") -> _Record:
    label = {"start_offset": 0, "end_offset": 4, "label": f"UA_{stance}", "user": person}
    return {"id": number, "text": _text(number), "label": [label]}


def _prodigy(number: int, person: str, stance: str = "neutral") -> _Record:
    own = {"text": _text(number), "_annotator_id": person, "_task_hash": number}
    return {**own, "answer": "accept", "spans": [{**_SPAN, "label": f"UA_{stance}"}]}


_TOOLS: Mapping[str, Callable[..., _Record]] = {
    "label-studio": _label_studio,
    "label-studio-min": _min,
    "argilla": _argilla,
    "potato": _potato,
    "doccano": _doccano,
    "prodigy": _prodigy,
}
every_tool = pytest.mark.parametrize("tool", list(_TOOLS))


def _lines(records: list[_Record]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


def _n_labels(tool: str, path: Path) -> int:
    imported = import_annotations(tool, path)
    assert not imported.lost
    return len(imported.annotation_set.table)


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
@every_tool
def test_the_ending_of_the_name_does_not_matter(tool: str, suffix: str, tmp_path: Path) -> None:
    records = [_TOOLS[tool](number, "ann") for number in (1, 2)]
    shapes = {
        "list": json.dumps(records, indent=1),
        "lines": _lines(records),
        "windows": "\ufeff" + _lines(records).replace("\n", "\r\n"),
    }
    for name, text in shapes.items():
        path = tmp_path / f"{name}{suffix}"
        path.write_text(text, encoding="utf-8", newline="")
        assert _n_labels(tool, path) == 2
    (tmp_path / f"one{suffix}").write_text(json.dumps(records[0], indent=1))
    assert _n_labels(tool, tmp_path / f"one{suffix}") == 1


@every_tool
def test_packed_files_are_read_alone_and_in_a_folder(tool: str, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    text = _lines([_TOOLS[tool](1, "ann"), _TOOLS[tool](2, "ann")])
    packed = tmp_path / "both" / "ann.jsonl.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "both" / "bob.zip", "w") as archive:
        archive.writestr("bob.json", json.dumps([_TOOLS[tool](1, "bob")]))
    assert _n_labels(tool, packed) == 2
    assert _n_labels(tool, tmp_path / "both" / "bob.zip") == 1
    assert _n_labels(tool, tmp_path / "both") == 3


@every_tool
def test_a_task_in_two_exports_counts_once_and_is_listed(tool: str, tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_text(_lines([_TOOLS[tool](1, "ann", "favourable")]))
    (tmp_path / "2.json").write_text(json.dumps([_TOOLS[tool](1, "ann")]))
    imported = import_annotations(tool, tmp_path)
    assert imported.annotation_set.table["stance"].tolist() == ["neutral"]
    assert [(p.reason, p.where.partition(".")[0]) for p in imported.problems] == [
        ("task in two exports, older annotation left out", "1")
    ]


def test_of_rows_of_json_min_the_newest_annotation_counts(tmp_path: Path) -> None:
    newer = {**_min(1, "ann"), "updated_at": "2024-02-02T00:00:00Z"}
    older = {**_min(1, "ann", "favourable"), "updated_at": "2024-01-01T00:00:00Z"}
    (tmp_path / "min.json").write_text(json.dumps([newer, older]))
    imported = import_annotations("label-studio-min", tmp_path / "min.json")
    assert imported.annotation_set.table["stance"].tolist() == ["neutral"]
    assert [p.reason for p in imported.problems] == ["annotated again, older one left out"]


def test_tables_of_several_exports_are_read_as_one(tmp_path: Path) -> None:
    for person in ("ann", "bob"):
        spans = json.dumps([{"start": 0, "end": 4, "tag": "UA_neutral"}])
        row = {"id": "1", "text": _text(1), "labels": spans, "user": person}
        pd.DataFrame([row]).to_csv(tmp_path / f"{person}.csv", index=False)
    assert import_annotations("activetigger", tmp_path).annotation_set.annotators == ("ann", "bob")


@pytest.mark.parametrize("place", [0, 1, 2])
@every_tool
def test_a_broken_line_is_listed_and_the_others_are_read(
    tool: str, place: int, tmp_path: Path
) -> None:
    lines = [json.dumps(_TOOLS[tool](number, "ann")) for number in (1, 2, 3)]
    lines[place] = lines[place][:-3]
    (tmp_path / "ann.jsonl").write_text("\n".join(lines))
    imported = import_annotations(tool, tmp_path / "ann.jsonl")
    assert len(imported.annotation_set.table) == 2
    assert [(p.where, p.reason) for p in imported.problems] == [
        (f"ann.jsonl:{place + 1}", "broken JSON")
    ]
    assert imported.lost == {"broken JSON": 1}


@pytest.mark.parametrize("chunk", [1, 50, 2**20])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_error_of_a_large_export_has_its_place_in_the_file(
    indent: int | None, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.annotations.formats._files._CHUNK", chunk)
    text = json.dumps([_label_studio(number, "ann") for number in range(9)], indent=indent)
    at = text.rindex('"data"')
    text = text[:at] + text[at:].replace('"data":', '"data"', 1)
    (tmp_path / "tasks.json").write_text(text)
    line, column = text[:at].count("\n") + 1, at - text.rfind("\n", 0, at) + len('"data" ')
    told = rf"tasks\.json: .* in line {line}, character {column}$"
    with pytest.raises(DataError, match=told):
        import_annotations("label-studio", tmp_path / "tasks.json")


@pytest.mark.parametrize("tool", ["argilla", "label-studio-min", "doccano", "prodigy", "potato"])
def test_a_list_that_was_cut_off_is_refused(tool: str, tmp_path: Path) -> None:
    text = json.dumps([_TOOLS[tool](1, "ann")], indent=1)
    (tmp_path / "cut.json").write_text(text[:-10])
    with pytest.raises(DataError, match=r"cut\.json: a whole JSON list was required"):
        import_annotations(tool, tmp_path / "cut.json")


def test_a_file_without_a_record_says_what_was_required(tmp_path: Path) -> None:
    (tmp_path / "notes.jsonl").write_text("These are notes.\n")
    with pytest.raises(DataError, match=r"records of Argilla 2 .* no record that can be read"):
        import_annotations("argilla", tmp_path / "notes.jsonl")


def test_labels_in_a_list_are_read_under_the_name_of_lines(tmp_path: Path) -> None:
    (tmp_path / "theirs.jsonl").write_text(json.dumps([{"unit": "a:0-4:UA", "stance": "neutral"}]))
    assert len(read_rows(tmp_path / "theirs.jsonl").frame) == 1


def test_packed_sheets_and_those_in_subfolders_are_read_with_the_others(tmp_path: Path) -> None:
    (tmp_path / "later").mkdir()
    table = "article_id,text,start,end,target,surface,stance\n1,Kyiv waited.,0,4,UA,Kyiv,neutral\n"
    (tmp_path / "ann.csv").write_text(table)
    (tmp_path / "bob.csv.gz").write_bytes(gzip.compress(table.encode()))
    (tmp_path / "later" / "cleo.csv").write_text(table)
    imported = import_annotations("csv", tmp_path)
    assert imported.annotation_set.annotators == ("ann", "bob", "cleo")
