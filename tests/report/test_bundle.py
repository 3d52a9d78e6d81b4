import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet, write_annotations
from classifier.pipeline import Reported, ReportInputs, bundle, report
from classifier.profiles import ProfileOptions
from classifier.sampling._draw import write_frame
from classifier.score import load


@pytest.fixture(scope="module")
def inputs(
    toy_set: AnnotationSet, linear_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> ReportInputs:
    folder = tmp_path_factory.mktemp("bundle")
    write_annotations(toy_set, folder / "set")
    load(linear_run).score_articles(toy_set.articles).write(folder / "p.parquet")
    options = ProfileOptions(by=("target",))
    return ReportInputs(linear_run, folder / "set", folder / "p.parquet", options=options)


@pytest.fixture(scope="module")
def reported(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return report(inputs, tmp_path_factory.mktemp("reported") / "report.html")


@pytest.fixture(scope="module")
def contents(
    inputs: ReportInputs, reported: Reported, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    path = bundle(inputs, reported, tmp_path_factory.mktemp("bundled") / "bundle.zip")
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _figures(record: Any) -> set[float]:  # noqa: ANN401
    """Every value of an estimate over all mentions."""
    if isinstance(record, list):
        return set().union(*map(_figures, record))
    if not isinstance(record, dict):
        return set()
    own = (
        {record["value"]} if "interval_status" in record and record["value"] is not None else set()
    )
    return own.union(*map(_figures, record.values()))


def test_the_page_and_the_json_have_the_same_figures(contents: dict[str, bytes]) -> None:
    page = contents["report.html"].decode()
    shown = {float(value) for value in re.findall(r'<data value="([^"]+)">', page)}
    evaluation = json.loads(contents["evaluation.json"])["tables"]
    profiles = json.loads(contents["profiles.json"])
    assert _figures(evaluation["accuracy"]) <= shown
    assert _figures(profiles[0]["rows"]) <= shown
    known = _figures(evaluation) | _figures(profiles)
    alphas = json.loads(contents["agreement.json"])
    assert shown <= known | _figures(alphas)


def test_every_file_has_its_hash(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    assert set(manifest["sha256"]) == set(contents) - {"manifest.json"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256(contents[name]).hexdigest() == digest


def test_a_bundle_names_what_made_it(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    assert manifest["versions"]["numpy"]
    assert json.loads(contents["training.json"])["seed"] == 0
    assert b"unfavourable" in contents["codebook.toml"]
    assert contents["references.bib"].startswith(b"@book{krippendorff2004")
    assert b"zrnic2024" not in contents["references.bib"]


def test_a_bundle_holds_no_whole_text(contents: dict[str, bytes], toy_set: AnnotationSet) -> None:
    rows = list(csv.DictReader(io.StringIO(contents["articles.csv"].decode(), newline="")))
    assert rows[0]["sha256"] == toy_set.articles[0].sha256
    assert "articles.jsonl" not in contents


def test_the_same_results_make_the_same_bundle(
    inputs: ReportInputs, reported: Reported, tmp_path: Path
) -> None:
    paths = [bundle(inputs, reported, tmp_path / f"{i}.zip") for i in range(2)]
    first, second = (Path(path).read_bytes() for path in paths)
    assert first == second


def test_a_report_shows_its_results_in_a_notebook(reported: Reported) -> None:
    for shown in (repr(reported), reported._repr_html_()):
        assert "macro_f1" in shown
        assert "report.html" in shown
    assert reported.to_frame().equals(reported.profiles[-1].to_frame())


def test_the_methods_say_what_was_done(contents: dict[str, bytes]) -> None:
    page = contents["report.html"].decode()
    methods = page[page.index('id="methods"') :]
    assert "We found 120 mentions of Turkey, Russia, Ukraine in 40 articles of 3 sources" in methods
    assert "prediction-powered" in methods


def test_a_report_reads_everyones_chances_beside_the_annotations(
    inputs: ReportInputs, toy_set: AnnotationSet, toy_scores: pd.DataFrame, tmp_path: Path
) -> None:
    # The two languages had two chances, so only the frame knows those of the articles not drawn.
    chances = {a.article_id: 0.5 if a.language == "nl" else 0.45 for a in toy_set.articles}
    drawn = toy_set.articles[::4] + toy_set.articles[1::4]
    articles = tuple(replace(a, sampling_probability=chances[a.article_id]) for a in drawn)
    chosen = toy_set.table["article_id"].isin([a.article_id for a in drawn])
    write_annotations(replace(toy_set, articles=articles, table=toy_set.table[chosen]), tmp_path)
    frame = pd.DataFrame(chances.items(), columns=["article_id", "sampling_probability"])
    write_frame(frame.assign(stratum="all"), tmp_path)
    toy_scores.to_parquet(tmp_path / "p.parquet")
    given = replace(inputs, data=tmp_path, predictions=tmp_path / "p.parquet", explained=0)
    made = report(given, tmp_path / "report.html")
    row = made.profiles[0].rows[-1]
    assert row.randomness is not None
    assert row.randomness.p_value is not None
    with ZipFile(bundle(given, made, tmp_path / "bundle.zip")) as archive:
        assert archive.read("sampling.csv") == (tmp_path / "sampling.csv").read_bytes()


def test_predictions_of_another_model_are_told(inputs: ReportInputs, tmp_path: Path) -> None:
    table = pd.read_parquet(str(inputs.predictions)).assign(model_id="other@abc")
    table.to_parquet(tmp_path / "other.parquet")
    other = replace(inputs, predictions=tmp_path / "other.parquet", explained=0)
    problems = report(other, tmp_path / "report.html").problems
    (told,) = [p for p in problems if p.reason == "predictions of another model"]
    assert told.detail == "the figures on quality are of 'linear', the predictions are by other@abc"


def test_predictions_of_the_model_that_is_judged_need_no_word(reported: Reported) -> None:
    assert "predictions of another model" not in {p.reason for p in reported.problems}
