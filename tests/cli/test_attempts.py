"""What a new user tries with labels of language models, with the files as they are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from classifier.annotations import AnnotationSet, write_annotations
from classifier.cli import app
from classifier.labels import short_name

N_ARTICLES = 8
THEIRS = {"favourable": "Positive", "neutral": "neutral", "unfavourable": "Negative"}
NUMBERS = {"favourable": 1, "neutral": 0, "unfavourable": -1}
MAP = ("--map", "negative=unfavourable", "--map", "pos*=favourable")


@pytest.fixture(scope="module")
def coded(toy_set: AnnotationSet) -> AnnotationSet:
    articles = toy_set.articles[:N_ARTICLES]
    names = {article.article_id for article in articles}
    table = toy_set.table[toy_set.table["article_id"].isin(names)]
    return AnnotationSet(articles, table, toy_set.codebook)


@pytest.fixture(scope="module")
def folder(coded: AnnotationSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("attempts") / "coded"
    write_annotations(coded, path)
    return path


@pytest.fixture(scope="module")
def truth(coded: AnnotationSet) -> pd.DataFrame:
    """One row per mention, with its place, its words and its label."""
    table = coded.table.drop_duplicates("unit").copy()
    table["quote"] = table["surface"]
    return table[["unit", "article_id", "start", "end", "target", "quote", "stance"]]


def _csv(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    frame[["unit", "stance"]].to_csv(path, index=False)
    return ()


def _array(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    frame[["unit", "stance"]].to_json(path, orient="records")
    return ()


def _by_unit(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    path.write_text(json.dumps(dict(zip(frame["unit"], frame["stance"], strict=True))))
    return ()


def _offsets(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    kept = frame[["article_id", "start", "end", "target", "stance"]]
    kept.to_json(path, orient="records", lines=True)
    return ()


def _quoted(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    kept = frame[["article_id", "target", "quote", "stance"]]
    kept.rename(columns={"article_id": "article", "stance": "label"}).to_json(
        path, orient="records", lines=True
    )
    return ()


def _whole(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    kept = frame.drop_duplicates(["article_id", "target"])
    kept[["article_id", "target", "stance"]].to_csv(path, index=False)
    return ()


def _negative(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    frame.assign(sentiment=frame["stance"].map(THEIRS))[["unit", "sentiment"]].to_csv(
        path, index=False, sep="\t"
    )
    return MAP


def _numbers(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    frame.assign(label=frame["stance"].map(NUMBERS))[["unit", "label"]].to_csv(path, index=False)
    return ()


def _fenced(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    answers = [f'```json\n{{"stance": "{label}"}}\n```' for label in frame["stance"]]
    kept = frame[["unit"]].assign(text=answers)
    kept.to_json(path, orient="records", lines=True)
    return ("--answer", "text")


def _wide(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    kept = frame[["unit"]].assign(gpt=frame["stance"], claude=frame["stance"], llama="neutral")
    kept.to_csv(path, index=False)
    return ("--models", "gpt,claude", "--models", "llama")


def _batch(frame: pd.DataFrame, path: Path) -> tuple[str, ...]:
    lines = []
    for unit, label in zip(frame["unit"], frame["stance"], strict=True):
        message = {"content": json.dumps({"stance": label})}
        body = {"choices": [{"message": message}]}
        line = {"custom_id": short_name(unit), "response": {"status_code": 200, "body": body}}
        lines.append(json.dumps(line))
    path.write_text("\n".join(lines))
    return ()


Write = Callable[[pd.DataFrame, Path], tuple[str, ...]]
EVALUATED: dict[str, Write] = {
    "gpt.csv": _csv,
    "array.json": _array,
    "by_unit.json": _by_unit,
    "offsets.jsonl": _offsets,
    "quoted.jsonl": _quoted,
    "whole.csv": _whole,
    "negative.tsv": _negative,
    "numbers.csv": _numbers,
    "fenced.jsonl": _fenced,
    "wide.csv": _wide,
    "batch.jsonl": _batch,
}
PROFILED: dict[str, Write] = {"few_columns.csv": _csv, "claude_quotes.jsonl": _quoted}


def json_of(*words: str | Path) -> Any:  # noqa: ANN401
    done = CliRunner().invoke(app, [*map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", EVALUATED)
def test_labels_as_they_are_are_evaluated(
    folder: Path, truth: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    options = EVALUATED[name](truth, tmp_path / name)
    made = json_of("evaluate", folder, "--predictions", tmp_path / name, *options)
    first = made["tables"]["accuracy"][0]
    assert first["keys"]["variable"] == "stance"
    assert first["estimates"]["macro_f1"]["value"] == 1.0
    if "--models" in options:
        names = [row["keys"]["predictor"] for row in made["tables"]["accuracy"]]
        assert names == ["gpt", "claude", "llama", "majority class"]


@pytest.mark.parametrize("name", PROFILED)
def test_labels_as_they_are_are_profiled(
    folder: Path, truth: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    PROFILED[name](truth, tmp_path / name)
    made = json_of("profile", tmp_path / name, "--gold", folder)
    in_all_voices = [row for row in made["rows"] if row["voice"] == "all"]
    assert sum(row["n_mentions"] for row in in_all_voices) == len(truth)
    assert all(row["group"]["source"] for row in in_all_voices)


def test_a_plan_takes_labels_of_other_names(
    folder: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    _csv(truth, tmp_path / "ours.csv")
    theirs = truth.assign(stance=truth["stance"].replace("unfavourable", "negative"))
    _csv(theirs, tmp_path / "theirs.csv")
    words = ("--gold", folder, "--by", "target")
    ours = json_of("plan", tmp_path / "ours.csv", *words)
    named = json_of("plan", tmp_path / "theirs.csv", *words, "--map", "negative=unfavourable")
    assert named["groups"] == ours["groups"]


def test_predictors_are_compared_in_one_paragraph(
    folder: Path, truth: pd.DataFrame, tmp_path: Path
) -> None:
    _csv(truth, tmp_path / "gpt.csv")
    _csv(truth.assign(stance="neutral"), tmp_path / "llama.csv")
    words = ("compare", folder, "--predictions", tmp_path / "gpt.csv", tmp_path / "llama.csv")
    made = json_of(*words, "--table", tmp_path / "t.tex", "--chart", tmp_path / "c.html")
    assert made["order"] == {"stance": ["gpt", "llama"]}
    assert made["paragraph"].startswith("For stance")
    assert "toprule" in (tmp_path / "t.tex").read_text()
    assert (tmp_path / "c.html").stat().st_size > 1000


def test_requests_are_written_and_their_size_is_told_first(folder: Path, tmp_path: Path) -> None:
    words = ("prompt", folder, "--out", tmp_path / "batch.jsonl", "--batch", "openai")
    made = json_of(*words, "--model", "m", "--price", "1,2")
    lines = (tmp_path / "batch.jsonl").read_text().splitlines()
    assert made["requests"] == made["mentions"] == len(lines)
    assert made["price"] == pytest.approx((made["input_tokens"] + 2 * made["output_tokens"]) / 1e6)


def test_agreement_takes_further_measures_and_a_table(folder: Path, tmp_path: Path) -> None:
    words = ("agreement", folder, "--measure", "ac1,kappa", "--measure", "unitizing")
    made = json_of(*words, "--table", tmp_path / "t.md")
    assert {row["measure"] for row in made["measures"]} == {"ac1", "kappa", "unitizing"}
    assert (tmp_path / "t.md").read_text().startswith("Agreement between annotators")
