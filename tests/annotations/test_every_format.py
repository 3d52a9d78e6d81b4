"""Labels in = labels out + labels listed, in every tool's format, through to the profile."""

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import pytest

from classifier.agreement import measure_agreement
from classifier.annotations import check, write_annotations
from classifier.annotations.formats import Imported, import_annotations
from classifier.annotations.formats._foreign import LeftOut
from classifier.profiles import profile, profiled_labels

_SPANS = {"UA": (0, 4), "RU": (13, 19), "TR": (28, 34)}
_STANCES = ("favourable", "neutral", "unfavourable")
_ODD = ((900, 907), (3, 3), (5, 2))


class Row(NamedTuple):
    """What one person marked in one text."""

    text: int
    person: str
    start: int
    end: int
    label: str


def _text(number: int) -> str:
    return f"Kyiv waited. Moscow mocked. Ankara praised. No {number}."


def _rows(draw: Random, *, one_person: bool) -> list[Row]:
    """Labels with edge blanks and odd spans, in any order of people and places."""
    found: list[Row] = []
    for text in range(3):
        people = draw.sample(["ann", "bob", "cleo"], 1 if one_person else draw.randint(1, 3))
        for person in people:
            targets = draw.sample(list(_SPANS), draw.randint(1, 3))
            own = []
            for target in targets:
                start, end = _SPANS[target]
                end += draw.choice((0, 0, 1))
                own.append(Row(text, person, start, end, f"{target}_{draw.choice(_STANCES)}"))
            if len(own) > 1 and draw.random() < 0.4:
                own.append(Row(text, person, *draw.choice(_ODD), "UA_neutral"))
            draw.shuffle(own)
            found += own
    return found


def _grouped(rows: Sequence[Row]) -> dict[tuple[int, str], list[Row]]:
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.text, row.person), []).append(row)
    return groups


def _ids(draw: Random) -> list[dict[str, Any]]:
    """What three records call themselves: ids that are missing, null, zero or equal."""
    kind = draw.choice(("own", "missing", "null", "zero", "equal"))
    if kind == "missing":
        return [{}, {}, {}]
    value: dict[str, list[Any]] = {
        "own": ["a", "b", "c"],
        "null": [None, None, None],
        "zero": [0, "00", 1],
        "equal": [7, 7, 7],
    }
    return [{"id": one} for one in value[kind]]


def _spans(rows: Sequence[Row], key: str, *, as_list: bool = False) -> list[dict[str, Any]]:
    return [{"start": r.start, "end": r.end, key: [r.label] if as_list else r.label} for r in rows]


def _label_studio(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    tasks: list[dict[str, Any]] = [
        {**own, "data": {"text": _text(n)}, "annotations": []} for n, own in enumerate(ids)
    ]
    for (text, person), own_rows in _grouped(rows).items():
        result = [
            {
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "value": {"start": r.start, "end": r.end, "labels": [r.label]},
            }
            for r in own_rows
        ]
        tasks[text]["annotations"].append({"completed_by": {"email": person}, "result": result})
    (folder / "tasks.json").write_text(json.dumps(tasks))
    return folder / "tasks.json"


def _label_studio_min(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    records = [
        {
            **ids[text],
            "text": _text(text),
            "annotator": person,
            "label": _spans(own, "labels", as_list=True),
        }
        for (text, person), own in _grouped(rows).items()
    ]
    (folder / "min.json").write_text(json.dumps(records))
    return folder / "min.json"


def _argilla(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    records: list[dict[str, Any]] = [
        {**own, "fields": {"text": _text(n)}, "responses": {"spans": []}}
        for n, own in enumerate(ids)
    ]
    for (text, person), own_rows in _grouped(rows).items():
        answer = {"value": _spans(own_rows, "label"), "user_id": person, "status": "submitted"}
        records[text]["responses"]["spans"].append(answer)
    (folder / "records.json").write_text(json.dumps(records))
    return folder / "records.json"


def _potato(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    for (text, person), own in _grouped(rows).items():
        (folder / "out" / person).mkdir(parents=True, exist_ok=True)
        line = {
            "displayed_text": _text(text),
            "span_annotations": _spans(own, "annotation"),
            **({"instance_id": ids[text]["id"]} if ids[text] else {}),
        }
        with (folder / "out" / person / "annotated_instances.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
    return folder / "out"


def _activetigger(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    with (folder / "export.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["id_external", "text", "labels", "user"])
        for (text, person), own in _grouped(rows).items():
            key = ids[text].get("id")
            writer.writerow([key, _text(text), json.dumps(_spans(own, "tag")), person])
    return folder / "export.csv"


def _refi(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    people = sorted({row.person for row in rows})
    labels = sorted({row.label for row in rows})
    users = "".join(f'<User guid="u-{name}" name="{name}"/>' for name in people)
    codes = "".join(f'<Code guid="c-{name}" name="{name}"/>' for name in labels)
    sources = []
    for text in range(3):
        selections = "".join(
            f"<PlainTextSelection name={quoteattr(_text(text)[r.start : r.end])} "
            f'startPosition="{r.start}" endPosition="{r.end - 1}">'
            f'<Coding creatingUser="u-{r.person}"><CodeRef targetGUID="c-{r.label}"/></Coding>'
            "</PlainTextSelection>"
            for r in rows
            if r.text == text
        )
        name = ids[text].get("id", f"text {text}")
        sources.append(
            f'<TextSource guid="s{text}" name="{"" if name is None else name}">'
            f"<PlainTextContent>{_text(text)}</PlainTextContent>{selections}</TextSource>"
        )
    project = (
        f"<Project><Users>{users}</Users><CodeBook><Codes>{codes}</Codes></CodeBook>"
        f"<Sources>{''.join(sources)}</Sources></Project>"
    )
    with zipfile.ZipFile(folder / "project.qdpx", "w") as archive:
        archive.writestr("project.qde", project)
    return folder / "project.qdpx"


def _doccano(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    (folder / "out").mkdir()
    for (text, person), own in _grouped(rows).items():
        line = {"text": _text(text), "label": [[r.start, r.end, r.label] for r in own], **ids[text]}
        with (folder / "out" / f"{person}.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
    return folder / "out"


def _prodigy(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    lines = [
        {
            "text": _text(text),
            "spans": _spans(own, "label"),
            "_annotator_id": person,
            "meta": ids[text],
        }
        for (text, person), own in _grouped(rows).items()
    ]
    (folder / "out.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "out.jsonl"


def _csv(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "start", "end", "annotator", "label"])
        for r in rows:
            key = ids[r.text].get("id")
            writer.writerow([key, _text(r.text), r.start, r.end, r.person, r.label])
    return folder / "rows.csv"


def _brat(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    for (text, person), own in _grouped(rows).items():
        place = folder / "out" / person / f"{ids[text].get('id', 'none')} {text}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(_text(text))
        lines = (
            f"T{n}\t{r.label} {r.start} {r.end}\t{_text(text)[r.start : r.end] or 'x'}\n"
            for n, r in enumerate(own, 1)
        )
        place.with_suffix(".ann").write_text("".join(lines))
    return folder / "out"


_TYPES = (
    '<typeSystemDescription xmlns="http://uima.apache.org/resourceSpecifier"><types>'
    "<typeDescription><name>webanno.custom.Frame</name><supertypeName>uima.tcas.Annotation"
    "</supertypeName><features><featureDescription><name>label</name><rangeTypeName>"
    "uima.cas.String</rangeTypeName></featureDescription></features></typeDescription></types>"
    "</typeSystemDescription>"
)


def _inception(rows: Sequence[Row], ids: list[dict[str, Any]], folder: Path) -> Path:
    for (text, person), own in _grouped(rows).items():
        place = folder / "annotation" / f"{ids[text].get('id', 'none')} {text}.txt"
        place.mkdir(parents=True, exist_ok=True)
        spans = "".join(
            f'<custom:Frame xmi:id="{n}" sofa="1" begin="{r.start}" end="{r.end}" '
            f'label="{r.label}"/>'
            for n, r in enumerate(own, 2)
        )
        (place / f"{person}.xmi").write_text(
            '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI" xmlns:cas="http:///uima/cas.ecore" '
            'xmlns:custom="http:///webanno/custom.ecore" xmi:version="2.0"><cas:NULL xmi:id="0"/>'
            f'{spans}<cas:Sofa xmi:id="1" sofaNum="1" sofaID="_InitialView" '
            f'mimeType="text/plain" sofaString="{_text(text)}"/><cas:View sofa="1" '
            f'members="{" ".join(str(n) for n in range(2, len(own) + 2))}"/></xmi:XMI>'
        )
        (place / "TypeSystem.xml").write_text(_TYPES)
    return folder / "annotation"


Write = Callable[[Sequence[Row], list[dict[str, Any]], Path], Path]
_WRITERS: dict[str, Write] = {
    "label-studio": _label_studio,
    "label-studio-min": _label_studio_min,
    "argilla": _argilla,
    "potato": _potato,
    "activetigger": _activetigger,
    "refi-qda": _refi,
    "doccano": _doccano,
    "prodigy": _prodigy,
    "csv": _csv,
    "brat": _brat,
    "inception": _inception,
}


def _made(format_name: str, seed: int, folder: Path) -> tuple[Imported, list[Row]]:
    draw = Random(seed)
    rows = _rows(draw, one_person=format_name == "activetigger")
    path = _WRITERS[format_name](rows, _ids(draw), folder)
    return import_annotations(format_name, path), rows


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("format_name", list(_WRITERS))
def test_labels_in_are_labels_out_or_listed(format_name: str, seed: int, tmp_path: Path) -> None:
    imported, rows = _made(format_name, seed, tmp_path)
    table = imported.annotation_set.table
    left_out = [p.labels for p in imported.problems if isinstance(p, LeftOut)]
    assert len(table) + sum(left_out) == len(rows)
    texts = {a.article_id: a.text for a in imported.annotation_set.articles}
    told = {
        (texts[r.article_id], r.annotator, r.start, f"{r.target}_{r.stance}")
        for r in table.itertuples()
    }
    assert told <= {(_text(r.text), r.person, r.start, r.label) for r in rows}
    write_annotations(imported.annotation_set, tmp_path / "set")
    assert check(tmp_path / "set") == []
    people = tuple(sorted(set(table["annotator"])))
    assert measure_agreement(tmp_path / "set", by=[()]).annotators == people


_IN_PARTS = ("label-studio", "label-studio-min", "argilla", "activetigger", "prodigy", "csv")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("format_name", _IN_PARTS)
def test_the_order_of_exports_does_not_matter(format_name: str, seed: int, tmp_path: Path) -> None:
    draw = Random(seed)
    rows, ids = _rows(draw, one_person=format_name == "activetigger"), _ids(draw)
    people = sorted({row.person for row in rows})
    found = []
    for place, order in ((tmp_path / "a", people), (tmp_path / "b", people[::-1])):
        whole = place / "all"
        whole.mkdir(parents=True)
        for n, person in enumerate(order):
            (place / person).mkdir()
            own = [row for row in rows if row.person == person]
            file = _WRITERS[format_name](own, ids, place / person)
            file.rename(whole / f"{n}{file.suffix}")
        imported = import_annotations(format_name, whole)
        left_out = sum(p.labels for p in imported.problems if isinstance(p, LeftOut))
        assert len(imported.annotation_set.table) + left_out == len(rows)
        texts = {a.article_id: a.text for a in imported.annotation_set.articles}
        table = imported.annotation_set.table
        found.append(
            {
                (texts[r.article_id], r.annotator, r.start, r.target, r.stance)
                for r in table.itertuples()
            }
        )
    # of texts that share an id the first is kept, and the labels of the others are listed
    assert found[0] == found[1] or ids[0] == ids[1] == {"id": 7}


def _with_apart(text: str, apart: list[dict[str, Any]]) -> str:
    """The record with further spans under a key of nobody's."""
    return json.dumps({**json.loads(text), "theirs": {"own": apart}})


_WITH_KEYS = [name for name in _WRITERS if name not in ("brat", "inception", "refi-qda")]


@pytest.mark.parametrize("format_name", _WITH_KEYS)
def test_spans_under_an_unknown_key_are_listed(format_name: str, tmp_path: Path) -> None:
    draw = Random(3)
    rows = _rows(draw, one_person=format_name == "activetigger")
    path = _WRITERS[format_name](rows, _ids(draw), tmp_path)
    file = path if path.is_file() else next(f for f in sorted(path.rglob("*")) if f.is_file())
    apart = [{"start": 0, "end": 4, "label": "UA_neutral"}] * 2
    if file.suffix == ".csv":
        head, first, *rest = file.read_text().splitlines()
        cell = json.dumps(apart).replace('"', '""')
        lines = [f"{head},theirs", f'{first},"{cell}"', *(f"{line}," for line in rest)]
        file.write_text("\n".join(lines))
    elif file.suffix == ".json":
        first, *rest = (json.dumps(record) for record in json.loads(file.read_text()))
        file.write_text(f"[{','.join([_with_apart(first, apart), *rest])}]")
    else:
        first, *rest = file.read_text().splitlines()
        file.write_text("\n".join([_with_apart(first, apart), *rest]))
    imported = import_annotations(format_name, path)
    reason = "spans under an unknown key, left out"
    assert imported.lost[reason] == 2
    (told,) = [problem for problem in imported.problems if problem.reason == reason]
    assert told.where.startswith(file.name) or file.parent.name in told.where
    left_out = sum(p.labels for p in imported.problems if isinstance(p, LeftOut))
    assert len(imported.annotation_set.table) + left_out == len(rows) + 2


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("format_name", list(_WRITERS))
def test_every_label_reaches_the_profile(format_name: str, seed: int, tmp_path: Path) -> None:
    imported, _ = _made(format_name, seed, tmp_path)
    gold = imported.annotation_set
    rows = gold.table[["article_id", "start", "end", "target"]].drop_duplicates()
    labels = profiled_labels(
        rows.assign(stance="neutral", source="Quay Post"), articles=None, gold=gold
    )
    # a mention has gold where one label has more votes than any other
    said = gold.table.groupby(["target", "article_id", "start"])["stance"]
    decided = said.agg(lambda votes: len(votes.mode()) == 1)
    coded = decided.groupby(["target", "article_id"]).any().groupby("target").sum().to_dict()
    found = {
        row.group["target"]: row.n_coded_articles
        for row in profile(labels, gold=gold)
        if row.voice == "all"
    }
    assert found == coded
