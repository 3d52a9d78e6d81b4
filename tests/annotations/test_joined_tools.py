"""Labels in are labels out or listed, and coders of several tools meet."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import AnnotationSet, check, join_coders, write_annotations
from classifier.annotations.formats import import_annotations
from classifier.errors import DataError

_TEXT = "Kyiv waited. Moscow mocked. Ankara praised."
_SPANS = {"UA": (0, 4), "RU": (13, 19), "TR": (28, 34)}
_IDS = ("missing", None, 0, 7)


def _given(record: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    return record if value == "missing" else record | {key: value}


def _result(draw: Random, target: str, odd: bool) -> dict[str, Any]:
    start, end = _SPANS[target]
    end += draw.choice((0, 1)) if target != "TR" else 0
    if odd:
        start, end = draw.choice(((900, 907), (3, 3), (5, 2)))
    value = {"start": start, "end": end, "text": _TEXT[start:end] or "x", "labels": [target]}
    result = {"from_name": "target", "to_name": "text", "type": "labels", "value": value}
    return _given(result, "id", draw.choice(_IDS))


@pytest.mark.parametrize("seed", range(40))
def test_label_studio_labels_are_read_or_listed(seed: int, tmp_path: Path) -> None:
    draw = Random(seed)
    annotations, n_in = [], 0
    for person in (1, 2):
        targets = draw.sample(list(_SPANS), draw.randint(1, 3))
        results = [_result(draw, target, odd=False) for target in targets]
        if draw.random() < 0.4 and len(results) > 1:
            results.append(_result(draw, "UA", odd=True))
        draw.shuffle(results)
        n_in += len(results)
        one = {"completed_by": person, "result": results}
        annotations.append(_given(one, "id", draw.choice(_IDS)))
    draw.shuffle(annotations)
    task = _given({"data": {"text": _TEXT}, "annotations": annotations}, "id", draw.choice(_IDS))
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps([task]))
    imported = import_annotations("label-studio", path)
    listed = [p for p in imported.problems if p.reason != "blanks at the edge, trimmed"]
    assert len(imported.annotation_set.table) + len(listed) == n_in
    assert imported.annotation_set.annotators == ("1", "2")
    write_annotations(imported.annotation_set, tmp_path / "set")
    assert check(tmp_path / "set") == []
    report = measure_agreement(imported.annotation_set, by=[()])
    assert report.annotators == ("1", "2")


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("format_name", ["doccano", "prodigy"])
def test_labels_in_lines_are_read_or_listed(format_name: str, seed: int, tmp_path: Path) -> None:
    draw = Random(seed)
    n_in = 0
    for person in draw.sample(["ann", "bob"], 2):
        targets = draw.sample(list(_SPANS), draw.randint(1, 3))
        spans = [_SPANS[target] for target in targets]
        n_in += len(targets)
        if format_name == "doccano":
            labels = [[*span, target] for span, target in zip(spans, targets, strict=True)]
            if draw.random() < 0.4 and len(labels) > 1:
                labels.append([900, 907, "UA"])
                n_in += 1
            line: dict[str, Any] = {
                "text": _TEXT,
                draw.choice(("label", "labels", "entities", "spans")): labels,
            }
            line["id"] = 0
        else:
            marked = [
                {"start": start, "end": end, "label": target}
                for (start, end), target in zip(spans, targets, strict=True)
            ]
            line = {"text": _TEXT, "spans": marked, "_annotator_id": person}
            line = _given(line, "answer", draw.choice(("missing", "accept")))
        (tmp_path / "export").mkdir(exist_ok=True)
        (tmp_path / "export" / f"{person}.jsonl").write_text(json.dumps(line) + "\n")
    imported = import_annotations(format_name, tmp_path / "export")
    assert len(imported.annotation_set.table) + len(imported.problems) == n_in
    assert imported.annotation_set.annotators == ("ann", "bob")


def _label_studio(folder: Path) -> AnnotationSet:
    people = [
        {"completed_by": name, "result": [_coded("UA", stance), _coded("UA", stance, "choices")]}
        for name, stance in (("ann", "neutral"), ("bob", "favourable"))
    ]
    task = {"id": 4, "data": {"id": "a1", "text": _TEXT}, "annotations": people}
    (folder / "tasks.json").write_text(json.dumps([task]))
    return import_annotations("label-studio", folder / "tasks.json").annotation_set


def _coded(target: str, stance: str, kind: str = "labels") -> dict[str, Any]:
    start, end = _SPANS[target]
    value = {"start": start, "end": end, kind: [target if kind == "labels" else stance]}
    name = "target" if kind == "labels" else "stance"
    return {"id": "x", "from_name": name, "to_name": "text", "type": kind, "value": value}


_TSV = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Frame|target|stance\n\n\n"
    f"#Text={_TEXT}\n"
    "1-1\t0-4\tKyiv\tUA[1]\tneutral[1]\t\n"
    "1-2\t5-11\twaited\t_\t_\t\n"
)
_CSV = f"""article_id,text,start,end,target,annotator,stance
a1,{_TEXT},0,4,UA,dee,favourable
"""


def test_coders_of_three_tools_meet_in_one_agreement_table(tmp_path: Path) -> None:
    folder = tmp_path / "annotation" / "a1"
    folder.mkdir(parents=True)
    (folder / "cleo.tsv").write_text(_TSV)
    (tmp_path / "sheet.csv").write_text(_CSV)
    sets = [
        _label_studio(tmp_path),
        import_annotations("inception", tmp_path / "annotation").annotation_set,
        import_annotations("csv", tmp_path / "sheet.csv").annotation_set,
    ]
    joined = join_coders(sets)
    report = measure_agreement(joined, by=[()])
    assert report.annotators == ("ann", "bob", "cleo", "dee")
    assert joined.table["unit"].nunique() == 1
    stance = next(entry for entry in report.variables if entry.variable == "stance")
    # neutral twice and favourable twice: D_o = 2/3 = D_e of the four values
    assert stance.parts[0].estimate.value == pytest.approx(0.0)


def test_coders_of_other_texts_are_not_joined(tmp_path: Path) -> None:
    one = _label_studio(tmp_path)
    other = replace(one, articles=(replace(one.articles[0], text="Kyiv left."),))
    with pytest.raises(DataError, match="'a1' has another text"):
        join_coders([one, other])


def test_two_exports_of_one_project_are_read_as_one(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    _label_studio(folder)
    (folder / "later.json").write_text((folder / "tasks.json").read_text())
    imported = import_annotations("label-studio", folder)
    assert len(imported.annotation_set.table) == 2
    reasons = [problem.reason for problem in imported.problems]
    assert reasons == ["task in two exports, older annotation left out"] * 2


def test_spans_under_an_unknown_key_are_named(tmp_path: Path) -> None:
    line = {"id": 1, "text": _TEXT, "marks": {"own": [{"start": 0, "end": 4, "label": "UA"}]}}
    path = tmp_path / "ann.jsonl"
    path.write_text(json.dumps(line) + "\n")
    (problem,) = import_annotations("doccano", path).problems
    assert problem.where == "ann.jsonl:1"
    assert "'marks.own'" in problem.detail
