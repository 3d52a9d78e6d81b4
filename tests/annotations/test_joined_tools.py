"""Labels in are labels out or listed, and coders of several tools meet."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import AnnotationSet, check, join_coders, write_annotations
from classifier.annotations.formats import import_annotations
from classifier.errors import DataError
from classifier.profiles import profile, profiled_labels

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


_STANCES = ("favourable", "neutral", "unfavourable")


def _mixed(draw: Random) -> list[tuple[str, str, int, int, str]]:
    """Person, target, start, end and stance; some spans have a blank at the edge or are odd."""
    found = []
    for person in draw.sample(["ann", "bob", "cleo"], draw.randint(1, 3)):
        for target in draw.sample(list(_SPANS), draw.randint(1, 3)):
            start, end = _SPANS[target]
            end += draw.choice((0, 0, 1))
            found.append((person, target, start, end, draw.choice(_STANCES)))
        if draw.random() < 0.4 and len(found) > 1:
            found.append((person, "UA", 900, 907, "neutral"))
    draw.shuffle(found)
    return found


def _as_brat(rows: list[tuple[str, str, int, int, str]], folder: Path) -> None:
    for person in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == person]
        (folder / person).mkdir(parents=True)
        (folder / person / "a1.txt").write_text(_TEXT)
        lines = [
            f"T{n}\t{target} {start} {end}\t{_TEXT[start:end] or 'x'}\nA{n}\tstance T{n} {stance}\n"
            for n, (_, target, start, end, stance) in enumerate(own, 1)
        ]
        (folder / person / "a1.ann").write_text("".join(lines))


def _as_csv(rows: list[tuple[str, str, int, int, str]], folder: Path) -> None:
    folder.mkdir()
    lines = [f"a1,{_TEXT},{s},{e},{target},{who},{label}" for who, target, s, e, label in rows]
    header = "article_id,text,start,end,target,annotator,stance"
    (folder / "rows.csv").write_text("\r\n".join([header, *lines]) + "\r\n", encoding="utf-8-sig")


def _as_inception(rows: list[tuple[str, str, int, int, str]], folder: Path) -> None:
    place = folder / "annotation" / "a1.txt"
    place.mkdir(parents=True)
    for person in sorted({row[0] for row in rows}):
        own = [row for row in rows if row[0] == person]
        spans = "".join(
            f'<custom:Frame xmi:id="{n}" sofa="1" begin="{start}" end="{end}" target="{target}" '
            f'stance="{stance}"/>'
            for n, (_, target, start, end, stance) in enumerate(own, 2)
        )
        (place / f"{person}.xmi").write_text(
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" '
            'xmlns:custom="http:///webanno/custom.ecore" xmi:version="2.0"><cas:NULL xmi:id="0"/>'
            f'{spans}<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" '
            f'mimeType="text/plain" sofaString="{_TEXT}"/><cas:View sofa="1" '
            f'members="{" ".join(str(n) for n in range(2, len(own) + 2))}"/></xmi:XMI>'
        )
        (place / "TypeSystem.xml").write_text(_TYPES)


_TYPES = (
    '<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>'
    "<typeDescription><name>webanno.custom.Frame</name><supertypeName>uima.tcas.Annotation"
    "</supertypeName><features>"
    + "".join(
        f"<featureDescription><name>{name}</name><rangeTypeName>uima.cas.String</rangeTypeName>"
        "</featureDescription>"
        for name in ("target", "stance")
    )
    + "</features></typeDescription></types></typeSystemDescription>"
)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("format_name", "write"), [("brat", _as_brat), ("csv", _as_csv), ("inception", _as_inception)]
)
def test_labels_of_other_tools_are_read_or_listed(
    format_name: str,
    write: Callable[[list[tuple[str, str, int, int, str]], Path], None],
    seed: int,
    tmp_path: Path,
) -> None:
    rows = _mixed(Random(seed))
    write(rows, tmp_path / "export")
    imported = import_annotations(format_name, tmp_path / "export")
    remarks = ("blanks at the edge, trimmed", "warning of the CAS reader")
    listed = [p for p in imported.problems if p.reason not in remarks]
    table = imported.annotation_set.table
    assert len(table) + len(listed) == len(rows)
    told = dict(zip(table["annotator"] + table["target"], table["stance"], strict=True))
    assert told == {who + target: label for who, target, start, _, label in rows if start < 900}
    write_annotations(imported.annotation_set, tmp_path / "set")
    assert check(tmp_path / "set") == []
    assert measure_agreement(tmp_path / "set", by=[()]).annotators == tuple(
        sorted({row[0] for row in rows})
    )


@pytest.mark.parametrize("seed", range(6))
def test_every_article_with_gold_corrects_the_profile(seed: int, tmp_path: Path) -> None:
    draw = Random(seed)
    ids = draw.sample(["0", "1", "01", "x 1", "A", "a", *map(str, range(10, 20))], 12)
    tasks = [
        {
            "id": draw.choice((1, None, n)),
            "data": {"id": name, "source": "Quay Post", "text": f"{_TEXT} No {name}."},
            "annotations": [{"completed_by": 1, "result": _pair(draw.choice(_STANCES))}],
        }
        for n, name in enumerate(ids)
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    gold = import_annotations("label-studio", tmp_path / "tasks.json").annotation_set
    rows = [f"{name},0,4,UA,neutral" for name in ids]
    (tmp_path / "model.csv").write_text("article_id,start,end,target,stance\n" + "\n".join(rows))
    labels = profiled_labels(tmp_path / "model.csv", articles=None, gold=gold, codebook=None)
    (row,) = [row for row in profile(labels, gold=gold) if row.voice == "all"]
    assert (row.n_mentions, row.n_coded_articles) == (12, 12)
    points = {"favourable": 1, "neutral": 0, "unfavourable": -1}
    mean = sum(points[label] for label in gold.table["stance"]) / 12
    (stance,) = [one for one in row.quantities if one.label is None]
    assert stance.corrected.value == pytest.approx(mean)


def _pair(stance: str) -> list[dict[str, Any]]:
    return [_coded("UA", stance), _coded("UA", stance, "choices")]


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
