"""What the pages and the docstrings promise: the snippets run, the sections are there."""

import inspect
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import classifier
from classifier.annotations import AnnotationSet, write_annotations
from classifier.articles import article_record
from classifier.files import write_json_lines

DOCS = Path(__file__).parent.parent / "docs"
NEVER_RAISE = {"find_mentions", "explain_mentions", "restricted"}
"""They take what was checked before."""


def _blocks(page: str, language: str) -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def _public_functions() -> dict[str, Callable[..., Any]]:
    found = {}
    for name in classifier.__all__:
        value = getattr(classifier, name)
        if "_verb" in vars(value) and inspect.ismodule(value):
            where, _, function = vars(value)["_verb"].partition(":")
            found[name] = getattr(import_module(where), function)
        elif inspect.isfunction(value):
            found[name] = value
    return found


FUNCTIONS = _public_functions()


@pytest.mark.slow
def test_the_python_of_the_tutorial_and_the_recipes_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_set: AnnotationSet
) -> None:
    monkeypatch.chdir(tmp_path)
    second = toy_set.table.assign(annotator="second")
    both = pd.concat([toy_set.table, second], ignore_index=True)
    write_annotations(replace(toy_set, table=both), "coded")
    Path("corpus").mkdir()
    write_json_lines(Path("corpus/a.jsonl"), map(article_record, toy_set.articles))
    names: dict[str, Any] = {}
    blocks = [*_blocks("tutorial.md", "python"), *_blocks("how-to.md", "python")]
    assert blocks
    for block in blocks:
        exec(block.replace("folds=5", "folds=2"), names)
    assert Path("report.html").stat().st_size > 0
    assert Path("figure.svg").stat().st_size > 0


def test_labels_from_elsewhere_are_compared_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toy_set: AnnotationSet
) -> None:
    monkeypatch.chdir(tmp_path)
    write_annotations(toy_set, "coded")
    rows = toy_set.table[["unit", "stance"]]
    rows.sample(frac=1, random_state=0).to_json("claude.jsonl", orient="records", lines=True)
    names: dict[str, Any] = {"classifier": classifier, "frame": rows}
    for block in _blocks("labels.md", "python"):
        exec(block, names)


def test_every_other_python_block_is_run_too() -> None:
    # The pages on serving and on R need packages that the project does not ask for.
    run = {"tutorial.md", "how-to.md", "labels.md", "serving.md"}
    with_python = {page.name for page in DOCS.glob("*.md") if _blocks(page.name, "python")}
    assert with_python <= run


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_json_and_toml_on_a_page_can_be_read(page: Path) -> None:
    for block in _blocks(page.name, "json"):
        for line in block.strip().splitlines() if block.count("\n{") else [block]:
            json.loads(line)
    for block in _blocks(page.name, "toml"):
        tomllib.loads(block)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_docstring_has_the_sections_that_its_signature_asks_for(name: str) -> None:
    function = FUNCTIONS[name]
    signature, text = inspect.signature(function), inspect.getdoc(function) or ""
    sections = set(re.findall(r"^(Args|Returns|Yields|Raises):$", text, flags=re.MULTILINE))
    wanted = {"Args"} if signature.parameters else set()
    if signature.return_annotation not in (None, "None"):
        wanted.add("Returns")
    if function.__name__ not in NEVER_RAISE:
        wanted.add("Raises")
    assert wanted <= sections
    named = re.findall(r"^    (\w+): \S", text, flags=re.MULTILINE)
    assert set(signature.parameters) <= set(named)


def test_every_public_name_has_a_docstring() -> None:
    assert not [n for n in classifier.__all__ if not inspect.getdoc(getattr(classifier, n))]
