import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.annotations import (
    Annotation,
    AnnotationSet,
    annotation_table,
    read_annotations,
    restricted,
    table_annotations,
    write_annotations,
)
from classifier.annotations.formats import (
    EXPORT_FORMATS,
    annotation_conf,
    export,
    import_annotations,
    labelling_config,
)
from classifier.annotations.formats._files import plain_cell, safe_cell
from classifier.codebook import Codebook, default_codebook, shipped_annotations
from classifier.errors import DataError
from classifier.records import Article, Span

CURATED_TOLD = "curated labels, read as gold"

# every line end, an emoji, a family joined by zero-width joiners, decomposed letters, an NBSP
_TEXT = (
    "🌾 Oekrai\u0308ne wacht.\r\nIn I\u0307stanbul (👩‍👩‍👧) praat men;\n"
    "Rusland\u00a0zwijgt.\rTu\u0308rkiye’nin beurt."
)
_ARTICLES = (
    Article("a/1", _TEXT, source="=De Kade", title="-1 graad, +2 'morgen'", language="nl"),
    Article("a:1", "'Tussen haken'\r\nKyiv.", date="2022-03", date_precision="month"),
    Article("leeg", "Niemand las dit.\n", sampling_probability=0.25),
)


def _path(format_name: str, folder: Path) -> Path:
    return folder / ("tasks.json" if format_name == "label-studio" else "project")


def _there_and_back(format_name: str, before: AnnotationSet, folder: Path) -> AnnotationSet:
    path = _path(format_name, folder)
    export(format_name, before, path)
    imported = import_annotations(format_name, path)
    told = [problem for problem in imported.problems if problem.reason != CURATED_TOLD]
    assert not told
    return imported.annotation_set


def _assert_same(before: AnnotationSet, after: AnnotationSet) -> None:
    """Equal but for the order of the rows, which folders per annotator cannot keep."""
    assert after.articles == before.articles
    assert after.codebook == before.codebook
    key = ["unit", "annotator"]
    left, right = (each.table.sort_values(key).reset_index(drop=True) for each in (before, after))
    pd.testing.assert_frame_equal(left, right)


def _annotation(surface: str, target: str, annotator: str, **more: object) -> Annotation:
    start = _TEXT.index(surface)
    span = Span(start, start + len(surface))
    return replace(Annotation("a/1", span, target, surface, annotator), **more)  # type: ignore[arg-type]


def _rich() -> AnnotationSet:
    rows = [
        _annotation("Oekrai\u0308ne", "UA", "noor@kade.example", labels={"stance": "neutral"}),
        _annotation(
            "Oekrai\u0308ne", "UA", "bram/2", labels={"roles": frozenset()}, comment="=1+1"
        ),
        _annotation("Rusland", "RU", "bram/2", not_target=True, comment='json:"\n\ttwee regels '),
        _annotation(
            "Rusland\u00a0zwijgt.",
            "RU",
            "noor@kade.example",
            labels={"stance": "unfavourable", "roles": frozenset({"weak", "strong"})},
            speaker="een woordvoerder; 'nl'",
            evidence=Span(0, 3),
        ),
        _annotation("Tu\u0308rkiye", "TR", "model:v1", labels={"voice": "author"}),
        Annotation("a:1", Span(16, 20), "UA", "Kyiv", "noor@kade.example", comment="@home"),
    ]
    codebook = default_codebook()
    return AnnotationSet(_ARTICLES, annotation_table(rows, codebook), codebook)


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_out_and_in_is_the_identity(format_name: str, tmp_path: Path) -> None:
    before = _rich()
    _assert_same(before, _there_and_back(format_name, before, tmp_path))


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_a_blank_at_the_edge_is_trimmed_and_listed(format_name: str, tmp_path: Path) -> None:
    rows = [_annotation("Rusland\u00a0", "RU", "ida")]
    before = replace(_rich(), table=annotation_table(rows, default_codebook()))
    export(format_name, before, _path(format_name, tmp_path))
    imported = import_annotations(format_name, _path(format_name, tmp_path))
    assert imported.annotation_set.table["surface"].tolist() == ["Rusland"]
    assert [p.reason for p in imported.problems] == ["blanks at the edge, trimmed"]


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_out_and_in_is_the_identity_where_anyone_may_be_a_target(
    format_name: str, tmp_path: Path
) -> None:
    codebook = replace(default_codebook(), targets=())
    names = ["Mr. Ostrander", "Лидия Грель", "mention"]
    rows = [_annotation("Rusland", name, "ida", labels={"stance": "neutral"}) for name in names]
    before = AnnotationSet(_ARTICLES, annotation_table(rows, codebook), codebook)
    _assert_same(before, _there_and_back(format_name, before, tmp_path))


_CODEBOOK = default_codebook()
_LABELS = st.fixed_dictionaries(
    {
        "stance": st.sampled_from([None, *_CODEBOOK.variable("stance").names]),
        "roles": st.none() | st.frozensets(st.sampled_from(_CODEBOOK.variable("roles").names)),
        "voice": st.sampled_from([None, *_CODEBOOK.variable("voice").names]),
    }
)
_PIECES = st.sampled_from([*"aZ🙂\u0308\u200d\r\n\t ;,\"'=|é🇹🇷", "\r\n", "Kyiv", "Россия"])

_COMMENTS = st.lists(_PIECES, min_size=1).map("".join).filter(lambda text: bool(text.strip()))


@st.composite
def _sets(draw: st.DrawFn) -> AnnotationSet:
    text = "x" + "".join(draw(st.lists(_PIECES, min_size=2, max_size=25))) + "x"
    article = Article("één", text, language="und")
    rows = {}
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text) - 2))
        end = draw(st.integers(start + 1, len(text)))
        # a span's edge blanks do not come back: see the test of the trimmed ones
        if text[start:end] != text[start:end].strip():
            continue
        row = Annotation(
            "één",
            Span(start, end),
            draw(st.sampled_from(_CODEBOOK.target_names)),
            text[start:end],
            draw(st.sampled_from(["noor", "bram"])),
            draw(_LABELS),
            draw(st.booleans()),
            draw(st.none() | _COMMENTS),
        )
        rows[row.unit, row.annotator] = row
    return AnnotationSet((article,), annotation_table(rows.values(), _CODEBOOK), _CODEBOOK)


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
@settings(max_examples=25, deadline=None)
@given(before=_sets())
def test_any_set_comes_back_as_it_went(
    format_name: str, tmp_path_factory: pytest.TempPathFactory, before: AnnotationSet
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    _assert_same(before, _there_and_back(format_name, before, folder))


@pytest.mark.parametrize(
    "value", ["", "'", "''", "=1", "'=1", "+", "-3", "@x", "\tx", "'t Hart", "a"]
)
def test_a_cell_is_safe_and_comes_back(value: str) -> None:
    cell = safe_cell(value)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert plain_cell(cell) == value


def test_csv_keeps_the_order_of_the_rows(tmp_path: Path) -> None:
    before = _rich()
    after = _there_and_back("csv", before, tmp_path)
    assert list(after.table["unit"]) == list(before.table["unit"])


def test_predictions_become_pre_annotations_with_their_probability(tmp_path: Path) -> None:
    predictions = pd.DataFrame(
        [
            {
                "article_id": "a:1",
                "start": 16,
                "end": 20,
                "target": "UA",
                "surface": "Kyiv",
                "stance": "neutral",
                "roles": ["victim"],
                "p_stance_neutral": 0.75,
                "model_id": "runs/one",
            }
        ]
    )
    path = tmp_path / "tasks.json"
    export("label-studio", _rich(), path, predictions)
    task = json.loads(path.read_text(encoding="utf-8"))[1]
    (prediction,) = task["predictions"]
    assert prediction["model_version"] == "runs/one"
    assert prediction["result"][0]["score"] == 0.75
    chosen = {r["from_name"]: r["value"].get("choices") for r in prediction["result"]}
    assert chosen == {"target": None, "stance": ["neutral"], "roles": ["victim"]}


@pytest.mark.parametrize("has_predictions", [True, False])
def test_an_import_counts_the_suggestions_that_each_annotator_left_unchanged(
    has_predictions: bool, tmp_path: Path
) -> None:
    suggested = [
        {
            "article_id": "a:1",
            "start": 16,
            "end": 20,
            "target": "UA",
            "surface": "Kyiv",
            "stance": "neutral",
            "roles": ["victim"],
            "model_id": "runs/one",
        }
    ]
    path = tmp_path / "tasks.json"
    export(
        "label-studio", replace(_rich(), table=_rich().table.head(0)), path, pd.DataFrame(suggested)
    )
    tasks = json.loads(path.read_text(encoding="utf-8"))
    results = tasks[1]["predictions"][0]["result"]
    other = json.loads(json.dumps(results).replace('"neutral"', '"favourable"'))
    tasks[1]["annotations"] = [
        {"id": 1, "completed_by": {"email": "noor@x.example"}, "result": results},
        {"id": 2, "completed_by": {"email": "bram@x.example"}, "result": other},
    ]
    if not has_predictions:
        # exports of Label Studio may leave them out; the data come back always
        del tasks[1]["predictions"]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    imported = import_annotations("label-studio", path, _rich().codebook)
    counts = imported.counts
    # Two answers were suggested, a stance and a role; one of them bram changed.
    assert counts["labels suggested to noor@x.example"] == 2
    assert counts["suggestions left unchanged by noor@x.example"] == 2
    assert counts["labels suggested to bram@x.example"] == 2
    assert counts["suggestions left unchanged by bram@x.example"] == 1
    # the set keeps it, and says it wherever it is read again
    write_annotations(imported.annotation_set, tmp_path / "coded")
    again = read_annotations(tmp_path / "coded")
    assert again.suggested == {"noor@x.example": (2, 2), "bram@x.example": (2, 1)}
    assert "bram@x.example left 1 of 2 suggested labels unchanged (50%)" in again.suggestion_words
    write_annotations(_rich(), tmp_path / "coded", force=True)
    assert read_annotations(tmp_path / "coded").suggested == {}


def test_a_file_of_suggestions_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    write_annotations(_rich(), tmp_path)
    (tmp_path / "suggested.json").write_text('{"noor": 2}', encoding="utf-8")
    with pytest.raises(DataError, match="labels suggested, unchanged"):
        read_annotations(tmp_path)


_VALIDATE = """
import json, sys
from pathlib import Path
from label_studio_sdk.label_interface import LabelInterface

tasks, config = map(Path, sys.argv[1:])
interface = LabelInterface(config.read_text(encoding="utf-8"))
interface.validate()
for task in json.loads(tasks.read_text(encoding="utf-8")):
    assert interface.validate_task({"data": task["data"]}), task["data"]
    assert all(map(interface.validate_annotation, task["annotations"])), task["annotations"]
    for prediction in task["predictions"]:
        assert interface.validate_prediction(prediction, return_errors=True) == []
"""


def test_label_studios_own_package_finds_our_export_valid(tmp_path: Path) -> None:
    # It needs another numpy than ours, and so an environment of its own.
    python = os.environ.get("LABEL_STUDIO_SDK_PYTHON")
    if not python:
        pytest.skip("LABEL_STUDIO_SDK_PYTHON names no Python that has label-studio-sdk")
    path = tmp_path / "tasks.json"
    sample = read_annotations(shipped_annotations() / "sample")
    reader = sample.table[sample.table["annotator"] == "reader"]
    export("label-studio", sample, path, reader.assign(model_id="model", p_stance_neutral=0.7))
    words = [python, "-c", _VALIDATE, str(path), str(tmp_path / "tasks.config.xml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_predictions_are_an_annotator_of_their_own_in_brat(tmp_path: Path) -> None:
    row = {"article_id": "leeg", "start": 0, "end": 7, "target": "TR", "surface": "Niemand"}
    predictions = pd.DataFrame([row | {"stance": None, "model_id": "base"}])
    export("brat", _rich(), tmp_path, predictions)
    table = import_annotations("brat", tmp_path).annotation_set.table
    assert list(table[table["annotator"] == "base"]["unit"]) == ["leeg:0-7:TR"]


def test_predictions_without_their_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"predictions need the columns .*missing: \['start'"):
        export("csv", _rich(), tmp_path, pd.DataFrame({"article_id": ["a:1"]}))


def test_a_lone_surrogate_is_refused_where_the_format_cannot_hold_it(tmp_path: Path) -> None:
    broken = replace(_rich(), articles=(Article("a", "half \ud83d"),))
    empty = replace(broken, table=broken.table.iloc[:0])
    with pytest.raises(DataError, match="without lone surrogates"):
        export("brat", empty, tmp_path)


def test_the_labelling_config_offers_every_label_and_marks_characters() -> None:
    codebook = default_codebook()
    view = ElementTree.fromstring(labelling_config(codebook))
    offered = {choices.get("name"): len(list(choices)) for choices in view.iter("Choices")}
    # roles: eight labels and "none of these"
    assert offered == {"stance": 3, "roles": 9, "voice": 3, "not_target": 1}
    assert [label.get("value") for label in view.iter("Label")] == ["TR", "RU", "UA"]
    text = view.find("Text")
    assert text is not None
    assert text.get("granularity") == "symbol"


def test_brat_is_told_every_label() -> None:
    lines = annotation_conf(default_codebook()).split("\n")
    assert "stance\tArg:<ENTITY>, Value:unfavourable|neutral|favourable" in lines
    assert "roles_none_of_these\tArg:<ENTITY>" in lines
    assert lines[:4] == ["[entities]", "TR", "RU", "UA"]


def test_unknown_formats_list_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the formats to write are label-studio.*got 'x'"):
        export("x", _rich(), tmp_path)
    with pytest.raises(DataError, match=r"the formats are newsmtsc, rusentne.*got 'x'"):
        import_annotations("x", tmp_path)


def test_exported_annotators_and_articles_are_all_there(tmp_path: Path) -> None:
    export("brat", _rich(), tmp_path)
    folders = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert folders == ["bram_2", "model_v1", "noor@kade.example", "to-annotate"]
    assert len(list(table_annotations(import_annotations("brat", tmp_path).annotation_set))) == 6


def test_the_codebook_goes_along(tmp_path: Path) -> None:
    codebook: Codebook = replace(default_codebook(), version="9.9")
    before = replace(_rich(), codebook=codebook)
    for format_name in EXPORT_FORMATS:
        after = _there_and_back(format_name, before, tmp_path / format_name)
        assert after.codebook.version == "9.9"


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
def test_the_sample_comes_back_with_emoji_marks_and_crlf_added(
    format_name: str, tmp_path: Path
) -> None:
    whole = read_annotations(shipped_annotations() / "sample")
    # every fourth article: all languages, in a quarter of the time
    sample = restricted(whole, {article.article_id for article in whole.articles[::4]})
    added = "🙂 e\u0301\r\n"
    articles = tuple(replace(a, text=f"{added}{a.text}\r\n🇹🇷") for a in sample.articles)
    rows = [
        replace(row, span=row.span.shifted(len(added)), evidence=None)
        for row in table_annotations(sample)
    ]
    table = annotation_table(rows, sample.codebook)
    before = AnnotationSet(articles, table, sample.codebook)
    _assert_same(before, _there_and_back(format_name, before, tmp_path))
