"""A spreadsheet of labels is judged and profiled without a trained run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from classifier.annotations import AnnotationSet, write_annotations
from classifier.articles import article_record
from classifier.files import write_json_lines

THEIRS = {"favourable": "Pro-target", "neutral": "NEUTRAL ", "unfavourable": "negative"}
MAP = ("--map", "negative=unfavourable", "--map", "pro-*=favourable")


Command = Callable[..., tuple[int, str, str]]


def json_of(run_command: Command, *words: str | Path) -> Any:  # noqa: ANN401
    code, out, err = run_command(*words, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture
def folder(toy_set: AnnotationSet, tmp_path: Path) -> Path:
    write_annotations(toy_set, tmp_path / "coded")
    return tmp_path / "coded"


@pytest.fixture
def sheet(toy_set: AnnotationSet, tmp_path: Path) -> Path:
    """A row per mention by article, target and quote, in words of another scheme."""
    table = toy_set.table
    rows = pd.DataFrame(
        {
            "article": table["article_id"],
            "country": table["target"],
            "quote": table["surface"],
            "label": table["stance"].map(THEIRS),
        }
    )
    rows.to_csv(tmp_path / "gpt.csv", index=False)
    return tmp_path / "gpt.csv"


def test_a_sheet_is_judged_without_a_run(run_command: Command, folder: Path, sheet: Path) -> None:
    judged = json_of(run_command, "evaluate", folder, "--predictions", sheet, *MAP)
    first = judged["tables"]["accuracy"][0]
    assert (first["keys"]["predictor"], first["estimates"]["macro_f1"]["value"]) == ("gpt", 1.0)
    assert {row["keys"]["variable"] for row in judged["tables"]["accuracy"]} == {"stance"}
    assert judged["counts"]["n_articles"] == 40


def test_several_sheets_are_predictors_of_one_table(
    run_command: Command, folder: Path, sheet: Path, tmp_path: Path
) -> None:
    rows = pd.read_csv(sheet).assign(label="neutral")
    rows.to_json(tmp_path / "llama.jsonl", orient="records", lines=True)
    rows.head(30).to_json(tmp_path / "claude.json", orient="records")
    files = (sheet, tmp_path / "llama.jsonl", tmp_path / "claude.json")
    judged = json_of(run_command, "evaluate", folder, "--predictions", *files, *MAP)
    names = [row["keys"]["predictor"] for row in judged["tables"]["accuracy"]]
    assert names == ["gpt", "llama", "claude", "majority class"]
    reasons = [problem["reason"] for problem in judged["problems"]["claude"]]
    assert reasons == ["column interpreted", *["article without a row"] * 30]


def test_a_label_that_nobody_explained_names_the_option(
    run_command: Command, folder: Path, sheet: Path
) -> None:
    code, _, err = run_command("evaluate", folder, "--predictions", sheet)
    assert code == 1
    assert "--map" in err


def test_a_sheet_is_profiled_and_corrected(run_command: Command, folder: Path, sheet: Path) -> None:
    made = json_of(run_command, "profile", sheet, "--gold", folder, *MAP)
    code, out, _ = run_command("profile", sheet, "--gold", folder, *MAP)
    assert code == 0
    assert "De Vliet" in out
    assert sum(row["n_mentions"] for row in made["rows"] if row["voice"] == "all") == 120


def test_a_sheet_beyond_the_coded_articles_needs_the_articles(
    run_command: Command, toy_set: AnnotationSet, folder: Path, sheet: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few"
    table = toy_set.table
    write_annotations(
        AnnotationSet(
            toy_set.articles[:20],
            table[table["article_id"].isin({a.article_id for a in toy_set.articles[:20]})],
            toy_set.codebook,
        ),
        few,
    )
    write_json_lines(tmp_path / "all.jsonl", [article_record(a) for a in toy_set.articles])
    words = ("profile", sheet, "--gold", few, *MAP)
    short = json_of(run_command, *words)
    remedies = [p["remedy"] for p in short["problems"] if p["reason"] == "row without a mention"]
    assert remedies == ["left out; give the articles that were labelled (--articles)"] * 60
    made = json_of(run_command, *words, "--articles", tmp_path / "all.jsonl")
    assert sum(row["n_mentions"] for row in made["rows"] if row["voice"] == "all") == 120


def test_without_a_set_the_usage_is_said(run_command: Command, folder: Path) -> None:
    code, _, err = run_command("evaluate", folder)
    assert code == 2
    assert "DIR --predictions FILE" in err


def test_a_sheet_is_regressed_and_corrected(
    run_command: Command, folder: Path, sheet: Path
) -> None:
    words = ("regress", sheet, "stance ~ source", "--gold", folder, *MAP)
    made = json_of(run_command, *words)
    assert set(made["coefficients"]) == {
        "intercept",
        "source: Noordertij",
        "source: The Ferry Post",
    }
    code, out, _ = run_command(*words)
    assert code == 0
    assert "source is compared with De Vliet" in out
